"""Retrain on recent: fit again with the newest rows, or on them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.diagnoses.recency_drift import NAME as RECENCY_DRIFT
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "retrain_recent"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Refit on everything up to now where the newest rows are served worse."""
    found = results.get(RECENCY_DRIFT)
    if found is None or not found.found:
        return ()
    return (NextStep(KIND, {"since": None}, (RECENCY_DRIFT,), Cost(labels=0, rows=0)),)


def apply(train: TrainingSet, *, since: Any = None) -> TrainingSet:
    """Keep the rows from a moment on.

    Parameters
    ----------
    train : TrainingSet with times
    since : first moment to keep; None keeps everything
    """
    if since is None or train.time is None:
        return train
    return train.take(np.flatnonzero(train.time >= since))
