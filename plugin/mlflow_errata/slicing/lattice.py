"""Sums over every slice of one or two predicates, from one histogram per column and per pair of columns."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlflow_errata.slicing.encoding import Atom, Encoded


@dataclass(frozen=True)
class Block:
    """Slices over one column (second is None) or two, with the place of their histogram.

    Parameters
    ----------
    first, second : int, columns
    offset : int, where the block's histogram begins
    shape : (n_bins,) or (n_bins of first, n_bins of second)
    """

    first: int
    second: int | None
    offset: int
    shape: tuple[int, ...]

    @property
    def n_cells(self) -> int:
        """Cells of the histogram."""
        return prod(self.shape)


class Lattice:
    """All slices of one or two predicates over some columns.

    What depends on the errors enters through `histogram(rows, weight)` and `sums(histogram)` alone; the lattice itself
    depends on the columns only, so it serves any number of error vectors.

    Parameters
    ----------
    columns : sequence of Encoded, all of the same rows
    """

    def __init__(self, columns: Sequence[Encoded]) -> None:
        self.columns = columns
        self._coarse = [column.coarse_bins for column in columns]
        self.blocks: list[Block] = []
        offset = 0
        for at, column in enumerate(columns):
            self.blocks.append(Block(at, None, offset, (column.n_bins,)))
            offset += self.blocks[-1].n_cells
        for one in range(len(columns)):
            for two in range(one + 1, len(columns)):
                shape = (columns[one].coarse_member.shape[1], columns[two].coarse_member.shape[1])
                self.blocks.append(Block(one, two, offset, shape))
                offset += self.blocks[-1].n_cells
        self.n_cells = offset
        sizes = [len(self.atoms(block)[0]) * len(self.atoms(block)[1] or (0,)) for block in self.blocks]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        n_single = int(self._starts[len(columns)])
        self.depth = np.where(np.arange(self._starts[-1]) < n_single, 1, 2)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def atoms(self, block: Block) -> tuple[tuple[Atom, ...], tuple[Atom, ...]]:
        """Atoms of a block's first and second column; the second are empty for one column."""
        if block.second is None:
            return self.columns[block.first].atoms, ()
        return self.columns[block.first].coarse_atoms, self.columns[block.second].coarse_atoms

    def histogram(
        self, rows: NDArray[np.intp] | None = None, weight: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Sums of a weight (of 1 without one) over the cells of all blocks.

        Parameters
        ----------
        rows : positions to count, or None for all
        weight : float array of shape (n_counted,)

        Returns
        -------
        float array of shape (n_cells,)
        """
        fine = [column.bins if rows is None else column.bins[rows] for column in self.columns]
        coarse = [bins if rows is None else bins[rows] for bins in self._coarse]
        found = np.empty(self.n_cells)
        for block in self.blocks:
            key = (
                fine[block.first]
                if block.second is None
                else coarse[block.first] * block.shape[1] + coarse[block.second]
            )
            found[block.offset : block.offset + block.n_cells] = np.bincount(key, weight, minlength=block.n_cells)
        return found

    def sums(self, histogram: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over every slice; shape (len(self),)."""
        found = np.empty(len(self))
        for at, block in enumerate(self.blocks):
            cells = histogram[block.offset : block.offset + block.n_cells]
            if block.second is None:
                summed = self.columns[block.first].member @ cells
            else:
                one, two = self.columns[block.first].coarse_member, self.columns[block.second].coarse_member
                summed = one @ cells.reshape(block.shape) @ two.T
            found[self._starts[at] : self._starts[at + 1]] = summed.ravel()
        return found

    def predicates(self, index: int) -> tuple[tuple[int, Atom], ...]:
        """(column, atom) pairs of a slice."""
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        block, place = self.blocks[at], index - int(self._starts[at])
        one, two = self.atoms(block)
        if block.second is None:
            return ((block.first, one[place]),)
        first, second = divmod(place, len(two))
        return ((block.first, one[first]), (block.second, two[second]))

    def rows(self, index: int) -> NDArray[np.intp]:
        """Positions of the rows of a slice."""
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        block, place = self.blocks[at], index - int(self._starts[at])
        first = self.columns[block.first]
        if block.second is None:
            return np.flatnonzero(first.member[place][first.bins])
        one, two = divmod(place, len(self.columns[block.second].coarse_atoms))
        inside = first.coarse_member[one][self._coarse[block.first]] > 0
        inside &= self.columns[block.second].coarse_member[two][self._coarse[block.second]] > 0
        return np.flatnonzero(inside)
