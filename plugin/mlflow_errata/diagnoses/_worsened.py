"""Slices that worsened most from the older to the newest rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._cells import cells_of
from mlflow_errata.diagnoses._encoding import column_of
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import difference, mean_or_share, normal_quantile
from mlflow_errata.stats.reliability import Sums, means, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

MOST_ROWS = 50_000
"""Rows of either side that are looked at, evenly over time."""
FEWEST = 50
"""Rows of a slice on either side from which it is judged."""
MOST_SLICES = 5


@dataclass(frozen=True)
class Worsened:
    """Rows of one level, range or gap of a column, which err more now.

    Parameters
    ----------
    condition : str, as slices print themselves
    before, now : Estimate, mean error of the reference and the current rows
    change : Estimate, now - before
    """

    condition: str
    before: Estimate
    now: Estimate
    change: Estimate


def worsened(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> tuple[Worsened, ...]:
    """Slices whose mean error rose by more than outside them, beyond chance over all; most errors added first.

    Slices are screened by a normal approximation, and kept if the interval of the difference of both rises, at
    1 - ALPHA / (slices looked at), lies above 0; at most 5.
    """
    sides = [rows[:: 1 + (len(rows) - 1) // MOST_ROWS] for rows in (reference, current)]
    rows, newer = np.concatenate(sides), np.repeat([0, 1], [len(side) for side in sides])
    outcomes = table.outcomes.take(rows)
    errors, weight = outcomes.errors, outcomes.weight
    looked_at = []
    for name in table.slice_columns:
        column = column_of(table, name, rows)
        if column is None:
            continue
        cells, predicates = cells_of(name, column)
        sums = sums_of(errors, np.zeros_like(errors), weight, cells, newer)
        score, added = _screened(sums)
        outside = sums.n.sum(axis=1, keepdims=True) - sums.n
        enough = (np.minimum(sums.n, outside).min(axis=0) >= FEWEST) & sums.w.all(axis=0)
        looked_at += [
            (score[at], added[at], predicate, cells, at)
            for at, predicate in enumerate(predicates[: len(score)])
            if predicate is not None and enough[at]
        ]
    level = 1 - ALPHA / max(len(looked_at), 1)
    found = []
    for z, more, predicate, cells, at in looked_at:
        if z > normal_quantile(level) and more > 0:
            here, elsewhere = (
                [_mean(errors, weight, part & (newer == side), level) for side in (0, 1)]
                for part in (cells == at, cells != at)
            )
            if difference(difference(*elsewhere), difference(*here))[1] > 0:
                found.append((-more, str(predicate), cells == at))
    return tuple(
        _shown(condition, [_estimate(table, errors, weight, inside & (newer == side)) for side in (0, 1)])
        for _, condition, inside in sorted(found, key=lambda item: item[:2])[:MOST_SLICES]
    )


def _screened(sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per cell: by how many standard errors its mean rose more than outside it, and how many errors that adds."""
    outside = Sums(*(part.sum(axis=1, keepdims=True) - part for part in vars(sums).values()))
    (_, here, spread), (_, there, around) = means(sums), means(outside)
    rise = np.diff(here, axis=0)[0]
    error = np.sqrt((spread + around).sum(axis=0))
    return (rise - np.diff(there, axis=0)[0]) / np.where(error > 0, error, np.inf), rise * sums.w[1]


def _mean(
    errors: NDArray[np.float64], weight: NDArray[np.float64] | None, rows: NDArray[np.bool_], level: float
) -> tuple[float, float, float]:
    return mean_or_share(errors[rows], None if weight is None else weight[rows], level=level)


def _estimate(
    table: EvaluationTable, errors: NDArray[np.float64], weight: NDArray[np.float64] | None, rows: NDArray[np.bool_]
) -> Estimate:
    return Estimate(*_mean(errors, weight, rows, 0.95), n=int(rows.sum()), unit=table.error_unit)


def _shown(condition: str, sides: list[Estimate]) -> Worsened:
    before, now = sides
    ends = [(side.value, side.low, side.high) for side in sides]
    change = Estimate(*difference(*ends), n=before.n + now.n, unit=before.unit)
    return Worsened(condition, before, now, change)
