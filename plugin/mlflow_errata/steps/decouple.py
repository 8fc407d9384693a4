"""Decouple objectives: rank by scores of their own for each objective, weighted, instead of by the score in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.diagnoses.objectives import NAME as OBJECTIVES
from mlflow_errata.diagnoses.objectives import ObjectivesSwept
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "decouple"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Rank by the mix that is best on all rows, where the choice pays beyond chance; its gain was judged by others."""
    found = results.get(OBJECTIVES)
    if not isinstance(found, ObjectivesSwept) or not found.found:
        return ()
    sweep = found.sweep
    params = {"weights": sweep.weights(sweep.best), "combine": sweep.combine, "instead_of": sweep.current.name}
    gain = found.headline
    cost = Cost(labels=0, rows=0, seconds=0.0)
    return (NextStep(KIND, params, (OBJECTIVES,), cost, gain=gain, gain_reason="", bound=gain.low, pays=True),)


def apply(train: TrainingSet, **params: Any) -> TrainingSet:  # noqa: ARG001 - the shared shape
    """Change no row: what ranks changes, not what is trained."""
    return train
