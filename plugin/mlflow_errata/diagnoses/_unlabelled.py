"""Rows whose labels have not come yet: what the metric will be, if scores stay as true as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import hypot
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._changes import taking_weights
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import contiguous_groups, jackknife
from mlflow_errata.stats.reliability import isotonic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable

FEWEST = 100
"""Rows without a label from which they are looked at."""
MOST_ROWS = 20_000
"""Rows, labelled or not, that are looked at, evenly over time; of many classes fewer."""


@dataclass(frozen=True)
class Expectation:
    """The metric that rows without a label will have, if scores stay as true as they were.

    Parameters
    ----------
    start, end : Moment, first and last row
    support : int, rows
    metric : Estimate, what is expected
    labelled : Estimate, the same metric of the labelled rows
    """

    start: datetime | float
    end: datetime | float
    support: int
    metric: Estimate
    labelled: Estimate


def expectation_of(table: EvaluationTable, metric: Metric, outcomes: Outcomes, since: object) -> Expectation | None:
    """What the newest rows without a label will show; None with fewer than 100, or without probabilities.

    Scores are first put right on the labelled rows: the chance of a class is its isotonic regression on the score, and
    the chances of a row add up to 1. The expectation is the metric of the rows with every label that they could have,
    weighted by its chance: for accuracy the mean chance of the decision. The interval adds, in quadrature, that of the
    metric on labels drawn by their chances, and a jackknife over runs of the labelled rows that the chances come from.
    A change of what the label depends on cannot be seen without labels.

    Parameters
    ----------
    table : EvaluationTable
    metric : Metric
    outcomes : Outcomes, the labelled rows in time order
    since : numpy time, from which rows are taken: labels that are missing before will not come

    References
    ----------
    Kivimaki, Bialek, Kuberski & Nurminen 2025, "Performance estimation in binary classification using calibrated
    confidence", arXiv 2505.05295
    """
    rows = table.unlabelled
    if rows is None or outcomes.scores is None:
        return None
    new = np.flatnonzero(rows.times >= since)
    k = len(outcomes.classes)
    if len(new) < FEWEST or any(part.min() < 0 or part.max() > 1 for part in (rows.scores[new], outcomes.scores)):
        return None
    metric = taking_weights(metric, outcomes.task)
    most = max(FEWEST, 2 * MOST_ROWS // k)
    few = new[:: 1 + (len(new) - 1) // most]
    weight = None if rows.weight is None else rows.weight[few]
    asked = replace(
        outcomes, y=np.zeros(len(few)), prediction=rows.prediction[few], scores=rows.scores[few], weight=weight
    )
    known = outcomes.take(slice(None, None, 1 + (len(outcomes) - 1) // most))
    scores = rows.scores[few]
    told = chances(known, scores)
    drawn = (told.cumsum(axis=1) > np.random.default_rng(0).random((len(few), 1))).argmax(axis=1)
    by_rows = metric.estimate(replace(asked, y=drawn), in_time_order=True)
    by_labels = jackknife(
        lambda part: metric.compute(expected(asked, chances(known.take(part), scores))),
        contiguous_groups(len(known)),
    )
    labelled = metric.estimate(outcomes, in_time_order=True)
    if by_rows is None or by_labels is None or labelled is None:
        return None
    value, half = by_labels[0], hypot(by_rows.high - by_rows.value, by_labels[2] - by_labels[0])
    start, end = (rows.times[new[at]].item() for at in (0, -1))
    estimate = Estimate(value, value - half, value + half, n=len(new), unit=metric.name)
    return Expectation(start, end, len(new), estimate, labelled)


def chances(labelled: Outcomes, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance of each class given its score, as it was among labelled rows; shape (n, n_classes)."""
    if labelled.scores is None:
        return scores
    wanted = range(1, 2) if labelled.task == "binary" else range(scores.shape[1])
    columns = []
    for code in wanted:
        happened = np.asarray(labelled.y == code, dtype=np.float64)
        weighed = None if labelled.weight is None else np.maximum(labelled.weight, np.finfo(float).tiny)
        columns.append(np.interp(scores[:, code], *isotonic(labelled.scores[:, code], happened, weighed)))
    if labelled.task == "binary":
        return np.column_stack([1 - columns[0], columns[0]])
    found = np.column_stack(columns)
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / found.shape[1])


def expected(outcomes: Outcomes, chance: NDArray[np.float64]) -> Outcomes:
    """Each row once for every class that it could have, weighted by the chance of that class.

    Parameters
    ----------
    outcomes : Outcomes of n rows; their labels are not read
    chance : float array of shape (n, n_classes), rows add up to 1
    """
    n, k = chance.shape
    again = outcomes.take(np.repeat(np.arange(n), k))
    weight = chance.ravel()
    return replace(again, y=np.tile(np.arange(k), n), weight=weight if again.weight is None else weight * again.weight)
