"""Charts over time: the metric, the rows per window, the rates of labels and predictions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import (
    BLUE,
    GREY,
    NOTE,
    PURPLE,
    SKY,
    VERMILLION,
    Series,
    Spec,
    chart,
    legend_of,
)

if TYPE_CHECKING:
    from mlflow_errata.diagnoses.recency_drift import RecencyDrift, Window
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.metric import Label

FEWEST = 30
"""Rows below which the interval of a window would hide everything else, unless the other windows are as small."""
HEIGHT, LOW_HEIGHT = 200, 40
SHORT = 60
"""Days of a course up to which moments are told to the minute."""
LEFT = 48
"""Pixels that the axis of every chart over time takes at least, so that stacked charts line up."""
LABELS, PREDICTIONS, SCORES = (
    Series("labels", BLUE, "circle"),
    Series("predictions", GREY, "square"),
    Series("mean score", PURPLE, "diamond"),
)
TICKS = {"hour": "%-d %b %H:00", "day": "%-d %b", "week": "%-d %b", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}


def fewest_drawn(result: RecencyDrift) -> int:
    """Rows that a window needs to be drawn: 30, or half of those of the largest window."""
    return min(FEWEST, max(window.support for window in result.windows) // 2)


def precision(result: RecencyDrift) -> str:
    """The unit in which an onset is told: days, or minutes where all windows lie within two months."""
    start, end = result.windows[0].start, result.windows[-1].end
    short = isinstance(start, datetime) and isinstance(end, datetime) and (end - start).days <= SHORT
    return "hour" if short else "day"


def metric_course(result: RecencyDrift) -> Chart:
    """The metric per window with its interval; older and newest rows shaded, the onset marked."""
    fewest = fewest_drawn(result)
    drawn = [window for window in result.windows if window.metric is not None and window.support >= fewest]
    rows = [_point(window, window.metric, result) for window in drawn]
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
            layer=[*_parts(result), *_band(rows, _time(result, labels=True), y), *_onset(result)],
        ),
        alt=f"{name} per window: "
        + words.listed([f"{row['window']} {row['words']}" for row in rows], most=12)
        + "."
        + ("" if result.onset is None else f" Worse from {words.moment(result.onset, precision(result))} on."),
        title=f"{words.capital(name)} over time (95 % interval{left_out})",
    )


def rows_course(result: RecencyDrift) -> Chart:
    """Rows per window."""
    rows = [
        {"start": _at(window.start), "end": _at(window.end), "rows": window.support}
        | {"window": words.moment(window.start, result.unit)}
        for window in result.windows
    ]
    time = _time(result, labels=False)
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


def rate_course(result: RecencyDrift, positive: Label | None) -> Chart:
    """Labels beside predictions per window: shares of the positive class, or means of a number if there is none."""
    unit = "mean" if positive is None else "share of rows"
    rows = [
        {**_point(window, measured, result, unit=unit), "series": series.words}
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
    both = {"x": _time(result, labels=True) | {"field": "at"}, "y": y, **legend_of(used)}
    spec = chart(
        {"height": 0.7 * HEIGHT, "data": {"values": rows}},
        layer=[
            {"mark": {"type": "line", "strokeWidth": 1.5, "tooltip": None}, "encoding": _without(both, "shape")},
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
        "at": (_at(window.start) + _at(window.end)) / 2,
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
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": BLUE, "opacity": 0.25, "tooltip": None},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": same, "y": y | {"field": "value"}},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "color": BLUE, "opacity": 1, "size": 60},
            "encoding": {"x": same, "y": y | {"field": "value"}, "tooltip": tooltip},
        },
    ]


def _parts(result: RecencyDrift) -> list[Spec]:
    """The older and the newest rows, shaded, each named above the plot."""
    start, cut, end = (_at(at) for at in (result.windows[0].start, result.cut, result.windows[-1].end))
    x = {"field": "start", "type": _type(result)}
    return [
        {
            "data": {"values": [{"start": since, "end": until, "name": name}]},
            "layer": [
                {
                    "mark": {"type": "rect", "color": colour, "opacity": 0.12, "tooltip": None},
                    "encoding": {"x": x, "x2": {"field": "end"}},
                },
                {
                    "mark": {"type": "text", "align": "left", "baseline": "bottom", "color": NOTE}
                    | {"fontSize": 11, "tooltip": None},
                    "encoding": {"x": x, "y": {"value": -4}, "text": {"field": "name"}},
                },
            ],
        }
        for name, colour, since, until in (("older rows", GREY, start, cut), ("newest rows", SKY, cut, end))
    ]


def _onset(result: RecencyDrift) -> list[Spec]:
    if result.onset is None:
        return []
    start, end, at = (_at(when) for when in (result.windows[0].start, result.windows[-1].end, result.onset))
    late = at - start > 0.55 * (end - start)
    x = {"field": "at", "type": _type(result)}
    return [
        {
            "data": {"values": [{"at": at, "words": f"worse from {words.moment(result.onset, precision(result))}"}]},
            "layer": [
                *_onset_range(result),
                {
                    "mark": {
                        "type": "rule",
                        "color": VERMILLION,
                        "strokeDash": [5, 3],
                        "strokeWidth": 1.5,
                        "tooltip": None,
                    },
                    "encoding": {"x": x},
                },
                {
                    "mark": {"type": "text", "align": "right" if late else "left", "dx": -5 if late else 5}
                    | {"color": VERMILLION, "fontSize": 11, "baseline": "bottom", "tooltip": None},
                    "encoding": {"x": x, "y": {"value": HEIGHT - 4}, "text": {"field": "words"}},
                },
            ],
        }
    ]


def _onset_range(result: RecencyDrift) -> list[Spec]:
    """The 95 % interval of the onset, as a band."""
    if result.onset_range is None:
        return []
    first, last = (_at(end) for end in result.onset_range)
    return [
        {
            "data": {"values": [{"start": first, "end": last}]},
            "mark": {"type": "rect", "color": VERMILLION, "opacity": 0.15, "tooltip": None},
            "encoding": {"x": {"field": "start", "type": _type(result)}, "x2": {"field": "end"}},
        }
    ]


def _axis_y(*, percent: bool) -> Spec:
    return {"minExtent": LEFT, "tickCount": 5, "labelOverlap": False, "format": ".0%" if percent else "~g"}


def _time(result: RecencyDrift, *, labels: bool) -> Spec:
    """The time axis that all charts of a result share: from the first window's start to the last one's end."""
    scale = {"domain": [_end(result.windows[0].start), _end(result.windows[-1].end)], "nice": False}
    axis: Spec = {"grid": False, "labelOverlap": True, "labelSeparation": 10, "labels": labels, "tickCount": 6}
    if _type(result) == "quantitative":
        return {"type": "quantitative", "title": None, "scale": scale | {"zero": False}, "axis": axis}
    if result.unit in TICKS:
        axis["format"] = TICKS[result.unit]
    return {"type": "temporal", "title": None, "scale": scale | {"type": "utc"}, "axis": axis}


def _type(result: RecencyDrift) -> str:
    return "temporal" if isinstance(result.cut, datetime) else "quantitative"


def _end(moment: datetime | float) -> Spec | float:
    """An end of the axis; dates in parts, because a bare number is read as a year by some readers."""
    if not isinstance(moment, datetime):
        return moment
    at = moment.astimezone(UTC) if moment.tzinfo else moment
    parts = {"year": at.year, "month": at.month, "date": at.day, "hours": at.hour, "minutes": at.minute}
    return {**parts, "seconds": at.second, "utc": True}


def _at(moment: datetime | float) -> float:
    """Milliseconds since 1970 in UTC, or the number itself."""
    if not isinstance(moment, datetime):
        return moment
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
