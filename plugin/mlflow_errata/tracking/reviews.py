"""Reviews of slices: every one is a tag of its own on the run that it was said of, and counts in the whole experiment.

Two people who say something at once overwrite nothing; of several reviews of one slice the newest counts, also in later
runs that find the same slice.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mlflow.entities import RunTag, ViewType

from mlflow_errata._reviews import REVIEW_TAG, Review, as_tag, review_of, reviews_of, standing
from mlflow_errata.errors.stored import ReadOnly
from mlflow_errata.predicates import parse
from mlflow_errata.record.write import SLICES
from mlflow_errata.tracking.choices import is_read_only
from mlflow_errata.tracking.search import folder_of, load_evaluated, reading
from mlflow_errata.tracking.slices import load_slices, save_slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow import MlflowClient

    from mlflow_errata.record import Record

REVIEWED_TAG = "errata.reviewed"
"""When a slice of the run was last reviewed: runs are searched by it."""
MOST = 500
"""Reviewed runs of an experiment that are read, the newest first."""


def review_slice(
    run_id: str,
    conditions: str | Sequence[str],
    status: str,
    *,
    by: str,
    note: str = "",
    tracking_uri: str | None = None,
) -> Review:
    """Say of a slice that it is open, fixed or accepted; the experiment's runs that find it show that, and the note.

    Parameters
    ----------
    run_id : str, the run on which the slice was looked at
    conditions : str or list of str
        As slices print themselves, joined by " and ", or `slice.conditions`.
    status : "open", "fixed" or "accepted"
    by : str, who says so
    note : str, at most 2,000 characters
    tracking_uri : str
        Default: MLflow's current one.

    Raises
    ------
    ExpressionUnreadable, OptionUnknown, PersonMissing, NoteTooLong, ReadOnly, StoreUnreachable
    """
    if is_read_only():
        raise ReadOnly
    parts = [str(part) for part in parse(conditions)] if isinstance(conditions, str) else list(conditions)
    review = review_of(parts, status, by=by, note=note)
    tags = [RunTag(f"{REVIEW_TAG}{uuid4().hex[:12]}", as_tag(review)), RunTag(REVIEWED_TAG, review.at)]

    def write(client: MlflowClient) -> Review:
        client.log_batch(run_id, tags=tags)
        return replace(review, run_id=run_id)

    return reading(tracking_uri, write)


def reviews(experiment_id: str, *, tracking_uri: str | None = None) -> tuple[Review, ...]:
    """Everything said about the slices of an experiment's runs, from tags alone.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> tuple[Review, ...]:
        found = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{REVIEWED_TAG}` LIKE '%'",
            run_view_type=ViewType.ACTIVE_ONLY,
            max_results=MOST,
        )
        return tuple(
            item
            for run in found
            for item in reviews_of(run.data.tags, run_id=run.info.run_id, run_name=run.info.run_name or "")
        )

    return reading(tracking_uri, read)


def of_run(run_id: str, *, tracking_uri: str | None = None) -> dict[str, Review]:
    """The newest review of every slice of the experiment that a run belongs to, by the slice's id.

    Raises
    ------
    StoreUnreachable
    """
    experiment = reading(tracking_uri, lambda client: str(client.get_run(run_id).info.experiment_id))
    return standing(reviews(experiment, tracking_uri=tracking_uri))


def slices_found(run_id: str, *, tracking_uri: str | None = None) -> dict[str, dict[str, float]]:
    """Confirmed slices of a run from its table of slices: conditions -> column -> number.

    Empty where the table cannot be read.

    Raises
    ------
    NoDiagnoses, StoreUnreachable
    """

    def read(client: MlflowClient) -> dict[str, dict[str, float]]:
        with tempfile.TemporaryDirectory() as scratch:
            path = client.download_artifacts(run_id, f"{folder_of(client, run_id, None)}/{SLICES}", scratch)
            return _table(json.loads(Path(path).read_text(encoding="utf-8")))

    try:
        return reading(tracking_uri, read)
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _table(told: Any) -> dict[str, dict[str, float]]:
    names = told["columns"]
    rows = [dict(zip(names, row, strict=True)) for row in told["data"]]
    return {
        str(row["slice_id"]): {str(name): float(value) for name, value in row.items() if isinstance(value, int | float)}
        for row in rows
    }


def with_rows(run_id: str, *, tracking_uri: str | None = None) -> Record:
    """The latest record of a run with what its model said of the evaluation rows.

    Raises
    ------
    NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    return reading(tracking_uri, lambda client: load_evaluated(client, run_id))


def keep_slice(experiment: str, name: str, expression: str, *, tracking_uri: str | None = None) -> None:
    """Add a named slice to those of an experiment, in place of one of the same name.

    Raises
    ------
    ExpressionUnreadable, ValuesRefused, ExperimentMissing, ReadOnly
    """
    if is_read_only():
        raise ReadOnly
    kept = load_slices(experiment, tracking_uri=tracking_uri)
    save_slices(experiment, kept | {name: expression}, tracking_uri=tracking_uri)
