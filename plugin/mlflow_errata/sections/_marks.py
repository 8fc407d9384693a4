"""The chart grammar: dots with intervals, courses over time, cells. Vega-Lite specifications with their data inside.

They are written as the dictionaries that Altair would make (the tests read them back through its schema), because a page
or a training run that only shows one should not wait for Altair to load. Status is told by colour and by shape, and named in
the legend. Nothing is drawn black or white on the bare background, so that both themes can show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BLUE, VERMILLION, GREY, PURPLE, SKY = "#0072B2", "#D55E00", "#8C8C8C", "#9A6FB0", "#56B4E9"
NOTE = "#767676"
"""Words inside a plot: 4.5 : 1 on white, 4.2 : 1 on the dark background."""
TICK = "M-0.1,-1H0.1V1H-0.1Z"
"""A thin upright bar as the shape of a point."""
COLOUR: Mapping[Status, str] = {"good": BLUE, "bad": VERMILLION, "unsure": GREY}
SHAPE: Mapping[Status, str] = {"good": "circle", "bad": "triangle-up", "unsure": "diamond"}
ROW = 26
"""Pixels of a row with one line of text, and of every further line."""
LINE = 13


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
    """A whole specification, as wide as the place that it stands in."""
    return {"$schema": SCHEMA, "width": "container", **spec, **parts}


def legend_of(series: Sequence[Series], field: str = "series") -> Spec:
    """Colour and shape of the series, in one legend above the plot."""
    names = [item.words for item in series]
    legend = {"orient": "top", "title": None, "labelLimit": 320, "columns": 0}
    return {
        "color": {
            "field": field,
            "type": "nominal",
            "scale": {"domain": names, "range": [item.colour for item in series]},
            "legend": legend,
        },
        "shape": {
            "field": field,
            "type": "nominal",
            "scale": {"domain": names, "range": [item.shape for item in series]},
            "legend": legend,
        },
    }


def dots(
    rows: Sequence[Dot],
    series: Sequence[Series],
    *,
    x: Spec,
    rule: float | None = None,
) -> Spec:
    """One row a name, from top to bottom as given: a dot, and a line over its interval.

    Parameters
    ----------
    rows : the dots; several of one name share its row
    series : what the dots stand for, in the order of the legend; those without a dot are left out
    x : Vega-Lite's `scale`, `axis` and `title` of the value
    rule : where a dashed line stands, if anywhere
    """
    names = list(dict.fromkeys(row.name for row in rows))
    lines = max(name.count("\n") + 1 for name in names)
    y = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"labelLimit": 300, "labelOverlap": False, "labelExpr": "split(datum.label, '\\n')", "grid": False}
        | {"domain": False, "ticks": False},
    }
    used = {row.series for row in rows}
    axis_x = {"field": "value", "type": "quantitative", **x}
    point = {
        "mark": {"type": "point", "filled": True, "opacity": 1, "size": 90},
        "encoding": {
            "x": axis_x,
            "y": y,
            "tooltip": [{"field": "name", "title": "what"}, {"field": "words", "title": "value"}],
            **legend_of([item for item in series if item.words in used]),
        },
    }
    span = {
        "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
        "encoding": {"x": axis_x | {"field": "low"}, "x2": {"field": "high"}, "y": y},
    }
    said = {
        "mark": {"type": "text", "align": "left", "dx": 9, "color": NOTE, "fontSize": 11, "tooltip": None},
        "encoding": {"x": axis_x | {"field": "end"}, "y": y, "text": {"field": "words"}},
    }
    line = {
        "data": {"values": [{"at": rule}]},
        "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }
    values = [
        {"name": row.name, "value": row.value, "low": row.low, "high": row.high, "series": row.series}
        | {"words": row.words, "end": row.value if row.high is None else row.high}
        for row in rows
    ]
    layers = [
        *([] if rule is None else [line]),
        *([span] if any(row.low is not None for row in rows) else []),
        point,
        *([said] if any(row.words for row in rows) else []),
    ]
    return chart({"height": {"step": ROW + LINE * (lines - 1)}, "data": {"values": values}}, layer=layers)
