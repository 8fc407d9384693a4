"""What relabelling would gain: labels corrected as far as an audit tells, and the model fitted again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata import fitting
from mlflow_errata.columns import as_frame, plain_values, weights
from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._worklist import ELSEWHERE
from mlflow_errata.errors import ModelFailed, NotRefitted, NotTried, TrainColumnMissing
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import CATALOGUE, Outcomes, catalogued, default_metric
from mlflow_errata.model import ask, unwrap
from mlflow_errata.outcomes import outcomes_of
from mlflow_errata.stats.intervals import mean_interval, normal_quantile
from mlflow_errata.stats.labels import chances_of_mean
from mlflow_errata.table import EvaluationTable
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata.diagnoses._worklist import Audit
    from mlflow_errata.diagnoses.label_issues import LabelIssues
    from mlflow_errata.metric import Metric

FOLDS, DRAWS = 5, 8
LEVEL = 0.9
NONE_LIKELY = "no label in doubt is more likely wrong than right, so it is open which ones a person would correct"
OTHER_ROWS = "Pass training rows of the classes that the evaluation rows have."
MOST_SCALED = 3.0
"""Factor, at most, from the noise that likely corrections remove to the noise that a person removes."""
MOST_NOISE = 0.4
"""Rate of wrong labels, at most, that the measurement is corrected for."""


def relabel_gain(
    table: EvaluationTable,
    issues: LabelIssues,
    train: object,
    model: object,
    *,
    metric: str = "accuracy",
    random_state: int = 0,
) -> Estimate:
    """Gain in the metric if every flagged training label were checked and the model fitted again.

    Training labels are ranked as those of the evaluation rows are, by out-of-fold scores of clones of the model. In
    each of DRAWS draws the share q of true errors among the flags of a stratum falls from the audit's posterior,
    Beta(w + 1/2, m - w + 1/2). Training labels that are then wrong rather than right become their suggestion, and a
    clone is fitted. These corrections are wrong in part, so the gain is scaled by the noise that a person would
    remove over the noise that they remove, sum(c) / sum(2c - 1 | c > 1/2), c being the chance of an error; what the
    scaling adds is added to the interval as well.

    Both models are measured on the evaluation rows as if these had no errors: the loss of a row is the mean over
    true labels t of inverse(T)[given, t] x loss(t), unbiased for rates T[t, given] of given labels (Natarajan et al.
    2013). Corrected evaluation labels would favour the model whose scores suggested them. In a slice where a label was
    never observed T has no inverse: there a flagged row counts as its suggestion with the share of errors drawn, else
    as given, which no score takes part in.

    Parameters
    ----------
    table : EvaluationTable with classes and the output of the model as it is
    issues : LabelIssues of the table, with an audit
    train : DataFrame with the columns of the table; rows without a label, or of a class that is not in the table, are
        left out
    model : estimator that can be cloned
    metric : a metric that is a mean over rows; the gain in accuracy is given for any other
    random_state : int

    Returns
    -------
    Estimate in the unit of the metric, positive for the better, with a 90 % interval over draws and rows

    Raises
    ------
    NotRefitted
        If there is no audit, the task has no classes, too few training rows have these classes, or the model cannot be
        cloned and fitted.
    NotTried
        If the audit found errors, and in most draws no training label is more likely wrong than right.

    References
    ----------
    Natarajan, Dhillon, Ravikumar & Tewari 2013, "Learning with noisy labels", NeurIPS 26
    """
    if issues.audit is None or not table.outcomes.classes:
        raise NotRefitted("there is no audit of class labels.")
    listed = catalogued(metric)
    told = listed.metric if listed is not None and listed.metric.rows is not None else CATALOGUE["accuracy"].metric
    known, estimator, base = known_rows(table, train), unwrap(model), table.outcomes
    judged, taught = flags(table, issues, issues), _training_flags(table, issues, known, estimator, random_state)
    draw, gains, spreads = np.random.default_rng(random_state), [], []
    all_rates = [_drawn(issues.audit, draw) for _ in range(DRAWS)]
    corrected = [taught.corrected(rates) for rates in all_rates]
    same = sum((labels == taught.y).all() for labels, _ in corrected)
    if issues.found and len(taught.rows) and same > DRAWS / 2:
        raise NotTried(NONE_LIKELY)
    for rates, (labels, factor) in zip(all_rates, corrected, strict=True):
        after = asked(table, known.fitted(estimator, labels))
        chances = _true_labels(judged, rates, issues, base)
        value, low, high = _difference(told, base, after, chances)
        gains.append(factor * value)
        spreads.append([factor * (high - low) / 2, (factor - 1) * value])
    value = float(np.mean(gains))
    over_rows_and_scaling = float(np.square(spreads).sum(axis=1).mean())
    half = sqrt(over_rows_and_scaling + normal_quantile(LEVEL) ** 2 * float(np.var(gains, ddof=1)))
    return Estimate(value, value - half, value + half, n=len(table), unit=told.name, level=LEVEL)


# -- training rows and models -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KnownRows:
    """Training rows with a label that the evaluation table knows.

    Parameters
    ----------
    frame : DataFrame of shape (n, n_columns), with the index 0 .. n-1
    y : int array of shape (n,), positions in the classes of `outcomes`
    weight : float array of shape (n,), or None
    features : columns that the model sees
    outcomes : Outcomes of the evaluation table
    """

    frame: pd.DataFrame
    y: NDArray[np.intp]
    weight: NDArray[np.float64] | None
    features: tuple[str, ...]
    outcomes: Outcomes

    def fitted(self, model: Any, labels: NDArray[np.intp], rows: NDArray[np.intp] | None = None) -> Any:
        """A clone of the model fitted on these rows (on some of them) with other labels, on one thread.

        Raises
        ------
        NotRefitted
        """
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - slow to import

        y = pd.Series(self.outcomes.named(labels))
        taught = TrainingSet(self.frame[list(self.features)], y, self.weight)
        taught = taught if rows is None else taught.take(rows)
        if taught.y.nunique() < 2:  # noqa: PLR2004 - there is nothing to tell apart
            raise NotRefitted("the training rows are of one class.", OTHER_ROWS)
        try:
            with threadpool_limits(limits=1):
                return fitting.fit(fitting.unfitted(model, one_thread=True), taught)
        except Exception as cause:
            raise NotRefitted(f"{type(cause).__name__}: {cause}.") from cause

    def scores(self, model: Any, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Scores of some rows by a model, one column for each class; 0 for classes that it has not seen.

        Raises
        ------
        NotRefitted
        """
        try:
            said = model.predict_proba(self.frame[list(self.features)].iloc[rows])
        except Exception as cause:
            raise NotRefitted(f"{type(cause).__name__}: {cause}.", "Pass a model with predict_proba.") from cause
        found = np.zeros((len(rows), len(self.outcomes.classes)))
        found[:, [self.outcomes.classes.index(label) for label in np.asarray(model.classes_).tolist()]] = said
        return found


def known_rows(table: EvaluationTable, train: object) -> KnownRows:
    """The rows of a training frame whose label is there and among the classes of a table.

    Raises
    ------
    TrainColumnMissing, NotRefitted
    """
    frame = as_frame(train, "the training frame")
    for role, column in [("label", table.roles.label), *(("features", name) for name in table.features)]:
        if column not in frame.columns:
            raise TrainColumnMissing(role, column, list(frame.columns))
    classes = pd.Index(table.outcomes.classes, dtype=object)
    y = classes.get_indexer(pd.Index(plain_values(frame[table.roles.label]), dtype=object))
    frame, y = frame.loc[y >= 0].reset_index(drop=True), y[y >= 0]
    if not len(y):
        raise NotRefitted("no training row has a class of the evaluation rows.", OTHER_ROWS)
    weighted = table.roles.weight is not None and table.roles.weight in frame.columns
    weight = weights(frame, str(table.roles.weight)) if weighted else None
    return KnownRows(frame, y, weight, table.features, table.outcomes)


def asked(table: EvaluationTable, model: object) -> Outcomes:
    """What a model says of the evaluation rows, in the classes of the table.

    Raises
    ------
    NotRefitted
    """
    try:
        output = ask(model, table.frame, table.features)
    except ModelFailed as cause:
        raise NotRefitted(cause) from cause
    after, base = outcomes_of(table.frame, table.roles, output, table.task), table.outcomes
    place = np.array([base.classes.index(label) for label in after.classes])
    if after.scores is None:
        return replace(base, prediction=place[after.prediction], scores=None)
    scores = np.zeros((len(after), len(base.classes)))
    scores[:, place] = after.scores
    return replace(base, prediction=place[after.prediction], scores=scores)


# -- flags ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flags:
    """Labels with those that are in doubt.

    Parameters
    ----------
    y : int array of shape (n,), given labels; `everywhere` : int array (n,), stratum of each row
    rows, suggested, score : arrays of shape (n_flagged,): positions, labels, suspicion
    """

    y: NDArray[np.intp]
    everywhere: NDArray[np.intp]
    rows: NDArray[np.intp]
    suggested: NDArray[np.intp]
    score: NDArray[np.float64]

    def corrected(self, rates: dict[int, float]) -> tuple[NDArray[np.intp], float]:
        """Labels of which those that are wrong rather than right are corrected, and the factor on what that gains."""
        chance, stratum = np.zeros(len(self.rows)), self.everywhere[self.rows]
        for at, rate in rates.items():
            chance[stratum == at] = chances_of_mean(self.score[stratum == at], rate)
        wrong = chance > 1 / 2
        y = self.y.copy()
        y[self.rows[wrong]] = self.suggested[wrong]
        removed = float((2 * chance - 1)[wrong].sum())
        return y, min(MOST_SCALED, float(chance.sum()) / removed) if removed > 0 else 1.0


def flags(table: EvaluationTable, own: LabelIssues, audited: LabelIssues) -> Flags:
    """The flagged rows of a table, in the strata of what was audited."""
    first = own.ranking.head(own.n_flagged)
    rows = pd.Index([str(row) for row in table.ids]).get_indexer(pd.Index([str(row) for row in first["id"]]))
    code = {str(label): position for position, label in enumerate(table.outcomes.classes)}
    stratum = np.full(len(table), ELSEWHERE)
    for at in reversed(range(len(audited.slices))):
        if all(predicate.column in table.frame for predicate in audited.slices[at].predicates):
            stratum[audited.slices[at].mask(table.frame)] = at
    suggested = np.array([code[str(label)] for label in first["suggested"]], dtype=np.intp)
    return Flags(table.outcomes.y, stratum, rows, suggested, first["score"].to_numpy())


def _training_flags(
    table: EvaluationTable, issues: LabelIssues, known: KnownRows, model: Any, random_state: int
) -> Flags:
    """Flagged training rows by out-of-fold scores, in the order of the known rows."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 - slow to import

    label, classes, n = table.roles.label, table.outcomes.classes, len(known.y)
    if np.bincount(known.y).max() < FOLDS:
        raise NotRefitted(f"no class has {FOLDS} training rows.", OTHER_ROWS)
    scores = np.zeros((n, len(classes)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class of fewer rows than folds is missing in some
        folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=random_state).split(np.empty((n, 0)), known.y))
    for kept, left in folds:
        scores[left] = known.scores(known.fitted(model, known.y, kept), left)
    names = {name: f"errata.score {at}" for at, name in enumerate(classes)}
    frame = known.frame.assign(**dict(zip(names.values(), scores.T, strict=True)))
    own = [name for name in table.slice_columns if name in frame]
    ranked = EvaluationTable.build(
        frame, label=label, scores=names, features=list(table.features), slice_by=own, task=table.task
    )
    found = label_issues.diagnose(ranked, Options(default_metric(ranked.outcomes), random_state, budget=1.0))
    doubted, order = flags(ranked, found, issues), np.argsort(np.asarray(ranked.ids))
    back = np.argsort(order)
    return replace(doubted, y=doubted.y[order], everywhere=doubted.everywhere[order], rows=back[doubted.rows])


# -- draws ------------------------------------------------------------------------------------------------------------


def _drawn(audit: Audit, draw: np.random.Generator) -> dict[int, float]:
    """A share of true errors for every stratum that was audited."""
    return {
        part.stratum: float(draw.beta(part.n_wrong + 0.5, part.n_checked - part.n_wrong + 0.5)) for part in audit.strata
    }


def _true_labels(flags: Flags, rates: dict[int, float], issues: LabelIssues, outcomes: Outcomes) -> NDArray[np.float64]:
    """For each row the weight of every label that may be the true one; shape (n, n_classes).

    It is inverse(T)[given, t]; T is even elsewhere, and moves the one pair of labels in a suspect slice. Where a label
    was never observed, it is the chance that it is the true one.
    """
    k, found = len(outcomes.classes), np.zeros((len(flags.y), len(outcomes.classes)))
    for at in np.unique(flags.everywhere):
        rows = np.flatnonzero(flags.everywhere == at)
        flagged = flags.everywhere[flags.rows] == at
        wrong = rates.get(int(at), 0.0) * int(flagged.sum())
        transition = np.eye(k)
        if at != ELSEWHERE and issues.slices[at].kind == "unobserved":
            found[rows, flags.y[rows]] = 1.0
            for labels, share in ((flags.y[flags.rows], -1), (flags.suggested, 1)):
                found[flags.rows[flagged], labels[flagged]] += share * rates.get(int(at), 0.0)
            continue
        if at == ELSEWHERE:
            rate = min(wrong / len(rows), MOST_NOISE)
            transition = transition * (1 - rate - rate / (k - 1)) + rate / (k - 1)
        elif wrong > 0:
            given, true = (outcomes.classes.index(getattr(issues.slices[at], name)) for name in ("given", "suggested"))
            rate = min(wrong / (int((flags.y[rows] == true).sum()) + wrong), MOST_NOISE)
            transition[true, [given, true]] = rate, 1 - rate
        found[rows] = np.linalg.inv(transition)[flags.y[rows]]
    return found


def _difference(
    metric: Metric, before: Outcomes, after: Outcomes, chances: NDArray[np.float64]
) -> tuple[float, float, float]:
    """What the new model gains over the old one on the same rows, with an interval over rows."""
    rows = cast("Callable[[Outcomes], NDArray[np.float64]]", metric.rows)
    total = np.zeros(len(before))
    for true in range(chances.shape[1]):
        y = np.full(len(before), true)
        total += chances[:, true] * (rows(replace(after, y=y)) - rows(replace(before, y=y)))
    return mean_interval(total if metric.greater_is_better else -total, before.weight, level=LEVEL)
