"""What the steps of an experiment delivered: measured when a run that follows another is logged, kept as a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow.entities import ViewType

from mlflow_errata._choices import Choice, Outcome, accepted_of, as_tag, choices_of
from mlflow_errata._outcome import delivered
from mlflow_errata._run_comparison import compared
from mlflow_errata.errors import ErrataError
from mlflow_errata.record import Record
from mlflow_errata.tracking.gate import record_of
from mlflow_errata.tracking.payload import RECORD_TAG, STATUS_TAG
from mlflow_errata.tracking.search import FOLLOWS_TAG, RunRow, load_evaluated, reading, row_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient

    from mlflow_errata._run_comparison import RunComparison

OUTCOME_TAG = "errata.outcome"
MOST = 1000
"""Runs with an outcome that the track record of a store is made from, newest first."""


@dataclass(frozen=True)
class Iteration:
    """A run of an experiment in its loop.

    Parameters
    ----------
    row : RunRow
    follows : str or None, id of the run whose step it took
    choices : tuple of Choice, what was decided about its own steps, oldest first
    outcome : Outcome or None, what the step that it took delivered
    """

    row: RunRow
    follows: str | None
    choices: tuple[Choice, ...]
    outcome: Outcome | None


def outcome_tags(client: MlflowClient, run_id: str, folder: str | Path) -> dict[str, str]:
    """The outcome of the record in a folder, as a tag for its run; none where the run follows no other."""
    follows = client.get_run(run_id).data.tags.get(FOLLOWS_TAG)
    return {} if follows is None else {OUTCOME_TAG: as_tag(_measured(client, follows, Record.open(folder)))}


def update(client: MlflowClient, run_id: str) -> None:
    """Measure the outcome of a run that was logged before it said which run it follows."""
    tags = client.get_run(run_id).data.tags
    if RECORD_TAG in tags and FOLLOWS_TAG in tags:
        found = _measured(client, tags[FOLLOWS_TAG], load_evaluated(client, run_id))
        client.set_tag(run_id, OUTCOME_TAG, as_tag(found))


def _measured(client: MlflowClient, follows: str, record: Record) -> Outcome:
    taken = accepted_of(client.get_run(follows).data.tags)
    promised = None if taken is None else taken.promised
    kind, title = ("", "") if taken is None else (taken.kind, taken.title)
    suggested = taken is not None and taken.suggested
    try:
        earlier = load_evaluated(client, follows)
        unit = earlier.summary.metric if promised is None else promised.unit
        found = delivered(earlier, record, unit, trained_on_old=taken is not None and taken.on_evaluation)
    except ErrataError as reason:
        return Outcome(follows, kind, title, promised, None, "", str(reason), suggested)
    return Outcome(follows, kind, title, promised, found.gain, found.how, "", suggested)


def history(experiment_id: str, *, tracking_uri: str | None = None, most: int = 200) -> tuple[Iteration, ...]:
    """The diagnosed runs of an experiment, oldest first, from their tags alone.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> tuple[Iteration, ...]:
        found = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{STATUS_TAG}` LIKE '%'",
            max_results=most,
            order_by=["attributes.start_time DESC"],
        )
        return tuple(
            Iteration(
                row_of(run),
                run.data.tags.get(FOLLOWS_TAG),
                choices_of(run.data.tags),
                Outcome.parsed(run.data.tags.get(OUTCOME_TAG, "")),
            )
            for run in reversed(found)
        )

    return reading(tracking_uri, read)


def outcomes(*, tracking_uri: str | None = None) -> tuple[Outcome, ...]:
    """Every outcome of a store, over all its experiments.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> tuple[Outcome, ...]:
        known = [item.experiment_id for item in client.search_experiments(view_type=ViewType.ACTIVE_ONLY)]
        found = client.search_runs(
            known,
            filter_string=f"tags.`{OUTCOME_TAG}` LIKE '%'",
            max_results=MOST,
            order_by=["attributes.start_time DESC"],
        )
        parsed = (Outcome.parsed(run.data.tags[OUTCOME_TAG]) for run in found)
        return tuple(item for item in parsed if item is not None)

    return reading(tracking_uri, read)


def compare_runs(old: str, new: str, *, tracking_uri: str | None = None) -> RunComparison:
    """Compare two logged runs, on the rows that both can be judged on.

    Parameters
    ----------
    old, new : str, run ids, aliases of models, or folders of saved records
    tracking_uri : str
        Default: MLflow's current one.

    Returns
    -------
    RunComparison
        The change of the metric, negative and positive flips, slices that got worse and better, and what each run
        found; `reason` says why where there are no common rows.

    Raises
    ------
    AliasMissing, NoDiagnoses, NotInStore, StoreUnreachable
    """
    return reading(tracking_uri, lambda client: compared(record_of(client, old)[1], record_of(client, new)[1]))
