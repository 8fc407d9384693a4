"""The proposed steps beside each other, doing nothing among them: a dot and an interval each, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlflow_errata.blocks import Cell, Chart, Column, StepCard, Table
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import next_steps, trials
from mlflow_errata.sections._marks import Dot, dots
from mlflow_errata.sections.trials import SERIES
from mlflow_errata.steps import decouple
from mlflow_errata.steps._shape import NOT_TRIED

if TYPE_CHECKING:
    from mlflow_errata.blocks import Status
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "What each step would deliver"
NOTHING = "Do nothing"
MARK = {"good": "●", "likely": "■", "unsure": "◆", "bad": "▲"}
SHORT = {"good": "pays", "likely": "likely pays", "unsure": "not told from nothing", "bad": "loses"}
NARROW = 34
"""Characters of a step's name in one line beside the chart."""


class Offer(NamedTuple):
    """A row: position among the next steps (-1 for doing nothing that was not proposed), and what is known."""

    at: int
    name: str
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
        noise, none = record.trials.noise, record.trials.chance_none
        found.insert(paying, Offer(-1, NOTHING, noise, "unsure", None, none, "none", ""))
    return tuple(found)


def _offer(at: int, card: StepCard, record: Record) -> Offer:
    step = record.next_steps[at]
    if step.kind == "stop":
        noise = None if record.trials is None else record.trials.noise
        chance = None if record.trials is None else record.trials.chance_none
        return Offer(at, NOTHING, noise, "unsure", None, chance, "none", "0, by definition")
    gain = step.gain_value or step.gain
    chances = (step.chance_gains, step.chance_best)
    return Offer(at, card.title, gain, card.status, *chances, card.cost, step.gain_reason)


def charts(record: Record) -> list[Chart]:
    """The gains that were measured; none where none was."""
    found = offers(record)
    known = [item for item in found if item.gain is not None and item.gain.unit == _unit(record)]
    if not any(item.name != NOTHING for item in known):
        return []
    names = words.distinct([_folded(item.name) for item in known])
    rows = [
        Dot(_lines(name), item.gain.value, SERIES[item.status].words, item.gain.low, item.gain.high, _value(item.gain))
        for name, item in zip(names, known, strict=True)
        if item.gain is not None
    ]
    ends = [0.0, *(end for row in rows for end in (row.low, row.high) if end is not None)]
    room = 0.2 * (max(ends) - min(ends)) or 1.0
    unit = words.metric(known[0].gain.unit) if known[0].gain is not None else ""
    level = 90 if known[0].gain is None else round(100 * known[0].gain.level)
    spec = dots(
        rows,
        tuple(SERIES.values()),
        x={"title": f"measured gain, {unit} ({level} % interval)", "axis": {"tickCount": 6}},
        domain=(min(ends) - room, max(ends) + room),
        rule=0.0,
    )
    told = "; ".join(
        f"{item.name} {words.change(item.gain)}, {SERIES[item.status].words}" for item in known if item.gain is not None
    )
    return [Chart(spec, alt=f"Measured gain of each step in {unit}: {told}.")]


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
    """Gain with its interval, chance of being the best, and cost of every step; keys are positions in `next_steps`."""
    found = offers(record)
    unit = _unit(record)
    columns = (
        Column("step"),
        Column("verdict"),
        Column("gain", "number"),
        Column("low", "number"),
        Column("high", "number"),
        Column("chance it gains", "percent"),
        Column("chance it is the best", "percent"),
        Column("cost"),
    )
    return Table(
        columns, tuple(_row(item, record) for item in found), _caption(record, unit), tuple(str(i.at) for i in found)
    )


def _row(item: Offer, record: Record) -> tuple[Cell, ...]:
    if item.gain is None:
        return (item.name, f"○ {item.why}", None, None, None, item.gains, item.chance, item.cost)
    if item.gain.unit != _unit(record):
        said = f"{MARK[item.status]} {SHORT[item.status]}: {trials.amount(item.gain, record)}"
        return (item.name, said, None, None, None, item.gains, item.chance, item.cost)
    ends = (item.gain.value, item.gain.low, item.gain.high)
    return (item.name, f"{MARK[item.status]} {SHORT[item.status]}", *ends, item.gains, item.chance, item.cost)


def _caption(record: Record, unit: str) -> str:
    made = record.trials
    untold = any(step.gain_reason == NOT_TRIED for step in record.next_steps)
    how_to = ": give train= and budget= to errata.diagnose to measure their gains." if untold else "."
    if made is None and any(step.kind == decouple.KIND for step in record.next_steps):
        return (
            f"Gain in the {words.metric(unit)} with its 95 % interval, judged on rows that did not choose. The other "
            f"steps were not tried{how_to}"
        )
    if made is None or not unit:
        return f"None of these was tried{how_to}"
    how = (
        f"{words.plural(made.n_judging, 'row')} in {words.plural(made.n_periods, 'period')}, "
        f"{words.plural(made.n_origins, 'refit')} of each step"
        if made.judged == "forward"
        else f"{words.plural(made.n_judging, 'row')} in folds"
    )
    noise = "" if made.noise is None else " Doing nothing is the unchanged model, refitted with another seed."
    return f"Gain in {words.metric(unit)} with its 90 % interval, more is better; judged on {how}.{noise}"
