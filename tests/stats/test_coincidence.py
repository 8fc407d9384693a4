"""Coincidences: against scipy and against draws."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy.stats import hypergeom, norm

from mlflow_errata.stats.coincidence import all_among, log_class_by_class, log_each_on_one_level, tail


def test_all_rows_of_a_class_among_some():
    rows = np.array([0, 1, 3, 30, 31])
    expected = [hypergeom(100, 30, n).pmf(n) for n in rows]
    assert all_among(30, 100, rows) == pytest.approx(expected)


def test_labels_in_order_against_all_permutations():
    labels = [0, 0, 1, 1, 1, 2]
    sorted_runs = [sum(one != other for one, other in pairwise(order)) == 2 for order in permutations(labels)]
    assert np.exp(log_class_by_class(np.array([2, 3, 1]))) == pytest.approx(np.mean(sorted_runs))


def test_every_class_on_one_level_against_draws():
    draw = np.random.default_rng(0)
    share = np.array([0.6, 0.4])
    level = draw.choice(2, (40_000, 5), p=share)
    alone = (np.ptp(level[:, :2], axis=1) == 0) & (np.ptp(level[:, 2:], axis=1) == 0)
    assert np.exp(log_each_on_one_level(np.array([2.0, 3.0]), share)) == pytest.approx(alone.mean(), abs=0.01)


def test_the_tail_of_a_normal_value():
    assert tail(12.0, 10.0, 2.0) == pytest.approx(norm.sf(1.0))
    assert (tail(5.0, 5.0, 0.0), tail(6.0, 5.0, 0.0)) == (1.0, 0.0)
