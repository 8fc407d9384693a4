"""Recency drift: whether the newest rows are served worse than the older ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._encoding import Levels, Numbers, read_column
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._windows import Windows, windows_of
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.distances import g_test, psi, psi_floor, quantile_edges
from mlflow_errata.stats.intervals import difference, mean_or_share
from mlflow_errata.stats.testing import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable

NAME = "recency_drift"
FEWEST = 100
"""Rows with a time below which nothing is compared."""
CURRENT = 0.25
"""Share of the newest rows that count as current, rounded to whole windows."""
N_BINS = 10
"""Quantile bins of a number in PSI."""
MOST_LEVELS = 30
"""Levels that PSI tells apart; the rarer ones share the last bin."""
WORTH_A_LOOK = 0.1
"""PSI above its floor from which a column that moved is worth a look."""

Moment = datetime | float
"""A point in time: a date (UTC if the column had a time zone), or a number if the time column holds numbers."""


@dataclass(frozen=True)
class Window:
    """A contiguous time range, start included, end excluded (the last window includes its end).

    Parameters
    ----------
    start, end : Moment
    support : int, rows
    metric : Estimate or None if too few rows or one class only
    error : Estimate or None, mean error
    label_rate : Estimate or None: share of the positive class (binary), mean label (regression), None for multiclass
    prediction_rate : Estimate or None: the same of the predictions
    score_rate : Estimate or None: mean score of the positive class (binary with scores); beside `label_rate` it tells
        whether the model over- or under-predicts
    current : bool, True if the window belongs to the current rows, False for the reference
    """

    start: Moment
    end: Moment
    support: int
    metric: Estimate | None
    error: Estimate | None
    label_rate: Estimate | None
    prediction_rate: Estimate | None
    score_rate: Estimate | None
    current: bool


@dataclass(frozen=True)
class Shift:
    """A column whose distribution may differ between the reference and the current rows.

    Parameters
    ----------
    column : str
    psi : float, population stability index with its expectation without drift taken off (may be slightly negative)
    floor : float, that expectation: (bins - 1) * (1 / n_reference + 1 / n_current)
    found : bool, moved beyond chance over all columns, and by an amount worth a look
    reference, current : str, what is typical in each (median or commonest level), for display
    """

    column: str
    psi: float
    floor: float
    found: bool
    reference: str
    current: str


@dataclass(frozen=True)
class RecencyDrift:
    """The metric over time, and the columns that moved.

    Parameters
    ----------
    windows : tuple of Window, oldest first
    unit : what a window is: "hour", "day", "week", "month", "quarter", "year" or "equal count"
    metric : str, name of the metric in `windows`
    greater_is_better : bool
    cut : Moment, first moment of the current rows
    reference, current : Estimate or None, the metric of the reference and the current rows
    change : Estimate or None, current - reference, in the unit of the metric
    error_change : Estimate or None, the same for the mean error
    worse : bool, the metric of the current rows is worse beyond chance
    shifts : tuple of Shift, largest psi first
    onset : Moment or None, start of the first window from which on the metric stays worse
    cause : "prior", "covariate", "concept", "unseen", "season" or None where it is not told apart
    n_untimed : int, rows left out because their time is missing
    """

    windows: tuple[Window, ...]
    unit: str
    metric: str
    greater_is_better: bool
    cut: Moment
    reference: Estimate | None
    current: Estimate | None
    change: Estimate | None
    error_change: Estimate | None
    worse: bool
    shifts: tuple[Shift, ...]
    onset: Moment | None
    cause: Literal["prior", "covariate", "concept", "unseen", "season"] | None
    n_untimed: int

    @property
    def found(self) -> bool:
        """The current rows are served worse; columns that move without harm are shown and not alarmed."""
        return self.worse

    @property
    def headline(self) -> Estimate | None:
        """Change of the metric from the reference to the current rows."""
        return self.change


RESULT = RecencyDrift


def diagnose(table: EvaluationTable, options: Options) -> RecencyDrift:
    """Follow the metric over time windows and compare the newest rows with the older ones.

    Windows are calendar units (hour to year, whichever comes nearest to ten windows) or, where rows are too few for
    that or times are plain numbers, equally many rows each. The current rows are the newest windows that hold about a
    quarter of the rows. The change of the metric carries an interval from runs of neighbouring rows (rows of one period
    move together), and the verdict is that this interval lies on the worse side of zero.

    Raises
    ------
    NotApplicable
        Without a time column, or with fewer than 100 rows that have a time, or with one moment only.
    """
    if table.times is None:
        raise NotApplicable("needs a time column")
    timed = np.flatnonzero(~pd.isna(table.times))
    if len(timed) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows with a time; there are {len(timed)}")
    rows = timed[np.argsort(table.times[timed], kind="stable")]
    cut_up = windows_of(table.times[rows])
    if len(cut_up.starts) < 2:  # noqa: PLR2004 - a comparison needs two windows
        raise NotApplicable("needs two moments or more; all rows have the same time")
    first_current = _first_current(cut_up.bounds)
    windows = tuple(
        _window(table, options.metric, rows, cut_up, at, current=at >= first_current)
        for at in range(len(cut_up.starts))
    )
    split = cut_up.bounds[first_current]
    reference, current = (
        options.metric.estimate(table.outcomes.take(part), in_time_order=True) for part in (rows[:split], rows[split:])
    )
    change = _change(reference, current)
    worse = _is_worse(change, greater_is_better=options.metric.greater_is_better)
    return RecencyDrift(
        windows=windows,
        unit=cut_up.unit,
        metric=options.metric.name,
        greater_is_better=options.metric.greater_is_better,
        cut=cut_up.starts[first_current],
        reference=reference,
        current=current,
        change=change,
        error_change=_error_change(table, rows[:split], rows[split:]),
        worse=worse,
        shifts=_shifts(table, rows[:split], rows[split:]),
        onset=_onset(windows, greater_is_better=options.metric.greater_is_better) if worse else None,
        cause=None,
        n_untimed=len(table) - len(timed),
    )


def _first_current(bounds: NDArray[np.intp]) -> int:
    """The window boundary (never the first) whose newer rows come nearest to a quarter of all."""
    newer = 1 - bounds[1:-1] / bounds[-1]
    return 1 + int(np.abs(newer - CURRENT).argmin())


def _window(
    table: EvaluationTable, metric: Metric, rows: NDArray[np.intp], cut_up: Windows, at: int, *, current: bool
) -> Window:
    part = rows[cut_up.bounds[at] : cut_up.bounds[at + 1]]
    outcomes = table.outcomes.take(part)
    return Window(
        start=cut_up.starts[at],
        end=cut_up.ends[at],
        support=len(part),
        metric=metric.estimate(outcomes),
        error=_mean(outcomes.errors, outcomes.weight, table.error_unit),
        label_rate=_rate(outcomes, outcomes.y, "label rate"),
        prediction_rate=_rate(outcomes, outcomes.prediction, "prediction rate"),
        score_rate=_score_rate(outcomes),
        current=current,
    )


def _rate(outcomes: Outcomes, values: NDArray[Any], unit: str) -> Estimate | None:
    """Share of the positive class, or the mean of a number; None for many classes."""
    if outcomes.task == "multiclass":
        return None
    return _mean(np.asarray(values, dtype=np.float64), outcomes.weight, unit)


def _score_rate(outcomes: Outcomes) -> Estimate | None:
    if outcomes.task != "binary" or outcomes.scores is None:
        return None
    return _mean(outcomes.scores[:, -1], outcomes.weight, "mean score")


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64] | None, unit: str) -> Estimate | None:
    if len(values) < 2 or (weight is not None and not weight.any()):  # noqa: PLR2004 - a spread needs two rows
        return None
    return Estimate(*mean_or_share(values, weight), n=len(values), unit=unit)


def _change(reference: Estimate | None, current: Estimate | None) -> Estimate | None:
    if reference is None or current is None:
        return None
    ends = [(part.value, part.low, part.high) for part in (reference, current)]
    return Estimate(*difference(*ends), n=reference.n + current.n, unit=reference.unit)


def _is_worse(change: Estimate | None, *, greater_is_better: bool) -> bool:
    return change is not None and (change.high < 0 if greater_is_better else change.low > 0)


def _error_change(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> Estimate | None:
    errors, weight = table.errors, table.outcomes.weight
    parts = [
        _mean(errors[rows], None if weight is None else weight[rows], table.error_unit) for rows in (reference, current)
    ]
    return _change(*parts)


def _onset(windows: tuple[Window, ...], *, greater_is_better: bool) -> Moment | None:
    """Start of the window that best splits the series into a better and a worse level (weighted least squares)."""
    known = [window for window in windows if window.metric is not None and window.metric.high > window.metric.low]
    if len(known) < 2:  # noqa: PLR2004 - a split needs two windows
        return None
    values = np.array([window.metric.value for window in known if window.metric is not None])
    weight = np.array(
        [(window.metric.high - window.metric.low) ** -2.0 for window in known if window.metric is not None]
    )
    before, total = np.cumsum(weight)[:-1], weight.sum()
    mean_before = np.cumsum(weight * values)[:-1] / before
    mean_after = ((weight * values).sum() - before * mean_before) / (total - before)
    drop = (mean_before - mean_after) * (1 if greater_is_better else -1)
    evidence = np.where(drop > 0, before * (total - before) / total * drop**2, -np.inf)
    at = int(evidence.argmax())
    return known[at + 1].start if np.isfinite(evidence[at]) else None


# -- columns that moved -----------------------------------------------------------------------------------------------


def _shifts(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> tuple[Shift, ...]:
    """PSI of every slice column; found under false-discovery control and with an amount worth a look."""
    measured: list[tuple[float, Shift]] = []
    for name in table.slice_columns:
        column = read_column(table.frame[name])
        if column is not None:
            measured.append(_shift(name, column, reference, current))
    rejected = benjamini_hochberg(np.array([p_value for p_value, _ in measured]), rate=ALPHA)
    shifts = [
        replace(shift, found=bool(moved) and shift.psi >= WORTH_A_LOOK)
        for moved, (_, shift) in zip(rejected, measured, strict=True)
    ]
    return tuple(sorted(shifts, key=lambda shift: (-shift.psi, shift.column)))


def _shift(
    name: str, column: Numbers | Levels, reference: NDArray[np.intp], current: NDArray[np.intp]
) -> tuple[float, Shift]:
    bins, typical = _binned(column, reference)
    n_bins = int(bins.max()) + 1
    old, new = (np.bincount(bins[rows], minlength=n_bins) for rows in (reference, current))
    used = (old + new) > 0
    floor = psi_floor(int(used.sum()), len(reference), len(current))
    shift = Shift(name, psi(old[used], new[used]) - floor, floor, False, typical(reference), typical(current))
    return g_test(old, new), shift


def _binned(
    column: Numbers | Levels, reference: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Callable[[NDArray[np.intp]], str]]:
    """Bin of every row (0 = missing), and a function that says what is typical of some rows."""
    if isinstance(column, Levels):
        bins = np.minimum(column.codes, MOST_LEVELS - 1) + 1

        def commonest(rows: NDArray[np.intp]) -> str:
            known = column.codes[rows][column.codes[rows] >= 0]
            return str(column.levels[int(np.bincount(known).argmax())]) if len(known) else "missing"

        return bins, commonest
    known = np.isfinite(column.numbers)
    edges = quantile_edges(column.numbers[reference][known[reference]], N_BINS)
    bins = np.where(known, np.searchsorted(edges, column.numbers, side="right") + 1, 0)

    def median(rows: NDArray[np.intp]) -> str:
        values = column.numbers[rows][known[rows]]
        return f"{np.median(values):.4g}" if len(values) else "missing"

    return bins, median
