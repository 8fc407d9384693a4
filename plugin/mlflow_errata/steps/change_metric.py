"""Change metric: decide by what a decision is worth, not by the metric that was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.diagnoses.metric_mismatch import NAME as METRIC_MISMATCH
from mlflow_errata.diagnoses.metric_mismatch import MetricMismatch
from mlflow_errata.steps import change_model
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "change_metric"
BY_VALUE = "value"
NOT_FOR = {
    "regression": "moves a threshold, and a number has none; change_model is judged by the value already",
}


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Decide by the value where another threshold loses less; by a metric that sees more where the one in use is blind.

    What the threshold saves was measured by the diagnosis: four fifths of the rows chose, the others judged.
    """
    found = results.get(METRIC_MISMATCH)
    if not isinstance(found, MetricMismatch) or not found.found:
        return ()
    moved = found.threshold
    if moved is not None and moved.counts:
        params = {"by": BY_VALUE, "threshold": moved.best}
        cost = Cost(labels=0, rows=0)
        gain = moved.gain
        step = NextStep(
            KIND, params, (METRIC_MISMATCH,), cost, gain_reason="", gain_value=gain, bound=gain.low, pays=True
        )
        return (step,)
    if found.blind is not None and found.lost is None:
        return (NextStep(KIND, {"by": found.better}, (METRIC_MISMATCH,), Cost(labels=0, rows=0)),)
    return ()


def apply(train: TrainingSet, *, by: str = "value", **decision: Any) -> TrainingSet:  # noqa: ARG001
    """Change no row: the decision alone moves.

    Parameters
    ----------
    by : str, what the decision was chosen by: "value", or the name of a metric
    decision : where it falls: a threshold, or thresholds by label; and the model, as in change_model
    """
    return train


def alter(
    estimator: Any,
    X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the step's parameter
    family: change_model.Family | None = None,
    classes: bool = True,
    **decision: Any,  # noqa: ARG001 - where decisions fall
) -> Any:
    """The estimator to fit instead, unfitted: another one where the value prefers it to the one that is used."""
    if not set and family is None:
        return estimator
    return change_model.alter(estimator, X, set=set, family=family, classes=classes)
