"""How far the share of positives moved while the model learned, and offsets that follow no season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata.training import TrainingSet
from mlflow_errata.trials.waves import range_of_shares


def training(y, time):
    return TrainingSet(pd.DataFrame({"x": np.arange(len(y))}), pd.Series(y), time=time)


def test_the_range_is_that_of_windows_as_long_as_the_newest_rows():
    y = np.concatenate([np.arange(100) < 100 * part for part in (0.1, 0.4, 0.2, 0.3)]).astype(int)
    found = range_of_shares(training(y, np.arange(400.0)), np.arange(1000.0, 1101.0))
    assert found == pytest.approx((0.1, 0.4), abs=0.02)


@pytest.mark.parametrize(
    ("time", "newest"),
    [
        (None, np.arange(10.0)),
        (np.arange(400.0), np.arange(10.0).astype("datetime64[s]")),
        (np.arange(400.0), np.arange(300.0)),
        (np.arange(400.0), np.zeros(5)),
    ],
)
def test_there_is_none_without_times_of_one_kind_and_three_windows(time, newest):
    assert range_of_shares(training(np.arange(400) % 2, time), newest) is None


def table(season, shift, seed):
    """Two years of training and half a year after them; the share of positives has a season, or is shifted for good."""
    draw = np.random.default_rng(seed)
    day = np.sort(draw.uniform(0, 2.5 * 365, 9000))
    x = draw.normal(size=9000)
    late = np.clip((day - 730) / 60, 0, 1)
    odds = 1.5 * x - 1.2 + season * np.cos(2 * np.pi * day / 365) + shift * late
    rows = pd.DataFrame({"x": x, "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(day, unit="D")})
    rows["y"] = (draw.random(9000) < 1 / (1 + np.exp(-odds))).astype(int)
    return rows[day < 730], rows[day >= 730]


@pytest.mark.parametrize(("season", "shift", "tried"), [(1.5, 0.0, False), (0.0, -2.0, True)])
def test_scores_follow_a_shift_and_no_season(season, shift, tried):
    train, after = table(season, shift, seed=0)
    model = LogisticRegression().fit(train[["x"]], train["y"])
    record = errata.diagnose(after, label="y", model=model, train=train, time="at", metric="f1", budget=30)
    offsets = [step for step in record.trials.tried if step.params.get("offset") is not None]
    assert bool(offsets) == tried
    assert ("retrain_recent: offset" in record.trials.not_tried) != tried


def test_missing_times_do_not_count_and_weights_do():
    y = np.concatenate([np.arange(100) < 100 * part for part in (0.1, 0.4, 0.2, 0.3)]).astype(int)
    days = np.datetime64("2024-01-01") + np.arange(400).astype("timedelta64[D]")
    newest = np.concatenate([days[:101], np.full(5, np.datetime64("NaT"))])
    assert range_of_shares(training(y, days), newest) == pytest.approx((0.1, 0.4), abs=0.02)
    assert range_of_shares(training(y, days), np.full(5, np.datetime64("NaT"))) is None
    weighed = replace(training(y, days), weight=np.where(y == 1, 1.0, 9.0))
    assert range_of_shares(weighed, newest) == pytest.approx((0.1 / 8.2, 0.4 / 5.8), abs=0.01)


def test_times_of_which_some_are_missing_are_tried_by_folds():
    draw = np.random.default_rng(0)
    train, after = table(0.0, -2.0, seed=0)
    after = after.sample(1200, random_state=0).assign(
        at=pd.Timestamp("2024-06-01") + pd.to_timedelta(draw.integers(0, 3, 1200), unit="D")
    )
    after.loc[after.index[::10], "at"] = pd.NaT
    model = LogisticRegression().fit(train[["x"]], train["y"])
    record = errata.diagnose(after, label="y", model=model, train=train, time="at", metric="f1", budget=5)
    assert record.trials.judged == "folds"
    assert "offset" in {name for step in record.trials.tried for name in step.params}


@pytest.mark.parametrize(("undone", "moved"), [(9.0, False), (1.0, True)])
def test_an_offset_follows_the_share_of_weighted_rows(undone, moved):
    """Negatives are sampled one in nine, and weigh nine in training; they do so among the rows diagnosed, or weigh 1."""
    draw, parts = np.random.default_rng(0), []
    for negatives in (9.0, undone):
        x = draw.normal(size=2500)
        y = (draw.random(2500) < 1 / (1 + np.exp(-(1.5 * x - 0.3)))).astype(int)
        parts.append(pd.DataFrame({"x": x, "y": y, "w": np.where(y == 1, 1.0, negatives)}))
    train, after = parts
    model = LogisticRegression().fit(train[["x"]], train["y"], sample_weight=train["w"])
    given = {"label": "y", "model": model, "train": train, "weight": "w", "features": ["x"], "metric": "f1"}
    record = errata.diagnose(after, **given, budget=5)
    assert ("retrain_recent: offset" not in record.trials.not_tried) == moved
