"""Reading what was logged: one record, or the rows of a run list."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import mlflow
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from mlflow_errata.errors.stored import NoDiagnoses, RecordBroken, StoreRefused, StoreUnreachable
from mlflow_errata.record import Record
from mlflow_errata.record.write import EVALUATED, RECORD, ROWS
from mlflow_errata.tracking.ignored import ignored_by
from mlflow_errata.tracking.payload import FAILED_TAG, RECORD_TAG, STATUS_TAG, SUMMARY_TAG, VERSION_TAG
from mlflow_errata.tracking.workspaces import client_of, workspaces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

ROOT = "errata"
FOLLOWS_TAG = "errata.follows"
LARGEST = 100 * 2**20
"""Bytes of the largest file of a record that is read."""
REFUSALS = {"UNAUTHENTICATED", "PERMISSION_DENIED"}
T = TypeVar("T")


@dataclass(frozen=True)
class Experiment:
    """An experiment of a tracking store, and the codes that it ignores with the reasons."""

    id: str
    name: str
    ignored: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunVerdict:
    """A diagnosis in a run list: its verdict, the status that the verdict has in words, and its headline."""

    found: bool
    status: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class RunRow:
    """One run of a run list, from its tags alone.

    Parameters
    ----------
    run_id, name, experiment_id, status : str
    started : datetime, UTC
    dataset, digest : str, the evaluation data of its latest record
    n_rows : int
    task, metric : str
    greater_is_better : bool
    value, low, high : float or None, the metric
    verdicts : mapping diagnosis -> RunVerdict; diagnoses that were not made are missing
    next_step : str, kind of the first next step
    failed : str or None, why there are no diagnoses
    errata : str, version that wrote the record
    follows : str, id of the run whose step it took; empty if none
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    started: datetime
    dataset: str = ""
    digest: str = ""
    n_rows: int = 0
    task: str = ""
    metric: str = ""
    greater_is_better: bool = True
    value: float | None = None
    low: float | None = None
    high: float | None = None
    verdicts: dict[str, RunVerdict] = field(default_factory=dict)
    next_step: str = ""
    failed: str | None = None
    errata: str = ""
    follows: str = ""


def load(run_id: str, *, dataset: str | None = None, tracking_uri: str | None = None) -> Record:
    """The record of a run, with all that was logged: it can be logged again, into another run.

    Parameters
    ----------
    run_id : str
    dataset : str
        Name it was logged under; default: the latest.
    tracking_uri : str
        Default: MLflow's current one.

    Raises
    ------
    NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    return reading(tracking_uri, lambda client: _load(client, run_id, dataset, ROWS, EVALUATED))


def load_shown(run_id: str, *, dataset: str | None = None, tracking_uri: str | None = None) -> Record:
    """The record of a run as it is shown, without what its model said of every row.

    Parameters and errors as in `load`.
    """
    return reading(tracking_uri, lambda client: _load(client, run_id, dataset, ROWS))


def experiments(tracking_uri: str | None = None) -> tuple[Experiment, ...]:
    """All active experiments, the latest changed first.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> tuple[Experiment, ...]:
        return tuple(
            Experiment(item.experiment_id, item.name, ignored_by(item))
            for item in client.search_experiments(view_type=ViewType.ACTIVE_ONLY, order_by=["last_update_time DESC"])
        )

    return reading(tracking_uri, read)


def workspaces(tracking_uri: str | None = None) -> tuple[str, ...]:
    """Names of a server's workspaces, "default" first; empty where it has none.

    Raises
    ------
    StoreUnreachable
    """
    return reading(tracking_uri, workspaces_of)


def runs(experiment_id: str, *, tracking_uri: str | None = None, most: int = 50) -> tuple[RunRow, ...]:
    """Runs of an experiment that errata has looked at, newest first.

    Reads tags only, filtered by the store, so thousands of other runs cost nothing.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> tuple[RunRow, ...]:
        found = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{STATUS_TAG}` LIKE '%'",
            max_results=most,
            order_by=["attributes.start_time DESC"],
        )
        return tuple(row_of(run) for run in found)

    return reading(tracking_uri, read)


def run(run_id: str, *, tracking_uri: str | None = None) -> RunRow:
    """One run by its id, from its tags alone.

    Raises
    ------
    NoDiagnoses
        If errata has not looked at it.
    StoreUnreachable
    """

    def read(client: MlflowClient) -> RunRow:
        found = client.get_run(run_id)
        if STATUS_TAG not in found.data.tags:
            raise NoDiagnoses(run_id, None, ())
        return row_of(found)

    return reading(tracking_uri, read)


def reading(tracking_uri: str | None, read: Callable[[MlflowClient], T]) -> T:
    """Ask the store, with one clear error if it does not answer."""
    uri = tracking_uri or mlflow.get_tracking_uri()
    try:
        with client_of(uri) as client:
            return read(client)
    except (MlflowException, OSError) as cause:
        refused = getattr(cause, "error_code", None) in REFUSALS
        raise (StoreRefused if refused else StoreUnreachable)(uri, cause) from cause


def folder_of(client: MlflowClient, run_id: str, dataset: str | None) -> str:
    """Artifact path of the record of a dataset, or of the latest.

    Raises
    ------
    NoDiagnoses
    """
    tags = client.get_run(run_id).data.tags
    folder = tags.get(RECORD_TAG if dataset is None else f"{RECORD_TAG}.{dataset}")
    if folder is None and dataset is not None:  # records of an errata that kept no tag for each dataset
        folders = [item.path for item in client.list_artifacts(run_id, ROOT) if item.is_dir]
        names = {path.removeprefix(f"{ROOT}/").rpartition("-")[0]: path for path in folders}
        folder = names.get(dataset)
    if folder is None:
        known = [name.removeprefix(f"{RECORD_TAG}.") for name in tags if name.startswith(f"{RECORD_TAG}.")]
        raise NoDiagnoses(run_id, dataset, known)
    return str(folder)


def load_evaluated(client: MlflowClient, run_id: str) -> Record:
    """The latest record of a run with what its model said of the evaluation rows."""
    return _load(client, run_id, None, EVALUATED)


def _load(client: MlflowClient, run_id: str, dataset: str | None, *rows: str) -> Record:
    folder = folder_of(client, run_id, dataset)
    with tempfile.TemporaryDirectory() as scratch:
        place = fetched(client, run_id, folder, (RECORD, *rows), scratch)
        record = Record.open(place)
    experiment = client.get_experiment(client.get_run(run_id).info.experiment_id)
    return replace(record, ignored=ignored_by(experiment))


def fetched(client: MlflowClient, run_id: str, folder: str, names: Collection[str], scratch: str) -> Path:
    """Bring files of a folder of artifacts here, those that are there; what is too large to be ours is left alone.

    Raises
    ------
    RecordBroken
        Before anything is read, if a file is larger than any that errata writes, or the folder is none of errata's.
    """
    parts = folder.split("/")
    if parts[0] != ROOT or ".." in parts:
        raise RecordBroken(folder, f"a record lies below {ROOT}/")
    wanted = [item for item in client.list_artifacts(run_id, folder) if Path(item.path).name in names]
    for item in wanted:
        if (item.file_size or 0) > LARGEST:
            raise RecordBroken(item.path, f"it holds {item.file_size:,} bytes, and errata writes {LARGEST:,} at most")
    here = [Path(client.download_artifacts(run_id, f"{folder}/{Path(item.path).name}", scratch)) for item in wanted]
    return here[0].parent if here else Path(scratch, folder)


def row_of(run: Run) -> RunRow:
    """A run of a run list, from its tags; one whose summary is none of errata's says so."""
    tags = run.data.tags
    row = RunRow(
        run_id=run.info.run_id,
        name=run.info.run_name or run.info.run_id[:8],
        experiment_id=run.info.experiment_id,
        status=run.info.status,
        started=datetime.fromtimestamp((run.info.start_time or 0) / 1000, UTC),
        failed=tags.get(FAILED_TAG),
        errata=tags.get(VERSION_TAG, ""),
        follows=tags.get(FOLLOWS_TAG, ""),
    )
    try:
        return replace(row, **_summary(tags.get(SUMMARY_TAG, "{}")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as cause:
        return replace(row, failed=row.failed or f"its tag {SUMMARY_TAG} cannot be read: {type(cause).__name__}")


def _summary(text: str) -> dict[str, Any]:
    """What the tag of a run says of it.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, RecursionError
        If it is none of errata's.
    """
    summary: dict[str, Any] = json.loads(text)
    *ends, _ = summary.get("value") or (None, None, None, "")
    value, low, high = (None if end is None else float(end) for end in ends)
    return {
        "dataset": str(summary.get("dataset", "")),
        "digest": str(summary.get("digest", "")),
        "n_rows": int(summary.get("n_rows", 0)),
        "task": str(summary.get("task", "")),
        "metric": str(summary.get("metric", "")),
        "greater_is_better": bool(summary.get("greater_is_better", True)),
        "value": value,
        "low": low,
        "high": high,
        "verdicts": {str(name): _verdict(item) for name, item in summary.get("verdicts", {}).items()},
        "next_step": str(summary.get("next_step", "")),
    }


def _verdict(item: dict[str, Any]) -> RunVerdict:
    *ends, unit = item["headline"] or (None, None, None, "")
    value, low, high = (None if end is None else float(end) for end in ends)
    return RunVerdict(bool(item["found"]), str(item.get("status", "")), value, low, high, str(unit))
