"""Distances against hand counts, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from mlflow_errata.stats.distances import (
    g_test,
    jensen_shannon,
    largest_gap,
    mean_shift,
    psi,
    psi_floor,
    quantile_edges,
)


def test_psi_by_hand():
    """Shares 1/4, 3/4 against 3/4, 1/4 after half a row in every bin: (1/2) ln 3 + (-1/2) ln (1/3) = ln 3."""
    assert psi([24.5, 74.5], [74.5, 24.5]) == pytest.approx(np.log(3))


def test_psi_of_equal_shares_is_zero_and_empty_bins_cost_a_finite_amount():
    assert psi([10, 20, 30], [10, 20, 30]) == pytest.approx(0)
    assert psi([100, 0], [0, 100]) < 15


@pytest.mark.parametrize("seed", range(3))
def test_distances_against_scipy(seed):
    """PSI is relative entropy both ways; half a row is added to every bin."""
    draw = np.random.default_rng(seed)
    a, b = draw.integers(0, 40, 8), draw.integers(1, 40, 8)
    r, c = (a + 0.5) / (a + 0.5).sum(), (b + 0.5) / (b + 0.5).sum()
    assert psi(a, b) == pytest.approx(stats.entropy(r, c) + stats.entropy(c, r), abs=1e-9)
    assert jensen_shannon(a, b) == pytest.approx(jensenshannon(a, b, base=2), abs=1e-9)
    x, y = draw.normal(size=300).round(1), draw.normal(0.3, 1.2, size=170).round(1)
    assert largest_gap(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-9)
    assert mean_shift(x, y) == pytest.approx(stats.wasserstein_distance(x, y), abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(500, 500), (5000, 1000), (200, 20_000)])
def test_the_floor_is_what_sampling_alone_gives(n, m):
    draw = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    found = np.mean([psi(draw.multinomial(n, shares), draw.multinomial(m, shares)) for _ in range(2000)])
    assert found == pytest.approx(psi_floor(10, n, m), rel=0.08)


@pytest.mark.parametrize("seed", range(5))
def test_g_test_against_scipy(seed):
    draw = np.random.default_rng(seed)
    a, b = draw.integers(0, 40, 8), draw.integers(1, 40, 8)
    wanted = stats.chi2_contingency([a, b], correction=False, lambda_="log-likelihood").pvalue
    assert g_test(a, b) == pytest.approx(wanted, abs=1e-12)


def test_g_test_ignores_bins_without_rows_and_needs_two():
    assert g_test([10, 0, 20], [11, 0, 19]) == pytest.approx(g_test([10, 20], [11, 19]))
    assert g_test([10], [20]) == 1.0
    assert g_test([10, 10], [0, 0]) == 1.0


def test_quantile_edges():
    assert list(quantile_edges(np.arange(100.0), 4)) == [25, 50, 75]
    assert list(quantile_edges(np.array([0.0] * 90 + [1.0] * 10), 4)) == []
    assert list(quantile_edges(np.array([0.0] * 50 + [1.0] * 50), 4)) == [1.0]
    assert len(quantile_edges(np.empty(0), 4)) == 0
