"""Changes: the metric of older and of newer rows, and the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric
    from mlflow_errata.table import EvaluationTable

SURE = 0.97
"""Coverage of the interval that decides: on draws without drift it lies on the worse side of 0 in 1.3 % at most."""


def metric_of(
    table: EvaluationTable, metric: Metric, rows: NDArray[np.intp], *, level: float = 0.95
) -> Estimate | None:
    """The metric of some rows in time order, with an interval from runs of neighbours; None if it has none."""
    return metric.estimate(table.outcomes.take(rows), in_time_order=True, level=level)


def change_of(before: Estimate | None, after: Estimate | None) -> Estimate | None:
    """After - before for independent estimates; None where either is missing."""
    if before is None or after is None:
        return None
    ends = [(part.value, part.low, part.high) for part in (before, after)]
    return Estimate(*difference(*ends), n=before.n + after.n, unit=before.unit, level=before.level)


def is_worse(table: EvaluationTable, metric: Metric, before: NDArray[np.intp], after: NDArray[np.intp]) -> bool:
    """Whether the metric of the later rows is worse: the 97 % interval of the change lies on the worse side of 0."""
    change = change_of(*(metric_of(table, metric, rows, level=SURE) for rows in (before, after)))
    return change is not None and (change.high < 0 if metric.greater_is_better else change.low > 0)
