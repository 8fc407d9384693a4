"""The slice that was picked: its figures, what sets it apart, its course over time, what it shares with others."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import wrap
from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Table, Text
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import COLOUR, GREY, PLAIN, SHAPE, Dot, Series, Spec, chart, dots, legend_of
from mlflow_errata.sections.slice_list import FEW, amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata._reviews import Review
    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record
    from mlflow_errata.sections.slice_list import Listed

INSIDE, OUTSIDE = Series("inside the slice", COLOUR["bad"], SHAPE["bad"]), Series("all other rows", GREY, "circle")
LINE_OF_NAME = 60
"""Characters of a line of a condition beside a chart."""


def figures(item: Slice) -> list[str]:
    """What is known of a slice, a sentence each."""
    times = f", {words.number(item.lift)} times that of all rows" if item.lift > 1 else ""
    told = [
        f"{words.capital(item.error.unit)} {words.estimate(item.error)} on {words.plural(item.support, 'row')}{times}.",
        f"Excess errors {amount(item.excess)}; {words.percent(item.share_of_errors)} of all errors lie inside.",
    ]
    if item.tier == "suspected":
        told.append(f"Suspected only: {_doubt(item)}. Check it on new rows before acting.")
    elif item.excess.low <= 0:
        told.append("That it errs more is beyond chance; how much more is not told: the interval includes 0.")
    if item.support < FEW:
        told.append(f"{words.too_few(item.support, 'rank')}.")
    if item.metric is not None and item.metric.unit != item.error.unit:
        told.append(f"{words.capital(words.metric(item.metric.unit))} inside {words.estimate(item.metric)}.")
    if item.bias is not None:
        told.append(_bias(item.bias))
    if item.value_lost is not None:
        told.append(f"Value lost inside {words.estimate(item.value_lost)}.")
    if item.only_label is not None:
        told.append(f"Every label inside is {words.quoted(item.only_label)}: the slice restates the label.")
    return told


def _doubt(item: Slice) -> str:
    if item.lift > 1:
        return "one in ten of such slices is chance"
    return "its error is not above that of all rows once it allows for the slice having been picked"


def _bias(bias: Estimate) -> str:
    """Whether what is predicted inside comes true on average."""
    shown = words.change(bias)
    if bias.low <= 0 <= bias.high:
        return f"Predictions inside come true on average: mean prediction - mean label {shown}."
    return f"{'Over' if bias.value > 0 else 'Under'}-predicted inside: mean prediction - mean label {shown}."


def said(each: Listed, run_id: str, when: str) -> str:
    """What somebody said of the slice, on which run and when; and whether it came back since."""
    review = each.review
    if review is None:
        return ""
    where = "" if review.run_id == run_id else f" in run {words.shown(review.run_name or review.run_id[:8])}"
    note = f": {review.note}" if review.note else "."
    told = f"{words.capital(review.status)}{where} by {words.shown(review.by)}, {when}{note}"
    return f"Back again: this run began later and finds it. {told}" if each.status == "back" else told


def reviewed(record: Record, reviews: Mapping[str, Review]) -> list[Block]:
    """What people said of the slices of a record, in the order of the slices."""
    result = record.results.get("slice_errors")
    slices = [*result.slices, *result.suspected] if isinstance(result, SliceErrors) else []
    told = [(item, reviews[item.id]) for item in slices if item.id in reviews]
    rows = tuple(
        (
            words.conditions(item),
            review.status,
            words.shown(review.by),
            words.moment(datetime.fromisoformat(review.at).astimezone(UTC), ""),
            words.shown(review.run_name or review.run_id[:8]),
            review.note,
        )
        for item, review in told
    )
    titles = ("slice", "status", "by", "when (UTC)", "in run", "note")
    return [Table(tuple(Column(title) for title in titles), rows, "What was said of slices.")] if rows else []


def apart(item: Slice) -> list[Block]:
    """What else sets the rows of a slice apart: shares inside beside those of all other rows."""
    if not item.contrasts:
        return [Text("No other column sets these rows apart: none holds for 20 points more of them than outside.")]
    rows = [
        Dot("\n".join(wrap(words.shown(each.condition), LINE_OF_NAME)), share, series.words)
        for each in item.contrasts
        for share, series in ((each.outside, OUTSIDE), (each.inside, INSIDE))
    ]
    axis: Spec = {"title": "share of rows", "axis": {"format": ".0%", "tickCount": 5}}
    told = [(words.shown(each.condition), each.inside, each.outside) for each in item.contrasts]
    return [
        Chart(
            dots(rows, (INSIDE, OUTSIDE), x=axis, domain=(0.0, 1.0)),
            alt="Shares of rows inside and outside the slice for which a condition holds: "
            + "; ".join(f"{name} {words.percent(one)} against {words.percent(two)}" for name, one, two in told)
            + ".",
            title="Conditions on other columns that hold more often inside than outside",
        ),
        Table(
            (Column("condition"), Column("inside", "percent"), Column("outside", "percent")),
            tuple(told),
            "Each is beyond chance at 1 % over all conditions looked at. It tells what goes with the slice, not why.",
        ),
    ]


def course(item: Slice, unit: str) -> list[Block]:
    """The error inside beside that outside, window by window."""
    if not item.course:
        return [Text('There is no course over time: name the time column with time="..." in errata.diagnose.')]
    name, share = item.error.unit, item.error.unit in words.SHARES
    rows = [
        {
            "window": words.moment(window.start, unit),
            "at": at,
            "series": series.words,
            "value": measured.value,
            "low": measured.low,
            "high": measured.high,
            "words": words.estimate(measured),
            "n": measured.n,
        }
        for at, window in enumerate(item.course)
        for series, measured in ((INSIDE, window.inside), (OUTSIDE, window.outside))
        if measured is not None
    ]
    told = tuple(
        (words.moment(window.start, unit), *(cell for side in (window.inside, window.outside) for cell in cells(side)))
        for window in item.course
    )
    kind = "percent" if share else "number"
    columns = ("rows inside", "integer"), (f"{name} inside", kind), ("interval inside", "text")
    outside = ("rows outside", "integer"), (f"{name} outside", kind), ("interval outside", "text")
    return [
        Chart(
            _course_spec(rows, name, share=share),
            alt=f"{words.capital(name)} per {_window(unit)} inside and outside the slice; first and last inside: "
            + words.listed([f"{row['window']} {row['words']}" for row in _ends(rows)])
            + ".",
            title=f"{words.capital(name)} per {_window(unit)} (95 % interval)",
        ),
        Table(
            (Column("from"), *(Column(title, kind) for title, kind in (*columns, *outside))),  # type: ignore[arg-type]
            told,
            "Windows of fewer than two rows have no interval.",
        ),
    ]


def _ends(rows: list[Spec]) -> list[Spec]:
    inside = [row for row in rows if row["series"] == INSIDE.words]
    return inside[:1] + inside[1:][-1:]


def _window(unit: str) -> str:
    return "window" if unit in {"", "equal count", "given"} else unit


def short(item: Slice) -> str:
    """The slice in at most 60 characters, for a button."""
    name = words.conditions(item)
    return name if len(name) <= LINE_OF_NAME else f"{name[: LINE_OF_NAME - 1]}…"


def cells(measured: Estimate | None) -> tuple[int | None, float | None, str]:
    """Rows, value and interval as cells of a table."""
    if measured is None:
        return None, None, "too few rows"
    return measured.n, measured.value, words.interval(measured)


def _course_spec(rows: list[Spec], name: str, *, share: bool) -> Spec:
    order = list(dict.fromkeys(row["window"] for row in sorted(rows, key=lambda row: int(row["at"]))))
    x: Spec = {"field": "window", "type": "ordinal", "sort": order, "title": None}
    x |= {"axis": {"labelAngle": 0, "labelOverlap": True}, "scale": {"padding": 0.5}}
    y: Spec = {"type": "quantitative", "title": name, "scale": {"zero": False, "nice": True}}
    y["axis"] = {"tickCount": 5, "format": ".0%" if share else PLAIN}
    both = legend_of([INSIDE, OUTSIDE])
    offset = {"field": "series", "type": "nominal", "sort": [INSIDE.words, OUTSIDE.words]}
    tooltip = [{"field": "window"}, {"field": "series"}, {"field": "words", "title": name}]
    tooltip.append({"field": "n", "title": "rows"})
    place = {"x": x, "xOffset": offset}
    return chart(
        {"height": 190, "data": {"values": rows}},
        layer=[
            {
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6, "tooltip": None},
                "encoding": place | {"y": y | {"field": "low"}, "y2": {"field": "high"}, "color": both["color"]},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 60},
                "encoding": place | {"y": y | {"field": "value"}, "tooltip": tooltip, **both},
            },
        ],
    )


def overlap(item: Slice, slices: Sequence[Slice]) -> list[Block]:
    """Rows that a slice shares with the others, in a sentence each and a table."""
    named = {each.id: each for each in slices}
    shared = [each for each in item.overlaps if each.other in named]
    if not shared:
        return [Text("It shares no row with another slice found." if len(slices) > 1 else "No other slice was found.")]
    first = shared[0]
    if first.share > 0.8:  # noqa: PLR2004 - nearly all
        start = "Most of it is another slice"
    else:
        start = "It stands mostly by itself" if first.share < 0.2 else "It overlaps with another slice"  # noqa: PLR2004
    return [
        Text(
            f"{start}: {words.percent(first.share)} of its rows also lie where "
            f"{words.conditions(named[first.other])}, {words.percent(first.share_of_other)} of the rows there. "
            "A fix for one then moves the figures of the other."
        ),
        Table(
            (
                Column("other slice"),
                Column("rows in common", "integer"),
                Column("of this slice", "percent"),
                Column("of the other", "percent"),
            ),
            tuple((words.conditions(named[each.other]), each.rows, each.share, each.share_of_other) for each in shared),
            "Rows that two slices have in common.",
            keys=tuple(each.other for each in shared),
        ),
    ]
