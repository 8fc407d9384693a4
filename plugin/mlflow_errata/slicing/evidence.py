"""Evidence that slices are worse than expected, where the expectation follows what is already explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.slicing.scores import TINY, is_zero_one, tail_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.slicing.lattice import Lattice

Moments = tuple[NDArray[np.float64], ...]
Parted = tuple[int, NDArray[np.intp]]
ROOT_2 = 2**0.5
LEAST = 0.25
"""Share of the usual squares that a slice is taken to have at least."""


class Cells:
    """Cells of rows that share the same explained slices; rows of a cell have one expected error, its mean.

    Parameters
    ----------
    errors : float array of shape (n,)
    weight : float array of shape (n,), or None
    strata : int array of shape (n,), cells to begin with, 0 .. n_strata - 1; None for one
    two_sided : bool, True if less than expected counts like more; for real errors

    Attributes
    ----------
    means : float array of shape (n_cells,), mean error of every cell
    """

    def __init__(
        self,
        errors: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        strata: NDArray[np.intp] | None = None,
        *,
        two_sided: bool = False,
    ) -> None:
        self.errors, self.weight, self.two_sided = errors, weight, two_sided
        self.zero_one = weight is None and not two_sided and is_zero_one(errors)
        self.of = np.zeros(len(errors), dtype=np.intp) if strata is None else strata.astype(np.intp)
        self.n_cells = int(self.of.max(initial=0)) + 1
        self.means = self._means()

    def _means(self) -> NDArray[np.float64]:
        w = self.weight
        total = np.bincount(self.of, w, minlength=self.n_cells)
        amount = np.bincount(self.of, self.errors if w is None else w * self.errors, minlength=self.n_cells)
        return np.asarray(amount / np.where(total > 0, total, 1))

    def explain(self, rows: NDArray[np.intp]) -> list[Parted]:
        """Give some rows means of their own; returns (cell that they leave, rows) of each new cell."""
        parted = []
        for cell in np.unique(self.of[rows]):
            inside = rows[self.of[rows] == cell]
            self.of[inside] = self.n_cells
            self.n_cells += 1
            parted.append((int(cell), inside))
        self.means = self._means()
        return parted

    def sums(self, rows: NDArray[np.intp]) -> tuple[float, float]:
        """(observed, expected) errors of some rows, weighted."""
        w = np.ones(len(rows)) if self.weight is None else self.weight[rows]
        return float((w * self.errors[rows]).sum()), float((w * self.means[self.of[rows]]).sum())

    def evidence(self, rows: NDArray[np.intp]) -> float:
        """Evidence of any slice, from its rows."""
        if self.zero_one:
            rate, spread = self._expected(rows)
            return float(_root(len(rows), self.errors[rows].sum(), rate, spread))
        residual = self.residuals()
        inside, n = residual[rows], np.array(float(len(rows)))
        squares = np.array((inside**2).sum())
        found = float(_studentised(n, inside.sum(), squares, residual))
        return abs(found) if self.two_sided else found

    def residuals(self) -> NDArray[np.float64]:
        """Weighted error minus expected error of every row."""
        residual = self.errors - self.means[self.of]
        return np.asarray(residual if self.weight is None else self.weight * residual)

    def needed(self, rows: NDArray[np.intp], bar: float) -> int | None:
        """Fewest errors among some rows whose evidence passes a bar; None for real errors."""
        if not self.zero_one:
            return None
        n = len(rows)
        rate, spread = self._expected(rows)
        at = np.arange(min(int(rate * n), n), n + 1)
        return int(at[np.searchsorted(_root(n, at, rate, spread), bar, side="right")])

    def _expected(self, rows: NDArray[np.intp]) -> tuple[float, float]:
        """Expected share of errors, and its variance over the binomial one."""
        mean = self.means[self.of[rows]]
        n, rate = len(rows), float(mean.mean())
        drawn = 1 - n / (len(self.errors) + 1)
        return rate, drawn * float((mean * (1 - mean)).sum()) / max(n * rate * (1 - rate), TINY)


def _root(n: int, observed: NDArray[Any], rate: float, spread: float) -> NDArray[np.float64]:
    return tail_root(np.array(float(n)), np.asarray(observed, dtype=np.float64), rate, np.array(spread))


def _studentised(
    n: NDArray[np.float64], total: NDArray[np.float64], squares: NDArray[np.float64], residual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sums of residuals over the root of the sum of their squares, on the smaller side of the slice.

    A few large errors among the rows left out could fake evidence as well as a few among those inside; and so could
    rows that happen to have all the same error, so the squares count for a quarter of the usual at least (of squares
    cut at their 99th percentile).
    """
    n_all, square = len(residual), residual**2
    usual = float(np.minimum(square, np.quantile(square, 0.99)).mean())
    few = n <= n_all / 2
    side = np.maximum(np.where(few, squares, square.sum() - squares), LEAST * usual * np.where(few, n, n_all - n))
    spread = side * np.where(few, 1 - n / (n_all + 1), n / (n_all + 1))
    return np.asarray(np.where(spread > 0, total / np.sqrt(np.where(spread > 0, spread, 1)), 0.0))


EVERY = slice(None)
AT_ONCE = 2**14
"""Slices whose evidence is computed at once, so that what it takes stays in the cache."""


class Standing:
    """Evidence of every slice of a lattice, kept up while slices are explained.

    Errors of 0 and 1 without weights: the signed root of the binomial likelihood ratio of the observed against the
    expected errors, rescaled to the variance of a draw without replacement and moved to the tail of a count. Real
    errors: the sum of residuals over the root of the sum of their squares, inside or outside, whichever has fewer rows
    (self-normalised, so a few large errors cannot fake evidence).
    """

    def __init__(self, lattice: Lattice, cells: Cells) -> None:
        self.lattice, self.cells = lattice, cells
        errors, w = cells.errors, cells.weight
        erring = np.flatnonzero(errors)
        amount = None if cells.zero_one else errors[erring] if w is None else (w * errors)[erring]
        self.observed = lattice.sums(erring, amount)
        self.squares = None if amount is None else lattice.sums(erring, amount**2)
        rest = self._moments([np.flatnonzero(cells.of == cell) for cell in range(1, cells.n_cells)])
        whole = self._whole()
        self.moments = [tuple(each - sum(others) for each, *others in zip(whole, *rest, strict=True)), *rest]

    def _whole(self) -> Moments:
        """`_moments` of all rows."""
        w, errors, lattice = self.cells.weight, self.cells.errors, self.lattice
        mass = lattice.support.astype(np.float64) if w is None else lattice.sums(None, w)
        if self.cells.zero_one:
            return (mass,)
        if w is None:
            return mass, mass, self.observed
        return mass, lattice.sums(None, w**2), lattice.sums(None, w**2 * errors)

    def _moments(self, parts: Sequence[NDArray[np.intp]]) -> list[Moments]:
        """Over every slice, for each of some sets of rows: sums of w; for real errors also of w^2 and w^2 error."""
        w, errors, sums = self.cells.weight, self.cells.errors, self.lattice.sums_of_parts
        mass = sums(parts, None if w is None else [w[rows] for rows in parts])
        if self.cells.zero_one:
            return [(each,) for each in mass]
        heavy = mass if w is None else sums(parts, [w[rows] ** 2 for rows in parts])
        erring = sums(parts, [errors[rows] if w is None else w[rows] ** 2 * errors[rows] for rows in parts])
        return list(zip(mass, heavy, erring, strict=True))

    def only(self, chosen: NDArray[np.intp]) -> Standing:
        """The standing of some of the slices."""
        found = Standing.__new__(Standing)
        found.lattice, found.cells = self.lattice.only(chosen), self.cells
        found.observed = self.observed[chosen]
        found.squares = None if self.squares is None else self.squares[chosen]
        found.moments = [tuple(each[chosen] for each in moments) for moments in self.moments]
        return found

    def explain(self, rows: NDArray[np.intp]) -> None:
        """Give some rows means of their own; `rows` ascends."""
        self.part(self.cells.explain(rows))

    def part(self, parted: Sequence[Parted]) -> list[Moments]:
        """Follow the cells: (cell that they leave, rows) of each new cell; returns the moments of each."""
        leaving = self._moments([inside for _, inside in parted])
        for (cell, _), moments in zip(parted, leaving, strict=True):
            self.moments[cell] = tuple(a - b for a, b in zip(self.moments[cell], moments, strict=True))
        self.moments += leaving
        return leaving

    def support_of(self, parts: Sequence[Parted], moments: Sequence[Moments]) -> NDArray[np.float64]:
        """Rows of every slice in some parts together, of which the moments are known."""
        if self.cells.weight is None:
            return np.asarray(np.sum([mass for mass, *_ in moments], axis=0, initial=0.0))
        return np.asarray(self.lattice.sums_of_parts([inside for _, inside in parts]).sum(axis=0))

    def parts(
        self, of: slice = EVERY
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(rows, observed errors, expected errors, variance or sum of squared residuals) of every slice, or of some.

        Slices that share no rows add up in all four.
        """
        means = self.cells.means
        n = self.lattice.support[of].astype(np.float64)
        expected, spread = np.zeros(len(n)), np.zeros(len(n)) if self.squares is None else self.squares[of].copy()
        for mean, moments in zip(means, self.moments, strict=True):
            mass = moments[0][of]
            expected += mean * mass
            if self.squares is None:
                spread += mean * (1 - mean) * mass
            else:
                spread += mean**2 * moments[1][of] - 2 * mean * moments[2][of]
        return n, self.observed[of], expected, spread

    def evidence(self, least: float = 0.0) -> NDArray[np.float64]:
        """Evidence of every slice; below `least` any lower number may stand."""
        found = np.empty(len(self.lattice))
        for start in range(0, len(found), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            found[some] = self.evidence_of(*self.parts(some), least=least)
        return found

    def evidence_of(
        self,
        n: NDArray[np.float64],
        observed: NDArray[np.float64],
        expected: NDArray[np.float64],
        spread: NDArray[np.float64],
        *,
        least: float = 0.0,
    ) -> NDArray[np.float64]:
        """Evidence of slices by their `parts`; below `least` any lower number may stand."""
        if self.squares is not None:
            found = _studentised(n, observed - expected, spread, self.cells.residuals())
            return np.abs(found) if self.cells.two_sided else found
        drawn = 1 - n / (len(self.cells.errors) + 1)
        variance = np.maximum(spread, TINY)
        z = (observed - expected) / np.sqrt(variance * drawn)
        # the divergence is at most its chi-square, so the signed root is at most sqrt(2) z: few slices need a logarithm
        at = np.flatnonzero(z * ROOT_2 >= least)
        rate = expected[at] / n[at]
        binomial = np.maximum(n[at] * rate * (1 - rate), TINY)
        z[at] = tail_root(n[at], observed[at], rate, drawn[at] * variance[at] / binomial)
        return z
