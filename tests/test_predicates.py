"""Predicates on frames of every dtype."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata.errors import ColumnMissing
from mlflow_errata.predicates import Equals, IsIn, IsMissing, Within

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


def test_booleans_and_mixed_objects():
    assert list(Equals("x", True).mask(pd.DataFrame({"x": [True, False]}))) == [True, False]
    assert list(Equals("x", True).mask(pd.DataFrame({"x": pd.array([True, None], "boolean")}))) == [True, False]
    assert list(Equals("x", "1").mask(pd.DataFrame({"x": [1, "a", None]}, dtype=object))) == [True, False, False]


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
