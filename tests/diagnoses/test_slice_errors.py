"""Slice errors on tables that a reader can count, and on planted and null data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(rows, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", **roles})
    return slice_errors.diagnose(table, Options(default_metric(table.outcomes)))


def rows(n=6000, seed=0, inside=None, rate=0.4, base=0.1):
    """Columns of every kind, and errors that are commoner where `inside` says."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "word": pd.Series(draw.choice(list("abcde"), n)).astype("category"),
            "text": pd.Series(draw.choice(["north", "south"], n), dtype="str"),
            "number": draw.normal(size=n).astype("float32"),
            "whole": pd.Series(draw.integers(0, 24, n)).astype("Int64"),
            "flag": draw.random(n) < 0.2,
            "gap": pd.Series(draw.normal(size=n)).mask(draw.random(n) < 0.08),
            "day": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(draw.integers(0, 300, n), unit="D"),
        }
    )
    where = np.zeros(n, dtype=bool) if inside is None else inside(frame).to_numpy(dtype=bool)
    y = draw.integers(0, 2, n)
    wrong = draw.random(n) < np.where(where, rate, base)
    return frame.assign(y=y, p=np.where(wrong, 1 - y, y))


PLANTED = {
    "level": (lambda f: f["word"] == "c", ("word == 'c'",)),
    "text": (lambda f: (f["text"] == "north") & f["flag"], None),
    "flag": (lambda f: f["flag"], ("flag == True",)),
    "missing": (lambda f: f["gap"].isna(), ("gap is missing",)),
    "whole": (lambda f: f["whole"] >= 21, ("whole >= 21",)),
    "range": (lambda f: f["number"].between(0.2, 0.6), None),
    "date": (lambda f: f["day"] >= pd.Timestamp("2024-09-15", tz="UTC"), None),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_slice_is_the_first_and_only_one(case):
    inside, conditions = PLANTED[case]
    frame = rows(inside=inside)
    result = diagnose(frame)
    assert len(result.slices) == 1
    found, wanted = result.slices[0].mask(frame), inside(frame).to_numpy(dtype=bool)
    assert (found & wanted).sum() / (found | wanted).sum() > 0.8
    assert conditions is None or result.slices[0].conditions == conditions
    assert result.slices[0].excess.low > 0


@pytest.mark.parametrize("case", PLANTED)
def test_mask_holds_exactly_the_rows_that_were_counted(case):
    frame = rows(inside=PLANTED[case][0], rate=0.6)
    for item in diagnose(frame).slices:
        assert item.mask(frame).sum() == item.support


def test_by_hand():
    """200 rows: 50 'bad' with 30 errors, 150 'good' with 15."""
    frame = pd.DataFrame({"kind": ["bad"] * 50 + ["good"] * 150, "y": [1] * 200})
    frame["p"] = [0] * 30 + [1] * 20 + [0] * 15 + [1] * 135
    result = diagnose(frame)
    found = result.slices[0]
    assert found.conditions == ("kind == 'bad'",)
    assert found.support == 50
    assert found.error.value == pytest.approx(0.6, abs=1e-3)
    assert found.excess.value == pytest.approx(50 * (0.6 - 0.1), abs=0.1)
    assert found.unexplained == pytest.approx(30 - 50 * 45 / 200)
    assert found.lift == pytest.approx(0.6 / 0.225)
    assert found.share_of_errors == pytest.approx(30 / 45)
    assert found.only_label == 1
    assert result.n_examined == 2


def test_null_tables_seldom_alarm():
    assert sum(diagnose(rows(n=1500, seed=seed)).found for seed in range(40)) <= 5


def test_a_copy_of_a_column_is_not_a_second_slice():
    frame = rows(inside=PLANTED["level"][0])
    assert len(diagnose(frame.assign(copy=frame["word"], another=frame["word"].astype(str))).slices) == 1


def test_real_errors_and_their_null():
    draw = np.random.default_rng(0)

    def regression(spread):
        frame = rows(seed=int(draw.integers(1000)))
        frame["y"] = draw.normal(size=len(frame))
        scale = np.where(frame["word"] == "c", spread, 1.0)
        return diagnose(frame.assign(p=frame["y"] + scale * draw.standard_t(4, len(frame))))

    found = regression(2.0)
    assert found.slices[0].conditions == ("word == 'c'",)
    assert found.overall.unit == "mean absolute error"
    assert sum(regression(1.0).found for _ in range(20)) <= 3


def test_weights_decide_what_counts():
    frame = rows(inside=PLANTED["level"][0])
    heavy = diagnose(frame.assign(w=1.0), weight="w", slice_by=["word", "text"])
    assert heavy.slices[0].conditions == ("word == 'c'",)
    ignored = frame.assign(w=np.where(frame["word"] == "c", 0.0, 1.0))
    assert not diagnose(ignored, weight="w", slice_by=["word", "text"]).found


def test_value_lost():
    frame = rows(inside=PLANTED["level"][0])
    item = diagnose(frame, value={"tp": 0, "fp": -1, "fn": -20, "tn": 0}).slices[0]
    inside = frame[item.mask(frame)]
    lost = (20 * ((inside["y"] == 1) & (inside["p"] == 0)) + ((inside["y"] == 0) & (inside["p"] == 1))).sum()
    assert item.value_lost.value == pytest.approx(lost)


def test_columns_that_cannot_be_sliced_on_are_named_with_the_reason():
    frame = rows(n=400).assign(same=1, key=[f"k{i}" for i in range(400)], rare=[f"v{i % 150}" for i in range(400)])
    said = dict(diagnose(frame).skipped)
    assert said["same"] == "is constant"
    assert "id-like" in said["key"]
    assert "no level of 30 rows" in said["rare"]


def test_how_far_it_looked_and_what_it_could_have_seen():
    result = diagnose(rows())
    assert not result.found
    assert result.n_examined > 1000
    assert result.headline == result.overall
    assert 0 < result.detectable_excess < 600


def test_not_applicable():
    with pytest.raises(NotApplicable, match="needs 60 rows or more; there are 59"):
        diagnose(rows(n=59))
    with pytest.raises(NotApplicable, match="every column has a role"):
        diagnose(rows()[["y", "p"]])
