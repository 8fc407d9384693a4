"""What relabelling would gain: labels flipped as often as an audit found them wrong, and the model fitted again."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._worklist import ELSEWHERE
from mlflow_errata.errors import NotRefitted
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import default_metric
from mlflow_errata.model import ask
from mlflow_errata.outcomes import outcomes_of
from mlflow_errata.stats.intervals import jackknife, normal_quantile, scattered_groups
from mlflow_errata.table import EvaluationTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._worklist import Audit
    from mlflow_errata.diagnoses.label_issues import LabelIssues
    from mlflow_errata.metric import Metric, Outcomes

FOLDS, DRAWS = 5, 8
LEVEL = 0.9


def relabel_gain(
    table: EvaluationTable,
    issues: LabelIssues,
    train: pd.DataFrame,
    model: Any,
    metric: Metric,
    *,
    random_state: int = 0,
) -> Estimate | None:
    """Gain in the metric if every flagged training label were checked and the model fitted again.

    Training labels are ranked as those of the evaluation rows are, by out-of-fold scores of clones of the model. In
    each of DRAWS draws the share q of true errors among the flags of a stratum falls from the audit's posterior,
    Beta(w + 1/2, m - w + 1/2); flagged labels become their suggestion with chance q, in training AND evaluation rows
    (decided rows become what was decided); a clone is fitted on the training rows, and both models are measured on
    the same evaluation labels.

    Parameters
    ----------
    table : EvaluationTable with classes and the output of the model as it is
    issues : LabelIssues of the table, with an audit
    train : DataFrame with the columns of the table
    model : estimator that can be cloned
    metric : Metric
    random_state : int

    Returns
    -------
    Estimate in the unit of the metric, positive for the better, with a 90 % interval over draws and rows; None where
    the metric cannot be estimated

    Raises
    ------
    NotRefitted
        If there is no audit, the task has no classes, or the model cannot be cloned and fitted.

    Notes
    -----
    Dropping the flagged rows instead would also move the class shares and overstate the gain.
    """
    if issues.audit is None or not table.outcomes.classes:
        raise NotRefitted("there is no audit of class labels")
    draw = np.random.default_rng(random_state)
    taught = _Flags.of_training(table, issues, train, model, random_state)
    judged = _Flags.of_evaluation(table, issues)
    features = train[list(table.features)]
    base = table.outcomes
    gains, spreads = [], []
    for _ in range(DRAWS):
        rates = _rates(issues.audit, draw)
        refitted = _fitted(model, features, base.named(taught.flipped(rates, draw)))
        labels = judged.flipped(rates, draw)
        output = ask(refitted, table.frame, table.features)
        after = outcomes_of(table.frame, table.roles, output, table.task)
        found = _difference(metric, replace(base, y=labels), replace(_aligned(after, base), y=labels))
        if found is None:
            return None
        gains.append(found[0])
        spreads.append((found[2] - found[1]) / 2 / normal_quantile(LEVEL))
    value = float(np.mean(gains))
    half = normal_quantile(LEVEL) * sqrt(float(np.mean(np.square(spreads))) + float(np.var(gains, ddof=1)))
    return Estimate(value, value - half, value + half, n=len(table), unit=metric.name, level=LEVEL)


def _aligned(after: Outcomes, base: Outcomes) -> Outcomes:
    """Outcomes whose classes stand in the order of others'."""
    place = np.array([after.classes.index(label) for label in base.classes])
    back = np.argsort(place)
    scores = None if after.scores is None else after.scores[:, place]
    return replace(base, prediction=back[after.prediction], scores=scores)


def _difference(metric: Metric, before: Outcomes, after: Outcomes) -> tuple[float, float, float] | None:
    sign = 1 if metric.greater_is_better else -1

    def better(rows: NDArray[np.intp]) -> float:
        return sign * (metric.compute(after.take(rows)) - metric.compute(before.take(rows)))

    return jackknife(better, scattered_groups(len(before)), level=LEVEL)


def _rates(audit: Audit, draw: np.random.Generator) -> dict[int, float]:
    """A share of true errors for every stratum that was audited."""
    return {
        part.stratum: float(draw.beta(part.n_wrong + 0.5, part.n_checked - part.n_wrong + 0.5)) for part in audit.strata
    }


class _Flags:
    """Labels with those that are in doubt, and what is known of them."""

    def __init__(
        self, y: NDArray[np.intp], rows: NDArray[np.intp], suggested: NDArray[np.intp], stratum: NDArray[np.intp]
    ) -> None:
        self.y, self.rows, self.suggested, self.stratum = y, rows, suggested, stratum
        self.known: dict[int, int] = {}

    @classmethod
    def of_evaluation(cls, table: EvaluationTable, issues: LabelIssues) -> _Flags:
        """Flagged rows of the evaluation table; decided ones are known."""
        found = cls._of(table, issues, issues)
        at = pd.Index([str(row) for row in table.ids])
        code = {label: position for position, label in enumerate(table.outcomes.classes)}
        for row, label in issues.audit.decisions if issues.audit is not None else ():
            if label is not None:
                found.known[int(at.get_loc(str(row)))] = code[label]
        return found

    @classmethod
    def of_training(
        cls, table: EvaluationTable, issues: LabelIssues, train: pd.DataFrame, model: Any, random_state: int
    ) -> _Flags:
        """Flagged training rows by out-of-fold scores, in the order of the training frame."""
        from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 - slow to import

        label, classes = table.roles.label, table.outcomes.classes
        features, y = train[list(table.features)], train[label]
        scores = np.zeros((len(train), len(classes)))
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=random_state)
        for fitted, left in folds.split(features, y):
            part = _fitted(model, features.iloc[fitted], y.iloc[fitted].to_numpy())
            place = [classes.index(known) for known in np.asarray(part.classes_).tolist()]
            scores[np.ix_(left, place)] = part.predict_proba(features.iloc[left])
        names = {known: f"errata.score {at}" for at, known in enumerate(classes)}
        frame = train.reset_index(drop=True).assign(**dict(zip(names.values(), scores.T, strict=True)))
        own = [name for name in table.slice_columns if name in frame]
        ranked = EvaluationTable.build(
            frame, label=label, scores=names, features=list(table.features), slice_by=own, task=table.task
        )
        found = label_issues.diagnose(ranked, Options(default_metric(ranked.outcomes), random_state, budget=1.0))
        order = np.argsort(np.asarray(ranked.ids))
        flags = cls._of(ranked, found, issues)
        back = np.empty(len(order), dtype=np.intp)
        back[order] = np.arange(len(order))
        return cls(ranked.outcomes.y[order], back[flags.rows], flags.suggested, flags.stratum)

    @classmethod
    def _of(cls, table: EvaluationTable, own: LabelIssues, audited: LabelIssues) -> _Flags:
        first = own.ranking.head(own.n_flagged)
        rows = pd.Index([str(row) for row in table.ids]).get_indexer(pd.Index([str(row) for row in first["id"]]))
        code = {str(label): position for position, label in enumerate(table.outcomes.classes)}
        suggested = np.array([code[str(label)] for label in first["suggested"]], dtype=np.intp)
        stratum = np.full(len(table), ELSEWHERE)
        for at in reversed(range(len(audited.slices))):
            if all(predicate.column in table.frame for predicate in audited.slices[at].predicates):
                stratum[audited.slices[at].mask(table.frame)] = at
        return cls(table.outcomes.y, rows, suggested, stratum[rows])

    def flipped(self, rates: dict[int, float], draw: np.random.Generator) -> NDArray[np.intp]:
        """The labels of one draw."""
        chance = np.array([rates.get(int(at), 0.0) for at in self.stratum])
        wrong = draw.random(len(self.rows)) < chance
        y = self.y.copy()
        y[self.rows[wrong]] = self.suggested[wrong]
        if self.known:
            y[list(self.known)] = list(self.known.values())
        return y


def _fitted(model: Any, features: pd.DataFrame, labels: NDArray[Any]) -> Any:
    """A clone of the model fitted on other labels, on one thread."""
    from sklearn.base import clone  # noqa: PLC0415 - slow to import
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    try:
        with threadpool_limits(limits=1):
            return clone(model).fit(features, labels)
    except Exception as cause:
        raise NotRefitted(f"{type(cause).__name__}: {cause}") from cause
