"""Drop columns: take out of the model what gives the label away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlflow_errata.diagnoses.data_faults import NAME as DATA_FAULTS
from mlflow_errata.diagnoses.data_faults import DataFaults
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "drop_columns"
UNMEASURED = "cannot be measured on rows that hold the answer"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Drop the columns that predict the label near-perfectly by themselves and that the model leans on."""
    found = results.get(DATA_FAULTS)
    if not isinstance(found, DataFaults):
        return ()
    leaks = [fault.column for fault in found.faults if fault.kind == "leak" and fault.alarm]
    columns = [name for name in leaks if name in table.features]
    if not columns:
        return ()
    cost = Cost(labels=0, rows=0)
    return (NextStep(KIND, {"columns": columns}, (DATA_FAULTS,), cost, gain_reason=UNMEASURED),)


def apply(train: TrainingSet, *, columns: Sequence[str]) -> TrainingSet:
    """The training set without some columns of X; what is not there is left out already."""
    return replace(train, X=train.X.drop(columns=[name for name in columns if name in train.X.columns]))
