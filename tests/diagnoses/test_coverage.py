"""Predicted quantiles: counted by hand, true ones, and ones that miss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import d2_pinball_score

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import calibration
from mlflow_errata.diagnoses._codes import codes_of
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import ColumnMissing, ValuesRefused
from mlflow_errata.metric import default_metric

Q = {0.05: "low", 0.95: "high"}


def diagnose(rows, quantiles=None, **roles):
    given = {"label": "y", "prediction": "p", "task": "regression", "quantiles": quantiles or Q, **roles}
    table = EvaluationTable.build(rows, **given)
    return calibration.diagnose(table, Options(default_metric(table.outcomes)))


def rows(seed=0, n=3000, *, factor=1.0, lean=0.0, grows=False, late=1.0, word=1.0):
    """True quantiles of normal labels, made narrower or wider by a factor: by the prediction, at the end, at a level."""
    draw = np.random.default_rng(seed)
    p, level = 10 * draw.random(n), draw.choice(list("abcd"), n)
    spread = 0.5 + p / 5 if grows else np.ones(n)
    spread = spread * np.where(np.arange(n) >= 0.75 * n, late, 1.0) * np.where(level == "b", word, 1.0)
    half = factor * norm.ppf(0.95)
    frame = pd.DataFrame({"p": p, "low": p - half, "high": p + half, "word": level, "z": draw.normal(size=n)})
    frame["at"] = pd.date_range("2024-01-01", periods=n, freq="h")
    return frame.assign(y=p + lean + spread * draw.normal(size=n))


def test_by_hand():
    """200 labels within, 40 below the interval, 10 above; ends are within."""
    y = [5.0] * 100 + [1.0] * 50 + [9.0] * 50 + [0.5] * 40 + [9.5] * 10
    frame = pd.DataFrame({"p": 5.0, "low": 1.0, "high": 9.0, "y": y, "x": range(250)})
    found = diagnose(frame).coverage
    assert found.nominal == pytest.approx(0.9)
    assert (found.covered.value, found.width, found.n_crossed) == (pytest.approx(0.8), 8.0, 0)
    assert [(limit.column, limit.level, limit.below.value) for limit in found.limits] == [
        ("low", 0.05, pytest.approx(90 / 250)),
        ("high", 0.95, pytest.approx(240 / 250)),
    ]
    assert [(item.support, item.covered.value) for item in found.bins] == [(250, 0.8)]
    assert found.shape == "too narrow"


def test_shares_are_those_counted_from_the_rows():
    frame = rows(grows=True)
    found = diagnose(frame, time="at").coverage
    inside = frame["y"].between(frame["low"], frame["high"])
    assert found.covered.value == pytest.approx(inside.mean(), abs=1e-9)
    for item in found.bins:
        part = frame["p"].between(item.low, item.high)
        assert item.support == part.sum()
        assert item.covered.value == pytest.approx(inside[part].mean(), abs=1e-9)
    for window in found.windows:
        part = (frame["at"] >= window.start) & (frame["at"] < window.end + pd.Timedelta(seconds=1))
        assert window.happened == pytest.approx(inside[part].mean(), abs=0.01)
        assert window.said == pytest.approx(0.9, abs=1e-9)


def test_weights_count():
    frame = rows(2).assign(w=lambda d: np.where(d["word"] == "a", 3.0, 1.0))
    found = diagnose(frame, weight="w").coverage
    inside = frame["y"].between(frame["low"], frame["high"])
    assert found.covered.value == pytest.approx(np.average(inside, weights=frame["w"]), abs=1e-9)


@pytest.mark.parametrize(
    ("planted", "shape"),
    [({"factor": 0.7}, "too narrow"), ({"factor": 1.6}, "too wide"), ({"grows": True, "factor": 1.5}, "uneven")],
)
def test_what_is_planted_is_named(planted, shape):
    found = [diagnose(rows(seed, **planted)) for seed in range(20)]
    assert sum(result.coverage.shape == shape for result in found) >= 19
    assert all(result.found for result in found)


def test_true_quantiles_raise_no_alarm():
    """At most 5 % of 100 draws, with windows and slices looked at, too."""
    found = [diagnose(rows(seed, 1500), time="at", features=["word", "z"]) for seed in range(100)]
    assert sum(result.coverage.found for result in found) <= 5
    assert sum(result.found for result in found) <= 6


def test_a_window_and_a_slice_that_miss_are_named():
    late = [diagnose(rows(seed, 6000, late=1.8), time="at").coverage for seed in range(10)]
    assert all(found.windows[-1].off and not found.windows[0].off for found in late)
    word = [diagnose(rows(seed, 6000, word=1.8), features=["word", "z"]).coverage for seed in range(10)]
    assert all("word == 'b'" in [item.condition for item in found.slices] for found in word)


def test_one_quantile_is_one_sided_and_three_are_taken_by_the_outermost():
    frame = rows().assign(middle=lambda d: d["p"])
    one = diagnose(frame, {0.95: "high"}).coverage
    assert (one.nominal, one.width) == (0.95, None)
    assert one.covered.value == pytest.approx((frame["y"] <= frame["high"]).mean(), abs=1e-9)
    three = diagnose(frame, {0.95: "high", 0.5: "middle", 0.05: "low"}).coverage
    assert [limit.level for limit in three.limits] == [0.05, 0.5, 0.95]
    assert three.covered.value == pytest.approx(diagnose(frame).coverage.covered.value)
    crossed = diagnose(
        frame.assign(middle=lambda d: d["high"] + (d["z"] > 1)), {0.05: "low", 0.5: "middle", 0.95: "high"}
    )
    assert crossed.coverage.n_crossed == (frame["z"] > 1).sum()


def test_it_has_a_code_of_its_own():
    assert codes_of("calibration", diagnose(rows(factor=0.7))) == ("ERR502",)
    assert codes_of("calibration", diagnose(rows(factor=1.0, lean=1.0))) == ("ERR501", "ERR502")
    assert codes_of("calibration", diagnose(rows())) == ()


def test_quantiles_are_neither_features_nor_slices_and_survive_the_record(tmp_path):
    record = errata.diagnose(rows(factor=0.7), label="y", prediction="p", quantiles=Q, time="at", budget=0)
    assert record.dataset.features == ("word", "z")
    assert record.dataset.roles["quantiles"] == ["low", "high"]
    assert errata.Record.open(record.save(tmp_path)) == record
    assert "Intervals are too narrow. Intervals from low to high hold 76.0 % (74.4 to 77.6 %)" in str(record)


def test_refused():
    frame = rows()
    for given, message in (
        ({}, "is no mapping of levels to columns"),
        ({0: "low"}, "has the level 0. Levels are shares above 0 and below 1"),
        ({1.0: "low"}, "has the level 1.0"),
        ({True: "low"}, "has the level True"),
        ({"low": 0.05}, "has the level 'low'"),
        ({0.1: "word"}, "has dtype"),
    ):
        with pytest.raises(ValuesRefused, match=message):
            EvaluationTable.build(frame, label="y", prediction="p", task="regression", quantiles=given)
    with pytest.raises(ColumnMissing, match=r"quantiles='hihg' is not a column of the table. Did you mean 'high'"):
        diagnose(frame, {0.95: "hihg"})
    with pytest.raises(ValuesRefused, match="is missing or infinite in 1 row"):
        diagnose(frame.assign(low=lambda d: d["low"].where(d.index > 0)))
    with pytest.raises(ValuesRefused, match=r"are given for a binary task. They are for regression"):
        EvaluationTable.build(frame.assign(y=1, p=1), label="y", prediction="p", quantiles=Q)


def test_the_pinball_loss_agrees_that_true_quantiles_are_better():
    """An oracle from elsewhere: of two intervals, the one that covers as it says has the smaller pinball loss."""
    good, bad = rows(), rows(factor=0.7)
    scores = [d2_pinball_score(frame["y"], frame["high"], alpha=0.95) for frame in (good, bad)]
    assert scores[0] > scores[1]
    assert (diagnose(good).coverage.found, diagnose(bad).coverage.found) == (False, True)
