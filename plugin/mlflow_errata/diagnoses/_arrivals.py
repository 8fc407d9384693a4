"""Arrivals: classes that no training row has, whether chance would leave them out, and whether more keep coming."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._functions import trained_rows
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.coincidence import all_among, tail
from mlflow_errata.stats.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

FEWEST_GROWING = 5
"""New classes from which their number may be said to grow."""
Moment = datetime | float


@dataclass(frozen=True)
class Arrival:
    """A class that no training row has: the model cannot name it.

    Parameters
    ----------
    label : Label
    support : int, evaluation rows
    share : Estimate, of all evaluation rows
    first : datetime, float or None, when it is first seen; None without times
    taken_for : Label or None, what its rows are predicted as most often
    beyond_chance : bool, a fair draw of as many training rows would hardly have left it out
    """

    label: Label
    support: int
    share: Estimate
    first: Moment | None
    taken_for: Label | None
    beyond_chance: bool


@dataclass(frozen=True)
class Arrivals:
    """Classes that came after the training rows.

    Parameters
    ----------
    classes : tuple of Arrival, most rows first
    expected : float, how many classes of these would be new by chance
    growing : bool, far more classes are new, and they come early and late alike
    """

    classes: tuple[Arrival, ...]
    expected: float
    growing: bool

    @property
    def found(self) -> bool:
        """A class came, or classes keep coming, beyond chance."""
        return self.growing or any(item.beyond_chance for item in self.classes)


def arrivals(table: EvaluationTable, chance: float) -> Arrivals | None:
    """Classes of the evaluation rows that the training rows do not have; None without training rows.

    If all rows were one fair draw, a class with s rows in all would have them all among the evaluation rows with the
    chance C(n_evaluation, s) / C(n, s). A class came beyond chance if that is small, over all classes; their number
    grows if more classes are new than the sum of these chances lets expect.

    Parameters
    ----------
    table : EvaluationTable of classes
    chance : float, of any alarm if all rows are one fair draw
    """
    outcomes = table.outcomes
    if table.train is None:
        return None
    before = trained_rows(table)
    now = np.bincount(outcomes.y, minlength=len(outcomes.classes))
    n_before, n_now = len(table.train.y), len(outcomes)
    by_chance = all_among(n_now, n_before + n_now, before + now)
    new = np.flatnonzero((before == 0) & (now > 0))
    if len(new) == len(outcomes.classes):  # labels of another kind in train: nothing can be said
        return None
    level = chance / 2 / max(int((now > 0).sum()), 1)
    first = {code: _first(table, code) for code in new.tolist()}
    found = [_arrival(table, code, first[code], beyond=bool(by_chance[code] <= level)) for code in new.tolist()]
    expected = float(by_chance[(before + now) > 0].sum())
    return Arrivals(
        classes=tuple(sorted(found, key=lambda item: (-item.support, str(item.label)))),
        expected=expected,
        growing=_growing(table, new, by_chance[(before + now) > 0], chance / 2),
    )


def _first(table: EvaluationTable, code: int) -> Moment | None:
    order = table.in_time_order
    rows = order[table.outcomes.y[order] == code]
    if table.times is None or len(rows) == 0:
        return None
    at: Moment = table.times[rows[0]].item()
    return at


def _arrival(table: EvaluationTable, code: int, first: Moment | None, *, beyond: bool) -> Arrival:
    outcomes = table.outcomes
    said = np.bincount(outcomes.prediction[outcomes.y == code], minlength=len(outcomes.classes))
    support, n = int(said.sum()), len(outcomes)
    return Arrival(
        label=outcomes.classes[code],
        support=support,
        share=Estimate(*wilson(support, n), n=n, unit="share of rows"),
        first=first,
        taken_for=outcomes.classes[int(said.argmax())],
        beyond_chance=beyond,
    )


def _growing(table: EvaluationTable, new: NDArray[np.intp], by_chance: NDArray[np.float64], level: float) -> bool:
    """Whether more classes are new than chance lets expect, in the older and in the newer half of the rows alike."""
    order = table.in_time_order
    if len(new) < FEWEST_GROWING or len(order) < len(table) / 2:
        return False
    position = np.full(len(table.outcomes.classes), len(order))
    np.minimum.at(position, table.outcomes.y[order], np.arange(len(order)))
    late = (position[new] >= len(order) / 2).sum()
    spread = np.sqrt((by_chance * (1 - by_chance)).sum())
    chance = tail(len(new) - 0.5, float(by_chance.sum()), float(spread))
    return bool(chance <= level and min(late, len(new) - late) > 1)
