"""Metrics: what one number says about a set of outcomes, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import MetricNeedsScores, MetricWrongTask, OptionUnknown
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric._catalogue import CATALOGUE, Entry, catalogued, known_names
from mlflow_errata.metric._labels import LABEL_CATALOGUE
from mlflow_errata.metric._outcomes import UNKNOWN, Label, Metric, Outcomes, Task
from mlflow_errata.metric._scorers import from_scorer, refuse_unknown
from mlflow_errata.stats.intervals import mean_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CATALOGUE",
    "LABEL_CATALOGUE",
    "UNKNOWN",
    "Entry",
    "Label",
    "Metric",
    "Outcomes",
    "Task",
    "bias",
    "catalogued",
    "default_metric",
    "resolve_metric",
]


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
        return LABEL_CATALOGUE["f1_micro"].metric
    if outcomes.task == "regression":
        return CATALOGUE["mean_absolute_error"].metric
    ranked = outcomes.task == "binary" and outcomes.scores is not None
    return CATALOGUE["roc_auc" if ranked else "accuracy"].metric


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
    if outcomes.task == "multilabel" and name in LABEL_CATALOGUE:
        return LABEL_CATALOGUE[name].metric
    known = catalogued(name) or LABEL_CATALOGUE.get(name)
    if known is not None:
        if outcomes.task not in known.tasks:
            raise MetricWrongTask(name, outcomes.task, f"it is for {' and '.join(known.tasks)} tasks")
        return known.metric
    from sklearn.metrics import get_scorer, get_scorer_names  # noqa: PLC0415 - only when asked for

    if name not in get_scorer_names():
        raise OptionUnknown("metric", name, dict.fromkeys([*known_names(), *LABEL_CATALOGUE, *get_scorer_names()]))
    return from_scorer(name, get_scorer(name))


def _given(spec: object) -> Metric:
    if not callable(spec):
        raise OptionUnknown("metric", spec, [*known_names(), "a scikit-learn scorer", "a callable"])
    if hasattr(spec, "_response_method") or hasattr(spec, "_score_func"):
        name = getattr(getattr(spec, "_score_func", None), "__name__", type(spec).__name__)
        return from_scorer(name, spec)
    name = getattr(spec, "__name__", type(spec).__name__)
    return Metric(name, True, lambda outcomes: float(spec(*_plain(outcomes), outcomes.weight)))


def _plain(outcomes: Outcomes) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels in the user's own values, beside scores where there are any and predicted labels otherwise."""
    if outcomes.task == "multilabel":
        refuse_unknown(outcomes)
        return outcomes.y, outcomes.prediction if outcomes.scores is None else outcomes.scores
    labels = outcomes.named(outcomes.y)
    if outcomes.scores is None:
        return labels, outcomes.named(outcomes.prediction)
    return labels, outcomes.scores[:, -1] if outcomes.task == "binary" else outcomes.scores
