"""Imbalance inside slices: planted, null and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses._rare_inside import rare_inside


def table_of(seed, *, rarer=1.0, recalled=0.8, n=4000, weighted=False):
    """Class 1 in 30 % of the rows and recalled in 80 % of them; rarer, and recalled otherwise, where g is c."""
    draw = np.random.default_rng(seed)
    g = draw.choice(list("abcd"), n)
    inside = g == "c"
    y = (draw.random(n) < np.where(inside, 0.3 * rarer, 0.3)).astype(int)
    hit = draw.random(n) < np.where(inside & (y == 1), recalled, 0.8)
    frame = pd.DataFrame({"g": g, "x": draw.normal(size=n), "y": y, "p": np.where(hit, y, 1 - y)})
    frame["w"] = draw.integers(1, 4, n)
    features = ["g", "x"]
    weight = "w" if weighted else None
    return frame, EvaluationTable.build(frame, label="y", prediction="p", features=features, weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_class_that_is_rare_in_a_slice_and_recalled_worse_there_is_named(weighted):
    frame, table = table_of(0, rarer=0.3, recalled=0.3, weighted=weighted)
    (found,) = rare_inside(table)
    assert (found.condition, found.label) == ("g == 'c'", 1)
    for inside, recall, share in (
        (frame["g"] == "c", found.recall, found.share),
        (frame["g"] != "c", found.recall_elsewhere, found.share_elsewhere),
    ):
        part = frame[inside]
        weight = part["w"] if weighted else None
        assert recall.value == pytest.approx(recall_score(part["y"], part["p"], sample_weight=weight), abs=1e-12)
        assert share.value == pytest.approx(np.average(part["y"], weights=weight), abs=1e-12)
    assert found.support == ((frame["g"] == "c") & (frame["y"] == 1)).sum()


def test_it_is_found_again_and_again():
    assert sum(bool(rare_inside(table_of(seed, rarer=0.3, recalled=0.3)[1])) for seed in range(20)) >= 19


def test_nothing_is_named_where_a_class_is_as_rare_as_elsewhere_or_recalled_as_well():
    draws = [*((1.0, 0.8), (1.0, 0.3), (0.3, 0.8))] * 20
    named = sum(bool(rare_inside(table_of(at, rarer=a, recalled=b)[1])) for at, (a, b) in enumerate(draws))
    assert named <= 3


def test_columns_that_the_model_does_not_see_are_left_out():
    frame, _ = table_of(0, rarer=0.3, recalled=0.3)
    assert rare_inside(EvaluationTable.build(frame, label="y", prediction="p", features=["x"])) == ()
