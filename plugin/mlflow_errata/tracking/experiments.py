"""An experiment by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.errors.stored import ExperimentMissing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


def experiment_named(client: MlflowClient, name: str) -> Experiment:
    """The experiment of a name.

    Raises
    ------
    ExperimentMissing
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        raise ExperimentMissing(name)
    return found
