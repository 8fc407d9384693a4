"""What reframed estimators share: columns prepared once, clones fitted however they take weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from mlflow_errata import fitting
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CELLS = 50_000_000
"""Cells of a sparse matrix up to which it is made a frame."""


class Reframed(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier made of clones of `estimator`; X is a DataFrame.

    The steps of a pipeline before its last are fitted once, on all rows, so that a clone of the last one meets no
    category that it has not seen. A pipeline that changes rows on its way is cloned as a whole.
    """

    estimator: Any

    def prepared(self, X: pd.DataFrame, y: pd.Series[Any]) -> pd.DataFrame:  # noqa: N803
        """Fit what comes before the last step, and the columns as the last step sees them."""
        self.n_features_in_ = X.shape[1]
        self.feature_names_in_ = np.array(list(X.columns), dtype=object)
        steps: list[Any] = list(getattr(self.estimator, "steps", ()))
        self.before_ = None
        self.last_ = self.estimator
        if len(steps) > 1 and not any(hasattr(step, "fit_resample") for _, step in steps):
            before = clone(self.estimator[:-1]).fit(X, y)
            seen = before.transform(X)
            if not hasattr(seen, "toarray") or np.prod(seen.shape) <= MOST_CELLS:
                self.before_, self.last_ = before, steps[-1][1]
                return _frame(seen, X.index)
        return X

    def seen(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803
        """The columns as the last step sees them."""
        return X if self.before_ is None else _frame(self.before_.transform(X), X.index)

    def fitted(self, X: pd.DataFrame, y: pd.Series[Any], weight: NDArray[Any] | None) -> Any:  # noqa: N803
        """A clone fitted on some rows; one that always says the same where there is nothing to tell apart."""
        if (y == y.iloc[0]).all():
            return Always(y.iloc[0])
        return fitting.fit(clone(self.last_), TrainingSet(X, y, weight))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:  # noqa: N803
        """The likeliest class of every row; shape (n,)."""
        return np.asarray(np.asarray(self.classes_)[self.predict_proba(X).argmax(axis=1)])


class Always:
    """Says one class of every row."""

    def __init__(self, label: Any) -> None:
        self.classes_ = np.array([label])

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Ones; shape (n, 1)."""
        return np.ones((len(X), 1))


def _frame(seen: Any, index: pd.Index[Any]) -> pd.DataFrame:
    """Columns with names, whatever the steps before gave."""
    if isinstance(seen, pd.DataFrame):
        return seen
    cells = seen.toarray() if hasattr(seen, "toarray") else np.asarray(seen)
    return pd.DataFrame(cells, index=index, columns=[str(at) for at in range(cells.shape[1])])


def chances_of(fitted: Any, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
    """Probabilities in the order of `classes_`; 0 and 1 of an estimator that gives decisions only."""
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(X), dtype=np.float64)
    said = np.asarray(fitted.predict(X))
    return np.asarray(said[:, None] == np.asarray(fitted.classes_)[None, :], dtype=np.float64)
