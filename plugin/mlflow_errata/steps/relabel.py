"""Relabel: check labels by hand and correct those that are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
from mlflow_errata.predicates import IsMissing
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "relabel"
AUDIT = 40
"""Rows that a person checks before anything is relabelled: enough to tell real label errors from hard rows."""


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Audit the slices that lie where a column that the model does not see is missing.

    A value that is missing beside the label often decided the label: a comparison with a missing number is false.
    """
    found = results.get(SLICE_ERRORS)
    if not isinstance(found, SliceErrors):
        return ()
    return tuple(_audit(item) for item in found.slices if touches_the_label(item, table))


def touches_the_label(item: Slice, table: EvaluationTable) -> bool:
    """Whether a slice lies where a column that the model does not see is missing."""
    return any(
        isinstance(predicate, IsMissing) and predicate.column not in table.features for predicate in item.predicates
    )


def _audit(item: Slice) -> NextStep:
    n = min(AUDIT, item.support)
    return NextStep(KIND, {"slice": list(item.conditions), "audit": n}, (SLICE_ERRORS,), Cost(labels=n))


def apply(train: TrainingSet, *, decisions: Mapping[Any, Any]) -> TrainingSet:
    """Replace the labels of rows by id.

    Parameters
    ----------
    train : TrainingSet with ids
    decisions : mapping id -> label
    """
    y = train.y.copy()
    ids = y.index if train.id is None else train.id
    for at, row in enumerate(ids):
        if row in decisions:
            y.iloc[at] = decisions[row]
    return replace(train, y=y)
