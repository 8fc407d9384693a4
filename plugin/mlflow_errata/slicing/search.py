"""The search that confirms one slice after another, each for what those before it leave unexplained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from mlflow_errata.slicing.evidence import Cells, Parted, Standing
from mlflow_errata.slicing.scores import TINY
from mlflow_errata.slicing.sets import Sets
from mlflow_errata.slicing.shuffles import largest_by_chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow_errata.slicing.lattice import Lattice

MOST_SLICES = 20
"""Slices confirmed at most; a reader stops earlier."""
MOST_SUSPECTED = 5
"""Slices suspected at most."""
WORSE = 1.96
"""Evidence that a slice is worse than the rows outside, before anything is explained away."""
MOST_COVERED = 1 / 3
"""Share of a slice's rows that may belong to slices confirmed before it."""
NOTHING = np.empty(0, dtype=np.intp)
DEEPEST = 3
TRIES = 10
"""Slices that are tried on all rows, where they were looked for in fewer."""
BISECTIONS = 50
"""Halvings of an interval of length 1: to 1e-15."""
EARNED = 1.25
"""Factor on the squared evidence by which a slice of more predicates must beat the best slice of fewer."""


@dataclass(frozen=True)
class Found:
    """A slice that passed.

    Parameters
    ----------
    index : int, its place in the lattice; -1 for a set of levels
    levels : tuple of (column, position of a level), of a set of levels; else empty
    rows : int array, positions of its rows
    evidence : float, signed root of the statistic, standard normal without an effect
    p_value : float, one-sided, before the correction
    observed, expected : float, errors inside, and errors that the slices before it leave to be expected there
    confirmed : bool, True family-wise; False at a false discovery rate only
    bar : float, evidence that it had to pass
    needed : int or None, errors that it had to have for this, where errors are 0 or 1
    """

    index: int
    rows: NDArray[np.intp]
    evidence: float
    p_value: float
    observed: float
    expected: float
    confirmed: bool
    bar: float
    needed: int | None
    levels: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Search:
    """What a search found and how far it looked.

    Parameters
    ----------
    found : tuple of Found, in the order in which they were found: confirmed ones, then suspected ones
    n_examined : int, slices with enough rows inside and outside, and sets of levels: what the correction divides by
    critical : float, evidence that a slice needs: the normal quantile of alpha / n_examined, or what permutations tell
    median_support : float, rows of the median slice examined
    """

    found: tuple[Found, ...]
    n_examined: int
    critical: float
    median_support: float


def confirm(
    lattice: Lattice,
    errors: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    strata: NDArray[np.intp] | None = None,
    given: Sequence[NDArray[np.intp]] = (),
    n_examined: int | None = None,
    orders: Iterable[NDArray[np.intp]] | None = None,
    two_sided: bool = False,
    alpha: float = 0.05,
    suspicion: float = 0.1,
) -> Search:
    """Confirm slices with more errors than expected, family-wise at `alpha`, each beyond those before it.

    The best slice is confirmed if its evidence passes Bonferroni over all slices examined; then its rows get their own
    expected error (the mean of the cell of rows that share the same slices found) and the search starts again, so a
    slice that only mirrors another is not reported. A slice must also be worse than the rows outside as it stands
    (beyond its own 95 % interval), and at least two thirds of its rows must be new. A further predicate has to earn its
    place: a slice of more predicates is preferred to the best slice of fewer only if it raises the squared evidence by
    half, and by more than the correction asks of a slice.

    When no more can be confirmed, slices that pass at a false discovery rate of `suspicion` (Benjamini and Hochberg
    over what is left unexplained) follow in the same way as suspected.

    Parameters
    ----------
    lattice : Lattice over n_rows
    errors : float array of shape (n_rows,)
    weight : float array of shape (n_rows,), or None
    strata : int array of shape (n_rows,), or None; rows are expected to err as others of their stratum do
    given : rows of slices that are known, and explained before the search starts
    n_examined : int, slices that the correction divides by; default: those of the lattice
    orders : orders of the rows (`shuffles`), 19 or more: the critical value is then the quantile of the largest
        evidence under them instead of Bonferroni's
    two_sided : bool, True to look for less than expected as well as for more
    alpha : float, family-wise error rate
    suspicion : float, false discovery rate; 0 suspects nothing
    """
    if len(lattice) == 0:
        return Search((), 0, float("inf"), 0.0)
    n_examined = n_examined or len(lattice)
    everything = Standing(lattice, Cells(errors, weight, two_sided=two_sided))
    sets = None if two_sided or strata is not None else Sets(lattice, everything.cells)
    n_examined += 0 if sets is None else sets.n_examined
    n_looks = n_examined * (2 if two_sided else 1)
    critical = float(-scipy.special.ndtri(alpha / n_looks))
    stretch = 1.0
    if orders is not None:
        by_chance = largest_by_chance(lattice, errors, weight, orders, two_sided=two_sided)
        stretch = _quantile(by_chance, 1 - alpha) / critical
        critical *= stretch
    least = np.minimum(WORSE, critical / _scale(lattice))
    worse = np.flatnonzero(everything.evidence(float(least.min())) > least)
    start = everything.only(worse)
    if strata is not None:
        start = Standing(start.lattice, Cells(errors, weight, strata, two_sided=two_sided))
    peel = _Peel(start, sets, critical)
    for rows in given:
        peel.explain(rows)
    found: list[Found] = []
    while len(found) < MOST_SLICES and (item := peel.next(critical, confirmed=True)) is not None:
        found.append(item)
    bar = peel.discovery(suspicion, n_looks, stretch)
    most = min(len(found) + MOST_SUSPECTED, MOST_SLICES)
    while len(found) < most and (item := peel.next(bar, confirmed=False)) is not None:
        found.append(item)
    found = [_in(worse, item) for item in found]
    return Search(tuple(found), n_examined, critical, float(np.median(lattice.support)))


def _quantile(by_chance: NDArray[np.float64], share: float) -> float:
    """The smallest draw that a further one exceeds with a chance of 1 - share at most; the largest if there is none."""
    at = min(ceil(share * (len(by_chance) + 1)), len(by_chance))
    return float(np.sort(by_chance)[at - 1])


def _scale(lattice: Lattice) -> NDArray[np.float64]:
    """Evidence on all rows over evidence on the rows drawn, for an effect that is the same on both."""
    drawn = np.sqrt(lattice.n / max(lattice.n_drawn, 1))
    return np.where(lattice.depth == DEEPEST, drawn, 1.0)


def _in(worse: NDArray[np.intp], item: Found) -> Found:
    return item if item.index < 0 else replace(item, index=int(worse[item.index]))


class _Peel:
    """Finds the best slice, explains it away, and so on."""

    def __init__(self, standing: Standing, sets: Sets | None, critical: float) -> None:
        self.standing, self.lattice, self.cells = standing, standing.lattice, standing.cells
        self.sets = sets
        self.critical = critical
        self.scale = _scale(self.lattice)
        self.covered = np.zeros(len(self.lattice))
        self.is_covered = np.zeros(len(self.cells.errors), dtype=bool)

    def next(self, bar: float, *, confirmed: bool) -> Found | None:
        """The best slice if its evidence passes the bar; its rows are then explained."""
        if not np.isfinite(bar):
            return None
        evidence = self._evidence(bar)
        for _ in range(TRIES):
            index, levels = self._best(evidence)
            if index < 0 and not len(levels):
                return None
            rows = self.lattice.rows(index) if self.sets is None or not len(levels) else self.sets.rows(levels)
            z = self.cells.evidence(rows)
            if z > bar and self._is_worse(index, rows):
                break
            if index < 0 or self.scale[index] == 1:
                return None
            evidence[index] = -np.inf  # it looked better on the rows drawn than it is
        else:
            return None
        told = () if self.sets is None else self.sets.levels(levels)
        observed, expected = self.cells.sums(rows)
        needed = self.cells.needed(rows, bar)
        self.explain(rows)
        p_value = float(np.exp(scipy.special.log_ndtr(-z)))
        return Found(index, rows, z, p_value, observed, expected, confirmed, bar, needed, told)

    def explain(self, rows: NDArray[np.intp]) -> None:
        """Give some rows means of their own, and take them as covered; `rows` ascends."""
        parted = self.cells.explain(rows)  # cells are covered, or not, as a whole
        new = [at for at, (_, inside) in enumerate(parted) if not self.is_covered[inside[0]]]
        self.covered += self._followed(self.standing, parted, new)
        if self.sets is not None:
            self.sets.covered += self._followed(self.sets.standing, parted, new)
        self.is_covered[rows] = True

    @staticmethod
    def _followed(standing: Standing, parted: list[Parted], new: list[int]) -> NDArray[np.float64]:
        """Rows of every slice in the parts that are new, after the standing has followed all parts."""
        moments = standing.part(parted)
        return standing.support_of([parted[at] for at in new], [moments[at] for at in new])

    def _is_worse(self, index: int, rows: NDArray[np.intp]) -> bool:
        """Whether a slice that was looked for in fewer rows, or a set, is worse than the rows outside."""
        if index >= 0 and self.scale[index] == 1:
            return True
        plain = Cells(self.cells.errors, self.cells.weight, two_sided=self.cells.two_sided)
        return plain.evidence(rows) > WORSE

    def discovery(self, rate: float, n_looks: int, stretch: float = 1.0) -> float:
        """Evidence of the last slice that Benjamini and Hochberg's rule lets pass; infinite if there is none.

        `stretch` is the standard deviation of the evidence under chance, as far as permutations tell.
        """
        evidence = self._evidence(WORSE) / self.scale
        evidence = np.sort(evidence[evidence > WORSE])[::-1]
        if not len(evidence) or not rate > 0:
            return float("inf")
        needed = -scipy.special.ndtri(rate * np.arange(1, len(evidence) + 1) / n_looks) * stretch
        passed = np.flatnonzero(evidence > needed)
        return float(needed[passed[-1]]) if len(passed) else float("inf")

    def _evidence(self, least: float) -> NDArray[np.float64]:
        """Evidence of the slices whose rows are mostly new; no number for the others."""
        new = self.covered <= self.lattice.support * MOST_COVERED
        found = self.standing.evidence(least / float(self.scale.max(initial=1))) * self.scale
        return np.where(new, found, -np.inf)

    def _best(self, evidence: NDArray[np.float64]) -> tuple[int, NDArray[np.intp]]:
        """The slice with the most evidence, of as few predicates as earn their place; or a set of levels.

        Returns (place in the lattice, no levels), (-1, levels of a set), or (-1, no levels) if there is none. Ties fall
        to more rows, then to the earlier slice.
        """
        best, reached = (-1, NOTHING), 0.0
        for depth in range(1, DEEPEST + 1):
            of_depth = np.flatnonzero(self.lattice.depth == depth)
            index = _top(evidence, self.lattice.support, of_depth)
            if index >= 0 and self._earned(float(evidence[index]), reached):
                best, reached = (index, NOTHING), float(evidence[index]) ** 2
            if depth == 1 and self.sets is not None:
                most, levels = self.sets.best(MOST_COVERED)
                if self._earned(most, reached):
                    best, reached = (-1, levels), most**2
        return best

    def _earned(self, evidence: float, reached: float) -> bool:
        """Whether evidence is so much more than that of a simpler slice (squared) that it earns its place."""
        squared = evidence**2
        if not evidence > 0 or squared <= reached:
            return False
        return reached <= self.critical**2 or squared > max(reached + self.critical**2, EARNED * reached)


def _top(evidence: NDArray[np.float64], support: NDArray[np.float64], among: NDArray[np.intp]) -> int:
    if not len(among):
        return -1
    most = evidence[among].max()
    if not most > 0:
        return -1
    ties = among[evidence[among] == most]
    return int(ties[support[ties].argmax()])


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
    beyond = scipy.special.log_ndtr(grid - evidence) - scipy.special.log_ndtr(grid - critical)
    below = 1 - np.exp(np.minimum(beyond, 0.0))  # P(Z <= evidence | Z > critical), decreasing in the effect
    value, low, high = (
        float(grid[np.abs(below - share).argmin()]) for share in (0.5, 0.5 + level / 2, 0.5 - level / 2)
    )
    return value, min(low, value), max(high, value)


def selected_share(
    observed: int, n: int, needed: int, *, least: float = 0.0, level: float = 0.95
) -> tuple[float, float, float]:
    """The share behind a count that was only seen because it reached what was needed.

    Observed O ~ Binomial(n, share) given O >= needed. Returns the share under which half of such draws lie below the
    one seen (median-unbiased, ties halved), and the two under which (1 - level) / 2 reach it, or stay at or below it:
    Clopper and Pearson's interval, given that the slice passed. Where `least` is the lower end, nothing can be missed
    below it, and the upper end is the one-sided one.

    Parameters
    ----------
    observed, n, needed : int, 0 < needed <= observed <= n
    least : float, share below which the true one cannot lie
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) : floats in [least, 1], low <= value <= high

    References
    ----------
    Fithian, Sun & Taylor 2014, arXiv:1410.2597; Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404
    """

    def reached(count: int, share: NDArray[np.float64]) -> NDArray[np.float64]:
        return scipy.special.betainc(count, n - count + 1, share) if count <= n else np.zeros_like(share)

    wanted = np.array([0.5, 0.5 - level / 2, 0.5 + level / 2, level])
    low, high = np.full(4, least), np.ones(4)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        passing = np.maximum(reached(needed, middle), TINY)
        as_many, more = reached(observed, middle) / passing, reached(observed + 1, middle) / passing
        beyond = np.array([(as_many[0] + more[0]) / 2, as_many[1], *more[2:]])
        low, high = np.where(beyond < wanted, middle, low), np.where(beyond < wanted, high, middle)
    value, lower, upper, one_sided = (float(end) for end in high)
    return (value, lower, upper) if lower > least + 1e-9 else (value, least, one_sided)
