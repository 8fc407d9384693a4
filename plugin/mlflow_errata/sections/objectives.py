"""Objectives in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._mixes import LOOKS, curve, front, mix_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.blocks import Cell, Kind
    from mlflow_errata.diagnoses._mixes import Ranking, Swept
    from mlflow_errata.diagnoses.objectives import ObjectivesSwept
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "Objectives"
NONE = "No further objectives were declared, so no scores are weighed against each other."
CODE = (
    'Add objectives=errata.Objectives(outcomes=["clicked", "minutes"], scores=["p_click", "e_minutes"]): columns of '
    "outcomes, and of scores that were logged for them."
)
TWO = 2
EVERY = 10
"""Of two scores the table shows every tenth mix."""
PLAIN = {"share": "share", "mean": "per row taken", "ndcg": "NDCG"}


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that objectives can be weighed."""
    del record
    if "needs objectives" in reason:
        return NotMade(NONE, CODE)
    return NotMade(f"The objectives were not weighed: the diagnosis {reason}.")


def verdict(result: ObjectivesSwept, record: Record) -> Verdict:
    """Whether a mix of the scores brings more than the score in use."""
    del record
    return Verdict("bad" if result.found else "good", _said(result.sweep, found=result.found))


def _said(sweep: Swept, *, found: bool) -> str:
    now, chosen = sweep.current, sweep.chosen
    first = f"The score in use, {words.shown(now.name)}, brings {amount(now.goal)}."
    gain = words.change(chosen.gain)
    second = f"brings {words.value(chosen.goal)}, {gain}" if found else f"brings no more beyond chance: {gain}"
    mix = f"Ranking by {_formula(sweep)}, with weights that other rows chose, {second}."
    return " ".join([first, mix, *(_beside(item) for item in sweep.rankings if item.kind in {"combined", "rule"})])


def _formula(sweep: Swept) -> str:
    sign = " x " if sweep.combine == "product" else " + "
    return sign.join(words.shown(name) for name in sweep.scores)


def _beside(item: Ranking) -> str:
    """Another ranking, and whether the mix brings more."""
    behind = item.behind
    than = "" if behind.low > 0 else ", less than it" if behind.high < 0 else ", which may be chance"
    return (
        f"The {LOOKS[item.kind].words}, {words.shown(item.name)}, brings {words.value(item.goal)}; against it the "
        f"mix brings {words.change(behind)}{than}."
    )


def amount(measured: Estimate) -> str:
    """A figure with its interval and what it is of: 58.8 % (56.1 to 61.5 %) of spend in the top 10 %."""
    if words.is_share(measured.unit):
        return f"{words.estimate(measured)} of {words.shown(measured.unit.removeprefix('share of '))}"
    return f"{words.estimate(measured)} {words.shown(measured.unit)}"


def section(result: ObjectivesSwept, record: Record) -> list[Block]:
    """The verdict, the best mix, every other ranking beside it, and how it was measured."""
    sweep = result.sweep
    return [verdict(result, record), rankings(sweep), *at_mix(sweep, sweep.best), *details(sweep)]


def details(sweep: Swept) -> list[Block]:
    """Some mixes as a table, the other measures, and how all of it was measured."""
    return [_mixes(sweep), *_measures(sweep), Text(_how(sweep))]


def sliders(sweep: Swept) -> list[tuple[str, int]]:
    """What to move, as labels with where they start in percent: one for two scores, else one a score."""
    shares = [round(100 * share) for share in sweep.mixes[sweep.best].shares]
    if len(shares) == TWO:
        first, second = (words.shown(name) for name in sweep.scores)
        return [(f"Weight of {second} in percent; the rest is that of {first}", shares[1])]
    return [(f"Weight of {words.shown(name)}", share) for name, share in zip(sweep.scores, shares, strict=True)]


def moved(sweep: Swept, set_to: Sequence[int]) -> int:
    """Position of the mix that sliders stand at (the nearest one)."""
    return sweep.nearest([100 - set_to[0], set_to[0]] if len(set_to) == 1 else set_to)


def at_mix(sweep: Swept, at: int) -> list[Block]:
    """One mix of the sweep by its position: what it brings and costs in each outcome, and where it stands."""
    mix = sweep.mixes[at]
    facts = [
        Fact(words.shown(name), words.value(value), f"{words.change(gain)} against the score in use")
        for name, value, gain in zip(sweep.outcomes, mix.outcomes, mix.gains, strict=True)
    ]
    if sweep.only is None:
        facts.append(Fact("together", words.value(mix.goal), f"{words.change(mix.gain)} against the score in use"))
    best = " (the best on all rows)" if at == sweep.best else ""
    on = " No other mix is better in one outcome and no worse in the others." if mix.pareto else ""
    weights = ", ".join(f"{words.shown(name)} {weight:.4g}" for name, weight in sweep.weights(at).items())
    kind = "exponents" if sweep.combine == "product" else "weights"
    return [
        Text(f"{mix_words(sweep, mix.shares)}{best}: {kind} {weights}.{on if len(sweep.outcomes) > 1 else ''}"),
        Facts(tuple(facts)),
        *([curve(sweep, at)] if len(sweep.scores) == TWO else []),
        *([front(sweep, at)] if len(sweep.outcomes) > 1 else []),
    ]


def rankings(sweep: Swept) -> Table:
    """The score in use, the mixes, one model and the simple rule side by side."""
    columns = [Column("ranking"), Column("by")]
    for name, value in zip(sweep.outcomes, sweep.current.outcomes, strict=True):
        columns += [Column(words.shown(name), _kind(value)), Column(f"{words.shown(name)}, 95 % interval")]
    several = sweep.only is None
    if several:
        columns += [Column("together", _kind(sweep.current.goal)), Column("together, 95 % interval")]
    columns.append(Column("against the score in use"))
    rows = []
    for item in sweep.rankings:
        row: list[Cell] = [LOOKS[item.kind].words, words.shown(item.name) if item.name else _formula(sweep)]
        for value in (*item.outcomes, *([item.goal] if several else [])):
            row += [value.value, words.interval(value)]
        rows.append((*row, "" if item.kind == "current" else words.change(item.gain)))
    return Table(tuple(columns), tuple(rows), f"{words.capital(_unit(sweep))}. {_worth(sweep)}")


def _kind(measured: Estimate) -> Kind:
    return "percent" if words.is_share(measured.unit) else "number"


def _unit(sweep: Swept) -> str:
    """What is measured, for all outcomes."""
    top = f"the top {100 * sweep.top:g} %" if sweep.top < 1 else f"the first {sweep.top:g}"
    where = top if sweep.group is None else f"{top} of each {words.shown(sweep.group)}"
    if sweep.measure == "ndcg":
        return f"NDCG of {where}, mean over {words.plural(sweep.n_lists, 'list')}"
    return f"share of each outcome in {where}" if sweep.measure == "share" else f"mean of each outcome in {where}"


def _worth(sweep: Swept) -> str:
    if len(sweep.outcomes) == 1:
        return ""
    if sweep.only is not None:
        return f"Weights are chosen by {words.shown(sweep.only)} alone."
    if not any(sweep.worth):
        return "Together: every outcome counts alike, by its own mean."
    parts = [f"{words.shown(name)} {by or 0:g}" for name, by in zip(sweep.outcomes, sweep.worth, strict=True)]
    return f"Together: what a unit is worth, {words.listed(parts)}."


def _mixes(sweep: Swept) -> Table:
    """Mixes of the grid: every tenth of two scores, the front of more."""
    columns = [Column(f"weight of {words.shown(name)}", "percent") for name in sweep.scores]
    for name, value in zip(sweep.outcomes, sweep.current.outcomes, strict=True):
        columns += [Column(words.shown(name), _kind(value)), Column(f"{words.shown(name)} against the score in use")]
    two = len(sweep.scores) == TWO
    shown = sweep.mixes[::EVERY] if two else [mix for mix in sweep.mixes if mix.pareto]
    rows = []
    for mix in shown:
        row: list[Cell] = [*mix.shares]
        for value, gain in zip(mix.outcomes, mix.gains, strict=True):
            row += [value.value, words.change(gain)]
        rows.append(tuple(row))
    what = f"Every {EVERY}th of {len(sweep.mixes)} mixes" if two else f"Mixes on the front, of {len(sweep.mixes)}"
    return Table(tuple(columns), tuple(rows), f"{what}, and what each costs or gains in every outcome.")


def _measures(sweep: Swept) -> list[Block]:
    """Rankings by the other measures."""
    kinds = [each for each in dict.fromkeys(item.measure for item in sweep.current.measured) if each != sweep.measure]
    if not kinds:
        return []
    first = [item for item in sweep.current.measured if item.measure in kinds]
    columns = [Column("ranking")]
    for item in first:
        name = f"{words.shown(item.outcome)}: {PLAIN[item.measure]}"
        columns += [Column(name, _kind(item.value)), Column(f"{name}, 95 % interval")]
    rows = []
    for ranking in sweep.rankings:
        row: list[Cell] = [LOOKS[ranking.kind].words]
        for item in ranking.measured:
            if item.measure in kinds:
                row += [item.value.value, words.interval(item.value)]
        rows.append(tuple(row))
    caption = "The same rankings by other measures; per row taken is the precision of an outcome of 0 and 1."
    return [Table(tuple(columns), tuple(rows), caption)]


def _how(sweep: Swept) -> str:
    """How it was measured, in a sentence or two."""
    unit = {"rows": "rows", "lists": "lists"}.get(sweep.unit, f"values of {words.shown(sweep.unit)}")
    lists = "" if sweep.group is None else f" in {words.plural(sweep.n_lists, 'list')}"
    return (
        f"{words.plural(sweep.n_rows, 'row')}{lists}, nothing was trained. Four fifths of {words.count(sweep.n_units)} "
        f"{unit} chose the weights and the others judged them, five times over; intervals are paired and take {unit} "
        "as drawn independently."
    )


def told(sweep: Swept) -> str:
    """What `print(sweep)` shows."""
    lines = [_said(sweep, found=sweep.chosen.gain.low > 0), ""]
    for item in sweep.rankings:
        name = f"{LOOKS[item.kind].words} ({words.shown(item.name)})" if item.name else LOOKS[item.kind].words
        figures = [
            f"{words.shown(outcome)} {words.estimate(value)}"
            for outcome, value in zip(sweep.outcomes, item.outcomes, strict=True)
        ]
        against = "" if item.kind == "current" else f"; against the score in use {words.change(item.gain)}"
        lines.append(f"- {name}: {words.listed(figures)}{against}")
    mix = sweep.mixes[sweep.best]
    return "\n".join([*lines, "", f"Best on all rows: {mix_words(sweep, mix.shares)}. {_how(sweep)}"])
