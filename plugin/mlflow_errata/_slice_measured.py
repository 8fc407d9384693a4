"""A slice measured on the evaluation rows that a record keeps: a fair draw of all, with what the model said of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata._evaluated import evaluated
from mlflow_errata.diagnoses._named import NamedSlice, measure
from mlflow_errata.errors import ErrataError, ValuesRefused
from mlflow_errata.errors.stored import NotMeasured
from mlflow_errata.metric import resolve_metric

if TYPE_CHECKING:
    import pandas as pd

    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.predicates import Predicate
    from mlflow_errata.record.schema import Record


@dataclass(frozen=True)
class MeasuredSlice:
    """A slice on the rows that a record keeps.

    Parameters
    ----------
    found : NamedSlice, its support among these rows, its error, excess errors and metric; named by its conditions
    n_looked_at : int, rows that the record keeps: at most 50,000, drawn without regard to anything
    n_rows : int, rows of the evaluation
    """

    found: NamedSlice
    n_looked_at: int
    n_rows: int


def measured(record: Record, predicates: tuple[Predicate, ...]) -> MeasuredSlice:
    """Measure a slice on the rows of a record that was read with them.

    Raises
    ------
    NotMeasured, ColumnMissing, ValuesRefused
    """
    if record.summary.task == "multilabel":
        raise NotMeasured("a run keeps no rows of several labels that a slice could be measured on")
    rows = evaluated(record)
    if rows is None:
        raise NotMeasured("the run keeps none of its rows (rows=False)")
    frame = rows.columns.reset_index(drop=True)
    for predicate in predicates:
        _check(predicate, frame)
    name = " and ".join(str(predicate) for predicate in predicates)
    found = measure(frame, rows.outcomes, _metric(record, rows.outcomes), (name, predicates, None))
    return MeasuredSlice(found, len(frame), record.dataset.n_rows)


def _check(predicate: Predicate, frame: pd.DataFrame) -> None:
    """Refuse a condition that the values of its column cannot answer, in one sentence."""
    try:
        predicate.mask(frame.head(1000))
    except ErrataError:
        raise
    except (ValueError, TypeError, AttributeError) as cause:
        raise ValuesRefused(
            "slice",
            predicate.column,
            f"holds values that {str(predicate)!r} cannot compare",
            "Compare numbers and dates by < and >=, and text by == or in.",
        ) from cause


def _metric(record: Record, outcomes: Outcomes) -> Metric | None:
    """The metric of the record; None where it is a function of the user's own."""
    try:
        return resolve_metric(record.summary.metric, outcomes)
    except (ErrataError, ValueError):
        return None
