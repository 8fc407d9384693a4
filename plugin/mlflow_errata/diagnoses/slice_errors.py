"""Slice errors: the rows that a model gets wrong more often than the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlflow_errata.diagnoses._contrasts import Contrast, contrasts_of
from mlflow_errata.diagnoses._named import NamedSlice, measure
from mlflow_errata.diagnoses._overlaps import Overlap, overlaps_of
from mlflow_errata.diagnoses._selection import shrink
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._shared_groups import codes_of_groups
from mlflow_errata.diagnoses._slice_times import SliceWindow, courses_of
from mlflow_errata.diagnoses._sliced import slices_of
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label, bias, default_metric
from mlflow_errata.predicates import Predicate, all_hold
from mlflow_errata.slicing import confirm, selected_share, shuffles, support_needed
from mlflow_errata.stats.intervals import mean_interval, mean_or_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.diagnoses._sliced import Sliced
    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.slicing import Found, Search
    from mlflow_errata.table import EvaluationTable

NAME = "slice_errors"
FEWEST = 30
"""Rows that a slice needs, and 1 % of all."""
SMALLEST_SHARE = 0.01
SUSPICION = 0.1
"""False discovery rate of suspected slices."""
FEWEST_ERRORS = 10
"""Errors of one label of several below which its slices are not searched."""
MOST_ROWS = 20_000
"""Rows of a slice that a metric without a formula for its interval is measured on."""


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
    lift : float, `error` / mean error of all rows
    share_of_errors : float in [0, 1], errors inside / all errors
    only_label : label that every row inside carries, or None: the slice restates the label (or where it came from)
    value_lost : Estimate or None, business value lost inside, where a value is declared
    p_value : float, of the search's test, before the correction for the number of slices examined
    tier : "confirmed" (family-wise 5 %, and an `error` above that of all rows) or "suspected" (false discovery rate
        10 %, or no such error)
    metric : Estimate or None, the user's metric inside
    bias : Estimate or None, mean prediction - mean label inside: over-prediction of a number, or of the positive class
        by its scores; None for several classes and without scores
    contrasts : tuple of Contrast, what else sets its rows apart, widest gap first
    course : tuple of SliceWindow, its mean error over time beside that of the other rows, oldest first; empty without
        times, and for slices of one label of several
    overlaps : tuple of Overlap, rows that it shares with other slices found, most first
    """

    predicates: tuple[Predicate, ...]
    support: int
    error: Estimate
    excess: Estimate
    unexplained: float
    lift: float
    share_of_errors: float
    p_value: float
    tier: Literal["confirmed", "suspected"] = "confirmed"
    metric: Estimate | None = None
    bias: Estimate | None = None
    only_label: Label | None = None
    value_lost: Estimate | None = None
    contrasts: tuple[Contrast, ...] = ()
    course: tuple[SliceWindow, ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def id(self) -> str:
        """A short name that the same conditions have in every run."""
        return slice_id(self.conditions)

    @property
    def effect(self) -> float:
        """Mean error inside - outside."""
        return self.excess.value / self.support

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the predicates speak of."""
        return tuple(predicate.column for predicate in self.predicates)

    def mask(self, frame: object) -> NDArray[np.bool_]:
        """Rows of any frame (pandas, polars, Spark, pyarrow) with these columns that belong to the slice."""
        return all_hold(self.predicates, frame)


def slice_id(conditions: Iterable[str]) -> str:
    """Ten hexadecimal digits of the sha256 of conditions, whatever their order."""
    return sha256("\0".join(sorted(conditions)).encode()).hexdigest()[:10]


@dataclass(frozen=True)
class LabelSlices:
    """Slices in which one label of several is wrong more often than outside.

    Parameters
    ----------
    label : str
    overall : Estimate, its error rate over the rows for which it is known
    slices : tuple of Slice, confirmed, most unexplained errors first
    """

    label: str
    overall: Estimate
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class SliceErrors:
    """Slices whose error is higher than that of the rows outside, beyond chance.

    Parameters
    ----------
    slices : tuple of Slice, confirmed and non-redundant, most unexplained errors first: excess errors that those found
        before do not account for
    suspected : tuple of Slice, likewise, that pass at a false discovery rate of 10 % only, or whose error is not above
        that of all rows once it allows for the slice having been picked
    overall : Estimate, mean error of all rows
    n_examined : int, slices looked at: what the multiple-testing rule divides by
    n_drawn : int, rows that slices of three predicates were looked for in: all, a draw of them where their number asks
        for it, or 0 if they were too many to be examined
    columns : columns that were sliced on
    restating : columns unseen by the model that tell the label: only their missing values make slices, whose rows are
        expected to err as others of their label do
    skipped : columns that were not, as (column, reason)
    detectable_excess : float or None, the smallest excess (in errors) that a slice of the median support would have
        needed to be confirmed
    named : tuple of NamedSlice, those that the user asked for, in that order
    n_permutations : int, of the errors, that the critical value was taken from; 0 if it is Bonferroni's
    in_time : bool, True if rows stayed in the order of their time in them, all moved by the same number of places
    by_group : bool, True if every group took the errors of another in them
    labels : tuple of LabelSlices, of several labels, those with slices of their own, most errors in them first; the
        `slices` are those of a row's Hamming loss
    window : what a window of a course is: "hour", "day", "week", "month", "quarter", "year", "equal count" or "given";
        empty where there is none
    """

    slices: tuple[Slice, ...]
    suspected: tuple[Slice, ...]
    overall: Estimate
    n_examined: int
    n_drawn: int
    columns: tuple[str, ...]
    restating: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    detectable_excess: float | None
    named: tuple[NamedSlice, ...] = ()
    n_permutations: int = 0
    in_time: bool = False
    by_group: bool = False
    labels: tuple[LabelSlices, ...] = ()
    window: str = ""

    @property
    def found(self) -> bool:
        """At least one slice is confirmed."""
        return bool(self.slices or self.labels)

    @property
    def headline(self) -> Estimate:
        """Mean error of the worst slice, or of all rows if there is none."""
        return self.slices[0].error if self.slices else self.overall


RESULT = SliceErrors


def diagnose(table: EvaluationTable, options: Options) -> SliceErrors:
    """Search all slices of one to three predicates for more errors than chance allows.

    Every slice column takes part: levels of text, categories and booleans, the rare ones together; ranges of up to 32
    quantile bins of numbers and dates, and the hour, weekday and month of dates; missing as a level of its own. A slice
    is confirmed family-wise at 5 % over all slices examined, and only for what the slices confirmed before it leave
    unexplained; what passes at a false discovery rate of 10 % only is suspected. So is a slice whose error, shrunk
    because it was picked, is not above that of all rows.

    Of several labels, half of the 5 % is for the Hamming loss of the rows, the other half is shared by searches for the
    errors of each label alone: a label that fails in a slice is hidden in the sum of all.

    Raises
    ------
    NotApplicable
        With fewer than 60 rows, or if no column can be sliced on.
    """
    n = len(table)
    if n < 2 * FEWEST:
        raise NotApplicable(f"needs {2 * FEWEST} rows or more; there are {n}")
    sliced = slices_of(table, support_needed(n, FEWEST, SMALLEST_SHARE))
    if not sliced.columns:
        raise NotApplicable("needs a column that tells rows apart: " + _reasons(sliced.skipped))
    weight = table.outcomes.weight
    search = _search(table, sliced, options, ALPHA / 2 if table.roles.labels else ALPHA, SUSPICION)
    window, found = _described(table, sliced, search, options)
    return SliceErrors(
        slices=tuple(item for item in found if item.tier == "confirmed"),
        suspected=tuple(item for item in found if item.tier == "suspected"),
        overall=Estimate(*mean_or_share(table.errors, weight), n=n, unit=table.error_unit),
        n_examined=search.n_examined,
        n_drawn=sliced.lattice.n_drawn,
        columns=tuple(column.name for column in sliced.columns),
        restating=sliced.restating,
        skipped=sliced.skipped,
        detectable_excess=_detectable(table.errors, search),
        named=tuple(measure(table.frame, table.outcomes, options.metric, wanted) for wanted in options.named_slices),
        n_permutations=options.permutations,
        in_time=options.permutations > 0 and table.times is not None and table.groups is None,
        by_group=options.permutations > 0 and table.groups is not None,
        labels=_by_label(table, sliced, options),
        window=window,
    )


def _described(table: EvaluationTable, sliced: Sliced, search: Search, options: Options) -> tuple[str, list[Slice]]:
    """The unit of their windows, and the slices of a search, most unexplained errors first."""
    slices = [_slice(table, item, sliced, options) for item in search.found]
    rows = [item.rows for item in search.found]
    window, courses = courses_of(table, rows, options.windows)
    overlaps = overlaps_of(len(table), rows, [item.id for item in slices])
    whole = [
        replace(item, course=course, overlaps=shared)
        for item, course, shared in zip(slices, courses, overlaps, strict=True)
    ]
    return window, sorted(whole, key=lambda item: (-item.unexplained, item.conditions))


def _by_label(table: EvaluationTable, sliced: Sliced, options: Options) -> tuple[LabelSlices, ...]:
    """Slices of the errors of each label alone, on the lattice of all rows, or of those for which it is known."""
    found = []
    for name, alone in table.per_label():
        n, asked = len(alone), replace(options, metric=default_metric(alone.outcomes))
        if n < 2 * FEWEST or alone.errors.sum() < FEWEST_ERRORS:
            continue
        own = sliced if n == len(table) else slices_of(alone, support_needed(n, FEWEST, SMALLEST_SHARE))
        search = _search(alone, own, asked, ALPHA / 2 / len(table.roles.labels), suspicion=0)
        slices = [item for each in search.found if (item := _slice(alone, each, own, asked)).tier == "confirmed"]
        if slices:
            overall = Estimate(*mean_or_share(alone.errors, alone.outcomes.weight), n=n, unit=alone.error_unit)
            slices.sort(key=lambda item: (-item.unexplained, item.conditions))
            found.append(LabelSlices(name, overall, tuple(slices)))
    return tuple(sorted(found, key=lambda item: (-sum(part.unexplained for part in item.slices), item.label)))


def _search(table: EvaluationTable, sliced: Sliced, options: Options, alpha: float, suspicion: float) -> Search:
    """The search, with slices beside the label first.

    Where a column that tells the label is missing, errors are compared among rows of the same label: such a slice may
    hold one label only.
    """
    errors, weight, lattice = table.errors, table.outcomes.weight, sliced.lattice
    beside = sliced.beside_label
    first: tuple[Found, ...] = ()
    if len(beside):
        told = confirm(
            lattice.only(beside),
            errors,
            weight,
            strata=table.outcomes.y,
            n_examined=len(lattice),
            orders=_orders(table, options),
            alpha=alpha,
            suspicion=0,
        )
        first = tuple(replace(item, index=int(beside[item.index])) for item in told.found)
    search = confirm(
        lattice,
        errors,
        weight,
        given=[item.rows for item in first],
        orders=_orders(table, options),
        alpha=alpha,
        suspicion=suspicion,
    )
    return replace(search, found=(*first, *search.found))


def _orders(table: EvaluationTable, options: Options) -> Iterator[NDArray[np.intp]] | None:
    """Permutations that were asked for: of groups where they are known, else as turns of time."""
    if not options.permutations:
        return None
    in_time = None if table.times is None else table.in_time_order
    groups = None if table.groups is None else codes_of_groups(table.groups)
    return shuffles(len(table), options.permutations, in_time=in_time, groups=groups, random_state=options.random_state)


def _reasons(skipped: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name!r} {reason}" for name, reason in skipped[:5]) or "every column has a role"


def _slice(table: EvaluationTable, found: Found, sliced: Sliced, options: Options) -> Slice:
    """A slice with intervals that allow for having been chosen."""
    n = len(found.rows)
    inside = np.zeros(len(table), dtype=bool)
    inside[found.rows] = True
    within, outside = _rate(table, inside), _rate(table, ~inside)
    rate_out = outside[0]
    overall = float(np.average(table.errors, weights=table.outcomes.weight))
    value, low, high = _selected(within, outside, found)
    outcomes = table.outcomes.take(found.rows)
    predicates = sliced.predicates(found)
    return Slice(
        predicates=predicates,
        support=n,
        error=Estimate(value, low, high, n=n, unit=table.error_unit),
        excess=Estimate(n * (value - rate_out), n * (low - rate_out), n * (high - rate_out), n=n, unit="errors"),
        unexplained=found.observed - found.expected,
        lift=value / overall,
        share_of_errors=float(table.errors[inside].sum() / table.errors.sum()),
        p_value=found.p_value,
        tier="confirmed" if found.confirmed and value > overall else "suspected",
        metric=_metric(outcomes, options.metric),
        bias=bias(outcomes),
        only_label=_only_label(table.outcomes, inside),
        value_lost=None if table.value_lost is None else _total(table.value_lost[inside]),
        contrasts=contrasts_of(sliced, found.rows, tuple(predicate.column for predicate in predicates)),
    )


def _metric(outcomes: Outcomes, metric: Metric) -> Estimate | None:
    """The user's metric inside; one whose interval takes refits of the metric is measured on a draw of the rows."""
    slow = metric.rows is None and metric.interval is None
    return metric.estimate(outcomes.take(np.arange(min(len(outcomes), MOST_ROWS))) if slow else outcomes)


def _only_label(outcomes: Outcomes, inside: NDArray[np.bool_]) -> Label | None:
    if not outcomes.classes or outcomes.task == "multilabel":
        return None
    found = np.unique(outcomes.y[inside])
    return outcomes.classes[found[0]] if len(found) == 1 else None


def _rate(table: EvaluationTable, rows: NDArray[np.bool_]) -> tuple[float, float, float]:
    weight = table.outcomes.weight
    return mean_or_share(table.errors[rows], None if weight is None else weight[rows])


def _selected(
    rate: tuple[float, float, float], outside: tuple[float, float, float], found: Found
) -> tuple[float, float, float]:
    """The mean error inside and its interval, given that the slice was only seen because its evidence passed.

    It is not below the mean error outside: that is what the search has ruled out.
    """
    if found.needed is not None:
        return selected_share(round(found.observed), len(found.rows), found.needed, least=min(outside[0], rate[0]))
    shrunk, low, high = shrink(rate, found)
    value = max(outside[0], shrunk)
    return value, min(value, max(outside[0], low)), max(value, high)


def _total(lost: NDArray[np.float64]) -> Estimate:
    n = len(lost)
    value, low, high = mean_interval(lost)
    return Estimate(n * value, n * low, n * high, n=n, unit="value")


def _detectable(errors: NDArray[np.float64], search: Search) -> float | None:
    """(critical value) standard deviations of the errors in a slice of the median support."""
    if search.n_examined == 0:
        return None
    return float(search.critical * np.sqrt(search.median_support * errors.var()))
