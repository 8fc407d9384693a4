"""Causes: why the newest rows are served worse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.diagnoses._changes import taking_weights
from mlflow_errata.diagnoses._encoding import column_of
from mlflow_errata.diagnoses._shifts import binned
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Metric, Outcomes
from mlflow_errata.stats.distances import g_test
from mlflow_errata.stats.intervals import contiguous_groups, difference, jackknife
from mlflow_errata.stats.membership import membership

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow_errata.diagnoses._shifts import Shift
    from mlflow_errata.table import EvaluationTable

MOST_ROWS = 8_000
"""Rows of either side that the split looks at, evenly over time."""
MOST_COLUMNS = 8
"""Columns that moved most, in which rows are alike or not."""
UNLIKE = 0.95
"""Membership from which a current row has no like among the reference rows."""
HALF = 0.5
"""Share of the change that a cause must explain."""
SURE = 0.01
"""Chance at which the shares of the classes are said to have changed."""

Cause = Literal["prior", "covariate", "concept", "unseen", "season"]


@dataclass(frozen=True)
class Split:
    """The change of the metric in parts, in its own unit; covariate + concept + unseen is the whole change.

    Parameters
    ----------
    covariate : Estimate, what the reference rows themselves would have changed by, were they like those of both times
    concept : Estimate, what rows that are alike changed by from one time to the other
    unseen : Estimate, what current rows without a like add
    prior : Estimate or None, the whole change with the classes weighted to their old shares; None where the shares did
        not change
    unlike : float, share of the current rows without a like
    """

    covariate: Estimate
    concept: Estimate
    unseen: Estimate
    prior: Estimate | None
    unlike: float


@dataclass(frozen=True)
class _Side:
    """Rows of one time in time order, with their likeness to both times."""

    outcomes: Outcomes
    shared: NDArray[np.float64]

    def weighted(self, weight: NDArray[np.float64]) -> Outcomes:
        given = self.outcomes.weight
        return replace(self.outcomes, weight=weight if given is None else weight * given)


def split_change(
    table: EvaluationTable,
    metric: Metric,
    shifts: Sequence[Shift],
    reference: NDArray[np.intp],
    current: NDArray[np.intp],
) -> Split | None:
    """Split the change of a metric from the reference to the current rows into what the rows and what the labels did.

    With a(x) the chance that a row comes from the current rows, were there as many of both (`stats.membership` over the
    columns that moved most), reference rows weighted by a and current rows weighted by 1 - a are distributed alike. The
    metric of those two, M(R, a) and M(C, 1 - a), parts the change:

        covariate = M(R, a) - M(R),  concept = M(C, 1 - a) - M(R, a),  unseen = M(C) - M(C, 1 - a).

    Intervals come from a jackknife over runs of neighbouring rows, with a held fixed. None where a part cannot be
    estimated. A metric of the user's own is replaced by the mean error, as nothing is known of how it takes weights.

    References
    ----------
    Cai, Namkoong & Yadlowsky 2023, "Diagnosing model performance under distribution shift", arXiv 2303.02011
    """
    metric = taking_weights(metric, table.task)
    sides = [rows[:: 1 + (len(rows) - 1) // MOST_ROWS] for rows in (reference, current)]
    chance = _likeness(table, shifts, *sides)
    old = _Side(table.outcomes.take(sides[0]), chance[: len(sides[0])])
    new = _Side(table.outcomes.take(sides[1]), 1 - chance[len(sides[0]) :])
    before, ones = old.weighted(old.shared), new.weighted(new.shared)
    parts = (
        _gap(metric, old.outcomes, before),
        _between(metric, before, ones),
        _gap(metric, ones, new.outcomes),
    )
    if any(part is None for part in parts):
        return None
    n = len(sides[0]) + len(sides[1])
    covariate, concept, unseen = (Estimate(*part, n=n, unit=metric.name) for part in parts if part is not None)
    prior = _prior(metric, old, new)
    return Split(
        covariate,
        concept,
        unseen,
        None if prior is None else Estimate(*prior, n=n, unit=metric.name),
        float((new.shared < 1 - UNLIKE).mean()),
    )


def _likeness(
    table: EvaluationTable, shifts: Sequence[Shift], reference: NDArray[np.intp], current: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Chance of each row, reference rows first, to be a current one; 0.5 without columns."""
    rows = np.concatenate([reference, current])
    first = np.arange(len(reference))
    cells = []
    for shift in shifts[:MOST_COLUMNS]:
        column = column_of(table, shift.column, rows)
        if column is not None:
            cells.append(binned(column, first))
    newer = np.arange(len(rows)) >= len(reference)
    if not cells:
        return np.full(len(rows), 0.5)
    return membership(np.column_stack(cells), newer)


Interval = tuple[float, float, float]


def _gap(metric: Metric, first: Outcomes, second: Outcomes) -> Interval | None:
    """Change of the metric between two weightings of the same rows."""
    return jackknife(
        lambda rows: metric.compute(second.take(rows)) - metric.compute(first.take(rows)),
        contiguous_groups(len(first)),
    )


def _between(metric: Metric, first: Outcomes, second: Outcomes) -> Interval | None:
    """Change of the metric between different rows."""
    ends = [jackknife(_of(metric, part), contiguous_groups(len(part))) for part in (first, second)]
    return None if ends[0] is None or ends[1] is None else difference(ends[0], ends[1])


def _of(metric: Metric, outcomes: Outcomes) -> Callable[[NDArray[np.intp]], float]:
    return lambda rows: metric.compute(outcomes.take(rows))


def _prior(metric: Metric, old: _Side, new: _Side) -> Interval | None:
    """The change with the classes of the current rows weighted to their shares among the reference rows."""
    if not old.outcomes.classes or old.outcomes.task == "multilabel":
        return None
    k = len(old.outcomes.classes)
    before, now = (np.bincount(side.outcomes.y, minlength=k) for side in (old, new))
    if g_test(before, now) > SURE:
        return None
    ratio = np.where(now > 0, before / before.sum() / np.maximum(now / now.sum(), 1e-12), 0.0)
    return _between(metric, old.outcomes, new.weighted(ratio[new.outcomes.y]))


def cause_of(split: Split) -> Cause | None:
    """What explains most of a change for the worse, and at least half of it.

    Shares of classes first, as they are the cheapest to put right; what is left to labels that changed must lie beyond
    chance.
    """
    concept = split.concept
    change = split.covariate.value + concept.value + split.unseen.value
    if change == 0:
        return None
    rows = (split.covariate.value + split.unseen.value) / change
    shares = 0.0 if split.prior is None else 1 - split.prior.value / change
    if max(rows, shares) >= HALF:
        if shares >= rows:
            return "prior"
        without_like = abs(split.unseen.value) > abs(split.covariate.value) and split.unlike > 0
        return "unseen" if without_like else "covariate"
    beyond = concept.low > 0 or concept.high < 0
    return "concept" if beyond and concept.value * change > 0 else None
