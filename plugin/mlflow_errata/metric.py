"""Metrics: what one number says about a set of outcomes, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.errors import LabelsUnknown, MetricNeedsScores, MetricWrongTask, OptionUnknown
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.deletion import auc_without, mean_without
from mlflow_errata.stats.intervals import (
    contiguous_groups,
    jackknife,
    jackknife_of,
    mean_interval,
    mean_or_share,
    scattered_groups,
)
from mlflow_errata.stats.roc import area_under_roc, roc_interval

Task = Literal["binary", "multiclass", "multilabel", "regression"]
Label = str | int | float | bool

UNKNOWN = -1
"""What `Outcomes.y` holds where a label of a multilabel task is not known."""
LOG_FLOOR = 1e-15
"""Smallest probability that log-loss takes seriously."""


@dataclass(frozen=True)
class Outcomes:
    """Labels beside model output, row by row.

    Parameters
    ----------
    task : "binary", "multiclass", "multilabel" or "regression"
    classes : tuple of labels, sorted; the last one is the positive class of a binary task; the label columns of a
        multilabel task; empty for regression
    y : int array of shape (n,) with positions in `classes`, or float array for regression; multilabel: int array of
        shape (n, n_labels) of 1 (holds), 0 and UNKNOWN, of which no row has nothing else
    prediction : as `y`, never UNKNOWN
    scores : float array of shape (n, n_classes), or None if only labels were predicted; multilabel: the probability of
        each label, rows do not add up to 1
    weight : float array of shape (n,), or None for equal weights
    """

    task: Task
    classes: tuple[Label, ...]
    y: NDArray[Any]
    prediction: NDArray[Any]
    scores: NDArray[np.float64] | None
    weight: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[Any] | slice) -> Outcomes:
        """The outcomes of some rows (positions, a boolean mask, or a slice, which copies nothing)."""
        return replace(
            self,
            y=self.y[rows],
            prediction=self.prediction[rows],
            scores=None if self.scores is None else self.scores[rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    @property
    def errors(self) -> NDArray[np.float64]:
        """What each row got wrong: 0 or 1 for classes, the absolute error for regression.

        Multilabel: the share of the row's known labels that are wrong (Hamming loss).
        """
        if self.task == "regression":
            return np.asarray(np.abs(self.y - self.prediction), dtype=np.float64)
        if self.task == "multilabel":
            known = self.y != UNKNOWN
            return np.asarray((known & (self.y != self.prediction)).sum(axis=1) / known.sum(axis=1), dtype=np.float64)
        return np.asarray(self.y != self.prediction, dtype=np.float64)

    def named(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Labels or predictions in the user's own values; numbers of a regression as they are.

        Multilabel: the names of the labels that hold, in one text.
        """
        if self.task == "multilabel":
            held = [", ".join(str(self.classes[at]) for at in np.flatnonzero(row == 1)) for row in codes]
            return np.array(held, dtype=object)
        return np.array(self.classes)[codes] if self.classes else codes

    def carries(self, code: int) -> NDArray[np.bool_]:
        """Rows of a class; multilabel: rows for which a label is known to hold."""
        return np.asarray(self.y[:, code] == 1 if self.task == "multilabel" else self.y == code)

    def of_label(self, at: int) -> Outcomes:
        """One label of a multilabel task as a binary task, on the rows for which it is known."""
        scores = None if self.scores is None else np.column_stack([1 - self.scores[:, at], self.scores[:, at]])
        alone = Outcomes("binary", (0, 1), self.y[:, at], self.prediction[:, at], scores, self.weight)
        return alone.take(self.y[:, at] != UNKNOWN)


@dataclass(frozen=True)
class Metric:
    """A named function of outcomes.

    Parameters
    ----------
    name : str
    greater_is_better : bool
    compute : callable from Outcomes to float; NaN where it is not defined (one class only, say)
    rows : callable from Outcomes to an array of shape (n,), or None
        Row contributions, for a metric that is their mean: its interval is then exact and cheap.
    interval : callable from Outcomes and a level to (value, low, high) or None, or None
        The metric with its interval for independent rows, where that has a formula of its own.
    needs_scores : bool
    without : callable from Outcomes and the group of each row to the metric and its values without each group, or None
        For a metric that has a faster way to its jackknife than one evaluation a group.
    """

    name: str
    greater_is_better: bool
    compute: Callable[[Outcomes], float]
    rows: Callable[[Outcomes], NDArray[np.float64]] | None = None
    interval: Callable[[Outcomes, float], tuple[float, float, float] | None] | None = None
    needs_scores: bool = False
    without: Callable[[Outcomes, NDArray[np.intp]], tuple[float, NDArray[np.float64]]] | None = None

    def estimate(self, outcomes: Outcomes, *, in_time_order: bool = False, level: float = 0.95) -> Estimate | None:
        """The metric with its interval, or None where it cannot be estimated (too few rows, one class).

        Means of zeros and ones carry Wilson's interval, other means a t interval, areas under the ROC curve DeLong's,
        everything else a delete-a-group jackknife. Rows in time order are taken in runs of neighbours, which may move
        together: always by groups.
        """
        n = len(outcomes)
        if n < 2:  # noqa: PLR2004 - a spread needs two rows
            return None
        if self.rows is not None and not in_time_order:
            interval = mean_or_share(self.rows(outcomes), outcomes.weight, level=level)
        else:
            found = self._grouped(outcomes, in_time_order=in_time_order, level=level)
            if found is None:
                return None
            interval = found
        return Estimate(*interval, n=n, unit=self.name, level=level)

    def _grouped(self, outcomes: Outcomes, *, in_time_order: bool, level: float) -> tuple[float, float, float] | None:
        n = len(outcomes)
        if self.interval is not None and not in_time_order:
            return self.interval(outcomes, level)
        groups = contiguous_groups(n) if in_time_order else scattered_groups(n)
        if self.without is not None:
            return jackknife_of(*self.without(outcomes, groups), level=level)
        return jackknife(lambda rows: self.compute(outcomes.take(rows)), groups, level=level)


# -- the catalogue ----------------------------------------------------------------------------------------------------


def _hits(outcomes: Outcomes) -> NDArray[np.float64]:
    return np.asarray(1.0 - outcomes.errors, dtype=np.float64)


def _probability_of_label(outcomes: Outcomes) -> NDArray[np.float64]:
    scores = _scores(outcomes)
    return np.asarray(np.clip(scores[np.arange(len(outcomes)), outcomes.y], LOG_FLOOR, 1.0), dtype=np.float64)


def _log_losses(outcomes: Outcomes) -> NDArray[np.float64]:
    return np.asarray(-np.log(_probability_of_label(outcomes)), dtype=np.float64)


def _squared_errors(outcomes: Outcomes) -> NDArray[np.float64]:
    return np.asarray(outcomes.errors**2, dtype=np.float64)


def _brier_losses(outcomes: Outcomes) -> NDArray[np.float64]:
    positive = _scores(outcomes)[:, -1]
    return np.asarray((positive - (outcomes.y == 1)) ** 2, dtype=np.float64)


def _scores(outcomes: Outcomes) -> NDArray[np.float64]:
    if outcomes.scores is None:
        raise MetricNeedsScores("log_loss")
    return outcomes.scores


def _average(rows: Callable[[Outcomes], NDArray[np.float64]]) -> Callable[[Outcomes], float]:
    def compute(outcomes: Outcomes) -> float:
        return float(np.average(rows(outcomes), weights=outcomes.weight))

    return compute


def _roc_auc(outcomes: Outcomes) -> float:
    """Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half."""
    return area_under_roc(_scores(outcomes)[:, -1], outcomes.y == 1, outcomes.weight)[0]


def _roc_auc_interval(outcomes: Outcomes, level: float) -> tuple[float, float, float] | None:
    return roc_interval(_scores(outcomes)[:, -1], outcomes.y == 1, outcomes.weight, level=level)


def _roc_auc_without(outcomes: Outcomes, groups: NDArray[np.intp]) -> tuple[float, NDArray[np.float64]]:
    return auc_without(_scores(outcomes)[:, -1], outcomes.y == 1, outcomes.weight, groups)


def _mean_metric(
    name: str, rows: Callable[[Outcomes], NDArray[np.float64]], *, greater: bool, scores: bool = False
) -> Metric:
    def without(outcomes: Outcomes, groups: NDArray[np.intp]) -> tuple[float, NDArray[np.float64]]:
        return mean_without(rows(outcomes), outcomes.weight, groups)

    return Metric(name, greater, _average(rows), rows, needs_scores=scores, without=without)


_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
CATALOGUE: dict[str, tuple[tuple[Task, ...], Metric]] = {
    "accuracy": (_CLASSES, _mean_metric("accuracy", _hits, greater=True)),
    "error_rate": (_CLASSES, _mean_metric("error_rate", lambda outcomes: outcomes.errors, greater=False)),
    "log_loss": (_CLASSES, _mean_metric("log_loss", _log_losses, greater=False, scores=True)),
    "hamming_loss": (("multilabel",), _mean_metric("hamming_loss", lambda outcomes: outcomes.errors, greater=False)),
    "subset_accuracy": (
        ("multilabel",),
        _mean_metric("subset_accuracy", lambda outcomes: np.asarray(outcomes.errors == 0, dtype=float), greater=True),
    ),
    "brier_score": (("binary",), _mean_metric("brier_score", _brier_losses, greater=False, scores=True)),
    "roc_auc": (
        ("binary",),
        Metric("roc_auc", True, _roc_auc, interval=_roc_auc_interval, needs_scores=True, without=_roc_auc_without),
    ),
    "mean_absolute_error": (
        ("regression",),
        _mean_metric("mean_absolute_error", lambda outcomes: outcomes.errors, greater=False),
    ),
    "mean_squared_error": (("regression",), _mean_metric("mean_squared_error", _squared_errors, greater=False)),
    "root_mean_squared_error": (
        ("regression",),
        Metric("root_mean_squared_error", False, lambda outcomes: float(np.sqrt(_average(_squared_errors)(outcomes)))),
    ),
}
"""Metrics with an exact or a fast path; every other name is looked up among scikit-learn's scorers."""


def _net_benefit(name: str, threshold: float) -> Metric:
    """TP/n - FP/n x t/(1 - t) for acting on rows whose score is at least t (Vickers and Elkin 2006)."""

    def rows(outcomes: Outcomes) -> NDArray[np.float64]:
        acted = _scores(outcomes)[:, -1] >= threshold
        return np.asarray(acted * np.where(outcomes.y == 1, 1.0, -threshold / (1.0 - threshold)), dtype=np.float64)

    return _mean_metric(name, rows, greater=True, scores=True)


def _pinball(name: str, quantile: float) -> Metric:
    """Mean of q x (y - prediction) where the prediction is too low and (1 - q) x (prediction - y) where too high."""

    def rows(outcomes: Outcomes) -> NDArray[np.float64]:
        under = np.asarray(outcomes.y - outcomes.prediction, dtype=np.float64)
        return np.maximum(quantile * under, (quantile - 1.0) * under)

    return _mean_metric(name, rows, greater=False)


_AT_A_SHARE: dict[str, tuple[tuple[Task, ...], Callable[[str, float], Metric]]] = {
    "net_benefit_at_": (("binary",), _net_benefit),
    "pinball_loss_at_": (("regression",), _pinball),
}
"""Metrics whose name ends in a threshold or a quantile strictly between 0 and 1: `net_benefit_at_0.2`."""


def _catalogued(name: str) -> tuple[tuple[Task, ...], Metric] | None:
    """The tasks and the metric of a name, a number at its end read as its threshold or quantile; None if unknown."""
    for start, (tasks, make) in _AT_A_SHARE.items():
        try:
            share = float(name.removeprefix(start)) if name.startswith(start) else np.nan
        except ValueError:
            continue
        if 0.0 < share < 1.0:
            return tasks, make(name, share)
    return CATALOGUE.get(name)


def bias(outcomes: Outcomes) -> Estimate | None:
    """Mean prediction - mean label: of a number, or of the positive class by its scores (else by the decisions).

    None for several classes or labels, and with fewer than two rows.
    """
    if outcomes.task in {"multiclass", "multilabel"} or len(outcomes) < 2:  # noqa: PLR2004 - a spread needs two rows
        return None
    said = outcomes.prediction
    if outcomes.task == "binary" and outcomes.scores is not None:
        said = outcomes.scores[:, -1]
    over = np.asarray(said - outcomes.y, dtype=np.float64)
    return Estimate(*mean_interval(over, outcomes.weight), n=len(outcomes), unit="mean prediction - mean label")


def default_metric(outcomes: Outcomes) -> Metric:
    """Mean absolute error for regression, ROC AUC for a binary task with scores, micro F1 for several labels.

    Accuracy otherwise.
    """
    if outcomes.task == "multilabel":
        return _of_labels()["f1_micro"]
    if outcomes.task == "regression":
        return CATALOGUE["mean_absolute_error"][1]
    ranked = outcomes.task == "binary" and outcomes.scores is not None
    return CATALOGUE["roc_auc" if ranked else "accuracy"][1]


def _of_labels() -> Mapping[str, Metric]:
    from mlflow_errata.label_metrics import METRICS  # noqa: PLC0415 - they are made of what stands here

    return METRICS


def resolve_metric(spec: object, outcomes: Outcomes) -> Metric:
    """The metric that a user asked for.

    Parameters
    ----------
    spec : None, a name of the catalogue, a scikit-learn scorer name or scorer, or a callable
        (y_true, y_pred_or_score, weight) -> float, greater is better
    outcomes : Outcomes
        Used to check that the metric fits the task and that its input is at hand.

    Raises
    ------
    OptionUnknown, MetricNeedsScores, MetricWrongTask
    """
    if spec is None:
        return default_metric(outcomes)
    metric = _named(spec, outcomes) if isinstance(spec, str) else _given(spec)
    if metric.needs_scores and outcomes.scores is None:
        raise MetricNeedsScores(metric.name)
    try:
        metric.compute(outcomes.take(np.arange(min(len(outcomes), 1000))))
    except MetricNeedsScores as cause:
        raise MetricNeedsScores(metric.name) from cause
    except Exception as cause:  # whatever a user's function raises becomes one clear error
        raise MetricWrongTask(metric.name, outcomes.task, cause) from cause
    return metric


def _named(name: str, outcomes: Outcomes) -> Metric:
    if outcomes.task == "multilabel" and name in _of_labels():
        return _of_labels()[name]
    known = _catalogued(name)
    if known is not None:
        tasks, metric = known
        if outcomes.task not in tasks:
            raise MetricWrongTask(name, outcomes.task, f"it is for {' and '.join(tasks)} tasks")
        return metric
    from sklearn.metrics import get_scorer, get_scorer_names  # noqa: PLC0415 - only when asked for

    if name not in get_scorer_names():
        raise OptionUnknown(
            "metric", name, [*CATALOGUE, *(f"{start}0.2" for start in _AT_A_SHARE), *get_scorer_names()]
        )
    return _from_scorer(name, get_scorer(name))


def _given(spec: object) -> Metric:
    if not callable(spec):
        raise OptionUnknown("metric", spec, [*CATALOGUE, "a scikit-learn scorer", "a callable"])
    if hasattr(spec, "_response_method") or hasattr(spec, "_score_func"):
        name = getattr(getattr(spec, "_score_func", None), "__name__", type(spec).__name__)
        return _from_scorer(name, spec)
    name = getattr(spec, "__name__", type(spec).__name__)
    return Metric(name, True, lambda outcomes: float(spec(*_plain(outcomes), outcomes.weight)))


def _plain(outcomes: Outcomes) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels in the user's own values, beside scores where there are any and predicted labels otherwise."""
    if outcomes.task == "multilabel":
        _refuse_unknown(outcomes)
        return outcomes.y, outcomes.prediction if outcomes.scores is None else outcomes.scores
    labels = outcomes.named(outcomes.y)
    if outcomes.scores is None:
        return labels, outcomes.named(outcomes.prediction)
    return labels, outcomes.scores[:, -1] if outcomes.task == "binary" else outcomes.scores


def _from_scorer(name: str, scorer: Callable[..., float]) -> Metric:
    def compute(outcomes: Outcomes) -> float:
        several = outcomes.task == "multilabel"
        if several:
            _refuse_unknown(outcomes)
        labels = outcomes.y if several else outcomes.named(outcomes.y)
        weight = {} if outcomes.weight is None else {"sample_weight": outcomes.weight}
        return float(scorer(_replay(outcomes), np.arange(len(outcomes)), labels, **weight))

    return Metric(name, True, compute)


def _refuse_unknown(outcomes: Outcomes) -> None:
    if (outcomes.y == UNKNOWN).any():
        raise LabelsUnknown(tuple(_of_labels()))


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
            return _scores(outcomes)[X]

    class ReplayRegressor(RegressorMixin, Replay):  # type: ignore[misc]
        pass

    if outcomes.task == "regression":
        return ReplayRegressor()
    return ReplayClassifier() if outcomes.scores is None else ReplayScores()
