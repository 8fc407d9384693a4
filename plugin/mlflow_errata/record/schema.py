"""What a record holds.

To raise the schema: add 1 to SCHEMA, keep one stored record of the old schema under `tests/record/old/`, and teach
`read.py` the way from it to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from mlflow_errata.diagnoses._shape import Result
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label, Task
from mlflow_errata.steps import change_metric, decouple
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.trials._shape import Trials

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
"""Version of the files; a reader refuses what is newer."""

ID, LABEL, PREDICTION, SCORE, ERROR = "errata.id", "errata.label", "errata.prediction", "errata.score", "errata.error"
"""Columns of `Record.rows` beside those of the evaluation frame."""
TIME, LOST, WEIGHT = "errata.time", "errata.lost", "errata.weight"
SCORES = "errata.scores."
BEFORE = "before."
"""Further columns of `Record.evaluated`: scores by the position of their class, and all of them once more with `BEFORE`
in the name for what an earlier model said."""


@dataclass(frozen=True)
class Training:
    """The training data, where it was given.

    Parameters
    ----------
    n_rows : int, labelled rows
    start, end : Moment or None, first and last time, where the training frame has the time column
    """

    n_rows: int
    start: datetime | float | None
    end: datetime | float | None


@dataclass(frozen=True)
class Dataset:
    """The evaluation data that a record speaks of.

    Parameters
    ----------
    digest : str, sha256 over the content of the rows but the model's output, whatever their order
    n_rows : int, labelled rows
    n_unlabelled : int, rows set aside because their label is missing
    roles : mapping role -> column name(s)
    features : columns that the model sees
    slice_columns : columns that were offered to the slice search
    classes : labels in the order of the scores; the label columns of a multilabel task; empty for regression
    training : Training or None
    """

    digest: str
    n_rows: int
    n_unlabelled: int
    roles: dict[str, str | list[str]]
    features: tuple[str, ...]
    slice_columns: tuple[str, ...]
    classes: tuple[Label, ...]
    training: Training | None = None


@dataclass(frozen=True)
class Summary:
    """What was measured, by which metric.

    Parameters
    ----------
    task : "binary", "multiclass", "multilabel" or "regression"
    task_inferred : bool, True if errata chose the task
    metric : str, name of the metric
    metric_inferred : bool, True if errata chose the metric
    greater_is_better : bool
    value : Estimate or None, the metric on all rows
    value_lost : Estimate or None, business value lost per row, where a value is declared
    random_state : int
    errata : str, version that wrote the record
    """

    task: Task
    task_inferred: bool
    metric: str
    metric_inferred: bool
    greater_is_better: bool
    value: Estimate | None
    value_lost: Estimate | None
    random_state: int
    errata: str


@dataclass(frozen=True)
class Record:
    """Everything that errata found out about one run.

    Parameters
    ----------
    dataset : Dataset
    summary : Summary
    results : mapping name of a diagnosis -> its typed result
    not_applicable : mapping name of a diagnosis -> why it was not made
    next_steps : tuple of NextStep, best first
    rows : DataFrame, a sample of the evaluation rows (at most `MOST_ROWS`): the wrong rows of every slice and random
        others, with their id, label, prediction, score and error under "errata.*"
    trials : Trials or None if nothing was tried
    evaluated : DataFrame, what the model said of at most 50,000 evaluation rows, so that another run can be compared;
        empty where it was not asked for
    ignored : mapping code -> reason, findings that the experiment takes for settled; not part of the files
    """

    dataset: Dataset
    summary: Summary
    results: Mapping[str, Result]
    not_applicable: Mapping[str, str]
    next_steps: tuple[NextStep, ...]
    rows: pd.DataFrame = field(repr=False, compare=False)
    trials: Trials | None = None
    evaluated: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)
    ignored: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def plan(self) -> tuple[NextStep, ...]:
        """Steps that pay together, trialled one on top of the other: the gain of each is what it adds.

        Its first step is the first of `next_steps`; empty where nothing was tried or pays, and where labels have to be
        checked first. Mixing logged scores takes no trial, nor does a threshold whose gain a diagnosis measured: such a
        step is a plan of its own.
        """
        planned = () if self.trials is None else self.trials.plan
        first = self.next_steps[:1]
        if not planned and first and first[0].pays and first[0].kind in {decouple.KIND, change_metric.KIND}:
            return first
        return planned if planned and planned[0] == self.next_steps[0] else ()

    def save(self, path: str | Path) -> Path:
        """Write the record into a folder, the same files that MLflow stores; returns the folder.

        Raises
        ------
        NotANumber
            If a result holds a NaN or an infinity.
        """
        from mlflow_errata.record.write import write  # noqa: PLC0415 - the writer imports this module

        return write(self, path)

    @classmethod
    def open(cls, path: str | Path) -> Record:
        """Read a record from a folder that `save` or MLflow wrote.

        Raises
        ------
        RecordMissing, RecordBroken, RecordTooNew
        """
        from mlflow_errata.record.read import read  # noqa: PLC0415 - the reader imports this module

        return read(path)

    def __str__(self) -> str:
        from mlflow_errata.sections import summary  # noqa: PLC0415 - words live in sections

        return summary(self)
