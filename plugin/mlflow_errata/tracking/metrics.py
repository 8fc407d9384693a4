"""Metrics over the runs of an experiment: beside the declared value, and beside a business figure that runs log."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata._compare_metrics import (
    BusinessAgreement,
    MetricComparison,
    agreement_with_business,
    compare_metrics,
)
from mlflow_errata.errors import NotApplicable
from mlflow_errata.tracking.experiments import experiment_named
from mlflow_errata.tracking.search import load_shown, reading
from mlflow_errata.tracking.workspaces import client_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from mlflow_errata.tracking.search import RunRow

TAG = "errata.business_metric"
MOST_COMPARED = 40
"""Newest runs whose records are read."""
MOST_RUNS = 1000
"""Newest runs whose logged figures are read."""


@dataclass(frozen=True)
class Business:
    """A business figure of an experiment and how metrics go with it.

    Parameters
    ----------
    name : str, of the figure
    agreements : tuple of BusinessAgreement, closest first
    """

    name: str
    agreements: tuple[BusinessAgreement, ...]


def business_metric(
    experiment: str, name: str, *, greater_is_better: bool = True, tracking_uri: str | None = None
) -> None:
    """Name a figure that runs of an experiment log, revenue or purchase rate, as the one that metrics have to serve.

    Parameters
    ----------
    experiment : str, its name
    name : str, as in mlflow.log_metric(name, ...)
    greater_is_better : bool
    tracking_uri : str

    Raises
    ------
    ExperimentMissing
    """
    told = json.dumps({"name": name, "greater_is_better": greater_is_better})
    with client_of(tracking_uri) as client:
        client.set_experiment_tag(experiment_named(client, experiment).experiment_id, TAG, told)


def business(experiment_id: str, *, tracking_uri: str | None = None) -> Business | None:
    """How metrics go with the business figure of an experiment, over its runs; None where none was named.

    Raises
    ------
    StoreUnreachable
    """

    def read(client: MlflowClient) -> Business | None:
        told = client.get_experiment(experiment_id).tags.get(TAG)
        if told is None:
            return None
        named = json.loads(told)
        runs = client.search_runs([experiment_id], max_results=MOST_RUNS, order_by=["attributes.start_time DESC"])
        figures = {name: run.data.metrics for name, run in _named(runs)}
        agreements = agreement_with_business(
            figures, str(named["name"]), greater_is_better=bool(named["greater_is_better"])
        )
        return Business(str(named["name"]), agreements)

    return reading(tracking_uri, read)


def metric_comparison(rows: Sequence[RunRow], *, tracking_uri: str | None = None) -> MetricComparison:
    """Runs of an experiment ranked by their metric, by others and by the declared value.

    Reads the records of the newest runs on the evaluation rows that most of them share.

    Raises
    ------
    NotApplicable
        With fewer than three runs that were diagnosed with the same rows and a value.
    StoreUnreachable, RecordBroken, RecordTooNew
    """
    judged = [row for row in rows if not row.failed and "metric_mismatch" in row.verdicts][:MOST_COMPARED]
    if not judged:
        raise NotApplicable("needs runs that were diagnosed with value=...; there is none")
    digest = Counter(row.digest for row in judged).most_common(1)[0][0]
    names = _unique((row.name, row.run_id) for row in judged)
    return compare_metrics(
        {
            name: load_shown(row.run_id, tracking_uri=tracking_uri)
            for name, row in zip(names, judged, strict=True)
            if row.digest == digest
        }
    )


def _named(runs: Iterable[Run]) -> list[tuple[str, Run]]:
    kept = list(runs)
    return list(zip(_unique((run.info.run_name, run.info.run_id) for run in kept), kept, strict=True))


def _unique(named: Iterable[tuple[str, str]]) -> list[str]:
    """Names of runs, with the start of the id where several have the same."""
    told = list(named)
    times = Counter(name for name, _ in told)
    return [name if times[name] == 1 else f"{name} {run_id[:8]}" for name, run_id in told]
