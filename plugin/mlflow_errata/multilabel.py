"""Multilabel outcomes from columns: several labels of 0, 1 or not known, beside what a model says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import numbers, plain_values, weights
from mlflow_errata.errors import ValuesRefused
from mlflow_errata.metric import UNKNOWN, Outcomes
from mlflow_errata.model import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.roles import Roles

THRESHOLD = 0.5
"""Score from which a label is predicted where no prediction is given."""


def labels_of(frame: pd.DataFrame, columns: tuple[str, ...], role: str = "label") -> NDArray[np.intp]:
    """Columns of 0, 1, false, true as whole numbers; UNKNOWN where missing.

    Returns
    -------
    int array of shape (n_rows, n_columns)

    Raises
    ------
    ValuesRefused
        For the first column that holds anything else.
    """
    return np.column_stack([_zero_one(frame[name], name, role) for name in columns])


def _zero_one(column: pd.Series[Any], name: str, role: str) -> NDArray[np.intp]:
    values = plain_values(column)
    missing = np.asarray(pd.isna(values), dtype=bool)
    known = values[~missing]
    odd = next((value for value in pd.unique(pd.Series(known)) if not _is_zero_one(value)), None)
    if odd is not None:
        raise ValuesRefused(
            role,
            name,
            f"holds values such as {odd!r} where a label is 1 (holds), 0 (does not) or missing (not known)",
            "Write 0 and 1, or name one column of classes as label='...'.",
        )
    found = np.full(len(values), UNKNOWN, dtype=np.intp)
    found[~missing] = known.astype(np.intp)
    return found


def _is_zero_one(value: object) -> bool:
    return isinstance(value, bool | int | float | np.bool_ | np.number) and value in (0, 1)


def stored_labels(frame: pd.DataFrame, roles: Roles) -> Output:
    """What a model says of every label, from columns.

    Raises
    ------
    ValuesRefused
    """
    scores = np.column_stack([numbers(frame, "scores", name) for name in roles.scores]) if roles.scores else None
    return Output(labels_of(frame, roles.predictions, "prediction") if roles.predictions else None, scores, None)


def outcomes_of_labels(frame: pd.DataFrame, roles: Roles, output: Output) -> Outcomes:
    """Labels beside output for each row.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns); every row has a label that is known
    output : Output of n_rows and all labels; without predictions a label is predicted from a score of 0.5 on

    Raises
    ------
    ValuesRefused
    """
    scores, said = output.scores, output.prediction
    if scores is not None:
        _refuse_gaps("scores", roles.scores, ~np.isfinite(scores))
    if said is None:
        if scores is None or scores.min() < 0 or scores.max() > 1:
            raise ValuesRefused(
                "scores", list(roles.scores) or "the model's output", "are no probabilities", "Pass prediction=, too."
            )
        said = scores >= THRESHOLD
    elif roles.predictions:
        _refuse_gaps("prediction", roles.predictions, said == UNKNOWN)
    elif not np.isin(said, (0, 1)).all():
        raise ValuesRefused("prediction", "the model's output", "holds more than 0 and 1", "Predict 0 or 1 per label.")
    return Outcomes(
        "multilabel",
        roles.labels,
        labels_of(frame, roles.labels),
        np.asarray(said, dtype=np.intp),
        scores,
        None if roles.weight is None else weights(frame, roles.weight),
    )


def _refuse_gaps(role: str, columns: tuple[str, ...], missing: NDArray[np.bool_]) -> None:
    if missing.any():
        at = int(missing.any(axis=0).argmax())
        where = columns[at] if columns else "the model's output"
        n = int(missing[:, at].sum())
        raise ValuesRefused(role, where, f"is missing or infinite in {n} rows", "Drop these rows or predict them.")


def as_one_column(labels: NDArray[np.intp]) -> pd.Series[Any]:
    """All labels of a row as one tuple of 1, 0 and None, for what is compared or changed as a whole."""
    known = labels.astype(object)
    known[labels == UNKNOWN] = None
    return pd.Series([tuple(row) for row in known], dtype=object)
