"""Accepting and declining steps, and following them: a tag commits what an artifact already holds.

Every decision is a tag of its own, written in one transaction after the recipe that it names, so a process that is
killed leaves a decision whole or absent, and two people who decide at once overwrite nothing.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import mlflow
from mlflow.entities import RunTag, ViewType

from mlflow_errata._audit import audited
from mlflow_errata._choices import CHOICE_TAG, Choice, accepted_of, as_tag, choices_of, promise_of, standing
from mlflow_errata._decisions import now, read
from mlflow_errata._queue import Queue
from mlflow_errata.errors import DecisionsRefused, NothingToAudit
from mlflow_errata.errors.stored import (
    ExperimentMissing,
    NoRun,
    PersonMissing,
    ReadOnly,
    RecipeMissing,
    RecipeRefused,
    RunNotNamed,
    StepByHand,
    StepMissing,
    StepNotAccepted,
)
from mlflow_errata.recipe import Recipe
from mlflow_errata.record.write import RECIPE
from mlflow_errata.sections import next_steps as words
from mlflow_errata.steps import relabel, retrain_recent
from mlflow_errata.tracking.decisions import load_decisions
from mlflow_errata.tracking.outcomes import update
from mlflow_errata.tracking.search import FOLLOWS_TAG, folder_of, load, reading

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlflow_errata._choices import Verdict
    from mlflow_errata.record import Record
    from mlflow_errata.steps._shape import NextStep

ACCEPTED_TAG = "errata.accepted"
"""Kind of the latest accepted step: runs are searched by it."""
FOLDER = "steps"
READ_ONLY = "ERRATA_READ_ONLY"


def accept(run_id: str, kind: str, *, by: str, why: str = "", tracking_uri: str | None = None) -> Choice:
    """Accept a proposed step of a run: its recipe is stored with the run for the next training run.

    A step that needs people first (labels to check, rows to collect) is accepted without a recipe; labels that were
    checked meanwhile (`errata.save_decisions`, the Labels page) make one.

    Parameters
    ----------
    run_id : str
    kind : str, kind of the step: the first of its kind among `record.next_steps`
    by : str, who accepts
    why : str
    tracking_uri : str
        Default: MLflow's current one.

    Returns
    -------
    Choice

    Raises
    ------
    StepMissing, PersonMissing, ReadOnly, NoDiagnoses, StoreUnreachable
    """
    return _choose("accept", run_id, kind, by=by, why=why, tracking_uri=tracking_uri)


def decline(run_id: str, kind: str, *, by: str, why: str = "", tracking_uri: str | None = None) -> Choice:
    """Decline a proposed step of a run: it stays visible, with who declined it and why.

    Parameters and errors as in `accept`.
    """
    return _choose("decline", run_id, kind, by=by, why=why, tracking_uri=tracking_uri)


def choices(run_id: str, *, tracking_uri: str | None = None) -> tuple[Choice, ...]:
    """Everything decided about the steps of a run, oldest first; of several on one kind the newest counts.

    Raises
    ------
    StoreUnreachable
    """
    return reading(tracking_uri, lambda client: choices_of(client.get_run(run_id).data.tags))


def is_read_only() -> bool:
    """Whether ERRATA_READ_ONLY forbids decisions here."""
    return os.environ.get(READ_ONLY, "").lower() not in {"", "0", "false", "no"}


def with_labels(record: Record, run_id: str, *, tracking_uri: str | None = None) -> Record:
    """The record with what people found out about its labels since, once every row of the audit is answered.

    The first answers of an audit tell too little: its step stays until the rest is in.
    """
    try:
        made = load_decisions(run_id, tracking_uri=tracking_uri)
        told = len(made) > 0 and Queue(record).standing(read(record, made)).is_told
        found = audited(record, made) if told else record
    except (DecisionsRefused, NothingToAudit):
        return record
    same = _audit(found) == _audit(record)  # the record knows them already, and perhaps their gain
    return record if same else found


def _audit(record: Record) -> object:
    return getattr(record.results.get("label_issues"), "audit", None)


def _choose(verdict: Verdict, run_id: str, kind: str, *, by: str, why: str, tracking_uri: str | None) -> Choice:
    if is_read_only():
        raise ReadOnly
    if not by.strip():
        raise PersonMissing
    record = load(run_id, tracking_uri=tracking_uri)
    if kind == relabel.KIND:
        record = with_labels(record, run_id, tracking_uri=tracking_uri)
    kinds = [step.kind for step in record.next_steps]
    if kind not in kinds:
        raise StepMissing(run_id, kind, list(dict.fromkeys(kinds)))
    step = record.next_steps[kinds.index(kind)]
    recipe, by_hand = _recipe(record, step) if verdict == "accept" else (None, "")

    def write(client: MlflowClient) -> Choice:
        name, path = uuid4().hex[:12], None
        if recipe is not None:
            path = f"{folder_of(client, run_id, None)}/{FOLDER}/{kind}-{name}.json"
            client.log_text(run_id, recipe.to_json(), path)
        choice = Choice(
            verdict=verdict,
            kind=kind,
            title=words.title_of(step, record),
            by=by.strip(),
            why=why.strip(),
            at=now(),
            promised=promise_of(step),
            recipe=path,
            by_hand=by_hand,
            on_evaluation=step.kind == retrain_recent.KIND and retrain_recent.uses_newer(step.params),
            suggested=kinds.index(kind) == 0,
        )
        tags = [RunTag(f"{CHOICE_TAG}{name}", as_tag(choice))]
        tags += [RunTag(ACCEPTED_TAG, kind)] if verdict == "accept" else []
        client.log_batch(run_id, tags=tags)
        return choice

    return reading(tracking_uri, write)


def _recipe(record: Record, step: NextStep) -> tuple[Recipe | None, str]:
    try:
        return Recipe.of(record, step), ""
    except RecipeRefused as cause:
        return None, str(cause)


# -- the next run -----------------------------------------------------------------------------------------------------


def latest_accepted(experiment: str, *, tracking_uri: str | None = None) -> str:
    """Id of the run of an experiment whose step was accepted last, and not declined since.

    Raises
    ------
    ExperimentMissing, StepNotAccepted, StoreUnreachable
    """

    def read(client: MlflowClient) -> str:
        found = client.get_experiment_by_name(experiment)
        if found is None:
            raise ExperimentMissing(experiment)
        latest = ("", "")
        for run in client.search_runs(
            [found.experiment_id],
            filter_string=f"tags.`{ACCEPTED_TAG}` LIKE '%'",
            run_view_type=ViewType.ACTIVE_ONLY,
            max_results=1000,
        ):
            for item in standing(choices_of(run.data.tags)).values():
                if item.verdict == "accept":
                    latest = max(latest, (item.at, run.info.run_id))
        if not latest[1]:
            raise StepNotAccepted(f"experiment {experiment!r}")
        return latest[1]

    return reading(tracking_uri, read)


def _chosen(run_id: str | None, experiment: str | None, tracking_uri: str | None) -> str:
    if run_id is not None:
        return run_id
    if experiment is None:
        raise RunNotNamed
    return latest_accepted(experiment, tracking_uri=tracking_uri)


def load_recipe(
    run_id: str | None = None,
    *,
    experiment: str | None = None,
    dataset: str | None = None,
    tracking_uri: str | None = None,
) -> Recipe:
    """The recipe of a run: of the step accepted last, else the plan of its record.

    Parameters
    ----------
    run_id : str
        Default: the run of `experiment` whose step was accepted last.
    experiment : str, its name; in place of run_id
    dataset, tracking_uri : as in `load`

    Raises
    ------
    RunNotNamed, RecipeMissing, StepByHand, StepNotAccepted, ExperimentMissing, NoDiagnoses, NotInStore,
    StoreUnreachable, RecipeBroken, RecipeTooNew
    """
    chosen = _chosen(run_id, experiment, tracking_uri)

    def read(client: MlflowClient) -> Recipe:
        taken = accepted_of(client.get_run(chosen).data.tags)
        if taken is not None and taken.recipe is None:
            raise StepByHand(chosen, taken.kind, taken.by_hand)
        folder = folder_of(client, chosen, dataset)
        path = f"{folder}/{RECIPE}" if taken is None or taken.recipe is None else taken.recipe
        known = [item.path for item in client.list_artifacts(chosen, str(Path(path).parent))]
        if path not in known:
            raise RecipeMissing(chosen)
        with tempfile.TemporaryDirectory() as scratch:
            return Recipe.from_json(Path(client.download_artifacts(chosen, path, scratch)).read_text(encoding="utf-8"))

    return reading(tracking_uri, read)


def follow(
    run_id: str | None = None,
    *,
    experiment: str | None = None,
    into: str | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Say that a run takes the step that was accepted in another: what it delivers is measured when it is logged.

    Parameters
    ----------
    run_id : str, the run to follow
        Default: the run of `experiment` whose step was accepted last.
    experiment : str, its name; in place of run_id
    into : str, id of the run that follows
        Default: the active run.
    tracking_uri : str

    Returns
    -------
    str, id of the run that is followed

    Raises
    ------
    RunNotNamed, NoRun, StepNotAccepted, ExperimentMissing, NotInStore, StoreUnreachable
    """
    chosen = _chosen(run_id, experiment, tracking_uri)
    active = mlflow.active_run()
    own = into or (None if active is None else str(active.info.run_id))
    if own is None:
        raise NoRun

    def write(client: MlflowClient) -> None:
        if accepted_of(client.get_run(chosen).data.tags) is None:
            raise StepNotAccepted(f"run {chosen}")
        client.set_tag(own, FOLLOWS_TAG, chosen)
        update(client, own)

    reading(tracking_uri, write)
    return chosen
