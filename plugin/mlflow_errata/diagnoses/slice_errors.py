"""Slice errors: the rows that a model gets wrong more often than the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import without_categories
from mlflow_errata.diagnoses._encoding import Numbers, read_column
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.predicates import Equals, IsMissing, NotIn, Predicate, Within
from mlflow_errata.slicing import (
    Encoded,
    Lattice,
    confirm,
    encode_levels,
    encode_numbers,
    selected_interval,
    support_needed,
)
from mlflow_errata.stats.intervals import mean_interval, mean_or_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Outcomes
    from mlflow_errata.slicing import Atom, Found, Search
    from mlflow_errata.table import EvaluationTable

NAME = "slice_errors"
FEWEST = 30
"""Rows that a slice needs, and 1 % of all."""
SMALLEST_SHARE = 0.01
NORMAL_95 = 1.96
MOST_EXACT = 2**53
"""Whole numbers below this are exact as floats."""
ID_LIKE = 0.5
"""Text with more distinct values than this share of the rows names rows rather than groups them."""


@dataclass(frozen=True)
class Slice:
    """Rows that share one or more predicates.

    Parameters
    ----------
    predicates : tuple of Predicate, all of which hold
    support : int, rows inside
    error : Estimate, mean error inside
    excess : Estimate, support x (mean error inside - outside), in errors
    unexplained : float, errors inside beyond what the slices confirmed before it leave to be expected
    lift : float, mean error inside / overall
    share_of_errors : float in [0, 1], errors inside / all errors
    only_label : label that every row inside carries, or None: the slice restates the label (or where it came from)
    value_lost : Estimate or None, business value lost inside, where a value is declared
    p_value : float, of the search's test, before the correction for the number of slices examined
    tier : "confirmed" (family-wise 5 %)
    """

    predicates: tuple[Predicate, ...]
    support: int
    error: Estimate
    excess: Estimate
    unexplained: float
    lift: float
    share_of_errors: float
    p_value: float
    tier: str = "confirmed"
    only_label: Label | None = None
    value_lost: Estimate | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the predicates speak of."""
        return tuple(predicate.column for predicate in self.predicates)

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows of any frame with these columns that belong to the slice; shape (n_rows,)."""
        found = np.ones(len(frame), dtype=bool)
        for predicate in self.predicates:
            found &= predicate.mask(frame)
        return found


@dataclass(frozen=True)
class SliceErrors:
    """Slices whose error is higher than that of the rows outside, beyond chance.

    Parameters
    ----------
    slices : tuple of Slice, confirmed and non-redundant, worst first: by the evidence of each beyond what those before
        it explain
    overall : Estimate, mean error of all rows
    n_examined : int, slices looked at: what the multiple-testing rule divides by
    columns : columns that were sliced on
    skipped : columns that were not, as (column, reason)
    detectable_excess : float or None, the smallest excess (in errors) that a slice of the median support would have
        needed to be confirmed
    """

    slices: tuple[Slice, ...]
    overall: Estimate
    n_examined: int
    columns: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    detectable_excess: float | None

    @property
    def found(self) -> bool:
        """At least one slice is confirmed."""
        return bool(self.slices)

    @property
    def headline(self) -> Estimate:
        """Mean error of the worst slice, or of all rows if there is none."""
        return self.slices[0].error if self.slices else self.overall


RESULT = SliceErrors


def diagnose(table: EvaluationTable, options: Options) -> SliceErrors:  # noqa: ARG001 - the shared shape
    """Search all slices of one or two predicates for more errors than chance allows.

    Every slice column takes part: levels of text, categories and booleans; all contiguous ranges of up to 32 quantile
    bins of numbers and dates; missing as a level of its own. A slice is confirmed family-wise at 5 % over all slices
    examined, and only for what the slices confirmed before it leave unexplained.

    Raises
    ------
    NotApplicable
        With fewer than 60 rows, or if no column can be sliced on.
    """
    n = len(table)
    if n < 2 * FEWEST:
        raise NotApplicable(f"needs {2 * FEWEST} rows or more; there are {n}")
    min_support = support_needed(n, FEWEST, SMALLEST_SHARE)
    columns, skipped = _encoded(table, min_support)
    if not columns:
        raise NotApplicable("needs a column that tells rows apart: " + _reasons(skipped))
    names = list(columns)
    lattice = Lattice([column.encoded for column in columns.values()], min_support)
    weight = table.outcomes.weight
    search = confirm(lattice, table.errors, weight, alpha=ALPHA, suspicion=0)
    known = list(columns.values())
    slices = tuple(_slice(table, search, found, lattice, known) for found in search.found)
    overall = Estimate(*mean_or_share(table.errors, weight), n=n, unit=table.error_unit)
    return SliceErrors(
        slices=slices,
        overall=overall,
        n_examined=search.n_examined,
        columns=tuple(names),
        skipped=tuple(skipped),
        detectable_excess=_detectable(table.errors, search),
    )


# -- columns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A column for the search, with what its atoms mean in the user's own values."""

    name: str
    encoded: Encoded
    levels: tuple[Any, ...] = ()
    is_date: bool = False
    is_whole: bool = False

    def predicate(self, atom: Atom) -> Predicate:
        if atom.kind == "missing":
            return IsMissing(self.name)
        if atom.kind == "level":
            return Equals(self.name, self.levels[atom.level])
        if atom.kind == "rare":
            return NotIn(self.name, self.levels[: atom.level])
        low, high = self._bound(atom.low), self._bound(atom.high)
        if self.is_whole and not self.is_date and atom.low is not None and atom.high == atom.low + 1 < MOST_EXACT:
            return Equals(self.name, int(atom.low))
        return Within(self.name, low, high)

    def _bound(self, cut: float | None) -> float | str | None:
        if cut is None:
            return None
        if self.is_date:
            return str(np.datetime64(int(cut), "us").astype("datetime64[s]"))
        return int(cut) if self.is_whole else cut


def _encoded(table: EvaluationTable, min_support: int) -> tuple[dict[str, _Column], list[tuple[str, str]]]:
    """Columns that can be sliced on, by name, and those that cannot with the reason."""
    columns: dict[str, _Column] = {}
    skipped: list[tuple[str, str]] = []
    for name in sorted(table.slice_columns):
        found = _column(name, table.frame[name], min_support)
        if isinstance(found, _Column):
            columns[name] = found
        else:
            skipped.append((name, found))
    return columns, skipped


def _column(name: str, values: pd.Series[Any], min_support: int) -> _Column | str:
    values = without_categories(values)
    dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
    column = read_column(values)
    if dates:
        stamps = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        whole_seconds = stamps.dt.floor("s").astype("datetime64[us]")  # x < cut holds as before, as cuts are whole
        numbers = whole_seconds.astype("int64").to_numpy(dtype=np.float64)
        column = Numbers(np.where(stamps.isna(), np.nan, numbers), whole=True)
    if column is None:
        return "holds values that cannot be compared"
    if isinstance(column, Numbers):
        if np.isinf(column.numbers).any():
            return "holds infinite values"
        encoded = encode_numbers(column.numbers, whole=column.whole)
        return "is constant" if encoded is None else _Column(name, encoded, is_date=dates, is_whole=column.whole)
    if len(column.levels) > ID_LIKE * len(values):
        return f"is id-like: {len(column.levels)} values in {len(values)} rows"
    encoded = encode_levels(column.codes, len(column.levels), min_support)
    if encoded is None:
        return "is constant" if len(column.levels) < 2 else f"has no level of {min_support} rows"  # noqa: PLR2004
    return _Column(name, encoded, column.levels)


def _reasons(skipped: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name!r} {reason}" for name, reason in skipped[:5]) or "every column has a role"


# -- slices -----------------------------------------------------------------------------------------------------------


def _slice(table: EvaluationTable, search: Search, found: Found, lattice: Lattice, columns: list[_Column]) -> Slice:
    """A confirmed slice with intervals that allow for having been chosen."""
    n = len(found.rows)
    inside = np.zeros(len(table), dtype=bool)
    inside[found.rows] = True
    (rate, *_), (rate_out, *_) = _rate(table, inside), _rate(table, ~inside)
    overall = float(np.average(table.errors, weights=table.outcomes.weight))
    value, low, high = _selected(_rate(table, inside), found, search)
    return Slice(
        predicates=tuple(columns[at].predicate(atom) for at, atom in lattice.predicates(found.index)),
        support=n,
        error=Estimate(value, low, high, n=n, unit=table.error_unit),
        excess=Estimate(n * (value - rate_out), n * (low - rate_out), n * (high - rate_out), n=n, unit="errors"),
        unexplained=found.observed - found.expected,
        lift=rate / overall,
        share_of_errors=float(table.errors[inside].sum() / table.errors.sum()),
        p_value=found.p_value,
        only_label=_only_label(table.outcomes, inside),
        value_lost=None if table.value_lost is None else _total(table.value_lost[inside]),
    )


def _only_label(outcomes: Outcomes, inside: NDArray[np.bool_]) -> Label | None:
    found = np.unique(outcomes.y[inside])
    return outcomes.classes[found[0]] if outcomes.classes and len(found) == 1 else None


def _rate(table: EvaluationTable, rows: NDArray[np.bool_]) -> tuple[float, float, float]:
    weight = table.outcomes.weight
    return mean_or_share(table.errors[rows], None if weight is None else weight[rows])


def _selected(rate: tuple[float, float, float], found: Found, search: Search) -> tuple[float, float, float]:
    """The mean error inside and its interval, given that the slice was only seen because its evidence passed."""
    value, low, high = rate
    down, up = (value - low) / NORMAL_95, (high - value) / NORMAL_95
    centre, lower, upper = (end - found.evidence for end in selected_interval(found.evidence, search.critical))
    shrunk = max(0.0, value + centre * down)
    return shrunk, min(shrunk, max(0.0, value + lower * down)), max(shrunk, value + upper * up)


def _total(lost: NDArray[np.float64]) -> Estimate:
    n = len(lost)
    value, low, high = mean_interval(lost)
    return Estimate(n * value, n * low, n * high, n=n, unit="value")


def _detectable(errors: NDArray[np.float64], search: Search) -> float | None:
    """(critical value) standard deviations of the errors in a slice of the median support."""
    if search.n_examined == 0:
        return None
    return float(search.critical * np.sqrt(search.median_support * errors.var()))
