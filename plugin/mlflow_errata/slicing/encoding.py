"""Columns as bins, and the atoms (single predicates) over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.slicing.binning import places

N_FINE = 32
"""Quantile bins of a number: all their contiguous ranges are examined, alone and beside a level."""
FEW = 64
"""Distinct values of a number that are bins of their own."""
N_COARSE = 8
"""Quantile bins of a number beside another number."""
N_ROUGH = 4
"""Quantile bins of a number in slices of three predicates, from one end or the other."""
SAMPLE = 2**17
"""Rows that quantiles are taken from; rows stand in an order that carries no meaning."""


@dataclass(frozen=True)
class Atom:
    """One predicate over a column's bins: a level, the rare levels together, a range of bins, or missing.

    Parameters
    ----------
    kind : "level", "rare", "range" or "missing"
    level : int, position of the level (kind "level"), else -1
    low, high : float or None, low <= value < high (kind "range"); None leaves a side open
    """

    kind: Literal["level", "rare", "range", "missing"]
    level: int = -1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Cut:
    """A column cut into bins, and the atoms over these.

    Parameters
    ----------
    bins : int array of shape (n_rows,), in [0, n_bins)
    atoms : tuple of Atom
    member : float array of shape (n_atoms, n_bins): which bins an atom holds; they are neighbours
    """

    bins: NDArray[np.int16]
    atoms: tuple[Atom, ...]
    member: NDArray[np.float64]

    @property
    def n_bins(self) -> int:
        """Bins, with or without rows."""
        return int(self.member.shape[1])

    def mask(self, atom: int) -> NDArray[np.bool_]:
        """Rows of an atom; shape (n_rows,)."""
        return np.asarray(self.member[atom][self.bins] > 0)


@dataclass(frozen=True)
class Encoded:
    """One column, cut for slices of one predicate or beside a level, beside a number, and for slices of three.

    Parameters
    ----------
    fine, coarse, rough : Cut, one and the same for levels
    is_number : bool
    """

    fine: Cut
    coarse: Cut
    rough: Cut
    is_number: bool = False


def encode_levels(codes: NDArray[np.intp], n_levels: int, min_support: int) -> Encoded | None:
    """Levels with enough rows as atoms, the rare ones together as one, missing as an atom of its own.

    Parameters
    ----------
    codes : int array of shape (n_rows,), positions of levels ordered from the commonest, -1 where missing
    n_levels : int
    min_support : int, rows that an atom needs

    Returns
    -------
    Encoded, or None if no atom parts the rows
    """
    support = np.bincount(codes + 1, minlength=n_levels + 1)
    kept = int((support[1:] >= min_support).sum())
    rare = int(support[kept + 1 :].sum())
    atoms = [Atom("level", level) for level in range(kept)]
    member = np.eye(kept + 2)[1 : kept + 1]
    if kept < n_levels - 1 and rare >= min_support:
        atoms, member = [*atoms, Atom("rare", kept)], np.vstack([member, np.eye(kept + 2)[-1:]])
    if support[0] >= min_support:
        atoms, member = [Atom("missing"), *atoms], np.vstack([np.eye(kept + 2)[:1], member])
    if not atoms or max(support[: kept + 1].max(), rare) == len(codes):
        return None
    of_level = np.append(np.minimum(np.arange(1, n_levels + 1), kept + 1), 0).astype(np.int16)  # -1 is the last
    cut = Cut(of_level[codes], tuple(atoms), member)
    return Encoded(cut, cut, cut)


def encode_numbers(values: NDArray[np.float64], *, whole: bool) -> Encoded | None:
    """Quantile bins of a number with contiguous ranges as atoms, missing as an atom of its own.

    Few distinct values are bins of their own, and single values stay atoms everywhere.

    Parameters
    ----------
    values : float array of shape (n_rows,), NaN where missing
    whole : bool, True if all values are whole numbers

    Returns
    -------
    Encoded, or None if there is nothing to tell apart

    Notes
    -----
    A cut is the shortest decimal between two neighbouring values, and rows are binned by the cuts as they are printed:
    a predicate holds exactly the rows that were counted.
    """
    missing = np.isnan(values)
    gaps = bool(missing.any())
    known = values[~missing] if gaps else values
    if len(known) == 0 or (not gaps and known.min() == known.max()):
        return None
    cuts, few = _cuts(known, whole=whole)
    bins = places(np.array(cuts), values) + np.int16(1)
    if gaps:
        bins[missing] = 0
    n = len(cuts) + 1
    singles = [(at, at + 1) for at in range(n)] if few else []  # the bins are the values
    ranges = [_ranges(_edges(n, N_FINE)), _ranges(_edges(n, N_COARSE)), _ends(_edges(n, N_ROUGH))]
    cut = _cut if few else _merged
    fine, coarse, rough = (cut(bins, [*some, *singles], cuts, gaps=gaps) for some in ranges)
    return Encoded(fine, coarse, rough, is_number=True)


def _cuts(known: NDArray[np.float64], *, whole: bool) -> tuple[list[float], bool]:
    """Where bins begin (but the first), and whether the bins are the distinct values."""
    seen = np.sort(known[:SAMPLE])
    distinct = seen[np.concatenate([[True], seen[1:] != seen[:-1]])]
    few = len(distinct) <= FEW
    if few:
        edges, below = distinct[1:], distinct[:-1]
    else:
        at = np.searchsorted(seen, seen[(np.arange(1, N_FINE) * len(seen)) // N_FINE], side="left")
        at = np.unique(at[at > 0])
        edges, below = seen[at], seen[at - 1]
    if whole:
        return [float(edge) for edge in edges], few
    return [short_cut(float(a), float(b)) for a, b in zip(below, edges, strict=True)], few


def short_cut(below: float, edge: float) -> float:
    """The shortest decimal c with below < c <= edge."""
    for digits in range(17):
        scale = 10.0**digits
        cut = float(np.floor(edge * scale) / scale)
        if below < cut <= edge:
            return cut
    return edge


def _edges(n_bins: int, n_groups: int) -> list[int]:
    """First bins of about n_groups groups of equally many bins, and the end."""
    step = max(1, -(-n_bins // n_groups))
    return [*range(0, n_bins, step), n_bins]


def _ranges(edges: list[int]) -> list[tuple[int, int]]:
    """All contiguous ranges between edges but the whole."""
    whole = (edges[0], edges[-1])
    return [(low, high) for at, low in enumerate(edges) for high in edges[at + 1 :] if (low, high) != whole]


def _ends(edges: list[int]) -> list[tuple[int, int]]:
    """Ranges that reach to one end."""
    return [*((edges[0], at) for at in edges[1:-1]), *((at, edges[-1]) for at in edges[1:-1])]


def _cut(bins: NDArray[np.int16], ranges: list[tuple[int, int]], cuts: list[float], *, gaps: bool) -> Cut:
    """Atoms for ranges of bins; bin 0 holds the missing values."""
    n = len(cuts) + 1
    distinct = [ends for ends in dict.fromkeys(ranges) if ends != (0, n)]
    low, high = np.array(distinct, dtype=np.intp).reshape(-1, 2).T
    at = np.arange(n)
    inside = ((at >= low[:, None]) & (at < high[:, None])).astype(np.float64)
    bound = [None, *cuts, None]
    atoms = [Atom("range", low=bound[a], high=bound[b]) for a, b in distinct]
    member = np.concatenate([np.zeros((len(atoms), 1)), inside], axis=1)
    if gaps:
        atoms, member = [*atoms, Atom("missing")], np.vstack([member, np.eye(n + 1)[:1]])
    return Cut(bins, tuple(atoms), member)


def _merged(bins: NDArray[np.int16], ranges: list[tuple[int, int]], cuts: list[float], *, gaps: bool) -> Cut:
    """A cut over the fewest bins that tell its ranges apart."""
    edges = sorted({edge for ends in ranges for edge in ends})
    place = {edge: at for at, edge in enumerate(edges)}
    group = np.concatenate([[0], np.searchsorted(edges, np.arange(edges[-1]), side="right")]) if edges else np.zeros(2)
    kept = [cuts[edge - 1] for edge in edges[1:-1]]
    merged = group.astype(np.int16)[bins]
    return _cut(merged, [(place[a], place[b]) for a, b in ranges], kept, gaps=gaps)
