"""Columns as diagnoses read them: numbers, or levels; missing values apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import without_categories

Scalar = str | int | float | bool
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


def read_column(column: pd.Series[Any]) -> Numbers | Levels | None:
    """Numbers, Levels (objects by their text), or None for dates and values that cannot be compared."""
    column = without_categories(column)
    if any(unreadable(column.dtype) for unreadable in UNREADABLE):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        return Numbers(values, bool((known == np.floor(known)).all()))
    try:
        found, distinct = pd.factorize(column)
    except TypeError:
        return None
    if column.dtype == object and {type(value) for value in distinct} not in ({str}, {bool}):
        found, distinct = pd.factorize(column.astype(str).where(column.notna()))
    levels = [value if isinstance(value, bool | str) else str(value) for value in np.asarray(distinct, dtype=object)]
    support = np.bincount(found[found >= 0], minlength=len(levels))
    order = sorted(range(len(levels)), key=lambda at: (-support[at], str(levels[at])))
    rank = np.empty(len(levels) + 1, dtype=np.intp)
    rank[order], rank[-1] = np.arange(len(levels)), -1
    return Levels(rank[found], tuple(levels[at] for at in order))
