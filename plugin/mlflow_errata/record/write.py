"""The one writer of records: strict JSON for results and the recipe of the plan, Parquet for rows."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.errors.stored import NotANumber
from mlflow_errata.recipe import Recipe
from mlflow_errata.record.schema import SCHEMA, Dataset, Record, Summary
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.trials._shape import Trials

RECORD, ROWS, SLICES, RECIPE = "record.json", "rows.parquet", "slices.json", "recipe.json"
EVALUATED = "evaluated.parquet"


def write(record: Record, path: str | Path) -> Path:
    """Write a record into a folder (made if need be); returns the folder."""
    folder = Path(path)
    document = as_document(record)
    text = json.dumps(document, allow_nan=False, indent=1, ensure_ascii=False)
    slices = json.dumps(_slices(record), allow_nan=False, ensure_ascii=False)
    folder.mkdir(parents=True, exist_ok=True)
    _storable(record.rows).to_parquet(folder / ROWS, index=False)
    if len(record.evaluated):
        _storable(record.evaluated).to_parquet(folder / EVALUATED, index=False, compression="zstd")
    (folder / SLICES).write_text(slices, encoding="utf-8")
    (folder / RECORD).write_text(text, encoding="utf-8")
    if record.plan and record.summary.task != "multilabel":  # a recipe has one label
        (folder / RECIPE).write_text(Recipe.of(record).to_json(), encoding="utf-8")
    return folder


def as_document(record: Record) -> dict[str, Any]:
    """The record as JSON values, without its rows.

    Raises
    ------
    NotANumber
        Naming the field that holds a NaN or an infinity.
    """
    document = {
        "schema": SCHEMA,
        "dataset": _plain(Dataset, record.dataset),
        "summary": _plain(Summary, record.summary),
        "results": {name: _plain(CATALOGUE[name].RESULT, result) for name, result in record.results.items()},
        "not_applicable": dict(record.not_applicable),
        "next_steps": [_plain(NextStep, step) for step in record.next_steps],
        "trials": None if record.trials is None else _plain(Trials, record.trials),
    }
    _refuse_infinite(document, "record")
    return document


def _plain(kind: type[Any], value: object) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return adapter.dump_python(value, mode="json")


def _refuse_infinite(node: object, where: str) -> None:
    if isinstance(node, float) and not isfinite(node):
        raise NotANumber(where, node)
    if isinstance(node, dict):
        for name, child in node.items():
            _refuse_infinite(child, f"{where}.{name}")
    elif isinstance(node, list):
        for at, child in enumerate(node):
            _refuse_infinite(child, f"{where}[{at}]")


def _slices(record: Record) -> dict[str, list[Any]]:
    """Slices as a table (columns and data): MLflow's own table view compares it across runs by `slice_id`.

    The first column after it is what that view shows at once: a rate that can be read.
    """
    columns = [
        "slice_id",
        "error, in words",
        "support",
        "error",
        "error_low",
        "error_high",
        "excess",
        "excess_low",
        "excess_high",
    ]
    from mlflow_errata.sections import _words as words  # noqa: PLC0415 - sections import this room

    found = getattr(record.results.get("slice_errors"), "slices", ())
    data = [
        [
            " and ".join(item.conditions),
            words.estimate(item.error),
            item.support,
            *(item.error.value, item.error.low, item.error.high),
            *(item.excess.value, item.excess.low, item.excess.high),
        ]
        for item in found
    ]
    return {"columns": columns, "data": data}


def _storable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose columns of mixed or exotic values are text, so that Parquet takes them."""
    exotic = [name for name in rows.columns if _is_exotic(rows[name].dtype)]
    return rows.assign(**{name: rows[name].astype(object).map(str, na_action="ignore") for name in exotic})


def _is_exotic(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    own = isinstance(dtype, pd.SparseDtype | pd.IntervalDtype)
    return own or pd.api.types.is_object_dtype(dtype) or pd.api.types.is_complex_dtype(dtype)
