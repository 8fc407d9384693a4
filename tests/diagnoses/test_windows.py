"""Windows that a user asks for, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.diagnoses._windows import cut_of, windows_of
from mlflow_errata.errors import InputError

N = 1200
AT = pd.date_range("2024-01-01", periods=N, freq="h")
FRAME = pd.DataFrame({"x": np.arange(N) % 7, "y": np.arange(N) % 2, "p": 1, "at": AT, "number": np.arange(N) / 10})


def windows(cut, times=AT):
    given = np.asarray(times, dtype="datetime64[us]") if isinstance(times, pd.DatetimeIndex) else times
    return windows_of(given, cut_of(cut, given))


def drift(**given):
    record = errata.diagnose(FRAME, **{"label": "y", "prediction": "p", "time": "at", "budget": 0, **given})
    return record.results["recency_drift"]


def test_units_counts_and_moments():
    assert windows("week").unit == "week"
    assert np.diff(windows("week").bounds).tolist() == [168] * 7 + [24]
    even = windows(4)
    assert (even.unit, np.diff(even.bounds).tolist()) == ("equal count", [300] * 4)
    given = windows(["2024-01-11", "2024-02-01"])
    assert (given.unit, np.diff(given.bounds).tolist()) == ("given", [240, 504, 456])
    assert given.starts == (datetime(2024, 1, 1), datetime(2024, 1, 11), datetime(2024, 2, 1))
    assert given.ends[-1] == datetime(2024, 2, 19, 23)
    assert np.diff(windows([10, 100.0], np.arange(N) / 10).bounds).tolist() == [100, 900, 200]


def test_moments_may_be_dates_of_any_kind_and_stand_in_any_order():
    wanted = windows(["2024-02-01", "2024-01-11"])
    for first in (pd.Timestamp("2024-01-11"), datetime(2024, 1, 11, tzinfo=UTC), np.datetime64("2024-01-11")):
        found = windows([pd.Timestamp("2024-02-01"), first] if not getattr(first, "tzinfo", None) else [first])
        assert found.starts[1] == wanted.starts[1]
    assert windows(pd.to_datetime(["2024-01-11", "2024-02-01"])).starts == wanted.starts


def test_all_that_follows_time_uses_them():
    asked = drift(windows="week")
    assert (asked.unit, len(asked.windows), drift().unit) == ("week", 8, "week")
    assert len(drift(windows=5).windows) == 5
    cut = drift(windows=["2024-02-08"])
    assert [window.support for window in cut.windows] == [912, 288]
    assert cut.cut == datetime(2024, 2, 8)
    draw = np.random.default_rng(0)
    scored = FRAME.assign(score=draw.random(N), y=lambda d: (draw.random(N) < d["score"]).astype(int), p=0)
    scored.loc[scored["x"] == 3, "y"] = 1
    record = errata.diagnose(scored, label="y", scores="score", time="at", windows=3, budget=0)
    assert len(record.results["calibration"].windows) == 3
    assert {len(item.course) for item in record.results["slice_errors"].slices} <= {3}


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("fortnight", "windows='fortnight' is not known. Allowed: 'hour', 'day'"),
        ("months", "Did you mean 'month'?"),
        ("year", "makes fewer than two windows of times from 2024-01-01 00:00:00 to 2024-02-19 23:00:00"),
        ("hour", "makes 1,200 windows. At most 400 are shown"),
        (1, "makes fewer than two windows"),
        (500, "makes 500 windows"),
        (2.5, "is no way to cut time"),
        (True, "is no way to cut time"),
        ([], "is empty"),
        (["2024-01-11", "soon"], "holds values that are no moments. List dates or numbers"),
        ([3, 4], "does not fit the time column. List dates"),
        (["2023-12-31"], "names 2023-12-31 00:00:00, and no window can begin there: times go from 2024-01-01"),
        (["2024-01-01"], "no window can begin there"),
        (["2024-03-01"], "no window can begin there"),
        (["2024-01-11 00:10", "2024-01-11 00:20"], "and no row lies between them. Leave one of them out"),
    ],
)
def test_refused(cut, message):
    with pytest.raises(InputError) as refused:
        drift(windows=cut)
    assert message in str(refused.value)


def test_without_times_or_with_numbers():
    with pytest.raises(InputError, match=r"cuts time, and there is no time column. Name one with time="):
        drift(windows="week", time=None)
    with pytest.raises(InputError, match="is a unit of dates, and the time column holds numbers"):
        drift(windows="week", time="number")
    with pytest.raises(InputError, match="List numbers"):
        drift(windows=["2024-01-11"], time="number")


def test_moments_outside_some_of_the_rows_leave_no_empty_window():
    """Labels of several have rows of their own: a window without one is not there."""
    times = np.arange(50.0)
    assert windows_of(times, (10.0, 60.0)).starts == (0.0, 10.0)
    assert windows_of(times + 20, (10.0, 60.0)).starts == (20.0, 60.0)
    assert windows_of(times + 70, (10.0, 60.0)).starts == (70.0,)
