"""Stop: keep the model as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.steps._shape import NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "stop"


def nothing_found() -> NextStep:
    """The only step when no diagnosis found anything to act on."""
    return NextStep(KIND, gain_reason="nothing found to try")


def nothing_pays() -> NextStep:
    """The step that wins when no step that was tried gains beyond chance."""
    return NextStep(KIND, gain_reason="0, by definition")


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Never proposed beside other steps: only trials can show that none of them pays."""
    return ()


def apply(train: TrainingSet) -> TrainingSet:
    """Change nothing."""
    return train
