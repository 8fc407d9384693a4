"""Named slices of an experiment: kept as a tag, measured in every later evaluation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient

from mlflow_errata._diagnose import diagnose
from mlflow_errata.diagnoses._named import NamedSlice, wanted_slices
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.errors import InputError
from mlflow_errata.tracking.experiments import experiment_named
from mlflow_errata.tracking.workspaces import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mlflow_errata.record import Record

TAG = "errata.slices"


def save_slices(
    experiment: str, named_slices: Mapping[str, str | tuple[str, float]], *, tracking_uri: str | None = None
) -> None:
    """Keep named slices with an experiment, in place of those that it has.

    Evaluations of the experiment through `mlflow.models.evaluate` and `errata.autolog` measure them where their columns
    are there; from training code pass `errata.diagnose(..., named_slices=errata.load_slices("..."))`.

    Parameters
    ----------
    experiment : str, its name
    named_slices : dict name -> expression, or (expression, acceptance bar on the error)
    tracking_uri : str

    Raises
    ------
    ExpressionUnreadable, ValuesRefused, ExperimentMissing
    """
    wanted_slices(named_slices)
    with client_of(tracking_uri) as client:
        found = experiment_named(client, experiment)
        client.set_experiment_tag(found.experiment_id, TAG, json.dumps(dict(named_slices)))


def load_slices(experiment: str, *, tracking_uri: str | None = None) -> dict[str, str | tuple[str, float]]:
    """The named slices that an experiment keeps; empty if it keeps none.

    Raises
    ------
    ExperimentMissing
    """
    with client_of(tracking_uri) as client:
        return _read(experiment_named(client, experiment).tags)


def diagnosed_with_slices(run_id: str, frame: pd.DataFrame, **options: Any) -> Record:
    """Diagnose with the named slices of the experiment that a run belongs to.

    Those that this frame cannot be asked for, for want of a column, stand in the record with the reason.
    """
    client = MlflowClient()
    kept = _read(client.get_experiment(client.get_run(run_id).info.experiment_id).tags)
    order, left_out = list(kept), []
    for wanted in wanted_slices(kept):
        name, predicates, at_most = wanted
        try:
            for predicate in predicates:
                predicate.mask(frame)
        except InputError as reason:
            left_out.append(NamedSlice(name, predicates, 0, None, None, None, at_most, reason=str(reason)))
            del kept[name]
    record = diagnose(frame, named_slices=kept, **options)
    found = record.results.get("slice_errors")
    if isinstance(found, SliceErrors) and left_out:
        named = sorted((*found.named, *left_out), key=lambda item: order.index(item.name))
        record = replace(record, results={**record.results, "slice_errors": replace(found, named=tuple(named))})
    return record


def _read(tags: Mapping[str, str]) -> dict[str, str | tuple[str, float]]:
    kept = json.loads(tags.get(TAG, "{}"))
    return {name: told if isinstance(told, str) else (told[0], told[1]) for name, told in kept.items()}
