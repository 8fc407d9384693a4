"""The area under the ROC curve against scikit-learn, brute force and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlflow_errata.stats.roc import area_under_roc, roc_interval


def rows(seed, n=400, digits=2):
    draw = np.random.default_rng(seed)
    positive = draw.random(n) < 0.3
    return np.round(draw.normal(size=n) + positive, digits), positive, draw.random(n)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_area_is_scikit_learns(seed, weighted):
    scores, positive, weight = rows(seed, digits=seed % 3)
    given = weight if weighted else None
    area, influence = area_under_roc(scores, positive, given)
    assert area == pytest.approx(roc_auc_score(positive, scores, sample_weight=given), abs=1e-12)
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_influence_is_the_derivative_by_a_rows_weight():
    scores, positive, weight = rows(0, n=40)
    _, influence = area_under_roc(scores, positive, weight)
    for at in range(40):
        more = weight.copy()
        more[at] *= 1 + 1e-6
        moved = area_under_roc(scores, positive, more)[0] - area_under_roc(scores, positive, weight)[0]
        assert moved / 1e-6 == pytest.approx(influence[at], abs=1e-6)


def test_the_interval_holds_the_truth():
    """Normal scores one standard deviation apart: the area is Phi(1 / sqrt(2)) = .76025."""
    held = [low <= 0.76025 <= high for _, low, high in (roc_interval(*rows(seed, digits=9)[:2]) for seed in range(400))]
    assert 0.93 <= np.mean(held) <= 0.97


def test_classes_parted_without_a_fault():
    value, low, high = roc_interval(np.arange(40.0), np.arange(40) >= 30)
    assert (value, high) == (1.0, 1.0)
    assert 0.6 < low < 0.8
    assert roc_interval(-np.arange(40.0), np.arange(40) >= 30)[1] == 0.0


def test_one_class_has_no_area():
    assert roc_interval(np.arange(9.0), np.arange(9) > 7) is None
    assert np.isnan(area_under_roc(np.arange(9.0), np.zeros(9, dtype=bool))[0])
