"""From what MLflow hands an evaluator to `diagnose`, and back."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from functools import partial
from typing import Any

import pandas as pd

from mlflow_errata._diagnose import diagnose
from mlflow_errata.errors import InputError, OptionUnknown, OutputMissing, ValuesRefused
from mlflow_errata.errors.stored import TrackingError
from mlflow_errata.model import features_of
from mlflow_errata.tracking.payload import metrics
from mlflow_errata.tracking.slices import diagnosed_with_slices
from mlflow_errata.tracking.store import log

ARGUMENTS = (
    "scores",
    "features",
    "time",
    "id",
    "group",
    "weight",
    "quantiles",
    "windows",
    "value",
    "slice_by",
    "named_slices",
    "train",
    "metric",
    "objectives",
    "task",
    "before",
    "budget",
    "permutations",
    "random_state",
)
"""Arguments of `diagnose` that the configuration may hold; MLflow hands over other evaluators' keys too."""
TOLD_TO_MLFLOW = {"label": "targets=", "prediction": "predictions=", "model": "model="}
NEAR = 0.75
"""Likeness from which a key that is not known is taken for a typing error, and not for another evaluator's."""
PREDICTION = "errata.given_prediction"


def diagnose_evaluation(
    model_type: str,
    dataset: Any,
    run_id: str,
    config: dict[str, Any],
    *,
    model: Any,
    model_id: str | None,
    strict: bool,
) -> dict[str, float]:
    """Diagnose an evaluation dataset, log the record, and return its metrics for MLflow to log.

    Raises
    ------
    ErrataError
        For whatever cannot be diagnosed.
    """
    _check_keys(config, strict=strict)
    frame, label, seen = _frame(dataset)
    roles = dict(getattr(getattr(dataset, "errata", None), "roles", {}))
    options: dict[str, Any] = roles | {name: config[name] for name in ARGUMENTS if name in config}
    frame = _with_columns(frame, config.get("metadata"), options)
    if model_type == "regressor":
        options.setdefault("task", "regression")
    if model is not None:
        options |= {"model": model}
        told = features_of(model)
        if told is None or not {*told} <= {*seen}:
            options.setdefault("features", seen)
    elif dataset.predictions_data is not None:
        options["prediction"] = _with_prediction(frame, dataset)
    elif "scores" not in options:
        raise OutputMissing("pass a model or predictions= to mlflow.models.evaluate, or scores= in evaluator_config")
    ask = diagnose if "named_slices" in options else partial(diagnosed_with_slices, run_id)
    record = ask(frame, label=label, **options)
    folder = log(record, run_id=run_id, dataset=dataset.name or "evaluation", strict=strict)
    if folder is None:
        raise TrackingError("the record was not logged")
    return metrics(record) if model_id is not None else {}


def _check_keys(config: dict[str, Any], *, strict: bool) -> None:
    """Warn of keys that are meant for errata and that it does not take."""
    known = [*ARGUMENTS, "metadata", "strict"]
    for key in (str(key) for key in config if key not in known):
        if key in TOLD_TO_MLFLOW:
            remedy = f"Pass {TOLD_TO_MLFLOW[key]} to mlflow.models.evaluate."
            error: InputError = ValuesRefused("evaluator_config", key, "is no key of errata", remedy)
        elif get_close_matches(key, known, 1, NEAR):
            error = OptionUnknown("evaluator_config", key, known)
        else:
            continue
        if strict:
            raise error
        warnings.warn(f"{error} The key is ignored.", RuntimeWarning, stacklevel=2)


def _frame(dataset: Any) -> tuple[pd.DataFrame, str, list[str]]:
    """All rows with the label, the label's name, and the columns that the model sees."""
    features = dataset.features_data
    if not isinstance(features, pd.DataFrame):
        features = pd.DataFrame(features, columns=dataset.feature_names)
    label = dataset.targets_name or "label"
    whole = getattr(dataset, "errata", None)
    frame = (features if whole is None else whole.whole).copy(deep=False)
    frame[label] = dataset.labels_data
    return frame, label, [str(name) for name in features.columns]


def _with_columns(frame: pd.DataFrame, metadata: pd.DataFrame | None, options: dict[str, Any]) -> pd.DataFrame:
    """The frame with metadata beside it, and with roles that were given as arrays as columns."""
    if metadata is not None:
        _check_length("metadata", metadata, frame)
        new = metadata[[name for name in metadata.columns if name not in frame.columns]]
        frame = pd.concat([frame, new.set_axis(frame.index)], axis=1)
    for role in ("time", "id", "group", "weight"):
        given = options.get(role)
        if given is not None and not isinstance(given, str):
            _check_length(role, given, frame)
            values = pd.Series(getattr(given, "array", given), index=frame.index)
            name = str(getattr(given, "name", None) or f"errata.given_{role}")
            if name in frame.columns and not frame[name].equals(values):  # what is computed from a column has its name
                name = f"errata.given_{role}"
            frame = frame.assign(**{name: values})
            options[role] = name
    return frame


def _check_length(role: str, given: Any, frame: pd.DataFrame) -> None:
    if len(given) != len(frame):
        raise ValuesRefused(role, "(array)", f"has {len(given)} rows", f"The evaluation data has {len(frame)}.")


def _with_prediction(frame: pd.DataFrame, dataset: Any) -> str:
    """The column of stored predictions."""
    name = str(dataset.predictions_name or PREDICTION)
    frame[name] = dataset.predictions_data
    return name
