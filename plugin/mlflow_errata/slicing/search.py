"""Evidence for a slice, and the search that confirms one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri, xlogy

if TYPE_CHECKING:
    from mlflow_errata.slicing.lattice import Lattice

MOST_SLICES = 20
"""Slices confirmed at most; a reader stops earlier."""
WORSE = 1.96
"""Evidence that a slice is worse than the rows outside, before anything is explained away."""
MOST_COVERED = 1 / 3
"""Share of a slice's rows that may belong to slices confirmed before it."""
EARNED = 1.5
"""Factor on the squared evidence by which a slice of two predicates must beat the best slice of one."""


@dataclass(frozen=True)
class Confirmed:
    """A slice that passed.

    Parameters
    ----------
    index : int, its place in the lattice
    rows : int array, positions of its rows
    evidence : float, signed root of the statistic, standard normal without an effect
    p_value : float, one-sided, before the correction
    observed, expected : float, errors inside, and errors that the slices before it leave to be expected there
    """

    index: int
    rows: NDArray[np.intp]
    evidence: float
    p_value: float
    observed: float
    expected: float


@dataclass(frozen=True)
class Search:
    """What a search found and how far it looked.

    Parameters
    ----------
    confirmed : tuple of Confirmed, in the order of confirmation
    n_examined : int, slices with enough rows inside and outside: what the correction divides by
    critical : float, evidence that a slice needs: the normal quantile of alpha / n_examined
    median_support : float, rows of the median slice examined
    """

    confirmed: tuple[Confirmed, ...]
    n_examined: int
    critical: float
    median_support: float


def confirm(
    lattice: Lattice,
    errors: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    min_support: int,
    alpha: float = 0.05,
) -> Search:
    """Confirm slices with more errors than expected, family-wise at `alpha`, each beyond those before it.

    The best slice is confirmed if its evidence passes Bonferroni over all slices examined; then its rows get their own
    expected error (the mean of the cell of rows that share the same confirmed slices) and the search starts again, so a
    slice that only mirrors a confirmed one is not reported. A slice must also be worse than the rows outside as it
    stands (beyond its own 95 % interval), and at least two thirds of its rows must be new. A second predicate has to
    earn its place: a slice of two is preferred to the best slice of one only if it raises the squared evidence by half,
    and by more than the correction asks of a slice.

    Parameters
    ----------
    lattice : Lattice over n_rows
    errors : float array of shape (n_rows,)
    weight : float array of shape (n_rows,), or None
    min_support : int, rows needed inside and outside
    alpha : float, family-wise error rate

    Notes
    -----
    Errors of 0 and 1 without weights: evidence is the signed root of the binomial likelihood ratio of the observed
    against the expected errors, rescaled to the variance of a draw without replacement. Real errors: the sum of
    residuals over the root of the sum of their squares (self-normalised, so a few large errors cannot fake evidence).
    """
    n = len(errors)
    support = lattice.sums(lattice.histogram())
    examined = (support >= min_support) & (support <= n - min_support)
    n_examined = int(examined.sum())
    if n_examined == 0:
        return Search((), 0, float("inf"), 0.0)
    critical = float(-ndtri(alpha / n_examined))
    zero_one = weight is None and bool(np.isin(errors, (0.0, 1.0)).all())
    model = (_ZeroOne if zero_one else _Real)(lattice, errors, weight, support)
    confirmed: list[Confirmed] = []
    worse = examined & (model.evidence() > WORSE)
    covered, is_covered = np.zeros(len(lattice)), np.zeros(n, dtype=bool)
    while len(confirmed) < MOST_SLICES:
        evidence = np.where(worse & (covered <= support * MOST_COVERED), model.evidence(), -np.inf)
        index = _best(lattice, evidence, support, critical)
        if not evidence[index] > critical:
            break
        rows = lattice.rows(index)
        observed, expected = float(model.errors[rows].sum()), float(model.expected[rows].sum())
        z = float(evidence[index])
        confirmed.append(Confirmed(index, rows, z, float(np.exp(log_ndtr(-z))), observed, expected))
        model.explain(rows)
        new = rows[~is_covered[rows]]
        covered += lattice.sums(lattice.histogram(new))
        is_covered[new] = True
    return Search(tuple(confirmed), n_examined, critical, float(np.median(support[examined])))


def _best(lattice: Lattice, evidence: NDArray[np.float64], support: NDArray[np.float64], critical: float) -> int:
    """The slice with the most evidence, one predicate unless a second one earns its place.

    Ties fall to more rows, then to the earlier slice.
    """
    single = int((lattice.depth == 1).sum())
    one, two = (
        start + _top(evidence[start:stop], support[start:stop]) if stop > start else -1
        for start, stop in ((0, single), (single, len(evidence)))
    )
    if two < 0 or (one >= 0 and evidence[one] >= evidence[two]):
        return one
    best_single = max(float(evidence[one]), 0.0) ** 2 if one >= 0 else 0.0
    earned = evidence[two] ** 2 > max(best_single + critical**2, EARNED * best_single)
    return two if earned or best_single <= critical**2 else one


def _top(evidence: NDArray[np.float64], support: NDArray[np.float64]) -> int:
    ties = np.flatnonzero(evidence == evidence.max())
    return int(ties[support[ties].argmax()])


class _ZeroOne:
    """Errors of 0 and 1: cells of rows that share the same confirmed slices, each with its own error rate."""

    def __init__(
        self,
        lattice: Lattice,
        errors: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        support: NDArray[np.float64],
    ) -> None:
        del weight
        self.lattice, self.errors, self.support = lattice, errors, support
        self.observed = lattice.sums(lattice.histogram(np.flatnonzero(errors)))
        self.cell = np.zeros(len(errors), dtype=np.intp)
        self.counts = [support]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Error rate of every cell."""
        rows = np.bincount(self.cell, minlength=len(self.counts))
        return np.bincount(self.cell, self.errors, minlength=len(self.counts)) / np.maximum(rows, 1)

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected error of every row."""
        return self.rates[self.cell]

    def evidence(self) -> NDArray[np.float64]:
        """Signed-root likelihood ratio of every slice."""
        rates = self.rates
        n = np.maximum(self.support, 1)
        expected = sum((rate * count for rate, count in zip(rates, self.counts, strict=True)), np.zeros(len(n)))
        spread = sum(
            (rate * (1 - rate) * count for rate, count in zip(rates, self.counts, strict=True)), np.zeros(len(n))
        )
        spread = np.maximum(spread * (1 - n / (len(self.errors) + 1)), 1e-12)
        p = np.clip(expected / n, 1e-12, 1 - 1e-12)
        o = np.minimum(self.observed, n)
        ratio = xlogy(o, o / n / p) + xlogy(n - o, (1 - o / n) / (1 - p))
        ratio *= n * p * (1 - p) / spread
        return np.asarray(np.sign(o - expected) * np.sqrt(2 * np.maximum(ratio, 0)), dtype=np.float64)

    def explain(self, rows: NDArray[np.intp]) -> None:
        """Give some rows error rates of their own."""
        for cell in np.unique(self.cell[rows]):
            inside = rows[self.cell[rows] == cell]
            counted = self.lattice.sums(self.lattice.histogram(inside))
            self.counts[cell] = self.counts[cell] - counted
            self.counts.append(counted)
            self.cell[inside] = len(self.counts) - 1


class _Real:
    """Real or weighted errors: residuals against the mean of each cell."""

    def __init__(
        self,
        lattice: Lattice,
        errors: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        support: NDArray[np.float64],
    ) -> None:
        self.lattice, self.support = lattice, support
        self.weight = np.ones(len(errors)) if weight is None else weight
        self.errors = self.weight * errors
        self.cell = np.zeros(len(errors), dtype=np.intp)

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected (weighted) error of every row."""
        total = np.bincount(self.cell, self.weight)
        mean = np.bincount(self.cell, self.errors) / np.where(total > 0, total, 1)
        return self.weight * mean[self.cell]

    def evidence(self) -> NDArray[np.float64]:
        """Self-normalised sum of residuals of every slice."""
        residual = self.errors - self.expected
        total = self.lattice.sums(self.lattice.histogram(None, residual))
        squares = self.lattice.sums(self.lattice.histogram(None, residual**2))
        spread = np.maximum(squares * (1 - self.support / (len(residual) + 1)), 1e-300)
        return np.where(squares > 0, total / np.sqrt(spread), 0.0)

    def explain(self, rows: NDArray[np.intp]) -> None:
        """Give some rows means of their own."""
        top = int(self.cell.max()) + 1
        self.cell[rows] += top
        self.cell = np.unique(self.cell, return_inverse=True)[1]


def selected_interval(evidence: float, critical: float, *, level: float = 0.95) -> tuple[float, float, float]:
    """The effect behind evidence that was only seen because it passed, in standard errors.

    Evidence Z ~ N(effect, 1) given Z > critical. Returns the effect under which half of such draws lie below the one
    seen (median-unbiased), and the two under which (1 -+ level) / 2 do: far beyond the critical value this is
    evidence -+ 1.96, close to it the effect shrinks.

    Parameters
    ----------
    evidence, critical : float, evidence > critical
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) : floats, low <= value <= high

    References
    ----------
    Zhong & Prentice 2008, doi:10.1093/biostatistics/kxn001; Weinstein, Fithian & Benjamini 2013,
    doi:10.1080/01621459.2012.737740
    """
    grid = np.linspace(evidence - 12, evidence + 6, 3601)
    beyond = log_ndtr(grid - evidence) - log_ndtr(grid - critical)
    below = 1 - np.exp(np.minimum(beyond, 0.0))  # P(Z <= evidence | Z > critical), decreasing in the effect
    value, low, high = (
        float(grid[np.abs(below - share).argmin()]) for share in (0.5, 0.5 + level / 2, 0.5 - level / 2)
    )
    return value, min(low, value), max(high, value)
