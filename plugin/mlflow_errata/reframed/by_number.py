"""By number: predict the number behind the classes, then say how likely each of its ranges is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from mlflow_errata import fitting
from mlflow_errata.reframed._shape import Reframed
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDS = 3
"""Parts of the rows, each predicted by a model of the others, that tell how sure a predicted number is."""


class ByNumber(Reframed):
    """A regression of the number, and the chance that it lies above each cut given the predicted one.

    P(number > cut) = expit(a + b * predicted), with a and b of each cut fitted to predictions of rows that the
    regression did not see; P(class k) is the difference of two such chances.

    Parameters
    ----------
    estimator : regressor, unfitted; fitted on the number
    cuts : list of float, ascending
    classes : list of labels, one more than cuts, from the smallest numbers to the largest
    """

    def __init__(self, estimator: Any, cuts: Sequence[float] = (), classes: Sequence[Any] = ()) -> None:
        self.estimator = estimator
        self.cuts = cuts
        self.classes = classes

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> ByNumber:  # noqa: N803
        """Fit the regression on y, the number; and the chances on what it says of rows that it did not see."""
        number = pd.Series(np.asarray(y, dtype=np.float64), index=X.index)
        seen = self.prepared(X, number)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        unseen = np.empty(len(number))
        fold = np.random.default_rng(0).permutation(len(number)) % FOLDS
        for at in range(FOLDS):
            model = self._regression(seen, number, weight, np.flatnonzero(fold != at))
            unseen[fold == at] = model.predict(seen.iloc[np.flatnonzero(fold == at)])
        self.regression_ = self._regression(seen, number, weight, np.arange(len(number)))
        self.lines_ = [_line(unseen, number.to_numpy() > cut, weight) for cut in self.cuts]
        self.classes_ = np.unique(np.asarray(list(self.classes)))
        return self

    def _regression(self, X: pd.DataFrame, y: pd.Series[Any], weight: NDArray[Any] | None, rows: NDArray[Any]) -> Any:  # noqa: N803
        return fitting.fit(clone(self.last_), TrainingSet(X, y, weight).take(rows))

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of the classes; shape (n, n_classes)."""
        said = np.asarray(self.regression_.predict(self.seen(X)), dtype=np.float64)
        ends = np.ones(len(said)), np.zeros(len(said))
        above = np.column_stack([ends[0], *(expit(a + b * said) for a, b in self.lines_), ends[1]])
        found = np.empty((len(said), len(self.classes_)))
        where = np.searchsorted(self.classes_, np.asarray(list(self.classes)))
        found[:, where] = -np.diff(np.minimum.accumulate(above, axis=1), axis=1)
        return found


def _line(said: NDArray[np.float64], above: NDArray[np.bool_], weight: NDArray[Any] | None) -> tuple[float, float]:
    """Intercept and slope of the chance to lie above a cut; certainty where all rows do, or none."""
    if above.all() or not above.any():
        return (50.0 if above.all() else -50.0), 0.0
    centre, scale = float(said.mean()), float(said.std()) or 1.0
    fitted = LogisticRegression(C=1e6).fit(((said - centre) / scale)[:, None], above, sample_weight=weight)
    slope = float(fitted.coef_[0, 0]) / scale
    return float(fitted.intercept_[0]) - slope * centre, slope
