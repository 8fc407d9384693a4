"""Ordinal: one question a place in the order of the classes, whether the row lies above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.errors import ClassHasNoPlace
from mlflow_errata.reframed._shape import Reframed, chances_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Ordinal(Reframed):
    """One clone a place but the last: is the class above it? P(class k) = P(above k-1) - P(above k).

    Where the answers contradict each other (above 2, but not above 1) the lower bar holds.

    Parameters
    ----------
    estimator : binary classifier, unfitted
    order : list of labels, from first to last

    References
    ----------
    Frank & Hall 2001, doi:10.1007/3-540-44795-4_13
    """

    def __init__(self, estimator: Any, order: Sequence[Any] = ()) -> None:
        self.estimator = estimator
        self.order = order

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Ordinal:  # noqa: N803
        """Fit a clone for every place but the last.

        Raises
        ------
        ClassHasNoPlace
            For a class that the order does not hold.
        """
        labels = pd.Series(np.asarray(y), index=X.index)
        self.classes_ = np.unique(labels.to_numpy())
        strangers = [label for label in self.classes_.tolist() if label not in self.order]
        if strangers:
            raise ClassHasNoPlace(strangers[0], self.order)
        self.places_ = np.argsort([list(self.order).index(label) for label in self.classes_.tolist()])
        place = labels.map({label: at for at, label in enumerate(self.classes_[self.places_].tolist())})
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        seen = self.prepared(X, labels)
        self.above_ = [self.fitted(seen, (place > at).astype(int), weight) for at in range(len(self.classes_) - 1)]
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the classes; shape (n, n_classes)."""
        seen = self.seen(X)
        bars = [chances_of(node, seen)[:, 1] for node in self.above_]
        above = np.column_stack([np.ones(len(X)), *bars, np.zeros(len(X))])
        found = np.empty((len(X), len(self.classes_)))
        found[:, self.places_] = -np.diff(np.minimum.accumulate(above, axis=1), axis=1)
        return found
