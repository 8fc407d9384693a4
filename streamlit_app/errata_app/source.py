"""Cached reading from the tracking store: the app's only way to MLflow."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from errata_app.address import database_of, is_absent, tracking_uri
from errata_app.keeping import ask_again, steady
from errata_app.labelling import Desk
from mlflow_errata._choices import standing
from mlflow_errata._queue import Queue
from mlflow_errata._reviews import standing as newest
from mlflow_errata._slice_measured import measured
from mlflow_errata.errors import NotApplicable

if TYPE_CHECKING:
    from mlflow_errata import Record
    from mlflow_errata._choices import Choice, Outcome
    from mlflow_errata._compare_metrics import MetricComparison
    from mlflow_errata._reviews import Review
    from mlflow_errata._run_comparison import RunComparison
    from mlflow_errata._slice_measured import MeasuredSlice
    from mlflow_errata.predicates import Predicate
    from mlflow_errata.tracking.metrics import Business
    from mlflow_errata.tracking.outcomes import Iteration
    from mlflow_errata.tracking.search import Experiment, RunRow

PAGE = 50
"""Runs that are read at a time, from their tags."""
FRESH = "15s"
"""Lists may change while the app is open; a finished run's record never does."""
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""What MLflow may spend on a server that does not answer while a person waits; anyone's own setting stands."""

__all__ = ["tracking_uri"]


def look(uri: str, failing: type[Exception]) -> None:
    """Load MLflow and open the store; what goes wrong shows when it is asked."""
    from mlflow_errata.tracking import search  # noqa: PLC0415 - slow to import

    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    with suppress(failing):
        if not is_absent(uri):
            search.experiments(uri)


def experiments(uri: str) -> tuple[Experiment, ...]:
    """Experiments of a store; the last known ones where it does not answer.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_experiments, uri)


def workspaces(uri: str) -> tuple[str, ...]:
    """Names of a server's workspaces; empty where it has none, as files never have.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_workspaces, uri) if uri.startswith(("http://", "https://")) else ()


def runs(uri: str, experiment_id: str, n_pages: int = 1) -> tuple[RunRow, ...]:
    """Runs of an experiment that errata has looked at, newest first; the last known where the store does not answer.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_runs, uri, experiment_id, n_pages)


@st.cache_resource(ttl=FRESH, max_entries=8, refresh_mode="background", show_spinner=False)
def _workspaces(uri: str) -> tuple[str, ...]:
    from mlflow_errata.tracking import search  # noqa: PLC0415

    return search.workspaces(uri)


@st.cache_resource(ttl=FRESH, max_entries=8, refresh_mode="background", show_spinner="Reading the experiments ...")
def _experiments(uri: str) -> tuple[Experiment, ...]:
    from mlflow_errata.tracking import search  # noqa: PLC0415 - MLflow is slow to import; the page shows first

    return search.experiments(uri)


@st.cache_resource(ttl=FRESH, max_entries=32, refresh_mode="background", show_spinner="Reading the runs ...")
def _runs(uri: str, experiment_id: str, n_pages: int) -> tuple[RunRow, ...]:
    from mlflow_errata.tracking import search  # noqa: PLC0415

    return search.runs(experiment_id, tracking_uri=uri, most=PAGE * n_pages)


@st.cache_resource(ttl=FRESH, max_entries=64, show_spinner="Reading the run ...")
def run(uri: str, run_id: str) -> RunRow:
    """One run, whatever page of the list it is on.

    Raises
    ------
    NoDiagnoses, StoreUnreachable
    """
    from mlflow_errata.tracking import search  # noqa: PLC0415

    return search.run(run_id, tracking_uri=uri)


@st.cache_resource(max_entries=32, show_spinner="Reading the record ...")
def record(uri: str, run_id: str, digest: str) -> Record:
    """The record of a run; `digest` tells a record that was logged again from the one before.

    Raises
    ------
    NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    from mlflow_errata.tracking import search  # noqa: PLC0415

    del digest
    found = search.load_shown(run_id, tracking_uri=uri)
    _set_libraries_aside()
    return found


@st.cache_resource(show_spinner=False)
def _set_libraries_aside() -> None:
    """Streamlit looks for garbage after every click: 0.2 s if it goes through all that MLflow and pandas keep."""
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=16, show_spinner="Reading the decisions ...")
def desk(uri: str, run_id: str, digest: str) -> Desk:
    """The queue of labels of a run with what was decided, one for all who work on it.

    Raises
    ------
    NothingToAudit, NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    from mlflow_errata.tracking.decisions import Sheet, drawer  # noqa: PLC0415

    found = Desk(Queue(record(uri, run_id, digest)), drawer(run_id, tracking_uri=uri), Sheet)
    found.read()
    return found


def with_labels(uri: str, run_id: str, digest: str) -> Record:
    """The record of a run with what people found out about its labels since.

    Raises
    ------
    NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    return steady(_with_labels, uri, run_id, digest)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=32, show_spinner=False)
def _with_labels(uri: str, run_id: str, digest: str) -> Record:
    from mlflow_errata.tracking import choices as room  # noqa: PLC0415

    return room.with_labels(record(uri, run_id, digest), run_id, tracking_uri=uri)


def choices(uri: str, run_id: str) -> dict[str, Choice]:
    """The newest decision about each kind of step of a run.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_choices, uri, run_id)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=32, show_spinner=False)
def _choices(uri: str, run_id: str) -> dict[str, Choice]:
    from mlflow_errata.tracking import choices as room  # noqa: PLC0415

    return standing(room.choices(run_id, tracking_uri=uri))


def choose(uri: str, run_id: str, kind: str, *, accepts: bool, by: str, why: str) -> None:
    """Accept or decline a step.

    Raises
    ------
    ErrataError
    """
    from mlflow_errata.tracking import choices as room  # noqa: PLC0415

    (room.accept if accepts else room.decline)(run_id, kind, by=by, why=why, tracking_uri=uri)
    _choices.clear()
    _history.clear()


def slice_reviews(uri: str, experiment_id: str) -> dict[str, Review]:
    """The newest review of every slice of an experiment, by the slice's id.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_slice_reviews, uri, experiment_id)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=32, show_spinner=False)
def _slice_reviews(uri: str, experiment_id: str) -> dict[str, Review]:
    from mlflow_errata.tracking import reviews as room  # noqa: PLC0415

    return newest(room.reviews(experiment_id, tracking_uri=uri))


def review_slice(uri: str, run_id: str, conditions: tuple[str, ...], status: str, *, by: str, note: str) -> None:
    """Say of a slice that it is open, fixed or accepted.

    Raises
    ------
    ErrataError
    """
    from mlflow_errata.tracking import reviews as room  # noqa: PLC0415

    room.review_slice(run_id, conditions, status, by=by, note=note, tracking_uri=uri)
    _slice_reviews.clear()


@st.cache_resource(max_entries=256, show_spinner=False)
def slices_found(uri: str, run_id: str, digest: str) -> dict[str, dict[str, float]]:
    """Confirmed slices of a run from its table of slices: conditions -> column -> number.

    Raises
    ------
    NoDiagnoses, StoreUnreachable
    """
    from mlflow_errata.tracking import reviews as room  # noqa: PLC0415

    del digest
    return room.slices_found(run_id, tracking_uri=uri)


@st.cache_resource(max_entries=256, show_spinner="Measuring the slice ...")
def slice_measured(uri: str, run_id: str, digest: str, predicates: tuple[Predicate, ...]) -> MeasuredSlice:
    """A slice measured on the rows that a run keeps.

    Raises
    ------
    NotMeasured, ColumnMissing, ValuesRefused, NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    return measured(_evaluated(uri, run_id, digest), predicates)


@st.cache_resource(max_entries=8, show_spinner="Reading the rows of the run ...")
def _evaluated(uri: str, run_id: str, digest: str) -> Record:
    from mlflow_errata.tracking import reviews as room  # noqa: PLC0415

    del digest
    return room.with_rows(run_id, tracking_uri=uri)


def keep_slice(uri: str, experiment: str, name: str, expression: str) -> None:
    """Name a slice in an experiment: every later evaluation measures it.

    Raises
    ------
    ExpressionUnreadable, ValuesRefused, ExperimentMissing, StoreUnreachable
    """
    from mlflow_errata.tracking import reviews as room  # noqa: PLC0415

    room.keep_slice(experiment, name, expression, tracking_uri=uri)


def is_read_only() -> bool:
    """Whether this server may not write decisions about steps."""
    from mlflow_errata.tracking import choices as room  # noqa: PLC0415

    return room.is_read_only()


def history(uri: str, experiment_id: str) -> tuple[Iteration, ...]:
    """The diagnosed runs of an experiment with what their steps promised and delivered, oldest first.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_history, uri, experiment_id)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=32, show_spinner="Reading the iterations ...")
def _history(uri: str, experiment_id: str) -> tuple[Iteration, ...]:
    from mlflow_errata.tracking import outcomes as room  # noqa: PLC0415

    return room.history(experiment_id, tracking_uri=uri, most=PAGE)


def outcomes(uri: str) -> tuple[Outcome, ...]:
    """Every outcome of a store.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_outcomes, uri)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=8, show_spinner=False)
def _outcomes(uri: str) -> tuple[Outcome, ...]:
    from mlflow_errata.tracking import outcomes as room  # noqa: PLC0415

    return room.outcomes(tracking_uri=uri)


@st.cache_resource(max_entries=16, show_spinner="Comparing the runs ...")
def comparison(uri: str, old: str, new: str, digests: tuple[str, str]) -> RunComparison:
    """Two runs side by side; `digests` tell records that were logged again from those before.

    Raises
    ------
    NoDiagnoses, StoreUnreachable, RecordBroken, RecordTooNew
    """
    from mlflow_errata.tracking import outcomes as room  # noqa: PLC0415

    del digests
    return room.compare_runs(old, new, tracking_uri=uri)


@st.cache_resource(max_entries=16, show_spinner="Comparing the metrics over runs ...")
def _metric_comparison(uri: str, records: tuple[tuple[str, str], ...], _rows: tuple[RunRow, ...]) -> Any:
    from mlflow_errata.tracking import metrics as room  # noqa: PLC0415

    del records
    try:
        return room.metric_comparison(_rows, tracking_uri=uri)
    except NotApplicable as reason:
        return reason  # as costly to find out as a comparison


def metric_comparison(uri: str, experiment_id: str) -> MetricComparison:
    """The runs of an experiment ranked by metrics and by the declared value.

    Raises
    ------
    NotApplicable, StoreUnreachable, RecordBroken, RecordTooNew
    """
    rows = runs(uri, experiment_id)
    found = _metric_comparison(uri, tuple((row.run_id, row.digest) for row in rows), rows)
    if isinstance(found, NotApplicable):
        raise NotApplicable(str(found))
    return cast("MetricComparison", found)


def business(uri: str, experiment_id: str) -> Business | None:
    """How metrics go with the business figure of an experiment; None where none was named.

    Raises
    ------
    StoreUnreachable
    """
    return steady(_business, uri, experiment_id)


@st.cache_resource(ttl=FRESH, refresh_mode="background", max_entries=32, show_spinner=False)
def _business(uri: str, experiment_id: str) -> Business | None:
    from mlflow_errata.tracking import metrics as room  # noqa: PLC0415

    return room.business(experiment_id, tracking_uri=uri)


@st.cache_resource(ttl=1, show_spinner="Logging four runs on real flights: a minute or two ...")
def fill_with_demo(uri: str) -> None:
    """Log the demo into an empty store on this machine; whoever else asks meanwhile waits for the same.

    Raises
    ------
    DemoRefused
    """
    from mlflow_errata import _demo  # noqa: PLC0415 - at a click

    _demo.fill(database_of(uri))


def forget() -> None:
    """Read everything anew."""
    for reader in (
        *(_experiments, _runs, run, record, desk, _with_labels, _choices, _history, _outcomes, comparison),
        *(_metric_comparison, _business, _slice_reviews, slices_found, slice_measured, _evaluated, _workspaces),
    ):
        reader.clear()
    ask_again(tracking_uri())
