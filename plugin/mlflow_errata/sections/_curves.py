"""Charts over a threshold: what decisions lose, and what acting on them is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import BLUE, GREY, NOTE, PLAIN, VERMILLION, Spec, chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._thresholds import NetBenefit, ThresholdChoice

HEIGHT = 220
MODEL, EVERYONE = "by the scores", "on every row"


def threshold_curve(choice: ThresholdChoice) -> Chart:
    """Value lost per row at every threshold; the one in use and the best one marked."""
    rows: list[dict[str, Any]] = [
        {
            "threshold": _short(point.threshold),
            "lost": _short(point.lost.value),
            "low": _short(point.lost.low),
            "high": _short(point.lost.high),
            "words": words.estimate(point.lost),
        }
        for point in choice.curve
    ]
    x = _x("threshold", [row["threshold"] for row in rows] + ([] if choice.used is None else [choice.used]))
    y: Spec = {"field": "lost", "type": "quantitative", "title": "value lost per row", "axis": _axis()}
    marks = [(choice.best, "best", BLUE, [1, 0])]
    if choice.used is not None:
        marks.append((choice.used, "used", VERMILLION if choice.counts else GREY, [5, 3]))
    least = min(choice.curve, key=lambda point: point.lost.value)
    spec = chart(
        {"height": HEIGHT},
        layer=[
            _as_good(choice, x),
            *_band(rows, x, y, BLUE),
            *(layer for at, mark in enumerate(marks) for layer in _marked(mark, x, at)),
        ],
    )
    used = "" if choice.used is None else f", {words.number(choice.used)} is used"
    return Chart(
        spec,
        alt=f"Value lost per row by threshold: least {words.estimate(least.lost)} at {words.number(least.threshold)}"
        f"{used}; from {words.number(choice.as_good[0])} to {words.number(choice.as_good[1])} it is the same within "
        "chance.",
        title="Threshold against value lost (95 % interval; shaded: as good within chance)",
    )


def decision_curve(curve: Sequence[NetBenefit]) -> Chart:
    """Net benefit of acting by the scores, on every row, and on none."""
    rows: list[dict[str, Any]] = [
        {
            "threshold": point.threshold,
            "value": _short(point.model.value),
            "low": _short(point.model.low),
            "high": _short(point.model.high),
            "words": words.estimate(point.model),
            "series": MODEL,
        }
        for point in curve
    ]
    floor = min(*(row["low"] for row in rows), 0.0)
    top = max(*(row["high"] for row in rows), *(point.everyone for point in curve))
    floor = min(floor, -0.1 * top)
    everyone = [
        {"threshold": point.threshold, "value": _short(point.everyone), "series": EVERYONE}
        for point in curve
        if point.everyone >= floor
    ]
    x = _x("probability from which on one acts", [row["threshold"] for row in rows])
    y: Spec = {"field": "value", "type": "quantitative", "title": "net benefit per row", "axis": _axis()}
    y["scale"] = {"domain": [floor, 1.05 * top], "nice": False, "zero": False}
    names, legend = [MODEL, EVERYONE], {"orient": "top", "title": None}
    told: Spec = {"field": "series", "type": "nominal", "legend": legend}
    line: Spec = {
        "data": {"values": rows + everyone},
        "mark": {"type": "line", "strokeWidth": 2, "tooltip": None},
        "encoding": {
            "x": x,
            "y": y,
            "color": told | {"scale": {"domain": names, "range": [BLUE, GREY]}},
            "strokeDash": told | {"scale": {"domain": names, "range": [[1, 0], [5, 3]]}},
        },
    }
    zero = {
        "data": {"values": [{"value": 0}]},
        "mark": {"type": "rule", "color": NOTE, "strokeWidth": 1, "tooltip": None},
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }
    spec = chart({"height": HEIGHT}, layer=[zero, *_band(rows, x, y, BLUE)[:1], line])
    best = max(curve, key=lambda point: point.model.value - max(point.everyone, 0.0))
    return Chart(
        spec,
        alt="Net benefit per row by the probability from which on one acts. The scores add most at "
        f"{words.number(best.threshold)}: {words.estimate(best.model)}, acting on every row "
        f"{words.number(best.everyone)}, on none 0.",
        title="Decision curve: net benefit of acting by the scores, on every row, and on none (0)",
    )


def _x(title: str, values: list[float]) -> Spec:
    scale = {"domain": [min(values), max(values)], "nice": False, "zero": False}
    return {
        "field": "threshold",
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"format": PLAIN, "tickCount": 6},
    }


def _axis() -> Spec:
    return {"format": PLAIN, "tickCount": 5, "labelOverlap": False}


def _band(rows: list[dict[str, Any]], x: Spec, y: Spec, colour: str) -> list[Spec]:
    data = {"values": rows}
    tooltip = [{"field": "threshold", "type": "quantitative"}, {"field": "words", "title": "value"}]
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": colour, "opacity": 0.25},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip},
        },
        {
            "data": data,
            "mark": {"type": "line", "color": colour, "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": x, "y": y},
        },
    ]


def _as_good(choice: ThresholdChoice, x: Spec) -> Spec:
    return {
        "data": {"values": [{"threshold": choice.as_good[0], "end": choice.as_good[1]}]},
        "mark": {"type": "rect", "color": BLUE, "opacity": 0.12, "tooltip": None},
        "encoding": {"x": x, "x2": {"field": "end"}},
    }


def _marked(mark: tuple[float, str, str, list[int]], x: Spec, at: int) -> list[Spec]:
    """An upright line with its name above the plot; names of neighbours stand at two heights."""
    where, name, colour, dash = mark
    low, high = x["scale"]["domain"]
    late = where - low > 0.8 * (high - low)
    data = {"values": [{"threshold": where, "words": f"{name} {words.number(where)}"}]}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"x": x},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "right" if late else "left", "dx": -5 if late else 5}
            | {"color": colour, "fontSize": 11, "baseline": "top", "tooltip": None},
            "encoding": {"x": x, "y": {"value": 2 + 14 * at}, "text": {"field": "words"}},
        },
    ]


def _short(x: float) -> float:
    return float(f"{x:.5g}")
