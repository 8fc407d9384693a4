"""Slices over time: how the rows of each did in every window beside the other rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._windows import windows_of
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import t_quantile, wilson
from mlflow_errata.stats.reliability import Sums, means, sums_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._windows import Cut, Windows
    from mlflow_errata.table import EvaluationTable

FEWEST = 2
"""Rows that an interval needs."""


@dataclass(frozen=True)
class SliceWindow:
    """A contiguous time range, start included, end excluded (the last window includes its end).

    Parameters
    ----------
    start, end : date (UTC if the column had a time zone), or number if the time column holds numbers
    inside, outside : Estimate or None, mean error of the window's rows inside and outside the slice; None with fewer
        than two rows
    """

    start: datetime | float
    end: datetime | float
    inside: Estimate | None
    outside: Estimate | None


Course = tuple[SliceWindow, ...]
"""Oldest window first."""


def courses_of(table: EvaluationTable, slices: Sequence[NDArray[np.intp]], cut: Cut = None) -> tuple[str, list[Course]]:
    """The unit of the windows and the course of every slice; of no windows without times or with one moment only.

    Parameters
    ----------
    table : EvaluationTable
    slices : positions of the rows of each slice
    cut : how time is cut
    """
    order = table.in_time_order
    windows = windows_of(table.times[order], cut) if slices and table.times is not None and len(order) else None
    if windows is None or len(windows.starts) < 2:  # noqa: PLR2004 - a course needs two windows
        return "", [() for _ in slices]
    n = len(windows.starts)
    window = np.full(len(table), n, dtype=np.intp)
    window[order] = np.repeat(np.arange(n), np.diff(windows.bounds))
    whole = _sums(table, window, n)
    return windows.unit, [_course(table, windows, whole, _sums(table, window, n, rows)) for rows in slices]


def _sums(table: EvaluationTable, window: NDArray[np.intp], n: int, rows: NDArray[np.intp] | None = None) -> Sums:
    """Errors of some rows (or of all) summed per window; rows without a time lie in window n and are left out."""
    errors, weight = table.errors, table.outcomes.weight
    if rows is not None:
        errors, window, weight = errors[rows], window[rows], None if weight is None else weight[rows]
    found = sums_of(errors, np.zeros_like(errors), weight, window, np.zeros_like(window))
    return Sums(*(np.append(part[0], np.zeros(n))[:n] for part in vars(found).values()))


def _course(table: EvaluationTable, windows: Windows, whole: Sums, within: Sums) -> Course:
    parts = zip(vars(whole).values(), vars(within).values(), strict=True)
    beyond = Sums(*(of_all - inside for of_all, inside in parts))
    shares = table.task not in {"regression", "multilabel"}
    sides = [_estimates(sums, table.error_unit, shares=shares) for sums in (within, beyond)]
    return tuple(map(SliceWindow, windows.starts, windows.ends, *sides))


def _estimates(sums: Sums, unit: str, *, shares: bool) -> list[Estimate | None]:
    """The mean error of every window, as `mean_or_share` gives it from the rows."""
    _, mean, variance = means(sums)
    found: list[Estimate | None] = []
    for at, n in enumerate(sums.n):
        if n < FEWEST or sums.w[at] <= 0:
            found.append(None)
            continue
        if shares:
            effective = float(sums.w[at] ** 2 / sums.ww[at])
            value, low, high = wilson(min(max(float(mean[at]), 0.0), 1.0) * effective, effective)
        else:
            value, half = float(mean[at]), t_quantile(int(n) - 1) * sqrt(variance[at])
            low, high = value - half, value + half
        found.append(Estimate(value, low, high, n=int(n), unit=unit))
    return found
