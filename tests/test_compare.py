"""Two models on the same rows: planted changes, null pairs, and tables that a reader can count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.errors import FrameEmpty


def rows(seed=0, n=8000, worse=0.0, better=0.0):
    """Two models, each wrong in a tenth of the rows; the new one is worse in region b, better from hour 20."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"region": draw.choice(list("abcd"), n), "hour": draw.integers(0, 24, n), "x": draw.random(n)})
    y = draw.integers(0, 2, n)
    hard = 0.1 + better * (frame["hour"] >= 20)
    now = 0.1 + worse * (frame["region"] == "b")
    wrong = {"p": draw.random(n) < hard, "q": draw.random(n) < now}
    return frame.assign(y=y, **{name: np.where(where, 1 - y, y) for name, where in wrong.items()})


def test_slices_that_got_worse_and_better():
    frame = rows(worse=0.15, better=0.2)
    found = errata.compare(frame, label="y", old="p", new="q")
    assert [item.conditions for item in found.worse] == [("region == 'b'",)]
    assert [item.conditions for item in found.better] == [("hour >= 20",)]
    (worse,) = found.worse
    inside = frame["region"] == "b"
    np.testing.assert_array_equal(worse.mask(frame), inside)
    assert worse.old.value == pytest.approx((frame["p"] != frame["y"])[inside].mean())
    assert worse.new.value == pytest.approx((frame["q"] != frame["y"])[inside].mean())
    assert worse.change.low <= 0.15 - 0.2 * 4 / 24 <= worse.change.high
    assert found.better[0].change.high < 0
    assert found.change.value == pytest.approx(found.new.value - found.old.value)


def test_the_other_way_round_is_the_mirror_image():
    frame = rows(worse=0.15, better=0.2)
    one = errata.compare(frame, label="y", old="p", new="q")
    two = errata.compare(frame, label="y", old="q", new="p")
    assert [item.conditions for item in one.worse] == [item.conditions for item in two.better]
    assert two.better[0].change.value == pytest.approx(-one.worse[0].change.value)


def test_models_are_asked():
    frame = rows()
    frame["q"] = frame["x"].gt(0.5).astype(int)
    stored = errata.compare(frame, label="y", old="p", new="q")
    asked = errata.compare(
        frame.drop(columns="q"), label="y", old="p", new=lambda seen: seen["x"].gt(0.5).astype(int), features=["x"]
    )
    assert asked == stored


def test_rows_are_paired_whatever_their_order():
    frame = rows(worse=0.15)
    twice = pd.concat([frame, frame])  # an index that is not unique, and rows that are alike
    shuffled = twice.sample(frac=1, random_state=0)
    one, two = (errata.compare(given, label="y", old="p", new="q") for given in (twice, shuffled))
    assert one.worse == two.worse
    assert one.change.value == pytest.approx((frame["q"] != frame["y"]).mean() - (frame["p"] != frame["y"]).mean())


def test_null_pairs_seldom_alarm():
    found = [errata.compare(rows(seed, n=2000), label="y", old="p", new="q") for seed in range(40)]
    assert sum(bool(item.worse or item.better) for item in found) <= 5


def test_in_words():
    frame = rows(worse=0.15)
    said = str(errata.compare(frame, label="y", old="p", new="q"))
    assert said.startswith("Error rate 10.")
    assert "\n\nWorse by more than other rows:\n- region == 'b': " in said
    same = str(errata.compare(frame, label="y", old="p", new="p"))
    assert "a change of +0.0 points (+0.0 to +0.0) on 8,000 rows" in same
    assert same.endswith("No slice changed more than the others beyond chance.")


def test_too_few_rows():
    with pytest.raises(FrameEmpty, match="has 59 labelled rows; 60 are needed"):
        errata.compare(rows(n=59), label="y", old="p", new="q")
