"""scikit-learn's scorers as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import LabelsUnknown
from mlflow_errata.metric._forms import scores_of
from mlflow_errata.metric._labels import LABEL_CATALOGUE
from mlflow_errata.metric._outcomes import UNKNOWN, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlflow_errata.metric._outcomes import Outcomes


def from_scorer(name: str, scorer: Callable[..., float]) -> Metric:
    """A metric that applies a scorer to stored output."""

    def compute(outcomes: Outcomes) -> float:
        several = outcomes.task == "multilabel"
        if several:
            refuse_unknown(outcomes)
        labels = outcomes.y if several else outcomes.named(outcomes.y)
        weight = {} if outcomes.weight is None else {"sample_weight": outcomes.weight}
        return float(scorer(_replay(outcomes), np.arange(len(outcomes)), labels, **weight))

    return Metric(name, True, compute)


def refuse_unknown(outcomes: Outcomes) -> None:
    """Refuse labels that are not known, for a metric that cannot leave them out.

    Raises
    ------
    LabelsUnknown
    """
    if (outcomes.y == UNKNOWN).any():
        raise LabelsUnknown(tuple(LABEL_CATALOGUE))


def _replay(outcomes: Outcomes) -> object:
    """An estimator that hands back stored output for row positions, so that any scorer can be applied to it."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: PLC0415

    several = outcomes.task == "multilabel"

    class Replay(BaseEstimator):  # type: ignore[misc]
        classes_ = [np.arange(2) for _ in outcomes.classes] if several else np.array(outcomes.classes)

        def fit(self, X: object, y: object) -> Replay:  # noqa: ARG002, N803
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:  # noqa: N803
            return outcomes.prediction[X] if several else outcomes.named(outcomes.prediction[X])

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
