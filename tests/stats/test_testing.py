from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control

from mlflow_errata.stats.testing import at_least, benjamini_hochberg


@pytest.mark.parametrize("seed", range(10))
def test_against_scipy(seed):
    p_values = np.random.default_rng(seed).random(30) ** 3
    np.testing.assert_array_equal(benjamini_hochberg(p_values, rate=0.1), false_discovery_control(p_values) <= 0.1)


def test_none_and_nothing():
    assert not benjamini_hochberg(np.array([0.9, 0.2])).any()
    assert len(benjamini_hochberg(np.empty(0))) == 0


@pytest.mark.parametrize(("successes", "n", "share"), [(0, 5, 0.2), (3, 5, 0.2), (5, 5, 0.2), (40, 1000, 0.01)])
def test_a_binomial_tail_against_scipy(successes, n, share):
    assert at_least(successes, n, share) == pytest.approx(binom.sf(successes - 1, n, share), abs=1e-9)
