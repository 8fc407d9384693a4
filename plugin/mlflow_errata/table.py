"""The evaluation table: rows and roles. All validation of a user's input happens here."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from mlflow_errata.errors import (
    ColumnMissing,
    ColumnsDuplicated,
    FrameEmpty,
    FrameTypeUnknown,
    OptionUnknown,
    OutputMissing,
    OutputShapeWrong,
    RoleTwice,
    ValuesRefused,
)
from mlflow_errata.metric import Label, Outcomes, Task
from mlflow_errata.model import Output, ask, features_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are a quantity, unless a model or scores say otherwise."""
CONFUSION_CELLS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class EvaluationTable:
    """Rows of an evaluation frame with the roles of its columns, checked.

    Rows stand in an order that depends on their content alone, so nothing computed from the table depends on the
    order in which they arrived.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns), a reordered copy; column names are str, the index is 0 .. n_rows-1
    outcomes : Outcomes, label beside model output for each row
    task_inferred : bool, True if the task was not given
    label, prediction, time, id, weight : names of columns, or None where a role is not filled
    scores : names of score columns, empty if there are none or a model gave them
    features : columns that the model sees
    slice_columns : columns to slice on
    times : datetime64 (UTC if the column had a time zone) or float array of shape (n_rows,), or None; NaT/NaN = unknown
    ids : array of shape (n_rows,): the id column, else the frame's index if unique, else row numbers
    value_lost : float array of shape (n_rows,), or None: business value that each row's decision lost against the
        best decision for that row
    n_unlabelled : rows set aside because their label is missing
    digest : str, sha256 over the content of all rows, whatever their order
    """

    frame: pd.DataFrame = field(repr=False)
    outcomes: Outcomes = field(repr=False)
    task_inferred: bool
    label: str
    prediction: str | None
    scores: tuple[str, ...]
    time: str | None
    id: str | None
    weight: str | None
    features: tuple[str, ...]
    slice_columns: tuple[str, ...]
    times: NDArray[Any] | None = field(repr=False)
    ids: NDArray[Any] = field(repr=False)
    value_lost: NDArray[np.float64] | None = field(repr=False)
    n_unlabelled: int
    digest: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def task(self) -> Task:
        """ "binary", "multiclass" or "regression"."""
        return self.outcomes.task

    @property
    def errors(self) -> NDArray[np.float64]:
        """What each row got wrong: 0 or 1 for classes, the absolute error for regression."""
        return self.outcomes.errors

    @property
    def error_unit(self) -> str:
        """Name of the mean of `errors`."""
        return "mean absolute error" if self.task == "regression" else "error rate"

    @property
    def roles(self) -> dict[str, str | list[str]]:
        """Role -> column for every role that is filled."""
        named: dict[str, str | list[str] | None] = {
            "label": self.label,
            "prediction": self.prediction,
            "scores": list(self.scores) or None,
            "time": self.time,
            "id": self.id,
            "weight": self.weight,
        }
        return {role: column for role, column in named.items() if column is not None}

    @classmethod
    def build(  # noqa: D417 - the parameters are those of `diagnose`
        cls,
        evaluation: object,
        *,
        label: str,
        model: object = None,
        prediction: str | None = None,
        scores: str | Sequence[str] | Mapping[Any, str] | None = None,
        features: Sequence[str] | None = None,
        time: str | None = None,
        id: str | None = None,  # noqa: A002 - the role's name
        weight: str | None = None,
        value: str | Mapping[str, float] | Callable[..., object] | None = None,
        slice_by: Sequence[str] | None = None,
        task: Task | None = None,
    ) -> EvaluationTable:
        """Check a frame and its roles; parameters as in `mlflow_errata.diagnose`.

        Raises
        ------
        InputError
            One error per rejection, naming what was wrong, where, the value and what to do. The frame given is never
            changed.
        """
        frame = as_frame(evaluation, "the evaluation frame")
        names = list(frame.columns)
        score_columns = _score_columns(scores)
        stakes = value if isinstance(value, str) else None
        singles = {"label": label, "prediction": prediction, "time": time, "id": id, "weight": weight, "value": stakes}
        taken = _check_roles(singles, score_columns, names)
        _check_listed("features", features, names)
        _check_listed("slice_by", slice_by, names)
        if task is not None and task not in TASKS:
            raise OptionUnknown("task", task, TASKS)
        if prediction is None and scores is None and model is None:
            raise OutputMissing

        labelled = frame[label].notna().to_numpy()
        if not labelled.any():
            raise FrameEmpty("the evaluation frame", f"has no labelled row (label={label!r} is always missing)")
        n_unlabelled = int((~labelled).sum())
        original_index = frame.index
        frame = frame.loc[labelled].reset_index(drop=True) if n_unlabelled else frame.reset_index(drop=True)

        visible = features if features is not None else (features_of(model) if model is not None else None)
        seen = list(visible) if visible is not None else [name for name in names if name not in taken]
        if prediction is None and scores is None:
            output = ask(model, frame, seen)
        else:
            output = _stored_output(frame, prediction, scores)
        outcomes = _outcomes(frame, label, prediction, score_columns, output, weight, task)
        slice_columns = list(slice_by) if slice_by is not None else [name for name in names if name not in taken]

        hashes = _row_hashes(frame, outcomes)
        order = np.argsort(hashes, kind="stable")
        ids = _ids(frame, id, original_index[labelled])
        times = None if time is None else _times(frame[time], time)
        lost = _value_lost(frame, value, outcomes)
        return cls(
            frame=frame.take(order).reset_index(drop=True),
            outcomes=outcomes.take(order),
            task_inferred=task is None,
            label=label,
            prediction=prediction,
            scores=score_columns,
            time=time,
            id=id,
            weight=weight,
            features=tuple(seen),
            slice_columns=tuple(slice_columns),
            times=None if times is None else times[order],
            ids=ids[order],
            value_lost=None if lost is None else lost[order],
            n_unlabelled=n_unlabelled,
            digest=_digest(hashes[order], names),
        )


# -- frames and roles -------------------------------------------------------------------------------------------------


def as_frame(given: object, what: str) -> pd.DataFrame:
    """A pandas frame with unique str column names that shares no mutable state with the one given.

    Raises
    ------
    FrameTypeUnknown, ColumnsDuplicated, FrameEmpty
    """
    if isinstance(given, pd.DataFrame):
        frame = given.copy(deep=False)
    elif hasattr(given, "to_pandas") and hasattr(given, "columns"):
        columns = getattr(given, "column_names", None) or list(cast("Any", given).columns)
        _refuse_duplicates(what, [str(name) for name in columns])
        frame = cast("pd.DataFrame", given.to_pandas())
    else:
        raise FrameTypeUnknown(what, given)
    names = [str(name) for name in frame.columns]
    _refuse_duplicates(what, names)
    if len(frame) == 0:
        raise FrameEmpty(what, "has no rows")
    frame.columns = pd.Index(names)
    return frame


def _refuse_duplicates(what: str, names: list[str]) -> None:
    copies = sorted({name for name in names if names.count(name) > 1})
    if copies:
        raise ColumnsDuplicated(what, copies)


def _score_columns(scores: str | Sequence[str] | Mapping[Any, str] | None) -> tuple[str, ...]:
    if scores is None:
        return ()
    if isinstance(scores, str):
        return (scores,)
    return tuple(scores.values()) if hasattr(scores, "values") else tuple(scores)


def _check_roles(singles: Mapping[str, str | None], scores: Sequence[str], names: list[str]) -> set[str]:
    """The columns that have a role.

    `prediction` and `scores` may share a column (a number that is both), and the id may be a feature's neighbour, but a
    label is nothing else.
    """
    for role, column in [*singles.items(), *(("scores", column) for column in scores)]:
        if column is not None and column not in names:
            raise ColumnMissing(role, column, names)
    label = singles["label"]
    for role, column in [*list(singles.items())[1:], *(("scores", column) for column in scores)]:
        if column is not None and column == label:
            raise RoleTwice(column, "label", role)
    return {column for column in [*singles.values(), *scores] if column is not None}


def _check_listed(option: str, columns: Sequence[str] | None, names: list[str]) -> None:
    if isinstance(columns, str):
        raise ValuesRefused(option, columns, "is one string", f"Pass a list: {option}=[{columns!r}].")
    for column in columns or ():
        if column not in names:
            raise ColumnMissing(option, column, names)


# -- labels and output ------------------------------------------------------------------------------------------------


def _stored_output(
    frame: pd.DataFrame, prediction: str | None, scores: str | Sequence[str] | Mapping[Any, str] | None
) -> Output:
    columns = _score_columns(scores)
    found = np.column_stack([_numbers(frame, "scores", name) for name in columns]) if columns else None
    classes = tuple(scores) if scores is not None and hasattr(scores, "values") else None
    said = None
    if prediction is not None:
        missing = int(frame[prediction].isna().sum())
        if missing:
            raise ValuesRefused(
                "prediction", prediction, f"is missing in {missing} rows", "Drop these rows or predict them."
            )
        said = _plain_values(frame[prediction])
    return Output(said, found, classes)


def _outcomes(
    frame: pd.DataFrame,
    label: str,
    prediction: str | None,
    score_columns: tuple[str, ...],
    output: Output,
    weight: str | None,
    task: Task | None,
) -> Outcomes:
    given = _plain_values(frame[label])
    decided = task or _infer_task(given, output)
    weights = None if weight is None else _weights(frame, weight)
    if decided == "regression":
        if output.prediction is None:
            raise ValuesRefused(
                "scores", list(score_columns), "was given for a regression task", "Name the column with prediction=."
            )
        y = _finite(given, "label", label)
        return Outcomes("regression", (), y, _finite(output.prediction, "prediction", prediction), None, weights)
    return _classified(decided, given, output, label, prediction, score_columns, weights)


def _classified(
    task: Task,
    given: NDArray[Any],
    output: Output,
    label: str,
    prediction: str | None,
    score_columns: tuple[str, ...],
    weights: NDArray[np.float64] | None,
) -> Outcomes:
    seen = _unique(given, "label", label)
    said = [] if output.prediction is None else _unique(output.prediction, "prediction", prediction)
    classes = _class_order(seen, said, output, task, label, prediction)
    if task == "binary" and len(classes) > 2:  # noqa: PLR2004 - binary means two
        raise ValuesRefused(
            "label", label, f"and the predictions have {len(classes)} classes: {list(classes)[:8]}", 'Pass task="multiclass".'
        )
    scores = None if output.scores is None else _score_matrix(output.scores, classes, score_columns)
    position = {value: at for at, value in enumerate(classes)}
    y = _positions(given, position)
    if output.prediction is not None:
        decided = _positions(output.prediction, position)
    else:
        assert_scores = cast("NDArray[np.float64]", scores)
        if not _are_probabilities(assert_scores):
            raise ValuesRefused(
                "scores",
                list(score_columns),
                f"lies in [{assert_scores.min():.4g}, {assert_scores.max():.4g}], which are no probabilities",
                "Name the column of predicted labels with prediction=.",
            )
        decided = assert_scores[:, 1] >= 0.5 if task == "binary" else assert_scores.argmax(axis=1)  # noqa: PLR2004
    return Outcomes(task, classes, y, np.asarray(decided, dtype=np.intp), scores, weights)


def _class_order(
    seen: list[Label], said: list[Label], output: Output, task: Task, label: str, prediction: str | None
) -> tuple[Label, ...]:
    """Classes in score order: as the model or the dict tells, else sorted."""
    known = [_plain_label(value) for value in output.classes] if output.classes is not None else []
    words = [isinstance(value, str) for value in [*seen, *said, *known]]
    if any(words) and not all(words):
        raise ValuesRefused(
            "prediction" if said else "scores",
            prediction,
            f"has classes {(said or known)[:4]} where label={label!r} has {seen[:4]}",
            "Make both text or both numbers.",
        )
    union = sorted({*seen, *said, *known}, key=lambda value: (value,))
    if task == "binary" and len(union) == 1 and union[0] in (0, 1):
        union = [0, 1] if not isinstance(union[0], bool) else [False, True]
    if output.scores is None or not known:
        return tuple(union)
    return tuple([*known, *(value for value in union if value not in known)])


def _score_matrix(
    scores: NDArray[np.float64], classes: tuple[Label, ...], columns: tuple[str, ...]
) -> NDArray[np.float64]:
    """Scores as (n, n_classes); classes that the model never learned score 0."""
    where = list(columns) or "the model's output"
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).any(axis=1).sum())
        raise ValuesRefused("scores", where, f"is missing or infinite in {bad} rows", "Drop these rows or score them.")
    if scores.shape[1] == 1:
        if len(classes) != 2:  # noqa: PLR2004 - one column scores the positive class of two
            raise OutputShapeWrong("scores", scores.shape, f"one column for each of {len(classes)} classes")
        return np.column_stack([1 - scores[:, 0], scores[:, 0]])
    if scores.shape[1] > len(classes):
        raise OutputShapeWrong("scores", scores.shape, f"one column for each of {len(classes)} classes: {classes}")
    unseen = np.zeros((len(scores), len(classes) - scores.shape[1]))
    return np.hstack([scores, unseen])


def _are_probabilities(scores: NDArray[np.float64]) -> bool:
    return bool(scores.min() >= 0 and scores.max() <= 1)


def _infer_task(given: NDArray[Any], output: Output) -> Task:
    """Text and booleans are classes; whole numbers are classes when few, or when the model or its scores say so."""
    n_scores = 0 if output.scores is None else output.scores.shape[1]
    distinct = pd.unique(pd.Series(given))
    said = distinct if output.prediction is None else pd.unique(pd.Series(output.prediction))
    if given.dtype.kind not in "iuf":
        return "binary" if n_scores <= 2 and len({*distinct, *said}) <= 2 else "multiclass"  # noqa: PLR2004
    whole = bool(np.all(given == np.floor(given)))
    whole_output = output.prediction is None or (
        output.prediction.dtype.kind in "iub" or bool(np.all(output.prediction == np.floor(output.prediction)))
    )
    classified = output.scores is not None or output.classes is not None
    if not whole or (not classified and (not whole_output or len(distinct) > MOST_CLASSES)):
        return "regression"
    return "binary" if n_scores <= 2 and len({*distinct, *said}) <= 2 else "multiclass"  # noqa: PLR2004


# -- values of columns ------------------------------------------------------------------------------------------------


def _plain_values(column: pd.Series[Any]) -> NDArray[Any]:
    """Numbers as an int or float array, everything else as objects."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        whole = pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any()
        return column.to_numpy(dtype=np.int64 if whole else np.float64, na_value=np.nan) if not whole else column.to_numpy(dtype=np.int64)
    return column.to_numpy(dtype=object)


def _plain_label(value: Any) -> Label:
    """A Python str, int, float or bool; whole floats become int."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def _unique(values: NDArray[Any], role: str, column: object) -> list[Label]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ValuesRefused(role, column, f"is missing or infinite in {bad} rows", "Drop these rows.")
    found = [_plain_label(value) for value in pd.unique(pd.Series(values))]
    fractions = [value for value in found if isinstance(value, float)]
    if role == "prediction" and fractions:
        raise ValuesRefused(
            role, column, f"holds fractions ({fractions[0]:.4g}, ...), not labels", "Pass probabilities as scores=."
        )
    return list(dict.fromkeys(found))


def _positions(values: NDArray[Any], position: Mapping[Label, int]) -> NDArray[np.intp]:
    codes, distinct = pd.factorize(pd.Series(values))
    table = np.array([position[_plain_label(value)] for value in distinct], dtype=np.intp)
    return table[codes]


def _numbers(frame: pd.DataFrame, role: str, column: str) -> NDArray[np.float64]:
    """A column as floats, NaN where missing."""
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise ValuesRefused(role, column, f"has dtype {values.dtype}", "Make it numeric.")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _finite(values: NDArray[Any], role: str, column: object) -> NDArray[np.float64]:
    if values.dtype.kind not in "iufb":
        raise ValuesRefused(role, column, f"holds {values.dtype} values", 'Make it numeric or pass task="multiclass".')
    numbers = values.astype(np.float64)
    bad = int((~np.isfinite(numbers)).sum())
    if bad:
        raise ValuesRefused(role, column, f"is missing or infinite in {bad} rows", "Drop these rows.")
    return numbers


def _weights(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    weights = _finite(_numbers(frame, "weight", column), "weight", column)
    if (weights < 0).any():
        raise ValuesRefused("weight", column, f"goes down to {weights.min():.4g}", "Weights must be 0 or more.")
    if not weights.any():
        raise ValuesRefused("weight", column, "is 0 in every row", "Give at least one row a positive weight.")
    return weights


def _times(column: pd.Series[Any], name: str) -> NDArray[Any]:
    """datetime64[us] (UTC where a zone was given) or float; text is parsed as dates."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(numbers).any():
            raise ValuesRefused("time", name, "is infinite in some rows", "Drop these rows.")
        found: NDArray[Any] = numbers
    else:
        try:
            stamps = pd.to_datetime(column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column, utc=True)
        except (ValueError, TypeError) as cause:
            example = next((value for value in column if pd.notna(value)), None)
            raise ValuesRefused(
                "time", name, f"holds values such as {example!r}, which are no dates", "Convert it with pandas.to_datetime."
            ) from cause
        found = stamps.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    if pd.isna(found).all():
        raise ValuesRefused("time", name, "is missing in every row", "Leave time= out or fill the column.")
    return found


def _ids(frame: pd.DataFrame, column: str | None, index: pd.Index[Any]) -> NDArray[Any]:
    if column is None:
        return np.asarray(index) if index.is_unique and index.nlevels == 1 else np.arange(len(frame))
    ids = frame[column]
    if ids.isna().any():
        raise ValuesRefused("id", column, f"is missing in {int(ids.isna().sum())} rows", "Give every row an id.")
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        raise ValuesRefused("id", column, f"is not unique ({twice!r} stands in several rows)", "Name a unique column.")
    return ids.to_numpy()


def _value_lost(
    frame: pd.DataFrame, value: str | Mapping[str, float] | Callable[..., object] | None, outcomes: Outcomes
) -> NDArray[np.float64] | None:
    """Value of the best decision minus value of the decision taken, row by row."""
    if value is None:
        return None
    if isinstance(value, str):
        return np.abs(_finite(_numbers(frame, "value", value), "value", value)) * outcomes.errors
    classes = np.array(outcomes.classes)
    y, taken = (
        (outcomes.y, outcomes.prediction)
        if outcomes.task == "regression"
        else (classes[outcomes.y], classes[outcomes.prediction])
    )
    if callable(value):
        return _finite(np.asarray(value(y, y)), "value", "(callable)") - _finite(
            np.asarray(value(y, taken)), "value", "(callable)"
        )
    unknown = sorted(set(value) - set(CONFUSION_CELLS))
    if unknown:
        raise OptionUnknown("value", unknown[0], CONFUSION_CELLS)
    if outcomes.task != "binary":
        raise ValuesRefused("value", dict(value), f"needs a binary task, not {outcomes.task}", "Pass a callable.")
    cell = {name: float(value.get(name, 0.0)) for name in CONFUSION_CELLS}
    worth = np.array([[cell["tn"], cell["fp"]], [cell["fn"], cell["tp"]]])
    return np.asarray(worth.max(axis=1)[outcomes.y] - worth[outcomes.y, outcomes.prediction], dtype=np.float64)


# -- digest -----------------------------------------------------------------------------------------------------------


def _row_hashes(frame: pd.DataFrame, outcomes: Outcomes) -> NDArray[np.uint64]:
    """One 64-bit hash per row over all columns and the model's output."""
    combined = np.zeros(len(frame), dtype=np.uint64)
    output = {"\0y": outcomes.y, "\0prediction": outcomes.prediction}
    for name, column in [*frame.items(), *((key, pd.Series(values)) for key, values in output.items())]:
        try:
            hashed = pd.util.hash_array(_hashable(column), categorize=True)
        except TypeError:
            hashed = pd.util.hash_array(column.astype(str).to_numpy(dtype=object), categorize=True)
        salt = np.uint64(int.from_bytes(sha256(str(name).encode()).digest()[:8], "little") | 1)
        with np.errstate(over="ignore"):
            combined = (combined ^ (hashed + salt)) * np.uint64(0x9E3779B97F4A7C15)
            combined ^= combined >> np.uint64(29)
    return combined


def _hashable(column: pd.Series[Any]) -> Any:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    return column.array if hasattr(column.array, "_hash_pandas_object") else column.to_numpy()


def _digest(sorted_hashes: NDArray[np.uint64], names: list[str]) -> str:
    found = sha256("\0".join(sorted(names)).encode())
    found.update(sorted_hashes.tobytes())
    return found.hexdigest()
