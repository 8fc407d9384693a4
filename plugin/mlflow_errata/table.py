"""The evaluation table: rows and roles, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from mlflow_errata.columns import (
    as_frame,
    counted,
    digest,
    finite,
    groups,
    ids,
    numbers,
    ordered,
    row_hashes,
    times,
    weights,
)
from mlflow_errata.errors import (
    FrameEmpty,
    KindRefused,
    LabelsAndTask,
    OptionUnknown,
    OutputMissing,
    TimesDiffer,
    TrainColumnMissing,
    ValuesRefused,
)
from mlflow_errata.metric import UNKNOWN, Outcomes, Task
from mlflow_errata.model import ask, features_of
from mlflow_errata.multilabel import as_one_column, labels_of
from mlflow_errata.objectives import Objectives
from mlflow_errata.outcomes import (
    TWO,
    Unlabelled,
    outcomes_of,
    quantiles_of,
    stored_output,
    unlabelled_of,
)
from mlflow_errata.roles import Columns, Roles, check_listed
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TASKS: tuple[Task, ...] = ("binary", "multiclass", "multilabel", "regression")
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
    groups : array of shape (n_rows,), what each row belongs to, missing where that is not known; or None
    quantiles : float array of shape (n_rows, n_levels), predicted quantiles at `roles.levels`, or None
    ids : array of shape (n_rows,): the id column, else the frame's index if unique, else row numbers
    value_lost : float array of shape (n_rows,), or None: business value that each row's decision lost against the
        best decision for that row
    lost_if : float array of shape (n_rows, 2), or None: what it would lose by each of two decisions
    n_unlabelled : rows set aside because their label is missing
    unlabelled : those of them that have a time and scores, or None; every other field speaks of labelled rows only
    train : TrainingSet with the same features, or None
    objectives : Objectives or None
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
    objectives: Objectives | None = None
    groups: NDArray[Any] | None = field(default=None, repr=False)
    quantiles: NDArray[np.float64] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def task(self) -> Task:
        """What is predicted: "binary", "multiclass", "multilabel" or "regression"."""
        return self.outcomes.task

    @property
    def errors(self) -> NDArray[np.float64]:
        """What each row got wrong: 0 or 1 for classes, the absolute error for regression, of labels the share wrong."""
        return self.outcomes.errors

    @property
    def error_unit(self) -> str:
        """Name of the mean of `errors`."""
        return self.outcomes.error_unit

    @property
    def given(self) -> pd.Series[Any]:
        """The label of each row in the user's own values; of several labels a tuple of 1, 0 and None."""
        if self.task == "multilabel":
            return as_one_column(self.outcomes.y)
        return self.frame[self.roles.label]

    def per_label(self) -> Iterator[tuple[str, EvaluationTable]]:
        """Every label of a multilabel task as a binary table, of the rows for which it is known; with its name.

        A label is left out where no row (of a weight beyond 0) knows it.
        """
        for at, name in enumerate(self.roles.labels):
            rows = np.flatnonzero(self.outcomes.y[:, at] != UNKNOWN)
            weight = self.outcomes.weight
            if len(rows) and (weight is None or weight[rows].any()):
                yield name, self._of_label(at, name, rows)

    def _of_label(self, at: int, name: str, rows: NDArray[np.intp]) -> EvaluationTable:
        return replace(
            self,
            frame=self.frame if len(rows) == len(self) else self.frame.iloc[rows].reset_index(drop=True),
            roles=replace(self.roles, label=name, scores=(), labels=(), predictions=()),
            outcomes=self.outcomes.of_label(at),
            times=None if self.times is None else self.times[rows],
            ids=self.ids[rows],
            groups=None if self.groups is None else self.groups[rows],
            value_lost=None,
            n_unlabelled=self.n_unlabelled + len(self) - len(rows),
            train=None if self.train is None else _with_label(self.train, at),
            digest=f"{self.digest} {name}",
        )

    @cached_property
    def read(self) -> dict[object, Any]:
        """Columns as diagnoses have read them, by name, and their cells, so that each is read once."""
        return {}

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
        label: str | Sequence[str],
        model: object = None,
        prediction: Columns = None,
        scores: Columns = None,
        features: Sequence[str] | None = None,
        time: str | None = None,
        id: str | None = None,  # noqa: A002 - the role's name
        group: str | None = None,
        weight: str | None = None,
        quantiles: Mapping[float, str] | None = None,
        value: Value | None = None,
        slice_by: Sequence[str] | None = None,
        train: object = None,
        task: Task | None = None,
        objectives: Objectives | None = None,
    ) -> EvaluationTable:
        """Check a frame and its roles; parameters as in `mlflow_errata.diagnose`.

        Raises
        ------
        InputError
            One error per rejection, naming what was wrong, where, the value and what to do. The frame given is never
            changed.
        """
        frame = as_frame(evaluation, "the evaluation frame")
        roles = Roles.named(
            label, prediction, scores, value, time=time, id=id, weight=weight, group=group, quantiles=quantiles
        )
        roles = roles if objectives is None else roles.beside(objectives.columns, objectives.said)
        names = list(frame.columns)
        roles.check(names)
        check_listed("features", features, names)
        check_listed("slice_by", slice_by, names)
        if task is not None and task not in TASKS:
            raise OptionUnknown("task", task, TASKS)
        if task is not None and (task == "multilabel") != bool(roles.labels):
            raise LabelsAndTask(task, label)
        if prediction is None and scores is None and model is None:
            raise OutputMissing
        frame = frame if weight is None else counted(frame, weight)
        rows, index = _labelled(frame, roles)
        if objectives is not None:
            objectives.numbers(rows)
        free = [name for name in names if name not in roles.columns]
        told = features if features is not None else (None if model is None else features_of(model))
        seen = free if told is None else list(told)
        roles.check_seen(seen)
        stored = prediction is not None or scores is not None
        output = stored_output(rows, roles) if stored else ask(model, rows, seen, len(roles.labels))
        outcomes = outcomes_of(rows, roles, output, task)
        said = list(dict.fromkeys(roles.output))
        hashes = row_hashes(rows.drop(columns=said), {})
        decided = np.atleast_2d(outcomes.prediction.T)
        order = ordered(hashes, row_hashes(rows[said], {f"prediction {at}": part for at, part in enumerate(decided)}))
        lost = None if value is None else value_lost(rows, value, outcomes)[order]
        when = None if time is None else times(rows[time], time)
        return cls(
            frame=rows.take(order).reset_index(drop=True),
            roles=roles,
            outcomes=outcomes.take(order),
            task_inferred=task is None,
            features=tuple(seen),
            features_told=told is not None,
            slice_columns=tuple(free if slice_by is None else slice_by),
            times=None if when is None else when[order],
            ids=ids(rows, id, index)[order],
            groups=None if group is None else groups(rows, group)[order],
            quantiles=None if not roles.quantiles else quantiles_of(rows, roles, outcomes.task)[order],
            value_lost=lost,
            lost_if=_lost_if(rows, value, outcomes)[order] if value is not None and _decides_two(outcomes) else None,
            n_unlabelled=len(frame) - len(rows),
            unlabelled=unlabelled_of(frame, roles, None if stored else model, seen, outcomes),
            train=None
            if train is None
            else _training_set(train, seen, set(free) - set(seen), roles, rows, evaluated=when),
            digest=digest(hashes[order], [name for name in names if name not in said]),
            objectives=objectives,
        )


def _labelled(frame: pd.DataFrame, roles: Roles) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """Rows with a label (one at least, of several) under a fresh index, and the index that they had."""
    present = frame[list(roles.label_columns)].notna().any(axis=1).to_numpy(dtype=bool)
    if not present.any():
        raise FrameEmpty(
            "the evaluation frame", f"has no labelled row (label={roles.filled['label']!r} is always missing)"
        )
    kept = frame if present.all() else frame.loc[present]
    return kept.reset_index(drop=True), kept.index


def _training_set(
    given: object,
    features: Sequence[str],
    others: set[str],
    roles: Roles,
    evaluation: pd.DataFrame,
    *,
    evaluated: NDArray[Any] | None,
) -> TrainingSet:
    """Labelled rows of a training frame; it needs the label and the features, and uses the other roles if present.

    Numbers among `others`, which the model does not see, are kept aside.
    """
    frame = as_frame(given, "the training frame")
    wanted = [*(("label", name) for name in roles.label_columns), *(("features", name) for name in features)]
    for role, column in wanted:
        if column not in frame.columns:
            raise TrainColumnMissing(role, column, list(frame.columns))
    frame, index = _labelled(frame, roles)

    def has(column: str | None) -> bool:
        return column is not None and column in frame.columns

    when = times(frame[roles.time], str(roles.time)) if has(roles.time) else None
    if when is not None and evaluated is not None and when.dtype.kind != evaluated.dtype.kind:
        raise TimesDiffer("the evaluation frame", dates=evaluated.dtype.kind == "M")
    if has(roles.group):
        _check_comparable(evaluation, frame, str(roles.group))
    free = [name for name in frame.columns if name in others and is_numeric_dtype(frame[name].dtype)]
    return TrainingSet(
        X=frame[list(features)],
        y=as_one_column(labels_of(frame, roles.labels)) if roles.labels else frame[roles.label],
        weight=weights(frame, str(roles.weight)) if has(roles.weight) else None,
        time=when,
        id=ids(frame, roles.id if has(roles.id) else None, index),
        group=groups(frame, str(roles.group)) if has(roles.group) else None,
        aside=frame[free] if free else None,
    )


def _check_comparable(evaluation: pd.DataFrame, train: pd.DataFrame, group: str) -> None:
    """Raise where groups are numbers in one frame and text in the other: none would ever be the same."""
    kinds = [groups(frame, group).dtype.kind in "iufb" for frame in (evaluation, train)]
    if kinds[0] != kinds[1]:
        first, second = ("numbers", "text") if kinds[0] else ("text", "numbers")
        raise ValuesRefused("group", group, f"holds {first}, and {second} in train", "Give both frames the same kind.")


def _with_label(train: TrainingSet, at: int) -> TrainingSet:
    """A training set of tuples of labels with one of them alone, on the rows for which it is known."""
    alone = train.y.map(lambda labels: labels[at])
    known = np.flatnonzero(alone.notna())
    return replace(train.take(known), y=alone.iloc[known].astype("int64"))


def value_lost(frame: pd.DataFrame, value: Value, outcomes: Outcomes) -> NDArray[np.float64]:
    """Value of the best decision minus value of the decision taken, row by row."""
    if isinstance(value, str):
        return np.abs(finite(numbers(frame, "value", value), "value", value)) * outcomes.errors
    if callable(value):
        return _value_called(value, outcomes)
    cell = _cells(value)
    if outcomes.task not in {"binary", "multilabel"}:
        raise ValuesRefused("value", dict(value), f"needs a binary task, not {outcomes.task}", "Pass a callable.")
    worth = np.array([[cell["tn"], cell["fp"]], [cell["fn"], cell["tp"]]])
    if outcomes.task == "multilabel":
        lost = worth.max(axis=1)[outcomes.y] - worth[outcomes.y, outcomes.prediction]
        return np.asarray(np.where(outcomes.y == UNKNOWN, 0.0, lost).sum(axis=1), dtype=np.float64)
    return np.asarray(worth.max(axis=1)[outcomes.y] - worth[outcomes.y, outcomes.prediction], dtype=np.float64)


def _cells(value: object) -> dict[str, float]:
    """What each cell of the confusion matrix is worth: 0 where that is not said."""
    if not isinstance(value, Mapping):
        remedy = 'Pass value={"tp": 5, "fp": -1, "fn": -20, "tn": 0}, "stake" or a function.'
        raise KindRefused("value", value, "a dict, the name of a column or a function", remedy)
    for name, worth in value.items():
        if name not in CONFUSION_CELLS:
            raise OptionUnknown("value", name, CONFUSION_CELLS)
        if not isinstance(worth, Real) or not isfinite(worth):
            raise ValuesRefused("value", dict(value), f"gives {name} the value {worth!r}", "Give it a number.")
    return {name: float(value.get(name, 0.0)) for name in CONFUSION_CELLS}


def _decides_two(outcomes: Outcomes) -> bool:
    return outcomes.task != "multilabel" and len(outcomes.classes) == TWO


def _lost_if(frame: pd.DataFrame, value: Value, outcomes: Outcomes) -> NDArray[np.float64]:
    """`value_lost` if every row were decided as the first class, and as the second; shape (n_rows, 2)."""
    decided = (replace(outcomes, prediction=np.full(len(frame), code)) for code in (0, 1))
    return np.column_stack([value_lost(frame, value, each) for each in decided])


def _value_called(value: Callable[..., object], outcomes: Outcomes) -> NDArray[np.float64]:
    name = getattr(value, "__name__", "callable")
    several = outcomes.task == "multilabel"
    truth, said = (part if several else outcomes.named(part) for part in (outcomes.y, outcomes.prediction))
    try:
        given = [np.asarray(value(truth, decision)) for decision in (truth, said)]
    except Exception as cause:  # whatever a user's function raises becomes one clear error
        why = f"fails: {type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
        remedy = "Pass a function (y_true, decision) -> value per row, which takes two arrays."
        raise ValuesRefused("value", name, why, remedy) from cause
    best, taken = (finite(each, "value", name) for each in given)
    if best.shape != (len(outcomes),):
        raise ValuesRefused("value", name, f"gives shape {best.shape}", f"Return one value a row: ({len(outcomes)},).")
    return best - taken
