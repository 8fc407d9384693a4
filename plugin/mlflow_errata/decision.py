"""Decisions from probabilities: a shift of the log-odds and a threshold, and an estimator that decides by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

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
class ClassRule:
    """How a classifier of several classes decides.

    Parameters
    ----------
    classes : tuple of labels
    shares : tuple of float, probabilities are multiplied by these and add up to 1 again: restores the shares of the
        classes after they were weighted in training; empty leaves probabilities as they are
    worth : tuple of tuples of float, worth[k][d] of deciding for class d where k is true; empty takes the likeliest
    """

    classes: tuple[Any, ...]
    shares: tuple[float, ...] = ()
    worth: tuple[tuple[float, ...], ...] = ()

    def shifted(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities after the shares were restored; shape (n, n_classes)."""
        if not self.shares:
            return scores
        found = scores * np.asarray(self.shares)
        return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), SMALLEST))

    def decided(self, scores: NDArray[np.float64]) -> NDArray[np.intp]:
        """Positions of the classes whose decision is worth most in expectation; shape (n,)."""
        found = self.shifted(scores)
        return np.asarray((found @ np.asarray(self.worth) if self.worth else found).argmax(axis=1))


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


class _Around(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that stands around another one, its `estimator`."""

    estimator: Any

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit a clone of the estimator."""
        return self.around(clone(self.estimator).fit(X, y, **fit_params))

    def around(self, fitted: Any) -> Self:
        """Take over an estimator that is fitted already."""
        self.estimator_ = fitted
        self.classes_ = fitted.classes_
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        return self


class Decided(_Around):
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

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the two classes after the offset; shape (n, 2)."""
        positive = DecisionRule(self.offset).shifted(np.asarray(self.estimator_.predict_proba(X))[:, 1])
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Labels by the threshold; shape (n,)."""
        said = self.predict_proba(X)[:, 1] >= self.threshold
        return np.asarray(self.classes_)[said.astype(np.intp)]


class DecidedClasses(_Around):
    """A classifier of several classes that decides by what a decision is worth; `predict_proba` restores the shares.

    Parameters
    ----------
    estimator : classifier with predict_proba
    classes : list of labels that shares and worth speak of; a class that they leave out is decided for never
    shares : list of float, as in ClassRule
    worth : list of lists of float, as in ClassRule
    """

    def __init__(self, estimator: Any, classes: Any, shares: Any = (), worth: Any = ()) -> None:
        self.estimator = estimator
        self.classes = classes
        self.shares = shares
        self.worth = worth

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the classes with their shares restored; shape (n, n_classes)."""
        said = self._said(X)
        found = np.zeros((len(said), len(self.classes_)))
        for at, label in enumerate(self.classes):
            found[:, np.asarray(self.classes_) == label] = self._rule.shifted(said)[:, [at]]
        return found

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Labels by what a decision is worth; shape (n,)."""
        return np.asarray(list(self.classes))[self._rule.decided(self._said(X))]

    @property
    def _rule(self) -> ClassRule:
        return ClassRule(tuple(self.classes), tuple(self.shares), tuple(tuple(row) for row in self.worth))

    def _said(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities in the order of `classes`; 0 for those that the estimator does not know."""
        said, known = np.asarray(self.estimator_.predict_proba(X)), np.asarray(self.classes_).tolist()
        columns = [said[:, known.index(label)] if label in known else np.zeros(len(said)) for label in self.classes]
        return np.column_stack(columns)
