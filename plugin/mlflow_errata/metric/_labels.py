"""Metrics of several labels a row: what one number says about a whole matrix of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.errors import MetricNeedsScores
from mlflow_errata.metric._catalogue import SKLEARN, Entry
from mlflow_errata.metric._forms import mean_metric
from mlflow_errata.metric._outcomes import UNKNOWN, Metric
from mlflow_errata.stats.precision import average_precision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlflow_errata.metric._outcomes import Outcomes, Task

    Floats = NDArray[np.float64]


def _agreement(outcomes: Outcomes) -> tuple[Floats, Floats]:
    """Per label 2 TP and 2 TP + FP + FN, weighted, over the rows for which it is known; each of shape (n_labels,)."""
    weight = np.ones(len(outcomes)) if outcomes.weight is None else outcomes.weight
    known = outcomes.y != UNKNOWN
    held, said = outcomes.y == 1, known & (outcomes.prediction == 1)
    both = 2 * (weight @ (held & said))
    return both, weight @ held + weight @ said


def _f1_micro(outcomes: Outcomes) -> float:
    """2 TP / (2 TP + FP + FN), summed over labels; 0 where no label holds or is predicted."""
    both, either = _agreement(outcomes)
    return float(both.sum() / either.sum()) if either.any() else 0.0


def _f1_macro(outcomes: Outcomes) -> float:
    """Mean over labels of 2 TP / (2 TP + FP + FN); 0 for a label that never holds and is never predicted."""
    both, either = _agreement(outcomes)
    return float(np.mean(both / np.where(either > 0, either, 1.0)))


def _average_precision(outcomes: Outcomes) -> float:
    """Mean average precision of the labels that hold for some rows; NaN where none does."""
    if outcomes.scores is None:
        raise MetricNeedsScores("average_precision_macro")
    found = []
    for at in range(outcomes.y.shape[1]):
        known = outcomes.y[:, at] != UNKNOWN
        weight = None if outcomes.weight is None else outcomes.weight[known]
        found.append(average_precision(outcomes.scores[known, at], outcomes.y[known, at] == 1, weight)[0])
    defined = [value for value in found if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _all_right(outcomes: Outcomes) -> Floats:
    return np.asarray(outcomes.errors == 0, dtype=np.float64)


_TASKS: tuple[Task, ...] = ("multilabel",)
LABEL_CATALOGUE: Mapping[str, Entry] = {
    "f1_micro": Entry(
        _TASKS,
        Metric("f1_micro", True, _f1_micro),
        "F1 over all labels of all rows",
        "Common labels decide it: a rare one may never be found.",
        SKLEARN,
    ),
    "f1_macro": Entry(
        _TASKS,
        Metric("f1_macro", True, _f1_macro),
        "mean F1 of the labels",
        "A label of a few rows weighs as much as one of thousands, so chance moves it.",
        SKLEARN,
    ),
    "hamming_loss": Entry(
        _TASKS,
        mean_metric("hamming_loss", lambda outcomes: outcomes.errors, greater=False),
        "share of labels",
        "Most labels do not hold for most rows: predicting none is nearly as good.",
        SKLEARN,
    ),
    "subset_accuracy": Entry(
        _TASKS,
        mean_metric("subset_accuracy", _all_right, greater=True),
        "share of rows",
        "One wrong label of many counts as much as all of them.",
        SKLEARN,
    ),
    "average_precision_macro": Entry(
        _TASKS,
        Metric("average_precision_macro", True, _average_precision, needs_scores=True),
        "mean average precision of the labels",
        "It sees the order of the scores, not where they are cut.",
        SKLEARN,
    ),
}
"""Metrics of a multilabel task; labels that are not known are left out."""
