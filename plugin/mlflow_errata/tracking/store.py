"""Logging a record into an MLflow run without ever breaking the run."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import time
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, RunTag
from mlflow.tracking import MlflowClient

from mlflow_errata.errors.stored import NoRun, NotLogged, SpoolBroken
from mlflow_errata.record.write import EVALUATED, ROWS
from mlflow_errata.tracking.note import NOTE_TAG, note_tag
from mlflow_errata.tracking.outcomes import outcome_tags
from mlflow_errata.tracking.payload import FAILED_TAG, STATUS_TAG, Payload, payload, placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata.record import Record

DEADLINE = 20.0
"""Seconds that an upload may keep a training run waiting."""
SPOOL = Path("errata_out")
PAYLOAD = "payload.json"


def log(
    record: Record, *, run_id: str | None = None, dataset: str = "evaluation", rows: bool = True, strict: bool = False
) -> str | None:
    """Log a record into an MLflow run: artifacts, at most 12 metrics, tags and the link to its dataset.

    A run that follows another (`mlflow_errata.follow`) is also told what the step that it took delivered.
    Everything is first written to `errata_out/<run_id>/`, or to a folder of its own below the system's temporary one
    where that cannot be written, then uploaded within 20 seconds. If that fails the run goes on: one warning names the
    command that sends the record later (`errata push`).

    Parameters
    ----------
    record : Record
    run_id : str
        Default: the active run.
    dataset : str
        Name of the evaluation data; a run may hold records of several.
    rows : bool
        False keeps evaluation rows out of the run; it can then not be compared with others.
    strict : bool
        True raises instead of warning.

    Returns
    -------
    str or None
        Artifact path of the record, `errata/<dataset>-<digest>` (with `.2` and so on where the run holds a record of
        the same data); None if it could not be logged.

    Raises
    ------
    NoRun
        Without run_id= and outside a run.
    NotLogged
        With strict=True.
    """
    chosen = run_id or _active_run_id()
    spool: Path | None = None
    try:
        sent = payload(record, dataset)
        spool = _spooled(record, sent, chosen, rows=rows)
        folders = list[str]()
        within_deadline(lambda: folders.append(_upload(chosen, sent, spool)))
    except Exception as cause:  # noqa: BLE001 - a training run is never broken by its diagnoses
        _failed(chosen, spool, cause, strict=strict)
        return None
    _discard(spool)
    return folders[0]


def push(folder: str | Path) -> str:
    """Send a spooled record (`errata_out/<run_id>/<dataset>-<digest>`) to its run; returns the run id.

    Raises
    ------
    SpoolBroken
    """
    spool = Path(folder).resolve()
    try:
        sent = Payload(**json.loads((spool / PAYLOAD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as cause:
        raise SpoolBroken(folder, cause) from cause
    _upload(spool.parent.name, sent, spool)
    _discard(spool)
    return spool.parent.name


def mark_failed(run_id: str, reason: str) -> None:
    """Say in the run's tags that there are no diagnoses and why; silent if even that fails."""

    def tag() -> None:
        client = MlflowClient()
        client.set_tag(run_id, STATUS_TAG, "failed")
        client.set_tag(run_id, FAILED_TAG, reason[:1000])

    try:
        within_deadline(tag, seconds=5.0)
    except Exception:  # noqa: BLE001 - the warning that follows has said it
        return


def within_deadline(work: Callable[[], None], *, seconds: float | None = None) -> None:
    """Do some work in a thread of its own and wait for it no longer than a deadline.

    Raises
    ------
    TimeoutError, or whatever the work raises
    """
    outcome: Queue[BaseException | None] = Queue()

    def run() -> None:
        try:
            work()
        except BaseException as cause:  # noqa: BLE001 - handed to the waiting thread
            outcome.put(cause)
        else:
            outcome.put(None)

    limit = DEADLINE if seconds is None else seconds
    Thread(target=run, daemon=True, name="errata-upload").start()
    try:
        cause = outcome.get(timeout=limit)
    except Empty:
        said = f"the tracking server gave no answer within {limit:.0f} s."
        raise TimeoutError(said) from None
    if cause is not None:
        raise cause


def _active_run_id() -> str:
    run = mlflow.active_run()
    if run is None:
        raise NoRun
    return str(run.info.run_id)


def _spooled(record: Record, sent: Payload, run_id: str, *, rows: bool) -> Path:
    """The folder in which a record waits until it is sent."""
    place = Path(run_id, Path(sent.folder).name)
    try:
        return _spool(record, sent, SPOOL / place, rows=rows)
    except OSError:
        return _spool(record, sent, Path(tempfile.mkdtemp(prefix="errata_"), place), rows=rows)


def _spool(record: Record, sent: Payload, spool: Path, *, rows: bool) -> Path:
    from mlflow_errata.report import render  # noqa: PLC0415 - charts are slow to import

    record.save(spool)
    (spool / "report.html").write_text(render(record), encoding="utf-8")
    if not rows:
        for name in (ROWS, EVALUATED):
            (spool / name).unlink(missing_ok=True)
    (spool / PAYLOAD).write_text(json.dumps(asdict(sent)), encoding="utf-8")
    return spool


def _upload(run_id: str, sent: Payload, spool: Path) -> str:
    """Files first, into a folder that no tag names yet, then one batch of tags: a log that breaks off is not there."""
    client = MlflowClient()
    run = client.get_run(run_id)
    sent = placed(sent, run.data.tags)
    for path in sorted(spool.iterdir()):
        if path.name != PAYLOAD:
            client.log_artifact(run_id, str(path), sent.folder)
    now = int(time() * 1000)
    tags = sent.tags | _table_tag(client, run_id, f"{sent.folder}/slices.json") | outcome_tags(client, run_id, spool)
    tags |= note_tag(run.data.tags.get(NOTE_TAG), sent.note, (run.info.experiment_id, run_id, sent.folder))
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in sent.metrics.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )
    if FAILED_TAG in run.data.tags:
        client.delete_tag(run_id, FAILED_TAG)
    client.log_inputs(run_id, [_dataset_input(sent)])
    return sent.folder


def _table_tag(client: MlflowClient, run_id: str, path: str) -> dict[str, str]:
    """The tag by which MLflow's table view finds artifacts that it can compare across runs."""
    known = json.loads(client.get_run(run_id).data.tags.get("mlflow.loggedArtifacts", "[]"))
    entry = {"path": path, "type": "table"}
    return {} if entry in known else {"mlflow.loggedArtifacts": json.dumps([*known, entry])}


def _dataset_input(sent: Payload) -> DatasetInput:
    """The link to the evaluation data, under errata's own digest (MLflow's sees the first 10,000 rows only)."""
    profile = json.dumps({"num_rows": sent.n_rows})
    source = json.dumps({"tags": {}})
    data = Dataset(sent.dataset, sent.digest[:36], "code", source, profile=profile)
    return DatasetInput(data, [InputTag("mlflow.data.context", "errata")])


def _failed(run_id: str, spool: Path | None, cause: Exception, *, strict: bool) -> None:
    error = NotLogged(run_id, spool, f"{type(cause).__name__}: {cause}")
    if strict:
        raise error from cause
    warnings.warn(str(error), RuntimeWarning, stacklevel=3)
    if not isinstance(cause, TimeoutError):
        mark_failed(run_id, f"{type(cause).__name__}: {cause}")


def _discard(spool: Path) -> None:
    """Remove a spool and the folders above it that it leaves empty."""
    shutil.rmtree(spool, ignore_errors=True)
    for folder in (spool.parent, spool.parent.parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
