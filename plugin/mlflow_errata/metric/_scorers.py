"""scikit-learn's scorers as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.metric._forms import scores_of
from mlflow_errata.metric._outcomes import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlflow_errata.metric._outcomes import Outcomes


def from_scorer(name: str, scorer: Callable[..., float]) -> Metric:
    """A metric that applies a scorer to stored output."""

    def compute(outcomes: Outcomes) -> float:
        labels = outcomes.named(outcomes.y)
        weight = {} if outcomes.weight is None else {"sample_weight": outcomes.weight}
        return float(scorer(_replay(outcomes), np.arange(len(outcomes)), labels, **weight))

    return Metric(name, True, compute)


def _replay(outcomes: Outcomes) -> object:
    """An estimator that hands back stored output for row positions, so that any scorer can be applied to it."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: PLC0415

    class Replay(BaseEstimator):  # type: ignore[misc]
        classes_ = np.array(outcomes.classes)

        def fit(self, X: object, y: object) -> Replay:  # noqa: ARG002, N803
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:  # noqa: N803
            return outcomes.named(outcomes.prediction[X])

    class ReplayClassifier(ClassifierMixin, Replay):  # type: ignore[misc]
        pass

    class ReplayScores(ReplayClassifier):
        def predict_proba(self, X: NDArray[np.intp]) -> NDArray[np.float64]:  # noqa: N803
            return scores_of(outcomes)[X]

    class ReplayRegressor(RegressorMixin, Replay):  # type: ignore[misc]
        pass

    if outcomes.task == "regression":
        return ReplayRegressor()
    return ReplayClassifier() if outcomes.scores is None else ReplayScores()
