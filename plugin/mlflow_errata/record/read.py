"""The one reader of records. Nothing is ever unpickled; a record from a newer errata is refused with the remedy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.errors.stored import RecordBroken, RecordMissing, RecordTooNew
from mlflow_errata.record.schema import SCHEMA, Dataset, Record, Summary
from mlflow_errata.record.write import EVALUATED, RECORD, ROWS
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.trials._shape import Trials

MALFORMED = (
    *(ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError),
    *(OSError, pa.ArrowException),
)
"""What reading a file that is no record may raise; what pydantic raises is a ValueError."""
MOST_CELLS = 50_000_000
"""Values in the largest table of rows that is read: 50,000 rows of 1,000 columns."""


def read(path: str | Path) -> Record:
    """Read a record from a folder.

    Raises
    ------
    RecordMissing, RecordBroken, RecordTooNew
    """
    folder = Path(path)
    if not (folder / RECORD).is_file():
        raise RecordMissing(folder)
    try:
        document = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        schema = int(document["schema"])
    except MALFORMED as cause:
        raise RecordBroken(folder / RECORD, f"{type(cause).__name__}: {cause}") from cause
    if schema > SCHEMA:
        raise RecordTooNew(folder / RECORD, schema, SCHEMA)
    try:
        return from_document(document, _rows(folder / ROWS), _rows(folder / EVALUATED))
    except MALFORMED as cause:
        raise RecordBroken(folder, cause) from cause


def _rows(path: Path) -> pd.DataFrame:
    """Rows from a Parquet file, unless it would unfold to more than errata ever writes.

    Raises
    ------
    ValueError, OSError
    """
    if not path.is_file():
        return pd.DataFrame()
    said = pq.read_metadata(path)
    if said.num_rows * said.num_columns > MOST_CELLS:
        reason = f"{path.name} holds {said.num_rows:,} rows of {said.num_columns:,} columns"
        raise ValueError(reason)
    return pd.read_parquet(path)


def from_document(document: dict[str, Any], rows: pd.DataFrame, evaluated: pd.DataFrame) -> Record:
    """A record from its JSON values and its rows."""
    return Record(
        dataset=_typed(Dataset, document["dataset"]),
        summary=_typed(Summary, document["summary"]),
        results={name: _typed(CATALOGUE[name].RESULT, value) for name, value in document["results"].items()},
        not_applicable=dict(document["not_applicable"]),
        next_steps=tuple(_typed(NextStep, value) for value in document["next_steps"]),
        rows=rows,
        trials=_typed(Trials, document["trials"]) if document.get("trials") is not None else None,
        evaluated=evaluated,
    )


def _typed(kind: type, value: Any) -> Any:
    return _adapter(kind).validate_python(value)


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """The reader of a type: slow to make, and the same for every record."""
    return TypeAdapter(kind)
