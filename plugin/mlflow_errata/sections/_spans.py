"""Spans of time behind a course: training, older and newest rows, and the onset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, NOTE, SKY, VERMILLION, Spec

if TYPE_CHECKING:
    from mlflow_errata.diagnoses.recency_drift import RecencyDrift
    from mlflow_errata.record.schema import Training

SHORT = 60
"""Days of a course up to which moments are told to the minute."""
BEFORE = 0.4
"""How far before the first window training rows are shown, as a share of the course."""
LINES = {"older rows": -4, "newest rows": -4, "training rows": -18}
"""Where each span is named, in pixels from the top of the plot."""


def precision(result: RecencyDrift) -> str:
    """The unit in which an onset is told: days, or minutes where all windows lie within two months."""
    start, end = result.windows[0].start, result.windows[-1].end
    short = isinstance(start, datetime) and isinstance(end, datetime) and (end - start).days <= SHORT
    return "hour" if short else "day"


def shown_from(result: RecencyDrift, training: Training | None) -> datetime | float:
    """The left end of a course: its first window, or the training rows where these came shortly before."""
    start = result.windows[0].start
    trained = trained_from(result, training)
    return start if trained is None else min((start, trained), key=at)


def trained_from(result: RecencyDrift, training: Training | None) -> datetime | float | None:
    """From when on training rows are shown; None where there are none, or they ended long before the first window."""
    if training is None or training.start is None or training.end is None:
        return None
    start, end = result.windows[0].start, result.windows[-1].end
    if isinstance(training.start, datetime) != isinstance(start, datetime):
        return None
    first = at(start) - BEFORE * (at(end) - at(start))
    if at(training.end) <= first or at(training.start) >= at(end):
        return None
    return training.start if at(training.start) >= first else _moment(first, start)


def spans(result: RecencyDrift, training: Training | None) -> list[Spec]:
    """Training rows, the older and the newest ones, shaded, each named above the plot."""
    start, cut, end = (at(when) for when in (result.windows[0].start, result.cut, result.windows[-1].end))
    named = [("older rows", GREY, start, cut), ("newest rows", SKY, cut, end)]
    trained = trained_from(result, training)
    if trained is not None and training is not None and training.end is not None:
        named.append(("training rows", GREY, at(trained), min(at(training.end), end)))
    return [_span(result, *span) for span in named]


def _span(result: RecencyDrift, name: str, colour: str, since: float, until: float) -> Spec:
    x = {"field": "start", "type": type_of(result)}
    opacity = 0.3 if name == "training rows" else 0.12
    return {
        "data": {"values": [{"start": since, "end": until, "name": name}]},
        "layer": [
            {
                "mark": {"type": "rect", "color": colour, "opacity": opacity, "tooltip": None},
                "encoding": {"x": x, "x2": {"field": "end"}},
            },
            {
                "mark": {"type": "text", "align": "left", "baseline": "bottom", "color": NOTE}
                | {"fontSize": 11, "tooltip": None},
                "encoding": {"x": x, "y": {"value": LINES[name]}, "text": {"field": "name"}},
            },
        ],
    }


def onset(result: RecencyDrift, height: float) -> list[Spec]:
    """A dashed line at the onset, within its interval."""
    if result.onset is None:
        return []
    start, end, since = (at(when) for when in (result.windows[0].start, result.windows[-1].end, result.onset))
    late = since - start > 0.55 * (end - start)
    x = {"field": "at", "type": type_of(result)}
    return [
        {
            "data": {"values": [{"at": since, "words": f"worse from {words.moment(result.onset, precision(result))}"}]},
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
                    "encoding": {"x": x, "y": {"value": height - 4}, "text": {"field": "words"}},
                },
            ],
        }
    ]


def _onset_range(result: RecencyDrift) -> list[Spec]:
    """The 95 % interval of the onset, as a band."""
    if result.onset_range is None:
        return []
    first, last = (at(end) for end in result.onset_range)
    return [
        {
            "data": {"values": [{"start": first, "end": last}]},
            "mark": {"type": "rect", "color": VERMILLION, "opacity": 0.15, "tooltip": None},
            "encoding": {"x": {"field": "start", "type": type_of(result)}, "x2": {"field": "end"}},
        }
    ]


def type_of(result: RecencyDrift) -> str:
    """Of the time axis, in Vega-Lite's words."""
    return "temporal" if isinstance(result.cut, datetime) else "quantitative"


def end_of_axis(moment: datetime | float) -> Spec | float:
    """An end of the axis; dates in parts, because a bare number is read as a year by some readers."""
    if not isinstance(moment, datetime):
        return moment
    day = moment.astimezone(UTC) if moment.tzinfo else moment
    parts = {"year": day.year, "month": day.month, "date": day.day, "hours": day.hour, "minutes": day.minute}
    return {**parts, "seconds": day.second, "utc": True}


def at(moment: datetime | float) -> float:
    """Milliseconds since 1970 in UTC, or the number itself."""
    if not isinstance(moment, datetime):
        return moment
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _moment(milliseconds: float, like: datetime | float) -> datetime | float:
    """The reverse of `at`, with a time zone where the moments of the course have one."""
    if not isinstance(like, datetime):
        return milliseconds
    found = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return found if like.tzinfo else found.replace(tzinfo=None)
