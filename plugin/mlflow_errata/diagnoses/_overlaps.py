"""Overlaps: rows that two slices have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.slicing.bits import counts, pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Overlap:
    """Rows that a slice shares with another one.

    Parameters
    ----------
    other : str, id of the other slice
    rows : int, shared rows
    share : float in (0, 1], of the slice's own rows
    share_of_other : float in (0, 1], of the other slice's rows
    """

    other: str
    rows: int
    share: float
    share_of_other: float


def overlaps_of(n: int, slices: Sequence[NDArray[np.intp]], ids: Sequence[str]) -> list[tuple[Overlap, ...]]:
    """The overlaps of every slice with the others, most shared rows first; those without a shared row are left out.

    Parameters
    ----------
    n : int, rows of the table
    slices : positions of the rows of each slice, one row or more
    ids : of the slices
    """
    sets = [_packed(n, rows) for rows in slices]
    shared = np.array([[int(counts(one & two)) for two in sets] for one in sets])
    found = []
    for at, own in enumerate(ids):
        pairs = [
            Overlap(other, int(rows), float(rows / len(slices[at])), float(rows / len(slices[to])))
            for to, (other, rows) in enumerate(zip(ids, shared[at] if len(shared) else (), strict=True))
            if rows and other != own
        ]
        found.append(tuple(sorted(pairs, key=lambda pair: (-pair.rows, pair.other))))
    return found


def _packed(n: int, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return pack(mask)
