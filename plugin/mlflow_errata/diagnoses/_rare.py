"""Classes too rare to learn: few training rows, and recalled worse than the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._functions import trained_rows
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import difference, wilson

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable

LEARNABLE = 30
"""Training rows from which a class is given a chance to be learned."""
WORTH_A_LOOK = 0.05
"""Recall that rare classes must fall short of the others by, beside being beyond chance."""


@dataclass(frozen=True)
class RareClass:
    """A class with hardly any training rows.

    Parameters
    ----------
    label : Label
    trained, support : int, training and evaluation rows
    right : int, evaluation rows that are told right
    """

    label: Label
    trained: int
    support: int
    right: int


@dataclass(frozen=True)
class TooRare:
    """Classes with fewer than 30 training rows, taken together.

    Parameters
    ----------
    classes : tuple of RareClass, fewest training rows first; one at least
    recall : Estimate or None without evaluation rows, of all of them together
    others : Estimate or None, recall of the classes with more training rows
    found : bool, they are recalled worse, beyond chance
    """

    classes: tuple[RareClass, ...]
    recall: Estimate | None
    others: Estimate | None
    found: bool

    @property
    def missing(self) -> int:
        """Training rows that would bring every class to 30."""
        return sum(LEARNABLE - item.trained for item in self.classes)


def too_rare(table: EvaluationTable, chance: float) -> TooRare | None:
    """Classes with training rows, but too few; None where there are none.

    Parameters
    ----------
    table : EvaluationTable of classes
    chance : float, of being found where they are recalled as well as the others
    """
    if table.train is None:
        return None
    outcomes, k = table.outcomes, len(table.outcomes.classes)
    n = trained_rows(table)
    rare = (n > 0) & (n < LEARNABLE)
    support = np.bincount(outcomes.y, minlength=k)
    right = np.bincount(outcomes.y[outcomes.y == outcomes.prediction], minlength=k)
    if not rare.any() or not (n >= LEARNABLE).any():
        return None
    order = sorted(np.flatnonzero(rare).tolist(), key=lambda code: (n[code], str(outcomes.classes[code])))
    sides = [(int(right[part].sum()), int(support[part].sum())) for part in (rare, n >= LEARNABLE)]
    found = False
    if all(rows for _, rows in sides):
        pair = [wilson(*side, level=1 - chance) for side in sides]
        gap, _, high = difference(pair[1], pair[0])
        found = gap <= -WORTH_A_LOOK and high < 0
    recall, others = (Estimate(*wilson(hits, rows), n=rows, unit="recall") if rows else None for hits, rows in sides)
    classes = tuple(RareClass(outcomes.classes[at], int(n[at]), int(support[at]), int(right[at])) for at in order)
    return TooRare(classes, recall, others, found)
