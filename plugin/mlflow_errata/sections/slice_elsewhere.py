"""A slice on the rows that runs keep: the same one in other runs, and one that somebody wrote down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mlflow_errata.blocks import Block, Column, Status, Table, Verdict
from mlflow_errata.sections import _words as words
from mlflow_errata.sections.slice_list import amount
from mlflow_errata.sections.slice_review import cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata._slice_measured import MeasuredSlice
    from mlflow_errata.estimate import Estimate


class Elsewhere(NamedTuple):
    """A slice in another run: the run, when it began, and what is known of the slice there.

    `found` holds the columns of the run's table of slices, or is None where the slice is not among those confirmed;
    `measured` is the slice on the rows that the run keeps, or why it could not be measured, or None if nobody asked.
    """

    run: str
    when: str
    here: bool
    found: Mapping[str, float] | None
    measured: MeasuredSlice | str | None


def elsewhere(runs: Sequence[Elsewhere], unit: str) -> list[Block]:
    """The same slice in the runs of an experiment, newest first."""
    share = unit in words.SHARES
    asked = any(each.measured is not None for each in runs)
    kind = "percent" if share else "number"
    columns = [Column("run"), Column("began"), Column("rows", "integer"), Column(unit, kind)]  # type: ignore[arg-type]
    columns += [Column("95 % interval"), Column("verdict")]
    extra = [Column("measured on rows", "integer"), Column("measured", kind), Column("its 95 % interval")]  # type: ignore[arg-type]
    rows = tuple(
        (
            f"{words.shown(each.run)}{' (this run)' if each.here else ''}",
            each.when,
            *_found(each.found, share=share),
            *(_measured(each.measured) if asked else ()),
        )
        for each in runs
    )
    note = (
        "A slice is the same where its conditions are the same. Not among the confirmed says that the run's search did "
        "not find it beyond chance, or found another slice that explains it."
    )
    more = (
        " Measured: on the rows that each run keeps (at most 50,000 of its evaluation rows, a fair draw), whether its "
        "search found the slice or not; these intervals do not allow for the slice having been picked."
    )
    return [Table((*columns, *(extra if asked else [])), rows, note + (more if asked else ""))]


def _found(found: Mapping[str, float] | None, *, share: bool) -> tuple[int | None, float | None, str, str]:
    if found is None:
        return None, None, "", "not among the confirmed"
    low, high = found["error_low"], found["error_high"]
    between = f"{100 * low:.1f} to {words.percent(high)}" if share else f"{words.number(low)} to {words.number(high)}"
    return round(found["support"]), found["error"], between, "confirmed"


def _measured(measured: MeasuredSlice | str | None) -> tuple[int | None, float | None, str]:
    if measured is None or isinstance(measured, str):
        return None, None, measured or ""
    error = measured.found.error
    return cells(error) if error is not None else (measured.found.support, None, "too few rows")


# -- a slice of one's own ---------------------------------------------------------------------------------------------


def own(measured: MeasuredSlice) -> Verdict:
    """A slice that somebody wrote down: what it does, and on how many rows that was measured."""
    found, excess = measured.found, measured.found.excess
    draw = (
        f"all {words.plural(measured.n_looked_at, 'row')}"
        if measured.n_looked_at == measured.n_rows
        else f"{words.count(measured.n_looked_at)} of {words.plural(measured.n_rows, 'row')}, a fair draw"
    )
    if found.error is None:
        few = f"n = {found.support}, too few to say anything (of {draw})"
        return Verdict("unsure", f"Where {words.conditions(found)}: {few}.")
    inside = f"{found.error.unit} {words.estimate(found.error)} on {words.plural(found.support, 'row')}"
    told = [f"Where {words.conditions(found)}: {inside}, measured on {draw}."]
    if found.outside is not None and excess is not None:
        told.append(f"Outside it is {words.estimate(found.outside)}; {_told_apart(excess)}.")
    if found.metric is not None and found.metric.unit != found.error.unit:
        told.append(f"{words.capital(words.metric(found.metric.unit))} inside {words.estimate(found.metric)}.")
    told.append("One look by itself: the interval does not allow for having tried others.")
    return Verdict(_status(excess), " ".join(told))


def _status(excess: Estimate | None) -> Status:
    if excess is None or excess.low <= 0 <= excess.high:
        return "unsure"
    return "bad" if excess.low > 0 else "good"


def _told_apart(excess: Estimate) -> str:
    if excess.low <= 0 <= excess.high:
        return "the two are not distinguishable"
    if excess.low > 0:
        return f"excess errors {amount(excess)}"
    fewer = replace(excess, value=-excess.value, low=-excess.high, high=-excess.low)
    return f"that is {amount(fewer)} errors fewer inside"


def own_code(expression: str) -> str:
    """The line that has a slice of one's own measured in every diagnosis."""
    return f"record = errata.diagnose(evaluation, ..., named_slices={{{'my slice'!r}: {expression!r}}})"
