"""Framing in words and pictures: groups of classes, classes that came, rare ones, their order, the number behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.diagnoses._rare import LEARNABLE
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._groups import matrix, shares

if TYPE_CHECKING:
    from datetime import datetime

    from mlflow_errata.diagnoses._arrivals import Arrival, Arrivals
    from mlflow_errata.diagnoses._hierarchy import Hierarchy
    from mlflow_errata.diagnoses._order import ClassOrder
    from mlflow_errata.diagnoses._questions import NumberBehind, Question
    from mlflow_errata.diagnoses._rare import TooRare
    from mlflow_errata.diagnoses.framing import Framing
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep

TITLE = "Framing"
INTERVAL = "95 % interval"
DECLARE = (
    "Keep a column beside the features that says more of the label: a coarser class (the genus of a species), the "
    "number that the label is cut from, or the classes that a number is cut into."
)


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that other forms of the question can be looked at."""
    del record
    remedy = "" if "several labels" in reason else DECLARE
    return NotMade(f"Other forms of the question were not looked at: it {reason}.", remedy)


def verdict(result: Framing, record: Record) -> Verdict:
    """What was found among the classes, in a sentence each."""
    said = [sentence for alarm in result.alarms if (sentence := finding(result, alarm))]
    if said:
        return Verdict("bad", " ".join(said))
    return Verdict("good", _nothing(result, record))


def finding(result: Framing, alarm: str) -> str:
    """The sentence of one alarm; empty where it is none."""
    if alarm == "groups":
        grouped = [item for item in result.hierarchies if item.found]
        return _grouped(grouped[0]) if grouped else ""
    if alarm == "arrivals":
        return "" if result.arrivals is None else _came(result.arrivals)
    if alarm == "rare":
        return "" if result.rare is None else _rare(result.rare)
    return "" if result.order is None else _ordered(result.order)


def because(result: Framing, step: NextStep) -> str:
    """Why a step of this diagnosis is proposed."""
    form = step.params.get("to")
    if form == "hierarchy":
        chosen = [item for item in result.hierarchies if item.column == step.params.get("by")]
        return _grouped(chosen[0]) if chosen else ""
    if form == "number" and result.behind is not None:
        return _behind(result.behind)
    if form == "classes":
        asked = [item for item in result.questions if item.column == step.params.get("column")]
        return _asked(asked[0]) if asked else ""
    if form in {"pairs", None} and step.kind != "collect_data":
        return finding(result, "arrivals")
    return finding(result, {"ordinal": "order"}.get(str(form), "rare"))


def _grouped(item: Hierarchy) -> str:
    by = f"of the same {words.shown(item.column)}" if item.column is not None else "of its group"
    return (
        f"Of the wrong rows {words.estimate(item.within)} are taken for another class {by}, by chance it would be "
        f"{words.percent(item.chance)}; the {words.plural(len(item.groups), 'group')} are told right in "
        f"{words.estimate(item.right)} of all rows."
    )


def _came(found: Arrivals) -> str:
    listed = words.listed([_arrived(item) for item in found.classes])
    n = words.plural(len(found.classes), "class", "classes")
    more = f" Their number grows: by chance {words.number(found.expected)} would be new." if found.growing else ""
    return f"{words.capital(n)} came after the training rows, and the model cannot name them: {listed}.{more}"


def _arrived(item: Arrival) -> str:
    first = "" if item.first is None else f"first seen {_moment(item.first)}, "
    return f"{words.quoted(item.label)} ({first}{words.plural(item.support, 'row')})"


def _moment(at: datetime | float) -> str:
    return words.moment(at, "day")


def _rare(found: TooRare) -> str:
    recall = "" if found.recall is None else words.estimate(found.recall)
    others = "" if found.others is None else words.estimate(found.others)
    n = words.plural(len(found.classes), "class has", "classes have")
    return (
        f"{words.capital(n)} fewer than {LEARNABLE} training rows "
        f"({words.listed([words.quoted(item.label) for item in found.classes])}): together recalled {recall}, "
        f"the others {others}."
    )


def _ordered(found: ClassOrder) -> str:
    return (
        "The classes have an order, and the model is not told: wrong rows are "
        f"{words.estimate(found.apart)} places off, by chance {words.number(found.chance)}."
    )


def _behind(found: NumberBehind) -> str:
    known = "" if found.known == 1 else f", where it is known ({words.percent(found.known)} of the rows)"
    return f"The classes are ranges of {words.shown(found.column)}, cut at {_cuts(found.cuts)}{known}."


def _asked(item: Question) -> str:
    told = (
        ""
        if item.told is None
        else f" The predicted number tells {item.name} with ROC AUC {words.estimate(item.told)}."
    )
    return f"The label is cut into classes by {words.shown(item.column)}, at {_cuts(item.cuts)}.{told}"


def _cuts(cuts: tuple[float, ...]) -> str:
    return words.listed([f"{cut:g}" for cut in cuts], most=12)


def _nothing(result: Framing, record: Record) -> str:
    if result.questions:
        return " ".join([_asked(result.questions[0]), *_compared(result.questions, record)])
    said = [] if result.behind is None else [_behind(result.behind)]
    if len(record.dataset.classes) > 2:  # noqa: PLR2004 - two classes have no groups
        n = words.count(len(record.dataset.classes))
        said.insert(0, f"Among the {n} classes no groups, no newcomers and no order are beyond chance.")
    return " ".join(said)


def _compared(asked: tuple[Question, ...], record: Record) -> list[str]:
    """What classifiers gained over the regression on its question, where that was measured."""
    steps = [_step(record, "classes", item.column) for item in asked]
    measured = [step for step in steps if step is not None and step.gain is not None]
    if not measured:
        return []
    told = [f"{words.change(step.gain)} from {words.shown(step.params['column'])}" for step in measured if step.gain]
    worse = "" if any(step.pays for step in measured) else ": the regression is not worse"
    return [f"Asked directly, classifiers move it by {words.listed(told)}{worse}."]


def _step(record: Record, form: str, column: str | None) -> NextStep | None:
    """The step that takes a form, where it is among the next ones or was tried."""
    tried = () if record.trials is None else record.trials.tried
    for step in (*record.next_steps, *tried):
        same = step.kind == "reframe" and step.params.get("to") == form
        if same and column in {step.params.get("by"), step.params.get("column")}:
            return step
    return None


def section(result: Framing, record: Record) -> list[Block]:
    """The verdict, and what each part of it rests on."""
    blocks: list[Block] = [verdict(result, record)]
    if result.hierarchies:
        blocks += [_facts(result.hierarchies[0]), shares(result.hierarchies), _groups(result.hierarchies, record)]
        blocks += matrix(result.hierarchies, record) if "groups" in result.alarms else []
    if result.arrivals is not None and result.arrivals.classes:
        blocks += [_arrivals(result.arrivals)]
    if result.rare is not None:
        blocks += [_too_rare(result.rare), Text(_missing(result.rare))]
    if result.order is not None:
        blocks.append(Text(_order(result.order, record)))
    if result.behind is not None:
        told = f"{_behind(result.behind)} {_gain(record, 'number', result.behind.column)}".rstrip()
        blocks += _unless_said(told, verdict(result, record).sentence)
    if result.questions:
        blocks.append(_questions(result.questions, record))
    return blocks


def _unless_said(told: str, said: str) -> list[Block]:
    """A paragraph without the sentences that the verdict begins with."""
    left = told.removeprefix(said).strip()
    return [Text(left)] if left else []


def _facts(first: Hierarchy) -> Facts:
    return Facts(
        (
            Fact("wrong within the group", words.value(first.within), words.interval(first.within)),
            Fact("by chance", words.percent(first.chance)),
            Fact("group told right", words.value(first.right), words.interval(first.right)),
        )
    )


def _gain(record: Record, form: str, column: str | None) -> str:
    """The measured gain of a form, or that there is none, in words."""
    step = _step(record, form, column)
    best = None if step is None else step.gain_value or step.gain
    if step is None or best is None:
        return "" if step is None else f"As a step: {step.gain_reason}."
    pays = "it pays" if step.pays else "that does not pay"
    return f"As a step it moves {words.metric(best.unit)} by {words.change(best)}: {pays}."


def _groups(found: tuple[Hierarchy, ...], record: Record) -> Table:
    columns = (
        Column("told by"),
        Column("groups", "integer"),
        Column("wrong within", "percent"),
        Column(INTERVAL),
        Column("by chance", "percent"),
        Column("group told right", "percent"),
        Column("classes, group by group"),
        Column("gain of a hierarchy"),
    )
    rows = tuple(
        (
            told_by(item),
            len(item.groups),
            item.within.value,
            words.interval(item.within),
            item.chance,
            item.right.value,
            " · ".join(" ".join(words.shown(label) for label in group) for group in item.groups),
            _short(record, "hierarchy", item.column),
        )
        for item in found
    )
    return Table(columns, rows, "Groups of classes, and how many of the wrong rows stay within their group.")


def _short(record: Record, form: str, column: str | None) -> str:
    step = _step(record, form, column)
    best = None if step is None else step.gain_value or step.gain
    return "not tried" if best is None else words.change(best)


def told_by(item: Hierarchy) -> str:
    """What tells the groups."""
    return "the confusions" if item.column is None else words.shown(item.column)


def _arrivals(found: Arrivals) -> Table:
    columns = (
        Column("class"),
        Column("first seen"),
        Column("rows", "integer"),
        Column("share", "percent"),
        Column("taken for most"),
        Column("verdict"),
    )
    rows = tuple(
        (
            words.shown(item.label),
            "" if item.first is None else _moment(item.first),
            item.support,
            item.share.value,
            words.shown(item.taken_for),
            "came after training" if item.beyond_chance else "may have been missed by chance",
        )
        for item in found.classes
    )
    return Table(columns, rows, "Classes without a training row: none of their rows can be told right.")


def _too_rare(found: TooRare) -> Table:
    columns = (
        Column("class"),
        Column("training rows", "integer"),
        Column("rows", "integer"),
        Column("told right", "integer"),
    )
    rows = tuple((words.shown(item.label), item.trained, item.support, item.right) for item in found.classes)
    return Table(columns, rows, f"Classes with fewer than {LEARNABLE} training rows, which is too few to learn from.")


def _missing(found: TooRare) -> str:
    return (
        f"{words.plural(found.missing, 'row')} more would bring every one of them to {LEARNABLE}; or merge them into "
        "one class, if what they are called apart does not matter."
    )


def _order(found: ClassOrder, record: Record) -> str:
    if found.found:
        return f"{_ordered(found)} {_gain(record, 'ordinal', None)}".rstrip()
    return (
        f"By their order ({words.shown(found.told_by)}) wrong rows are {words.estimate(found.apart)} places off, by "
        f"chance {words.number(found.chance)}: the model does not take neighbours for each other far more than others."
    )


def _questions(asked: tuple[Question, ...], record: Record) -> Table:
    columns = (
        Column("classes in"),
        Column("cut at"),
        Column("question"),
        Column("rows above", "percent"),
        Column("ROC AUC of the number", "number"),
        Column(INTERVAL),
        Column("asked directly"),
    )
    rows = tuple(
        (
            words.shown(item.column),
            _cuts(item.cuts),
            item.name,
            item.share.value,
            None if item.told is None else item.told.value,
            "" if item.told is None else words.interval(item.told),
            _short(record, "classes", item.column),
        )
        for item in asked
    )
    return Table(columns, rows, "One question in two forms: the predicted number, and a classifier of its classes.")
