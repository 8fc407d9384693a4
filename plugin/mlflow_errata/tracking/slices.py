"""Named slices of an experiment: kept as a tag, measured in every later evaluation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlflow import MlflowClient

from mlflow_errata.diagnoses._named import wanted_slices
from mlflow_errata.tracking.experiments import experiment_named
from mlflow_errata.tracking.workspaces import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG = "errata.slices"


def save_slices(
    experiment: str, named_slices: Mapping[str, str | tuple[str, float]], *, tracking_uri: str | None = None
) -> None:
    """Keep named slices with an experiment, in place of those that it has.

    Evaluations of the experiment through `mlflow.models.evaluate` measure them; from training code pass
    `errata.diagnose(..., named_slices=errata.load_slices("..."))`.

    Parameters
    ----------
    experiment : str, its name
    named_slices : dict name -> expression, or (expression, acceptance bar on the error)
    tracking_uri : str

    Raises
    ------
    ExpressionUnreadable, ValuesRefused, ExperimentMissing
    """
    wanted_slices(named_slices)
    with client_of(tracking_uri) as client:
        found = experiment_named(client, experiment)
        client.set_experiment_tag(found.experiment_id, TAG, json.dumps(dict(named_slices)))


def load_slices(experiment: str, *, tracking_uri: str | None = None) -> dict[str, str | tuple[str, float]]:
    """The named slices that an experiment keeps; empty if it keeps none.

    Raises
    ------
    ExperimentMissing
    """
    with client_of(tracking_uri) as client:
        return _read(experiment_named(client, experiment).tags)


def slices_of_run(run_id: str) -> dict[str, str | tuple[str, float]]:
    """The named slices of the experiment that a run belongs to."""
    client = MlflowClient()
    return _read(client.get_experiment(client.get_run(run_id).info.experiment_id).tags)


def _read(tags: Mapping[str, str]) -> dict[str, str | tuple[str, float]]:
    kept = json.loads(tags.get(TAG, "{}"))
    return {name: told if isinstance(told, str) else (told[0], told[1]) for name, told in kept.items()}
