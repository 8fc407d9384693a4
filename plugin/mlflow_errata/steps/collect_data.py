"""Collect data: more rows where the model is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.steps.relabel import touches_the_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "collect_data"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """More rows of the worst slice whose labels are not in doubt, preferring columns that do not restate the label."""
    found = results.get(SLICE_ERRORS)
    if not isinstance(found, SliceErrors):
        return ()
    restating = {name for item in found.slices if item.only_label is not None for name in item.columns}
    asked = [item for item in found.slices if not touches_the_label(item, table)]
    asked.sort(key=lambda item: not restating.isdisjoint(item.columns))
    return tuple(NextStep(KIND, {"slice": list(item.conditions)}, (SLICE_ERRORS,)) for item in asked[:1])


def apply(train: TrainingSet, *, slice: list[str]) -> TrainingSet:  # noqa: A002, ARG001 - the step's parameter
    """Change nothing: the rows have to be collected first."""
    return train
