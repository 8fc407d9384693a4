"""Lists of rows (of a query, of a month) of which the first few by a score are taken, and who stands where.

Rows of one score stand in any order: they share the places that they take, so nothing depends on the rows' order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR = 0.2
"""Share of the places, above and below the last one taken, that counts as near it."""
FEWEST_NEAR = 10
"""Places above and below that count as near it at least."""


@dataclass(frozen=True)
class Block:
    """Lists of about the same length, one a row, padded at the end.

    Parameters
    ----------
    rows : int array of shape (n_lists, width), rows of each list
    known : bool array of shape (n_lists, width), False where padded
    names : int array of shape (n_lists,), which lists these are
    whole : bool, the block is one list of all rows as they stand
    """

    rows: NDArray[np.intp] = field(repr=False)
    known: NDArray[np.bool_] = field(repr=False)
    names: NDArray[np.intp] = field(repr=False)
    whole: bool

    def of(self, scores: Floats) -> Floats:
        """Scores of the lists' rows, padded by -inf; shape (n_lists, width)."""
        return scores[None] if self.whole else np.where(self.known, scores[self.rows], -np.inf)

    def put(self, found: NDArray[Any], values: NDArray[Any]) -> None:
        """Write values of the lists' rows to where they stand among all rows."""
        if self.whole:
            found[:] = values[0]
        else:
            found[self.rows[self.known]] = values[self.known]


@dataclass(frozen=True)
class Lists:
    """Rows in lists.

    Parameters
    ----------
    of : int array of shape (n,), the list of each row, 0 .. n_lists-1
    take : int array of shape (n_lists,), how many are taken from each, 1 or more and no more than it has
    blocks : tuple of Block
    """

    of: NDArray[np.intp] = field(repr=False)
    take: NDArray[np.intp] = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)

    @classmethod
    def made(cls, of: NDArray[np.intp], top: float) -> Lists:
        """Lists from which the first `top` rows (1 or more), or that share of them (below 1), are taken."""
        size = np.bincount(of)
        wanted = np.full(len(size), top) if top >= 1 else np.round(top * size)
        take = np.clip(wanted, 1, size).astype(np.intp)
        order, start = np.argsort(of, kind="stable"), np.r_[0, np.cumsum(size)[:-1]]
        classes = np.ceil(np.log2(size)).astype(np.intp)
        blocks = []
        for each in np.unique(classes):
            names = np.flatnonzero(classes == each)
            place = np.arange(size[names].max())
            known = place < size[names][:, None]
            at = np.where(known, start[names][:, None] + place, 0)
            blocks.append(Block(order[at], known, names, len(size) == 1))
        return cls(of, take, tuple(blocks))

    @property
    def n_lists(self) -> int:
        """How many lists there are."""
        return len(self.take)

    @cached_property
    def share(self) -> Floats:
        """Share of its list's rows that is taken, of each row; shape (n,)."""
        return np.asarray((self.take / np.bincount(self.of))[self.of], dtype=np.float64)

    def taken(self, scores: Floats) -> Floats:
        """Whether each row is taken: 1, 0, or in between where rows of one score share the last places; shape (n,)."""
        found = np.empty(len(scores))
        for block in self.blocks:
            padded = block.of(scores)
            block.put(found, self._taken(block, padded, np.sort(padded, axis=1)))
        return found

    def taken_and_near(self, scores: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The same, and which rows have a score near the last one that is taken of their list; shapes (n,)."""
        found, near = np.empty(len(scores)), np.empty(len(scores), dtype=bool)
        for block in self.blocks:
            padded = block.of(scores)
            ascending = np.sort(padded, axis=1)
            block.put(found, self._taken(block, padded, ascending))
            block.put(near, self._near(block, padded, ascending))
        return found, near

    def _taken(self, block: Block, padded: Floats, ascending: Floats) -> Floats:
        k = self.take[block.names][:, None]
        last = np.take_along_axis(ascending, ascending.shape[1] - k, axis=1)
        inside = padded >= last
        beyond = inside.sum(axis=1, keepdims=True) - k
        if not beyond.any():
            return inside.astype(np.float64)
        tied = padded == last
        return np.asarray(inside - tied * (beyond / tied.sum(axis=1, keepdims=True)), dtype=np.float64)

    def _near(self, block: Block, padded: Floats, ascending: Floats) -> NDArray[np.bool_]:
        size, k = block.known.sum(axis=1)[:, None], self.take[block.names][:, None]
        around = np.maximum(np.round(NEAR * np.minimum(k, size - k)), FEWEST_NEAR).astype(np.intp)
        high = np.take_along_axis(ascending, ascending.shape[1] - np.maximum(k - around, 1), axis=1)
        low = np.take_along_axis(ascending, ascending.shape[1] - np.minimum(k + around, size), axis=1)
        return np.asarray((padded >= low) & (padded <= high), dtype=bool)

    def discounts(self, scores: Floats) -> Floats:
        """1 / log2(1 + rank) of the rows taken, 0 of the others; rows of one score share theirs; shape (n,)."""
        found = np.empty(len(scores))
        for block in self.blocks:
            padded = block.of(scores)
            order = np.argsort(-padded, axis=1)
            rank = np.arange(padded.shape[1])
            credit = np.where(rank < self.take[block.names][:, None], 1 / np.log2(rank + 2.0), 0.0)
            credit = _shared(np.take_along_axis(padded, order, axis=1), credit)
            placed = np.empty(padded.shape)
            np.put_along_axis(placed, order, credit, axis=1)
            block.put(found, placed)
        return found


def _shared(ordered: Floats, credit: Floats) -> Floats:
    """Credits of ranks, averaged over neighbours of one score; padding stands last and has none."""
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    if (starts | np.isneginf(ordered)).all():
        return credit
    tie = np.cumsum(starts.ravel()) - 1
    return np.asarray((np.bincount(tie, credit.ravel()) / np.bincount(tie))[tie].reshape(ordered.shape))
