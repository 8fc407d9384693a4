"""Asking a model for its output: fitted estimators, MLflow pyfuncs and plain functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.errors import ColumnMissing, ModelFailed, ModelUnusable, OutputShapeWrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True)
class Output:
    """What a model says about n rows.

    Parameters
    ----------
    prediction : array of shape (n,), labels or numbers; None if the model gives scores only; of several labels an
        array of shape (n, n_labels)
    scores : float array of shape (n, n_classes); None if the model gives labels only; of several labels the
        probability of each, of shape (n, n_labels)
    classes : labels in the order of the score columns; None if the model does not tell
    """

    prediction: NDArray[Any] | None
    scores: NDArray[np.float64] | None
    classes: tuple[Any, ...] | None


def features_of(model: object) -> tuple[str, ...] | None:
    """Columns that a model was trained on: `feature_names_in_` or a pyfunc's signature; None if it does not tell."""
    inner = unwrap(model)
    names = getattr(inner, "feature_names_in_", None)
    if names is not None:
        return tuple(str(name) for name in names)
    metadata = getattr(model, "metadata", None)
    schema = metadata.get_input_schema() if metadata is not None else None
    if schema is None or not schema.has_input_names():
        return None
    return tuple(str(name) for name in schema.input_names())


def unwrap(model: object) -> object:
    """The estimator inside a pyfunc, or the model itself."""
    raw = getattr(model, "get_raw_model", None)
    if raw is None:
        return model
    try:
        inner: object = raw()
    except Exception:  # noqa: BLE001 - a flavour without a raw model is used as a pyfunc
        return model
    return inner if inner is not None else model


def ask(model: object, frame: pd.DataFrame, features: Sequence[str] | None, n_labels: int = 0) -> Output:
    """Predict every row of a frame.

    Parameters
    ----------
    model : fitted estimator, pyfunc, or callable from a DataFrame to an array
        An array of shape (n,) holds predictions, one of shape (n, n_classes) scores.
    frame : DataFrame of shape (n, n_columns)
    features : columns to hand over; None for the whole frame
    n_labels : labels of a multilabel task, whose predictions are of shape (n, n_labels); 0 for other tasks

    Raises
    ------
    ModelUnusable, ColumnMissing, ModelFailed, OutputShapeWrong
    """
    columns = list(frame.columns) if features is None else list(features)
    for column in columns:
        if column not in frame.columns:
            raise ColumnMissing("features", column, list(frame.columns))
    inner = unwrap(model)
    estimator = inner if hasattr(inner, "predict_proba") else model
    if not callable(getattr(estimator, "predict", None)) and not callable(estimator):
        raise ModelUnusable(model)
    rows = frame[columns]
    try:
        return _output_of_labels(estimator, rows, n_labels) if n_labels else _output(estimator, rows)
    except OutputShapeWrong:
        raise
    except Exception as cause:
        raise ModelFailed(columns, cause) from cause


def _output(estimator: Any, rows: pd.DataFrame) -> Output:
    n = len(rows)
    classes = getattr(estimator, "classes_", None)
    known = None if classes is None else tuple(np.asarray(classes).tolist())
    if known is not None and hasattr(estimator, "predict_proba"):
        scores = np.asarray(estimator.predict_proba(rows), dtype=np.float64)
        if scores.shape != (n, len(known)):
            raise OutputShapeWrong("predict_proba", scores.shape, f"({n}, {len(known)})")
        return Output(np.asarray(estimator.predict(rows)), scores, known)
    said = estimator.predict(rows) if hasattr(estimator, "predict") else estimator(rows)
    found = np.asarray(said)
    if found.ndim == 2 and found.shape[1] == 1:  # noqa: PLR2004 - a column is a vector
        found = found[:, 0]
    if found.shape == (n,):
        return Output(found, None, known)
    if found.ndim == 2 and len(found) == n:  # noqa: PLR2004 - one column per class
        return Output(None, found.astype(np.float64), known)
    raise OutputShapeWrong("the model's output", found.shape, f"({n},) or ({n}, n_classes)")


def _output_of_labels(estimator: Any, rows: pd.DataFrame, n_labels: int) -> Output:
    """Predictions of several labels, and their probabilities if the model tells; zeros and ones are predictions."""
    shape = (len(rows), n_labels)
    scores = None
    if hasattr(estimator, "predict_proba"):
        scores = _probabilities(estimator.predict_proba(rows), getattr(estimator, "classes_", None))
        if scores.shape != shape:
            raise OutputShapeWrong("predict_proba", scores.shape, f"{shape}, or a list of {n_labels} arrays")
    said = estimator.predict(rows) if hasattr(estimator, "predict") else estimator(rows)
    found = np.asarray(said.toarray() if hasattr(said, "toarray") else said, dtype=np.float64)
    found = found.reshape(shape) if found.shape == (len(rows),) and n_labels == 1 else found
    if found.shape != shape:
        raise OutputShapeWrong("the model's output", found.shape, f"{shape}, one column for each label")
    if scores is None and not np.isin(found, (0, 1)).all():
        return Output(None, found, None)
    return Output(found, scores, None)


def _probabilities(said: Any, classes: Any) -> NDArray[np.float64]:
    """The probability that each label holds, from an array, or from a list of arrays by class, one for each label."""
    if not isinstance(said, list):
        return np.asarray(said, dtype=np.float64)
    columns = []
    for at, part in enumerate(said):
        by_class = np.asarray(part, dtype=np.float64)
        known = [0, 1] if classes is None or by_class.shape[1] == 2 else list(classes[at])  # noqa: PLR2004
        columns.append(by_class[:, known.index(1)] if 1 in known else np.zeros(len(by_class)))
    return np.column_stack(columns)
