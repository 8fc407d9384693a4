"""Rankings judged: what the rows taken from each list bring, and how sure each figure and each difference is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.estimate import Estimate
from mlflow_errata.objectives import Measure
from mlflow_errata.stats.intervals import influence_interval
from mlflow_errata.stats.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

LEVEL = 0.95
DIGITS = 7


@dataclass(frozen=True)
class Seen:
    """What a ranking brings.

    Parameters
    ----------
    credit : float array of shape (n_rows,), how far each row is taken, or its discount
    cut : float array of shape (n_outcomes, n_lists) or None, mean outcome of rows near the last one taken
    worth : float array of shape (n_rows,), what each row brings of the last outcome
    values : float array of shape (n_outcomes,)
    moved : float array of shape (n_outcomes, n_units): by how much each unit moves the value (its influence)
    """

    credit: Floats = field(repr=False)
    cut: Floats | None = field(repr=False)
    worth: Floats = field(repr=False)
    values: Floats
    moved: Floats = field(repr=False)


@dataclass(frozen=True)
class Judge:
    """Outcomes of rows in lists, by one measure.

    A measure is sum(credit * gain) / sum(part). Where units are whole lists, the influence of a unit is that of a ratio
    of two sums. Where lists are few and units are rows (or customers in several lists), the last place moves with the
    rows too: each row taken beyond the share that is taken pushes out one that is worth what rows near the last place
    are.

    Parameters
    ----------
    lists : Lists
    measure : "share", "mean" or "ndcg"
    gain, part : float arrays of shape (n_outcomes, n_rows)
    unit : int array of shape (n_rows,), what is drawn independently, 0 .. n_units-1; None for rows
    nested : bool, every list lies within one unit
    """

    lists: Lists = field(repr=False)
    measure: Measure
    gain: Floats = field(repr=False)
    part: Floats = field(repr=False)
    unit: Codes | None = field(repr=False)
    nested: bool

    @classmethod
    def made(cls, lists: Lists, outcomes: Sequence[Floats], measure: Measure, unit: Codes | None) -> Judge:
        """A judge of some outcomes; `unit` is None for rows."""
        gain = np.array(outcomes)
        size = np.bincount(lists.of)
        if measure == "share":
            part = gain
        elif measure == "mean":
            part = np.broadcast_to(lists.share, gain.shape)
        else:
            most = np.array([np.bincount(lists.of, lists.discounts(each) * each) for each in gain])
            scale = np.divide(1.0, most, out=np.zeros_like(most), where=most > 0)
            gain = gain * scale[:, lists.of]
            part = ((most > 0) / size)[:, lists.of]
        return cls(lists, measure, gain, part, unit, _within(lists.of, unit))

    @cached_property
    def total(self) -> Floats:
        """Sum of the parts; shape (n_outcomes,)."""
        return np.asarray(self.part.sum(axis=1), dtype=np.float64)

    @cached_property
    def n_units(self) -> int:
        """Units that are drawn independently."""
        return len(self.lists.of) if self.unit is None else int(self.unit.max()) + 1

    def folds(self, scores: Sequence[Floats], n_folds: int) -> Codes:
        """The fold of each row, whatever their order: units are never cut, rows are dealt by score; shape (n_rows,)."""
        if self.unit is not None:
            return self.unit % n_folds
        dealt = np.empty(len(self.lists.of), dtype=np.intp)
        dealt[np.lexsort([*scores, self.lists.of])] = np.arange(len(dealt)) % n_folds
        return dealt

    def by_fold(self, seen: Seen, fold: Codes, n_folds: int) -> Floats:
        """What the rows of each fold bring of the last outcome; shape (n_folds,)."""
        return np.asarray(np.bincount(fold, seen.worth, minlength=n_folds), dtype=np.float64)

    def seen(self, scores: Floats) -> Seen:
        """What a ranking by scores brings."""
        if self.measure == "ndcg":
            return self.of_credit(self.lists.discounts(scores), None)
        if self.nested:
            return self.of_credit(self.lists.taken(scores), None)
        credit, near = self.lists.taken_and_near(scores)
        if self.lists.n_lists == 1:
            return self.of_credit(credit, self.gain[:, near].mean(axis=1)[:, None])
        of = self.lists.of[near]
        cut = np.array([np.bincount(of, each[near]) for each in self.gain]) / np.bincount(of)
        return self.of_credit(credit, cut[:, self.lists.of])

    def of_credit(self, credit: Floats, cut: Floats | None) -> Seen:
        """The same from credits, and from the mean outcome at the last place (by row, or of all)."""
        moved = self.brought(credit, cut)
        worth, values = moved[-1].copy(), moved.sum(axis=1) / self.total
        moved -= values[:, None] * self.part
        if self.unit is not None:
            moved = np.array([np.bincount(self.unit, each, minlength=self.n_units) for each in moved])
        moved /= self.total[:, None]
        return Seen(credit, cut, worth, values, moved)

    def brought(self, credit: Floats, cut: Floats | None) -> Floats:
        """What each row brings, less what it pushes out; shape (n_outcomes, n_rows).

        Of all rows of a ranking no more are taken than there are places, so that nothing is pushed out on balance. Of
        some of its rows, as a choice on the others sees them, more may be.
        """
        brought = credit * self.gain
        if cut is not None:
            brought -= cut * (credit - self.lists.share)
        return np.asarray(brought, dtype=np.float64)

    def mixed(self, parts: Sequence[Seen], fold: Codes) -> Seen:
        """A ranking that follows another one in every fold of the rows."""
        credit = np.choose(fold, [each.credit for each in parts])
        if parts[0].cut is None:
            return self.of_credit(credit, None)
        shape = self.gain.shape
        cuts = [np.broadcast_to(np.zeros(1) if each.cut is None else each.cut, shape) for each in parts]
        return self.of_credit(credit, np.array([np.choose(fold, [cut[at] for cut in cuts]) for at in range(shape[0])]))

    def estimates(self, seen: Seen, units: Sequence[str], against: Seen | None = None) -> tuple[Estimate, ...]:
        """Values with their intervals; or by how much they are above those of another ranking, paired."""
        values = seen.values if against is None else seen.values - against.values
        moved = seen.moved if against is None else seen.moved - against.moved
        squares = np.einsum("ij,ij->i", moved, moved)
        return tuple(self._estimate(*each) for each in zip(values, squares, units, strict=True))

    def _estimate(self, value: float, squares: float, unit: str) -> Estimate:
        found = influence_interval(value, squares, self.n_units, level=LEVEL)
        middle, low, high = (float(f"{end:.{DIGITS}g}") for end in found)
        return Estimate(middle, low, high, n=self.n_units, unit=unit, level=LEVEL)


def _within(of: Codes, unit: Codes | None) -> bool:
    """Whether every list lies within one unit."""
    return unit is not None and bool((unit == unit[np.unique(of, return_index=True)[1]][of]).all())
