"""Slices that the user has named: measured in every run, whatever the search finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from numbers import Real
from typing import TYPE_CHECKING

from mlflow_errata.errors import KindRefused, ValuesRefused
from mlflow_errata.estimate import Estimate
from mlflow_errata.predicates import Predicate, all_hold, parse
from mlflow_errata.stats.intervals import difference, mean_or_share

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric, Outcomes

FEWEST = 2
"""Rows that an interval needs."""


@dataclass(frozen=True)
class NamedSlice:
    """A slice that the user has named, as it did in this run.

    Parameters
    ----------
    name : str
    predicates : tuple of Predicate, all of which hold
    support : int, rows inside
    error : Estimate or None, mean error inside; None with fewer than two rows
    excess : Estimate or None, support x (mean error inside - outside)
    metric : Estimate or None, the user's metric inside
    at_most : float or None, the acceptance bar on the error
    outside : Estimate or None, mean error outside; None with fewer than two rows there
    """

    name: str
    predicates: tuple[Predicate, ...]
    support: int
    error: Estimate | None
    excess: Estimate | None
    metric: Estimate | None
    at_most: float | None = None
    outside: Estimate | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    @property
    def accepted(self) -> bool | None:
        """True if the whole interval lies at or below the bar, False if all of it lies above, None otherwise."""
        if self.at_most is None or self.error is None:
            return None
        if self.error.high <= self.at_most:
            return True
        return False if self.error.low > self.at_most else None

    def mask(self, frame: object) -> NDArray[np.bool_]:
        """Rows of any frame (pandas, polars, Spark, pyarrow) with these columns that belong to the slice."""
        return all_hold(self.predicates, frame)


WITH_BAR = 2
"""An expression and its acceptance bar."""
Wanted = tuple[str, tuple[Predicate, ...], float | None]
"""Name, predicates and acceptance bar."""


def wanted_slices(given: Mapping[str, str | tuple[str, float]]) -> tuple[Wanted, ...]:
    """Names with the expressions (and bars) that the user gave, read.

    Raises
    ------
    ExpressionUnreadable, KindRefused, ValuesRefused
    """
    if not isinstance(given, Mapping):
        remedy = """Pass named_slices={"late EV": "hour >= 19 and carrier == 'EV'"}."""
        raise KindRefused("named_slices", given, "a dict of names and expressions", remedy)
    found = []
    for name, told in given.items():
        expression, at_most = told if isinstance(told, tuple | list) and len(told) == WITH_BAR else (told, None)
        if not isinstance(name, str) or not isinstance(expression, str):
            remedy = "Pass an expression, or (expression, acceptance bar), under a name."
            raise ValuesRefused("named_slices", name, f"holds {told!r}", remedy)
        if at_most is not None and not (isinstance(at_most, Real) and 0 <= float(at_most) < inf):
            raise ValuesRefused("named_slices", name, f"has the acceptance bar {at_most!r}", "Pass a number from 0 up.")
        found.append((name, parse(expression), None if at_most is None else float(at_most)))
    return tuple(found)


def measure(frame: pd.DataFrame, outcomes: Outcomes, metric: Metric | None, wanted: Wanted) -> NamedSlice:
    """A named slice on the rows of a frame, and what a model said of them.

    Raises
    ------
    ColumnMissing
        If a predicate names a column that is not there.
    """
    name, predicates, at_most = wanted
    inside = all_hold(predicates, frame)
    n = int(inside.sum())
    if n < FEWEST:
        return NamedSlice(name, predicates, n, None, None, None, at_most)
    within, outside = (_rate(outcomes, rows) for rows in (inside, ~inside))
    excess = None
    if within is not None and outside is not None:
        value, low, high = (n * end for end in difference(_ends(outside), _ends(within)))
        excess = Estimate(value, low, high, n=n, unit="errors")
    measured = None if metric is None else metric.estimate(outcomes.take(inside))
    return NamedSlice(name, predicates, n, within, excess, measured, at_most, outside)


def _rate(outcomes: Outcomes, rows: NDArray[np.bool_]) -> Estimate | None:
    """The mean error of some rows; None with fewer than two."""
    if rows.sum() < FEWEST:
        return None
    weight = None if outcomes.weight is None else outcomes.weight[rows]
    return Estimate(*mean_or_share(outcomes.errors[rows], weight), n=int(rows.sum()), unit=outcomes.error_unit)


def _ends(measured: Estimate) -> tuple[float, float, float]:
    return measured.value, measured.low, measured.high
