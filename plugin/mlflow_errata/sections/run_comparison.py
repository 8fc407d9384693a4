"""Two runs side by side, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, Table, Text, Verdict
from mlflow_errata.diagnoses.class_imbalance import ClassImbalance
from mlflow_errata.diagnoses.recency_drift import RecencyDrift
from mlflow_errata.sections import REGISTRY, loop, verdicts
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import SAID, Dot, axis_of_change, dots, of_status

if TYPE_CHECKING:
    from mlflow_errata._compare import Change
    from mlflow_errata._run_comparison import RunComparison
    from mlflow_errata.blocks import Cell
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

WORSE, BETTER = of_status("bad", "worse"), of_status("good", "better")
LINE_OF_NAME = 30
"""Characters of a line of a slice's name beside the chart."""


def title(found: RunComparison) -> str:
    """Whether the new run is better, as the title of a page."""
    if found.change is None:
        return "The two runs cannot be compared"
    ranked = found.change_value or found.change
    if ranked.low > 0:
        return "Better than the earlier run"
    return "Worse than the earlier run" if ranked.high < 0 else "Not distinguishable from the earlier run"


def lede(found: RunComparison) -> str:
    """By how much, on which rows; or why not."""
    if found.change is None:
        return words.capital(loop.reason(found.reason))
    ranked = found.change_value or found.change
    said = f"A gain of {loop.gain(ranked)} on {words.plural(ranked.n, 'row')}, {loop.HOW[found.how]}."
    if found.change_value is not None:
        said += f" {words.capital(words.metric(found.change.unit))} gains {words.change(found.change)}."
    return said


def section(found: RunComparison, names: tuple[str, str] | None = None) -> list[Block]:
    """The change, flips, slices that got worse and better, and what each run found. `names`: of the two runs."""
    blocks: list[Block] = [Text(lede(found))]
    if found.flips is not None:
        blocks.append(_flips(found))
    blocks += _slices(found)
    return [*blocks, _diagnoses(found, names)]


def _flips(found: RunComparison) -> Facts:
    facts = []
    if found.flips is not None:
        for name, share in (
            ("negative flips", found.flips.negative),
            ("positive flips", found.flips.positive),
        ):
            note = "right before, wrong now" if name.startswith("neg") else "wrong before, right now"
            facts.append(Fact(name, words.value(share), f"{note}; {words.interval(share)}"))
    return Facts(tuple(facts))


def _slices(found: RunComparison) -> list[Block]:
    if found.slices is None:
        return [Text("Slices are compared where both runs were judged on the same rows.")] if found.change else []
    changes = [*found.slices.worse, *found.slices.better]
    examined = words.plural(found.slices.n_examined, "slice")
    if not changes:
        return [Text(f"No slice changed more than the others beyond chance; {examined} examined.")]
    return [_chart(found), _table(changes, f"{examined} examined; a change is beyond chance over all of them, at 5 %.")]


def _conditions(item: Change) -> str:
    return " and ".join(words.shown(condition) for condition in item.conditions)


def _chart(found: RunComparison) -> Chart:
    slices = found.slices
    rows = (
        []
        if slices is None
        else [
            Dot(
                "\n".join(words.in_lines(item.conditions, LINE_OF_NAME)),
                item.change.value,
                series.words,
                item.change.low,
                item.change.high,
                _points(item.change, alone=True),
            )
            for series, changes in ((WORSE, slices.worse), (BETTER, slices.better))
            for item in changes
        ]
    )
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    room = 0.3 * (max(*ends, 0.0) - min(*ends, 0.0)) or 1.0
    unit = "error" if slices is None else slices.old.unit
    spec = dots(
        rows,
        (WORSE, BETTER),
        x={
            "title": f"change in {words.counted_in(unit)} (95 % interval); right of the line is worse",
            "axis": axis_of_change(unit, tickCount=6),
        },
        domain=(min(*ends, 0.0) - room, max(*ends, 0.0) + room),
        rule=0.0,
    )
    told = words.listed([f"{' '.join(row.name.split())} {row.words}" for row in rows], most=12)
    return Chart(
        spec, alt=f"Slices that changed more than the others: {told}.", title="Slices that got worse and better"
    )


def _table(changes: list[Change], caption: str) -> Table:
    columns = (Column("slice"), Column("rows", "integer"), Column("before"), Column("now"), Column("change"))
    rows = tuple(
        (_conditions(item), item.support, words.value(item.old), words.value(item.new), _points(item.change))
        for item in changes
    )
    return Table(columns, rows, caption=caption)


def _points(change: Estimate, *, alone: bool = False) -> str:
    """A change with its interval; `alone` without it, where it is drawn."""
    if change.unit != "change of error rate":
        return words.change(change)
    interval = "" if alone else f" ({100 * change.low:+.1f} to {100 * change.high:+.1f})"
    return f"{100 * change.value:+.1f} points{interval}"


def _diagnoses(found: RunComparison, names: tuple[str, str] | None) -> Table:
    """What each diagnosis said of both runs, and the numbers of drift and imbalance."""
    records = (found.old, found.new)
    said = [verdicts(record) for record in records]
    rows: list[tuple[Cell, ...]] = []
    for name, module in REGISTRY.items():
        rows.append(
            (module.TITLE, *(_told(each[name], record, name) for each, record in zip(said, records, strict=True)))
        )
    places = ("earlier", "newer")
    heads = places if names is None else [f"{at}: {words.shown(name)}" for at, name in zip(places, names, strict=True)]
    columns = (Column("diagnosis"), *(Column(head) for head in heads))
    return Table(columns, tuple(rows), caption="What the diagnoses said of each run, on its own evaluation rows.")


def _told(block: object, record: Record, name: str) -> str:
    if not isinstance(block, Verdict):
        return "not made"
    return f"{SAID[block.status]}{_figure(record.results[name])}"


def _figure(result: object) -> str:
    if isinstance(result, ClassImbalance):
        rarest = result.classes[-1]
        recall = "" if rarest.recall is None else f", recall of the rarest {words.estimate(rarest.recall)}"
        return f" · 1 : {words.number(result.imbalance_ratio)}{recall}"
    headline = getattr(result, "headline", None)
    if headline is None:
        return ""
    told = words.change(headline) if isinstance(result, RecencyDrift) else words.estimate(headline)
    return f" · {words.metric(headline.unit)} {told}"


def summary(found: RunComparison) -> str:
    """What `print` shows: the change, flips, slices, and what the diagnoses said of both; plain text."""
    lines = [f"{title(found)}. {lede(found)}"]
    for block in section(found)[1:]:
        if isinstance(block, Facts):
            lines += [f"{words.capital(fact.name)}: {fact.value} ({fact.note})." for fact in block.facts]
        elif isinstance(block, Text):
            lines.append(block.sentence)
        elif isinstance(block, Table):
            lines += ["", " | ".join(column.title for column in block.columns)]
            lines += [" | ".join(str(cell) for cell in row) for row in block.rows]
    return "\n".join(lines)
