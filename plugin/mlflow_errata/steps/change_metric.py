"""Change metric: decide by what a decision is worth, not by the metric that was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "change_metric"
NOT_FOR = {
    "multiclass": "moves a threshold, and many classes have none",
    "regression": "moves a threshold, and a number has none",
}


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Nothing from results alone: trials find out whether deciding by the declared value pays."""
    return ()


def apply(train: TrainingSet, *, by: str = "value", **decision: Any) -> TrainingSet:  # noqa: ARG001
    """Change no row: the decision alone moves.

    Parameters
    ----------
    by : str, what the decision was chosen by
    decision : where it falls: a threshold, or thresholds by label
    """
    return train
