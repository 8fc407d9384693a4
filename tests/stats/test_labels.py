"""Confident learning against its definition, row by row, and intervals of shares against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import beta

from mlflow_errata.stats.intervals import jeffreys
from mlflow_errata.stats.labels import (
    calibrated_joint,
    chances_of_mean,
    confident_class,
    even_rates,
    flip_rates,
    runner_up,
    self_confidence,
    suspicion,
)


@pytest.fixture(params=range(5))
def case(request):
    draw = np.random.default_rng(request.param)
    scores = draw.dirichlet(np.full(4, 0.4), 300)
    y = (scores.cumsum(axis=1) > draw.random(300)[:, None]).argmax(axis=1)
    y[draw.random(300) < 0.2] = 0
    return y, scores


def test_confident_classes_row_by_row(case):
    y, scores = case
    threshold = [scores[y == j, j].mean() if (y == j).any() else np.inf for j in range(4)]
    wanted = []
    for row in scores:
        reached = [j for j in range(4) if row[j] >= threshold[j]]
        wanted.append(max(reached, key=lambda j: row[j]) if reached else -1)
    np.testing.assert_array_equal(confident_class(y, scores), wanted)


def test_the_joint_keeps_the_shares_of_the_given_labels(case):
    y, scores = case
    joint = calibrated_joint(y, confident_class(y, scores), 4)
    assert joint.sum() == pytest.approx(1)
    np.testing.assert_allclose(joint.sum(axis=1), np.bincount(y, minlength=4) / len(y))


def test_suspicion_by_bayes(case):
    y, scores = case
    rates = np.array([[0.9, 0.1, 0, 0], [0, 1, 0, 0], [0.2, 0.2, 0.6, 0], [0, 0, 0.5, 0.5]])
    for at, found in enumerate(suspicion(y, scores, rates)):
        both = [rates[j, y[at]] * scores[at, j] for j in range(4)]
        assert found == pytest.approx(1 - both[y[at]] / sum(both) if sum(both) else 0)


def test_even_rates_rank_by_self_confidence(case):
    y, scores = case
    rates = even_rates(flip_rates(y, scores, sure=0.6)[0])
    order = np.argsort(suspicion(y, scores, rates), kind="stable")
    np.testing.assert_array_equal(order, np.argsort(1 - self_confidence(y, scores), kind="stable"))


def test_the_runner_up_is_never_the_given_label(case):
    y, scores = case
    found = runner_up(y, scores)
    assert (found != y).all()
    others = np.where(np.arange(4) == y[:, None], -1, scores)
    np.testing.assert_array_equal(others[np.arange(len(y)), found], others.max(axis=1))


def test_flips_are_counted_where_the_scores_are_sure():
    scores = np.array([[0.9, 0.1], [0.85, 0.15], [0.6, 0.4], [0.1, 0.9]])
    counts, support = flip_rates(np.array([0, 1, 1, 1]), scores, sure=0.8)
    assert counts.tolist() == [[1, 1], [0, 1]]
    assert support.tolist() == [2, 1]
    counts, _ = flip_rates(np.array([0, 1, 1, 1]), scores, sure=0.8, explained=np.array([False, True, False, False]))
    assert counts.tolist() == [[2, 0], [0, 1]]


@pytest.mark.parametrize(("wrong", "n"), [(0, 40), (12, 40), (40, 40), (0, 0)])
def test_jeffreys_against_scipy(wrong, n):
    posterior = beta(wrong + 0.5, n - wrong + 0.5)
    low, high = posterior.interval(0.95)
    wanted = (posterior.mean(), 0.0 if wrong == 0 else low, 1.0 if wrong == n else high)
    assert jeffreys(wrong, n) == pytest.approx(wanted)


def test_other_scores_are_moved_by_the_same_constant():
    draw = np.random.default_rng(0)
    score, others = draw.random(200), draw.random(50)
    moved = chances_of_mean(score, 0.2)
    assert moved.mean() == pytest.approx(0.2, abs=1e-9)
    by = logit(chances_of_mean(score, 0.2, others)) - logit(others)
    np.testing.assert_allclose(by, logit(moved[0]) - logit(score[0]))
