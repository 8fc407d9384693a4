"""The chart grammar: dots with intervals, courses over time, cells. Vega-Lite specifications with their data inside.

They are written as the dictionaries that Altair would make (the tests read them back through its schema), because a
page or a training run that only shows one should not wait for Altair to load. Status is told by colour and by shape,
and named in the legend. Nothing is drawn black or white on the bare background, so that both themes can show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log, log10
from typing import TYPE_CHECKING, Any

from mlflow_errata.sections._words import is_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.blocks import Status

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BLUE, VERMILLION, GREY, PURPLE, SKY = "#0072B2", "#D55E00", "#8C8C8C", "#9A6FB0", "#56B4E9"
NOTE = "#767676"
"""Words inside a plot: 4.5 : 1 on white, 4.2 : 1 on the dark background."""
PLAIN = ",~r"
"""The format of a number on an axis: 0.03, 1,200, no exponents."""
TICK = "M-0.1,-1H0.1V1H-0.1Z"
"""A thin upright bar as the shape of a point."""
COLOUR: Mapping[Status, str] = {"good": BLUE, "likely": BLUE, "bad": VERMILLION, "unsure": GREY, "ignored": GREY}
SHAPE: Mapping[Status, str] = {
    "good": "circle",
    "likely": "square",
    "bad": "triangle-up",
    "unsure": "diamond",
    "ignored": "diamond",
}
SAID = {"bad": "▲ found", "good": "● not found", "unsure": "◆ cannot tell", "ignored": "○ ignored"}
"""The status of a verdict in the cell of a table."""
ROW = 26
"""Pixels of a row with one line of text, and of every further line."""
LINE = 13
MANY_DECADES = 2000
PHONE = 420
"""Pixels of a plot below which the words of its legend are broken into lines."""
LETTER, SYMBOL = 6.2, 34
"""Pixels of a character of a legend, and of the mark beside it."""
IN_LINES = "split(trim(replace(datum.label, regexp('(.{1,22})( |$)', 'g'), '$1\\n')), '\\n')"
"""The label of a legend in lines that a phone has room for."""
MARGIN = 0.25
"""Share of the width that words beside a dot may need."""
NAMES: Spec = {
    "labelLimit": 300,
    "labelOverlap": False,
    "labelFlush": False,
    "labelPadding": 8,
    "labelExpr": "split(datum.label, '\\n')",
    "grid": False,
    "domain": False,
    "ticks": False,
}
"""The axis of names: one below the other, none left out, in lines."""


TITLED: Spec = {"titleAnchor": "end"}
"""The axis of values: its title reaches to the left over the names where the plot is narrower, as on a phone."""


@dataclass(frozen=True)
class Series:
    """What a point stands for: its words in the legend, its colour and its shape."""

    words: str
    colour: str
    shape: str


@dataclass(frozen=True)
class Dot:
    """A row of a chart: a name (one line or more), a value, its interval and what it stands for."""

    name: str
    value: float
    series: str
    low: float | None = None
    high: float | None = None
    words: str = ""


def of_status(status: Status, words: str) -> Series:
    """The series of a status."""
    return Series(words, COLOUR[status], SHAPE[status])


def chart(spec: Spec, **parts: Any) -> Spec:
    """A whole specification, as wide as the place that it stands in; its height is that of the plot alone."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **spec,
        **parts,
    }


def legend_of(series: Sequence[Series], *, shown: bool = True) -> Spec:
    """Colour and shape of the field `series`, in one legend above the plot."""
    names = [item.words for item in series]
    narrow = f"width < {PHONE}"
    legend: Spec = {"orient": "top", "title": None, "labelLimit": 320, "columns": {"expr": _columns(names)}}
    legend["labelExpr"] = f"{narrow} ? {IN_LINES} : datum.label"
    told: Spec = {"field": "series", "type": "nominal", "legend": legend if shown else None}
    return {
        "color": told | {"scale": {"domain": names, "range": [item.colour for item in series]}},
        "shape": told | {"scale": {"domain": names, "range": [item.shape for item in series]}},
    }


def _columns(names: Sequence[str]) -> str:
    """How many entries of a legend stand beside each other: as many as the plot has room for."""
    wide = [LETTER * len(name) + SYMBOL for name in names]
    needs = {n: round(sum(max(wide[at::n]) for at in range(n))) for n in range(len(wide), 1, -1)}
    return " : ".join([*(f"width >= {max(need, PHONE)} ? {n}" for n, need in needs.items()), "1"])


def axis_of_change(unit: str, **axis: Any) -> Spec:
    """The axis of a difference, counted in points where the unit is a share."""
    return axis | ({"labelExpr": f"format(100 * datum.value, '{PLAIN}')"} if is_share(unit) else {"format": PLAIN})


def log_axis(title: str, domain: tuple[float, float], **axis: Any) -> Spec:
    """A log scale over a domain, with ticks at 1 and 3 times powers of ten; at powers of ten over many decades."""
    steps = (1,) if domain[1] / domain[0] > MANY_DECADES else (1, 3)
    powers = range(floor(log10(domain[0])), ceil(log10(domain[1])) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps if domain[0] <= step * 10.0**power <= domain[1]]
    return {"title": title, "scale": {"type": "log"}, "axis": {"values": ticks, **axis}}


def dots(
    rows: Sequence[Dot], series: Sequence[Series], *, x: Spec, domain: tuple[float, float], rule: float | None = None
) -> Spec:
    """One row a name, from top to bottom as given: a dot, and a line over its interval.

    Parameters
    ----------
    rows : the dots; several of one name share its row
    series : what the dots stand for, in the order of the legend; those without a dot are left out, and a single one
        needs no legend
    x : Vega-Lite's `scale`, `axis` and `title` of the value
    domain : the values from the left edge to the right one
    rule : where a dashed line stands, if anywhere
    """
    names = list(dict.fromkeys(row.name for row in rows))
    lines = max(name.count("\n") + 1 for name in names)
    used = {row.series for row in rows}
    legend = legend_of([item for item in series if item.words in used], shown=len(series) > 1)
    value = {"field": "value", "type": "quantitative", **x, "scale": {**x.get("scale", {}), "domain": list(domain)}}
    value["axis"] = TITLED | x.get("axis", {})
    y = {"field": "name", "type": "nominal", "sort": names, "title": None, "axis": NAMES}
    layers = [
        *([] if rule is None else [_rule(rule, value["scale"])]),
        *([_spans(value, y)] if any(row.low is not None for row in rows) else []),
        _points(value, y, legend),
        *_said(rows, value, y, domain),
    ]
    return chart(
        {"height": {"step": ROW + LINE * (lines - 1)}, "data": {"values": [_datum(row) for row in rows]}}, layer=layers
    )


def _datum(row: Dot) -> dict[str, Any]:
    return {
        "name": row.name,
        "value": row.value,
        "low": row.value if row.low is None else row.low,
        "high": row.value if row.high is None else row.high,
        "series": row.series,
        "words": row.words,
    }


def _rule(at: float, scale: Spec) -> Spec:
    return {
        "data": {"values": [{"at": at}]},
        "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
        "encoding": {"x": {"field": "at", "type": "quantitative", "scale": scale}},
    }


def _spans(value: Spec, y: Spec) -> Spec:
    return {
        "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
        "encoding": {"x": value | {"field": "low"}, "x2": {"field": "high"}, "y": y},
    }


def _points(value: Spec, y: Spec, legend: Spec) -> Spec:
    return {
        "mark": {"type": "point", "filled": True, "opacity": 1, "size": 90},
        "encoding": {
            "x": value,
            "y": y,
            "tooltip": [{"field": "name", "title": "what"}, {"field": "words", "title": "value"}],
            **legend,
        },
    }


def _said(rows: Sequence[Dot], value: Spec, y: Spec, domain: tuple[float, float]) -> list[Spec]:
    """The value in words, where there is room: right of the interval, left of it, or above the dot."""
    scale = log if value["scale"].get("type") == "log" else float
    left, right = (scale(domain[0]) * (1 - at) + scale(domain[1]) * at for at in (MARGIN, 1 - MARGIN))
    words: Spec = {"type": "text", "color": NOTE, "fontSize": 11, "tooltip": None}
    placed: dict[tuple[str, str, int, int], list[dict[str, Any]]] = {}
    for datum in (_datum(row) for row in rows if row.words):
        place = (
            ("high", "left", 9, 0)
            if scale(datum["high"]) <= right
            else ("low", "right", -9, 0)
            if scale(datum["low"]) >= left
            else ("value", "center", 0, -11)
        )
        placed.setdefault(place, []).append(datum)
    return [
        {
            "data": {"values": values},
            "mark": words | {"align": align, "dx": dx, "dy": dy},
            "encoding": {"x": value | {"field": end}, "y": y, "text": {"field": "words"}},
        }
        for (end, align, dx, dy), values in placed.items()
    ]
