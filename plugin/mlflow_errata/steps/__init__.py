"""Next steps: what can be changed for the next run. One module each, all of the shape in `_shape.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mlflow_errata.steps import (
    change_metric,
    change_model,
    collect_data,
    decouple,
    drop_columns,
    reframe,
    relabel,
    resample,
    retrain_recent,
    stop,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.steps._shape import NextStep, StepKind
    from mlflow_errata.table import EvaluationTable

KINDS: Mapping[str, StepKind] = {
    module.KIND: cast("StepKind", module)
    for module in (
        drop_columns,
        relabel,
        decouple,
        resample,
        change_metric,
        retrain_recent,
        change_model,
        reframe,
        collect_data,
        stop,
    )
}
"""Every kind of step by name, from columns and labels over decisions, time and the model to more rows."""


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """All steps that the results ask for, in the order of KINDS; none of them has been tried, so none has a gain."""
    found = tuple(step for kind in KINDS.values() for step in kind.propose(results, table))
    return found or (stop.nothing_found(),)


def decides_only(kind: str, params: Mapping[str, Any]) -> bool:
    """Whether a step moves decisions, and neither the rows nor the model: it takes no refit."""
    if kind == retrain_recent.KIND:
        return not retrain_recent.uses_newer(params)
    if kind == change_metric.KIND:
        return not {"set", "family"} & set(params)
    return kind == stop.KIND or (kind == resample.KIND and params.get("method") not in resample.BALANCING)
