"""Hierarchical: which group of classes, then which class within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.reframed._shape import Reframed, chances_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Hierarchical(Reframed):
    """One clone tells the group, and one a group tells the class within it.

    P(class) = P(group) * P(class | group). A class of no group is a group by itself.

    Parameters
    ----------
    estimator : classifier, unfitted
    groups : list of lists of labels

    References
    ----------
    Silla & Freitas 2011, doi:10.1007/s10618-010-0175-9 (a local classifier per parent node)
    """

    def __init__(self, estimator: Any, groups: Sequence[Sequence[Any]] = ()) -> None:
        self.estimator = estimator
        self.groups = groups

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Hierarchical:  # noqa: N803
        """Fit a clone for the groups, and one for every group of several classes."""
        labels = pd.Series(np.asarray(y), index=X.index)
        seen = self.prepared(X, labels)
        self.classes_ = np.unique(labels.to_numpy())
        of_class = self._groups_of(self.classes_.tolist())
        group = labels.map(dict(zip(self.classes_.tolist(), of_class.tolist(), strict=True)))
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.top_ = self.fitted(seen, group, weight)
        self.within_ = {}
        for at in np.unique(of_class).tolist():
            rows = np.flatnonzero(group == at)
            part = None if weight is None else weight[rows]
            self.within_[at] = self.fitted(seen.iloc[rows], labels.iloc[rows], part)
        return self

    def _groups_of(self, classes: list[Any]) -> NDArray[np.intp]:
        """The group of every class by number."""
        told = {label: at for at, group in enumerate(self.groups) for label in group}
        return np.array([told.get(label, len(self.groups) + at) for at, label in enumerate(classes)], dtype=np.intp)

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the classes; shape (n, n_classes)."""
        found = np.zeros((len(X), len(self.classes_)))
        seen = self.seen(X)
        top = chances_of(self.top_, seen)
        for column, group in enumerate(np.asarray(self.top_.classes_).tolist()):
            node = self.within_[group]
            where = np.searchsorted(self.classes_, np.asarray(node.classes_))
            found[:, where] = top[:, [column]] * chances_of(node, seen)
        return found
