"""Predicates on frames of every dtype."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mlflow_errata.errors import ColumnMissing, FrameTypeUnknown
from mlflow_errata.predicates import Equals, IsIn, IsMissing, Within, all_hold

WORDS = {
    "str": pd.Series(["a", "b", None, "a"], dtype="str"),
    "object": pd.Series(["a", "b", None, "a"], dtype=object),
    "category": pd.Series(["a", "b", None, "a"]).astype("category"),
    "arrow": pd.Series(["a", "b", None, "a"], dtype="string[pyarrow]"),
}
NUMBERS = {
    "float64": pd.Series([1.0, 2.0, np.nan, 3.0]),
    "float32": pd.Series([1.0, 2.0, np.nan, 3.0], dtype="float32"),
    "Int64": pd.Series([1, 2, None, 3], dtype="Int64"),
    "Float64": pd.Series([1, 2, None, 3], dtype="Float64"),
    "arrow": pd.Series([1, 2, None, 3], dtype="int64[pyarrow]"),
    "category": pd.Series(pd.Categorical([1, 2, None, 3])),
    "category of Int64": pd.Series([1, 2, None, 3], dtype="Int64").astype("category"),
    "object": pd.Series([1, 2.0, None, 3], dtype=object),
}


@pytest.mark.parametrize("dtype", WORDS)
def test_words(dtype):
    frame = pd.DataFrame({"x": WORDS[dtype]})
    assert list(Equals("x", "a").mask(frame)) == [True, False, False, True]
    assert list(IsIn("x", ("a", "b")).mask(frame)) == [True, True, False, True]
    assert list(IsMissing("x").mask(frame)) == [False, False, True, False]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_numbers(dtype):
    frame = pd.DataFrame({"x": NUMBERS[dtype]})
    assert list(Within("x", 2, None).mask(frame)) == [False, True, False, True]
    assert list(Within("x", None, 2).mask(frame)) == [True, False, False, False]
    assert list(Within("x", 1.5, 2.5).mask(frame)) == [False, True, False, False]
    assert list(IsMissing("x").mask(frame)) == [False, False, True, False]


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_dates(zone):
    frame = pd.DataFrame({"x": pd.to_datetime(["2024-01-01", "2024-01-03", None]).tz_localize(zone)})
    assert list(Within("x", "2024-01-02T00:00:00", None).mask(frame)) == [False, True, False]


def test_dates_in_a_category():
    dates = pd.Series(pd.Categorical(pd.to_datetime(["2024-01-01", "2024-01-03", None])))
    assert list(Within("x", "2024-01-02T00:00:00", None).mask(dates.to_frame("x"))) == [False, True, False]


def test_part_of_a_second_belongs_to_its_second():
    times = pd.Timestamp("2024-01-01T00:00:01") + pd.to_timedelta([-1, 0, 500_000_000], unit="ns")
    after = Within("x", "2024-01-01T00:00:01", None).mask(pd.DataFrame({"x": times}))
    assert list(after) == [False, True, True]


@pytest.mark.parametrize("dtype", ["category", "boolean", object])
def test_booleans_with_gaps(dtype):
    frame = pd.DataFrame({"x": pd.Series([True, False, None], dtype=object).astype(dtype)})
    assert list(Equals("x", False).mask(frame)) == [False, True, False]
    assert list(IsIn("x", (True, False)).mask(frame)) == [True, True, False]


@pytest.mark.parametrize("dtype", ["category", "str", object])
def test_a_value_that_this_frame_does_not_hold(dtype):
    frame = pd.DataFrame({"x": pd.Series(["a", None]).astype(dtype)})
    assert not Equals("x", "b").mask(frame).any()
    assert not Equals("x", "nan").mask(frame).any()


def test_a_frame_without_rows():
    frame = pd.DataFrame({"x": pd.Series([], dtype="float64")})
    for predicate in (Equals("x", "a"), IsIn("x", ()), Within("x", 1, None), IsMissing("x")):
        assert predicate.mask(frame).shape == (0,)


def test_columns_whose_names_are_numbers():
    assert list(Within("3", 1, None).mask(pd.DataFrame({3: [0, 1]}))) == [False, True]


def test_booleans_and_mixed_objects():
    assert list(Equals("x", True).mask(pd.DataFrame({"x": [True, False]}))) == [True, False]
    assert list(Equals("x", True).mask(pd.DataFrame({"x": pd.array([True, None], "boolean")}))) == [True, False]
    assert list(Equals("x", "1").mask(pd.DataFrame({"x": [1, "a", None]}, dtype=object))) == [True, False, False]


def test_booleans_that_became_text():
    """A record stores booleans with gaps as text."""
    frame = pd.DataFrame({"x": pd.Series(["True", "False", None], dtype="str")})
    assert list(Equals("x", True).mask(frame)) == [True, False, False]


def test_text():
    assert str(Equals("carrier", "EV")) == "carrier == 'EV'"
    assert str(Within("hour", 19, None)) == "hour >= 19"
    assert str(Within("hour", None, 5)) == "hour < 5"
    assert str(Within("temp", 3.5, 7)) == "3.5 <= temp < 7"
    assert str(IsMissing("arr_delay")) == "arr_delay is missing"
    assert str(IsIn("carrier", ("EV", "FL"))) == "carrier in {'EV', 'FL'}"


def test_a_column_that_is_not_there():
    with pytest.raises(ColumnMissing, match="Did you mean 'hour'"):
        Equals("hours", 3).mask(pd.DataFrame({"hour": [3]}))


def test_rows_of_every_container_for_which_all_hold():
    frame = pd.DataFrame({"x": [1.0, 2.0, None, 3.0], "word": ["a", "b", "a", "a"]})
    told = (Within("x", 1, 3), Equals("word", "a"))
    for given in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        assert list(all_hold(told, given)) == [True, False, False, False]
    assert list(all_hold(told, frame[:0])) == []
    with pytest.raises(FrameTypeUnknown, match="not a table"):
        all_hold(told, [1])
