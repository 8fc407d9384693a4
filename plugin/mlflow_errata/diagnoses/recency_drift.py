"""Recency drift: whether the newest rows are served worse than the older ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.diagnoses._causes import Cause, Split, cause_of, split_change
from mlflow_errata.diagnoses._changes import change_of, is_worse, is_worse_by_row, metric_of
from mlflow_errata.diagnoses._class_drift import ClassDrift, class_drifts
from mlflow_errata.diagnoses._label_drift import LabelDrift, label_drifts
from mlflow_errata.diagnoses._newcomers import NewClass, is_their_doing, new_classes
from mlflow_errata.diagnoses._onsets import onset_of
from mlflow_errata.diagnoses._seasons import is_seasonal, same_season
from mlflow_errata.diagnoses._shifts import WORTH_A_LOOK, Shift, shifts_of
from mlflow_errata.diagnoses._unlabelled import Expectation, expectation_of
from mlflow_errata.diagnoses._windows import Windows, windows_of
from mlflow_errata.diagnoses._worsened import Worsened, worsened
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import UNKNOWN
from mlflow_errata.stats.intervals import mean_or_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable

__all__ = [
    "NAME",
    "RESULT",
    "WORTH_A_LOOK",
    "ClassDrift",
    "Expectation",
    "LabelDrift",
    "Moment",
    "NewClass",
    "RecencyDrift",
    "Shift",
    "Split",
    "Window",
    "Worsened",
    "diagnose",
]

NAME = "recency_drift"
FEWEST = 100
"""Rows with a time below which nothing is compared."""
CURRENT = 0.25
"""Share of the newest rows that count as current, rounded to whole windows."""
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
    label_rate : Estimate or None: share of the positive class (binary), of a row's labels that hold (multilabel), mean
        label (regression), None for multiclass
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
class RecencyDrift:
    """The metric over time, and the columns that moved.

    Parameters
    ----------
    windows : tuple of Window, oldest first
    unit : what a window is: "hour", "day", "week", "month", "quarter", "year", "equal count" or "given"
    metric : str, name of the metric in `windows`
    greater_is_better : bool
    cut : Moment, first moment of the current rows
    reference, current : Estimate or None, the metric of the reference and the current rows
    change : Estimate or None, current - reference, in the unit of the metric
    error_change : Estimate or None, the same for the mean error
    worse : bool, the metric of the current rows is worse beyond chance (a 97 % interval of the change excludes 0)
    shifts : tuple of Shift, largest psi first
    onset : Moment or None, from when on rows are served worse, where they are and it is no season
    cause : Cause or None, why, where it can be told apart: "season" - so were the rows of the same season in earlier
        years; "unseen" - classes or values without a like before; "prior" - the shares of the classes; "covariate" -
        more of the rows that the model is weaker on; "concept" - rows that are alike, answered differently
    n_untimed : int, rows left out because their time is missing
    onset_range : (Moment, Moment) or None, 95 % interval of the onset
    split : Split or None, the change in parts; None where rows are not served worse
    season : Estimate or None, the metric of the same season in earlier years; None where there is none to compare with,
        and season and drift cannot be told apart
    new_classes : tuple of NewClass, most rows first
    expected : Expectation or None, what current rows whose labels have not come yet will show; never a verdict, as it
        is blind to concept drift
    worsened : tuple of Worsened, slices that got worse most where the whole did, most errors added first
    labels : tuple of LabelDrift, of several labels, those served worse first; empty for other tasks
    classes : tuple of ClassDrift, of many classes, those whose share moved first; empty for other tasks
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
    expected: Expectation | None = None
    worsened: tuple[Worsened, ...] = ()
    labels: tuple[LabelDrift, ...] = ()
    classes: tuple[ClassDrift, ...] = ()

    @property
    def found(self) -> bool:
        """The current rows, or a label of several, are served worse, not as in every year; harmless moves are not."""
        return (self.worse and self.cause != "season") or any(item.worse for item in self.labels)

    @property
    def headline(self) -> Estimate | None:
        """Change of the metric from the reference to the current rows."""
        return self.change


RESULT = RecencyDrift


def diagnose(table: EvaluationTable, options: Options) -> RecencyDrift:
    """Follow the metric over time windows and compare the newest rows with the older ones.

    Windows are those that the user asked for; else calendar units (hour to year, whichever comes nearest to ten
    windows) or, where rows are too few for that or times are plain numbers, equally many rows each. The current rows
    are the newest windows that hold about a quarter of the rows. The change of the metric carries an interval from runs
    of neighbouring rows (rows of one period move together), and the verdict is that this interval, at 97 %, lies on the
    worse side of zero, and so does, at 99 %, that for independent rows. Where it does, the onset is dated
    (`stats.changepoint.rise`) and the cause is looked for: a new class, a season, then the parts of the change
    (`_causes.split_change`).

    Raises
    ------
    NotApplicable
        Without a time column, or with fewer than 100 rows that have a time, or with one moment only.
    """
    if table.times is None:
        raise NotApplicable("needs a time column")
    rows = table.in_time_order
    if len(rows) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows with a time; there are {len(rows)}")
    cut_up = windows_of(table.times[rows], options.windows)
    if len(cut_up.starts) < 2:  # noqa: PLR2004 - a comparison needs two windows
        raise NotApplicable("needs two moments or more; all rows have the same time")
    first_current = _first_current(cut_up.bounds)
    outcomes = table.outcomes.take(rows)
    windows = tuple(
        _window(table, options.metric, outcomes, cut_up, at, current=at >= first_current)
        for at in range(len(cut_up.starts))
    )
    split = cut_up.bounds[first_current]
    older, newer = rows[:split], rows[split:]
    sides = outcomes.take(slice(split)), outcomes.take(slice(split, None))
    reference, current = (metric_of(options.metric, side) for side in sides)
    worse = is_worse(options.metric, reference, current) and is_worse_by_row(options.metric, *sides)
    shifts = shifts_of(table, older, newer)
    newcomers = new_classes(table, rows)
    season = same_season(table, rows, split)
    parts = split_change(table, options.metric, shifts, older, newer) if worse else None
    cause: Cause | None = None
    if worse and is_their_doing(table, options.metric, newcomers, older, newer):
        cause = "unseen"
    elif worse and season is not None and is_seasonal(table, options.metric, older, newer, season):
        cause = "season"
    elif parts is not None:
        cause = cause_of(parts)
    dated = onset_of(table, options.metric, rows, outcomes) if worse and cause != "season" else None
    return RecencyDrift(
        windows=windows,
        unit=cut_up.unit,
        metric=options.metric.name,
        greater_is_better=options.metric.greater_is_better,
        cut=cut_up.starts[first_current],
        reference=reference,
        current=current,
        change=change_of(reference, current),
        error_change=change_of(*(_error(table, side) for side in sides)),
        worse=worse,
        shifts=shifts,
        onset=None if dated is None else dated[0],
        cause=cause,
        n_untimed=len(table) - len(rows),
        onset_range=None if dated is None else dated[1:],
        split=parts,
        season=None if season is None else metric_of(options.metric, table.outcomes.take(season)),
        new_classes=newcomers,
        expected=expectation_of(table, options.metric, outcomes, table.times[rows[split]]),
        worsened=worsened(table, older, newer) if worse else (),
        labels=label_drifts(table, older, newer),
        classes=class_drifts(*sides),
    )


def _first_current(bounds: NDArray[np.intp]) -> int:
    """The window boundary (never the first) whose newer rows come nearest to a quarter of all."""
    newer = 1 - bounds[1:-1] / bounds[-1]
    return 1 + int(np.abs(newer - CURRENT).argmin())


def _window(
    table: EvaluationTable, metric: Metric, in_order: Outcomes, cut_up: Windows, at: int, *, current: bool
) -> Window:
    outcomes = in_order.take(slice(cut_up.bounds[at], cut_up.bounds[at + 1]))
    return Window(
        start=cut_up.starts[at],
        end=cut_up.ends[at],
        support=len(outcomes),
        metric=metric.estimate(outcomes),
        error=_error(table, outcomes),
        label_rate=_rate(outcomes, outcomes.y, "label rate"),
        prediction_rate=_rate(outcomes, outcomes.prediction, "prediction rate"),
        score_rate=_score_rate(outcomes),
        current=current,
    )


def _rate(outcomes: Outcomes, values: NDArray[Any], unit: str) -> Estimate | None:
    """Share of the positive class, or of the known labels that hold, or the mean of a number; None for many classes."""
    if outcomes.task == "multiclass":
        return None
    if outcomes.task == "multilabel":
        known = outcomes.y != UNKNOWN
        values = (known & (values == 1)).sum(axis=1) / known.sum(axis=1)
    return _mean(np.asarray(values, dtype=np.float64), outcomes.weight, unit)


def _score_rate(outcomes: Outcomes) -> Estimate | None:
    if outcomes.task != "binary" or outcomes.scores is None:
        return None
    return _mean(outcomes.scores[:, -1], outcomes.weight, "mean score")


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64] | None, unit: str) -> Estimate | None:
    if len(values) < 2 or (weight is not None and not weight.any()):  # noqa: PLR2004 - a spread needs two rows
        return None
    return Estimate(*mean_or_share(values, weight), n=len(values), unit=unit)


def _error(table: EvaluationTable, outcomes: Outcomes) -> Estimate | None:
    return _mean(outcomes.errors, outcomes.weight, table.error_unit)
