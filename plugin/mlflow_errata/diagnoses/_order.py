"""Ordered classes: whether what is wrong is wrong by little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.coincidence import tail
from mlflow_errata.stats.communities import distance_apart
from mlflow_errata.stats.confusion import confusion
from mlflow_errata.stats.intervals import mean_interval

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable

FEWEST_WRONG = 30
NEARER = 0.85
"""Of the distance that chance makes, what wrong rows must not be apart by more than."""


@dataclass(frozen=True)
class ClassOrder:
    """Classes in their order, and how far apart in it wrong rows fall.

    Parameters
    ----------
    classes : tuple of labels, from first to last
    told_by : str, "numbers", "categories", or the column whose ranges the classes are
    apart : Estimate, places between the class of a wrong row and what it is taken for, mean
    chance : float, what it would be if wrong rows fell on other classes by popularity alone
    found : bool, they are far nearer than by chance
    """

    classes: tuple[Label, ...]
    told_by: str
    apart: Estimate
    chance: float
    found: bool


def class_order(table: EvaluationTable, cut: tuple[str, tuple[int, ...]] | None, chance: float) -> ClassOrder | None:
    """The order of three classes or more, where there is one, and whether what is wrong follows it.

    Parameters
    ----------
    table : EvaluationTable of a multiclass task
    cut : (column, codes in its order) where the classes are ranges of a column, or None
    chance : float, of being found where wrong rows follow popularity alone
    """
    known = _order(table, cut)
    outcomes = table.outcomes
    wrong = outcomes.y != outcomes.prediction
    if known is None or len(known[1]) < 3 or wrong.sum() < FEWEST_WRONG:  # noqa: PLR2004 - two have no middle
        return None
    told_by, order = known
    place = np.full(len(outcomes.classes), -1)
    place[list(order)] = np.arange(len(order))
    y, said = place[outcomes.y[wrong]], place[outcomes.prediction[wrong]]
    both = (y >= 0) & (said >= 0)
    if both.sum() < FEWEST_WRONG:
        return None
    mean, expected, spread = distance_apart(confusion(y[both], said[both], len(order)))
    apart = mean_interval(np.abs(y[both] - said[both]).astype(np.float64))
    return ClassOrder(
        classes=tuple(outcomes.classes[code] for code in order),
        told_by=told_by,
        apart=Estimate(*apart, n=int(both.sum()), unit="places"),
        chance=expected,
        found=bool(spread > 0 and mean <= NEARER * expected and tail(expected, mean, spread) <= chance),
    )


def _order(table: EvaluationTable, cut: tuple[str, tuple[int, ...]] | None) -> tuple[str, list[int]] | None:
    """Who tells the order, and the codes of the classes in it."""
    classes = table.outcomes.classes
    kind = table.frame[table.roles.label].dtype
    if isinstance(kind, pd.CategoricalDtype) and kind.ordered:
        place = {str(label): at for at, label in enumerate(kind.categories)}
        return "categories", sorted(range(len(classes)), key=lambda code: place.get(str(classes[code]), len(place)))
    if cut is not None:
        return cut[0], list(cut[1])
    if all(isinstance(label, int | float) and not isinstance(label, bool) for label in classes):
        return "numbers", sorted(range(len(classes)), key=lambda code: float(classes[code]))
    return None
