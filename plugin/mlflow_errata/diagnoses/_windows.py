"""Windows: contiguous time ranges of sorted rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import times as moments
from mlflow_errata.errors import InputError, OptionUnknown, ValuesRefused

N_WINDOWS = 10
"""Windows aimed at: enough to see a course, few enough to estimate each."""
MOST_WINDOWS = 40
FEWEST_WINDOWS = 4
ROWS_A_WINDOW = 50
"""Rows that a window holds on average, at least."""
MOST_GIVEN = 400
"""Windows that may be asked for: a year of days."""
UNITS = {"hour": "h", "day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
BY_COUNT, AS_GIVEN = "equal count", "given"

Cut = str | int | tuple[datetime, ...] | tuple[float, ...] | None
"""How time is cut: by a unit, into so many windows of equally many rows, at moments, or as fits the rows (None)."""


@dataclass(frozen=True)
class Windows:
    """Windows over n rows in time order.

    Parameters
    ----------
    unit : one of UNITS, "equal count" or "given"
    bounds : int array of shape (n_windows + 1,): window i holds the rows bounds[i] .. bounds[i + 1] - 1
    starts, ends : first moment of each window, and the end of its unit, else the first moment of the next window (of
        the last: its last moment); units without a row are no windows
    """

    unit: str
    bounds: NDArray[np.intp]
    starts: tuple[datetime | float, ...]
    ends: tuple[datetime | float, ...]


def cut_of(given: object, times: NDArray[Any] | None) -> Cut:
    """How a user asks for time to be cut.

    Parameters
    ----------
    given : None, the name of a unit, a number of windows, or a list of moments at each of which a window begins
    times : datetime64[us] or float array of shape (n,), ascending, none missing; None without a time column

    Raises
    ------
    InputError
        Without times, for anything else, and where there would be fewer than two windows, more than 400, or an empty
        one.
    """
    if given is None:
        return None
    if times is None:
        raise ValuesRefused("windows", given, "cuts time, and there is no time column", "Name one with time=.")
    if isinstance(given, str):
        found: Cut = _unit(given, times)
    elif isinstance(given, Integral) and not isinstance(given, bool):
        found = int(given)
    elif isinstance(given, Sequence | np.ndarray | pd.Index):
        found = _edges(given, times)
    else:
        remedy = 'Pass a unit ("week"), a number of windows, or a list of moments.'
        raise ValuesRefused("windows", given, "is no way to cut time", remedy)
    n = found if isinstance(found, int) else len(windows_of(times, found).starts)
    if n > MOST_GIVEN:
        remedy = f"At most {MOST_GIVEN} are shown: take longer ones."
        raise ValuesRefused("windows", given, f"makes {n:,} windows", remedy)
    if min(n, len(windows_of(times, found).starts)) < 2:  # noqa: PLR2004 - a comparison needs two windows
        first, last = _told(times)
        raise ValuesRefused(
            "windows", given, f"makes fewer than two windows of times from {first} to {last}", "Take shorter ones."
        )
    return found


def _unit(given: str, times: NDArray[Any]) -> str:
    if given not in UNITS:
        raise OptionUnknown("windows", given, UNITS)
    if times.dtype.kind != "M":
        remedy = "Pass a number of windows or a list of numbers."
        raise ValuesRefused("windows", given, "is a unit of dates, and the time column holds numbers", remedy)
    return given


def _edges(given: Any, times: NDArray[Any]) -> tuple[datetime, ...] | tuple[float, ...]:
    """Moments, ascending, each with rows from it to the next one, and rows before the first."""
    told, (first, last) = list(given), _told(times)
    if not told:
        raise ValuesRefused("windows", told, "is empty", "List the moments at which a new window begins.")
    try:
        edges = np.unique(moments(pd.Series(told), "windows"))
    except InputError as cause:
        raise ValuesRefused("windows", told, "holds values that are no moments", "List dates or numbers.") from cause
    if edges.dtype.kind != times.dtype.kind or pd.isna(edges).any():
        kind = "dates" if times.dtype.kind == "M" else "numbers"
        raise ValuesRefused("windows", told, "does not fit the time column", f"List {kind}, none of them missing.")
    outside = edges[(edges <= times[0]) | (edges > times[-1])]
    if len(outside):
        why = f"names {_shown(outside[0])}, and no window can begin there: times go from {first} to {last}"
        raise ValuesRefused("windows", told, why, "List moments after the first and up to the last.")
    bounds = np.searchsorted(times, edges, side="left")
    empty = np.flatnonzero(bounds[1:] == bounds[:-1])
    if len(empty):
        ends = f"{_shown(edges[empty[0]])} and {_shown(edges[empty[0] + 1])}"
        raise ValuesRefused("windows", told, f"holds {ends}, and no row lies between them", "Leave one of them out.")
    return cast("tuple[float, ...]", tuple(edges.tolist()))


def _told(times: NDArray[Any]) -> tuple[str, str]:
    return _shown(times[0]), _shown(times[-1])


def _shown(moment: Any) -> str:
    return str(moment.item())


def windows_of(times: NDArray[Any], cut: Cut = None) -> Windows:
    """Cut sorted times into windows, about ten unless told otherwise.

    Parameters
    ----------
    times : datetime64[us] or float array of shape (n,), ascending, none missing
    cut : Cut

    Returns
    -------
    Windows
        As `cut` says, none of them empty. Without it by the calendar unit that gives the number nearest to ten (on a
        log scale) with 50 rows a window on average; by equal count where there is none. Rows of one moment are never
        parted.
    """
    if isinstance(cut, str):
        starts = _unit_starts(times, cut)
        return _cut(times, cut, starts, _next_start(starts, cut))
    if isinstance(cut, int):
        return _by_count(times, cut)
    if cut is not None:
        inner = np.array(cut, dtype=times.dtype)
        starts = np.concatenate([times[:1], inner[inner > times[0]]])
        filled = np.diff(np.append(np.searchsorted(times, starts, side="left"), len(times))) > 0
        return _cut(times, AS_GIVEN, starts[filled], _followed_by(starts[filled], times[-1]))
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
            return _cut(times, unit, starts, _next_start(starts, unit))
    return _by_count(times, N_WINDOWS)


def _by_count(times: NDArray[Any], n: int) -> Windows:
    picked = (np.arange(n) * len(times)) // n
    starts = np.unique(times[picked])
    return _cut(times, BY_COUNT, starts, _followed_by(starts, times[-1]))


def _followed_by(starts: NDArray[Any], last: Any) -> NDArray[Any]:
    """Ends of windows that begin where another one ends."""
    return np.append(starts[1:], last)


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


def _next_start(start: NDArray[Any], unit: str) -> NDArray[Any]:
    """When the units after some begin."""
    months = {"month": 1, "quarter": 3, "year": 12}
    if unit in months:
        return (start.astype("datetime64[M]") + months[unit]).astype("datetime64[us]")
    days = {"hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D"), "week": np.timedelta64(7, "D")}
    return start + days[unit]


def _cut(times: NDArray[Any], unit: str, starts: NDArray[Any], ends: NDArray[Any]) -> Windows:
    bounds = np.append(np.searchsorted(times, starts, side="left"), len(times))
    return Windows(unit, bounds, tuple(starts.tolist()), tuple(ends.tolist()))
