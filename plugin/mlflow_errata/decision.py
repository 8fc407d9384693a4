"""Decisions from probabilities: a shift of the log-odds and a threshold, and an estimator that decides by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = 1e-12
"""Distance from 0 and 1 that probabilities keep before their log-odds are taken, and from 0 that factors keep."""


@dataclass(frozen=True)
class DecisionRule:
    """How a binary classifier decides.

    Parameters
    ----------
    offset : float, added to the log-odds of the positive class; 0 leaves probabilities as they are
    threshold : float or None, positive from this probability on, after the offset; None leaves it to the model
    """

    offset: float = 0.0
    threshold: float | None = None

    def shifted(self, positive: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of the positive class after the offset; shape (n,)."""
        if self.offset == 0:
            return positive
        return np.asarray(expit(logit(np.clip(positive, SMALLEST, 1 - SMALLEST)) + self.offset), dtype=np.float64)


@dataclass(frozen=True)
class Mixture:
    """A ranking score made of several.

    Parameters
    ----------
    weights : mapping column of a score -> its weight in a sum, or its exponent in a product
    combine : "sum" or "product"
    """

    weights: Mapping[str, float]
    combine: str

    def score(self, scores: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Sum of weight * score, or product of score ** weight; the highest ranks first; shape (n,).

        Parameters
        ----------
        scores : mapping column -> float array of shape (n,)
        """
        if self.combine == "sum":
            return np.asarray(sum(weight * scores[name] for name, weight in self.weights.items()), dtype=np.float64)
        logs = (weight * np.log(np.maximum(scores[name], SMALLEST)) for name, weight in self.weights.items())
        return np.asarray(np.exp(sum(logs)), dtype=np.float64)


def prior_offset(before: float, after: float) -> float:
    """Shift of the log-odds when the share of positives goes from `before` to `after`, both inside (0, 1).

    logit(after) - logit(before): exact where the classes keep their distributions and only their shares move.

    References
    ----------
    Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446
    """
    return float(logit(after) - logit(before))


class Decided(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A binary classifier that decides by a rule: `predict` uses the threshold, `predict_proba` the offset alone.

    Parameters
    ----------
    estimator : classifier with predict_proba
    offset : float, added to the log-odds of the positive class (the last of `classes_`)
    threshold : float, positive from this probability on
    """

    def __init__(self, estimator: Any, offset: float = 0.0, threshold: float = 0.5) -> None:
        self.estimator = estimator
        self.offset = offset
        self.threshold = threshold

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Decided:  # noqa: N803 - scikit-learn's name
        """Fit a clone of the estimator."""
        return self.around(clone(self.estimator).fit(X, y, **fit_params))

    def around(self, fitted: Any) -> Decided:
        """Take over an estimator that is fitted already."""
        self.estimator_ = fitted
        self.classes_ = fitted.classes_
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the two classes after the offset; shape (n, 2)."""
        positive = DecisionRule(self.offset).shifted(np.asarray(self.estimator_.predict_proba(X))[:, 1])
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Labels by the threshold; shape (n,)."""
        said = self.predict_proba(X)[:, 1] >= self.threshold
        return np.asarray(self.classes_)[said.astype(np.intp)]
