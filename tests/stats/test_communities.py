"""Communities: against the likelihood, brute force and simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize

from mlflow_errata.stats.communities import (
    communities,
    distance_apart,
    expected_confusions,
    within_groups,
)


def drawn(n, k, groups, share, seed):
    """Confusions: with a chance of `share` a wrong row stays within its group."""
    draw = np.random.default_rng(seed)
    found = np.zeros((k, k))
    y, said = draw.choice(k, n, p=draw.dirichlet(np.full(k, 2.0))), draw.dirichlet(np.full(k, 2.0))
    for i in y:
        inside = (groups == groups[i]) & (np.arange(k) != i)
        p = said * (np.arange(k) != i) * (inside if draw.random() < share and inside.any() else 1)
        found[i, draw.choice(k, p=p / p.sum())] += 1
    return found


def test_expected_confusions_maximise_the_likelihood_of_popularity():
    """Poisson likelihood of a_i b_j off the diagonal, maximised by scipy."""
    counts = drawn(300, 4, np.zeros(4), 0, seed=1)
    off = ~np.eye(4, dtype=bool)

    def loss(x):
        log = x[:4, None] + x[None, 4:]
        return float((np.exp(log) - counts * log)[off].sum())

    best = minimize(loss, np.ones(8), method="BFGS", options={"gtol": 1e-8}).x
    fitted = expected_confusions(counts)
    assert fitted[off] == pytest.approx(np.exp(best[:4, None] + best[None, 4:])[off], rel=1e-3)
    assert np.diag(fitted) == pytest.approx(np.zeros(4))
    assert fitted.sum(axis=1) == pytest.approx(counts.sum(axis=1))


def test_the_diagonal_and_classes_without_rows_change_nothing():
    counts = drawn(200, 5, np.zeros(5), 0, seed=2)
    counts[3] = 0
    right = counts + np.diag([100, 0, 50, 0, 7])
    assert expected_confusions(right) == pytest.approx(expected_confusions(counts))
    assert expected_confusions(counts)[3] == pytest.approx(np.zeros(5))
    assert expected_confusions(np.zeros((3, 3))).sum() == 0


def test_the_partition_against_all_partitions_of_six_classes():
    for seed in range(12):
        counts = drawn(150, 6, np.array([0, 0, 1, 1, 2, 2]), 0.6, seed)
        beyond = counts - expected_confusions(counts)

        def modularity(groups, beyond=beyond):
            groups = np.asarray(groups)
            return float((beyond * (groups[:, None] == groups))[~np.eye(6, dtype=bool)].sum())

        best = max(modularity(groups) for groups in product(range(4), repeat=6))
        assert modularity(communities(counts)) >= 0.97 * best


def test_planted_groups_are_found_again():
    groups = np.repeat(np.arange(4), 5)
    assert (communities(drawn(1500, 20, groups, 0.6, seed=1)) == groups).all()


def test_within_groups_by_hand():
    """Two groups of two; of 8 wrong rows 6 stay within. Each class is said as often as any other."""
    counts = np.array([[9, 3, 1, 0], [3, 9, 0, 1], [1, 0, 9, 0], [0, 1, 0, 9.0]])
    within, expected, spread = within_groups(counts, np.array([0, 0, 1, 1]))
    assert within == 6
    fitted = expected_confusions(counts)
    assert expected == pytest.approx(fitted[0, 1] + fitted[1, 0] + fitted[2, 3] + fitted[3, 2])
    assert spread > 0


def test_chance_stays_within_its_own_deviation():
    """Groups that do not come from the rows: the standardised excess has mean 0 and deviation 1."""
    groups = np.repeat(np.arange(3), 4)
    told = [within_groups(drawn(400, 12, groups, 0, seed), groups) for seed in range(150)]
    z = np.array([(found - expected) / spread for found, expected, spread in told])
    assert abs(z.mean()) < 0.25
    assert 0.75 < z.std() < 1.2


def test_the_distance_of_chance():
    places = np.zeros(7)
    told = [distance_apart(drawn(400, 7, places, 0, seed)) for seed in range(150)]
    z = np.array([(found - expected) / spread for found, expected, spread in told])
    assert abs(z.mean()) < 0.25
    assert 0.7 < z.std() < 1.2
    near = np.zeros((7, 7))
    near[np.arange(6), np.arange(1, 7)] = 20
    found, expected, _ = distance_apart(near + near.T)
    assert found == 1 < expected
