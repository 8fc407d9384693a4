"""Rows counted by the bins of several cuts at once: one pass over the rows serves every two of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.slicing.encoding import Cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MOST_CELLS = 2**13
"""Cells of one table, so that it stays in the cache while rows are counted."""


@dataclass(frozen=True)
class Table:
    """Cuts that are counted together, and the blocks (one or two of the cuts) that this serves.

    Parameters
    ----------
    cuts : tuple of Cut
    blocks : tuple of (position of the block, positions of its cuts among these)
    """

    cuts: tuple[Cut, ...]
    blocks: tuple[tuple[int, tuple[int, ...]], ...]

    def narrowed(self, place: Mapping[int, int]) -> Table | None:
        """The table for some of the blocks, which stand at other places now; None if it serves none of them."""
        kept = [(place[at], axes) for at, axes in self.blocks if at in place]
        used = sorted({axis for _, axes in kept for axis in axes})
        blocks = tuple((at, tuple(used.index(axis) for axis in axes)) for at, axes in kept)
        return Table(tuple(self.cuts[axis] for axis in used), blocks) if kept else None


def tables_of(blocks: Sequence[tuple[tuple[int, Cut], ...]]) -> list[Table]:
    """Few tables that serve every block.

    Parameters
    ----------
    blocks : one or two cuts each, with the column that each is of

    Notes
    -----
    The smallest number of tables is a covering design; greedy comes near: a table begins with a pair that is not served
    yet, and takes the cut that serves most further pairs as long as its cells stay few.
    """
    keyed = {(column, id(cut)): cut for block in blocks for column, cut in block}
    place, cuts = {key: at for at, key in enumerate(keyed)}, list(keyed.values())
    named = [tuple(place[column, id(cut)] for column, cut in block) for block in blocks]
    bins = np.array([cut.n_bins for cut in cuts], dtype=np.intp)
    left = np.zeros((len(cuts), len(cuts)), dtype=bool)
    for one, two in (pair for pair in named if len(pair) == 2):  # noqa: PLR2004 - a pair
        left[one, two] = left[two, one] = True
    chosen: list[list[int]] = []
    taken: set[int] = set()
    for pair in sorted(named, key=len, reverse=True):
        if len(pair) == 2 and left[pair]:  # noqa: PLR2004 - a pair
            members = _grown(list(pair), left, bins)
            left[np.ix_(members, members)] = False
            chosen.append(members)
        elif len(pair) == 1 and pair[0] not in taken:
            chosen.append(list(pair))
        taken.update(chosen[-1])
    serves = {pair: at for at, members in enumerate(chosen) for pair in (*permutations(members, 2), *zip(members))}
    served: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in chosen]
    for block, pair in enumerate(named):
        at = serves[pair]
        served[at].append((block, tuple(chosen[at].index(cut) for cut in pair)))
    return [
        Table(tuple(cuts[at] for at in members), tuple(of_table))
        for members, of_table in zip(chosen, served, strict=True)
    ]


def _grown(members: list[int], left: NDArray[np.bool_], bins: NDArray[np.intp]) -> list[int]:
    """The cuts of a table that begins with a pair."""
    while True:
        more = left[members].sum(axis=0)
        more[members] = 0
        more[bins * int(bins[members].prod()) > MOST_CELLS] = 0
        if not more.any():
            return members
        members.append(int(more.argmax()))


def counted(
    tables: Sequence[Table],
    rows: NDArray[np.intp] | None = None,
    weight: NDArray[np.float64] | None = None,
    part: NDArray[np.int32] | None = None,
    n_parts: int = 1,
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Sums of a weight (of 1 without one) over the cells of every block, by part of the rows.

    Parameters
    ----------
    tables : of `tables_of`
    rows : positions to count, or None for all
    weight : float array of shape (n_counted,)
    part : int array of shape (n_counted,), part that each row belongs to; None for one
    n_parts : int

    Yields
    ------
    (position of the block, array of shape (n_parts, n_bins) or (n_parts, n_bins, n_bins))
    """
    cuts = {id(cut): cut for table in tables for cut in table.cuts}
    bins = {key: cut.bins if rows is None else cut.bins[rows] for key, cut in cuts.items()}
    for table in tables:
        shape = [cut.n_bins for cut in table.cuts]
        n_cells = n_parts * int(np.prod(shape))
        width: type[np.signedinteger] = np.int16 if n_cells <= np.iinfo(np.int16).max else np.int32
        first, *others = table.cuts
        key: NDArray[np.signedinteger] = bins[id(first)]
        if part is not None:
            key = part.astype(width) * width(first.n_bins) + key
        for cut in others:
            key = key.astype(width, copy=False) * width(cut.n_bins) + bins[id(cut)]
        cells = np.bincount(key, weight, minlength=n_cells).reshape(n_parts, *shape)
        for block, axes in table.blocks:
            yield block, np.einsum(cells, range(cells.ndim), [0, *(at + 1 for at in axes)])
