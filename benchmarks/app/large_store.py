"""A store with one experiment of many diagnosed runs, made from a run of another store."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import mlflow

import mlflow_errata as errata
from mlflow_errata.predicates import Within
from mlflow_errata.tracking import search

if TYPE_CHECKING:
    from pathlib import Path

METRICS = 60
MINUTE = 60_000


def make(folder: Path, source: str, *, runs: int, slices: int) -> str:
    """The URI of a new sqlite store in a folder: its newest experiment, "large", holds the runs.

    The first run is logged as any other; the others are its rows in the database under other ids and names, and share
    its artifacts.
    """
    path = folder / "large.db"
    shutil.copy(source.removeprefix("sqlite:///"), path)
    uri = f"sqlite:///{path}"
    mlflow.set_tracking_uri(uri)
    made = mlflow.create_experiment("large", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=made, run_name="run 0") as run:
        errata.log(with_slices(a_record(uri), slices))
        mlflow.log_metrics({f"metric_{at:02d}": at / METRICS for at in range(METRICS)})
    with sqlite3.connect(path) as database:
        for at in range(1, runs):
            clone(database, run.info.run_id, at)
    return uri


def a_record(uri: str) -> errata.Record:
    """The first record of the store that has slices and trials."""
    for experiment in search.experiments(uri):
        for row in reversed(search.runs(experiment.id, tracking_uri=uri)):
            record = errata.load(row.run_id, tracking_uri=uri)
            if record.trials is not None and getattr(record.results.get("slice_errors"), "slices", ()):
                return record
    raise SystemExit("no record with slices and trials: make demo-data")


def with_slices(record: errata.Record, n: int) -> errata.Record:
    """The record with its slices repeated under other conditions until there are n."""
    found = record.results["slice_errors"]
    known = found.slices
    many = tuple(
        replace(
            known[at % len(known)], predicates=(*known[at % len(known)].predicates[:1], Within("distance", at, None))
        )
        for at in range(n)
    )
    return replace(record, results={**record.results, "slice_errors": replace(found, slices=many)})


def clone(database: sqlite3.Connection, run_id: str, at: int) -> None:
    """One more run: the rows of another in every table that knows runs, a minute older each."""
    new = uuid.uuid4().hex
    for table in ("runs", "tags", "latest_metrics", "metrics"):
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        key = "run_uuid"
        rows = database.execute(f"SELECT {', '.join(names)} FROM {table} WHERE {key} = ?", (run_id,)).fetchall()  # noqa: S608
        holes = ", ".join("?" * len(names))
        for row in rows:
            values = dict(zip(names, row, strict=True)) | {key: new}
            if table == "runs":
                values["name"] = f"run {at}"
                values["start_time"] -= at * MINUTE
                values["end_time"] = values["start_time"] + MINUTE
            database.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({holes})", tuple(values.values()))  # noqa: S608
