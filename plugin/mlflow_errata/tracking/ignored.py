"""Findings that an experiment ignores, each with its reason: kept as a tag, shown wherever the finding is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlflow_errata.diagnoses._codes import CODES
from mlflow_errata.errors import OptionUnknown
from mlflow_errata.errors.stored import ReasonMissing
from mlflow_errata.tracking.experiments import experiment_named
from mlflow_errata.tracking.workspaces import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.entities import Experiment

TAG = "errata.ignored"


def ignore(experiment: str, code: str, reason: str | None, *, tracking_uri: str | None = None) -> None:
    """Take a finding for settled in all runs of an experiment; the app and loaded records show it with the reason.

    Nothing is hidden: the diagnosis is made as before, and its verdict reads "ignored" and why.

    Parameters
    ----------
    experiment : str, its name
    code : str, "ERR101" ...
    reason : str, a sentence; None to heed the finding again
    tracking_uri : str

    Raises
    ------
    OptionUnknown, ReasonMissing, ExperimentMissing
    """
    if code not in CODES:
        raise OptionUnknown("code", code, CODES)
    if reason is not None and not reason.strip():
        raise ReasonMissing(code)
    with client_of(tracking_uri) as client:
        found = experiment_named(client, experiment)
        kept = ignored_by(found) | {code: reason}
        told = {name: why for name, why in sorted(kept.items()) if why is not None}
        client.set_experiment_tag(found.experiment_id, TAG, json.dumps(told))


def ignored(experiment: str, *, tracking_uri: str | None = None) -> dict[str, str]:
    """Codes that an experiment ignores, with the reasons.

    Raises
    ------
    ExperimentMissing
    """
    with client_of(tracking_uri) as client:
        return ignored_by(experiment_named(client, experiment))


def ignored_by(experiment: Experiment) -> dict[str, str]:
    """The same from an experiment at hand."""
    tags: Mapping[str, str] = experiment.tags
    return {str(code): str(reason) for code, reason in json.loads(tags.get(TAG, "{}")).items()}
