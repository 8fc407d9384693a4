"""Earlier periods: training rows as the model answers them when fitted on what came before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata import fitting
from mlflow_errata.metric import Outcomes
from mlflow_errata.model import ask
from mlflow_errata.trials.judges import FEWEST_RARE

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

PARTS = 4
"""Equal parts of the training rows, oldest first; the newer half of them is answered, part by part."""
PERIODS = 8


@dataclass(frozen=True)
class Earlier:
    """The newer half of the training rows, none of which the model had seen that answers it.

    Parameters
    ----------
    frame : DataFrame of the rows' features, oldest first
    outcomes : Outcomes, decided as the evaluation rows are
    groups : int array of shape (n,), the period of each row, PERIODS of them
    """

    frame: pd.DataFrame
    outcomes: Outcomes
    groups: NDArray[np.intp]


def earlier_periods(
    table: EvaluationTable, train: TrainingSet, estimator: Any, outer: float | None = None
) -> Earlier | None:
    """The training rows of the last two of PARTS, answered by clones fitted on all parts before.

    Decisions are cut at `outer`, where it is not the model that cuts them. None where rows have no times, where a clone
    gives no probabilities of the two classes, or where there are fewer than FEWEST_RARE rows of the rarer class.
    """
    if train.time is None or table.task != "binary" or pd.isna(train.time).any():
        return None
    rows = train.take(np.argsort(train.time, kind="stable"))
    ends = np.arange(PARTS // 2, PARTS + 1) * len(rows.y) // PARTS
    said = []
    for start, end in itertools.pairwise(ends.tolist()):
        older, newer = rows.take(np.arange(start)), rows.take(np.arange(start, end))
        fitted = fitting.fit(fitting.unfitted(estimator, one_thread=True), older)
        output = ask(fitted, newer.X, table.features)
        if output.scores is None or output.classes is None or set(output.classes) != set(table.outcomes.classes):
            return None
        said.append((output.scores[:, output.classes.index(table.outcomes.classes[1])], output.prediction))
    judged = rows.take(np.arange(ends[0], ends[-1]))
    y = (judged.y.to_numpy() == table.outcomes.classes[1]).astype(np.intp)
    if np.bincount(y, minlength=2).min() < FEWEST_RARE:
        return None
    positive = np.concatenate([scores for scores, _ in said])
    decided = np.concatenate([prediction for _, prediction in said]) == table.outcomes.classes[1]
    decided = decided if outer is None else positive >= outer
    outcomes = Outcomes(
        "binary",
        table.outcomes.classes,
        y,
        decided.astype(np.intp),
        np.column_stack([1 - positive, positive]),
        judged.weight,
    )
    return Earlier(judged.X, outcomes, np.arange(len(y)) * PERIODS // len(y))
