"""Recency drift: whether the newest rows are served worse than the older ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.table import EvaluationTable

NAME = "recency_drift"

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
    current : bool, True if the window belongs to the current rows, False for the reference
    """

    start: Moment
    end: Moment
    support: int
    metric: Estimate | None
    error: Estimate | None
    label_rate: Estimate | None
    prediction_rate: Estimate | None
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
    unit : what a window is: "day", "week", "month", "quarter", "year" or "equal count"
    metric : str, name of the metric in `windows`
    greater_is_better : bool
    cut : Moment, first moment of the current rows
    reference, current : Estimate or None, the metric of the reference and the current rows
    change : Estimate or None, current - reference, in the unit of the metric
    error_change : Estimate or None, the same for the mean error
    worse : bool, the metric of the current rows is worse beyond chance, over everything that was looked at
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
    """To be written."""
    raise NotApplicable(f"not written yet ({len(table)} rows, {options.metric.name})")
