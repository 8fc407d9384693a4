"""Average precision against scikit-learn, its influence against deletion, its interval against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mlflow_errata.stats.precision import average_precision, average_precision_interval


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [5, 10_000])
def test_against_scikit_learn(weighted, ties):
    draw = np.random.default_rng(0)
    scores, positive = draw.integers(0, ties, 300) / ties, draw.random(300) < 0.2
    weight = draw.random(300) if weighted else None
    value, influence = average_precision(scores, positive, weight)
    assert value == pytest.approx(average_precision_score(positive, scores, sample_weight=weight), abs=1e-9)
    assert influence.sum() == pytest.approx(0, abs=1e-9)


def test_influence_is_what_a_row_moves_it_by():
    draw = np.random.default_rng(0)
    scores, positive = draw.integers(0, 40, 2000) / 40, draw.random(2000) < 0.3
    value, influence = average_precision(scores, positive)
    for row in range(0, 2000, 100):
        more = np.ones(2000)
        more[row] += 1e-6
        assert (average_precision(scores, positive, more)[0] - value) / 1e-6 == pytest.approx(influence[row], abs=1e-6)


def test_the_interval_covers():
    """A score that is normal, one standard deviation higher for the 10 % of positive rows: 95 % within 3 points."""

    def drawn(seed, n):
        draw = np.random.default_rng(seed)
        positive = draw.random(n) < 0.1
        return draw.normal(size=n) + positive, positive

    truth = average_precision(*drawn(0, 2_000_000))[0]
    found = [average_precision_interval(*drawn(seed, 2000)) for seed in range(1, 401)]
    assert np.mean([low <= truth <= high for _, low, high in found]) == pytest.approx(0.95, abs=0.03)


def test_at_the_ends():
    n, positive = 20, np.arange(20) < 5
    assert average_precision_interval(-np.arange(n), positive)[0] == 1
    assert 0 < average_precision_interval(-np.arange(n), positive)[1] < 1
    assert average_precision_interval(np.arange(n), np.arange(n) < 1) is None
    assert np.isnan(average_precision(np.arange(n), np.zeros(n, dtype=bool))[0])
