"""One question in two framings: a number, and the classes that it is cut into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._functions import Cut, cut_into, levels_of, number_of, unseen_columns
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import wilson
from mlflow_errata.stats.roc import roc_interval

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable

MOST_CLASSES = 12
"""Levels of a column beyond which it is no set of classes of the number."""


@dataclass(frozen=True)
class NumberBehind:
    """A column of numbers that the classes of the label are ranges of.

    Parameters
    ----------
    column : str
    cuts : tuple of float, ascending: class i holds the numbers above cut i-1, up to cut i
    classes : tuple of labels, from the smallest numbers to the largest
    known : float, share of the rows in which the number is known
    """

    column: str
    cuts: tuple[float, ...]
    classes: tuple[Label, ...]
    known: float


@dataclass(frozen=True)
class Question:
    """Classes of a number that is the label: what a classifier could answer beside the regression.

    Parameters
    ----------
    column : str, the column that holds the classes
    cuts : tuple of float, ascending
    classes : tuple of levels, from the smallest numbers to the largest
    asked : float, the cut that both framings are compared at: label > asked
    share : Estimate, of the rows above it
    told : Estimate or None, ROC AUC of the predicted number for that question
    """

    column: str
    cuts: tuple[float, ...]
    classes: tuple[Label, ...]
    asked: float
    share: Estimate
    told: Estimate | None

    @property
    def name(self) -> str:
        """The question in short: above 150."""
        return f"above {self.asked:g}"


def number_behind(table: EvaluationTable) -> NumberBehind | None:
    """The first column of numbers, not seen by the model, that the classes are ranges of."""
    names = unseen_columns(table)
    for name in names:
        number = number_of(table.frame[name])
        cut = None if number is None else cut_into(number, table.outcomes.y, len(names))
        if number is not None and cut is not None:
            classes = tuple(table.outcomes.classes[code] for code in cut.order)
            return NumberBehind(name, cut.cuts, classes, float(np.isfinite(number).mean()))
    return None


def codes_in_order(table: EvaluationTable, behind: NumberBehind | None) -> tuple[str, tuple[int, ...]] | None:
    """The column and the codes of its classes, smallest numbers first."""
    if behind is None:
        return None
    return behind.column, tuple(table.outcomes.classes.index(label) for label in behind.classes)


def questions(table: EvaluationTable) -> tuple[Question, ...]:
    """Columns of few levels, not seen by the model, that are ranges of the label.

    All are asked at one cut where it can be: the first column's, the one that parts the rows most evenly.
    """
    names, y = unseen_columns(table), table.outcomes.y
    found: list[tuple[str, Cut, list[Label]]] = []
    for name in names:
        levels = levels_of(table.frame[name], MOST_CLASSES)
        cut = None if levels is None else cut_into(y, levels[0], len(names))
        if levels is not None and cut is not None:
            found.append((name, cut, levels[1]))
    found.sort(key=lambda item: len(item[1].cuts))
    first = min(found[0][1].cuts, key=lambda cut: abs(float((y > cut).mean()) - 1 / 2)) if found else 0.0
    return tuple(_question(table, name, cut, levels, first) for name, cut, levels in found)


def _question(table: EvaluationTable, name: str, cut: Cut, levels: list[Label], first: float) -> Question:
    outcomes, n = table.outcomes, len(table)
    same = [at for at in cut.cuts if ((outcomes.y > at) == (outcomes.y > first)).all()]
    asked = same[0] if same else min(cut.cuts, key=lambda at: abs(float((outcomes.y > at).mean()) - 1 / 2))
    above = outcomes.y > asked
    told = roc_interval(outcomes.prediction, above, outcomes.weight)
    return Question(
        column=name,
        cuts=cut.cuts,
        classes=tuple(levels[code] for code in cut.order),
        asked=asked,
        share=Estimate(*wilson(int(above.sum()), n), n=n, unit="share of rows"),
        told=None if told is None else Estimate(*told, n=n, unit="roc_auc"),
    )
