"""Shifts: columns whose values are distributed differently among the newest rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._encoding import Levels, Numbers, read_column
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.stats.distances import g_test, psi, psi_floor, quantile_edges
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
MOST_SORTED = 100_000
"""Rows, evenly over time, from which quantiles are told."""
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
    """

    column: str
    psi: float
    floor: float
    found: bool
    reference: str
    current: str
    unseen: float = 0.0
    new_levels: tuple[str, ...] = ()


def shifts_of(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> tuple[Shift, ...]:
    """PSI of every slice column; found under false-discovery control and with an amount worth a look."""
    measured: list[tuple[float, Shift]] = []
    for name in table.slice_columns:
        column = read_column(table.frame[name])
        if column is not None:
            measured.append(_shift(name, column, reference, current))
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
    known = np.isfinite(column.numbers)
    edges = quantile_edges(_known(column, reference), N_BINS)
    return np.where(known, np.searchsorted(edges, column.numbers, side="right") + 1, 0)


def _shift(
    name: str, column: Numbers | Levels, reference: NDArray[np.intp], current: NDArray[np.intp]
) -> tuple[float, Shift]:
    bins = binned(column, reference)
    n_bins = int(bins.max()) + 1
    old, new = (np.bincount(bins[rows], minlength=n_bins) for rows in (reference, current))
    used = (old + new) > 0
    floor = psi_floor(int(used.sum()), len(reference), len(current))
    unseen, levels = _unseen(column, reference, current)
    return g_test(old, new), Shift(
        column=name,
        psi=psi(old[used], new[used]) - floor,
        floor=floor,
        found=False,
        reference=_typical(column, reference),
        current=_typical(column, current),
        unseen=unseen,
        new_levels=levels,
    )


def _unseen(
    column: Numbers | Levels, reference: NDArray[np.intp], current: NDArray[np.intp]
) -> tuple[float, tuple[str, ...]]:
    if isinstance(column, Levels):
        width = len(column.levels) + 1
        old, new = (np.bincount(column.codes[rows] + 1, minlength=width)[1:] for rows in (reference, current))
        only = np.flatnonzero((old == 0) & (new > 0))
        named = only[np.argsort(-new[only], kind="stable")][:MOST_NEW]
        return float(new[only].sum() / len(current)), tuple(str(column.levels[at]) for at in named)
    before, now = column.numbers[reference], column.numbers[current]
    before = before[np.isfinite(before)]
    if len(before) == 0:
        return float(np.isfinite(now).mean()), ()
    return float(((now < before.min()) | (now > before.max())).mean()), ()


def _typical(column: Numbers | Levels, rows: NDArray[np.intp]) -> str:
    """The median, or the commonest level."""
    if isinstance(column, Levels):
        known = column.codes[rows][column.codes[rows] >= 0]
        return str(column.levels[int(np.bincount(known).argmax())]) if len(known) else "missing"
    values = _known(column, rows)
    return f"{np.median(values):.4g}" if len(values) else "missing"


def _known(column: Numbers, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Finite values of some rows, evenly thinned where there are very many."""
    values = column.numbers[rows[:: 1 + (len(rows) - 1) // MOST_SORTED]]
    return values[np.isfinite(values)]
