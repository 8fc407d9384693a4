"""Retrain on recent: move the prior, fit again with the newest rows, or on them alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses.framing import NAME as FRAMING
from mlflow_errata.diagnoses.framing import Framing
from mlflow_errata.diagnoses.recency_drift import NAME as RECENCY_DRIFT
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "retrain_recent"


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Refit on everything up to now where the newest rows are served worse, or have classes that the model lacks."""
    found, framed = results.get(RECENCY_DRIFT), results.get(FRAMING)
    because = (RECENCY_DRIFT,) if found is not None and found.found else ()
    if isinstance(framed, Framing) and "arrivals" in framed.alarms:
        because = (*because, FRAMING)
    return (NextStep(KIND, {"since": None}, because, Cost(labels=0, rows=0)),) if because else ()


def apply(
    train: TrainingSet,
    *,
    since: Any = None,
    last: float | None = None,
    half_life: float | None = None,
    **decision: Any,  # noqa: ARG001 - where decisions fall
) -> TrainingSet:
    """Keep the newest rows, or let old ones count less.

    Parameters
    ----------
    train : TrainingSet with times, the newer rows among them; rows without a time count as the oldest
    since : first moment to keep; None keeps everything
    last : float, length of the window to keep, back from the newest row: seconds for dates, else in the column's unit
    half_life : float, in the same unit: a row this much older than the newest counts half
    decision : where decisions fall, which changes no row: an offset, the shift of the log-odds instead of a refit on
        other rows, and what earlier steps chose
    """
    if train.time is None:
        return train
    age = age_of(train.time)
    if half_life is not None:
        fade = 0.5 ** (np.where(np.isnan(age), np.nanmax(age), age) / half_life)
        fade /= fade.mean()
        return replace(train, weight=fade if train.weight is None else train.weight * fade)
    if last is not None:
        return train.take(np.flatnonzero(age <= last))
    if since is not None:
        start = np.datetime64(since) if train.time.dtype.kind == "M" else since
        return train.take(np.flatnonzero(train.time >= start))
    return train


def uses_newer(params: Mapping[str, Any]) -> bool:
    """Whether the step fits on the rows that came after the training set."""
    return params.get("offset") is None


def shift_of(params: Mapping[str, Any]) -> float:
    """What the step adds to the log-odds of the positive class."""
    return float(params.get("offset") or 0.0)


def age_of(time: NDArray[Any]) -> NDArray[np.float64]:
    """Age of each row against the newest: seconds for dates, else in the unit of the times; NaN if not known."""
    if time.dtype.kind != "M":
        return np.asarray(np.nanmax(time) - time, dtype=np.float64)
    known = ~pd.isna(time)
    age = (time[known].max() - time) / np.timedelta64(1, "s")
    return np.where(known, age, np.nan)
