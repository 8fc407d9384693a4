"""Slices of three predicates, one of each of three columns, counted on packed bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.slicing.bits import WORD, counts, overlaps, pack, runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow_errata.slicing.encoding import Cut

FEWEST_ROWS = 4096
"""Rows that slices of three predicates are looked for in, at least (or all rows)."""
MOST_WORK = 2**34
"""Rows times slices: half a second or so."""
AT_ONCE, FEW_WORDS = 2**12, 64
"""Slices whose bits are combined at once, if they have as many words."""
FIRST = np.zeros(1, dtype=np.intp)
ROWS_AT_ONCE = 2**15
"""Rows whose bits are spread out at once; single precision counts them exactly."""


@dataclass(frozen=True)
class Triples:
    """Slices of three predicates with enough rows among the first `n_drawn`.

    Parameters
    ----------
    column, atom : int arrays of shape (n_atoms,): what each set of rows stands for
    bits : uint64 array of shape (n_atoms, n_words)
    members : int array of shape (n_slices, 3), positions of atoms; columns ascend
    support : float array of shape (n_slices,)
    n_drawn : int, 0 if slices of three are not examined
    """

    column: NDArray[np.intp]
    atom: NDArray[np.intp]
    bits: NDArray[np.uint64]
    members: NDArray[np.int32]
    support: NDArray[np.float64]
    n_drawn: int

    @classmethod
    def of(cls, cuts: Sequence[Cut], share: float) -> Triples:
        """All slices of three atoms that hold at least (and leave out at least) a share of the rows.

        A slice has no more rows than any of its pairs, so only triples of frequent pairs are counted. If these are
        many, fewer rows are drawn; if a few thousand rows were still too much work, none are examined.
        """
        n = len(cuts[0].bins) if cuts else 0
        column = np.array([at for at, cut in enumerate(cuts) for _ in cut.atoms], dtype=np.intp)
        atom = np.array([at for cut in cuts for at in range(len(cut.atoms))], dtype=np.intp)
        few = min(n, FEWEST_ROWS)
        bits, frequent = _frequent(cuts, column, few, share)
        work = int(_work(bits, column, frequent, few))
        if len(cuts) < 3 or work * few > MOST_WORK:  # noqa: PLR2004 - three columns
            nothing = np.empty((0, 3), dtype=np.int32)
            return cls(column, atom, bits, nothing, np.empty(0), n if len(cuts) < 3 else 0)  # noqa: PLR2004
        drawn = min(n, max(few, MOST_WORK // max(work, 1)))
        if drawn > few:
            bits, frequent = _frequent(cuts, column, drawn, share)
        least = ceil(share * drawn)
        members, support = _counted(cuts, frequent, drawn, least, drawn - least)
        return cls(column, atom, bits, members, support, drawn)

    def __len__(self) -> int:
        return len(self.members)

    def only(self, chosen: NDArray[np.intp]) -> Triples:
        """Some of the slices."""
        return replace(self, members=self.members[chosen], support=self.support[chosen])

    def atoms(self, place: int) -> tuple[tuple[int, int], ...]:
        """(column, position of its atom) of a slice."""
        return tuple((int(self.column[at]), int(self.atom[at])) for at in self.members[place])

    def sums(self, rows: NDArray[np.intp] | None, weight: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Sums of a weight (of 1 without one) over every slice, among the rows drawn; `rows` ascends."""
        if rows is not None:
            inside = int(np.searchsorted(rows, self.n_drawn))
            rows = rows[:inside]
            weight = None if weight is None else weight[:inside]
        if weight is not None:
            rows = np.arange(self.n_drawn) if rows is None else rows
            return self._weighed(rows, weight[: len(rows)])
        return np.asarray(self._counted(self.bits if rows is None else self._among(rows))[0])

    def sums_of_parts(
        self, parts: Sequence[NDArray[np.intp]], weights: Sequence[NDArray[np.float64]] | None
    ) -> NDArray[np.float64]:
        """`sums` over each of some sets of rows; shape (n_parts, n_slices)."""
        if weights is not None:
            return np.stack([self.sums(*each) for each in zip(parts, weights, strict=True)])
        among = [self._among(rows[: int(np.searchsorted(rows, self.n_drawn))]) for rows in parts]
        starts = np.cumsum([0, *(bits.shape[1] for bits in among[:-1])])
        return self._counted(np.concatenate(among, axis=1), starts)

    def _among(self, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Bits of some rows alone, in a word at least."""
        packed = self.bits.view(np.uint8)
        byte, bit = np.zeros((2, max(len(rows) + -len(rows) % WORD, WORD)), dtype=np.intp)
        byte[: len(rows)], bit[: len(rows)] = rows >> 3, 128 >> (rows & 7)
        return pack(packed[:, byte] & bit.astype(np.uint8))

    def _counted(self, bits: NDArray[np.uint64], starts: NDArray[np.intp] = FIRST) -> NDArray[np.float64]:
        """Rows of every slice among the words from each of some starts on; shape (n_starts, n_slices)."""
        found = np.empty((len(starts), len(self)))
        step = max(AT_ONCE * FEW_WORDS // bits.shape[1], 1)
        for start in range(0, len(self), step):
            one, two, three = self.members[start : start + step].T
            both = bits[one] & bits[two]
            both &= bits[three]
            inside = np.bitwise_count(both)
            found[:, start : start + step] = np.add.reduceat(inside, starts, axis=1, dtype=np.uint32).T
        return found

    def _weighed(self, rows: NDArray[np.intp], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """One Gram matrix of the atoms beside each first atom, over its rows."""
        found = np.zeros(len(self))
        groups = [
            (start, stop, int(self.members[start, 0]), np.unique(self.members[start:stop, 1:]))
            for start, stop in runs(self.members[:, 0])
        ]
        for at in range(0, len(rows), ROWS_AT_ONCE):
            some, w = rows[at : at + ROWS_AT_ONCE], weight[at : at + ROWS_AT_ONCE]
            inside = np.unpackbits(self._among(some).view(np.uint8), axis=1, count=len(some)).astype(np.float64)
            for start, stop, first, others in groups:
                chosen = np.flatnonzero(inside[first])
                beside = inside[np.ix_(others, chosen)]
                gram = (beside * w[chosen]) @ beside.T
                two, three = np.searchsorted(others, self.members[start:stop, 1:]).T
                found[start:stop] += gram[two, three]
        return found


def _frequent(
    cuts: Sequence[Cut], column: NDArray[np.intp], n: int, share: float
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Bits of every atom among the first n rows, and which pairs of atoms hold a share of them (upper triangle)."""
    sets = [pack(member[cut.bins[:n]]) for cut in cuts for member in cut.member > 0]
    bits = np.stack(sets) if sets else np.empty((0, 0), dtype=np.uint64)
    one, two = np.nonzero(column[:, None] < column[None, :])
    frequent = np.zeros((len(column), len(column)), dtype=bool)
    frequent[one, two] = overlaps(bits, one, two) >= ceil(share * n)
    return bits, frequent


def _work(bits: NDArray[np.uint64], column: NDArray[np.intp], frequent: NDArray[np.bool_], n: int) -> float:
    """Operations a row: triples of frequent pairs, or what their Gram matrices cost."""
    near = frequent.astype(np.float32)
    beside = (column[:, None] < column[None, :]).sum(axis=1)
    return max(float(((near @ near) * near).sum()), float((counts(bits) / max(n, 1) * beside**2).sum()))


def _counted(
    cuts: Sequence[Cut], frequent: NDArray[np.bool_], n: int, least: int, most: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Triples of frequent pairs with enough of the first n rows, and their support.

    A Gram matrix of the bins of later columns, over the rows of one bin, counts the triples of bins; those of atoms,
    which hold neighbouring bins, are differences of running sums.
    """
    place = np.cumsum([0, *(len(cut.atoms) for cut in cuts)])
    start = np.cumsum([0, *(cut.n_bins for cut in cuts)])
    inside = np.zeros((n, start[-1]), dtype=np.float32)
    for at, cut in enumerate(cuts):
        inside[np.arange(n), start[at] + cut.bins[:n]] = 1
    low, high = (np.concatenate([ends + start[at] for at, ends in enumerate(side)]) for side in _ends(cuts))
    found = [(np.empty((0, 3), dtype=np.int32), np.empty(0))] * len(frequent)
    for at, cut in enumerate(cuts):
        first, after = int(place[at]), int(place[at + 1])
        wanted = np.flatnonzero(frequent[first:after, after:].any(axis=1))
        beside = _Beside(inside[:, start[at + 1] :], low[after:] - start[at + 1], high[after:] - start[at + 1])
        for atom, together in beside.tables(cut, wanted):
            near = frequent[first + atom, after:]
            near = frequent[after:, after:] & near[:, None] & near
            two, three = np.nonzero(near & (together >= least) & (together <= most))
            members = np.column_stack([np.full(len(two), first + atom), two + after, three + after])
            found[first + atom] = (members.astype(np.int32), together[two, three].astype(np.float64))
    return np.concatenate([members for members, _ in found]), np.concatenate([support for _, support in found])


def _ends(cuts: Sequence[Cut]) -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """First bin of every atom of every cut, and the bin after its last."""
    low = [(cut.member > 0).argmax(axis=1) for cut in cuts]
    return low, [first + (cut.member > 0).sum(axis=1) for first, cut in zip(low, cuts, strict=True)]


@dataclass(frozen=True)
class _Beside:
    """Atoms that a first atom is combined with, in pairs.

    Parameters
    ----------
    inside : float array of shape (n, n_bins), 1 where a row is in a bin
    low, high : int arrays of shape (n_atoms,): an atom holds the bins low .. high - 1
    """

    inside: NDArray[np.float32]
    low: NDArray[np.intp]
    high: NDArray[np.intp]

    def tables(self, cut: Cut, wanted: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """(atom, its rows in every two atoms) of some atoms of a cut."""
        (low,), (high,) = _ends([cut])
        alone = {int(low[at]): int(at) for at in wanted if high[at] == low[at] + 1}
        wide = [(int(at), int(low[at]), int(high[at])) for at in wanted if high[at] > low[at] + 1]
        edges = {edge for _, *ends in wide for edge in ends}
        so_far: NDArray[np.int32] = np.zeros((len(self.low), len(self.low)), dtype=np.int32)
        up_to = {}
        for at in range(cut.n_bins + 1):
            if at in edges:
                up_to[at] = so_far
            if at in alone or (wide and at < cut.n_bins):
                table = self._table(np.flatnonzero(cut.bins[: len(self.inside)] == at))
                if at in alone:
                    yield alone[at], table
                so_far = so_far + table if wide else so_far
        for atom, first, end in wide:
            yield atom, up_to[end] - up_to[first]

    def _table(self, rows: NDArray[np.intp]) -> NDArray[np.int32]:
        """Some rows in every two atoms."""
        n_bins = self.inside.shape[1]
        counts = np.zeros((n_bins, n_bins), dtype=np.int32)
        for at in range(0, len(rows), ROWS_AT_ONCE):
            part = self.inside[rows[at : at + ROWS_AT_ONCE]]
            counts += (part.T @ part).astype(np.int32)
        return self._ranged(self._ranged(counts).T)

    def _ranged(self, counts: NDArray[np.int32]) -> NDArray[np.int32]:
        """From sums of bins to sums of atoms, along the first axis; where running sums overflow, differences do not."""
        so_far = np.zeros((counts.shape[0] + 1, counts.shape[1]), dtype=np.int32)
        np.cumsum(counts, axis=0, out=so_far[1:])
        return so_far[self.high] - so_far[self.low]
