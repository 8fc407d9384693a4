"""What relabelling would gain: labels corrected as far as an audit tells, and the model fitted again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._worklist import ELSEWHERE
from mlflow_errata.errors import NotRefitted
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import CATALOGUE, catalogued, default_metric
from mlflow_errata.model import ask
from mlflow_errata.outcomes import outcomes_of
from mlflow_errata.stats.intervals import mean_interval, normal_quantile
from mlflow_errata.stats.labels import chances_of_mean
from mlflow_errata.table import EvaluationTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata.diagnoses._worklist import Audit
    from mlflow_errata.diagnoses.label_issues import LabelIssues
    from mlflow_errata.metric import Metric, Outcomes

FOLDS, DRAWS = 5, 8
LEVEL = 0.9
MOST_SCALED = 3.0
"""Factor, at most, from the noise that likely corrections remove to the noise that a person removes."""
MOST_NOISE = 0.4
"""Rate of wrong labels, at most, that the measurement is corrected for."""


def relabel_gain(
    table: EvaluationTable,
    issues: LabelIssues,
    train: pd.DataFrame,
    model: Any,
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
    2013). Corrected evaluation labels would favour the model whose scores suggested them.

    Parameters
    ----------
    table : EvaluationTable with classes and the output of the model as it is
    issues : LabelIssues of the table, with an audit
    train : DataFrame with the columns of the table
    model : estimator that can be cloned
    metric : a metric that is a mean over rows; the gain in accuracy is given for any other
    random_state : int

    Returns
    -------
    Estimate in the unit of the metric, positive for the better, with a 90 % interval over draws and rows

    Raises
    ------
    NotRefitted
        If there is no audit, the task has no classes, or the model cannot be cloned and fitted.

    References
    ----------
    Natarajan, Dhillon, Ravikumar & Tewari 2013, "Learning with noisy labels", NeurIPS 26
    """
    if issues.audit is None or not table.outcomes.classes:
        raise NotRefitted("there is no audit of class labels.")
    known = catalogued(metric)
    told = known.metric if known is not None and known.metric.rows is not None else CATALOGUE["accuracy"].metric
    judged, taught = flags(table, issues, issues), _training_flags(table, issues, train, model, random_state)
    draw, base, gains, spreads = np.random.default_rng(random_state), table.outcomes, [], []
    for _ in range(DRAWS):
        rates = _drawn(issues.audit, draw)
        labels, factor = taught.corrected(rates)
        refitted = fitted(model, train[list(table.features)], base.named(labels))
        after = outcomes_of(table.frame, table.roles, ask(refitted, table.frame, table.features), table.task)
        inverse = _inverse_rates(judged, rates, issues, base)
        value, low, high = _difference(told, base, aligned(after, base), inverse)
        gains.append(factor * value)
        spreads.append([factor * (high - low) / 2, (factor - 1) * value])
    value = float(np.mean(gains))
    over_rows_and_scaling = float(np.square(spreads).sum(axis=1).mean())
    half = sqrt(over_rows_and_scaling + normal_quantile(LEVEL) ** 2 * float(np.var(gains, ddof=1)))
    return Estimate(value, value - half, value + half, n=len(table), unit=told.name, level=LEVEL)


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
    table: EvaluationTable, issues: LabelIssues, train: pd.DataFrame, model: Any, random_state: int
) -> Flags:
    """Flagged training rows by out-of-fold scores, in the order of the training frame."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 - slow to import

    label, classes = table.roles.label, table.outcomes.classes
    features, y = train[list(table.features)], train[label]
    scores = np.zeros((len(train), len(classes)))
    for kept, left in StratifiedKFold(FOLDS, shuffle=True, random_state=random_state).split(features, y):
        part = fitted(model, features.iloc[kept], y.iloc[kept].to_numpy())
        place = [classes.index(known) for known in np.asarray(part.classes_).tolist()]
        scores[np.ix_(left, place)] = part.predict_proba(features.iloc[left])
    names = {known: f"errata.score {at}" for at, known in enumerate(classes)}
    frame = train.reset_index(drop=True).assign(**dict(zip(names.values(), scores.T, strict=True)))
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


def _inverse_rates(
    flags: Flags, rates: dict[int, float], issues: LabelIssues, outcomes: Outcomes
) -> NDArray[np.float64]:
    """For each row and true label t the weight inverse(T)[given, t]; shape (n, n_classes).

    T is even elsewhere, and moves the one pair of labels in a suspect slice.
    """
    k, found = len(outcomes.classes), np.zeros((len(flags.y), len(outcomes.classes)))
    for at in np.unique(flags.everywhere):
        rows = np.flatnonzero(flags.everywhere == at)
        wrong = rates.get(int(at), 0.0) * int((flags.everywhere[flags.rows] == at).sum())
        transition = np.eye(k)
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
    metric: Metric, before: Outcomes, after: Outcomes, inverse: NDArray[np.float64]
) -> tuple[float, float, float]:
    """What the new model gains over the old one on the same rows, with an interval over rows."""
    rows = cast("Callable[[Outcomes], NDArray[np.float64]]", metric.rows)
    total = np.zeros(len(before))
    for true in range(inverse.shape[1]):
        y = np.full(len(before), true)
        total += inverse[:, true] * (rows(replace(after, y=y)) - rows(replace(before, y=y)))
    return mean_interval(total if metric.greater_is_better else -total, before.weight, level=LEVEL)


def aligned(after: Outcomes, base: Outcomes) -> Outcomes:
    """Outcomes whose classes stand in the order of others'."""
    place = np.array([after.classes.index(label) for label in base.classes])
    scores = None if after.scores is None else after.scores[:, place]
    return replace(base, prediction=np.argsort(place)[after.prediction], scores=scores)


def fitted(model: Any, features: pd.DataFrame, labels: NDArray[Any]) -> Any:
    """A clone of the model fitted on some labels, on one thread."""
    from sklearn.base import clone  # noqa: PLC0415 - slow to import
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    try:
        with threadpool_limits(limits=1):
            return clone(model).fit(features, labels)
    except Exception as cause:
        raise NotRefitted(f"{type(cause).__name__}: {cause}.") from cause
