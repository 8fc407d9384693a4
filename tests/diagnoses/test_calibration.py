"""Calibration on tables that a reader can count, and on planted and null data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import calibration
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(rows, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", **roles})
    return calibration.diagnose(table, Options(default_metric(table.outcomes)))


def scored(seed=0, n=5000, *, shift=0.0, slope=1.0, level=0.0, late=0.0):
    """Probabilities from a logistic model; the truth has its logit times `slope` plus `shift`, `late` at the end."""
    draw = np.random.default_rng(seed)
    logit = level + 1.5 * draw.normal(size=n)
    true = slope * logit + shift + late * (np.arange(n) >= 0.75 * n)
    rows = pd.DataFrame(
        {"score": 1 / (1 + np.exp(-logit)), "y": (draw.random(n) < 1 / (1 + np.exp(-true))).astype(int)}
    )
    return rows.assign(at=pd.date_range("2024-01-01", periods=n, freq="h"))


def test_by_hand():
    """Told 20 % (100 rows, 40 came) and 60 % (100 rows, 60 came): off by 20 points on half of the rows."""
    rows = pd.DataFrame({"score": [0.2] * 100 + [0.6] * 100, "y": [1] * 40 + [0] * 60 + [1] * 60 + [0] * 40})
    result = diagnose(rows, scores="score")
    assert [(item.low, item.support, item.said, item.happened.value) for item in result.bins] == [
        (0.2, 100, pytest.approx(0.2), 0.4),
        (0.6, 100, pytest.approx(0.6), 0.6),
    ]
    assert result.plain_error == pytest.approx(0.1)
    assert result.gap.value == pytest.approx(0.1)
    assert result.scale == pytest.approx(0.5)
    assert (result.shape, result.of) == ("too low", 1)
    assert result.brier.score.value == pytest.approx((40 * 0.64 + 60 * 0.04 + 60 * 0.16 + 40 * 0.36) / 200)


def test_the_largest_of_many_probabilities_is_judged_by_how_often_it_is_right():
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"a": 0.7, "b": 0.2, "c": 0.1, "y": draw.choice(list("abc"), 3000, p=[0.5, 0.3, 0.2])})
    result = diagnose(rows, scores=["a", "b", "c"])
    assert result.of is None
    assert result.said == pytest.approx(0.7)
    assert result.shape == "too high"
    honest = rows.assign(y=draw.choice(list("abc"), 3000, p=[0.7, 0.2, 0.1]))
    assert not diagnose(honest, scores=["a", "b", "c"]).found


def test_numbers_are_judged_over_what_was_predicted():
    draw = np.random.default_rng(0)
    said = draw.normal(10, 3, 4000)
    rows = pd.DataFrame({"p": said, "y": 10 + 0.6 * (said - 10) + draw.normal(size=4000)})
    result = diagnose(rows, prediction="p")
    assert result.shape == "too extreme"
    assert result.brier is None
    assert result.scale == pytest.approx(float(np.abs(rows["y"] - rows["p"]).mean()))
    assert not diagnose(rows.assign(y=said + draw.normal(size=4000)), prediction="p").found


@pytest.mark.parametrize(
    ("planted", "shape"),
    [
        ({"shift": -0.5}, "too high"),
        ({"shift": 0.5}, "too low"),
        ({"shift": 0.5, "level": -4.0, "n": 20_000}, "too low"),
        ({"slope": 0.5}, "too extreme"),
        ({"slope": 2.0}, "too timid"),
    ],
)
def test_planted_shapes_are_named(planted, shape):
    found = [diagnose(scored(seed, **planted), scores="score").shape for seed in range(20)]
    assert found.count(shape) >= 19


def test_a_window_that_is_off_is_named():
    hits = 0
    for seed in range(20):
        result = diagnose(scored(seed, late=-0.8), scores="score", time="at")
        hits += result.found and result.windows[-1].off and not result.windows[0].off
    assert hits >= 19


@pytest.mark.parametrize("level", [0.0, -3.0])
def test_false_alarms(level):
    """Labels drawn from the scores: found in at most 5 % of 100 draws, with windows looked at, too."""
    found = sum(diagnose(scored(seed, 1500, level=level), scores="score", time="at").found for seed in range(100))
    assert found <= 5


def test_what_is_beyond_chance_and_small_is_no_alarm():
    result = diagnose(scored(n=200_000, shift=0.05), scores="score")
    assert result.p_value < 1e-6
    assert result.error.low > 0
    assert not result.found


def test_hard_probabilities_that_are_often_wrong_are_found():
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 1000)
    rows = pd.DataFrame({"score": np.where(draw.random(1000) < 0.85, y, 1 - y).astype(float), "y": y})
    assert diagnose(rows, scores="score").shape == "too extreme"


def test_not_applicable():
    rows = scored(n=100)
    with pytest.raises(NotApplicable, match="only predicted labels"):
        diagnose(rows.assign(p=1), prediction="p")
    with pytest.raises(NotApplicable, match=r"lie in \[-1"):
        diagnose(rows.assign(score=-1.0, p=1), scores="score", prediction="p")
    with pytest.raises(NotApplicable, match="there are 40"):
        diagnose(rows.head(40), scores="score")
    with pytest.raises(NotApplicable, match="all have the same"):
        diagnose(rows.assign(y=1), scores="score")


def sliced(seed=0, n=6000, shift=0.0):
    """As `scored`, with a level and a range in which the truth is another; a column that is only known afterwards."""
    draw = np.random.default_rng(seed)
    logit, word, number = 1.5 * draw.normal(size=n), draw.choice(list("abcd"), n), draw.normal(size=n)
    true = logit + shift * (word == "b") - shift * (number > 1)
    y = (draw.random(n) < 1 / (1 + np.exp(-true))).astype(int)
    rows = {"score": 1 / (1 + np.exp(-logit)), "y": y, "word": word, "number": number, "after": y + draw.normal(size=n)}
    return pd.DataFrame(rows)


def test_a_slice_that_is_off_is_found_among_the_columns_that_the_model_sees():
    rows = sliced(shift=1.2)
    result = diagnose(rows, scores="score", features=["word", "number"])
    inside = rows[rows["word"] == "b"]
    first = next(item for item in result.slices if item.condition == "word == 'b'")
    assert first.support == len(inside)
    assert (first.said, first.happened) == pytest.approx((inside["score"].mean(), inside["y"].mean()), abs=1e-9)
    assert first.gap.value == pytest.approx((inside["y"] - inside["score"]).mean(), abs=1e-9)
    assert any(item.condition.startswith("number >=") and item.gap.value < 0 for item in result.slices)
    assert not any("after" in item.condition for item in result.slices)


def test_where_nothing_happens_nothing_is_said_to_happen():
    rows = sliced()
    rows.loc[rows["word"] == "b", "y"] = 0
    found = {item.condition: item for item in diagnose(rows, scores="score", features=["word"]).slices}
    assert found["word == 'b'"].happened == 0


def test_slices_that_are_not_off():
    """Found in at most 5 % of 100 draws; and not where all rows are off alike."""
    found = [diagnose(sliced(seed, 1500), scores="score", features=["word", "number"]) for seed in range(100)]
    assert sum(bool(result.slices) for result in found) <= 5
    rows = scored(shift=0.7).assign(word=np.random.default_rng(0).choice(list("abcd"), 5000))
    result = diagnose(rows, scores="score", features=["word"])
    assert (result.shape, result.slices) == ("too low", ())


def spread(seed, *, grows, n=2000):
    """Predictions that are right on average; the spread of the labels may grow with them."""
    draw = np.random.default_rng(seed)
    p = draw.random(n) * 10
    return pd.DataFrame({"p": p, "y": p + draw.normal(size=n) * (0.2 + p / 5 if grows else 1.0)})


def coverage(frame):
    table = EvaluationTable.build(frame, label="y", prediction="p", task="regression")
    return table, calibration.diagnose(table, Options(default_metric(table.outcomes)))


def test_labels_within_reach_are_those_counted_by_hand():
    table, result = coverage(spread(0, grows=True))
    away = np.abs(table.outcomes.y - table.outcomes.prediction)
    assert result.reach == np.sort(away[::2])[int(np.ceil(0.9 * 1001)) - 1]
    said, held = table.outcomes.prediction[1::2], away[1::2] <= result.reach
    for item in result.bins:
        inside = (said >= item.low) & (said <= item.high)
        assert item.covered.value == held[inside].mean()
        assert item.covered.n == inside.sum()


def test_one_width_that_does_not_serve_all_is_told_apart_from_one_that_does():
    assert all(coverage(spread(seed, grows=True))[1].uneven for seed in range(20))
    assert sum(coverage(spread(seed, grows=False, n=600))[1].uneven for seed in range(60)) <= 7


def test_probabilities_have_no_reach():
    assert diagnose(pd.DataFrame({"y": [0, 1] * 50, "p": [0.2, 0.8] * 50}), scores="p").reach is None
