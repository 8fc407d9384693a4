"""Shifts: columns whose values are distributed differently among the newest rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._encoding import Levels, Numbers, column_of
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.slicing import places
from mlflow_errata.stats.distances import (
    g_test,
    jensen_shannon,
    largest_gap,
    mean_shift,
    psi,
    psi_floor,
    quantile_edges,
)
from mlflow_errata.stats.testing import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

N_BINS = 10
"""Quantile bins of a number in PSI."""
MOST_LEVELS = 30
"""Levels that PSI tells apart; the rarer ones share the last bin."""
MOST_NEW = 5
"""New levels that a shift names."""
MOST_ROWS = 100_000
"""Rows of either side, evenly over time, in which numbers are looked at; levels are counted in all rows."""
MOST_RANKED = 10_000
"""Numbers of either side, evenly over time, whose distances are taken value by value."""
MANY = 10_000
"""From here on numbers are shown whole."""
WORTH_A_LOOK = 0.1
"""PSI above its floor from which a column that moved is worth a look."""


@dataclass(frozen=True)
class Shift:
    """A column whose distribution may differ between the reference and the current rows.

    Parameters
    ----------
    column : str
    psi : float, population stability index with its expectation without drift taken off (may be slightly negative)
    floor : float, that expectation: (bins - 1) * (1 / n_reference + 1 / n_current)
    found : bool, moved beyond chance over all columns, and by an amount worth a look
    reference, current : str, what is typical in each (median or commonest level), for display
    unseen : float, share of the current rows whose level no reference row has, or whose number lies outside their range
    new_levels : tuple of str, such levels, most frequent first, at most 5
    jensen_shannon : float, distance in [0, 1] over the bins of PSI
    kolmogorov_smirnov : float or None for levels, largest gap of the shares up to a value
    wasserstein : float or None for levels, how far values move on average, in standard deviations of the reference
    missing_before, missing_now : float, share of missing values in each
    """

    column: str
    psi: float
    floor: float
    found: bool
    reference: str
    current: str
    unseen: float = 0.0
    new_levels: tuple[str, ...] = ()
    jensen_shannon: float = 0.0
    kolmogorov_smirnov: float | None = None
    wasserstein: float | None = None
    missing_before: float = 0.0
    missing_now: float = 0.0


def shifts_of(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> tuple[Shift, ...]:
    """PSI of every slice column; found under false-discovery control and with an amount worth a look."""
    side = np.full(len(table), 2, dtype=np.int8)
    side[reference], side[current] = 0, 1
    few = tuple(rows[:: 1 + (len(rows) - 1) // MOST_ROWS] for rows in (reference, current))
    measured: list[tuple[float, Shift]] = []
    for name in table.slice_columns:
        column = column_of(table, name)
        if isinstance(column, Levels):
            measured.append(_levels_shift(name, column, side))
        elif column is not None:
            measured.append(_numbers_shift(name, *(column.numbers[rows] for rows in few)))
    rejected = benjamini_hochberg(np.array([p_value for p_value, _ in measured]), rate=ALPHA)
    shifts = [
        replace(shift, found=bool(moved) and shift.psi >= WORTH_A_LOOK)
        for moved, (_, shift) in zip(rejected, measured, strict=True)
    ]
    return tuple(sorted(shifts, key=lambda shift: (-shift.psi, shift.column)))


def binned(column: Numbers | Levels, reference: NDArray[np.intp]) -> NDArray[np.intp]:
    """Bin of every row: 0 where missing, levels by frequency, numbers between quantiles of the reference rows."""
    if isinstance(column, Levels):
        return np.minimum(column.codes, MOST_LEVELS - 1) + 1
    return _bins(column.numbers, column.numbers[reference])


def _bins(numbers: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.intp]:
    edges = quantile_edges(reference[np.isfinite(reference)], N_BINS)
    return np.where(np.isfinite(numbers), places(edges, numbers).astype(np.intp) + 1, 0)


def _typical(values: NDArray[np.float64]) -> str:
    """The median in four digits, and no fewer than its whole part has."""
    middle = float(np.median(values))
    return f"{middle:,.0f}" if abs(middle) >= MANY else f"{middle:.4g}"


def _numbers_shift(name: str, old: NDArray[np.float64], new: NDArray[np.float64]) -> tuple[float, Shift]:
    was, now = (np.bincount(_bins(values, old), minlength=N_BINS + 1) for values in (old, new))
    before, after = (values[np.isfinite(values)] for values in (old, new))
    if len(before):
        unseen = float(((after < before.min()) | (after > before.max())).sum() / len(new))
    else:
        unseen = float(len(after) / len(new))
    middle, middle_now = (_typical(values) if len(values) else "missing" for values in (before, after))
    p_value, shift = _compared(name, was, now, middle, middle_now, unseen=unseen)
    if len(before) == 0 or len(after) == 0:
        return p_value, shift
    few, few_now = (values[:: 1 + (len(values) - 1) // MOST_RANKED] for values in (before, after))
    spread = float(before.std())
    return p_value, replace(
        shift,
        kolmogorov_smirnov=largest_gap(few, few_now),
        wasserstein=mean_shift(few, few_now) / spread if spread > 0 else None,
    )


def _levels_shift(name: str, column: Levels, side: NDArray[np.int8]) -> tuple[float, Shift]:
    """As rows are counted: `side` is 0 for reference rows, 1 for current ones, 2 for others."""
    width = len(column.levels) + 1
    counts = np.bincount(column.codes + 1 + side.astype(np.intp) * width, minlength=3 * width).reshape(3, width)
    old, new = counts[0, 1:], counts[1, 1:]
    only = np.flatnonzero((old == 0) & (new > 0))
    named = only[np.argsort(-new[only], kind="stable")][:MOST_NEW]
    before, after = (str(column.levels[int(row.argmax())]) if row.any() else "missing" for row in (old, new))
    return _compared(
        name,
        _rare_together(counts[0]),
        _rare_together(counts[1]),
        before,
        after,
        unseen=float(new[only].sum() / counts[1].sum()),
        new_levels=tuple(str(column.levels[at]) for at in named),
    )


def _rare_together(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Counts of the missing and of each level, commonest first, with the levels after MOST_LEVELS in one bin."""
    return np.append(counts[:MOST_LEVELS], counts[MOST_LEVELS:].sum())


def _compared(
    name: str,
    old: NDArray[np.intp],
    new: NDArray[np.intp],
    before: str,
    after: str,
    *,
    unseen: float,
    new_levels: tuple[str, ...] = (),
) -> tuple[float, Shift]:
    """How surely counts of reference and current rows differ, and by how much."""
    used = (old + new) > 0
    floor = psi_floor(int(used.sum()), int(old.sum()), int(new.sum()))
    amount = psi(old[used], new[used]) - floor
    return g_test(old, new), Shift(
        column=name,
        psi=amount,
        floor=floor,
        found=False,
        reference=before,
        current=after,
        unseen=unseen,
        new_levels=new_levels,
        jensen_shannon=jensen_shannon(old, new),
        missing_before=float(old[0] / old.sum()),
        missing_now=float(new[0] / new.sum()),
    )
