"""How metrics are computed: of the rows, of the confusion matrix, of the ranking; each with its way without a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import MetricNeedsScores
from mlflow_errata.metric._outcomes import Metric, Outcomes
from mlflow_errata.stats.confusion import confusion
from mlflow_errata.stats.deletion import auc_without, mean_without
from mlflow_errata.stats.pairs import FORMS
from mlflow_errata.stats.precision import average_precision
from mlflow_errata.stats.ranking import ranked_without
from mlflow_errata.stats.roc import area_under_roc, roc_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Groups = NDArray[np.intp]

LOG_FLOOR = 1e-15
"""Smallest probability that log-loss takes seriously."""
SMALLEST = float(np.finfo(np.float64).eps)
"""Size below which a label is not divided by, as in scikit-learn."""


def scores_of(outcomes: Outcomes) -> Floats:
    """The scores; raises MetricNeedsScores without any."""
    if outcomes.scores is None:
        raise MetricNeedsScores("log_loss")
    return outcomes.scores


# -- means over rows --------------------------------------------------------------------------------------------------


def mean_metric(name: str, rows: Callable[[Outcomes], Floats], *, greater: bool, scores: bool = False) -> Metric:
    """The (weighted) mean of row contributions; NaN where no row has a weight."""

    def compute(outcomes: Outcomes) -> float:
        return _mean(rows(outcomes), outcomes.weight)

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        return mean_without(rows(outcomes), outcomes.weight, groups)

    return Metric(name, greater, compute, rows, needs_scores=scores, without=without)


def _mean(values: Floats, weight: Floats | None) -> float:
    return float(np.average(values, weights=weight)) if weight is None or weight.any() else float("nan")


def hits(outcomes: Outcomes) -> Floats:
    """1 where the label was predicted, else 0."""
    return np.asarray(1.0 - outcomes.errors, dtype=np.float64)


def log_losses(outcomes: Outcomes) -> Floats:
    """-log of the probability of the label."""
    said = scores_of(outcomes)[np.arange(len(outcomes)), outcomes.y]
    return np.asarray(-np.log(np.clip(said, LOG_FLOOR, 1.0)), dtype=np.float64)


def squared_errors(outcomes: Outcomes) -> Floats:
    """Squares of the errors."""
    return np.asarray(outcomes.errors**2, dtype=np.float64)


def relative_errors(outcomes: Outcomes) -> Floats:
    """Absolute error over the size of the label."""
    return np.asarray(outcomes.errors / np.maximum(np.abs(outcomes.y), SMALLEST), dtype=np.float64)


def brier_losses(outcomes: Outcomes) -> Floats:
    """(probability of the positive class - [label is positive])^2."""
    return np.asarray((scores_of(outcomes)[:, -1] - (outcomes.y == 1)) ** 2, dtype=np.float64)


def net_benefit(name: str, threshold: float) -> Metric:
    """TP/n - FP/n x t/(1 - t) for acting on rows whose score is at least t (Vickers and Elkin 2006)."""

    def rows(outcomes: Outcomes) -> Floats:
        acted = scores_of(outcomes)[:, -1] >= threshold
        return np.asarray(acted * np.where(outcomes.y == 1, 1.0, -threshold / (1.0 - threshold)), dtype=np.float64)

    return mean_metric(name, rows, greater=True, scores=True)


def pinball(name: str, quantile: float) -> Metric:
    """Mean of q x (y - prediction) where the prediction is too low and (1 - q) x (prediction - y) where too high."""

    def rows(outcomes: Outcomes) -> Floats:
        under = np.asarray(outcomes.y - outcomes.prediction, dtype=np.float64)
        return np.maximum(quantile * under, (quantile - 1.0) * under)

    return mean_metric(name, rows, greater=False)


# -- functions of two means -------------------------------------------------------------------------------------------


def root_mean_squared() -> Metric:
    """Square root of the mean squared error."""
    squares = mean_metric("mean_squared_error", squared_errors, greater=False)

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        value, parts = mean_without(squared_errors(outcomes), outcomes.weight, groups)
        return float(np.sqrt(value)), np.sqrt(parts)

    return Metric(
        "root_mean_squared_error", False, lambda outcomes: float(np.sqrt(squares.compute(outcomes))), without=without
    )


def explained() -> Metric:
    """1 - mean squared error / variance of the label; NaN where the label has none, or no row a weight."""

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        y = np.asarray(outcomes.y, dtype=np.float64)
        centred = y - _mean(y, outcomes.weight)
        (error, errors), (square, squares), (mean, means) = (
            mean_without(part, outcomes.weight, groups) for part in (squared_errors(outcomes), centred**2, centred)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - float(np.divide(error, square - mean**2)), 1 - errors / (squares - means**2)

    return Metric("r2", True, lambda outcomes: without(outcomes, np.zeros(len(outcomes), np.intp))[0], without=without)


# -- functions of the confusion matrix --------------------------------------------------------------------------------


def of_matrix(name: str, form: Callable[[Floats], Floats]) -> Metric:
    """A function of the confusion matrix, more is better."""

    def compute(outcomes: Outcomes) -> float:
        return float(form(_matrix(outcomes)))

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        inside = _matrix(outcomes, groups)
        whole = inside.sum(axis=0)
        return float(form(whole)), form(whole - inside)

    return Metric(name, True, compute, without=without)


def of_cells(name: str) -> Metric:
    """One of `FORMS`, of the four cells of a binary task."""
    form = FORMS[name]
    return of_matrix(name, lambda matrix: form(*(matrix[..., y, said] for y in (0, 1) for said in (0, 1))))


def _matrix(outcomes: Outcomes, groups: Groups | None = None) -> Floats:
    return confusion(outcomes.y, outcomes.prediction, max(2, len(outcomes.classes)), outcomes.weight, groups)


# -- functions of the ranking -----------------------------------------------------------------------------------------


def roc_auc() -> Metric:
    """Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half."""

    def compute(outcomes: Outcomes) -> float:
        return area_under_roc(scores_of(outcomes)[:, -1], outcomes.y == 1, outcomes.weight)[0]

    def interval(outcomes: Outcomes, level: float) -> tuple[float, float, float] | None:
        return roc_interval(scores_of(outcomes)[:, -1], outcomes.y == 1, outcomes.weight, level=level)

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        return auc_without(scores_of(outcomes)[:, -1], outcomes.y == 1, outcomes.weight, groups)

    return Metric("roc_auc", True, compute, interval=interval, needs_scores=True, without=without)


def average_precisions() -> Metric:
    """Mean precision over the positive rows; the mean over classes of it for many."""

    def by_class(outcomes: Outcomes) -> list[tuple[float, Floats]]:
        scores = scores_of(outcomes)
        codes = [1] if outcomes.task == "binary" else np.unique(outcomes.y).tolist()
        return [average_precision(scores[:, code], outcomes.y == code, outcomes.weight) for code in codes]

    def compute(outcomes: Outcomes) -> float:
        return float(np.mean([value for value, _ in by_class(outcomes)]))

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        """To first order: the value less what the rows of a group move it by."""
        found = by_class(outcomes)
        value = float(np.mean([each for each, _ in found]))
        moved = np.bincount(groups, np.mean([influence for _, influence in found], axis=0))
        return value, value - moved * len(moved) / max(len(moved) - 1, 1)

    return Metric("average_precision", True, compute, needs_scores=True, without=without)


def of_first(name: str, statistic: Callable[[Any, float, int], float], k: int) -> Metric:
    """A statistic of the k rows with the highest scores; rows count alike whatever their weight."""

    def without(outcomes: Outcomes, groups: Groups) -> tuple[float, Floats]:
        gain = (outcomes.y == 1).astype(np.float64)
        return ranked_without(statistic, scores_of(outcomes)[:, -1], gain, k, groups)

    return Metric(
        name,
        True,
        lambda outcomes: without(outcomes, np.zeros(len(outcomes), np.intp))[0],
        needs_scores=True,
        without=without,
    )
