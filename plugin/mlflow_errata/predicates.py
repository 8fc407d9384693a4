"""Predicates: what a slice says about one column, printed as text, read from it, and tested on any frame."""

from __future__ import annotations

import ast
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mlflow_errata.columns import as_frame, vectors
from mlflow_errata.errors import ColumnMissing, ExpressionUnreadable, ValuesRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

Scalar = str | int | float | bool
ROWS_AT_ONCE = 2**14
"""Vectors that are compared with the centres at a time."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


PARTS: dict[str, Callable[[pd.Series[Any]], Any]] = {
    "hour": lambda dates: dates.dt.hour,
    "weekday": lambda dates: dates.dt.day_of_week.map(dict(enumerate(WEEKDAYS))),
    "month": lambda dates: dates.dt.month,
}
"""What can be told of a date, in its own time zone: 0 to 23, Mon to Sun, 1 to 12."""


def part_name(part: str, column: str) -> str:
    """The name of a part of a column of dates, as predicates have it: `hour(at)`."""
    return f"{part}({column})"


@dataclass(frozen=True)
class Equals:
    """`column == value`; for booleans, text, categories and whole numbers."""

    column: str
    value: Scalar
    kind: Literal["equals"] = "equals"

    def __str__(self) -> str:
        return f"{self.column} == {self.value!r}"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows that hold the value; shape (n_rows,)."""
        column = _column(frame, self.column)
        return _text_or_value(column, self.value)


@dataclass(frozen=True)
class IsIn:
    """`column in {values}`."""

    column: str
    values: tuple[Scalar, ...]
    kind: Literal["in"] = "in"

    def __str__(self) -> str:
        return f"{self.column} in {{{', '.join(repr(value) for value in self.values)}}}"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows that hold one of the values; shape (n_rows,)."""
        column = _column(frame, self.column)
        found = np.zeros(len(frame), dtype=bool)
        for value in self.values:
            found |= _text_or_value(column, value)
        return found


@dataclass(frozen=True)
class NotIn:
    """`column not in {values}`: the values that are not listed; a missing value is not one of them."""

    column: str
    values: tuple[Scalar, ...]
    kind: Literal["not in"] = "not in"

    def __str__(self) -> str:
        return f"{self.column} not in {{{', '.join(repr(value) for value in self.values)}}}"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows that hold none of the values, but hold one; shape (n_rows,)."""
        known = _column(frame, self.column).notna().to_numpy(dtype=bool)
        return np.asarray(known & ~IsIn(self.column, self.values).mask(frame))


@dataclass(frozen=True)
class Within:
    """`low <= column < high`; None leaves a side open. Numbers, or ISO dates as text."""

    column: str
    low: int | float | str | None
    high: int | float | str | None
    kind: Literal["within"] = "within"

    def __str__(self) -> str:
        if self.low is None:
            return f"{self.column} < {self.high}"
        if self.high is None:
            return f"{self.column} >= {self.low}"
        return f"{self.low} <= {self.column} < {self.high}"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows inside the range; missing values are not; shape (n_rows,)."""
        given = _column(frame, self.column)
        if isinstance(self.low, str) or isinstance(self.high, str):
            column: Any = pd.to_datetime(given, utc=True)
            ends: list[Any] = [None if end is None else pd.Timestamp(end, tz="UTC") for end in (self.low, self.high)]
        else:
            column, ends = given.astype("Float64"), [self.low, self.high]
        low, high = ends
        found = column.notna()
        if low is not None:
            found &= column >= low
        if high is not None:
            found &= column < high
        return np.asarray(found.to_numpy(dtype=bool, na_value=False))


@dataclass(frozen=True)
class IsMissing:
    """`column is missing`."""

    column: str
    kind: Literal["missing"] = "missing"

    def __str__(self) -> str:
        return f"{self.column} is missing"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows without a value; shape (n_rows,)."""
        return _column(frame, self.column).isna().to_numpy(dtype=bool)


@dataclass(frozen=True)
class InCluster:
    """`column in cluster 3 of 12`: vectors that lie nearest to one of some centres.

    Parameters
    ----------
    column : str, a column of vectors
    clusters : tuple of int, positions of centres
    n : int, centres
    centres : str, all centres as `packed_centres` writes them
    """

    column: str
    clusters: tuple[int, ...]
    n: int
    centres: str
    kind: Literal["in cluster"] = "in cluster"

    def __str__(self) -> str:
        named = ", ".join(str(each + 1) for each in self.clusters)
        return f"{self.column} in cluster{'s' if len(self.clusters) > 1 else ''} {named} of {self.n}"

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows whose vector lies nearest to one of the centres; shape (n_rows,)."""
        found = vectors(_column(frame, self.column))
        size = _unpacked(self.centres).shape[1]
        if found is None or found.shape[1] != size:
            raise ValuesRefused("slice", self.column, f"holds no vectors of {size} numbers", "Give it the embedding.")
        return np.isin(nearest(found, self.centres), self.clusters)


def packed_centres(centres: NDArray[Any]) -> str:
    """Centres of shape (n, n_dimensions) as text: half-precision numbers in base 64."""
    return f"{len(centres)}:{b64encode(centres.astype('<f2').tobytes()).decode()}"


def _unpacked(centres: str) -> NDArray[np.float64]:
    n, _, text = centres.partition(":")
    return np.frombuffer(b64decode(text), dtype="<f2").astype(np.float64).reshape(int(n), -1)


def nearest(given: NDArray[np.float32], centres: str) -> NDArray[np.intp]:
    """The nearest centre of every vector, the first of equals; -1 where a vector is missing; shape (n_rows,).

    Parameters
    ----------
    given : float array of shape (n_rows, n_dimensions), NaN where missing
    centres : str, as `packed_centres` writes them
    """
    known = _unpacked(centres)
    found = np.empty(len(given), dtype=np.intp)
    for at in range(0, len(given), ROWS_AT_ONCE):
        some = given[at : at + ROWS_AT_ONCE].astype(np.float64)
        distance = (known**2).sum(axis=1) - 2 * some @ known.T
        found[at : at + ROWS_AT_ONCE] = np.where(np.isnan(distance).any(axis=1), -1, distance.argmin(axis=1))
    return found


Predicate = Equals | IsIn | NotIn | Within | IsMissing | InCluster


def all_hold(predicates: Iterable[Predicate], frame: object) -> NDArray[np.bool_]:
    """Rows for which every predicate holds; shape (n_rows,).

    Parameters
    ----------
    predicates : of Predicate
    frame : pandas, polars or Spark DataFrame, or pyarrow Table, with their columns

    Raises
    ------
    ColumnMissing, FrameTypeUnknown
    """
    rows = frame if isinstance(frame, pd.DataFrame) else as_frame(frame, "the frame")
    found = np.ones(len(rows), dtype=bool)
    for predicate in predicates:
        found &= predicate.mask(rows)
    return found


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_END = rf"{_NUMBER}|\d{{4}}-\d\d-\d\d(?:T[\d:.]+)?"
_FORMS = {
    "missing": re.compile(r"(?P<column>.+) is missing"),
    "within": re.compile(rf"(?P<low>{_END}) <= (?P<column>.+) < (?P<high>{_END})"),
    "from": re.compile(rf"(?P<column>.+?) >= (?P<low>{_END})"),
    "to": re.compile(rf"(?P<column>.+?) < (?P<high>{_END})"),
    "not in": re.compile(r"(?P<column>.+?) not in (?P<value>\{.*\})"),
    "in": re.compile(r"(?P<column>.+?) in (?P<value>\{.*\})"),
    "equals": re.compile(r"(?P<column>.+?) == (?P<value>.+)"),
}


def parse(expression: str) -> tuple[Predicate, ...]:
    """Predicates from text as they print themselves, joined by "and"; nothing is evaluated.

    Parameters
    ----------
    expression : str
        `carrier == 'EV'`, `carrier in {'EV', 'FL'}`, `carrier not in {'EV'}`, `hour >= 19`, `hour < 7`,
        `7 <= hour < 19`, `at >= 2024-09-15`, `hour(at) >= 19`, `arr_delay is missing`; several joined by ` and `,
        which no column's name may hold.

    Returns
    -------
    tuple of Predicate

    Raises
    ------
    ExpressionUnreadable
        For the first part that is none of these.
    """
    parts = _parts(expression)
    return tuple(_parsed(part, expression) for part in parts)


def _parts(expression: str) -> list[str]:
    """What stands between " and ", outside quotes."""
    pieces = re.split(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", expression)
    joined = "".join(piece if at % 2 else piece.replace(" and ", "\0") for at, piece in enumerate(pieces))
    return [part.strip() for part in joined.split("\0")]


def _parsed(part: str, expression: str) -> Predicate:
    for form, pattern in _FORMS.items():
        found = pattern.fullmatch(part)
        if found is None:
            continue
        told = found.groupdict()
        column = told["column"].strip()
        if form == "missing":
            return IsMissing(column)
        if form in {"within", "from", "to"}:
            return Within(column, _end(told.get("low")), _end(told.get("high")))
        values = _literals(told["value"])
        if form == "equals" and values is not None and len(values) == 1:
            return Equals(column, values[0])
        if form != "equals" and values:
            return IsIn(column, values) if form == "in" else NotIn(column, values)
        break
    raise ExpressionUnreadable(part, expression)


def _literals(text: str) -> tuple[Scalar, ...] | None:
    """Text, numbers and booleans as they are written in Python, one or a set of them; None for anything else."""
    try:
        body = ast.parse(text, mode="eval").body
        found = [ast.literal_eval(each) for each in (body.elts if isinstance(body, ast.Set) else [body])]
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(found) if all(isinstance(each, Scalar) for each in found) else None


def _end(text: str | None) -> int | float | str | None:
    if text is None or re.fullmatch(_NUMBER, text) is None:
        return text
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    for present in frame.columns:
        if str(present) == name:
            return frame[present]
    part, _, inner = name.removesuffix(")").partition("(")
    if part in PARTS and name.endswith(")"):
        derived: pd.Series[Any] = PARTS[part](pd.to_datetime(_column(frame, inner)))
        return derived
    raise ColumnMissing("slice column", name, [str(present) for present in frame.columns])


def _text_or_value(column: pd.Series[Any], value: Scalar) -> NDArray[np.bool_]:
    """Rows that hold the value, or its text where only one of the two is text."""
    if isinstance(value, str) == pd.api.types.is_string_dtype(column):
        found = column == value
    else:
        found = (column.astype(str) == str(value)) & column.notna()
    return found.to_numpy(dtype=bool, na_value=False)
