"""Sections: the words and charts for each diagnosis, as blocks. One module each, all of the shape in `_shape.py`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from mlflow_errata.blocks import Block, Codes, NotMade, Verdict
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.diagnoses._codes import codes_of
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import next_steps, trials
from mlflow_errata.sections._shape import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.record.schema import Record
    from mlflow_errata.sections._shape import SectionModule

__all__ = ["REGISTRY", "Section", "next_steps", "sections", "summary", "verdicts"]

REGISTRY: Mapping[str, SectionModule] = {
    name: cast("SectionModule", import_module(f"{__name__}.{name}")) for name in CATALOGUE
}
"""The section of every diagnosis, in the order of the catalogue."""
MARKS = {"bad": "found", "good": "not found", "unsure": "cannot tell", "ignored": "ignored"}


def sections(record: Record) -> list[Section]:
    """Every diagnosis of the catalogue, made or not, as (name, title, blocks)."""
    return [Section(name, module.TITLE, _blocks(name, module, record)) for name, module in REGISTRY.items()]


def verdicts(record: Record) -> dict[str, Verdict | NotMade]:
    """The finding of every diagnosis in one sentence, or why it was not made; builds no charts."""
    return {
        name: _heeded(name, module.verdict(record.results[name], record), record)
        if name in record.results
        else module.not_made(record.not_applicable.get(name, NOT_KNOWN), record)
        for name, module in REGISTRY.items()
    }


def summary(record: Record) -> str:
    """What `print(record)` shows: the metric, the verdict of every diagnosis, the next steps; plain text."""
    return "\n".join([measured(record), "", *_lines(record), "", *_steps(record)])


def measured(record: Record) -> str:
    """The metric, its interval and the rows that it was measured on."""
    found, rows = record.summary, words.plural(record.dataset.n_rows, "row")
    name = words.metric(found.metric)
    if found.value is None:
        return f"{name} cannot be estimated on {rows}"
    return f"{name} {words.estimate(found.value)} on {rows}"


NOT_KNOWN = "is not part of this record"


def _blocks(name: str, module: SectionModule, record: Record) -> list[Block]:
    if name in record.results:
        blocks = module.section(record.results[name], record)
        told = [_heeded(name, block, record) if isinstance(block, Verdict) else block for block in blocks[:1]]
        codes = codes_of(name, record.results[name])
        return [*told, *blocks[1:], Codes(codes, _looked_up(codes))] if codes else blocks
    return [module.not_made(record.not_applicable.get(name, NOT_KNOWN), record)]


def _heeded(name: str, said: Verdict, record: Record) -> Verdict:
    """A verdict, which reads ignored where the experiment ignores all that was found."""
    codes = codes_of(name, record.results[name])
    why = [f"{code}: {record.ignored[code].rstrip('.')}." for code in codes if code in record.ignored]
    if not why:
        return said
    status = "ignored" if len(why) == len(codes) else said.status
    return Verdict(status, f"{said.sentence} Ignored in this experiment, {' '.join(why)}")


def _looked_up(codes: tuple[str, ...]) -> str:
    """Where to read about what was found, and how to settle it."""
    return (
        f"{words.listed(codes, most=len(codes))}: docs/errors says of each code how it is detected, why it matters and "
        f'what to do. To settle one for all runs: errata.ignore("experiment", "{codes[0]}", "the reason").'
    )


def _lines(record: Record) -> list[str]:
    lines = []
    for name, said in verdicts(record).items():
        mark = MARKS[said.status] if isinstance(said, Verdict) else "not made"
        text = said.sentence if isinstance(said, Verdict) else f"{said.reason} {said.remedy}".rstrip()
        lines.append(f"{REGISTRY[name].TITLE} [{mark}]: {text}")
    return lines


def _steps(record: Record) -> list[str]:
    cards = next_steps.cards(record)
    lines = [f"{at}. {card.title} (gain: {card.gain}; cost: {card.cost})" for at, card in enumerate(cards, start=1)]
    tried = [] if record.trials is None else ["", *trials.how(record.trials)]
    return ["Next steps:", *lines, *tried] if lines else []
