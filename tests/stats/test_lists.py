"""Lists of which the first few are taken, against sorting by hand and against scikit-learn."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from mlflow_errata.stats.lists import Lists


def test_by_hand():
    lists = Lists.made(np.array([0, 0, 0, 1, 1]), 2)
    assert lists.taken(np.array([3.0, 1.0, 2.0, 0.0, 5.0])).tolist() == [1, 0, 1, 1, 1]
    assert Lists.made(np.array([0, 0, 0, 1, 1]), 0.5).take.tolist() == [2, 1]
    assert Lists.made(np.zeros(5, dtype=int), 0.01).take.tolist() == [1]


def test_rows_of_one_score_share_the_last_places():
    lists = Lists.made(np.zeros(4, dtype=int), 2)
    assert lists.taken(np.array([1.0, 1.0, 1.0, 2.0])) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


@pytest.mark.parametrize("top", [1, 3, 0.2])
@pytest.mark.parametrize("n_lists", [1, 7, 60])
def test_the_first_of_every_list(n_lists, top):
    draw = np.random.default_rng(0)
    of = np.sort(draw.integers(0, n_lists, 500))
    of = np.unique(of, return_inverse=True)[1]
    shuffled = draw.permutation(len(of))
    of, scores = of[shuffled], draw.normal(size=len(of))
    lists = Lists.made(of, top)
    found = lists.taken(scores)
    for each in range(lists.n_lists):
        inside = np.flatnonzero(of == each)
        k = min(top, len(inside)) if top >= 1 else max(1, round(top * len(inside)))
        assert set(inside[found[inside] == 1]) == set(inside[np.argsort(-scores[inside])[:k]])
    assert found.sum() == lists.take.sum()


def test_discounts_with_ties_are_the_mean_over_all_orders():
    scores = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    places = 1 / np.log2(np.arange(5) + 2) * (np.arange(5) < 3)
    orders = [(0, *middle, 4) for middle in permutations((1, 2, 3))]
    expected = np.mean([[places[order.index(row)] for row in range(5)] for order in orders], axis=0)
    assert Lists.made(np.zeros(5, dtype=int), 3).discounts(scores) == pytest.approx(expected)


def test_discounted_gains_against_scikit_learn():
    draw = np.random.default_rng(1)
    of = np.repeat(np.arange(30), 8)
    scores, gain = np.round(draw.random(240), 1), draw.random(240) * (draw.random(240) < 0.5)
    lists = Lists.made(of, 5)
    brought = np.bincount(of, lists.discounts(scores) * gain)
    best = np.bincount(of, lists.discounts(gain) * gain)
    expected = [ndcg_score([gain[of == each]], [scores[of == each]], k=5) for each in range(30)]
    assert np.divide(brought, best, out=np.zeros(30), where=best > 0) == pytest.approx(expected)


def test_rows_near_the_last_place():
    lists = Lists.made(np.zeros(200, dtype=int), 100)
    near = lists.taken_and_near(np.arange(200.0))[1]
    assert np.flatnonzero(near).tolist() == list(range(80, 121))
