"""Cells: levels, ranges and gaps of one column, as the slices that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._encoding import Levels, Numbers
from mlflow_errata.predicates import Equals, IsMissing, Within
from mlflow_errata.slicing import places
from mlflow_errata.stats.distances import quantile_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlflow_errata.predicates import Predicate

N_RANGES, MOST_LEVELS = 4, 30
"""Ranges of a number; levels of a column, commonest first."""


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
    edges = quantile_edges(column.numbers[np.isfinite(column.numbers)], N_RANGES)
    cells = np.where(known, places(edges, column.numbers).astype(np.intp) + 1, 0)
    return cells, [*missing, *_ranges(name, [int(edge) if column.whole else float(edge) for edge in edges])]


def _ranges(name: str, edges: list[float]) -> Iterator[Predicate | None]:
    if not edges:
        yield None
        return
    yield from (Within(name, low, high) for low, high in zip([None, *edges], [*edges, None], strict=True))
