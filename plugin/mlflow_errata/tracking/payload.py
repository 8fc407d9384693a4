"""What a record becomes in MLflow: a few metrics, a few tags, one row of a run list."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlflow_errata.record.schema import SCHEMA
from mlflow_errata.sections import REGISTRY
from mlflow_errata.tracking.note import said_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record import Record

MOST_METRICS = 12
LONGEST_TAG = 8000
"""MLflow cuts longer tags without a word, which would break JSON."""
SCHEMA_TAG, VERSION_TAG, STATUS_TAG = "errata.schema", "errata.version", "errata.status"
NEXT_STEP_TAG, SUMMARY_TAG, RECORD_TAG, FAILED_TAG = (
    "errata.next_step",
    "errata.summary",
    "errata.record",
    "errata.failed",
)


@dataclass(frozen=True)
class Payload:
    """Everything that goes to MLflow beside the files.

    Parameters
    ----------
    folder : str, artifact path of the record: errata/<dataset>-<digest>
    metrics : mapping, at most MOST_METRICS finite numbers under stable keys errata/<name>
    tags : mapping, each at most LONGEST_TAG characters
    dataset : str
    digest : str
    n_rows : int
    """

    folder: str
    metrics: dict[str, float]
    tags: dict[str, str]
    dataset: str
    digest: str
    n_rows: int
    note: str = ""


def payload(record: Record, dataset: str) -> Payload:
    """The payload of a record, logged under the name of its dataset."""
    name = re.sub(r"[^\w.-]+", "_", dataset).strip("._") or "evaluation"
    folder = f"errata/{name}-{record.dataset.digest[:8]}"
    digest, n_rows = record.dataset.digest, record.dataset.n_rows
    return Payload(folder, metrics(record), _tags(record, name, folder), name, digest, n_rows, said_of(record))


def metrics(record: Record) -> dict[str, float]:
    """`errata/<diagnosis>` = headline of each diagnosis made, and `errata/found` = how many found something."""
    headlines = {name: result.headline for name, result in record.results.items()}
    found = {f"errata/{name}": value.value for name, value in headlines.items() if value is not None}
    found["errata/found"] = float(sum(result.found for result in record.results.values()))
    best = record.next_steps[0].gain
    if best is not None:
        found["errata/next_step_gain"] = best.value
    return dict(list(found.items())[:MOST_METRICS])


def _tags(record: Record, dataset: str, folder: str) -> dict[str, str]:
    return {
        SCHEMA_TAG: str(SCHEMA),
        VERSION_TAG: record.summary.errata,
        STATUS_TAG: "partial" if record.not_applicable else "complete",
        NEXT_STEP_TAG: record.next_steps[0].kind,
        SUMMARY_TAG: _summary(record, dataset),
        **_places(dataset, folder),
    }


def _places(dataset: str, folder: str) -> dict[str, str]:
    """Where the latest record of the run lies, and the latest of this dataset."""
    return {RECORD_TAG: folder, f"{RECORD_TAG}.{dataset}": folder}


def placed(sent: Payload, tags: Mapping[str, str]) -> Payload:
    """The payload in a folder that no record of its run lies in: what is named by a tag is never written over."""
    taken = {value for name, value in tags.items() if name.startswith(RECORD_TAG)}
    folder, n = sent.folder, 1
    while folder in taken:
        n += 1
        folder = f"{sent.folder}.{n}"
    return replace(sent, folder=folder, tags=sent.tags | _places(sent.dataset, folder))


def base_of(folder: str) -> str:
    """The folder that all records of the same data share for what people decide: without the number of the record."""
    head, dot, number = folder.rpartition(".")
    return head if dot and number.isdigit() else folder


def _summary(record: Record, dataset: str) -> str:
    """One compact JSON with what a row of a run list shows."""
    summary = record.summary
    row: dict[str, Any] = {
        "dataset": dataset,
        "digest": record.dataset.digest,
        "n_rows": record.dataset.n_rows,
        "task": summary.task,
        "metric": summary.metric[:200],
        "greater_is_better": summary.greater_is_better,
        "value": _compact(summary.value),
        "verdicts": {
            name: {
                "found": result.found,
                "status": REGISTRY[name].verdict(result, record).status,
                "headline": _compact(result.headline),
            }
            for name, result in record.results.items()
        },
        "not_applicable": list(record.not_applicable),
        "next_step": record.next_steps[0].kind,
    }
    return json.dumps(row, allow_nan=False, separators=(",", ":"))


def _compact(estimate: Estimate | None) -> list[Any] | None:
    """[value, low, high, unit]."""
    if estimate is None:
        return None
    return [*(float(f"{end:.6g}") for end in (estimate.value, estimate.low, estimate.high)), estimate.unit[:100]]
