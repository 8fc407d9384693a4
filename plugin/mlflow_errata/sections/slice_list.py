"""The list of slices that one of them is picked from: as a chart and as a table, in the order that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlflow_errata.blocks import Chart, Column, Table
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import (
    BLUE,
    COLOUR,
    GREY,
    LINE,
    NAMES,
    ROW,
    SHAPE,
    TITLED,
    Series,
    Spec,
    chart,
    legend_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mlflow_errata._reviews import Review
    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.estimate import Estimate

MOST_DRAWN = 15
"""Slices of a chart; the table lists all."""
LINE_OF_NAME, MOST_LINES = 30, 4
"""Characters of a line of a slice's name beside the chart, and lines of it."""
FEW = 30
"""Rows from which a share means something."""
PICK = "pick"
"""The chart's selection: a list of {"slice_id": ..., "turn": ...}."""
BEYOND, UNCLEAR, SUSPECTED, SETTLED = (
    Series("more errors than elsewhere", COLOUR["bad"], SHAPE["bad"]),
    Series("interval includes 0", GREY, SHAPE["unsure"]),
    Series("suspected", GREY, "square"),
    Series("fixed or accepted", BLUE, SHAPE["good"]),
)
ASPECT_WORDS = {
    "unexplained": "unexplained errors",
    "excess": "excess errors",
    "effect": "effect size",
    "support": "rows",
    "value": "value lost",
}
ASPECT_HELP = {
    "unexplained": "errors beyond what the slices found before it leave to be expected",
    "excess": "errors beyond those of the rows outside, at the lower end of the interval",
    "effect": "mean error inside - outside",
    "support": "rows inside",
    "value": "business value lost inside, at the lower end of the interval",
}
MARK: Mapping[str, str] = {"open": "▲ open", "fixed": "● fixed", "accepted": "○ accepted", "back": "▲ back again"}


class Listed(NamedTuple):
    """A slice of the list: its place, its score, and what was said of it.

    `status` is "open", "fixed", "accepted", or "back" for a slice that was called fixed and is found again.
    """

    at: int
    item: Slice
    score: float
    status: str
    review: Review | None


def listed(
    ranked: Sequence[tuple[Slice, float]], reviews: Mapping[str, Review], started: datetime
) -> tuple[Listed, ...]:
    """Slices in their order with what was said of each; `started` is when the run began."""
    return tuple(
        Listed(at, item, score, _status(reviews.get(item.id), started), reviews.get(item.id))
        for at, (item, score) in enumerate(ranked, start=1)
    )


def _status(review: Review | None, started: datetime) -> str:
    if review is None:
        return "open"
    return "back" if review.came_back(started) else review.status


def chart_of(slices: Sequence[Listed], chosen: str, turn: int = 0) -> Chart:
    """Excess errors with their intervals, in the order of the list; a click picks a slice by its id.

    At most 15 are drawn: the first, and the chosen one. `turn` comes back with what is picked: a dot that was picked
    before is picked again if the turn is another. Neither it nor the chosen slice changes anything but the data, so the
    chart need not be drawn anew.
    """
    drawn = [each for each in slices if each.at <= MOST_DRAWN or each.item.id == chosen][-MOST_DRAWN - 1 :]
    rows = [_datum(each, chosen=each.item.id == chosen, turn=turn) for each in drawn]
    unit = drawn[0].item.error.unit
    title = "excess errors" if unit == "error rate" else "excess of summed error"
    ends = [end for each in drawn for end in (each.item.excess.low, each.item.excess.high)]
    x: Spec = {"type": "quantitative", "title": f"{title} (95 % interval)", "axis": TITLED | {"tickCount": 5}}
    x["scale"] = {"nice": True, "domain": [min(0.0, *ends), max(0.0, *ends)]}
    lines = max(row["name"].count("\n") + 1 for row in rows)
    spec = chart(
        {"height": {"step": max(ROW, 10 + LINE * lines)}, "data": {"values": rows}},
        layer=_layers(x, rows),
        params=[_picking()],
    )
    left = len(slices) - len(drawn)
    return Chart(
        spec,
        alt=f"{words.plural(len(drawn), 'slice')} in the order of the list, with excess errors and intervals. "
        + " ".join(f"{row['place']}: {row['words']}, {row['series']}." for row in rows[:5])
        + " The table below holds them all.",
        title="Errors beyond those of the rows outside" + (f"; {left} more in the table" if left else ""),
    )


def _picking() -> Spec:
    """A click picks the dot nearest to it; it is never cleared, so that one slice is always chosen."""
    select: Spec = {"type": "point", "fields": ["slice_id", "turn"], "on": "click"}
    select |= {"nearest": True, "clear": False, "toggle": False}
    return {"name": PICK, "select": select, "views": ["dots"]}


def _layers(x: Spec, rows: list[Spec]) -> list[Spec]:
    y: Spec = {"field": "name", "type": "nominal", "sort": [row["name"] for row in rows], "title": None, "axis": NAMES}
    series = [BEYOND, UNCLEAR, SUSPECTED, SETTLED]
    used = [each for each in series if any(row["series"] == each.words for row in rows)]
    size = {"field": "rows", "type": "quantitative", "legend": None, "scale": {"range": [60, 400], "zero": True}}
    tooltip = [
        {"field": "place", "title": "slice"},
        {"field": "words", "title": "excess errors"},
        {"field": "error", "title": "error"},
        {"field": "rows", "type": "quantitative", "format": ","},
        {"field": "status"},
    ]
    return [
        {
            "transform": [{"filter": "datum.chosen"}],
            "mark": {"type": "rect", "color": BLUE, "opacity": 0.14, "tooltip": None},
            "encoding": {"y": y},
        },
        {
            "data": {"values": [{"at": 0}]},
            "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
            "encoding": {"x": x | {"field": "at"}},
        },
        {
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
            "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y},
        },
        {
            "name": "dots",
            "mark": {"type": "point", "filled": True, "opacity": 1, "cursor": "pointer"},
            "encoding": {"x": x | {"field": "value"}, "y": y, "size": size, "tooltip": tooltip, **legend_of(used)},
        },
    ]


def _datum(each: Listed, *, chosen: bool, turn: int) -> Spec:
    item = each.item
    return {
        "slice_id": item.id,
        "name": _in_lines(each),
        "place": f"{each.at}. {words.conditions(item)}",
        "value": item.excess.value,
        "low": item.excess.low,
        "high": item.excess.high,
        "rows": item.support,
        "error": words.estimate(item.error),
        "words": amount(item.excess),
        "series": _series(each).words,
        "status": MARK[each.status],
        "chosen": chosen,
        "turn": turn,
    }


def _series(each: Listed) -> Series:
    if each.status in {"fixed", "accepted"}:
        return SETTLED
    if each.item.tier == "suspected":
        return SUSPECTED
    return BEYOND if each.item.excess.low > 0 else UNCLEAR


def _in_lines(each: Listed) -> str:
    """The name of a slice in lines, one condition (or part of a long one) a line, a long one cut."""
    lines = words.in_lines(each.item.conditions, LINE_OF_NAME, f"{each.at}. ")
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "…"])


def amount(measured: Estimate) -> str:
    """Errors are counted, sums of errors measured: 472 (425 to 520)."""
    if abs(measured.value) < 10:  # noqa: PLR2004 - one decimal tells little ones apart
        return f"{measured.value:.1f} ({measured.low:.1f} to {measured.high:.1f})"
    return f"{words.count(measured.value)} ({words.count(measured.low)} to {words.count(measured.high)})"


def table_of(slices: Sequence[Listed]) -> Table:
    """The list in figures; keys are ids."""
    first = slices[0].item
    unit = first.error.unit
    columns = [
        Column("", "integer"),
        Column("status"),
        Column("slice"),
        Column("rows", "integer"),
        Column(unit, "percent" if unit in words.SHARES else "number"),
        Column("95 % interval"),
        Column("excess errors"),
        Column("of all errors", "percent"),
        Column("unexplained", "number"),
        *([] if first.value_lost is None else [Column("value lost", "number")]),
        Column("tier"),
        Column("score", "number"),
    ]
    rows = tuple(
        (
            each.at,
            MARK[each.status],
            words.conditions(each.item),
            each.item.support,
            each.item.error.value,
            words.interval(each.item.error),
            amount(each.item.excess),
            each.item.share_of_errors,
            round(each.item.unexplained, 1),
            *(() if first.value_lost is None else (each.item.value_lost and each.item.value_lost.value,)),
            words.too_few(each.item.support, "rank") if each.item.support < FEW else each.item.tier,
            round(each.score, 3),
        )
        for each in slices
    )
    return Table(tuple(columns), rows, keys=tuple(each.item.id for each in slices))


ABOUT = (
    "Excess errors = rows x (error inside - outside); the intervals allow for a slice having been picked from many. "
    "Unexplained = errors beyond what the slices found before it leave to be expected. Score = weighted mean of the "
    "aspects that the list is ranked by, each as a share of the largest in the list; suspected slices come last."
)
