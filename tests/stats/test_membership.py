"""Membership: against scikit-learn, and on samples whose ratio is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlflow_errata.stats.membership import membership


def test_against_scikit_learn():
    draw = np.random.default_rng(0)
    current = draw.random(1000) < 0.25
    cells = np.column_stack([draw.integers(0, 4, 1000) + current, draw.integers(0, 3, 1000)])
    found = membership(cells, current)
    design = np.column_stack([cells[:, 0, None] == np.arange(5), cells[:, 1, None] == np.arange(3)]).astype(float)
    odd = np.arange(1000) % 2 == 1
    for learned, judged in ((odd, ~odd), (~odd, odd)):
        weight = np.where(current[learned], 0.5 / current[learned].mean(), 0.5 / (~current[learned]).mean())
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(design[learned], current[learned], weight)
        assert found[judged] == pytest.approx(model.predict_proba(design[judged])[:, 1], abs=1e-5)


def test_a_known_ratio():
    """Shares 0.5 and 0.1 in bin 0: the chance there is 0.1 / 0.6."""
    draw = np.random.default_rng(0)
    current = np.arange(20_000) % 5 < 2
    bins = (draw.random(20_000) >= np.where(current, 0.1, 0.5)).astype(int)
    found = membership(bins[:, None], current)
    assert found[bins == 0].mean() == pytest.approx(1 / 6, abs=0.01)
    assert found[bins == 1].mean() == pytest.approx(0.9 / 1.4, abs=0.01)


def test_to_nine_decimals_with_the_same_penalty():
    """A column of thousands instead of an intercept: the ridge on it is that of an intercept with a penalty of 1e-6."""
    draw = np.random.default_rng(1)
    current = draw.random(600) < 0.3
    cells = np.column_stack([draw.integers(0, 4, 600) + current, draw.integers(0, 3, 600)])
    found = membership(cells, current)
    bins = [cells[:, 0, None] == np.arange(5), cells[:, 1, None] == np.arange(3), np.full((600, 1), 1000.0)]
    design, odd = np.column_stack(bins).astype(float), np.arange(600) % 2 == 1
    for learned, judged in ((odd, ~odd), (~odd, odd)):
        weight = np.where(current[learned], 0.5 / current[learned].mean(), 0.5 / (~current[learned]).mean())
        model = LogisticRegression(C=1.0, tol=1e-13, max_iter=1000, fit_intercept=False, solver="newton-cholesky")
        model.fit(design[learned], current[learned], weight)
        np.testing.assert_allclose(found[judged], model.predict_proba(design[judged])[:, 1], atol=1e-9)
