"""An experiment by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.entities import LifecycleStage

from mlflow_errata.errors.stored import ExperimentDeleted, ExperimentMissing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


def experiment_named(client: MlflowClient, name: str) -> Experiment:
    """The experiment of a name.

    Raises
    ------
    ExperimentMissing, ExperimentDeleted
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        raise ExperimentMissing(name)
    if found.lifecycle_stage == LifecycleStage.DELETED:
        raise ExperimentDeleted(name, found.experiment_id)
    return found
