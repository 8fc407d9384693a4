"""Collect data: more rows where the model is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.diagnoses.framing import NAME as FRAMING
from mlflow_errata.diagnoses.framing import Framing
from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.steps.relabel import touches_the_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "collect_data"
TOO_FEW = "not tried: there are too few of these rows to follow what more of them gain"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """More rows of the worst slice whose labels are not in doubt, and of classes too rare to be learned."""
    return (*_of_a_slice(results, table), *_of_rare_classes(results, table))


def _of_rare_classes(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    found = results.get(FRAMING)
    rare = found.rare if isinstance(found, Framing) else None
    if rare is None or not rare.found:
        return ()
    named = ", ".join(repr(item.label) for item in rare.classes)
    asked = {"slice": [f"{table.roles.label} in {{{named}}}"]}
    return (NextStep(KIND, asked, (FRAMING,), Cost(rows=rare.missing), gain_reason=TOO_FEW),)


def _of_a_slice(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Slices by columns that do not restate the label come first."""
    found = results.get(SLICE_ERRORS)
    if not isinstance(found, SliceErrors):
        return ()
    restating = {name for item in found.slices if item.only_label is not None for name in item.columns}
    asked = [item for item in found.slices if not touches_the_label(item, table)]
    asked.sort(key=lambda item: not restating.isdisjoint(item.columns))
    return tuple(NextStep(KIND, {"slice": list(item.conditions)}, (SLICE_ERRORS,)) for item in asked[:1])


def apply(train: TrainingSet, *, slice: Sequence[str] = (), rows: int = 0) -> TrainingSet:  # noqa: A002, ARG001
    """Change nothing: the rows have to be collected first.

    Parameters
    ----------
    train : TrainingSet
    slice : conditions of the rows to collect; empty for rows like those there are
    rows : int, how many; 0 where that is not known
    """
    return train
