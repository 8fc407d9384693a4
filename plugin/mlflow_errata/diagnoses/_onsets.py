"""Onsets: from when on rows are served worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.stats.changepoint import rise
from mlflow_errata.stats.ranks import ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable


def onset_of(
    table: EvaluationTable, metric: Metric, rows: NDArray[np.intp], outcomes: Outcomes
) -> tuple[Any, Any, Any] | None:
    """From when on rows contribute worse to the metric, with the ends of its 95 % interval; None without a rise.

    Parameters
    ----------
    rows : int array, rows in time order
    outcomes : Outcomes, theirs
    """
    found = rise(contributions(metric, outcomes), outcomes.weight)
    if found is None or table.times is None:
        return None
    at, low, high = (table.times[rows[position]].item() for position in found)
    return at, low, high


def contributions(metric: Metric, outcomes: Outcomes) -> NDArray[np.float64]:
    """What each row does to the metric, greater is worse; shape (n,).

    Rows of a mean as they are; of scores of two classes the share of the other class's rows that stand on the wrong
    side of the row, whose mean over either class is 1 - ROC AUC; errors otherwise.
    """
    if metric.rows is not None:
        values = metric.rows(outcomes)
        return -values if metric.greater_is_better else values
    positive = outcomes.y == 1
    if outcomes.task != "binary" or outcomes.scores is None or positive.all() or not positive.any():
        return outcomes.errors
    scores = outcomes.scores[:, -1]
    below = ranks(scores)  # rows of the other class below the row: its rank among all less its rank among its own
    below[positive] -= ranks(scores[positive])
    below[~positive] -= ranks(scores[~positive])
    return np.asarray(np.where(positive, 1 - below / (~positive).sum(), below / positive.sum()), dtype=np.float64)
