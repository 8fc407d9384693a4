"""Recency drift in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.sections import _by_label
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._columns_moved import columns_moved
from mlflow_errata.sections._courses import fewest_drawn, metric_course, rate_course, rows_course
from mlflow_errata.sections._marks import BLUE, Dot, Series, Spec, axis_of_change, dots
from mlflow_errata.sections._spans import precision

if TYPE_CHECKING:
    from mlflow_errata.blocks import Kind
    from mlflow_errata.diagnoses.recency_drift import Expectation, RecencyDrift, Window
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "Recency drift"
MOST_CLASSES = 15
"""Classes that the table of shares shows."""
TOO_FEW = "too few rows"
CAUSES = {
    "prior": "the shares of the classes changed; weighted to their old shares, most of the change is gone",
    "covariate": "the rows changed, and the model is weaker on the rows that there are more of",
    "concept": "rows that are alike in every column are now answered differently: what the label depends on changed",
    "unseen": "there are classes or values without a like before",
    "season": "rows of the same time of the year were served as badly in earlier years",
}
PART = Series("part of the change", BLUE, "circle")


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that recency can be checked."""
    if "time" not in record.dataset.roles:
        return NotMade(
            "No time column was given, so recency is not checked.", 'Add time="...", the column that dates each row.'
        )
    return NotMade(f"Recency is not checked: the check {reason}.")


SERVED_WORSE = "The newest rows are served worse. "


def verdict(result: RecencyDrift, record: Record) -> Verdict:  # noqa: ARG001 - the shared shape
    """Whether the newest rows are served worse."""
    name, since = words.metric(result.metric), words.moment(result.cut, result.unit)
    if result.change is None or result.current is None or result.reference is None:
        return Verdict("unsure", f"{words.capital(name)} cannot be estimated on both sides of {since}.")
    course = (
        f"{words.value(result.current)} since {since}, {words.value(result.reference)} before: "
        f"a change of {words.change(result.change)}"
    )
    if result.worse and result.cause == "season":
        return Verdict("unsure", f"The newest rows are served worse, as in earlier years: {name} is {course}.")
    if result.found:
        of_labels = "" if result.worse else f"{_by_label.worse(result.labels)} "
        return Verdict("bad", f"{of_labels or SERVED_WORSE}{words.capital(name)} is {course}.")
    if _is_better(result.change, result):
        return Verdict("good", f"The newest rows are served better. {words.capital(name)} is {course}.")
    if not result.change.low <= 0 <= result.change.high:
        return Verdict(
            "unsure",
            f"The newest rows may be served worse. {words.capital(name)} is {course}, which excludes 0 at 95 % and is "
            "not sure enough for a verdict.",
        )
    return Verdict(
        "good", f"No drift distinguishable from chance. {words.capital(name)} is {course}, which includes 0."
    )


def _is_better(change: Estimate, result: RecencyDrift) -> bool:
    return change.low > 0 if result.greater_is_better else change.high < 0


def section(result: RecencyDrift, record: Record) -> list[Block]:
    """The metric over time, the rates of labels and predictions, and the columns that moved."""
    blocks: list[Block] = [verdict(result, record), _facts(result), Text(_compared(result, record))]
    if result.worse:
        blocks.append(Text(_why(result)))
    if result.new_classes:
        blocks.append(Text(_new_classes(result)))
    if result.expected is not None:
        blocks.append(Text(_expected(result.expected, result)))
    if result.split is not None:
        blocks.append(_split(result))
    drawn = [window for window in result.windows if window.support >= fewest_drawn(result)]
    if any(window.metric is not None for window in drawn):
        blocks.append(metric_course(result, record.dataset.training))
    blocks.append(rows_course(result, record.dataset.training))
    if any(window.label_rate is not None for window in drawn):
        positive = record.dataset.classes[-1] if record.dataset.classes else None
        blocks.append(rate_course(result, positive, record.dataset.training))
    blocks += [_windows(result, record), *_one_by_one(result)]
    if result.worsened:
        blocks.append(_worsened(result))
    if result.shifts:
        blocks += columns_moved(result)
    return blocks


def finding(result: RecencyDrift) -> str:
    """The change in a sentence, with the onset where one was found."""
    if result.change is None:
        return ""
    name, since = words.metric(result.metric), words.moment(result.cut, result.unit)
    onset = "" if result.onset is None else f" Rows are served worse from {_onset(result)} on."
    cause = "" if result.cause is None else f" Likely why: {CAUSES[result.cause]}."
    return f"Since {since} {name} has changed by {words.change(result.change)}.{onset}{cause}"


def _onset(result: RecencyDrift) -> str:
    """The onset, and where it lies with 95 %."""
    if result.onset is None:
        return ""
    at = words.moment(result.onset, precision(result))
    if result.onset_range is None:
        return at
    first, last = (words.moment(end, precision(result)) for end in result.onset_range)
    return at if first == last else f"{at} ({first} to {last})"


def _facts(result: RecencyDrift) -> Facts:
    since = words.moment(result.cut, result.unit)
    facts = [
        Fact(f"{words.metric(result.metric)} {part}", words.value(measured), words.interval(measured))
        for part, measured in ((f"before {since}", result.reference), (f"since {since}", result.current))
        if measured is not None
    ]
    if result.change is not None:
        middle, _, spread = words.change(result.change).partition(" (")
        facts.append(Fact("change", middle, spread.rstrip(")")))
    if result.onset is not None:
        at, _, spread = _onset(result).partition(" (")
        facts.append(Fact("worse from", at, spread.rstrip(")") or "the step that fits best"))
    if result.season is not None:
        facts.append(Fact("same season, earlier years", words.value(result.season), words.interval(result.season)))
    return Facts(tuple(facts))


def _compared(result: RecencyDrift, record: Record) -> str:
    current = sum(window.support for window in result.windows if window.current)
    rows = sum(window.support for window in result.windows)
    untimed = f" {words.plural(result.n_untimed, 'row')} without a time left out." if result.n_untimed else ""
    training = record.dataset.training
    trained = (
        ""
        if training is None or training.start is None or training.end is None
        else f" The model was trained on {words.plural(training.n_rows, 'row')} from "
        f"{words.moment(training.start, 'day')} to {words.moment(training.end, 'day')}."
    )
    return (
        f"The newest {words.plural(current, 'row')} of {words.count(rows)} are compared with the rest; the interval "
        f"allows for neighbouring rows that move together.{trained}{untimed}"
    )


def _why(result: RecencyDrift) -> str:
    why = "What changed cannot be told apart." if result.cause is None else f"Likely why: {CAUSES[result.cause]}."
    if result.season is None:
        return f"{why} There is no earlier year to compare with, so season and drift cannot be told apart."
    return why


def _new_classes(result: RecencyDrift) -> str:
    named = [f"{words.quoted(item.label)} ({words.plural(item.support, 'row')})" for item in result.new_classes]
    classes = "A class comes" if len(named) == 1 else f"{len(named)} classes come"
    return f"{classes} late and without a row before, so the model cannot know it: {words.listed(named)}."


def _expected(told: Expectation, result: RecencyDrift) -> str:
    """What rows without a label will show, and what this cannot see."""
    at = precision(result)
    name = words.metric(told.metric.unit)
    return (
        f"{words.capital(words.plural(told.support, 'row'))} from {words.moment(told.start, at)} to "
        f"{words.moment(told.end, at)} have no label yet. If scores stay as true as they were, {name} there will be "
        f"{words.estimate(told.metric)}, against {words.value(told.labelled)} on labelled "
        "rows. This sees rows that the model is less sure of; it is blind to a change of what the label depends on "
        "(concept drift), which only labels show."
    )


def _split(result: RecencyDrift) -> Chart:
    """The change in parts that add up to it."""
    parts = (
        []
        if result.split is None
        else [
            ("other rows", result.split.covariate),
            ("rows alike, other answers", result.split.concept),
            ("rows without a like", result.split.unseen),
        ]
    )
    rows = [
        Dot(name, part.value, PART.words, low=part.low, high=part.high, words=words.change(part).partition(" (")[0])
        for name, part in parts
    ]
    ends = [0.0, *(end for _, part in parts for end in (part.low, part.high))]
    room = 0.1 * (max(ends) - min(ends) or 1.0)
    unit = result.metric if result.split is None else result.split.concept.unit
    axis: Spec = {
        "title": f"change in {words.counted_in(unit)} (95 % interval)",
        "axis": axis_of_change(unit, tickCount=5),
    }
    return Chart(
        dots(rows, (PART,), x=axis, domain=(min(ends) - room, max(ends) + room), rule=0.0),
        alt="Parts of the change: " + words.listed([f"{row.name} {row.words}" for row in rows]) + ".",
        title="What the change is made of",
    )


def _windows(result: RecencyDrift, record: Record) -> Table:
    kind: Kind = "percent" if result.metric in words.SHARES else "number"
    rate = "mean label" if record.summary.task == "regression" else "label rate"
    columns = [
        Column("from"),
        Column("rows", "integer"),
        Column(words.metric(result.metric), kind),
        Column("95 % interval"),
    ]
    rates = any(window.label_rate is not None for window in result.windows)
    if rates:
        shares: Kind = "number" if record.summary.task == "regression" else "percent"
        columns += [Column(rate, shares), Column(rate.replace("label", "prediction"), shares)]
    rows = tuple((*_window(window, result), *(_rates(window) if rates else ())) for window in result.windows)
    return Table(tuple(columns), rows, _unit(result))


def _unit(result: RecencyDrift) -> str:
    if result.unit == "given":
        return "Windows as they were asked for."
    return "Windows of equally many rows." if result.unit == "equal count" else f"Windows of one {result.unit}."


def _window(window: Window, result: RecencyDrift) -> tuple[str | int | float | None, ...]:
    metric = window.metric if window.support >= fewest_drawn(result) else None
    return (
        words.moment(window.start, result.unit) + (" (newest)" if window.current else ""),
        window.support,
        None if metric is None else metric.value,
        TOO_FEW if metric is None else words.interval(metric),
    )


def _rates(window: Window) -> tuple[float | None, float | None]:
    return (
        None if window.label_rate is None else window.label_rate.value,
        None if window.prediction_rate is None else window.prediction_rate.value,
    )


def _one_by_one(result: RecencyDrift) -> list[Block]:
    """Labels of several, or classes of many."""
    if result.labels:
        return [_by_label.drifts(result.labels)]
    return [Text(_shares(result)), _classes(result)] if result.classes else []


def _shares(result: RecencyDrift) -> str:
    moved = [item for item in result.classes if item.moved]
    looked = words.plural(len(result.classes), "class", "classes")
    if not moved:
        return f"The share of none of {looked} changed beyond chance."
    named = [f"{words.quoted(item.label)} ({words.change(item.change).partition(' (')[0]})" for item in moved]
    return f"The shares of {len(moved)} of {looked} changed beyond chance: {words.listed(named)}."


def _classes(result: RecencyDrift) -> Table:
    """Shares of the classes before and now, in labels and predictions."""
    columns = (
        Column("class"),
        Column("share before", "percent"),
        Column("share now", "percent"),
        Column("change"),
        Column("predicted before", "percent"),
        Column("predicted now", "percent"),
        Column("moved"),
    )
    shown = result.classes[:MOST_CLASSES]
    more = f" The first {MOST_CLASSES} of {len(result.classes)}." if len(result.classes) > MOST_CLASSES else ""
    rows = tuple(
        (
            words.shown(item.label),
            item.before.value,
            item.now.value,
            words.change(item.change),
            item.said_before,
            item.said_now,
            "yes" if item.moved else "no",
        )
        for item in shown
    )
    return Table(columns, rows, f"Shares of the classes in labels and predictions, those that moved first.{more}")


def _worsened(result: RecencyDrift) -> Table:
    unit = words.metric(result.worsened[0].now.unit)
    columns = (
        Column("slice"),
        Column("rows now", "integer"),
        Column(f"{unit} before"),
        Column("now"),
        Column("change"),
    )
    rows = tuple(
        (
            words.shown(item.condition),
            item.now.n,
            words.estimate(item.before),
            words.estimate(item.now),
            words.change(item.change),
        )
        for item in result.worsened
    )
    caption = "Slices that got worse by more than the rest, beyond chance over all; most errors added first."
    return Table(columns, rows, caption)
