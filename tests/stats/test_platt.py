"""Platt's curve against scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlflow_errata.stats.platt import calibrated, chances, log_odds, platt


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (-2.0, 0.5), (1.0, 2.5)])
def test_the_curve_is_that_of_maximum_likelihood(a, b):
    draw = np.random.default_rng(4)
    odds = draw.normal(size=3000)
    y = (draw.random(3000) < chances(odds, (a, b))).astype(np.intp)
    oracle = LogisticRegression(C=1e8, tol=1e-10).fit(odds[:, None], y)
    assert platt(odds, y) == pytest.approx((oracle.intercept_[0], oracle.coef_[0, 0]), abs=1e-4)
    assert platt(odds, y) == pytest.approx((a, b), abs=0.25)


def test_scores_that_part_the_classes_or_hit_the_ends_stay_finite():
    y = np.repeat([0, 1], 50)
    assert np.isfinite(calibrated(y.astype(float), y)).all()
    assert np.isfinite(calibrated(np.full(100, 0.3), y)).all()
    assert log_odds(np.array([0.0, 1.0])) == pytest.approx([-27.6, 27.6], abs=0.1)


def test_calibrated_scores_keep_their_order_and_the_share_of_positives():
    draw = np.random.default_rng(5)
    scores = draw.beta(2, 3, 5000)
    y = (draw.random(5000) < scores**2).astype(np.intp)
    found = calibrated(scores, y)
    assert found.mean() == pytest.approx(y.mean(), abs=1e-4)
    assert (np.diff(found[np.argsort(scores)]) >= 0).all()
