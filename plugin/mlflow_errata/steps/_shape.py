"""The shape that every kind of next step has.

A step is a module with

    KIND: str                                                             its name in a record
    propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]
                                                                          reads results, computes no scores
    apply(train: TrainingSet, **params) -> TrainingSet                    changes a training set, fits nothing
    NOT_FOR: Mapping[Task, str]                                           tasks that it has nothing to do with, and why;
                                                                          left out where there are none

and one line in KINDS (`steps/__init__.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mlflow_errata.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Cost:
    """What a step asks for; None where it is not known.

    Parameters
    ----------
    labels : int or None, labels to review
    rows : int or None, rows to collect
    seconds : float or None, of compute to refit
    """

    labels: int | None = None
    rows: int | None = None
    seconds: float | None = field(default=None, compare=False)


@dataclass(frozen=True)
class NextStep:
    """A proposed change for the next run.

    Parameters
    ----------
    kind : str, one of KINDS
    params : mapping of JSON values, what `apply` is called with
    because : names of the diagnoses that it answers
    cost : Cost
    gain : Estimate or None, expected gain in the unit of the metric
    gain_reason : str, why there is no gain ("not tried"); empty when there is one
    gain_value : Estimate or None, expected gain in the declared business value per row
    bound : float or None, the lower bound of the gain that steps are ranked by: in value where one is declared, else in
        the unit of the metric
    pays : bool, the gain is beyond chance on the rows that judged, and worth a step
    chance_gains : float or None, chance that it gains on rows that come, which lie in another time: an interval that
        reaches below zero leaves a step that pays likely, not sure
    chance_best : float or None, chance that this step gains the most of all that were tried, "stop" among them
    """

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    gain: Estimate | None = None
    gain_reason: str = NOT_TRIED
    gain_value: Estimate | None = None
    bound: float | None = None
    pays: bool = False
    chance_gains: float | None = None
    chance_best: float | None = None


class StepKind(Protocol):
    """A module of this room."""

    KIND: str

    def propose(self, results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
        """Steps that the results ask for; empty if none."""

    def apply(self, train: TrainingSet, **params: Any) -> TrainingSet:
        """The changed training set."""
