"""The proposed steps beside each other, doing nothing among them: a dot and an interval each, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlflow_errata.blocks import Chart, Column, StepCard, Table
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import next_steps, trials
from mlflow_errata.sections._marks import Dot, Series, axis_of_change, dots
from mlflow_errata.sections.trials import NOTHING, REFERENCE, SERIES
from mlflow_errata.steps import decouple, stop
from mlflow_errata.steps._shape import NOT_TRIED

if TYPE_CHECKING:
    from mlflow_errata.blocks import Status
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep

TITLE = "What each step would deliver"
MARK = {"good": "●", "likely": "■", "unsure": "◆", "bad": "▲"}
SHORT = {"good": "pays", "likely": "likely pays", "unsure": "too little evidence", "bad": "loses"}
ABOVE = "too little evidence or worth"
"""Of a gain that does not pay though its interval lies above 0."""
AS_IT_IS = "the reference"
NARROW = 34
"""Characters of a step's name in one line beside the chart."""


class Offer(NamedTuple):
    """A row: position among the next steps (-1 for doing nothing that was not proposed), and what is known."""

    at: int
    name: str
    verdict: str
    gain: Estimate | None
    status: Status
    gains: float | None
    chance: float | None
    cost: str
    why: str


def offers(record: Record) -> tuple[Offer, ...]:
    """Every proposed step in the order of the record, doing nothing as one of them."""
    cards = next_steps.cards(record)
    found = [_offer(at, card, record) for at, card in enumerate(cards)]
    if record.trials is not None and not any(step.kind == "stop" for step in record.next_steps):
        paying = sum(item.status in {"good", "likely"} for item in found)
        found.insert(paying, Offer(-1, NOTHING, AS_IT_IS, record.trials.noise, "unsure", None, None, "none", ""))
    return tuple(found)


def _offer(at: int, card: StepCard, record: Record) -> Offer:
    step = record.next_steps[at]
    if step.kind == "stop":
        noise = None if record.trials is None else record.trials.noise
        return Offer(at, NOTHING, AS_IT_IS, noise, "unsure", None, None, "none", "0, by definition")
    gain = step.gain_value or step.gain
    chances = (step.chance_gains, step.chance_best)
    return Offer(at, card.title, _verdict(step, card.status), gain, card.status, *chances, card.cost, step.gain_reason)


def _verdict(step: NextStep, status: Status) -> str:
    """Whether a step pays, in two or three words."""
    gain = step.gain_value or step.gain
    if gain is None:
        return f"○ {NOT_TRIED}"
    if trials.is_unchecked(step):
        return f"{MARK[status]} known after the check"
    return f"{MARK[status]} {ABOVE if status == 'unsure' and gain.low > 0 else SHORT[status]}"


def charts(record: Record) -> list[Chart]:
    """The gains that were measured; none where none was."""
    found = offers(record)
    known = [item for item in found if item.gain is not None and item.gain.unit == _unit(record)]
    if not any(item.name != NOTHING for item in known):
        return []
    names = words.distinct([_folded(item.name) for item in known])
    rows = [
        Dot(_lines(name), item.gain.value, _series(item).words, item.gain.low, item.gain.high, _value(item.gain))
        for name, item in zip(names, known, strict=True)
        if item.gain is not None
    ]
    ends = [0.0, *(end for row in rows for end in (row.low, row.high) if end is not None)]
    room = 0.2 * (max(ends) - min(ends)) or 1.0
    unit = _unit(record)
    spec = dots(
        rows,
        (*SERIES.values(), REFERENCE),
        x={
            "title": f"measured gain, {words.counted_in(unit)} ({_level(record)} % interval)",
            "axis": axis_of_change(unit, tickCount=6),
        },
        domain=(min(ends) - room, max(ends) + room),
        rule=0.0,
    )
    told = "; ".join(
        f"{item.name} {words.change(item.gain)}, {_series(item).words}" for item in known if item.gain is not None
    )
    return [Chart(spec, alt=f"Measured gain of each step in {words.metric(unit)}: {told}.")]


def _series(item: Offer) -> Series:
    return REFERENCE if item.name == NOTHING else SERIES[item.status]


def _unit(record: Record) -> str:
    """What gains are measured in: that of the trials; a mix of scores has a unit of its own."""
    gains = (step.gain_value or step.gain for step in record.next_steps)
    return next((gain.unit for gain in gains if gain is not None), "") if record.trials is None else record.trials.unit


def _value(gain: Estimate) -> str:
    return words.change(gain).partition(" (")[0]


def _folded(name: str) -> str:
    return name if len(name) <= 2 * NARROW else f"{name[: 2 * NARROW - 1]}…"


def _lines(name: str) -> str:
    """A name in at most two lines, broken between words."""
    at = name.rfind(" ", 0, NARROW + 1)
    return name if len(name) <= NARROW or at <= 0 else f"{name[:at]}\n{name[at + 1 :]}"


def table(record: Record) -> Table:
    """Gain with its interval, chances and cost of every step, in words; keys are positions in `next_steps`."""
    found = offers(record)
    columns = (
        Column("step"),
        Column("verdict"),
        Column(f"gain ({_level(record)} % interval)"),
        Column("chance: gain", "percent"),
        Column("chance: best", "percent"),
        Column("cost"),
    )
    rows = tuple((item.name, item.verdict, _gain(item, record), item.gains, item.chance, item.cost) for item in found)
    return Table(columns, rows, _caption(record, _unit(record)), tuple(str(item.at) for item in found))


def figures(record: Record) -> Table:
    """The same in figures, for a spreadsheet."""
    columns = (
        Column("step"),
        Column("verdict"),
        Column("gain", "number"),
        Column("low", "number"),
        Column("high", "number"),
        Column("unit"),
        Column("chance: gain", "percent"),
        Column("chance: best", "percent"),
        Column("cost"),
    )
    rows = []
    for item in offers(record):
        measured = (None,) * 3 if item.gain is None else (item.gain.value, item.gain.low, item.gain.high)
        unit = item.why if item.gain is None else words.metric(item.gain.unit)
        rows.append((item.name, item.verdict, *measured, unit, item.gains, item.chance, item.cost))
    return Table(columns, tuple(rows))


def _gain(item: Offer, record: Record) -> str:
    """The gain in the unit that the caption names, else with its own."""
    if item.gain is None:
        return ""
    return words.change(item.gain) if item.gain.unit == _unit(record) else trials.amount(item.gain, record)


def _level(record: Record) -> int:
    known = (item.gain for item in offers(record) if item.gain is not None)
    return round(100 * next((gain.level for gain in known), 0.9))


def _caption(record: Record, unit: str) -> str:
    made = record.trials
    if made is None and any(step.kind == decouple.KIND for step in record.next_steps):
        return (
            f"Gain in the {words.metric(unit)} with its 95 % interval, judged on rows that did not choose. The other "
            "steps were not tried: give train= and budget= to errata.diagnose to measure their gains."
        )
    if made is None or not unit:
        return _untried(record)
    how = (
        f"{words.plural(made.n_judging, 'row')} in {words.plural(made.n_periods, 'period')}, "
        f"{words.plural(made.n_origins, 'refit')} of each step"
        if made.judged == "forward"
        else f"{words.plural(made.n_judging, 'row')} in folds"
    )
    noise = "" if made.noise is None else " Doing nothing is the unchanged model, refitted with another seed."
    above = any(item.verdict.endswith(ABOVE) for item in offers(record))
    asked = " More is asked of one of several, and of rows to collect, than an interval above 0." if above else ""
    return f"Gain in {words.metric(unit)}, more is better; judged on {how}.{noise}{asked}"


def _untried(record: Record) -> str:
    """Why no gain was measured, as the steps say; what to give where nothing but that was missing."""
    steps = [step for step in record.next_steps if step.gain_reason and step.gain is None and step.kind != stop.KIND]
    reasons = dict.fromkeys(step.gain_reason.removeprefix(f"{NOT_TRIED}: ") for step in steps)
    said = [reason for reason in reasons if reason != NOT_TRIED]
    if not said:
        return "None of these was tried: give train= and budget= to errata.diagnose to measure their gains."
    return f"No gain was measured: {'; '.join(' '.join(reason.split()) for reason in said)}."
