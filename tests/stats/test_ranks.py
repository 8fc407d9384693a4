"""Ranks against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from mlflow_errata.stats.ranks import rank_correlation, ranks


def test_against_scipy():
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 30, 200).astype(float), draw.normal(size=200)
    assert ranks(x) == pytest.approx(rankdata(x), abs=1e-9)
    value, low, high = rank_correlation(x, x + 9 * y)
    assert value == pytest.approx(spearmanr(x, x + 9 * y).statistic, abs=1e-9)
    assert low < value < high


def test_perfect_and_constant():
    x = np.arange(50.0)
    value, low, high = rank_correlation(x, x**3)
    assert value == pytest.approx(1)
    assert low <= value <= high
    assert rank_correlation(x, np.zeros(50)) is None
