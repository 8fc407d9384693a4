"""The runs of an experiment in words and pictures."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Table, Text
from mlflow_errata.sections import REGISTRY
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import BLUE, GREY, PURPLE, SAID, SKY, VERMILLION, Dot, Series, dots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.blocks import Cell
    from mlflow_errata.tracking.search import RunRow, RunVerdict

TITLE = "History"
LOOKS = (
    (BLUE, "circle"),
    (PURPLE, "diamond"),
    (SKY, "square"),
    (VERMILLION, "triangle-down"),
    (BLUE, "cross"),
    (PURPLE, "triangle-up"),
)
"""Colour and shape of the runs of one test set; no status is meant."""
OTHERS = Series("other test sets", GREY, "triangle-right")
"""What stands for the test sets of fewest runs where there are more than looks."""


def name(row: RunRow) -> str:
    """A run as a reader calls it."""
    return words.shown(row.name)


def value(row: RunRow) -> str:
    """The metric of a run with its name."""
    return "not measured" if row.value is None else f"{words.metric(row.metric)} {words.number(row.value)}"


def section(rows: Sequence[RunRow], zone: tuple[tzinfo, str] = (UTC, "UTC")) -> list[Block]:
    """The metric of every run, and what each diagnosis said; newest first. `zone`: of the moments, and its name."""
    measured = [row for row in rows if row.value is not None]
    metrics = list(dict.fromkeys(row.metric for row in measured))
    blocks: list[Block] = [Text(_comparable(rows))]
    kinds = _kinds(measured)
    blocks += [_course([row for row in measured if row.metric == metric], metric, kinds) for metric in metrics]
    return [*blocks, _table(rows, zone)]


def _comparable(rows: Sequence[RunRow]) -> str:
    digests = {row.digest for row in rows if row.digest}
    if len(digests) <= 1:
        return "All runs were measured on the same rows."
    return (
        f"These runs were measured on {len(digests)} different test sets: "
        "compare only runs that are the same in the column 'test set'."
    )


def _kinds(rows: Sequence[RunRow]) -> dict[str, Series]:
    """The look of every test set, the same in every chart and no two alike; those of fewest runs share one."""
    known = [digest for digest, _ in Counter(row.digest for row in rows).most_common()]
    own = {digest: Series(f"test set {digest[:8]}", *look) for digest, look in zip(known, LOOKS, strict=False)}
    return dict.fromkeys(known, OTHERS) | own


def _course(rows: Sequence[RunRow], metric: str, kinds: dict[str, Series]) -> Chart:
    marks = [
        Dot(
            name(row),
            row.value or 0.0,
            kinds[row.digest].words,
            row.low,
            row.high,
            f"{words.number(row.value or 0.0)}",
        )
        for row in rows
    ]
    low, high = min(row.low or 0.0 for row in rows), max(row.high or 0.0 for row in rows)
    pad = 0.15 * (high - low or 1.0)
    spec = dots(
        marks,
        list(dict.fromkeys(kinds.values())),
        x={"title": f"{words.metric(metric)} (95 % interval)", "scale": {"zero": False}, "axis": {"tickCount": 6}},
        domain=(low - pad, high + pad),
    )
    told = "; ".join(f"{mark.name} {mark.words}" for mark in marks)
    return Chart(spec, alt=f"{words.metric(metric)} of every run: {told}.", title=f"{words.metric(metric)} by run")


def _table(rows: Sequence[RunRow], zone: tuple[tzinfo, str]) -> Table:
    columns = (
        Column("run"),
        Column(f"started ({zone[1]})"),
        Column("test set"),
        Column("rows", "integer"),
        Column("metric"),
        *(Column(module.TITLE) for module in REGISTRY.values()),
        Column("next step"),
    )
    return Table(columns, tuple(_row(row, zone[0]) for row in rows), keys=tuple(row.run_id for row in rows))


def _row(row: RunRow, zone: tzinfo) -> tuple[Cell, ...]:
    value = "" if row.value is None else f"{words.metric(row.metric)} {words.number(row.value)}"
    verdicts = tuple(_verdict(row, diagnosis) for diagnosis in REGISTRY)
    next_step = row.next_step.replace("_", " ") if not row.failed else "failed"
    return (
        name(row),
        f"{row.started.astimezone(zone):%Y-%m-%d %H:%M}",
        row.digest[:8],
        row.n_rows,
        value,
        *verdicts,
        next_step,
    )


def _verdict(row: RunRow, diagnosis: str) -> str:
    said = row.verdicts.get(diagnosis)
    if said is None:
        return "not made"
    mark = SAID.get(said.status, SAID["bad" if said.found else "good"])
    return mark if said.value is None or mark == SAID["unsure"] else f"{mark} · {_figure(said, diagnosis)}"


def _figure(said: RunVerdict, diagnosis: str) -> str:
    """The headline of a diagnosis with its unit; of drift it is a change, and has a sign."""
    value = said.value or 0.0
    sign = "+" if diagnosis == "recency_drift" and value > 0 else ""
    told = words.percent(value) if words.is_share(said.unit) else words.number(value)
    return f"{words.metric(said.unit)} {sign}{told}"
