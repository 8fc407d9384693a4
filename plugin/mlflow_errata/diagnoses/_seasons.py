"""Seasons: whether the newest rows are served as rows of their time of the year always were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._changes import is_worse, metric_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric
    from mlflow_errata.table import EvaluationTable

FEWEST = 100
"""Rows of the same season in earlier years, and of the rest, from which they are compared."""
YEAR = np.timedelta64(31_556_952, "s")


def same_season(table: EvaluationTable, rows: NDArray[np.intp], split: int) -> NDArray[np.intp] | None:
    """Older rows of the time of the year of the current ones, one year or more before; None where there are too few.

    Parameters
    ----------
    rows : int array, rows in time order
    split : int, position of the first current row
    """
    if table.times is None or table.times.dtype.kind != "M":
        return None
    times = table.times[rows]
    first, last, n_years = times[split], times[-1], int((times[split] - times[0]) / YEAR)
    inside = np.zeros(len(rows), dtype=bool)
    for years in range(1, n_years + 1):
        inside |= (times >= first - years * YEAR) & (times <= last - years * YEAR)
    inside[split:] = False
    return rows[inside] if inside.sum() >= FEWEST else None


def is_seasonal(
    table: EvaluationTable,
    metric: Metric,
    older: NDArray[np.intp],
    newer: NDArray[np.intp],
    season: NDArray[np.intp],
) -> bool:
    """Whether the current rows are served no worse than their season was, and that explains most of the change."""
    rest = older[~np.isin(older, season)]
    before, after = (metric_of(metric, table.outcomes.take(rows)) for rows in (season, newer))
    if len(rest) < FEWEST or is_worse(metric, before, after):
        return False
    usual, same, now = (metric.compute(table.outcomes.take(rows)) for rows in (rest, season, newer))
    return bool((same - usual) * (now - usual) > 0 and abs(same - usual) >= abs(now - same))
