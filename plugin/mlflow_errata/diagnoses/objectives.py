"""Objectives: whether scores of their own for each objective, weighted, bring more than the score in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._mixes import Swept, sweep
from mlflow_errata.errors import NotApplicable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.objectives import Objectives
    from mlflow_errata.table import EvaluationTable

NAME = "objectives"


@dataclass(frozen=True)
class ObjectivesSwept:
    """Weights of several scores, swept on logged rows.

    Parameters
    ----------
    sweep : Swept
    """

    sweep: Swept

    @property
    def found(self) -> bool:
        """A mix chosen on other rows brings more than the score in use, beyond chance."""
        return self.sweep.chosen.gain.low > 0

    @property
    def headline(self) -> Estimate:
        """What the choice of weights gains over the score in use, judged on rows that did not choose."""
        return self.sweep.chosen.gain


RESULT = ObjectivesSwept


def diagnose(table: EvaluationTable, options: Options) -> ObjectivesSwept:  # noqa: ARG001 - the shared shape
    """Weigh logged scores against each other and against the score in use, without training anything.

    Raises
    ------
    NotApplicable
        Without objectives; without a score in use; with too few rows at the top.
    """
    if table.objectives is None:
        raise NotApplicable("needs objectives (objectives=...)")
    wanted = table.objectives
    found = wanted.numbers(table.frame)
    return ObjectivesSwept(
        sweep(found, wanted, _current(table, wanted), codes(table.frame, wanted.group), codes(table.frame, wanted.unit))
    )


def _current(table: EvaluationTable, wanted: Objectives) -> tuple[str, NDArray[np.float64]]:
    """The score in use: as named, or that of the run."""
    if wanted.current is not None:
        return wanted.current, table.frame[wanted.current].to_numpy(dtype=np.float64)
    outcomes = table.outcomes
    if outcomes.task == "binary" and outcomes.scores is not None:
        name = table.roles.scores[-1] if table.roles.scores else "the model's score"
        return name, outcomes.scores[:, -1]
    if outcomes.task == "regression":
        return table.roles.prediction or "the model's prediction", outcomes.prediction.astype(np.float64)
    raise NotApplicable("needs the score in use (objectives.current)")


def codes(frame: pd.DataFrame, column: str | None) -> NDArray[np.intp] | None:
    """A column as codes 0 .. n-1 in the order of its values, missing ones as one more; None without a column."""
    if column is None:
        return None
    found, values = pd.factorize(frame[column], sort=True)
    return np.where(found < 0, len(values), found).astype(np.intp)
