"""Windows: contiguous time ranges of sorted rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_WINDOWS = 10
"""Windows aimed at: enough to see a course, few enough to estimate each."""
MOST_WINDOWS = 40
FEWEST_WINDOWS = 4
ROWS_A_WINDOW = 50
"""Rows that a window holds on average, at least."""
UNITS = {"hour": "h", "day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}


@dataclass(frozen=True)
class Windows:
    """Windows over n rows in time order.

    Parameters
    ----------
    unit : one of UNITS or "equal count"
    bounds : int array of shape (n_windows + 1,): window i holds the rows bounds[i] .. bounds[i + 1] - 1
    starts, ends : first moment of each window and of the next one (for the last: its last moment)
    """

    unit: str
    bounds: NDArray[np.intp]
    starts: tuple[datetime | float, ...]
    ends: tuple[datetime | float, ...]


def windows_of(times: NDArray[Any]) -> Windows:
    """Cut sorted times into about ten windows.

    Parameters
    ----------
    times : datetime64[us] or float array of shape (n,), ascending, none missing

    Returns
    -------
    Windows
        By the calendar unit that gives the number nearest to ten (on a log scale) with 50 rows a window on average;
        by equal count where there is none. Rows of one moment are never parted.
    """
    if times.dtype.kind == "M":
        hours = _unit_starts(times, "hour")  # every longer unit begins with one
        counted = [(unit, _unit_starts(hours, unit)) for unit in UNITS]
        fit = [
            (abs(np.log(len(starts) / N_WINDOWS)), -at)
            for at, (_, starts) in enumerate(counted)
            if FEWEST_WINDOWS <= len(starts) <= MOST_WINDOWS and len(times) >= ROWS_A_WINDOW * len(starts)
        ]
        if fit:
            unit, starts = counted[-min(fit)[1]]
            return _cut(times, unit, starts, _next_start(starts[-1], unit))
    picked = (np.arange(N_WINDOWS) * len(times)) // N_WINDOWS
    return _cut(times, "equal count", np.unique(times[picked]), times[-1])


def _unit_starts(times: NDArray[Any], unit: str) -> NDArray[Any]:
    """First moments of the calendar units that hold times, which ascend."""
    if unit == "quarter":
        months = times.astype("datetime64[M]").astype(np.int64)
        floored = (months - months % 3).astype("datetime64[M]")
    elif unit == "week":  # weeks start on Monday; day 0 of the epoch was a Thursday
        days = times.astype("datetime64[D]").astype(np.int64)
        floored = (days - (days + 3) % 7).astype("datetime64[D]")
    else:
        floored = times.astype(f"datetime64[{UNITS[unit]}]")
    return floored[np.r_[True, floored[1:] != floored[:-1]]].astype("datetime64[us]")


def _next_start(start: Any, unit: str) -> Any:
    months = {"month": 1, "quarter": 3, "year": 12}
    if unit in months:
        return (start.astype("datetime64[M]") + months[unit]).astype("datetime64[us]")
    days = {"hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D"), "week": np.timedelta64(7, "D")}
    return start + days[unit]


def _cut(times: NDArray[Any], unit: str, starts: NDArray[Any], end: Any) -> Windows:
    bounds = np.append(np.searchsorted(times, starts, side="left"), len(times))
    return Windows(unit, bounds, tuple(starts.tolist()), (*starts[1:].tolist(), end.item()))
