"""Columns that moved, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Table, Text
from mlflow_errata.diagnoses.recency_drift import WORTH_A_LOOK
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, PLAIN, TICK, VERMILLION, Dot, Series, dots, log_axis, of_status

if TYPE_CHECKING:
    from mlflow_errata.diagnoses.recency_drift import RecencyDrift, Shift

MOST_COLUMNS = 15
"""Columns that the chart and the table show."""
LEAST_PSI = 1e-5
"""Where a PSI of nothing is drawn on the log scale."""
MOVED = Series("moved", VERMILLION, "triangle-up")
STAYED = of_status("unsure", "did not move, or by little")
FLOOR = Series("expected without drift", GREY, TICK)


def columns_moved(result: RecencyDrift) -> list[Block]:
    """Which columns moved, how far beside what sampling alone would give, and from what to what."""
    return [Text(_moved(result)), _psi(result), _table(result)]


def _moved(result: RecencyDrift) -> str:
    moved = [words.shown(shift.column) for shift in result.shifts if shift.found]
    looked = words.plural(len(result.shifts), "column")
    if not moved:
        return f"None of {looked} moved by more than chance and by an amount worth a look."
    harm = "" if result.found else " The newest rows are not served worse, so this asks for nothing."
    return f"{len(moved)} of {looked} moved: {words.listed(moved)}.{harm}"


def _psi(result: RecencyDrift) -> Chart:
    shown = result.shifts[:MOST_COLUMNS]
    names = words.distinct([shift.column for shift in shown])
    rows = [
        dot
        for name, shift in zip(names, shown, strict=True)
        for dot in (
            Dot(name, max(shift.floor, LEAST_PSI), FLOOR.words),
            Dot(name, max(shift.psi + shift.floor, LEAST_PSI), (MOVED if shift.found else STAYED).words),
        )
    ]
    measured = [row.value for row in rows]
    domain = (min(measured) / 2, max(measured) * 2)
    return Chart(
        dots(rows, (MOVED, STAYED, FLOOR), x=log_axis("PSI (log scale)", domain, format=PLAIN), domain=domain),
        alt="PSI of each column, newest against older rows: "
        + words.listed([f"{name} {words.number(shift.psi)}" for name, shift in zip(names, shown, strict=True)], most=8)
        + ".",
        title="How far each column moved",
    )


def _table(result: RecencyDrift) -> Table:
    columns = (
        Column("column"),
        Column("PSI above its floor", "number"),
        Column("floor", "number"),
        Column("typical before"),
        Column("typical now"),
        Column("never seen before"),
        Column("missing before", "percent"),
        Column("missing now", "percent"),
        Column("JS", "number"),
        Column("KS", "number"),
        Column("Wasserstein", "number"),
        Column("moved"),
    )
    shown = result.shifts[:MOST_COLUMNS]
    more = f" The {MOST_COLUMNS} largest of {len(result.shifts)}." if len(result.shifts) > MOST_COLUMNS else ""
    caption = (
        "PSI = population stability index; its floor is what sampling alone would give. Moved: beyond chance over all "
        f"columns, and at least {WORTH_A_LOOK} above the floor. JS, KS, Wasserstein: distances by Jensen-Shannon, by "
        f"Kolmogorov-Smirnov, and by how many standard deviations values move on average.{more}"
    )
    return Table(columns, tuple(_row(shift) for shift in shown), caption)


def _novel(shift: Shift) -> str:
    """Levels that are new, or the share of numbers out of the old range."""
    if not shift.unseen:
        return ""
    named = f": {words.listed([words.shown(level) for level in shift.new_levels])}" if shift.new_levels else ""
    return f"{words.percent(shift.unseen)}{named}"


def _row(shift: Shift) -> tuple[str | float | None, ...]:
    return (
        words.shown(shift.column),
        shift.psi,
        shift.floor,
        words.shown(shift.reference),
        words.shown(shift.current),
        _novel(shift),
        shift.missing_before,
        shift.missing_now,
        shift.jensen_shannon,
        shift.kolmogorov_smirnov,
        shift.wasserstein,
        "yes" if shift.found else "no",
    )
