"""Decision rules: shifts of the log-odds are exact, thresholds decide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from mlflow_errata.decision import Decided, DecisionRule, prior_offset


def test_the_offset_is_bayes_rule():
    """Two normal classes: probabilities under a new share of positives, by hand."""
    x = np.linspace(-3, 3, 50)
    up, down = norm.pdf(x, 1), norm.pdf(x, -1)

    def probability(share):
        return share * up / (share * up + (1 - share) * down)

    shifted = DecisionRule(prior_offset(0.5, 0.1)).shifted(probability(0.5))
    np.testing.assert_allclose(shifted, probability(0.1))


def test_certain_scores_stay_probabilities():
    shifted = DecisionRule(offset=2.0).shifted(np.array([0.0, 1.0]))
    assert shifted[0] < 1e-6 < 1 - 1e-6 < shifted[1] <= 1


@pytest.fixture
def rows():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(300, 2)), columns=["a", "b"])
    return frame, np.where(frame["a"] + draw.normal(size=300) > 1, "yes", "no")


def test_a_decided_model_moves_decisions_and_keeps_probabilities(rows):
    frame, y = rows
    fitted = LogisticRegression().fit(frame, y)
    model = Decided(fitted, threshold=0.2).around(fitted)
    np.testing.assert_allclose(model.predict_proba(frame), fitted.predict_proba(frame))
    assert (model.predict(frame) == "yes").sum() == (fitted.predict_proba(frame)[:, 1] >= 0.2).sum()
    assert list(model.classes_) == ["no", "yes"]


def test_it_is_an_estimator(rows):
    frame, y = rows
    model = clone(Decided(LogisticRegression(), offset=1.0, threshold=0.4)).fit(frame, y)
    assert (model.offset, model.threshold) == (1.0, 0.4)
    assert set(model.predict(frame)) == {"no", "yes"}
    assert list(model.feature_names_in_) == ["a", "b"]
