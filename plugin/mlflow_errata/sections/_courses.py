"""Charts over time: the metric, the rows per window, the rates of labels and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import (
    BLUE,
    GREY,
    PLAIN,
    PURPLE,
    Series,
    Spec,
    chart,
    legend_of,
)
from mlflow_errata.sections._spans import (
    at,
    end_of_axis,
    onset,
    precision,
    shown_from,
    spans,
    trained_from,
    type_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mlflow_errata.diagnoses.recency_drift import RecencyDrift, Window
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.metric import Label
    from mlflow_errata.record.schema import Training

FEWEST = 30
"""Rows below which the interval of a window would hide everything else, unless the other windows are as small."""
HEIGHT, LOW_HEIGHT = 200, 40
LEFT = 48
"""Pixels that the axis of every chart over time takes at least, so that stacked charts line up."""
LABELS, PREDICTIONS, SCORES = (
    Series("labels", BLUE, "circle"),
    Series("predictions", GREY, "square"),
    Series("mean score", PURPLE, "diamond"),
)
RUN = {"field": "run", "type": "nominal"}
TICKS = {"hour": "%-d %b %H:00", "day": "%-d %b", "week": "%-d %b", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}


def fewest_drawn(result: RecencyDrift) -> int:
    """Rows that a window needs to be drawn: 30, or half of those of the largest window."""
    return min(FEWEST, max(window.support for window in result.windows) // 2)


def metric_course(result: RecencyDrift, training: Training | None = None) -> Chart:
    """The metric per window with its interval; training, older and newest rows shaded, the onset marked."""
    fewest = fewest_drawn(result)
    drawn = [window for window in result.windows if window.metric is not None and window.support >= fewest]
    runs = _runs(result)
    rows = [{**_point(window, window.metric, result), "run": runs[window.start]} for window in drawn]
    name, percent = words.metric(result.metric), result.metric in words.SHARES
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    room = 0.15 * (high - low or abs(high) or 1.0)
    y: Spec = {"type": "quantitative", "title": name, "axis": _axis_y(percent=percent)}
    y["scale"] = {"domain": [low - room, high + room / 3], "nice": False, "zero": False}
    n_left_out = len(result.windows) - len(drawn)
    left_out = f"; {words.plural(n_left_out, 'window')} of fewer than {fewest} rows not drawn" if n_left_out else ""
    return Chart(
        chart(
            {"height": HEIGHT},
            layer=[
                *spans(result, training),
                *_band(rows, _time(result, training, labels=True), y),
                *onset(result, HEIGHT),
            ],
        ),
        alt=f"{name} per window: "
        + words.listed([f"{row['window']} {row['words']}" for row in rows], most=12)
        + "."
        + _trained(result, training)
        + ("" if result.onset is None else f" Worse from {words.moment(result.onset, precision(result))} on."),
        title=f"{words.capital(name)} over time (95 % interval{left_out})",
    )


def _trained(result: RecencyDrift, training: Training | None) -> str:
    if training is None or training.end is None or trained_from(result, training) is None:
        return ""
    return f" Training rows up to {words.moment(training.end, precision(result))}."


def _runs(result: RecencyDrift) -> dict[datetime | float, int]:
    """Windows that follow each other without a gap, by their start: lines do not lead over what is not drawn."""
    found: dict[datetime | float, int] = {}
    run, ended, fewest = 0, result.windows[0].start, fewest_drawn(result)
    for window in result.windows:
        if window.support >= fewest:
            run += window.start != ended
            found[window.start], ended = run, window.end
    return found


def rows_course(result: RecencyDrift, training: Training | None = None) -> Chart:
    """Rows per window."""
    rows = [
        {"start": at(window.start), "end": at(window.end), "rows": window.support}
        | {"window": words.moment(window.start, result.unit)}
        for window in result.windows
    ]
    time = _time(result, training, labels=False)
    y: Spec = {"field": "rows", "type": "quantitative", "title": "rows", "scale": {"zero": True}}
    y["axis"] = _axis_y(percent=False) | {"tickCount": 2, "format": ",d"}
    spec = chart(
        {"height": LOW_HEIGHT, "data": {"values": rows}},
        mark={"type": "rect", "color": GREY, "opacity": 0.6},
        encoding={
            "x": time | {"field": "start"},
            "x2": {"field": "end"},
            "y": y,
            "y2": {"datum": 0},
            "tooltip": [{"field": "window"}, {"field": "rows", "type": "quantitative", "format": ","}],
        },
    )
    support = [window.support for window in result.windows]
    return Chart(
        spec,
        alt=f"Rows per window, {words.count(min(support))} to {words.count(max(support))}.",
        title="Rows per window",
    )


def rate_course(result: RecencyDrift, positive: Label | None, training: Training | None = None) -> Chart:
    """Labels beside predictions per window: shares of the positive class, or means of a number if there is none."""
    unit, runs = "mean" if positive is None else "share of rows", _runs(result)
    rows = [
        {**_point(window, measured, result, unit=unit), "series": series.words, "run": runs[window.start]}
        for window in result.windows
        if window.support >= fewest_drawn(result)
        for series, measured in (
            (LABELS, window.label_rate),
            (PREDICTIONS, window.prediction_rate),
            (SCORES, window.score_rate),
        )
        if measured is not None
    ]
    used = [series for series in (LABELS, PREDICTIONS, SCORES) if any(row["series"] == series.words for row in rows)]
    y: Spec = {"field": "value", "type": "quantitative", "title": unit}
    y |= {"axis": _axis_y(percent=positive is not None), "scale": {"zero": False, "nice": True}}
    both = {"x": _time(result, training, labels=True) | {"field": "at"}, "y": y, **legend_of(used)}
    spec = chart(
        {"height": 0.7 * HEIGHT, "data": {"values": rows}},
        layer=[
            {
                "mark": {"type": "line", "strokeWidth": 1.5, "tooltip": None},
                "encoding": _without(both, "shape") | {"detail": RUN},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 55},
                "encoding": both
                | {"tooltip": [{"field": "window"}, {"field": "series"}, {"field": "words", "title": "value"}]},
            },
        ],
    )
    what = "Mean" if positive is None else f"Share of {words.quoted(positive)}"
    return Chart(spec, alt=_rates(what, result, unit), title=f"{what} in labels and predictions over time")


def _rates(what: str, result: RecencyDrift, unit: str) -> str:
    ends = [
        f"{words.value(window.label_rate, unit=unit)} in {words.moment(window.start, result.unit)}"
        for window in (result.windows[0], result.windows[-1])
        if window.label_rate is not None
    ]
    return f"{what} in labels and predictions per window; in labels {words.listed(ends)}."


def _without(encoding: Spec, channel: str) -> Spec:
    return {name: value for name, value in encoding.items() if name != channel}


def _point(
    window: Window, measured: Estimate | None, result: RecencyDrift, *, unit: str | None = None
) -> dict[str, Any]:
    if measured is None:
        return {}
    return {
        "at": (at(window.start) + at(window.end)) / 2,
        "value": measured.value,
        "low": measured.low,
        "high": measured.high,
        "window": words.moment(window.start, result.unit),
        "words": words.estimate(measured, unit=unit),
        "rows": window.support,
    }


def _band(rows: list[dict[str, Any]], time: Spec, y: Spec) -> list[Spec]:
    x, same = time | {"field": "at"}, {"field": "at", "type": time["type"]}
    tooltip = [{"field": "window"}, {"field": "words", "title": "value"}, {"field": "rows", "type": "quantitative"}]
    data = {"values": rows}
    long = [sum(other["run"] == row["run"] for other in rows) > 1 for row in rows]
    alone = [row for row, more in zip(rows, long, strict=True) if not more]
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": BLUE, "opacity": 0.25, "tooltip": None},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "detail": RUN},
        },
        {
            "data": data,
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": same, "y": y | {"field": "value"}, "detail": RUN},
        },
        *([_alone(alone, same, y)] if alone else []),
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "color": BLUE, "opacity": 1, "size": 60},
            "encoding": {"x": same, "y": y | {"field": "value"}, "tooltip": tooltip},
        },
    ]


def _alone(rows: list[dict[str, Any]], x: Spec, y: Spec) -> Spec:
    """Intervals of windows without a neighbour, which an area does not show."""
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "color": BLUE, "opacity": 0.5, "strokeWidth": 2.5, "tooltip": None},
        "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
    }


def _axis_y(*, percent: bool) -> Spec:
    return {"minExtent": LEFT, "tickCount": 5, "labelOverlap": False, "format": "~%" if percent else PLAIN}


def _time(result: RecencyDrift, training: Training | None, *, labels: bool) -> Spec:
    """The time axis that all charts of a result share, up to the end of the last window."""
    ends = shown_from(result, training), result.windows[-1].end
    scale = {"domain": [end_of_axis(end) for end in ends], "nice": False}
    axis: Spec = {"grid": False, "labelOverlap": True, "labelSeparation": 10, "labels": labels, "tickCount": 6}
    if type_of(result) == "quantitative":
        return {"type": "quantitative", "title": None, "scale": scale | {"zero": False}, "axis": axis}
    if result.unit in TICKS:
        axis["format"] = TICKS[result.unit]
    return {"type": "temporal", "title": None, "scale": scale | {"type": "utc"}, "axis": axis}
