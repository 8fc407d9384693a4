"""Paired comparisons against scikit-learn, closed forms and a bootstrap of rows."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from sklearn import metrics

from mlflow_errata.stats.pairs import FORMS, cell_bootstrap_error, chances_of_best, pooled, weighted

ORACLES = {
    "f1": metrics.f1_score,
    "f1_macro": lambda y, said: metrics.f1_score(y, said, average="macro"),
    "f1_weighted": lambda y, said: metrics.f1_score(y, said, average="weighted"),
    "precision": lambda y, said: metrics.precision_score(y, said, zero_division=0),
    "recall": metrics.recall_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "jaccard": metrics.jaccard_score,
}


@pytest.fixture
def pair():
    draw = np.random.default_rng(0)
    y = (draw.random(800) < 0.2).astype(int)
    first = np.where(draw.random(800) < 0.8, y, 1 - y)
    second = np.where(draw.random(800) < 0.3, np.where(draw.random(800) < 0.9, y, 1 - y), first)
    return y, first, second


def cells(y, said):
    return metrics.confusion_matrix(y, said, labels=[0, 1]).astype(float).ravel()


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_that_of_scikit_learn(name, pair):
    y, first, _ = pair
    for said in (first, np.ones_like(y)):
        assert float(FORMS[name](*map(np.asarray, cells(y, said)))) == pytest.approx(ORACLES[name](y, said), abs=1e-12)


def test_the_error_of_a_share_is_the_closed_form(pair):
    """Recall differs on the positives alone: SE = sqrt(((b + c) - (b - c)^2 / n) / n^2)."""
    y, first, second = pair
    hits = (second == 1).astype(int)[y == 1] - (first == 1).astype(int)[y == 1]
    n, b, c = len(hits), (hits > 0).sum(), (hits < 0).sum()
    expected = sqrt(((b + c) - (b - c) ** 2 / n) / n**2)
    assert cell_bootstrap_error(FORMS["recall"], y, first, second, random_state=0) == pytest.approx(expected, rel=0.1)


def test_the_error_of_f1_is_that_of_a_bootstrap_of_rows(pair):
    y, first, second = pair
    draw = np.random.default_rng(1)
    gains = []
    for _ in range(300):
        rows = draw.integers(0, len(y), len(y))
        gains.append(metrics.f1_score(y[rows], second[rows]) - metrics.f1_score(y[rows], first[rows]))
    found = cell_bootstrap_error(FORMS["f1"], y, first, second, random_state=0)
    assert found == pytest.approx(np.std(gains), rel=0.12)


def test_decisions_that_do_not_differ_here_may_differ_elsewhere(pair):
    """Four cells of half a row each: no more than two rows' worth of recall, and not nothing."""
    y, first, _ = pair
    error = cell_bootstrap_error(FORMS["recall"], y, first, first, random_state=0)
    assert 0 < error < 2 / (y == 1).sum()


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=40)
    parts = (values.sum() - values) / 39
    assert weighted(values.mean(), parts, np.full(40, 1 / 40)) == pytest.approx(
        (values.mean(), values.std(ddof=1) / sqrt(40))
    )


def test_a_weighted_mean_of_groups_is_that_of_their_values_where_the_value_is_a_mean():
    each = np.random.default_rng(4).normal(2.0, 1.0, 12)
    weights = 0.8 ** np.arange(12)[::-1]
    weights /= weights.sum()
    value, parts = each.mean(), (each.sum() - each) / 11
    mean, error = weighted(value, parts, weights)
    assert mean == pytest.approx(np.average(each, weights=weights))
    assert error == pytest.approx(np.sqrt(12 / 11 * (weights**2 * (each - mean) ** 2).sum()))


def test_chances_sum_to_one_and_favour_the_larger_gain():
    draw = np.random.default_rng(0)
    parts = draw.normal(size=(3, 20))
    found = chances_of_best(np.array([0.03, 0.01, -0.05]), parts, np.full(3, 0.01), random_state=0)
    assert found.sum() == pytest.approx(1)
    assert found[0] > 0.7
    assert found[1] > found[2]
    none = chances_of_best(np.array([-0.05]), parts[:1], np.array([0.01]), random_state=0)
    assert none[-1] > 0.99


def test_twins_share_their_chance_of_being_the_best():
    """Two candidates that move together: the better one wins whatever the noise."""
    parts = np.tile(np.random.default_rng(0).normal(size=20), (2, 1))
    found = chances_of_best(np.array([0.011, 0.010]), parts, np.full(2, 0.005), random_state=0)
    assert found[1] == 0


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.5])
def test_two_estimates_are_pooled_as_by_least_squares(correlation):
    a, b = 2.0, 1.5
    covariance = np.array([[a**2, correlation * a * b], [correlation * a * b, b**2]])
    precision = np.linalg.inv(covariance)
    value, error = pooled((1.0, a), (4.0, b), correlation=correlation)
    assert value == pytest.approx(precision.sum(axis=0) @ [1.0, 4.0] / precision.sum())
    assert error == pytest.approx(precision.sum() ** -0.5)


def test_an_estimate_that_is_far_less_sure_adds_nothing():
    assert pooled((1.0, 5.0), (4.0, 1.0), correlation=0.5) == (4.0, 1.0)


def test_a_gain_whose_groups_all_say_the_same_is_as_unsure_as_its_error():
    found = chances_of_best(np.array([1e-6]), np.full((1, 5), 1e-6), np.array([0.1]), random_state=0)
    assert found[-1] == pytest.approx(0.5, abs=0.05)
