"""The exact best slices of coded columns: one, two or three levels, by a score, without looking at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.slicing.bits import overlaps, pack, shared, unpack
from mlflow_errata.slicing.scores import Kind, Score, is_zero_one, score_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DEEPEST = 3
DIGITS = 9
"""Scores that agree to so many decimals are equal: sums of the same errors in another order may differ after them."""
AT_ONCE = 4096
"""Slices of three levels that are counted before the bar is raised."""


@dataclass(frozen=True)
class Top:
    """A slice among the best.

    Parameters
    ----------
    items : tuple of (column, code), all of which hold; columns ascend
    support : int, rows
    errors : float, (weighted) sum of the errors inside
    score : float
    """

    items: tuple[tuple[int, int], ...]
    support: int
    errors: float
    score: float


def top_slices(
    codes: NDArray[np.integer],
    errors: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    k: int = 10,
    min_support: int,
    depth: int = DEEPEST,
    score: Kind = "evidence",
    alpha: float = 0.95,
) -> tuple[Top, ...]:
    """The k slices with the highest score above 0: exact, ties to more rows, then fewer levels, then earlier columns.

    Parameters
    ----------
    codes : int array of shape (n, n_columns), the level of each row, -1 for none
    errors : float array of shape (n,), 0 or more: 0/1 errors, losses, or value lost
    weight : float array of shape (n,), or None
    k : int
    min_support : int, rows that a slice needs
    depth : 1, 2 or 3, levels of a slice at most
    score : "evidence", "excess" or "sliceline", see `scores.score_of`
    alpha : float, weight of the error in SliceLine's score

    Notes
    -----
    Errors are summed first, on the rows that have one; a slice is counted only if its errors, packed into as few rows
    as can hold them, would reach the k-th best score seen. A slice of three levels is bounded by all three pairs.
    """
    search = _Search(codes, score_of(score, errors, weight, alpha=alpha), k=k, min_support=min_support)
    if not search.n_columns or not k > 0:
        return ()
    search.levels()
    if depth > 1:
        search.pairs()
    if depth > 2:  # noqa: PLR2004 - levels
        search.triples()
    sums = errors if weight is None else weight * errors
    return tuple(search.top(at, sums) for at in search.best())


class _Search:
    """Levels, then pairs of those that can still matter, then triples of these."""

    def __init__(self, codes: NDArray[np.integer], score: Score, *, k: int, min_support: int) -> None:
        self.k, self.min_support, self.score = k, min_support, score
        self.n, self.n_columns = codes.shape
        n_codes = int(codes.max(initial=-1)) + 2
        small = np.dtype(np.int16 if n_codes < np.iinfo(np.int16).max else np.int32)
        self.codes = np.ascontiguousarray(codes.T, dtype=small)
        self.erring = np.flatnonzero(score.errors)
        self.zero_one = is_zero_one(score.errors) and score.support is None
        self.least = min_support * (1.0 if score.support is None else float(score.support.min(initial=0)))
        self.bar = 0.0
        self.found: list[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.intp]]] = []

    # -- one level --------------------------------------------------------------------------------------------------

    def levels(self) -> None:
        """Score every level with enough rows, and keep those that can matter further."""
        parts = [self._levels_of(at) for at in range(self.n_columns)]
        self.column, self.code, rows_of, weight_of, sums, tops = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        items = np.column_stack([np.arange(len(rows_of)), np.full((len(rows_of), 2), -1)])
        self._keep(self.score.of(weight_of, sums), rows_of, items)
        bound = self.score.bound(self.least, weight_of, sums, tops)
        self.live = np.flatnonzero(self._may(bound))
        self.support, self.largest = weight_of, tops

    def _levels_of(self, column: int) -> tuple[NDArray[Any], ...]:
        """(column, code, rows, support, errors, largest error) of every level with enough rows."""
        shifted = self.codes[column].astype(np.intp) + 1
        erring, amount = shifted[self.erring], self.score.errors[self.erring]
        rows = np.bincount(shifted)
        rows[0] = 0  # rows without a level
        kept = np.flatnonzero(rows >= self.min_support)
        sums = np.bincount(erring, None if self.zero_one else amount, minlength=len(rows)).astype(np.float64)
        largest = np.ones(len(rows))
        if not self.zero_one:
            largest[:] = 0
            np.maximum.at(largest, erring, amount)
        support = rows if self.score.support is None else np.bincount(shifted, self.score.support)
        found = (rows, support.astype(np.float64), sums, largest)
        return np.full(len(kept), column), kept - 1, *(each[kept] for each in found)

    # -- two levels -------------------------------------------------------------------------------------------------

    def pairs(self) -> None:
        """Error sums of all pairs of live levels; sizes of those that can matter."""
        live = self.live
        n_live = len(live)
        self.of_pair = np.full((n_live, n_live), -np.inf)
        self.size_of_pair = np.zeros((n_live, n_live))
        self.bits = self._bits(live, np.arange(self.n))
        summed = self._pair_errors()
        one, two = np.nonzero(np.triu(self.column[live][:, None] < self.column[live][None, :]) & (summed > 0))
        e = summed[one, two]
        largest = np.minimum(self.largest[live[one]], self.largest[live[two]])
        most = np.minimum(self.support[live[one]], self.support[live[two]])
        kept = np.flatnonzero(self._may(self.score.bound(self.least, most, e, largest)))
        one, two, e, largest = one[kept], two[kept], e[kept], largest[kept]
        rows = overlaps(self.bits, one, two)
        enough = rows >= self.min_support
        one, two, e, largest, rows = one[enough], two[enough], e[enough], largest[enough], rows[enough]
        support = self._weights_of(rows, one, two)
        items = np.column_stack([live[one], live[two], np.full(len(one), -1)])
        self._keep(self.score.of(support, e), rows, items)
        bound = self.score.bound(self.least, support, e, largest)
        alive = self._may(bound)
        self.of_pair[one[alive], two[alive]] = bound[alive]
        self.size_of_pair[one[alive], two[alive]] = support[alive]

    def _pair_errors(self) -> NDArray[np.float64]:
        """Error sums of pairs of live levels, from one histogram of the erring rows per pair of columns."""
        live = self.live
        columns = [(at, np.flatnonzero(self.column[live] == at)) for at in np.unique(self.column[live])]
        place = {}
        for at, items in columns:  # codes of the erring rows as positions among the column's live levels
            known = np.zeros(int(self.codes[at].max()) + 2, dtype=np.int32)
            known[self.code[live[items]] + 1] = np.arange(1, len(items) + 1)
            place[at] = known[self.codes[at][self.erring].astype(np.intp) + 1]
        amount = None if self.zero_one else self.score.errors[self.erring]
        found = np.zeros((len(live), len(live)))
        for index, (one, first) in enumerate(columns):
            for two, second in columns[index + 1 :]:
                shape = (len(first) + 1, len(second) + 1)
                cells = np.bincount(place[one] * shape[1] + place[two], amount, minlength=shape[0] * shape[1])
                found[first[0] : first[-1] + 1, second[0] : second[-1] + 1] = cells.reshape(shape)[1:, 1:]
        return found

    # -- three levels -----------------------------------------------------------------------------------------------

    def triples(self) -> None:
        """Triples whose three pairs can all matter, errors first, the most promising first."""
        if not len(self.live):
            return
        ebits = self._bits(self.live, self.erring) if self.zero_one else None
        one, two, three, bound = self._candidates()
        for start in range(0, len(one), AT_ONCE):
            chosen = np.arange(start, min(start + AT_ONCE, len(one)))
            chosen = chosen[self._may(bound[chosen])]
            chosen = chosen[np.lexsort((two[chosen], one[chosen]))]
            self._triples(one[chosen], two[chosen], three[chosen], ebits)

    def _candidates(self) -> tuple[NDArray[np.intp], ...]:
        """Triples of live levels with the least bound of their pairs, best first."""
        parts: list[tuple[NDArray[np.intp], ...]] = []
        for first in range(len(self.live)):
            with_first = np.flatnonzero(self._may(self.of_pair[first]))
            if len(with_first) < 2:  # noqa: PLR2004 - a triple needs two more
                continue
            beside = self.of_pair[first, with_first]
            bound = np.minimum(self.of_pair[np.ix_(with_first, with_first)], np.minimum(beside[:, None], beside))
            a, b = np.nonzero(self._may(bound))
            parts.append((np.full(len(a), first), with_first[a], with_first[b], bound[a, b]))
        if not parts:
            return (np.empty(0, dtype=np.intp),) * 4
        one, two, three, bound = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-bound, kind="stable")
        return one[order], two[order], three[order], bound[order]

    def _triples(
        self,
        one: NDArray[np.intp],
        two: NDArray[np.intp],
        three: NDArray[np.intp],
        ebits: NDArray[np.uint64] | None,
    ) -> None:
        e = self._triple_errors(one, two, three, ebits)
        largest = np.minimum(
            np.minimum(self.largest[self.live[one]], self.largest[self.live[two]]), self.largest[self.live[three]]
        )
        sizes = self.size_of_pair
        most = np.minimum(np.minimum(sizes[one, two], sizes[one, three]), sizes[two, three])
        kept = np.flatnonzero(self._may(self.score.bound(self.least, most, e, largest)))
        one, two, three, e = one[kept], two[kept], three[kept], e[kept]
        rows, support = np.empty(len(one), dtype=np.int64), np.empty(len(one))
        for start, stop, words in self._parents(self.bits, one, two):
            rows[start:stop] = shared(self.bits, words, three[start:stop])
            if self.score.support is not None:
                inside = unpack(words, self.n)
                support[start:stop] = self._weigh(inside, three[start:stop], self.score.support)
        enough = rows >= self.min_support
        support = rows.astype(np.float64) if self.score.support is None else support
        items = np.column_stack([self.live[one], self.live[two], self.live[three]])[enough]
        self._keep(self.score.of(support[enough], e[enough]), rows[enough], items)

    def _triple_errors(
        self,
        one: NDArray[np.intp],
        two: NDArray[np.intp],
        three: NDArray[np.intp],
        ebits: NDArray[np.uint64] | None,
    ) -> NDArray[np.float64]:
        found = np.empty(len(one))
        for start, stop, words in self._parents(self.bits if ebits is None else ebits, one, two):
            if ebits is not None:
                found[start:stop] = shared(ebits, words, three[start:stop])
            else:
                found[start:stop] = self._weigh(unpack(words, self.n), three[start:stop], self.score.errors)
        return found

    @staticmethod
    def _parents(
        bits: NDArray[np.uint64], one: NDArray[np.intp], two: NDArray[np.intp]
    ) -> Iterator[tuple[int, int, NDArray[np.uint64]]]:
        """(start, stop, rows of the pair) of each run of triples with the same first two levels."""
        cuts = np.flatnonzero((np.diff(one) != 0) | (np.diff(two) != 0)) + 1
        edges = [0, *cuts.tolist(), len(one)] if len(one) else []
        for start, stop in pairwise(edges):
            yield start, stop, bits[one[start]] & bits[two[start]]

    # -- parts ------------------------------------------------------------------------------------------------------

    def _bits(self, live: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Packed rows of every live level, among some rows."""
        words = -(-len(rows) // 64)
        found = np.empty((len(live), words), dtype=np.uint64)
        for at in np.unique(self.column[live]):
            values = self.codes[at] if len(rows) == self.n else self.codes[at][rows]
            for item in np.flatnonzero(self.column[live] == at):
                found[item] = pack(values == self.code[live[item]])
        return found

    def _weigh(
        self, rows: NDArray[np.intp], sets: NDArray[np.intp], amount: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Sums of an amount over the rows of a slice that belong to each of some live levels."""
        found = np.empty(len(sets))
        columns = self.column[self.live[sets]]
        for at in np.unique(columns):
            inside = self.codes[at][rows].astype(np.intp) + 1
            summed = np.bincount(inside, amount[rows], minlength=int(self.codes[at].max()) + 2)
            here = columns == at
            found[here] = summed[self.code[self.live[sets[here]]] + 1]
        return found

    def _weights_of(self, rows: NDArray[np.int64], one: NDArray[np.intp], two: NDArray[np.intp]) -> NDArray[np.float64]:
        """Support of pairs: their rows, or the weight of these."""
        if self.score.support is None:
            return rows.astype(np.float64)
        found = np.empty(len(one))
        for first in np.unique(one):
            here = np.flatnonzero(one == first)
            found[here] = self._weigh(unpack(self.bits[first], self.n), two[here], self.score.support)
        return found

    def _may(self, bound: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether a bound reaches the bar; equal scores stay, so that ties are broken by the rule."""
        return np.asarray(bound >= self.bar - 10.0**-DIGITS)

    def _keep(self, scores: NDArray[np.float64], rows: NDArray[np.int64], items: NDArray[np.intp]) -> None:
        """Remember slices that reach the bar, and raise it."""
        kept = self._may(scores) & (scores > 0)
        self.found.append((scores[kept], rows[kept], items[kept]))
        seen = np.concatenate([part[0] for part in self.found])
        if len(seen) >= self.k:
            self.bar = float(np.partition(seen, -self.k)[-self.k])

    def best(self) -> list[tuple[float, int, NDArray[np.intp]]]:
        """The k best as (score, rows, positions of levels)."""
        scores, rows, items = (np.concatenate(part) for part in zip(*self.found, strict=True))
        n_levels = (items >= 0).sum(axis=1)
        order = np.lexsort((items[:, 2], items[:, 1], items[:, 0], n_levels, -rows, -np.round(scores, DIGITS)))
        return [(float(scores[at]), int(rows[at]), items[at]) for at in order[: self.k]]

    def top(self, found: tuple[float, int, NDArray[np.intp]], sums: NDArray[np.float64]) -> Top:
        """A slice in the caller's terms."""
        score, rows, levels = found
        items = tuple((int(self.column[at]), int(self.code[at])) for at in levels if at >= 0)
        inside = np.ones(self.n, dtype=bool)
        for column, code in items:
            inside &= self.codes[column] == code
        return Top(items, rows, float(sums[inside].sum()), score)
