"""errata: what is wrong with this run, and what to change in the next one.

The public names load on first use, so that importing the package costs a training script nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mlflow_errata._audit import audit, audited
    from mlflow_errata._compare import compare
    from mlflow_errata._compare_metrics import compare_metrics
    from mlflow_errata._diagnose import diagnose
    from mlflow_errata.errors import ErrataError
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.recipe import Recipe
    from mlflow_errata.record import Record
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.tracking.autologging import autolog
    from mlflow_errata.tracking.choices import accept, choices, decline, follow, latest_accepted, load_recipe
    from mlflow_errata.tracking.decisions import load_decisions, save_decisions
    from mlflow_errata.tracking.gate import check, validation
    from mlflow_errata.tracking.ignored import ignore, ignored
    from mlflow_errata.tracking.metrics import business_metric
    from mlflow_errata.tracking.outcomes import compare_runs
    from mlflow_errata.tracking.search import load
    from mlflow_errata.tracking.slices import load_slices, save_slices
    from mlflow_errata.tracking.store import log

_HOMES = {
    "ErrataError": "errors",
    "Estimate": "estimate",
    "EvaluationTable": "table",
    "Recipe": "recipe",
    "Record": "record",
    "accept": "tracking.choices",
    "audit": "_audit",
    "audited": "_audit",
    "autolog": "tracking.autologging",
    "check": "tracking.gate",
    "choices": "tracking.choices",
    "business_metric": "tracking.metrics",
    "compare": "_compare",
    "compare_metrics": "_compare_metrics",
    "compare_runs": "tracking.outcomes",
    "decline": "tracking.choices",
    "diagnose": "_diagnose",
    "follow": "tracking.choices",
    "ignore": "tracking.ignored",
    "ignored": "tracking.ignored",
    "latest_accepted": "tracking.choices",
    "load": "tracking.search",
    "load_decisions": "tracking.decisions",
    "load_recipe": "tracking.choices",
    "load_slices": "tracking.slices",
    "log": "tracking.store",
    "save_decisions": "tracking.decisions",
    "save_slices": "tracking.slices",
    "validation": "tracking.gate",
}

__all__ = [
    "ErrataError",
    "Estimate",
    "EvaluationTable",
    "Recipe",
    "Record",
    "__version__",
    "accept",
    "audit",
    "audited",
    "autolog",
    "business_metric",
    "check",
    "choices",
    "compare",
    "compare_metrics",
    "compare_runs",
    "decline",
    "diagnose",
    "follow",
    "ignore",
    "ignored",
    "latest_accepted",
    "load",
    "load_decisions",
    "load_recipe",
    "load_slices",
    "log",
    "save_decisions",
    "save_slices",
    "validation",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        from mlflow_errata.errors import NoSuchName  # noqa: PLC0415

        raise NoSuchName(name, __all__)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
