"""Cells: levels, ranges and gaps of one column, as the slices that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._encoding import Levels, Numbers, column_of
from mlflow_errata.predicates import Equals, IsMissing, Within
from mlflow_errata.slicing import places, short_cut
from mlflow_errata.stats.distances import quantile_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlflow_errata.predicates import Predicate
    from mlflow_errata.table import EvaluationTable

N_RANGES, MOST_LEVELS = 4, 30
"""Ranges of a number; levels of a column, commonest first."""
MOST_ROWS = 100_000
"""Rows of a table that are looked at: they stand in no meaningful order, so the first are a fair draw."""


def cells_of(name: str, column: Numbers | Levels) -> tuple[NDArray[np.intp], list[Predicate | None]]:
    """Cell of each row, 0 where missing, and what each cell says; None for the levels too rare to have their own.

    Parameters
    ----------
    name : str, of the column
    column : Numbers or Levels

    Returns
    -------
    (cells, predicates) : int array of shape (n_rows,), and a list with an entry for every cell
    """
    missing: list[Predicate | None] = [IsMissing(name)]
    if isinstance(column, Levels):
        shown = column.levels[:MOST_LEVELS]
        return np.minimum(column.codes, MOST_LEVELS) + 1, [*missing, *(Equals(name, level) for level in shown), None]
    known = ~np.isnan(column.numbers)
    cuts = _cuts(np.sort(column.numbers[np.isfinite(column.numbers)]), whole=column.whole)
    cells = np.where(known, places(np.array(cuts, dtype=np.float64), column.numbers).astype(np.intp) + 1, 0)
    return cells, [*missing, *_ranges(name, cuts)]


def cells_in(table: EvaluationTable, name: str) -> tuple[NDArray[np.intp], list[Predicate | None]] | None:
    """The cells of a column in the first MOST_ROWS rows of a table; None where it has none. Each is cut once."""
    key = (name, MOST_ROWS)
    if key not in table.read:
        column = column_of(table, name, slice(MOST_ROWS))
        table.read[key] = None if column is None else cells_of(name, column)
    found: tuple[NDArray[np.intp], list[Predicate | None]] | None = table.read[key]
    return found


def _cuts(ordered: NDArray[np.float64], *, whole: bool) -> list[float]:
    """Between the ranges of ascending numbers: the shortest decimals that part them like their quantiles."""
    edges = quantile_edges(ordered, N_RANGES)
    if whole:
        return [int(edge) for edge in edges]
    below = ordered[np.searchsorted(ordered, edges) - 1]
    return [short_cut(float(a), float(b)) for a, b in zip(below, edges, strict=True)]


def _ranges(name: str, edges: list[float]) -> Iterator[Predicate | None]:
    if not edges:
        yield None
        return
    yield from (Within(name, low, high) for low, high in zip([None, *edges], [*edges, None], strict=True))
