"""Columns as diagnoses read them: numbers, or levels; missing values apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import without_categories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.table import EvaluationTable

Scalar = str | int | float | bool
Rows = slice | NDArray[np.intp]
AT_ONCE = 2**15
"""Numbers that are looked at together, so that what it takes stays in the cache."""
UNREADABLE = (
    pd.api.types.is_datetime64_any_dtype,
    pd.api.types.is_timedelta64_dtype,
    pd.api.types.is_complex_dtype,
)
"""Dates, which time diagnoses look at, and values without an order."""


@dataclass(frozen=True)
class Numbers:
    """A numeric column.

    Parameters
    ----------
    numbers : float array of shape (n_rows,), NaN where missing; infinities stay
    whole : bool, True if all values are whole numbers
    """

    numbers: NDArray[np.float64]
    whole: bool

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> Numbers:
        """Numbers, and whether they are whole."""
        return cls(numbers, all(_are_whole(numbers[at : at + AT_ONCE]) for at in range(0, len(numbers), AT_ONCE)))

    def take(self, rows: Rows) -> Numbers:
        """Some of the rows."""
        return Numbers(self.numbers[rows], whole=True) if self.whole else Numbers.of(self.numbers[rows])


@dataclass(frozen=True)
class Levels:
    """A column of text, categories or booleans.

    Parameters
    ----------
    codes : int array of shape (n_rows,), positions in `levels`, -1 where missing
    levels : tuple of values, commonest first, ties by text
    """

    codes: NDArray[np.intp]
    levels: tuple[Scalar, ...]

    @classmethod
    def of(cls, found: NDArray[np.intp], distinct: Sequence[Scalar]) -> Levels:
        """Levels from positions among distinct values, -1 where missing; those without rows are dropped."""
        support = np.bincount(found + 1, minlength=len(distinct) + 1)[1:]
        order = sorted(np.flatnonzero(support).tolist(), key=lambda at: (-support[at], str(distinct[at])))
        rank = np.full(len(distinct) + 1, -1, dtype=np.intp)
        rank[order] = np.arange(len(order))
        return cls(rank[found], tuple(distinct[at] for at in order))

    def take(self, rows: Rows) -> Levels:
        """Some of the rows, with the levels that these have."""
        return Levels.of(self.codes[rows], self.levels)


def _are_whole(values: NDArray[np.float64]) -> bool:
    """Whether every finite one of some values is a whole number."""
    return bool(((values == np.floor(values)) | ~np.isfinite(values)).all())


def column_of(table: EvaluationTable, name: str, rows: Rows | None = None) -> Numbers | Levels | None:
    """A column of a table, or some of its rows, as `read_column` reads it; each column is read once.

    Parameters
    ----------
    table : EvaluationTable
    name : str
    rows : slice or int array, or None for all
    """
    if name not in table.read:
        table.read[name] = read_column(table.frame[name])
    found: Numbers | Levels | None = table.read[name]
    return found if rows is None or found is None else found.take(rows)


def read_column(column: pd.Series[Any]) -> Numbers | Levels | None:
    """Numbers, Levels (objects by their text), or None for dates and values that cannot be compared."""
    column = without_categories(column)
    if any(unreadable(column.dtype) for unreadable in UNREADABLE):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        as_they_are = column.dtype == np.float64  # numpy's own, in which missing is NaN: no copy
        return Numbers.of(column.to_numpy() if as_they_are else column.to_numpy(dtype=np.float64, na_value=np.nan))
    try:
        found, distinct = pd.factorize(column)
    except TypeError:
        return None
    if column.dtype == object and {type(value) for value in distinct} not in ({str}, {bool}):
        found, distinct = pd.factorize(column.astype(str).where(column.notna()))
    levels = [value if isinstance(value, bool | str) else str(value) for value in np.asarray(distinct, dtype=object)]
    return Levels.of(found, levels)
