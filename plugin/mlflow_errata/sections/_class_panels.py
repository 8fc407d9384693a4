"""Classes side by side: rows, recall and what they are taken for, in three panels that share their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, NAMES, NOTE, PHONE, Series, Spec, chart, legend_of, log_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses.class_imbalance import ClassImbalance

INK, DIAGONAL, ORANGES = "#222222", "#D9D9D9", ["#FDEBD8", "#F5B98A", "#D55E00"]
STEP = 34
"""Pixels of a class."""
OWN = dict.fromkeys(("x", "color", "shape"), "independent")
BELOW: Spec = {"orient": "bottom", "labelOverlap": True, "labelFlush": False}
PANELS = ((0.0, 0.22), (0.32, 0.58), (0.7, 1.0))
"""Where each panel begins and ends, as shares of the width."""


def panels(result: ClassImbalance, series: Sequence[Series], of: Sequence[Series]) -> Chart:
    """Support on a log axis, recall with its interval, and the confusions in % of the rows of each class.

    Parameters
    ----------
    result : ClassImbalance, of one label a row, few classes
    series : what a dot of recall may stand for, in the order of the legend
    of : what the dot of each class stands for
    """
    names = words.distinct([item.label for item in result.classes])
    y: Spec = {"field": "name", "type": "nominal", "sort": names, "title": None, "axis": NAMES}
    used = [item for item in series if item in of]
    return Chart(
        chart(
            {"height": {"step": STEP}, "view": {"stroke": None}, "resolve": {"scale": OWN}},
            layer=[
                _support(result, names, y),
                _recall(result, names, y, of, legend_of(used, shown=len(series) > 1)),
                *([_confusions(result, names, y)] if result.confusions else []),
            ],
        ),
        alt=_told(result, names),
        title="Rows of each class (log scale), recall (95 % interval), what it is taken for (% of its rows)",
    )


def _told(result: ClassImbalance, names: list[str]) -> str:
    each = [
        f"{name}: {words.plural(item.support, 'row')}"
        + ("" if item.recall is None else f", recall {words.value(item.recall)}")
        for name, item in zip(names, result.classes, strict=True)
    ]
    said = f"Rows and recall of each class: {words.listed(each, most=8)}."
    if not result.confusions:
        return said
    worst = result.confusions[0]
    return (
        f"{said} Most confusions: {words.shown(worst.label)} taken for {words.shown(worst.prediction)}, "
        f"{words.plural(worst.support, 'row')}, {words.percent(worst.share)} of it."
    )


def _range(panel: int) -> list[Spec]:
    return [{"expr": f"{share} * width"} for share in PANELS[panel]]


def _support(result: ClassImbalance, names: list[str], y: Spec) -> Spec:
    rows = [
        {"name": name, "value": item.support, "words": words.count(item.support)}
        for name, item in zip(names, result.classes, strict=True)
        if item.support
    ]
    support = [item.support for item in result.classes if item.support]
    domain = (min(support) / 2, max(support) * 2)
    axis = log_axis("rows", domain, format="~s", **BELOW)
    x = {"field": "value", "type": "quantitative", **axis}
    x["scale"] = {"type": "log", "domain": list(domain), "range": _range(0), "nice": False}
    return {
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 90, "color": GREY}, "encoding": _at(x, y)},
            _beside(x, y),
        ],
    }


def _recall(result: ClassImbalance, names: list[str], y: Spec, of: Sequence[Series], legend: Spec) -> Spec:
    rows = [
        {
            "name": name,
            "value": item.recall.value,
            "low": item.recall.low,
            "high": item.recall.high,
            "words": words.value(item.recall),
            "told": words.estimate(item.recall),
            "series": stands.words,
        }
        for name, item, stands in zip(names, result.classes, of, strict=True)
        if item.recall is not None
    ]
    scale = {"domain": [0, 1], "range": _range(1)}
    x = {"field": "value", "type": "quantitative", "title": "recall", "scale": scale}
    x["axis"] = {"format": ".0%", "values": [0, 0.5, 1], "grid": True, **BELOW}
    point = {"type": "point", "filled": True, "opacity": 1, "size": 90}
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y},
            },
            {"mark": point, "encoding": _at(x, y, "told") | legend},
            _beside(x | {"field": "high"}, y),
        ],
    }


def _at(x: Spec, y: Spec, told: str = "words") -> Spec:
    return {"x": x, "y": y, "tooltip": [{"field": "name", "title": "class"}, {"field": told, "title": " "}]}


def _beside(x: Spec, y: Spec) -> Spec:
    """Words to the right of a dot, where there is room."""
    ink = {"type": "text", "align": "left", "dx": 8, "color": NOTE, "tooltip": None}
    ink["opacity"] = {"expr": f"width < {PHONE} ? 0 : 1"}
    return {"mark": ink, "encoding": {"x": x, "y": y, "text": {"field": "words"}}}


def _confusions(result: ClassImbalance, names: list[str], y: Spec) -> Spec:
    place = {item.label: name for name, item in zip(names, result.classes, strict=True)}
    right = [
        _cell(place[item.label], place[item.label], item.recall.value)
        for item in result.classes
        if item.recall is not None
    ]
    wrong = [_cell(place[item.label], place[item.prediction], item.share) for item in result.confusions]
    x: Spec = {"field": "prediction", "type": "nominal", "sort": names, "title": "taken for"}
    x["scale"] = {"domain": names, "range": _range(2), "paddingInner": 0.04}
    room = {"expr": f"{PANELS[2][1] - PANELS[2][0]:.2f} * width / {len(names)} - 4"}
    x["axis"] = {**BELOW, "labelLimit": room, "labelAngle": 0, "grid": False, "domain": False, "ticks": False}
    most = max(item.share for item in result.confusions)
    colour = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, most], "range": ORANGES},
    }
    ink = {"type": "text", "color": INK, "fontSize": 11, "tooltip": None}
    encoding = {"x": x, "y": y}
    drawn: list[Spec] = [
        {"data": {"values": right}, "mark": {"type": "rect", "color": DIAGONAL}, "encoding": encoding},
        {"data": {"values": wrong}, "mark": {"type": "rect"}, "encoding": encoding | {"color": colour}},
    ]
    said = [
        {"data": {"values": cells}, "mark": ink, "encoding": encoding | {"text": {"field": "words"}}}
        for cells in (right, wrong)
    ]
    return {"layer": [*drawn, *said]}


def _cell(name: str, prediction: str, share: float) -> Spec:
    return {"name": name, "prediction": prediction, "share": share, "words": in_percent(share)}


def in_percent(share: float) -> str:
    """A share as a whole number of percent."""
    percent = 100 * share
    return "<1" if 0 < percent < 0.5 else f"{percent:.0f}"  # noqa: PLR2004 - what would round to zero
