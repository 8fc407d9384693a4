"""Block bootstrap: as a t interval where rows are independent, wide enough where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from mlflow_errata.stats.blocks import block_interval, blocks, pseudo_values
from mlflow_errata.stats.deletion import mean_without
from mlflow_errata.stats.intervals import mean_interval


def test_blocks_are_runs_of_neighbours():
    groups = blocks(480)
    assert (np.diff(groups) >= 0).all()
    assert np.bincount(groups).tolist() == [10] * 48
    assert blocks(6).tolist() == [0, 0, 1, 1, 2, 2]


def test_pseudo_values_of_a_mean_are_the_means_of_the_blocks():
    values = np.arange(480.0)
    value, parts = mean_without(values, None, blocks(480))
    np.testing.assert_allclose(pseudo_values(value, parts), values.reshape(48, 10).mean(axis=1))


def test_independent_rows_give_the_t_interval():
    values = np.random.default_rng(0).normal(size=20_000)
    found = block_interval(*mean_without(values, None, blocks(20_000)), in_time_order=False, level=0.9)
    np.testing.assert_allclose(found, mean_interval(values, level=0.9), atol=0.004)


def test_dependent_rows_are_covered():
    """Rows in spells of 50 (autocorrelation .98): 90 % intervals hold 0 in 85 % or more of 200 draws."""
    draw, held, naive = np.random.default_rng(1), 0, 0
    for _ in range(200):
        spells = np.repeat(draw.normal(size=80), 50) + draw.normal(size=4000)
        _, low, high = block_interval(*mean_without(spells, None, blocks(4000)), in_time_order=True, level=0.9)
        held += low <= 0 <= high
        _, low, high = mean_interval(spells, level=0.9)
        naive += low <= 0 <= high
    assert held >= 170
    assert naive < 80


def test_nothing_moves():
    assert block_interval(0.5, np.full(48, 0.5), in_time_order=True, level=0.9) == (0.5, 0.5, 0.5)
    assert block_interval(0.5, np.array([0.5]), in_time_order=False, level=0.9) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_noise_of_other_origin_widens(noise):
    values = np.random.default_rng(0).normal(size=4800)
    _, low, high = block_interval(
        *mean_without(values, None, blocks(4800)), in_time_order=False, level=0.9, noise=noise
    )
    assert (high - low > 0.3) is bool(noise)
