"""Functions: columns that are a function of the label, or of which the label is one, beyond coincidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from mlflow_errata.columns import plain_values
from mlflow_errata.stats.coincidence import log_class_by_class, log_each_on_one_level

if TYPE_CHECKING:
    from mlflow_errata.metric import Label
    from mlflow_errata.table import EvaluationTable

COINCIDENCE = -14.0
"""Log of the chance, over all columns looked at, below which a function is no coincidence: one in a million."""
MOST_LEVELS = 50
SAMPLED = 1_000
"""Rows that are looked at before all are."""
FEWEST_VALUES = 3
"""Distinct numbers a class, from which a number behind the label is a quantity and not a code of the class."""


@dataclass(frozen=True)
class Cut:
    """A column of numbers cut into classes.

    Parameters
    ----------
    cuts : tuple of float, ascending: class i holds the numbers above cut i-1, up to cut i
    order : tuple of int, codes of the classes from the smallest numbers to the largest
    """

    cuts: tuple[float, ...]
    order: tuple[int, ...]


def unseen_columns(table: EvaluationTable) -> list[str]:
    """Columns without a role that the model is not known to see."""
    seen = set(table.features) if table.features_told else set()
    return [name for name in table.frame.columns if name not in table.roles.columns and name not in seen]


def levels_of(column: pd.Series[Any], most: int = MOST_LEVELS) -> tuple[NDArray[np.intp], list[Any]] | None:
    """Codes of a column of few levels, -1 where it is missing, and the levels; None for many levels or one."""
    try:
        codes, levels = pd.factorize(pd.Series(plain_values(column)), sort=True)
    except TypeError:  # lists, arrays, values that cannot be ordered
        return None
    return (np.asarray(codes), [_plain(level) for level in levels]) if 2 <= len(levels) <= most else None  # noqa: PLR2004


def grouped_by(table: EvaluationTable, name: str) -> tuple[tuple[int, ...], ...] | None:
    """Classes by the level of a column that is a function of the class, as codes; None where it is none.

    A coincidence would be a column in which every class fell on one level by itself: the product over classes of
    sum(share of a level ^ rows of the class), for all but one row each.
    """
    found = levels_of(table.frame[name])
    if found is None:
        return None
    codes, levels = found
    y, known = table.outcomes.y, codes >= 0
    counts = np.zeros((len(table.outcomes.classes), len(levels)))
    np.add.at(counts, (y[known], codes[known]), 1)
    support = counts.sum(axis=1)
    if ((counts > 0).sum(axis=1) > 1).any() or not (support > 1).any():
        return None
    share = counts.sum(axis=0) / counts.sum()
    chance = log_each_on_one_level(support[support > 1], share)
    level = counts.argmax(axis=1)
    groups = tuple(tuple(np.flatnonzero((level == at) & (support > 0)).tolist()) for at in range(len(levels)))
    groups = tuple(sorted(group for group in groups if group))
    several = len(groups) > 1 and max(map(len, groups)) > 1
    return groups if several and chance + np.log(len(unseen_columns(table))) < COINCIDENCE else None


def number_of(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """A column of numbers, NaN where missing; None for other columns."""
    if is_bool_dtype(column.dtype) or not is_numeric_dtype(column.dtype):
        return None
    return np.asarray(plain_values(column), dtype=np.float64)


def cut_into(number: NDArray[np.float64], codes: NDArray[np.intp], n_looked_at: int) -> Cut | None:
    """How numbers are cut into classes, if classes hold ranges that do not meet; None if they do, or by coincidence.

    A coincidence would be that n labels in random order come class by class: k! / (n! / prod(n_i!)).

    Parameters
    ----------
    number : array of shape (n,), not finite where it is not known
    codes : int array of shape (n,), -1 where the class is not known
    n_looked_at : int, pairs of columns that are looked at
    """
    if len(number) > SAMPLED and _ranges(number[:SAMPLED], codes[:SAMPLED]) is None:
        return None  # ranges that meet in some rows meet in all
    ranges = _ranges(number, codes)
    if ranges is None or len(ranges.code) < 2:  # noqa: PLR2004 - a cut parts two classes
        return None
    if len(np.unique(number[np.isfinite(number) & (codes >= 0)])) < FEWEST_VALUES * len(ranges.code):
        return None
    if log_class_by_class(ranges.support) + np.log(max(n_looked_at, 1)) > COINCIDENCE:
        return None
    return Cut(tuple(ranges.high[:-1].tolist()), tuple(ranges.code.tolist()))


@dataclass(frozen=True)
class _Ranges:
    """Classes, from the smallest numbers to the largest: codes, largest number, and rows of each."""

    code: NDArray[np.intp]
    high: NDArray[np.float64]
    support: NDArray[np.intp]


def _ranges(number: NDArray[np.float64], codes: NDArray[np.intp]) -> _Ranges | None:
    """The ranges of numbers that classes hold; None where two of them meet."""
    known = np.isfinite(number) & (codes >= 0)
    x, y = number[known], codes[known]
    present, support = np.unique(y, return_counts=True)
    low, high = (np.array([part(x[y == code]) for code in present]) for part in (np.min, np.max))
    order = np.argsort(low)
    if (high[order][:-1] >= low[order][1:]).any():
        return None
    return _Ranges(present[order], high[order], support[order])


def trained_rows(table: EvaluationTable) -> NDArray[np.intp]:
    """Training rows of every class; shape (n_classes,), zeros without training rows."""
    if table.train is None:
        return np.zeros(len(table.outcomes.classes), dtype=np.intp)
    counts = table.train.y.value_counts()
    rows = {_plain(label): int(n) for label, n in counts.items()}
    return np.array([rows.get(label, 0) for label in table.outcomes.classes], dtype=np.intp)


def _plain(value: Any) -> Label:
    """A value of a column as a record can hold it; whole floats become int, as in the classes."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    return plain if isinstance(plain, str | int | float | bool) else str(plain)
