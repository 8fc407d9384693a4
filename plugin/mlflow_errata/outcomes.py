"""Outcomes from columns: labels, predictions and scores of any dtype brought to one form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import finite, numbers, ordered, plain_values, row_hashes, times, weights
from mlflow_errata.errors import ModelFailed, OutputShapeWrong, ValuesRefused
from mlflow_errata.metric import Label, Outcomes, Task
from mlflow_errata.model import Output, ask
from mlflow_errata.multilabel import outcomes_of_labels, stored_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.roles import Roles

MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are a quantity, unless a model or scores say otherwise."""
TWO = 2
"""Classes of a binary task."""


@dataclass(frozen=True)
class Unlabelled:
    """Rows whose label has not come yet, oldest first: when they were, and what the model says of them.

    Parameters
    ----------
    times : datetime64[us] or float array of shape (n,), none missing
    prediction : int array of shape (n,), positions in the classes of the labelled rows
    scores : float array of shape (n, n_classes)
    weight : float array of shape (n,), or None for equal weights
    """

    times: NDArray[Any] = field(repr=False)
    prediction: NDArray[np.intp] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    weight: NDArray[np.float64] | None = field(repr=False)

    def __len__(self) -> int:
        return len(self.times)


def stored_output(frame: pd.DataFrame, roles: Roles) -> Output:
    """Model output that stands in columns.

    Raises
    ------
    ValuesRefused
    """
    if roles.labels:
        return stored_labels(frame, roles)
    missing = 0 if roles.prediction is None else int(frame[roles.prediction].isna().sum())
    if missing:
        raise ValuesRefused(
            "prediction", roles.prediction, f"is missing in {missing} rows", "Drop these rows or predict them."
        )
    return output_with_gaps(frame, roles)


def output_with_gaps(frame: pd.DataFrame, roles: Roles) -> Output:
    """Model output that stands in columns, missing values left in.

    Raises
    ------
    ValuesRefused
    """
    scores = np.column_stack([numbers(frame, "scores", name) for name in roles.scores]) if roles.scores else None
    said = None if roles.prediction is None else plain_values(frame[roles.prediction])
    return Output(said, scores, roles.score_classes)


def outcomes_of(frame: pd.DataFrame, roles: Roles, output: Output, task: Task | None) -> Outcomes:
    """Label beside output for each row.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns) whose label is never missing
    output : Output of n_rows
    task : Task, or None to infer it

    Raises
    ------
    ValuesRefused, OutputShapeWrong
    """
    if roles.labels:
        return outcomes_of_labels(frame, roles, output)
    given = plain_values(frame[roles.label])
    if task in {None, "binary"} and roles.prediction is None and _whole(given):
        output = _as_probabilities(output, len(pd.unique(pd.Series(given))))
    weight = None if roles.weight is None else weights(frame, roles.weight)
    decided = task or infer_task(given, output)
    if decided != "regression":
        return _classified(decided, given, output, roles, weight)
    if output.prediction is None:
        raise ValuesRefused("scores", list(roles.scores), "has a regression label", "Name the column with prediction=.")
    y = finite(given, "label", roles.label)
    prediction = finite(output.prediction, "prediction", roles.prediction)
    return Outcomes("regression", (), y, prediction, None, weight)


def quantiles_of(frame: pd.DataFrame, roles: Roles, task: Task) -> NDArray[np.float64]:
    """Predicted quantiles, by level; shape (n_rows, n_levels).

    Raises
    ------
    ValuesRefused
    """
    named = list(roles.quantiles)
    if task != "regression":
        raise ValuesRefused("quantiles", named, f"are given for a {task} task", "They are for regression.")
    return np.column_stack([finite(numbers(frame, "quantiles", name), "quantiles", name) for name in named])


def unlabelled_of(
    frame: pd.DataFrame, roles: Roles, model: object, features: Sequence[str], labelled: Outcomes
) -> Unlabelled | None:
    """What can be used of the rows without a label, which are a bonus: what cannot be used of them is no error.

    Used are rows with a time, scores and a decision.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
    roles : Roles
    model : what is asked, or None where its output stands in columns
    features : columns that the model sees
    labelled : Outcomes of the labelled rows
    """
    if roles.time is None or labelled.scores is None or roles.labels:
        return None
    rest = frame.loc[frame[roles.label].isna()]
    if len(rest) == 0:
        return None
    try:
        output = output_with_gaps(rest, roles) if model is None else ask(model, rest, features)
    except ModelFailed:
        return None
    if labelled.task == "binary" and model is not None:
        output = _as_probabilities(output, len(labelled.classes))
    return _usable(rest, roles, output, labelled)


def _usable(frame: pd.DataFrame, roles: Roles, output: Output, labelled: Outcomes) -> Unlabelled | None:
    """The rows that have a time, scores and a decision, oldest first; None without any."""
    if roles.time is None or output.scores is None or frame[roles.time].isna().all():
        return None
    when = times(frame[roles.time], roles.time)
    usable = ~pd.isna(when) & np.isfinite(output.scores).all(axis=1)
    position = {value: at for at, value in enumerate(labelled.classes)}
    if output.prediction is not None:
        usable &= np.array(
            [not pd.isna(value) and _label(value) in position for value in output.prediction], dtype=bool
        )
    weight = None if roles.weight is None else numbers(frame, "weight", roles.weight)
    if weight is not None:
        usable &= weight > 0
    rows = np.flatnonzero(usable)
    if len(rows) == 0:
        return None
    rows = rows[ordered(when[rows], row_hashes(frame.iloc[rows], {}))]
    scores = _score_matrix(output.scores[rows], labelled.classes, output.classes, roles.scores)
    said = output.prediction
    return Unlabelled(
        times=when[rows],
        prediction=_decided(scores, labelled.task, roles.scores) if said is None else _positions(said[rows], position),
        scores=scores,
        weight=None if weight is None else weight[rows],
    )


def _as_probabilities(output: Output, n_labels: int) -> Output:
    """What a model says of two classes by one number from 0 to 1, such as a sigmoid, as the scores of both."""
    said = output.prediction
    if said is None or output.scores is not None or output.classes is not None or n_labels > TWO:
        return output
    if said.dtype.kind != "f" or _whole(said) or not ((said >= 0) & (said <= 1)).all():
        return output
    chance = said.astype(np.float64)
    return Output(None, np.column_stack([1 - chance, chance]), None)


def infer_task(given: NDArray[Any], output: Output) -> Task:
    """Text and booleans are classes; so are whole numbers when they are few, or when the model or its scores say so."""
    n_scores = 0 if output.scores is None else output.scores.shape[1]
    distinct = set(pd.unique(pd.Series(given)))
    said = set() if output.prediction is None else set(pd.unique(pd.Series(output.prediction)))
    told = output.scores is not None or output.classes is not None
    few = told or len(distinct) <= TWO or (_whole(output.prediction) and len(distinct) <= MOST_CLASSES)
    if given.dtype.kind in "iuf" and not (_whole(given) and few):
        return "regression"
    return "binary" if n_scores <= TWO and len(distinct | said) <= TWO else "multiclass"


def _whole(values: NDArray[Any] | None) -> bool:
    return values is None or values.dtype.kind != "f" or bool(np.all(values == np.floor(values)))


def _classified(
    task: Task, given: NDArray[Any], output: Output, roles: Roles, weight: NDArray[np.float64] | None
) -> Outcomes:
    classes = _classes(_distinct(given, "label", roles.label), output, roles, task)
    if task == "binary" and len(classes) > TWO:
        raise ValuesRefused(
            "label",
            roles.label,
            f"and the predictions have {len(classes)} classes: {list(classes)[:8]}",
            'Pass task="multiclass".',
        )
    scores = None if output.scores is None else _score_matrix(output.scores, classes, output.classes, roles.scores)
    position = {value: at for at, value in enumerate(classes)}
    y = _positions(given, position)
    if output.prediction is not None:
        return Outcomes(task, classes, y, _positions(output.prediction, position), scores, weight)
    return Outcomes(task, classes, y, _decided(scores, task, roles.scores), scores, weight)


def _classes(seen: list[Label], output: Output, roles: Roles, task: Task) -> tuple[Label, ...]:
    """Classes of labels, predictions and score columns, sorted."""
    where = roles.prediction or "the model's output"
    said = [] if output.prediction is None else _distinct(output.prediction, "prediction", where)
    known = [_label(value) for value in output.classes or ()]
    words = [isinstance(value, str) for value in [*seen, *said, *known]]
    if any(words) and not all(words):
        raise ValuesRefused(
            "prediction" if said else "scores",
            roles.prediction or list(roles.scores) or "the model",
            f"has classes {(said or known)[:4]} where label={roles.label!r} has {seen[:4]}",
            "Make both text or both numbers.",
        )
    union: list[Any] = sorted({*seen, *said, *known})
    if task == "binary" and union in ([0], [1]):
        union = [False, True] if isinstance(union[0], bool) else [0, 1]
    return tuple(union)


def _score_matrix(
    scores: NDArray[np.float64], classes: tuple[Label, ...], told: Sequence[Any] | None, columns: Sequence[str]
) -> NDArray[np.float64]:
    """Scores as (n_rows, n_classes), the columns in the order of the classes.

    Parameters
    ----------
    scores : float array of shape (n_rows, n_columns)
    classes : tuple of labels
    told : the class of each column, or None: the positive class, or every class in order
        One class of two leaves the rest to the other. Classes that a model never learned score 0.
    columns : names of the columns, empty for the output of a model
    """
    bad = int((~np.isfinite(scores)).any(axis=1).sum())
    if bad:
        where = list(columns) or "the model's output"
        raise ValuesRefused("scores", where, f"is missing or infinite in {bad} rows", "Drop these rows or score them.")
    known = classes[-scores.shape[1] :] if told is None else tuple(_label(value) for value in told)
    one_of_two = len(known) == 1 and len(classes) == TWO
    whole = one_of_two or len(known) == len(classes) > 1
    if len(known) != scores.shape[1] or (told is None and not whole):
        raise OutputShapeWrong("scores", scores.shape, f"one column for each of {len(classes)} classes: {classes}")
    if columns and not whole:
        unnamed = [value for value in classes if value not in known]
        why = f"names no column for the class {unnamed[0]!r}" if unnamed else f"names the class {known[0]!r} alone"
        raise ValuesRefused(
            "scores", list(columns), why, "Name one for every class, of zeros where the model never learned it."
        )
    found = np.zeros((len(scores), len(classes)))
    if one_of_two:
        found += 1 - scores
    found[:, [classes.index(value) for value in known]] = scores
    return found


def _decided(scores: NDArray[np.float64] | None, task: Task, columns: Sequence[str]) -> NDArray[np.intp]:
    """Decisions from probabilities: 0.5 for two classes, the largest for many."""
    if scores is None or scores.min() < 0 or scores.max() > 1:
        low, high = (0.0, 0.0) if scores is None else (scores[:, -1].min(), scores[:, -1].max())
        raise ValuesRefused(
            "scores",
            list(columns) or "the model's output",
            f"lies in [{low:.4g}, {high:.4g}], which are no probabilities",
            "Name the column of predicted labels with prediction=.",
        )
    return np.asarray(scores[:, 1] >= 1 / TWO if task == "binary" else scores.argmax(axis=1), dtype=np.intp)


def _label(value: Any) -> Label:
    """A Python str, int, float or bool; whole floats become int."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def _distinct(values: NDArray[Any], role: str, column: object) -> list[Label]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ValuesRefused(role, column, f"is missing or infinite in {bad} rows", "Drop these rows.")
    found = [_label(value) for value in pd.unique(pd.Series(values, dtype=values.dtype))]
    fractions = [value for value in found if isinstance(value, float)]
    if role == "prediction" and fractions:
        remedy = 'Pass probabilities as scores=, or as the output of the model, or task="regression".'
        raise ValuesRefused(role, column, f"holds fractions ({fractions[0]:.4g}, ...), not labels", remedy)
    return list(dict.fromkeys(found))


def _positions(values: NDArray[Any], position: Mapping[Label, int]) -> NDArray[np.intp]:
    codes, distinct = pd.factorize(pd.Series(values, dtype=values.dtype))
    table = np.array([position[_label(value)] for value in distinct], dtype=np.intp)
    return np.asarray(table[codes], dtype=np.intp)
