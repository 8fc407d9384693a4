"""`compare`: two models on the same rows, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.columns import as_frame
from mlflow_errata.diagnoses._selection import shrink
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._sliced import slices_of
from mlflow_errata.diagnoses.slice_errors import FEWEST, SMALLEST_SHARE
from mlflow_errata.errors import FrameEmpty
from mlflow_errata.estimate import Estimate
from mlflow_errata.predicates import Predicate
from mlflow_errata.slicing import confirm, support_needed
from mlflow_errata.stats.intervals import mean_interval, mean_or_share
from mlflow_errata.table import EvaluationTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.metric import Task
    from mlflow_errata.slicing import Found


@dataclass(frozen=True)
class Change:
    """A slice whose error changed more than that of other rows.

    Parameters
    ----------
    predicates : tuple of Predicate, all of which hold
    support : int, rows inside
    old, new : Estimate, mean error inside
    change : Estimate, mean of new error - old error inside, paired by row; it allows for the slice having been picked
    p_value : float, one-sided, before the correction for the number of slices examined
    """

    predicates: tuple[Predicate, ...]
    support: int
    old: Estimate
    new: Estimate
    change: Estimate
    p_value: float

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows of any frame with these columns that belong to the slice; shape (n_rows,)."""
        return np.asarray(np.logical_and.reduce([predicate.mask(frame) for predicate in self.predicates]))


@dataclass(frozen=True)
class Comparison:
    """What two models do differently on the same rows.

    Parameters
    ----------
    old, new : Estimate, mean error on all rows
    change : Estimate, mean of new error - old error, paired by row
    worse, better : tuple of Change, slices that got worse (better) by more than the other rows did, family-wise at 5 %
        over both directions and all slices examined, each beyond those before it
    n_examined : int, slices looked at
    """

    old: Estimate
    new: Estimate
    change: Estimate
    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    n_examined: int

    def __str__(self) -> str:
        from mlflow_errata.sections.comparison import summary  # noqa: PLC0415 - words live in sections

        return summary(self)


def compare(
    evaluation: object,
    *,
    label: str,
    old: object,
    new: object,
    features: Sequence[str] | None = None,
    id: str | None = None,  # noqa: A002 - the role's name
    weight: str | None = None,
    slice_by: Sequence[str] | None = None,
    task: Task | None = None,
) -> Comparison:
    """Say where a new model errs more, or less, than an old one on the same rows.

    Parameters
    ----------
    evaluation : pandas or polars DataFrame, or pyarrow Table, of shape (n_rows, n_columns)
    label : str, column of the truth
    old, new : str, or fitted estimator, MLflow pyfunc or callable
        A column of predictions, or a model to ask.
    features, id, weight, slice_by, task : as in `mlflow_errata.diagnose`

    Returns
    -------
    Comparison
        Slices whose error changed more than that of the other rows. Both models share one lattice of slices, which is
        kept for the next comparison on the same data.

    Raises
    ------
    InputError
    """
    frame = as_frame(evaluation, "the evaluation frame")
    said = [each for each in (old, new) if isinstance(each, str)]
    free = [name for name in frame.columns if name not in {label, id, weight, *said}]
    roles: dict[str, Any] = {"label": label, "id": id, "weight": weight, "task": task}
    roles |= {"slice_by": free if slice_by is None else slice_by, "features": features}
    tables = []
    for each in (old, new):
        rows = frame.drop(columns=[name for name in said if name != each])
        output: dict[str, Any] = {"prediction": each} if isinstance(each, str) else {"model": each}
        tables.append(EvaluationTable.build(rows, **output, **roles))
    return _compared(*tables)


def _compared(table: EvaluationTable, new: EvaluationTable) -> Comparison:
    n = len(table)
    if n < 2 * FEWEST:
        raise FrameEmpty("the evaluation frame", f"has {n} labelled rows; {2 * FEWEST} are needed to compare slices")
    was, now = table.errors, np.empty(n)
    now[np.argsort(table.ids, kind="stable")] = new.errors[np.argsort(new.ids, kind="stable")]
    weight, unit = table.outcomes.weight, table.error_unit
    sliced = slices_of(table, support_needed(n, FEWEST, SMALLEST_SHARE))

    def mean(errors: NDArray[np.float64], rows: NDArray[np.intp]) -> Estimate:
        return Estimate(*mean_or_share(errors[rows], None if weight is None else weight[rows]), n=len(rows), unit=unit)

    everyone = mean_interval(now - was, weight)

    def changed(found: Found) -> Change:
        rows, sign = found.rows, 1 if found.observed >= found.expected else -1
        moved = mean_interval(sign * (now - was)[rows], None if weight is None else weight[rows])
        others = sign * everyone[0]  # it passed for changing more than the others, so it changes no less than they do
        held = (max(end, min(plain, others)) for end, plain in zip(shrink(moved, found), moved, strict=True))
        value, low, high = (sign * end for end in held)
        return Change(
            sliced.predicates(found),
            len(rows),
            mean(was, rows),
            mean(now, rows),
            Estimate(value, min(low, high), max(low, high), n=len(rows), unit=f"change of {unit}"),
            found.p_value,
        )

    halves = np.flatnonzero(2 * sliced.lattice.support <= n)  # a change of most rows is told by the others
    lattice = sliced.lattice.only(halves)
    search = confirm(lattice, now - was, weight, two_sided=True, alpha=ALPHA, suspicion=0)
    changes = [changed(replace(item, index=int(halves[item.index]))) for item in search.found]
    everything = np.arange(n)
    return Comparison(
        mean(was, everything),
        mean(now, everything),
        Estimate(*everyone, n=n, unit=f"change of {unit}"),
        tuple(item for item in changes if item.change.value > 0),
        tuple(item for item in changes if item.change.value <= 0),
        search.n_examined,
    )
