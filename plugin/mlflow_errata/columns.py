"""Columns in their roles: frames, numbers, times and ids, each checked once, with one clear error."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from mlflow_errata.errors import ColumnsDuplicated, FrameEmpty, FrameTooLong, FrameTypeUnknown, ValuesRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 / golden ratio: the multiplier of Fibonacci hashing."""
MOST_SPARK_ROWS = 5_000_000
"""Rows of a Spark DataFrame that are brought into memory: some seconds and a gigabyte or two for each million x 30."""
VECTORS = (list, tuple, np.ndarray)


def as_frame(given: object, what: str) -> pd.DataFrame:
    """A pandas frame with unique str column names that shares no mutable state with the one given.

    A Spark DataFrame (told by its `toPandas`) is brought here whole, if it has at most 5,000,000 rows.

    Raises
    ------
    FrameTypeUnknown, FrameTooLong, ColumnsDuplicated, FrameEmpty
    """
    if isinstance(given, pd.DataFrame):
        frame = given.copy(deep=False)
    elif hasattr(given, "to_pandas") and hasattr(given, "columns"):
        columns = getattr(given, "column_names", None) or list(cast("Any", given).columns)
        _refuse_duplicates(what, [str(name) for name in columns])
        frame = cast("pd.DataFrame", given.to_pandas())
    elif hasattr(given, "toPandas") and hasattr(given, "columns"):
        frame = _from_spark(given, what)
    else:
        raise FrameTypeUnknown(what, given)
    names = [str(name) for name in frame.columns]
    _refuse_duplicates(what, names)
    if len(frame) == 0:
        raise FrameEmpty(what, "has no rows")
    frame.columns = pd.Index(names)
    return frame


def _from_spark(given: Any, what: str) -> pd.DataFrame:
    """All rows of a Spark DataFrame, counted before they are brought."""
    _refuse_duplicates(what, [str(name) for name in given.columns])
    n = int(given.count())
    if n > MOST_SPARK_ROWS:
        raise FrameTooLong(what, n, MOST_SPARK_ROWS)
    return cast("pd.DataFrame", given.toPandas())


def _refuse_duplicates(what: str, names: list[str]) -> None:
    copies = sorted({name for name in names if names.count(name) > 1})
    if copies:
        raise ColumnsDuplicated(what, copies)


def plain_values(column: pd.Series[Any]) -> NDArray[Any]:
    """Booleans, whole numbers and numbers as arrays of their kind (missing numbers as NaN), all else as objects."""
    column = without_categories(column)
    if pd.api.types.is_bool_dtype(column.dtype) and not column.isna().any():
        return column.to_numpy(dtype=bool)
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        return column.to_numpy(dtype=np.int64)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.to_numpy(dtype=object)


def vectors(column: pd.Series[Any]) -> NDArray[np.float32] | None:
    """A column of vectors (lists or arrays of equally many finite numbers) as an array, NaN where missing.

    Returns
    -------
    float array of shape (n_rows, n_dimensions), or None if the column holds anything else
    """
    if column.dtype != object:
        return None
    values = column.to_numpy(dtype=object)
    known = np.array([isinstance(value, VECTORS) for value in values], dtype=bool)
    if not known.any() or not pd.isna(values[~known]).all():
        return None
    shapes = {np.shape(value) for value in values[known]}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or shape[0] < 2:  # noqa: PLR2004 - one number is no vector
        return None
    try:
        found = np.full((len(values), *shape), np.nan, dtype=np.float32)
        found[known] = np.stack([np.asarray(value, dtype=np.float32) for value in values[known]])
    except (TypeError, ValueError):
        return None
    usable = (np.abs(found[known]) < np.finfo(np.float16).max).all()
    return found if usable else None


def without_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    """A categorical column as the values that its categories stand for (whole numbers with gaps as floats)."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    dtype = column.cat.categories.dtype
    gaps = pd.api.types.is_integer_dtype(dtype) and column.hasnans
    return column.astype("float64" if gaps else dtype)


def numbers(frame: pd.DataFrame, role: str, column: str) -> NDArray[np.float64]:
    """A column as floats, NaN where missing.

    Raises
    ------
    ValuesRefused
        If the column is not numeric.
    """
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise ValuesRefused(role, column, f"has dtype {values.dtype}", "Make it numeric.")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def finite(values: NDArray[Any], role: str, column: object) -> NDArray[np.float64]:
    """Values as finite floats.

    Raises
    ------
    ValuesRefused
        If they are no numbers, or some are missing or infinite.
    """
    if values.dtype.kind not in "iufb":
        classes = role in {"label", "prediction"}
        remedy = 'Make it numeric or pass task="multiclass".' if classes else "Make it numeric."
        raise ValuesRefused(role, column, f"holds {values.dtype} values", remedy)
    found = values.astype(np.float64)
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise ValuesRefused(role, column, f"is missing or infinite in {bad} rows", "Drop these rows.")
    return found


def weights(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Row weights: finite, 0 or more, not all 0.

    Raises
    ------
    ValuesRefused
    """
    found = finite(numbers(frame, "weight", column), "weight", column)
    if (found < 0).any():
        raise ValuesRefused("weight", column, f"goes down to {found.min():.4g}", "Weights must be 0 or more.")
    if not found.any():
        raise ValuesRefused("weight", column, "is 0 in every row", "Give at least one row a positive weight.")
    return found


def counted(frame: pd.DataFrame, weight: str) -> pd.DataFrame:
    """The rows without those of weight 0, which count for nothing; all of them where no row has a weight.

    Raises
    ------
    ValuesRefused
    """
    kept = numbers(frame, "weight", weight) != 0
    return frame.loc[kept] if kept.any() and not kept.all() else frame


def times(column: pd.Series[Any], name: str) -> NDArray[Any]:
    """Times as datetime64[us] (UTC where a zone was given) or floats; text is parsed as dates; NaT/NaN where missing.

    Raises
    ------
    ValuesRefused
        If values are no dates, infinite, or all missing.
    """
    column = without_categories(column)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        found: NDArray[Any] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(found).any():
            raise ValuesRefused("time", name, "is infinite in some rows", "Drop these rows.")
    else:
        found = _dates(column, name)
    if pd.isna(found).all():
        raise ValuesRefused("time", name, "is missing in every row", "Leave time= out or fill the column.")
    return found


def _dates(column: pd.Series[Any], name: str) -> NDArray[Any]:
    try:
        text = pd.api.types.is_string_dtype(column.dtype)
        stamps = pd.to_datetime(column, utc=True, format="ISO8601" if text else None)
    except (ValueError, TypeError) as cause:
        example = next((value for value in column if pd.notna(value)), None)
        raise ValuesRefused(
            "time",
            name,
            f"holds values such as {example!r}, which are no ISO dates",
            "Write dates as 2013-01-31 or convert them with pandas.to_datetime.",
        ) from cause
    return stamps.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")


def ids(frame: pd.DataFrame, column: str | None, index: pd.Index[Any]) -> NDArray[Any]:
    """Row ids: the id column, else the frame's own index if it is unique, else row numbers.

    Raises
    ------
    ValuesRefused
        If the id column has missing or repeated values.
    """
    if column is None:
        return np.asarray(index) if index.is_unique and index.nlevels == 1 else np.arange(len(frame))
    given = frame[column]
    if given.isna().any():
        raise ValuesRefused("id", column, f"is missing in {int(given.isna().sum())} rows", "Give every row an id.")
    if given.duplicated().any():
        twice = given[given.duplicated()].iloc[0]
        raise ValuesRefused("id", column, f"is not unique ({twice!r} stands in several rows)", "Name a unique column.")
    return given.to_numpy()


def groups(frame: pd.DataFrame, column: str) -> NDArray[Any]:
    """What each row belongs to, in the values of the column; missing where that is not known.

    Raises
    ------
    ValuesRefused
        If the column is missing in every row, or holds values that cannot be compared (lists, dicts).
    """
    given = plain_values(frame[column])
    if pd.isna(given).all():
        raise ValuesRefused("group", column, "is missing in every row", "Leave group= out or fill the column.")
    try:
        pd.unique(pd.Series(given))
    except TypeError as cause:
        raise ValuesRefused("group", column, "holds lists or dicts", "Name a column of numbers or text.") from cause
    return given


def row_hashes(frame: pd.DataFrame, output: Mapping[str, NDArray[Any]]) -> NDArray[np.uint64]:
    """One 64-bit hash per row over all columns (in any order) and the model's output; shape (n_rows,)."""
    combined = np.zeros(len(frame), dtype=np.uint64)
    named = {f"column {name}": _hashable(column) for name, column in frame.items()}
    named |= {f"output {name}": values for name, values in output.items()}
    for name, values in sorted(named.items()):
        salt = np.uint64(int.from_bytes(sha256(name.encode()).digest()[:8], "little"))
        combined = (combined ^ (value_hashes(values) + salt)) * GOLDEN
        combined ^= combined >> np.uint64(29)
    return combined


def _hashable(column: pd.Series[Any]) -> Any:
    """Values whose hash does not depend on the container: numbers as floats, text as objects."""
    column = without_categories(column)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.array


def value_hashes(values: Any) -> NDArray[np.uint64]:
    """One 64-bit hash for each value; shape (n,)."""
    try:
        return np.asarray(pd.util.hash_array(values, categorize=True), dtype=np.uint64)
    except TypeError:  # values that cannot be hashed (lists, dicts) are hashed as text, vectors by their numbers
        found = vectors(pd.Series(values))
        if found is not None:
            keys = [f"{row.tobytes().hex()}" for row in found]
            return np.asarray(pd.util.hash_array(np.array(keys, dtype=object), categorize=False), dtype=np.uint64)
        return np.asarray(pd.util.hash_array(pd.Series(values).astype(str).to_numpy(dtype=object)), dtype=np.uint64)


def ordered(first: NDArray[Any], second: NDArray[Any] | None = None) -> NDArray[np.intp]:
    """Positions in ascending order of `first`, ties by `second`, then by position: `np.lexsort((second, first))`.

    Several times as fast, as numpy sorts fastest where ties may fall as they like: they are put in order afterwards.

    Parameters
    ----------
    first : array of shape (n,), none missing
    second : array of shape (n,), or None
    """
    order = np.argsort(first)
    put = first[order]
    starts = np.r_[True, put[1:] != put[:-1]]
    tied = ~starts
    tied[:-1] |= ~starts[1:]
    if not tied.any():
        return order
    rank, rows = np.cumsum(starts)[tied], order[tied]
    if second is None:
        n = len(first)
        order[tied] = np.sort(rank * n + rows) - rank * n
    else:
        order[tied] = rows[np.lexsort((rows, second[rows], rank))]
    return order


def digest(hashes: NDArray[np.uint64], names: list[str]) -> str:
    """sha256 over sorted row hashes and column names, in hexadecimal."""
    found = sha256("\0".join(sorted(names)).encode())
    found.update(hashes.tobytes())
    return found.hexdigest()
