"""Calibration in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.diagnoses.calibration import WORTH_A_LOOK
from mlflow_errata.sections import _by_label, _coverage
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, PLAIN, Dot, Spec, chart, dots, legend_of, of_status

if TYPE_CHECKING:
    from mlflow_errata.blocks import Kind
    from mlflow_errata.diagnoses._calibrated_windows import CalibrationWindow
    from mlflow_errata.diagnoses.calibration import Calibration
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "Calibration"
HEIGHT = 240
SHARE = "share of rows"
AGREES = of_status("good", "what was said lies in the interval")
DIFFERS = of_status("bad", "it lies outside")
OFF, ON = of_status("bad", "off beyond chance, and it counts"), of_status("good", "not off to speak of")
SHAPES = {
    "too high": "too high",
    "too low": "too low",
    "too extreme": "too extreme: what happens lies nearer to the average than what is said",
    "too timid": "too timid: what happens lies farther from the average than what is said",
    "mixed": "off in places, up in some and down in others",
}


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that calibration can be judged."""
    if record.summary.task != "regression" and "scores" not in record.dataset.roles and "labels were given" in reason:
        return NotMade(
            "Without scores, calibration is not judged.", "Add scores=..., the column(s) with the probabilities."
        )
    return NotMade(f"Calibration was not judged: it {reason}.")


def verdict(result: Calibration, record: Record) -> Verdict:
    """Whether what the model says is what happens; predicted quantiles come after that."""
    if result.coverage is not None and result.coverage.found:
        missed, first = _coverage.verdict(result.coverage).sentence, _of_what_was_said(result, record).sentence
        return Verdict("bad", f"{first} {missed}" if result.off else missed)
    return _of_what_was_said(result, record)


def _of_what_was_said(result: Calibration, record: Record) -> Verdict:
    off = [window for window in result.windows if window.off]
    error = f"The calibration error is {_shown(result.error, record)}"
    if result.shape is not None:
        return Verdict(
            "bad",
            f"{_subject(result, record)} are {SHAPES[result.shape]}. {_means(result, record)} {error}.{_most(off)}",
        )
    if off:
        worst = _worst(off)
        said, happened = (_level(x, record) for x in (worst.said, worst.happened))
        return Verdict(
            "bad",
            f"{_subject(result, record)} are off in {words.plural(len(off), 'window')} of {len(result.windows)}, most "
            f"from {words.moment(worst.start, result.unit)} on: {said} said, {happened} happened. Over all rows the "
            f"calibration error is {_shown(result.error, record)}.",
        )
    if result.slices:
        first = result.slices[0]
        said, happened = (_level(x, record) for x in (first.said, first.happened))
        return Verdict(
            "bad",
            f"{_subject(result, record)} are off in {words.plural(len(result.slices), 'slice')}, most where "
            f"{words.shown(first.condition)}: {said} said, {happened} happened. Over all rows the calibration error is "
            f"{_shown(result.error, record)}.",
        )
    return Verdict(
        "good",
        f"{_subject(result, record)} agree with what happens. {error}; it would count from {_from(result, record)}.",
    )


def _most(off: list[CalibrationWindow]) -> str:
    return "" if not off else f" It is off in {words.plural(len(off), 'window')} by itself."


def _worst(off: list[CalibrationWindow]) -> CalibrationWindow:
    return max(off, key=lambda window: abs(window.gap.value))


def _subject(result: Calibration, record: Record) -> str:
    if record.summary.task == "regression":
        return "Predictions"
    return (
        "Probabilities of the likeliest class" if result.of is None else f"Probabilities of {words.quoted(result.of)}"
    )


def _means(result: Calibration, record: Record) -> str:
    return (
        f"On average {_level(result.said, record)} is said and "
        f"{_level(result.said + result.gap.value, record)} happens."
    )


def _level(x: float, record: Record) -> str:
    return words.number(x) if record.summary.task == "regression" else words.percent(x)


def _shown(measured: Estimate, record: Record) -> str:
    return words.estimate(measured, unit=_unit(record))


def _unit(record: Record) -> str | None:
    return None if record.summary.task == "regression" else SHARE


def _from(result: Calibration, record: Record) -> str:
    return _level(WORTH_A_LOOK * result.scale, record)


def section(result: Calibration, record: Record) -> list[Block]:
    """What was said against what happened, over what was said and over time."""
    blocks: list[Block] = [verdict(result, record), _facts(result, record), _curve(result, record)]
    blocks += [Text(_explained(result, record)), _table(result, record), *_coverage.reach(result)]
    if result.labels:
        blocks.append(_by_label.calibrations(result.labels))
    if result.windows:
        blocks.append(_windows(result, record))
    if result.slices:
        blocks.append(_slices(result, record))
    return [*blocks, *([] if result.coverage is None else _coverage.section(result.coverage))]


def _facts(result: Calibration, record: Record) -> Facts:
    unit = _unit(record)
    facts = [
        Fact(
            "calibration error",
            words.value(result.error, unit=unit),
            f"{words.interval(result.error, unit=unit)}; {_level(result.plain_error, record)} with its bias",
        ),
        Fact("happened - said", words.value(result.gap, unit=unit), words.interval(result.gap, unit=unit)),
    ]
    if result.brier is not None:
        parts = result.brier
        facts += [
            Fact("Brier score", words.number(parts.score.value), words.interval(parts.score)),
            Fact(
                "of which miscalibration",
                words.number(max(parts.reliability, 0.0)),
                f"uncertainty {words.number(parts.uncertainty)} - resolution {words.number(parts.resolution)}",
            ),
        ]
    return Facts(tuple(facts))


def _curve(result: Calibration, record: Record) -> Chart:
    numbers = record.summary.task == "regression"
    rows: list[dict[str, Any]] = [
        {
            "said": item.said,
            "happened": item.happened.value,
            "low": item.happened.low,
            "high": item.happened.high,
            "series": (AGREES if item.happened.low <= item.said <= item.happened.high else DIFFERS).words,
            "words": words.estimate(item.happened, unit=_unit(record)),
            "told": _level(item.said, record),
            "rows": words.count(item.support),
        }
        for item in result.bins
    ]
    low = min(min(row["said"], row["low"]) for row in rows)
    high = max(max(row["said"], row["high"]) for row in rows)
    room = 0.05 * (high - low or abs(high) or 1.0)
    low, high = (low - room, high + room) if numbers else (max(0.0, low - room), min(1.0, high + room))
    axis: Spec = {"format": PLAIN if numbers else ".0%", "tickCount": 5}
    scale: Spec = {"domain": [low, high], "nice": False, "zero": False}
    said: Spec = {
        "field": "said",
        "type": "quantitative",
        "title": "said (mean of the rows)",
        "scale": scale,
        "axis": axis,
    }
    happened: Spec = {"field": "happened", "type": "quantitative", "title": "happened", "scale": scale, "axis": axis}
    tooltip = [
        {"field": "told", "title": "said"},
        {"field": "words", "title": "happened"},
        {"field": "rows", "title": "rows"},
    ]
    used = [series for series in (AGREES, DIFFERS) if any(row["series"] == series.words for row in rows)]
    spec = chart(
        {"height": HEIGHT, "data": {"values": rows}},
        layer=[
            {
                "data": {"values": [{"said": end, "happened": end} for end in (low, high)]},
                "mark": {"type": "line", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
                "encoding": {"x": said, "y": happened},
            },
            {
                "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
                "encoding": {"x": said, "y": happened | {"field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 90},
                "encoding": {"x": said, "y": happened, "tooltip": tooltip, **legend_of(used)},
            },
        ],
    )
    return Chart(
        spec,
        alt="Said and happened: " + words.listed([f"{row['told']} and {row['words']}" for row in rows], most=10) + ".",
        title="What happened to rows told about the same (95 % interval; dashed: what was said)",
    )


def _explained(result: Calibration, record: Record) -> str:
    against = "mean absolute error" if record.summary.task == "regression" else "share of the rarer outcome"
    return (
        "The calibration error is the mean distance between what was said and what happened to rows told about the "
        "same, with the part taken off that chance alone would give. It counts from a tenth of the "
        f"{against} on: {_from(result, record)}."
    )


def _table(result: Calibration, record: Record) -> Table:
    kind: Kind = "number" if record.summary.task == "regression" else "percent"
    columns = (
        Column("from", kind),
        Column("to", kind),
        Column("rows", "integer"),
        Column("said", kind),
        Column("happened", kind),
        Column("95 % interval"),
    )
    rows = tuple(
        (
            item.low,
            item.high,
            item.support,
            item.said,
            item.happened.value,
            words.interval(item.happened, unit=_unit(record)),
        )
        for item in result.bins
    )
    return Table(columns, rows, "Rows by what was said, in equal numbers.")


def _windows(result: Calibration, record: Record) -> Chart:
    starts = [words.moment(window.start, result.unit) for window in result.windows]
    rows = [
        Dot(
            name=name,
            value=window.gap.value,
            low=window.gap.low,
            high=window.gap.high,
            series=(OFF if window.off else ON).words,
            words=words.value(window.gap, unit=_unit(record)),
        )
        for name, window in zip(words.distinct(starts), result.windows, strict=True)
    ]
    ends = [end for row in rows for end in (row.low or 0.0, row.high or 0.0, 0.0)]
    room = 0.1 * ((max(ends) - min(ends)) or 1.0)
    axis: Spec = {
        "title": "happened - said (95 % interval)",
        "axis": {"format": PLAIN if record.summary.task == "regression" else ".0%", "tickCount": 5},
    }
    return Chart(
        dots(rows, (OFF, ON), x=axis, domain=(min(ends) - room, max(ends) + room), rule=0.0),
        alt="What happened less what was said, per window: "
        + words.listed([f"{row.name} {row.words}" for row in rows], most=12)
        + ".",
        title="Calibration over time",
    )


def _slices(result: Calibration, record: Record) -> Table:
    kind: Kind = "number" if record.summary.task == "regression" else "percent"
    columns = (
        Column("slice"),
        Column("rows", "integer"),
        Column("said", kind),
        Column("happened", kind),
        Column("happened - said", kind),
        Column("95 % interval"),
    )
    rows = tuple(
        (
            words.shown(item.condition),
            item.support,
            item.said,
            item.happened,
            item.gap.value,
            words.interval(item.gap, unit=_unit(record)),
        )
        for item in result.slices
    )
    gap = words.value(result.gap, unit=_unit(record))
    said = f"Slices whose happened - said differs from that of all rows ({gap}), beyond chance over all slices."
    return Table(columns, rows, said)
