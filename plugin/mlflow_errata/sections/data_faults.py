"""Data faults in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Column, NotMade, Table, Text, Verdict
from mlflow_errata.sections import _splits as splits
from mlflow_errata.sections import _words as words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow_errata.diagnoses.data_faults import DataFaults, Fault, Kind
    from mlflow_errata.record.schema import Record

TITLE = "Data faults"
MOST_FAULTS = 30
"""Faults that the table shows."""
UNIT = "hour"
"""Moments of a gap are told to the minute."""


def not_made(reason: str, record: Record) -> NotMade:  # noqa: ARG001 - the shared shape
    """Why no fault was looked for."""
    return NotMade(f"Data faults were not looked for: the search {reason}.")


def verdict(result: DataFaults, record: Record) -> Verdict:
    """The worst fault, and how many others there are."""
    alarms = [fault for fault in result.faults if fault.alarm]
    looked = words.plural(result.n_columns, "column")
    if not alarms:
        aside, odd = "", sum(fault.kind != "group_in_train" for fault in result.faults)
        if odd:
            aside = f" {words.capital(words.plural(odd, 'oddity', 'oddities'))} that the model does not lean on."
        return Verdict("good", f"No fault that reaches the model, in {looked}.{aside}")
    groups = _grouped(alarms)
    more = f" {words.plural(len(groups) - 1, 'more fault')} below." if len(groups) > 1 else ""
    return Verdict("bad", f"{_said(groups[0], record)}{more}")


def section(result: DataFaults, record: Record) -> list[Block]:
    """Every fault: what it is, why it matters, what to do."""
    blocks: list[Block] = [verdict(result, record), Text(_compared(result))]
    groups = _grouped(result.faults)
    blocks += [Text(_said(group, record)) for group in (groups[1:] if result.found else groups)]
    kinds = dict.fromkeys(fault.kind for fault in result.faults if fault.alarm)
    blocks += [Text(f"{words.capital(WHAT[kind])}: {WHY[kind]}") for kind in kinds]
    if result.faults:
        blocks.append(_table(result))
    of_splits = [*splits.of_groups(result.groups, record), *splits.flattered(record)]
    return [*blocks, *(Text(sentence) for sentence in of_splits)]


def _compared(result: DataFaults) -> str:
    without = [
        *([] if result.compared_with_train else ["training rows (train=)"]),
        *([] if result.followed_over_time else ["times (time=)"]),
    ]
    missing = f" Without {words.listed(without)} there was less to compare with." if without else ""
    return f"{words.plural(result.n_columns, 'column')} and all rows were looked at.{missing}"


def _grouped(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Faults of one kind that start and end together, of columns that come from one feed; in the order given."""
    groups: dict[object, list[Fault]] = {}
    for at, fault in enumerate(faults):
        together = fault.kind in {"outage", "newly_missing"} and fault.start is not None
        key = (fault.kind, fault.alarm, fault.start, fault.end) if together else at
        groups.setdefault(key, []).append(fault)
    return list(groups.values())


def _said(group: list[Fault], record: Record) -> str:
    said = SENTENCES[group[0].kind](group[0], _columns(group), record)
    aside = group[0].alarm or group[0].column is None or group[0].kind == "group_in_train"
    return said if aside else f"{said} The model does not lean on it."


def _columns(group: list[Fault]) -> str:
    names = words.listed([words.shown(fault.column) for fault in group])
    return f"Columns {names} are" if len(group) > 1 else f"Column {names} is"


def _share(fault: Fault) -> str:
    return "" if fault.measure is None else words.value(fault.measure)


def _period(fault: Fault) -> str:
    if fault.start is None or fault.end is None:
        return ""
    return f"from {words.moment(fault.start, UNIT)} to {words.moment(fault.end, UNIT)}"


def _leak(fault: Fault, columns: str, record: Record) -> str:
    label = words.shown(record.dataset.roles["label"])
    saved = "" if fault.measure is None else f" (skill {words.estimate(fault.measure)}, 1 is perfect)"
    return f"{columns} by itself a near-perfect predictor of {label}{saved}."


def _missingness(fault: Fault, columns: str, record: Record) -> str:
    label = words.shown(record.dataset.roles["label"])
    shown = "" if fault.measure is None else f" in {words.estimate(fault.measure)}"
    return (
        f"{columns} missing in {words.plural(fault.rows, 'row')}, and that gives the label away: "
        f"{label} is {words.quoted(fault.label)}{shown} of them."
    )


def _in_train(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    return f"{words.plural(fault.rows, 'row')} ({_share(fault)}) stand in the training data, too."


def _contradicted(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    return (
        f"{words.plural(fault.rows, 'row')} ({_share(fault)}) are alike in every column that the model sees, with "
        "different labels."
    )


def _id_like(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    return f"{columns} like an id: nearly every row has a value of its own."


def _constant(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    period = _period(fault)
    if period:
        return f"{columns} at a standstill: one value {period}, in {words.plural(fault.rows, 'row')}."
    varied = ", and was not in the training data" if fault.alarm else ""
    return f"{columns} constant{varied}."


def _newly_missing(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    since = "" if fault.start is None else f" since {words.moment(fault.start, UNIT)}"
    before = "than in the training data" if fault.start is None else "than before"
    return f"{columns} missing far more often{since} {before}: in {_share(fault)} of the rows."


def _outage(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    return f"{columns} missing {_period(fault)}: {words.plural(fault.rows, 'row')}, {_share(fault)} of those."


def _group_in_train(fault: Fault, columns: str, record: Record) -> str:  # noqa: ARG001 - the shared shape
    name = words.shown(fault.column)
    return (
        f"{words.plural(fault.rows, 'row')} ({_share(fault)}) belong to a {name} that stands in the training data, too."
    )


SENTENCES: dict[Kind, Callable[[Fault, str, Record], str]] = {
    "leak": _leak,
    "missingness": _missingness,
    "in_train": _in_train,
    "contradicted": _contradicted,
    "id_like": _id_like,
    "constant": _constant,
    "newly_missing": _newly_missing,
    "outage": _outage,
    "group_in_train": _group_in_train,
}
WHAT: dict[Kind, str] = {
    "leak": "a leak",
    "missingness": "missing values that give the label away",
    "in_train": "rows in the training data, too",
    "contradicted": "rows alike with different labels",
    "id_like": "a column like an id",
    "constant": "a column that does not move",
    "newly_missing": "a column that went missing",
    "outage": "an outage",
    "group_in_train": "groups in the training data, too",
}
WHY: dict[Kind, str] = {
    "leak": "a column that is filled in once the outcome is known looks perfect here and is empty in use. Ask when it "
    "is written; take it out if that is after the prediction. Every other finding is worth little until then.",
    "missingness": "the value is missing because of the outcome. Take the column out, or fill it as it was known when "
    "the prediction was made; if it is what the label is computed from, check the label.",
    "in_train": "the metric counts rows that the model has seen. Take them out of one of the two, and split by time or "
    "by what the rows belong to.",
    "contradicted": "no model can be right on all of them. Check some of the labels by hand, or look for what sets the "
    "rows apart and is not a column yet.",
    "id_like": "what is learned of one value never helps with another. Take it out, or replace it by what it names.",
    "constant": "a model cannot use it, or uses what it learned when it still moved. Check the feed.",
    "newly_missing": "the model answers from what it learned about missing values, if anything. Check the feed, and "
    "train with as many values missing.",
    "outage": "the feed was dark. Judge the model without these rows, and decide what it shall do in the next outage.",
    "group_in_train": "the metric counts groups that the model has learned by heart, and says too much of new ones. "
    "Split by groups, or judge by the rows of new groups.",
}


def _table(result: DataFaults) -> Table:
    columns = (
        Column("code"),
        Column("fault"),
        Column("column"),
        Column("rows", "integer"),
        Column("measured"),
        Column("when"),
        Column("reaches the model"),
    )
    shown = result.faults[:MOST_FAULTS]
    more = f" The first {MOST_FAULTS} of {len(result.faults)}." if len(result.faults) > MOST_FAULTS else ""
    rows = tuple(
        (
            fault.code,
            WHAT[fault.kind],
            "" if fault.column is None else words.shown(fault.column),
            fault.rows,
            "" if fault.measure is None else words.estimate(fault.measure),
            _period(fault),
            "yes" if fault.alarm else "no",
        )
        for fault in shown
    )
    return Table(columns, rows, f"Faults, those that reach the model first.{more}")
