"""Slices re-ranked by weights, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata._slice_order import ASPECTS, DEFAULT, ranked
from mlflow_errata.diagnoses.slice_errors import Slice
from mlflow_errata.estimate import Estimate
from mlflow_errata.predicates import Equals


def a_slice(name, support, excess, low, lost=None):
    unit = Estimate(excess, low, 2 * excess, n=support, unit="errors")
    error = Estimate(0.5, 0.4, 0.6, n=support, unit="error rate")
    value = None if lost is None else Estimate(lost, lost, lost, n=support, unit="value")
    return Slice((Equals("x", name),), support, error, unit, 1.0, 1.0, 0.1, 0.01, value_lost=value)


MANY = replace(a_slice("many", 1000, 100, 50, lost=10), unexplained=1.5)
SHARP = replace(a_slice("sharp", 50, 40, 30, lost=20), unexplained=2.0)
UNSURE = a_slice("unsure", 500, 120, -5, lost=5)
ALL = (UNSURE, SHARP, MANY)


def names(weights):
    return [item.predicates[0].value for item, _ in ranked(ALL, weights)]


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        (DEFAULT, ["sharp", "many", "unsure"]),
        ({"excess": 1.0}, ["many", "sharp", "unsure"]),
        ({"effect": 1.0}, ["sharp", "unsure", "many"]),
        ({"support": 1.0}, ["many", "unsure", "sharp"]),
        ({"value": 1.0}, ["sharp", "many", "unsure"]),
    ],
)
def test_each_aspect_by_itself(weights, order):
    assert names(weights) == order


def test_scores_are_weighted_means_of_shares_of_the_largest():
    scores = {item.predicates[0].value: score for item, score in ranked(ALL, {"excess": 3.0, "support": 1.0})}
    assert scores == pytest.approx(
        {"many": (3 * 1 + 1) / 4, "sharp": (3 * 0.6 + 0.05) / 4, "unsure": (3 * 0.0 + 0.5) / 4}
    )


def test_the_order_of_the_input_changes_nothing():
    assert ranked(ALL, {}) == ranked(ALL[::-1], {})
    tied = [replace(MANY, predicates=(Equals("x", name),)) for name in "abc"]
    assert ranked(tied, DEFAULT) == ranked(tied[::-1], DEFAULT)
    assert [score for _, score in ranked(ALL, {})] == [0.0, 0.0, 0.0]


def test_slices_without_value_lose_none():
    assert ranked([a_slice("x", 10, 5, 1)], dict.fromkeys(ASPECTS, 1.0))[0][1] == pytest.approx(0.8)
    assert ranked([], DEFAULT) == ()
