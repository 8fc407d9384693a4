"""Change points: against every step tried, and the promised coverage on draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from mlflow_errata.stats.changepoint import rise


def test_the_step_that_fits_best_of_all():
    draw = np.random.default_rng(0)
    values = draw.normal(size=200) + 1.0 * (np.arange(200) >= 120)
    at, low, high = rise(values)
    squares = {t: values[:t].var() * t + values[t:].var() * (200 - t) for t in range(4, 197)}
    assert at == min(squares, key=squares.get)
    assert low <= at <= high


@pytest.mark.parametrize("weighted", [False, True])
def test_the_step_is_scikit_learns_best_split(weighted):
    draw = np.random.default_rng(1)
    values = draw.normal(size=300) + 0.8 * (np.arange(300) >= 190)
    weight = draw.random(300) + 0.5 if weighted else None
    tree = DecisionTreeRegressor(max_depth=1, min_samples_leaf=6).fit(np.arange(300)[:, None], values, weight)
    assert rise(values, weight)[0] == int(np.ceil(tree.tree_.threshold[0]))


def test_the_interval_holds_the_step():
    held = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        step = int(draw.integers(600, 1700))
        found = rise((draw.random(2000) < 0.1 + 0.12 * (np.arange(2000) >= step)).astype(float))
        held += found[1] <= step <= found[2]
    assert held >= 180


def test_neighbours_that_move_together_widen_it():
    draw = np.random.default_rng(0)
    values = draw.normal(size=1000) + 1.0 * (np.arange(1000) >= 700)
    together = values + np.repeat(draw.normal(size=50), 20)
    assert np.ptp(rise(together)[1:]) > np.ptp(rise(values)[1:])


def test_weights_of_two_and_no_step():
    values = np.r_[np.zeros(50), np.ones(50)] + np.random.default_rng(0).normal(size=100) / 9
    assert rise(values, np.full(100, 2.0)) == rise(values)
    assert rise(-np.arange(100.0)) is None
    assert rise(np.array([1.0])) is None
    assert rise(values)[0] == pytest.approx(50, abs=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_is_that_of_every_step_tried(seed):
    """Steps whose likelihood ratio lies within 7.35 of the best; neighbours that do not move together."""
    draw = np.random.default_rng(seed)
    n = 400
    values = draw.normal(size=n) + 0.7 * (np.arange(n) >= 250)
    at, low, high = rise(values)
    residual = values - np.where(np.arange(n) < at, values[:at].mean(), values[at:].mean())
    sums = np.array([part.sum() for part in np.split(residual, np.flatnonzero(np.diff(np.arange(n) * 50 // n)) + 1)])
    spread = (residual**2).mean() * max(1.0, (sums**2).sum() / (residual**2).sum())
    ratio = np.full(n, -np.inf)
    for t in range(8, n - 7):
        if values[t:].mean() > values[:t].mean():
            ratio[t] = (n * values.var() - t * values[:t].var() - (n - t) * values[t:].var()) / spread
    assert at == int(ratio.argmax())
    held = np.flatnonzero(ratio >= ratio.max() + 2 * np.log(1 - np.sqrt(0.95)) + 1e-9)
    assert (low, high) == (held[0], held[-1])
