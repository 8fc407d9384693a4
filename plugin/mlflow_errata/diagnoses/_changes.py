"""Changes: the metric of older and of newer rows, and the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import CATALOGUE, LABEL_CATALOGUE, catalogued
from mlflow_errata.stats.intervals import N_GROUPS, at_level, difference

if TYPE_CHECKING:
    from mlflow_errata.metric import Metric, Outcomes, Task

SURE = 0.97
"""Coverage of the interval that decides: without drift it lies on the worse side of 0 in 1.5 % of draws."""
SURE_OF_ROWS = 0.99
"""Coverage that the interval for independent rows needs besides: both are passed in 0.5 % of draws."""


def taking_weights(metric: Metric, task: Task) -> Metric:
    """A metric of the catalogue as it is; one of the user's own by the mean error (classes: by the accuracy).

    Nothing is known of how a metric of the user's own takes weights.
    """
    if task == "multilabel":
        known = LABEL_CATALOGUE.get(metric.name)
        return metric if known is not None and known.metric is metric else LABEL_CATALOGUE["hamming_loss"].metric
    known = catalogued(metric.name)
    if known is not None and metric.without is not None:
        return metric
    return CATALOGUE["mean_absolute_error" if task == "regression" else "accuracy"].metric


def metric_of(metric: Metric, outcomes: Outcomes) -> Estimate | None:
    """The metric of outcomes in time order, with an interval from runs of neighbours; None if it has none."""
    return metric.estimate(outcomes, in_time_order=True)


def change_of(before: Estimate | None, after: Estimate | None) -> Estimate | None:
    """After - before for independent estimates; None where either is missing."""
    if before is None or after is None:
        return None
    ends = [(part.value, part.low, part.high) for part in (before, after)]
    return Estimate(*difference(*ends), n=before.n + after.n, unit=before.unit, level=before.level)


def is_worse(metric: Metric, before: Estimate | None, after: Estimate | None, level: float = SURE) -> bool:
    """Whether the metric of the later rows is worse: the interval of the change lies on the worse side of 0.

    Parameters
    ----------
    before, after : Estimate or None, by `metric_of`
    level : float, coverage of the interval that decides
    """
    change = change_of(surer(before, level), surer(after, level))
    return change is not None and (change.high < 0 if metric.greater_is_better else change.low > 0)


def is_worse_by_row(metric: Metric, older: Outcomes, newer: Outcomes) -> bool:
    """Whether the metric of the newer rows is worse if rows are taken for independent: needed beside `is_worse`.

    An interval from 20 runs of neighbours is now and then too narrow by chance; that of single rows is not.
    """
    before, after = (metric.estimate(side, level=SURE_OF_ROWS) for side in (older, newer))
    change = change_of(before, after)
    return change is not None and (change.high < 0 if metric.greater_is_better else change.low > 0)


def surer(estimate: Estimate | None, level: float) -> Estimate | None:
    """An estimate of rows in time order with its interval at another level."""
    if estimate is None:
        return None
    given = (estimate.value, estimate.low, estimate.high)
    degrees = min(N_GROUPS, estimate.n) - 1
    return Estimate(*at_level(given, degrees, level=level), n=estimate.n, unit=estimate.unit, level=level)
