"""Recency drift: whether the newest rows are served worse than the older ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._causes import HALF, Cause, Split, cause_of, split_change
from mlflow_errata.diagnoses._shifts import WORTH_A_LOOK, Shift, shifts_of
from mlflow_errata.diagnoses._windows import Windows, windows_of
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.changepoint import rise
from mlflow_errata.stats.intervals import difference, mean_or_share
from mlflow_errata.stats.ranks import ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable

__all__ = [
    "NAME",
    "RESULT",
    "WORTH_A_LOOK",
    "Moment",
    "NewClass",
    "RecencyDrift",
    "Shift",
    "Split",
    "Window",
    "diagnose",
]

NAME = "recency_drift"
FEWEST = 100
"""Rows with a time below which nothing is compared."""
CURRENT = 0.25
"""Share of the newest rows that count as current, rounded to whole windows."""
SURE = 0.99
"""Coverage of the interval that must not include 0: one test a run, on a worse side of half a percent."""
FEWEST_NEW = 5
"""Rows of a class from which it is new: were its rows anywhere in time, all among the newest quarter is a chance of
1 in 1,000."""
SEASON = 100
"""Rows of the same season in earlier years from which they are compared."""
YEAR = np.timedelta64(31_556_952, "s")

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
class NewClass:
    """A class that no reference or training row has.

    Parameters
    ----------
    label : Label
    support : int, current rows
    """

    label: Label
    support: int


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
    worse : bool, the metric of the current rows is worse beyond chance (a 99 % interval of the change excludes 0)
    shifts : tuple of Shift, largest psi first
    onset : Moment or None, from when on rows are served worse, where they are
    cause : why, where it can be told apart: "season" - so were the rows of the same season in earlier years; "unseen" -
        classes or values without a like before; "prior" - the shares of the classes; "covariate" - more of the rows that
        the model is weaker on; "concept" - rows that are alike, answered differently. None otherwise
    n_untimed : int, rows left out because their time is missing
    onset_range : (Moment, Moment) or None, 95 % interval of the onset
    split : Split or None, the change in parts; None where rows are not served worse
    season : Estimate or None, the metric of the same season in earlier years; None where there is none to compare with,
        and season and drift cannot be told apart
    new_classes : tuple of NewClass, most rows first
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
    cause: Cause | None
    n_untimed: int
    onset_range: tuple[Moment, Moment] | None = None
    split: Split | None = None
    season: Estimate | None = None
    new_classes: tuple[NewClass, ...] = ()

    @property
    def found(self) -> bool:
        """The current rows are served worse, and not as in every year; what moves without harm is no alarm."""
        return self.worse and self.cause != "season"

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
    move together), and the verdict is that this interval, at 99 %, lies on the worse side of zero. Where it does, the
    onset is dated (`stats.changepoint.rise`) and the cause is looked for: a new class, a season, then the parts of the
    change (`_causes.split_change`).

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
    older, newer = rows[:split], rows[split:]
    greater = options.metric.greater_is_better
    reference, current = (_metric(table, options.metric, part) for part in (older, newer))
    change = _change(reference, current)
    worse = _is_worse(table, options.metric, older, newer)
    shifts = shifts_of(table, older, newer)
    new_classes = _new_classes(table, older, newer)
    season = _same_season(table, rows, split)
    earlier = None if season is None else _metric(table, options.metric, season)
    parts = split_change(table, options.metric, shifts, older, newer) if worse else None
    dated = _onset(table, options.metric, rows) if worse else None
    cause: Cause | None = None
    if worse and change is not None:
        if new_classes and _is_new_alone(table, options.metric, reference, newer, new_classes, change.value):
            cause = "unseen"
        elif season is not None and _is_season(table, options.metric, older, season, current, greater=greater):
            cause = "season"
        elif parts is not None:
            cause = cause_of(parts)
    return RecencyDrift(
        windows=windows,
        unit=cut_up.unit,
        metric=options.metric.name,
        greater_is_better=greater,
        cut=cut_up.starts[first_current],
        reference=reference,
        current=current,
        change=change,
        error_change=_error_change(table, older, newer),
        worse=worse,
        shifts=shifts,
        onset=None if dated is None else dated[0],
        cause=cause,
        n_untimed=len(table) - len(timed),
        onset_range=None if dated is None else dated[1:],
        split=parts,
        season=earlier,
        new_classes=new_classes,
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


def _metric(table: EvaluationTable, metric: Metric, rows: NDArray[np.intp], *, level: float = 0.95) -> Estimate | None:
    return metric.estimate(table.outcomes.take(rows), in_time_order=True, level=level)


def _is_worse(table: EvaluationTable, metric: Metric, older: NDArray[np.intp], newer: NDArray[np.intp]) -> bool:
    change = _change(*(_metric(table, metric, part, level=SURE) for part in (older, newer)))
    return change is not None and (change.high < 0 if metric.greater_is_better else change.low > 0)


def _error_change(table: EvaluationTable, reference: NDArray[np.intp], current: NDArray[np.intp]) -> Estimate | None:
    errors, weight = table.errors, table.outcomes.weight
    parts = [
        _mean(errors[rows], None if weight is None else weight[rows], table.error_unit) for rows in (reference, current)
    ]
    return _change(*parts)


# -- why, and from when on ---------------------------------------------------------------------------------------------


def _onset(table: EvaluationTable, metric: Metric, rows: NDArray[np.intp]) -> tuple[Moment, Moment, Moment] | None:
    """From when on rows contribute worse to the metric, with the ends of its interval."""
    outcomes = table.outcomes.take(rows)
    found = rise(_contributions(metric, outcomes), outcomes.weight)
    if found is None or table.times is None:
        return None
    at, low, high = (table.times[rows[position]].item() for position in found)
    return at, low, high


def _contributions(metric: Metric, outcomes: Outcomes) -> NDArray[np.float64]:
    """What each row does to the metric, greater is worse.

    Rows of a mean as they are; of scores of two classes the share of the other class's rows on the wrong side of the
    row, whose mean over both classes is 1 - ROC AUC; errors otherwise.
    """
    if metric.rows is not None:
        values = metric.rows(outcomes)
        return -values if metric.greater_is_better else values
    if outcomes.task != "binary" or outcomes.scores is None:
        return outcomes.errors
    scores, positive = outcomes.scores[:, -1], outcomes.y == 1
    if positive.all() or not positive.any():
        return outcomes.errors
    every, n_positive = ranks(scores), int(positive.sum())
    above = np.empty(len(scores))  # rows of the other class below the row: its rank among all less that among its own
    above[positive] = every[positive] - ranks(scores[positive])
    above[~positive] = every[~positive] - ranks(scores[~positive])
    n_negative = len(scores) - n_positive
    return np.where(positive, 1 - above / n_negative, above / n_positive)


def _new_classes(table: EvaluationTable, older: NDArray[np.intp], newer: NDArray[np.intp]) -> tuple[NewClass, ...]:
    classes = table.outcomes.classes
    if not classes:
        return ()
    before, now = (np.bincount(table.outcomes.y[rows], minlength=len(classes)) for rows in (older, newer))
    trained = set() if table.train is None else set(table.train.y.astype(str).unique())
    found = [
        NewClass(classes[code], int(now[code]))
        for code in np.flatnonzero((before == 0) & (now >= FEWEST_NEW))
        if str(classes[code]) not in trained
    ]
    return tuple(sorted(found, key=lambda item: (-item.support, str(item.label))))


def _is_new_alone(
    table: EvaluationTable,
    metric: Metric,
    reference: Estimate | None,
    newer: NDArray[np.intp],
    new: tuple[NewClass, ...],
    change: float,
) -> bool:
    """Whether most of the change is gone without the rows of new classes."""
    codes = [table.outcomes.classes.index(item.label) for item in new]
    known = newer[~np.isin(table.outcomes.y[newer], codes)]
    if reference is None or len(known) < 2:  # noqa: PLR2004 - a spread needs two rows
        return True
    rest = metric.compute(table.outcomes.take(known))
    return bool(abs(rest - reference.value) <= HALF * abs(change) or (rest - reference.value) * change < 0)


def _same_season(table: EvaluationTable, rows: NDArray[np.intp], split: int) -> NDArray[np.intp] | None:
    """Older rows of the months and days of the current ones, one year or more before; None where there are too few."""
    if table.times is None or table.times.dtype.kind != "M":
        return None
    times = table.times[rows]
    first, last, n_years = times[split], times[-1], int((times[split] - times[0]) / YEAR)
    inside = np.zeros(len(rows), dtype=bool)
    for years in range(1, n_years + 1):
        inside |= (times >= first - years * YEAR) & (times <= last - years * YEAR)
    inside[split:] = False
    return rows[inside] if inside.sum() >= SEASON else None


def _is_season(
    table: EvaluationTable,
    metric: Metric,
    older: NDArray[np.intp],
    season: NDArray[np.intp],
    current: Estimate | None,
    *,
    greater: bool,
) -> bool:
    """The current rows are served no worse than their season was, and the season worse than the rest of its time."""
    rest = older[~np.isin(older, season)]
    if len(rest) < SEASON or current is None:
        return False
    usual, same = (_metric(table, metric, part) for part in (rest, season))
    since, then = _change(same, current), _change(usual, same)
    if since is None or then is None:
        return False
    sign = 1 if greater else -1
    beyond = since.high < 0 if greater else since.low > 0
    return not beyond and sign * then.value < 0 and abs(then.value) >= abs(since.value)
