"""Cutting scores into two decisions: what every threshold would have lost, from one pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Floats = NDArray[np.float64]

N_CUTS = 100


def cuts_of(scores: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Thresholds worth looking at: quantiles of all scores and of those of positive rows; ascending, distinct."""
    shares = np.linspace(0, 1, N_CUTS + 1)
    known = [np.quantile(part, shares, method="higher") for part in (scores, scores[positive]) if len(part)]
    return np.asarray(np.unique(np.concatenate(known)))


@dataclass(frozen=True)
class Cutting:
    """Rows by the thresholds that they pass.

    Parameters
    ----------
    cuts : array of shape (m,), ascending; a row is decided "yes" by every cut up to its score
    passed : int array of shape (n,), number of cuts that each row passes
    no, yes : arrays of shape (n,), what each decision loses on each row
    """

    cuts: Floats
    passed: NDArray[np.intp]
    no: Floats
    yes: Floats

    @classmethod
    def of(cls, scores: Floats, no: Floats, yes: Floats, cuts: Floats) -> Cutting:
        """Rows sorted into the gaps between cuts."""
        return cls(cuts, np.searchsorted(cuts, scores, side="right"), no, yes)

    def lost(self, at: int) -> Floats:
        """What the rows lose under one cut; shape (n,)."""
        return np.asarray(np.where(self.passed > at, self.yes, self.no))

    def sums(self, folds: NDArray[np.intp], power: int = 1) -> Floats:
        """Sum of (lost to that power) for each fold and cut; shape (n_folds, m)."""
        no, yes = (self._by_gap(part**power, folds) for part in (self.no, self.yes))
        below = np.cumsum(no, axis=1)[:, :-1]
        above = yes.sum(axis=1, keepdims=True) - np.cumsum(yes, axis=1)[:, :-1]
        return np.asarray(below + above)

    def cells(self, y: NDArray[np.intp], weight: Floats | None, folds: NDArray[np.intp]) -> Floats:
        """Confusion matrices for each fold and cut; shape (n_folds, m, 2, 2)."""
        w = np.ones(len(y)) if weight is None else weight
        found = []
        for code in (0, 1):
            gap = self._by_gap(w * (y == code), folds)
            said_no = np.cumsum(gap, axis=1)[:, :-1]
            found.append(np.stack([said_no, gap.sum(axis=1, keepdims=True) - said_no], axis=-1))
        return np.stack(found, axis=-2)

    def steady_best(self, rows: NDArray[np.bool_] | None = None) -> tuple[int, int, int]:
        """The cut that loses least on some rows, and the first and last of those that are as good within chance.

        The middle one of the cuts whose paired difference to the least lies within one standard error is taken, so
        that one lucky cut does not win; "as good" means within two.
        """
        kept = slice(None) if rows is None else rows
        passed, saved = self.passed[kept], (self.no - self.yes)[kept]
        n, m = len(passed), len(self.cuts)
        move, square = (np.cumsum(np.bincount(passed, part, minlength=m + 1)) for part in (saved, saved**2))
        best = int(np.argmin(move[:-1]))
        worse = (move - move[best])[:-1] / n
        spread = np.sqrt(np.maximum(np.abs(square - square[best])[:-1] / n - worse**2, 0.0) / n)
        near, good = (np.flatnonzero(worse <= errors * spread + 1e-12) for errors in (1, 2))
        return int(near[len(near) // 2]), int(good[0]), int(good[-1])

    def _by_gap(self, values: Floats, folds: NDArray[np.intp]) -> Floats:
        m = len(self.cuts) + 1
        n_folds = int(folds.max(initial=0)) + 1
        sums = np.bincount(folds * m + self.passed, values, minlength=n_folds * m)
        return sums.astype(np.float64).reshape(n_folds, m)


def mean_and_error(total: Floats, squares: Floats, n: int) -> tuple[Floats, Floats]:
    """Means and their standard errors from sums and sums of squares over n rows."""
    mean = total / n
    return mean, np.sqrt(np.maximum(squares / n - mean**2, 0.0) / max(n - 1, 1))
