"""The shape that every diagnosis has.

A diagnosis is a module with

    NAME: str                                                  its key in a record
    RESULT: type                                               a frozen dataclass with `found: bool` and
                                                               `headline: Estimate | None`
    diagnose(table, options: Options) -> Result                pure; raises NotApplicable("needs ...")

and one line in CATALOGUE (`diagnoses/__init__.py`), one module of the same name in `sections/` and one in
`tests/diagnoses/`. Fields of a result are str, int, float, bool, None, datetime, Estimate, tuples and frozen
dataclasses of these: what a record can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mlflow_errata.diagnoses._windows import Cut
from mlflow_errata.metric import Metric
from mlflow_errata.predicates import Predicate

if TYPE_CHECKING:
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.table import EvaluationTable

ALPHA = 0.05
"""Chance of a verdict where nothing is wrong, over everything that a diagnosis looks at."""


@dataclass(frozen=True)
class Options:
    """What a diagnosis may be told beyond the table.

    Parameters
    ----------
    metric : Metric, the user's metric
    random_state : int
    budget : float, seconds for what needs fitting; with 0 nothing is fitted
    named_slices : tuple of (name, predicates, acceptance bar or None)
    permutations : int, of the errors, from which the slice search takes its critical value; 0 for Bonferroni's
    windows : how time is cut (`_windows.cut_of`); None as fits the rows
    """

    metric: Metric
    random_state: int = 0
    budget: float = 0.0
    named_slices: tuple[tuple[str, tuple[Predicate, ...], float | None], ...] = ()
    permutations: int = 0
    windows: Cut = None


class Result(Protocol):
    """What every diagnosis returns."""

    @property
    def found(self) -> bool:
        """The verdict: there is something to act on, beyond chance."""

    @property
    def headline(self) -> Estimate | None:
        """The one number to remember; None where it cannot be estimated."""


class Diagnosis(Protocol):
    """A module of this room."""

    NAME: str
    RESULT: type[Result]

    def diagnose(self, table: EvaluationTable, options: Options) -> Result:
        """Look at a table."""
