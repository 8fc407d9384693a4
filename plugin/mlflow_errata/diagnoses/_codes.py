"""Codes: a stable name for everything that can be found, by which it is looked up in the docs and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.diagnoses import data_faults, framing
from mlflow_errata.diagnoses.calibration import Calibration
from mlflow_errata.diagnoses.data_faults import DataFaults
from mlflow_errata.diagnoses.framing import Framing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result

OF_DIAGNOSIS: Mapping[str, str] = {
    "slice_errors": "ERR201",
    "label_issues": "ERR301",
    "class_imbalance": "ERR401",
    "calibration": "ERR501",
    "recency_drift": "ERR601",
    "metric_mismatch": "ERR701",
    "objectives": "ERR801",
}
"""Diagnoses with one code; data faults and framing have one a kind. Codes are never used again for something else."""
COVERAGE = "ERR502"
"""Predicted quantiles that hold another share of the labels than they say, beside what else calibration finds."""
CODES = tuple(sorted((*data_faults.CODES.values(), *OF_DIAGNOSIS.values(), COVERAGE, *framing.CODES.values())))


def codes_of(name: str, result: Result) -> tuple[str, ...]:
    """Codes of what a diagnosis has found; empty where it has found nothing."""
    if isinstance(result, DataFaults):
        return tuple(dict.fromkeys(fault.code for fault in result.faults if fault.alarm))
    if isinstance(result, Framing):
        return tuple(framing.CODES[alarm] for alarm in result.alarms)
    if isinstance(result, Calibration):
        missed = result.coverage is not None and result.coverage.found
        return (*((OF_DIAGNOSIS[name],) if result.off else ()), *((COVERAGE,) if missed else ()))
    return (OF_DIAGNOSIS[name],) if result.found else ()
