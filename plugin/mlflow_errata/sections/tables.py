"""What a page shows as tables for a spreadsheet."""

from __future__ import annotations

import csv
from functools import singledispatch
from io import StringIO
from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart, Codes, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.sections import gains, next_steps, sections, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow_errata.blocks import Block
    from mlflow_errata.record.schema import Record

    Write = Callable[[Sequence[Any]], Any]

STEPS = "next_steps"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Starts of a text that a spreadsheet would run."""


def csv_of(record: Record, names: Sequence[str]) -> str:
    """Every table of some sections as CSV, one below the other; all sections where none is named.

    Parameters
    ----------
    record : Record
    names : names of diagnoses, and "next_steps"
    """
    file = StringIO()
    write = csv.writer(file).writerow
    if not names or STEPS in names:
        write([next_steps.TITLE])
        _write(write, [gains.figures(record)])
    for part in sections(record):
        if not names or part.name in names:
            write([part.title])
            _write(write, part.blocks)
    if STEPS in names:
        _findings(write, record)
    return file.getvalue()


def _findings(write: Write, record: Record) -> None:
    write(["finding", "verdict", "sentence"])
    for name, said in verdicts(record).items():
        if isinstance(said, Verdict):
            write([name, said.status, _text(said.sentence)])
        else:
            write([name, "not made", _text(said.reason)])
    write([])


def _write(write: Write, blocks: Sequence[Block]) -> None:
    for block in blocks:
        rows = _rows(block)
        for row in rows:
            write([_text(cell) for cell in row])
        if rows:
            write([])


Rows = list[list[Any]]


@singledispatch
def _rows(block: object) -> Rows:  # noqa: ARG001 - what is no table has no rows
    return []


@_rows.register
def _(block: Table) -> Rows:
    return [[column.title for column in block.columns], *(list(row) for row in block.rows)]


@_rows.register
def _(block: Facts) -> Rows:
    return [[fact.name, fact.value, fact.note] for fact in block.facts]


@_rows.register
def _(block: Verdict) -> Rows:
    return [[block.status, block.sentence]]


@_rows.register
def _(block: Text | Codes) -> Rows:
    return [[block.sentence]]


@_rows.register
def _(block: NotMade) -> Rows:
    return [["not made", f"{block.reason} {block.remedy}".rstrip()]]


@_rows.register
def _(block: Chart) -> Rows:
    values = data_of(block)
    return [list(values[0]), *(list(row.values()) for row in values)] if values else []


def data_of(chart: Chart) -> list[dict[str, object]]:
    """The values that a chart draws: those of the whole, else of its first layer that has some."""
    layers = [chart.spec, *chart.spec.get("layer", ())]
    found: list[list[dict[str, object]]] = [
        part["data"]["values"] for part in layers if part.get("data", {}).get("values")
    ]
    return [dict(row) for row in max(found, key=lambda rows: len(rows[0]))] if found else []


def _text(cell: object) -> object:
    """A cell that a spreadsheet takes for text, whatever the data holds."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA) or _is_number(cell):
        return cell
    return f"'{cell}"


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True
