"""The evaluation table: rows and roles, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import as_frame, digest, finite, ids, numbers, ordered, row_hashes, times, weights
from mlflow_errata.errors import (
    FrameEmpty,
    ModelFailed,
    OptionUnknown,
    OutputMissing,
    TrainColumnMissing,
    ValuesRefused,
)
from mlflow_errata.metric import Outcomes, Task
from mlflow_errata.model import ask, features_of
from mlflow_errata.outcomes import TWO, Unlabelled, outcomes_of, output_with_gaps, stored_output, unlabelled_of
from mlflow_errata.roles import Roles, check_listed
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CONFUSION_CELLS = ("tp", "fp", "fn", "tn")

Value = str | Mapping[str, float] | Callable[..., object]


@dataclass(frozen=True)
class EvaluationTable:
    """Rows of an evaluation frame with the roles of its columns, checked.

    Rows stand in an order that depends on their content alone (a hash), so nothing computed from the table depends on
    the order in which they arrived, and any rows taken by position are a fair draw.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns), a reordered copy; column names are str, the index is 0 .. n_rows-1
    roles : Roles
    outcomes : Outcomes, label beside model output for each row
    task_inferred : bool, True if the task was not given
    features : columns that the model sees
    features_told : bool, True if they were named or the model tells; else they are all columns without a role
    slice_columns : columns to slice on
    times : datetime64[us] (UTC if the column had a time zone) or float array of shape (n_rows,), or None; NaT/NaN where
        a row has no time
    ids : array of shape (n_rows,): the id column, else the frame's index if unique, else row numbers
    value_lost : float array of shape (n_rows,), or None: business value that each row's decision lost against the
        best decision for that row
    lost_if : float array of shape (n_rows, 2), or None: what it would lose by each of two decisions
    n_unlabelled : rows set aside because their label is missing
    unlabelled : those of them that have a time and scores, or None; every other field speaks of labelled rows only
    train : TrainingSet with the same features, or None
    digest : str, sha256 over the content of all rows but the model's output, whatever their order: runs of one digest
        were measured on the same data
    """

    frame: pd.DataFrame = field(repr=False)
    roles: Roles
    outcomes: Outcomes = field(repr=False)
    task_inferred: bool
    features: tuple[str, ...]
    features_told: bool
    slice_columns: tuple[str, ...]
    times: NDArray[Any] | None = field(repr=False)
    ids: NDArray[Any] = field(repr=False)
    value_lost: NDArray[np.float64] | None = field(repr=False)
    lost_if: NDArray[np.float64] | None = field(repr=False)
    n_unlabelled: int
    unlabelled: Unlabelled | None = field(repr=False)
    train: TrainingSet | None = field(repr=False)
    digest: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def task(self) -> Task:
        """What is predicted: "binary", "multiclass" or "regression"."""
        return self.outcomes.task

    @property
    def errors(self) -> NDArray[np.float64]:
        """What each row got wrong: 0 or 1 for classes, the absolute error for regression."""
        return self.outcomes.errors

    @property
    def error_unit(self) -> str:
        """Name of the mean of `errors`."""
        return "mean absolute error" if self.task == "regression" else "error rate"

    @cached_property
    def in_time_order(self) -> NDArray[np.intp]:
        """Rows that have a time, oldest first; empty without a time column."""
        if self.times is None:
            return np.empty(0, dtype=np.intp)
        known = np.flatnonzero(~pd.isna(self.times))
        return known[ordered(self.times[known])]

    @classmethod
    def build(
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
        value: Value | None = None,
        slice_by: Sequence[str] | None = None,
        train: object = None,
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
        roles = Roles.named(label, scores, value, prediction=prediction, time=time, id=id, weight=weight)
        names = list(frame.columns)
        roles.check(names)
        check_listed("features", features, names)
        check_listed("slice_by", slice_by, names)
        if task is not None and task not in TASKS:
            raise OptionUnknown("task", task, TASKS)
        if prediction is None and scores is None and model is None:
            raise OutputMissing
        rows, index = _labelled(frame, label)
        free = [name for name in names if name not in roles.columns]
        told = features if features is not None else (None if model is None else features_of(model))
        seen = free if told is None else list(told)
        stored = prediction is not None or scores is not None
        output = stored_output(rows, roles) if stored else ask(model, rows, seen)
        outcomes = outcomes_of(rows, roles, output, task)
        said = [name for name in (prediction, *roles.scores) if name is not None]
        hashes = row_hashes(rows.drop(columns=said), {})
        order = ordered(hashes, row_hashes(rows[said], {"prediction": outcomes.prediction}))
        lost = None if value is None else value_lost(rows, value, outcomes)[order]
        return cls(
            frame=rows.take(order).reset_index(drop=True),
            roles=roles,
            outcomes=outcomes.take(order),
            task_inferred=task is None,
            features=tuple(seen),
            features_told=told is not None,
            slice_columns=tuple(free if slice_by is None else slice_by),
            times=None if time is None else times(rows[time], time)[order],
            ids=ids(rows, id, index)[order],
            value_lost=lost,
            lost_if=None if value is None or len(outcomes.classes) != TWO else _lost_if(rows, value, outcomes)[order],
            n_unlabelled=len(frame) - len(rows),
            unlabelled=_unlabelled(frame, roles, outcomes, None if stored else model, seen),
            train=None if train is None else _training_set(train, seen, roles),
            digest=digest(hashes[order], [name for name in names if name not in said]),
        )


def _labelled(frame: pd.DataFrame, label: str) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """Rows with a label under a fresh index, and the index that they had."""
    present = frame[label].notna().to_numpy()
    if not present.any():
        raise FrameEmpty("the evaluation frame", f"has no labelled row (label={label!r} is always missing)")
    kept = frame if present.all() else frame.loc[present]
    return kept.reset_index(drop=True), kept.index


def _unlabelled(
    frame: pd.DataFrame, roles: Roles, outcomes: Outcomes, model: object, features: Sequence[str]
) -> Unlabelled | None:
    """What can be used of the rows without a label: they are a bonus, so what cannot be used of them is no error."""
    without = frame[roles.label].isna()
    if roles.time is None or outcomes.scores is None or not without.any():
        return None
    rest = frame.loc[without]
    try:
        output = output_with_gaps(rest, roles) if model is None else ask(model, rest, features)
    except ModelFailed:
        return None
    return unlabelled_of(rest, roles, output, outcomes)


def _training_set(given: object, features: Sequence[str], roles: Roles) -> TrainingSet:
    """Labelled rows of a training frame; it needs the label and the features, and uses the other roles if present."""
    frame = as_frame(given, "the training frame")
    for role, column in [("label", roles.label), *(("features", name) for name in features)]:
        if column not in frame.columns:
            raise TrainColumnMissing(role, column, list(frame.columns))
    frame, index = _labelled(frame, roles.label)

    def has(column: str | None) -> bool:
        return column is not None and column in frame.columns

    return TrainingSet(
        X=frame[list(features)],
        y=frame[roles.label],
        weight=weights(frame, str(roles.weight)) if has(roles.weight) else None,
        time=times(frame[roles.time], str(roles.time)) if has(roles.time) else None,
        id=ids(frame, roles.id if has(roles.id) else None, index),
    )


def value_lost(frame: pd.DataFrame, value: Value, outcomes: Outcomes) -> NDArray[np.float64]:
    """Value of the best decision minus value of the decision taken, row by row."""
    if isinstance(value, str):
        return np.abs(finite(numbers(frame, "value", value), "value", value)) * outcomes.errors
    if callable(value):
        return _value_called(value, outcomes)
    unknown = sorted(set(value) - set(CONFUSION_CELLS))
    if unknown:
        raise OptionUnknown("value", unknown[0], CONFUSION_CELLS)
    if outcomes.task != "binary":
        raise ValuesRefused("value", dict(value), f"needs a binary task, not {outcomes.task}", "Pass a callable.")
    cell = {name: float(value.get(name, 0.0)) for name in CONFUSION_CELLS}
    worth = np.array([[cell["tn"], cell["fp"]], [cell["fn"], cell["tp"]]])
    return np.asarray(worth.max(axis=1)[outcomes.y] - worth[outcomes.y, outcomes.prediction], dtype=np.float64)


def _lost_if(frame: pd.DataFrame, value: Value, outcomes: Outcomes) -> NDArray[np.float64]:
    """`value_lost` if every row were decided as the first class, and as the second; shape (n_rows, 2)."""
    decided = (replace(outcomes, prediction=np.full(len(frame), code)) for code in (0, 1))
    return np.column_stack([value_lost(frame, value, each) for each in decided])


def _value_called(value: Callable[..., object], outcomes: Outcomes) -> NDArray[np.float64]:
    name = getattr(value, "__name__", "callable")
    best, taken = (
        finite(np.asarray(value(outcomes.named(outcomes.y), outcomes.named(decision))), "value", name)
        for decision in (outcomes.y, outcomes.prediction)
    )
    if best.shape != outcomes.y.shape:
        raise ValuesRefused("value", name, f"gives shape {best.shape}", f"Return one value a row: {outcomes.y.shape}.")
    return best - taken
