"""Data faults: each planted alone and named alone, and quiet data."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import data_faults
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(rows, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", "time": "at", **roles})
    return data_faults.diagnose(table, Options(default_metric(table.outcomes)))


def rows(seed=0, n=2000):
    """A classifier that is right in 90 %, on columns of every kind that say nothing."""
    draw = np.random.default_rng(seed)
    y = (draw.random(n) < 0.3).astype(int)
    frame = pd.DataFrame({f"x{i}": draw.normal(size=n) for i in range(4)})
    return frame.assign(
        word=draw.choice(list("abcdefgh"), n),
        count=draw.poisson(3, n),
        gappy=pd.Series(draw.normal(size=n)).where(draw.random(n) > 0.1),
        flag=draw.random(n) < 0.02,
        at=pd.date_range("2024-01-01", periods=n, freq="h"),
        y=y,
        p=np.where(draw.random(n) < 0.9, y, 1 - y),
    )


def named(result):
    return [(fault.code, fault.column) for fault in result.faults if fault.alarm]


def test_quiet_data_have_no_fault():
    """At most 2 % of draws, with training rows and times."""
    assert sum(bool(diagnose(rows(seed), train=rows(seed + 500)).faults) for seed in range(50)) <= 1


def test_every_kind_has_one_stable_code():
    assert list(data_faults.CODES.values()) == [f"ERR10{at}" for at in range(1, 10)]


# -- leaks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leak", ["copy", "noisy number", "far tail", "levels"])
def test_a_leak_that_the_model_leans_on(leak):
    draw = np.random.default_rng(1)
    frame = rows().assign(p=lambda d: d["y"])
    y = frame["y"].to_numpy()
    frame["leak"] = {
        "copy": y,
        "noisy number": 3 * y + draw.random(2000),
        "far tail": np.where(y == 1, 9 + draw.random(2000), 9 - draw.exponential(size=2000)),
        "levels": np.where(y == 1, draw.choice(["q", "r"], 2000), draw.choice(["s", "t"], 2000)),
    }[leak]
    result = diagnose(frame)
    assert named(result) == [("ERR101", "leak")]
    assert result.headline.value > 0.98


def test_a_leak_that_the_model_does_not_lean_on_is_listed_and_not_alarmed():
    result = diagnose(rows().assign(leak=lambda d: d["y"] * 2.5))
    assert [(fault.code, fault.alarm) for fault in result.faults] == [("ERR101", False)]
    assert not result.found


def test_a_strong_feature_is_no_leak():
    frame = rows()
    draw = np.random.default_rng(2)
    strong = np.where(draw.random(2000) < 0.95, frame["y"], 1 - frame["y"])
    assert not diagnose(frame.assign(strong=strong, p=strong)).faults


def test_numbers_leak_by_rank():
    draw = np.random.default_rng(0)
    frame = rows().assign(y=draw.gamma(2, size=2000), p=lambda d: d["y"])
    assert named(diagnose(frame.assign(leak=lambda d: np.log(d["y"])))) == [("ERR101", "leak")]
    assert not diagnose(frame.assign(strong=lambda d: d["y"] + 0.2 * draw.normal(size=2000))).faults


def test_a_missing_value_that_gives_the_label_away():
    frame = rows()
    gone = (frame["y"] == 1) & (np.arange(2000) % 4 == 0)
    frame["tail"] = frame["word"].where(~gone)
    result = diagnose(frame.assign(p=lambda d: d["p"].where(~gone, 1)))
    assert named(result) == [("ERR102", "tail")]
    fault = result.faults[0]
    assert (fault.label, fault.rows, fault.measure.value) == (1, int(gone.sum()), 1.0)
    assert not diagnose(frame).found  # the model is wrong on a tenth of these rows: it does not know


# -- columns that do not move or go missing ---------------------------------------------------------------------------


def test_ids_where_the_features_are_told():
    frame = rows()
    frame["number"], frame["name"] = np.arange(2000)[::-1] + 7, [f"u{at * 7919}" for at in range(2000)]
    frame["language"] = [f"the row at {at} said no" for at in range(2000)]
    seen = ["x0", "number", "name", "language"]
    assert named(diagnose(frame, features=seen)) == [("ERR105", "name"), ("ERR105", "number")]
    assert not diagnose(frame).found


def test_a_column_that_is_constant_and_was_not():
    frame = rows().assign(stuck=1.5, always=0)
    assert not diagnose(frame).found
    train = rows(1).assign(stuck=lambda d: d["x0"], always=0)
    assert named(diagnose(frame, train=train)) == [("ERR106", "stuck")]


def test_a_standstill_is_dated():
    frame = rows()
    frame["stuck"] = frame["x0"].where(np.arange(2000) < 1200, 0.25)
    fault = diagnose(frame).faults[0]
    assert (fault.code, fault.column, fault.rows, fault.start) == ("ERR106", "stuck", 800, frame["at"][1200])


@pytest.mark.parametrize("seed", range(10))
def test_an_outage_is_dated(seed):
    frame = rows(seed)
    frame.loc[700:759, "gappy"] = np.nan
    (fault,) = diagnose(frame).faults
    assert (fault.code, fault.column) == ("ERR108", "gappy")
    assert abs((fault.start - datetime(2024, 1, 30, 4)).total_seconds()) <= 10 * 3600
    assert abs((fault.end - datetime(2024, 2, 1, 15)).total_seconds()) <= 10 * 3600
    assert fault.measure.value > 0.9


@pytest.mark.parametrize("seed", range(10))
def test_sudden_missingness_is_no_outage(seed):
    frame = rows(seed)
    draw = np.random.default_rng(seed)
    frame["x0"] = frame["x0"].where((np.arange(2000) < 1500) | (draw.random(2000) < 0.1))
    (fault,) = diagnose(frame).faults
    assert (fault.code, fault.column) == ("ERR107", "x0")
    assert abs((fault.start - datetime(2024, 3, 3, 12)).total_seconds()) <= 10 * 3600


def test_values_that_go_missing_in_bursts_all_the_time_are_no_outage():
    frame = rows()
    burst = np.repeat(np.random.default_rng(0).random(200) < 0.15, 10)
    assert not diagnose(frame.assign(x0=frame["x0"].where(~burst))).faults


def test_missing_more_often_than_in_training_needs_no_times():
    frame = rows()
    later = frame.assign(x0=frame["x0"].where(np.arange(2000) % 3 > 0))
    (fault,) = diagnose(later, time=None, train=rows(1)).faults
    assert (fault.code, fault.column, fault.start) == ("ERR107", "x0", None)
    assert fault.measure.value == pytest.approx(667 / 2000)


# -- rows -------------------------------------------------------------------------------------------------------------


def test_rows_of_the_training_data():
    frame = rows()
    seen = pd.concat([rows(1), frame.head(100)], ignore_index=True)
    (fault,) = diagnose(frame, train=seen).faults
    assert (fault.code, fault.rows, fault.alarm) == ("ERR103", 100, True)
    assert not diagnose(frame, train=pd.concat([rows(1), frame.head(5)])).found


def test_rows_alike_with_other_labels():
    frame = rows()
    twins = frame.head(60).assign(y=lambda d: 1 - d["y"], at=frame["at"].tail(60).to_numpy())
    (fault,) = diagnose(pd.concat([frame, twins], ignore_index=True)).faults
    assert (fault.code, fault.rows) == ("ERR104", 120)


def test_coarse_columns_are_alike_by_coincidence():
    draw = np.random.default_rng(0)
    frame, seen = rows()[["at", "y", "p"]], rows(1)[["at", "y", "p"]]
    coarse = [part.assign(**{name: draw.choice(list("abc"), 2000) for name in "uvw"}) for part in (frame, seen)]
    assert not diagnose(coarse[0], train=coarse[1]).faults


def test_not_applicable():
    with pytest.raises(NotApplicable, match="there are 40"):
        diagnose(rows(n=40))
    with pytest.raises(NotApplicable, match="beside the roles"):
        diagnose(rows()[["y", "p", "at"]])


def test_lists_and_dates_are_looked_at_for_gaps_alone():
    frame = rows().assign(day=lambda d: d["at"].where(d["x0"] > -1), bag=[[at] for at in range(2000)])
    assert not diagnose(frame).faults
