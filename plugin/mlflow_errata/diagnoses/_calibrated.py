"""Slices in which what is said is off by another amount than it is over all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._cells import MOST_ROWS, cells_in
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.reliability import Sums, deleted_groups, mean_residual, shift_p_value, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

FEWEST, FEWEST_GROUPS = 100, 10
"""Rows of a slice, and runs of rows among which they are found, from which it is judged."""
MOST_SLICES = 10


@dataclass(frozen=True)
class CalibrationSlice:
    """Rows of one level, range or gap of a column.

    Parameters
    ----------
    condition : str, as slices print themselves
    support : int, rows (of the first 100,000)
    said, happened : float, means
    gap : Estimate, happened - said
    """

    condition: str
    support: int
    said: float
    happened: float
    gap: Estimate


@dataclass(frozen=True)
class _Cell:
    condition: str
    sums: Sums
    said: float
    happened: float


def slices_off(
    table: EvaluationTable,
    said: NDArray[np.float64],
    residual: NDArray[np.float64],
    variance: NDArray[np.float64],
    groups: NDArray[np.intp],
    *,
    least: float,
    chance: float,
) -> tuple[CalibrationSlice, ...]:
    """Slices whose gap differs from that of all rows, at most 10, those that move the whole most first.

    Looked at are columns that the model sees: what is only known afterwards tells the label, whatever was said.

    Parameters
    ----------
    table : EvaluationTable
    said, residual, variance : float arrays of shape (n,): what was said, happened - said, and the variance of that if
        what was said is true
    groups : int array of shape (n,), runs of rows that move together
    least : float, difference that counts
    chance : float, of a slice where none is off, over all that are looked at
    """
    weight = table.outcomes.weight
    few = slice(MOST_ROWS)
    gap = float(np.average(residual, weights=weight))
    cells, n_looked_at = [], 0
    for name in (name for name in table.slice_columns if name in table.features):
        read = cells_in(table, name)
        if read is None:
            continue
        bins, predicates = read
        sums = sums_of(residual[few] - gap, variance[few], None if weight is None else weight[few], bins, groups[few])
        told, seen = (
            np.bincount(bins, each[few] if weight is None else (each * weight)[few], minlength=len(predicates))
            for each in (said, said + residual)
        )
        for at, predicate in enumerate(predicates[: sums.n.shape[1]]):
            one = Sums(*(part[:, [at]] for part in vars(sums).values()))
            if predicate is not None and _is_judged(one):
                n_looked_at += 1
                n = one.w.sum()
                cells.append(_Cell(str(predicate), one, float(told[at] / n), float(seen[at] / n)))
    found = [cell for cell in cells if _is_off(cell.sums, least, chance / max(n_looked_at, 1))]
    found.sort(key=lambda cell: (-abs(float(cell.sums.wr.sum())), cell.condition))
    return tuple(_shown(cell, gap) for cell in found[:MOST_SLICES])


def _is_judged(sums: Sums) -> bool:
    return bool(sums.n.sum() >= FEWEST and (sums.w > 0).sum() >= FEWEST_GROUPS)


def _is_off(sums: Sums, least: float, chance: float) -> bool:
    value = float(mean_residual(sums.total()))
    if abs(value) < least or shift_p_value(sums.total()) >= chance:
        return False
    _, low, high = deleted_groups(mean_residual, sums, level=1 - chance)
    return low > 0 or high < 0


def _shown(cell: _Cell, gap: float) -> CalibrationSlice:
    value, low, high = (end + gap for end in deleted_groups(mean_residual, cell.sums))
    n = int(cell.sums.n.sum())
    estimate = Estimate(value, low, high, n=n, unit="happened - said")
    return CalibrationSlice(cell.condition, n, cell.said, cell.happened, estimate)
