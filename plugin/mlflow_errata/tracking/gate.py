"""The gate on a store: a run, or the run of a model alias, judged by rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.models import EvaluationResult, MetricThreshold

from mlflow_errata._gate import Gate, Rules, judged
from mlflow_errata.errors.stored import AliasMissing
from mlflow_errata.record import Record
from mlflow_errata.tracking.search import load_evaluated, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient

PREFIX = "models:/"


def check(
    run_id: str,
    *,
    rules: str | Path | Mapping[str, Any] | None = None,
    against: str | None = None,
    tracking_uri: str | None = None,
) -> Gate:
    """Judge a run by rules.

    Parameters
    ----------
    run_id : str, or a model's alias "models:/name@alias", or the folder of a saved record
    rules : path of a TOML file, or the same as a mapping
        Without it the acceptance bars of the run's named slices are judged alone.
    against : str, as run_id
        What the run is compared with, for bars on drops, flips and slices that got worse.
    tracking_uri : str
        Default: MLflow's current one.

    Returns
    -------
    Gate
        `exit_code` is 0 if every bar passes, 1 if one fails, 2 if none fails and one cannot be judged, or there is no
        bar at all.

    Raises
    ------
    RulesBroken, AliasMissing, NoDiagnoses, StoreUnreachable
    """
    wanted = Rules.read({} if rules is None else rules)

    def read(client: MlflowClient) -> Gate:
        own, record = record_of(client, run_id)
        other, earlier = (None, None) if against is None else record_of(client, against)
        return judged(record, wanted, against=earlier, run=own, against_run=other)

    return reading(tracking_uri, read)


def record_of(client: MlflowClient, name: str) -> tuple[str, Record]:
    """The id of a run and its record, or the folder of a saved record and that.

    Raises
    ------
    AliasMissing, NoDiagnoses, RecordBroken, RecordTooNew
    """
    if name and Path(name).is_dir():
        return name, Record.open(name)
    run_id = run_of(client, name)
    return run_id, load_evaluated(client, run_id)


def run_of(client: MlflowClient, name: str) -> str:
    """A run id, or the run that the model of an alias comes from.

    Raises
    ------
    AliasMissing
    """
    if "@" not in name:
        return name
    model, _, alias = name.removeprefix(PREFIX).partition("@")
    try:
        found = client.get_model_version_by_alias(model, alias).run_id
    except MlflowException as cause:
        raise AliasMissing(name, cause) from cause
    if not found:
        raise AliasMissing(name, "its model version names no run")
    return str(found)


def validation(gate: Gate) -> tuple[dict[str, MetricThreshold], EvaluationResult]:
    """Thresholds and a result for `mlflow.validate_evaluation_results`, which then fails exactly if the gate does.

    Each bar is a metric `errata/check/<name>`: the end of the interval that decides. A bar that cannot be judged is
    missing among the metrics, so validation fails on it as well; so does the bar "any" of a gate that has none.
    """
    thresholds: dict[str, MetricThreshold] = {}
    if not gate.bars:
        thresholds["errata/check/any"] = MetricThreshold(  # type: ignore[no-untyped-call]
            threshold=0.0, greater_is_better=True
        )
    metrics: dict[str, float] = {}
    for bar in gate.bars:
        name, least = f"errata/check/{bar.name}", bar.bound == "at least"
        thresholds[name] = MetricThreshold(  # type: ignore[no-untyped-call]
            threshold=bar.limit, greater_is_better=least
        )
        if bar.measured is not None:
            best, worst = (bar.measured.high, bar.measured.low) if least else (bar.measured.low, bar.measured.high)
            metrics[name] = best if gate.unsure == "pass" else worst
    return thresholds, EvaluationResult(metrics, {}, gate.run)  # type: ignore[no-untyped-call]
