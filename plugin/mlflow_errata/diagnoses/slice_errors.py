"""Slice errors: the rows that a model gets wrong more often than the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.predicates import Predicate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.table import EvaluationTable

NAME = "slice_errors"


@dataclass(frozen=True)
class Slice:
    """Rows that share one or more predicates.

    Parameters
    ----------
    predicates : tuple of Predicate, all of which hold
    support : int, rows inside
    error : Estimate, mean error inside
    excess : Estimate, support x (mean error inside - outside), in errors
    lift : float, mean error inside / overall
    share_of_errors : float in [0, 1], errors inside / all errors
    value_lost : Estimate or None, business value lost inside, where a value is declared
    p_value : float, of the search's test, before the correction for the number of slices examined
    tier : "confirmed" (family-wise 5 %)
    """

    predicates: tuple[Predicate, ...]
    support: int
    error: Estimate
    excess: Estimate
    lift: float
    share_of_errors: float
    p_value: float
    tier: str = "confirmed"
    value_lost: Estimate | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Rows of any frame with these columns that belong to the slice; shape (n_rows,)."""
        found = np.ones(len(frame), dtype=bool)
        for predicate in self.predicates:
            found &= predicate.mask(frame)
        return found


@dataclass(frozen=True)
class SliceErrors:
    """Slices whose error is higher than that of the rows outside, beyond chance.

    Parameters
    ----------
    slices : tuple of Slice, worst first, confirmed and non-redundant
    overall : Estimate, mean error of all rows
    n_examined : int, slices looked at: what the multiple-testing rule divides by
    columns : columns that were sliced on
    skipped : columns that were not, as (column, reason)
    detectable_excess : float or None, the smallest excess (in errors) that a slice of the median support would have
        needed to be confirmed
    """

    slices: tuple[Slice, ...]
    overall: Estimate
    n_examined: int
    columns: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    detectable_excess: float | None

    @property
    def found(self) -> bool:
        """At least one slice is confirmed."""
        return bool(self.slices)

    @property
    def headline(self) -> Estimate:
        """Mean error of the worst slice, or of all rows if there is none."""
        return self.slices[0].error if self.slices else self.overall


RESULT = SliceErrors


def diagnose(table: EvaluationTable, options: Options) -> SliceErrors:
    """To be written."""
    raise NotApplicable(f"not written yet ({len(table)} rows, {options.metric.name})")
