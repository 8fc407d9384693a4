"""What a model said of the evaluation rows, as columns that a later run can be compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import vectors
from mlflow_errata.metric import Outcomes
from mlflow_errata.model import ask, features_of
from mlflow_errata.outcomes import outcomes_of
from mlflow_errata.record.schema import BEFORE, ID, LABEL, LOST, PREDICTION, SCORES, TIME, WEIGHT, Record
from mlflow_errata.table import EvaluationTable, Value, value_lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.metric import Label

MOST_ROWS = 50_000
MOST_SCORES = 2_000_000
"""Scores of all classes together that are kept; with many classes fewer rows are."""
MOST_LEVELS = 1000
"""Distinct values of a text column that is kept: one with more names its rows rather than tells slices."""
TWO = 2


def evaluated_rows(table: EvaluationTable, before: object = None, value: Value | None = None) -> pd.DataFrame:
    """The first rows of a table with what the model said of them.

    Rows stand in the order of a content hash, so two runs on the same data keep the same rows, and runs on overlapping
    data keep rows that overlap.

    Parameters
    ----------
    table : EvaluationTable
    before : model that was there before, or None
    value : business value as given, or None

    Returns
    -------
    DataFrame of shape (n, n_columns): id, label, prediction, scores, time, weight and value lost under "errata.*", and
    the columns to slice on; with `before`, what it said under "errata.before.*"

    Raises
    ------
    InputError
        If `before` cannot predict the rows.
    """
    outcomes = table.outcomes
    n_classes = max(1, len(outcomes.classes))
    n = min(len(table), MOST_ROWS, MOST_ROWS if outcomes.scores is None else MOST_SCORES // n_classes)
    rows, some = table.frame.iloc[:n], outcomes.take(slice(0, n))
    said: dict[str, Any] = {ID: table.ids[:n], LABEL: some.named(some.y), **_said(some)}
    if table.times is not None:
        said[TIME] = table.times[:n]
    if some.weight is not None:
        said[WEIGHT] = some.weight
    if table.value_lost is not None:
        said[LOST] = table.value_lost[:n]
    if before is not None:
        said |= {named_before(name): column for name, column in _said_before(table, rows, some, before, value).items()}
    names = [name for name in dict.fromkeys((*table.slice_columns, *table.features)) if name not in said]
    kept = rows[[name for name in names if _tells(rows[name])]]
    return pd.concat([kept.reset_index(drop=True), pd.DataFrame(said)], axis=1)


def named_before(column: str) -> str:
    """The column that holds the same of the model that was there before."""
    return column.replace("errata.", f"errata.{BEFORE}", 1)


def _said(outcomes: Outcomes) -> dict[str, Any]:
    found: dict[str, Any] = {PREDICTION: outcomes.named(outcomes.prediction)}
    if outcomes.scores is None:
        return found
    first = 1 if outcomes.task == "binary" else 0
    scores = outcomes.scores
    return found | {f"{SCORES}{at}": scores[:, at] for at in range(first, scores.shape[1])}


def _said_before(
    table: EvaluationTable, rows: pd.DataFrame, now: Outcomes, before: object, value: Value | None
) -> dict[str, Any]:
    output = ask(before, rows, features_of(before) or table.features)
    roles = replace(table.roles, prediction=None, scores=())
    given = outcomes_of(rows, roles, output, table.task)
    said = with_classes(given, now.classes)
    if len(said.classes) > len(now.classes) and said.scores is not None:  # classes that nobody is of any more
        said = replace(said, scores=said.scores[:, : len(now.classes)])
    found = _said(said)
    return found if value is None else found | {LOST: value_lost(rows, value, given)}


def with_classes(outcomes: Outcomes, classes: Sequence[Label]) -> Outcomes:
    """The same outcomes with codes and scores in the order of some classes; those not among them come after."""
    if not outcomes.classes:
        return outcomes
    wanted = (*classes, *(label for label in outcomes.classes if label not in classes))
    code = np.array([wanted.index(label) for label in outcomes.classes], dtype=np.intp)
    scores = None
    if outcomes.scores is not None:
        scores = np.zeros((len(outcomes), len(wanted)))
        scores[:, code] = outcomes.scores
    y, prediction = code[outcomes.y], code[outcomes.prediction]
    return replace(outcomes, classes=wanted, y=y, prediction=prediction, scores=scores)


def _tells(column: pd.Series[Any]) -> bool:
    """Whether a column may tell slices apart: numbers, dates, and text of few distinct values."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return True
    if vectors(column.head(20)) is not None:
        return False
    try:
        return int(column.nunique()) <= MOST_LEVELS
    except TypeError:  # values that cannot be hashed
        return False


# -- read back --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluated:
    """What a model said of some rows.

    Parameters
    ----------
    outcomes : Outcomes
    ids : array of shape (n,)
    times : array of shape (n,) or None
    lost : float array of shape (n,) or None, business value lost
    columns : DataFrame of shape (n, n_columns), what the rows can be sliced on
    """

    outcomes: Outcomes
    ids: NDArray[Any]
    times: NDArray[Any] | None
    lost: NDArray[np.float64] | None
    columns: pd.DataFrame

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[Any]) -> Evaluated:
        """Some of the rows (positions or a boolean mask)."""
        return Evaluated(
            self.outcomes.take(rows),
            self.ids[rows],
            None if self.times is None else self.times[rows],
            None if self.lost is None else self.lost[rows],
            self.columns.loc[rows] if rows.dtype == bool else self.columns.iloc[rows],
        )


def evaluated(record: Record, *, before: bool = False) -> Evaluated | None:
    """What the model of a record said (or the one that was there before); None where the record does not hold it."""
    frame, known = record.evaluated, record.dataset

    def column(name: str) -> str:
        return named_before(name) if before else name

    if column(PREDICTION) not in frame:
        return None
    task = record.summary.task
    scored = column(f"{SCORES}1") in frame
    scores = None
    if scored and task == "binary":
        positive = frame[column(f"{SCORES}1")].to_numpy(dtype=np.float64)
        scores = np.column_stack([1 - positive, positive])
    elif scored:
        at = range(len(known.classes))
        scores = np.column_stack([frame[column(f"{SCORES}{i}")].to_numpy(dtype=np.float64) for i in at])
    y, prediction, classes = _codes(frame[LABEL], frame[column(PREDICTION)], known.classes)
    if scores is not None and len(classes) > scores.shape[1]:
        scores = np.hstack([scores, np.zeros((len(scores), len(classes) - scores.shape[1]))])
    weight = frame[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in frame else None
    return Evaluated(
        Outcomes(task, classes, y, prediction, scores, weight),
        frame[ID].to_numpy(),
        frame[TIME].to_numpy() if TIME in frame else None,
        frame[column(LOST)].to_numpy(dtype=np.float64) if column(LOST) in frame else None,
        frame[[name for name in frame if not str(name).startswith("errata.")]],
    )


def _codes(
    label: pd.Series[Any], prediction: pd.Series[Any], classes: tuple[Label, ...]
) -> tuple[NDArray[Any], NDArray[Any], tuple[Label, ...]]:
    if not classes:
        return label.to_numpy(dtype=np.float64), prediction.to_numpy(dtype=np.float64), ()
    known = pd.Index(classes)
    new = [value for value in pd.unique(prediction) if value not in known]
    whole = (*classes, *new)
    index = pd.Index(whole)
    return index.get_indexer(label), index.get_indexer(prediction), whole
