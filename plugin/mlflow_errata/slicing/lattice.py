"""Sums over every slice of one, two or three predicates.

Slices of one and two come from one histogram per column and pair of columns: all ranges of a number's bins are sums of
its cells. Slices of three are counted on packed bits, among those whose three pairs all have enough rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.slicing.encoding import Cut
from mlflow_errata.slicing.tables import counted, tables_of
from mlflow_errata.slicing.triples import Triples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.slicing.encoding import Atom, Encoded
    from mlflow_errata.slicing.tables import Table


@dataclass(frozen=True)
class Block:
    """Slices over one column or two.

    Parameters
    ----------
    columns : tuple of one or two column positions
    cuts : tuple of Cut, as many
    kept : int array, positions in the product of the cuts' atoms
    """

    columns: tuple[int, ...]
    cuts: tuple[Cut, ...]
    kept: NDArray[np.int32]

    def sums(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over the slices kept from sums over the cells of the cuts' bins, by part of the rows.

        Parameters
        ----------
        cells : array of shape (n_parts, n_bins) or (n_parts, n_bins, n_bins of the second cut)

        Returns
        -------
        float array of shape (n_parts, n_kept)
        """
        one, *others = self.cuts
        if not others:
            return np.asarray((cells @ one.member.T)[:, self.kept])
        two = others[0].member
        if len(self.kept) < len(one.member):  # few slices: each by itself
            first, second = np.divmod(self.kept, len(two))
            return np.asarray(np.einsum("pkj,kj->pk", one.member[first] @ cells, two[second]))
        return np.asarray((one.member @ cells @ two.T).reshape(len(cells), -1)[:, self.kept])

    def atoms(self, place: int) -> tuple[tuple[int, int], ...]:
        """(column, position of its atom) of a slice kept."""
        at = int(self.kept[place])
        if len(self.cuts) == 1:
            return ((self.columns[0], at),)
        first, second = divmod(at, len(self.cuts[1].atoms))
        return ((self.columns[0], first), (self.columns[1], second))


class Lattice:
    """Every slice of up to three predicates with enough rows inside and outside: those that are examined.

    It depends on the columns only, so it serves any number of error vectors: what depends on the errors enters through
    `sums` alone.

    Parameters
    ----------
    columns : sequence of Encoded, all of the same rows, which stand in an order that carries no meaning
    min_support : int, rows that a slice needs inside and outside

    Attributes
    ----------
    support : int array of shape (n_slices,), rows inside; of slices of three predicates among the first `n_drawn` rows
    depth : int array of shape (n_slices,), predicates
    n_drawn : int, rows that slices of three predicates are looked for in: all, or as many as their number allows; 0 if
        they are too many to be examined
    """

    def __init__(self, columns: Sequence[Encoded], min_support: int) -> None:
        self.columns = tuple(columns)
        self.n = len(columns[0].fine.bins) if columns else 0
        self.min_support = min_support
        blocks, support = [], []
        every = self._blocks()
        tables = tables_of([tuple(zip(block.columns, block.cuts, strict=True)) for block in every])
        cells = dict(counted(tables))
        for at, block in enumerate(every):
            inside = block.sums(cells[at])[0]
            enough = np.flatnonzero((inside >= min_support) & (inside <= self.n - min_support))
            blocks.append(replace(block, kept=block.kept[enough]))
            support.append(inside[enough])
        triples = Triples.of([column.rough for column in columns], min_support / max(self.n, 1))
        self._fill(blocks, tables, triples, np.concatenate([*support, triples.support]))

    def _blocks(self) -> list[Block]:
        """All slices of one and two predicates; numbers are cut finely alone and beside levels."""
        found = [
            Block((at,), (column.fine,), np.arange(len(column.fine.atoms), dtype=np.int32))
            for at, column in enumerate(self.columns)
        ]
        for at, one in enumerate(self.columns):
            for beside, two in enumerate(self.columns[at + 1 :], start=at + 1):
                coarse = one.is_number and two.is_number
                cuts = (one.coarse, two.coarse) if coarse else (one.fine, two.fine)
                kept = np.arange(len(cuts[0].atoms) * len(cuts[1].atoms), dtype=np.int32)
                found.append(Block((at, beside), cuts, kept))
        return found

    def _fill(
        self, blocks: list[Block], tables: Sequence[Table], triples: Triples, support: NDArray[np.float64]
    ) -> None:
        kept = [at for at, block in enumerate(blocks) if len(block.kept)]
        self.blocks = [blocks[at] for at in kept]
        place = {at: new for new, at in enumerate(kept)}
        self.tables = [table for table in (wide.narrowed(place) for wide in tables) if table is not None]
        self.triples = triples
        self.n_drawn = triples.n_drawn
        self.support = support
        self.starts = np.cumsum([0, *(len(block.kept) for block in self.blocks), len(triples)])
        depths = [np.full(len(block.kept), len(block.cuts), dtype=np.int8) for block in self.blocks]
        self.depth = np.concatenate([*depths, np.full(len(triples), 3, dtype=np.int8)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def only(self, chosen: NDArray[np.intp]) -> Lattice:
        """The lattice of some of the slices; `chosen` ascends."""
        at = np.searchsorted(chosen, self.starts)
        blocks = [
            replace(block, kept=block.kept[chosen[at[i] : at[i + 1]] - self.starts[i]])
            for i, block in enumerate(self.blocks)
        ]
        found = Lattice.__new__(Lattice)
        found.columns, found.n, found.min_support = self.columns, self.n, self.min_support
        triples = self.triples.only(chosen[at[-2] :] - self.starts[-2])
        found._fill(blocks, self.tables, triples, self.support[chosen])  # noqa: SLF001
        return found

    def sums(
        self, rows: NDArray[np.intp] | None = None, weight: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Sums of a weight (of 1 without one) over every slice.

        Parameters
        ----------
        rows : positions to count, ascending, or None for all
        weight : float array of shape (n_counted,)

        Returns
        -------
        float array of shape (len(self),)
        """
        found = np.empty((1, len(self)))
        self._of_blocks(found, rows, weight)
        if len(self.triples):
            found[0, self.starts[-2] :] = self.triples.sums(rows, weight)
        return np.asarray(found[0])

    def sums_of_parts(
        self, parts: Sequence[NDArray[np.intp]], weights: Sequence[NDArray[np.float64]] | None = None
    ) -> NDArray[np.float64]:
        """`sums` over each of some sets of rows, all at once.

        Parameters
        ----------
        parts : positions to count, ascending, one array a set
        weights : float arrays of the same shapes

        Returns
        -------
        float array of shape (n_parts, len(self))
        """
        found = np.empty((len(parts), len(self)))
        if not len(parts):
            return found
        rows, weight = np.concatenate(parts), None if weights is None else np.concatenate(weights)
        part = np.repeat(np.arange(len(parts), dtype=np.int32), [len(some) for some in parts])
        self._of_blocks(found, rows, weight, part)
        if len(self.triples):
            found[:, self.starts[-2] :] = self.triples.sums_of_parts(parts, weights)
        return found

    def _of_blocks(
        self,
        found: NDArray[np.float64],
        rows: NDArray[np.intp] | None,
        weight: NDArray[np.float64] | None,
        part: NDArray[np.int32] | None = None,
    ) -> None:
        """Sums over the slices of one and two predicates, written into `found` of shape (n_parts, len(self))."""
        for at, cells in counted(self.tables, rows, weight, part, len(found)):
            found[:, self.starts[at] : self.starts[at + 1]] = self.blocks[at].sums(cells)

    def alone(self, column: int) -> range:
        """Positions of the slices of one predicate, on a column."""
        for at, block in enumerate(self.blocks):
            if block.columns == (column,):
                return range(int(self.starts[at]), int(self.starts[at + 1]))
        return range(0)

    @cached_property
    def levels(self) -> tuple[Lattice, tuple[NDArray[np.intp], ...]]:
        """Levels of columns that have some, alone; and where those of each column stand among them."""
        index: list[int] = []
        groups = []
        for at, column in enumerate(self.columns):
            if column.is_number:
                continue
            levels = [place for place in self.alone(at) if self.predicates(place)[0][1].kind == "level"]
            if levels:
                groups.append(np.arange(len(index), len(index) + len(levels)))
                index += levels
        return self.only(np.array(index, dtype=np.intp)), tuple(groups)

    def naming(self, columns: Sequence[int]) -> NDArray[np.intp]:
        """Positions of the slices with a predicate on one of some columns."""
        named = [bool(set(block.columns) & set(columns)) for block in self.blocks]
        of_blocks = np.repeat(named, np.diff(self.starts)[:-1]) if named else np.empty(0, dtype=bool)
        of_triples = np.isin(self.triples.column[self.triples.members], list(columns)).any(axis=1)
        return np.flatnonzero(np.concatenate([of_blocks, of_triples]))

    def predicates(self, index: int) -> tuple[tuple[int, Atom], ...]:
        """(column, atom) pairs of a slice."""
        return tuple((column, cut.atoms[atom]) for column, cut, atom in self._parts(index))

    def rows(self, index: int) -> NDArray[np.intp]:
        """Positions of the rows of a slice, among all rows."""
        inside = np.ones(self.n, dtype=bool)
        for _, cut, atom in self._parts(index):
            inside &= cut.mask(atom)
        return np.flatnonzero(inside)

    def _parts(self, index: int) -> list[tuple[int, Cut, int]]:
        at = int(np.searchsorted(self.starts, index, side="right")) - 1
        place = index - int(self.starts[at])
        if at < len(self.blocks):
            block = self.blocks[at]
            return [(column, cut, atom) for (column, atom), cut in zip(block.atoms(place), block.cuts, strict=True)]
        return [(column, self.columns[column].rough, atom) for column, atom in self.triples.atoms(place)]


def support_needed(n: int, fewest: int, share: float) -> int:
    """Rows that a slice needs: a share of all, and no fewer than `fewest`."""
    return max(fewest, ceil(share * n))
