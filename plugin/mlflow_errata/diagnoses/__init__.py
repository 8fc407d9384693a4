"""Diagnoses: what can be wrong with a run. One module each, all of the shape in `_shape.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mlflow_errata.diagnoses import (
    calibration,
    class_imbalance,
    data_faults,
    framing,
    label_issues,
    metric_mismatch,
    objectives,
    recency_drift,
    slice_errors,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Diagnosis

CATALOGUE: Mapping[str, Diagnosis] = {
    module.NAME: cast("Diagnosis", module)
    for module in (
        slice_errors,
        label_issues,
        class_imbalance,
        calibration,
        data_faults,
        recency_drift,
        metric_mismatch,
        objectives,
        framing,
    )
}
"""Every diagnosis by name, in the order in which a report shows them."""
