"""Windows of time in which what is said is off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._windows import windows_of
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import contiguous_groups
from mlflow_errata.stats.reliability import deleted_groups, mean_residual, shift_p_value, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._windows import Cut
    from mlflow_errata.table import EvaluationTable

ROWS_A_WINDOW = 100
"""Rows that a window needs to be judged."""


@dataclass(frozen=True)
class CalibrationWindow:
    """Calibration in the large within a contiguous time range.

    Parameters
    ----------
    start, end : datetime or float
    support : int, rows
    said, happened : float, means
    gap : Estimate, happened - said; its interval allows for neighbouring rows that move together
    off : bool, the gap lies beyond chance over all windows and counts by its size
    """

    start: datetime | float
    end: datetime | float
    support: int
    said: float
    happened: float
    gap: Estimate
    off: bool


def windows_off(
    table: EvaluationTable,
    said: NDArray[np.float64],
    residual: NDArray[np.float64],
    variance: NDArray[np.float64],
    cut: Cut,
    *,
    least: float,
    chance: float,
) -> tuple[tuple[CalibrationWindow, ...], str]:
    """Calibration in the large per window, for windows with rows enough, and their unit; none without times.

    Parameters
    ----------
    table : EvaluationTable
    said, residual, variance : float arrays of shape (n,): what was said, happened - said, and the variance of that if
        what was said is true
    cut : how time is cut
    least : float, gap that counts
    chance : float, of a window that is off where none is, over all of them
    """
    if table.times is None:
        return (), ""
    rows, weight = table.in_time_order, table.outcomes.weight
    cut_up = windows_of(table.times[rows], cut)
    parts = [
        (at, rows[cut_up.bounds[at] : cut_up.bounds[at + 1]])
        for at in range(len(cut_up.starts))
        if cut_up.bounds[at + 1] - cut_up.bounds[at] >= ROWS_A_WINDOW
    ]
    chance /= max(len(parts), 1)
    found = []
    for at, part in parts:
        inside = None if weight is None else weight[part]
        if inside is not None and not inside.any():
            continue
        groups = contiguous_groups(len(part))
        sums = sums_of(residual[part], variance[part], inside, np.zeros_like(groups), groups)
        gap = Estimate(*deleted_groups(mean_residual, sums), n=len(part), unit="happened - said")
        _, low, high = deleted_groups(mean_residual, sums, level=1 - chance)
        beyond = (low > 0 or high < 0) and shift_p_value(sums.total()) < chance
        found.append(
            CalibrationWindow(
                start=cut_up.starts[at],
                end=cut_up.ends[at],
                support=len(part),
                said=float(np.average(said[part], weights=inside)),
                happened=float(np.average(said[part] + residual[part], weights=inside)),
                gap=gap,
                off=beyond and abs(gap.value) >= least,
            )
        )
    return tuple(found), cut_up.unit
