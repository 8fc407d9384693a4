"""Columns as bins, and the atoms (single predicates) over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

N_FINE = 32
"""Quantile bins of a number for slices of one predicate: all their contiguous ranges are examined."""
N_COARSE = 8
"""Quantile bins of a number inside slices of two predicates."""


@dataclass(frozen=True)
class Atom:
    """One predicate over a column's bins: a level, a range of bins, or missing.

    Parameters
    ----------
    kind : "level", "range" or "missing"
    level : int, position of the level (kind "level"), else -1
    low, high : float or None, low <= value < high (kind "range"); None leaves a side open
    """

    kind: Literal["level", "range", "missing"]
    level: int = -1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Encoded:
    """One column: a bin for each row, and atoms as 0/1 rows over the bins.

    Parameters
    ----------
    bins : int array of shape (n_rows,), in [0, n_bins)
    n_bins : int
    atoms : tuple of Atom
    member : float array of shape (n_atoms, n_bins): which bins an atom holds
    coarse : int array of shape (n_bins,): coarser bin of each bin, for slices of two predicates
    coarse_atoms : tuple of Atom
    coarse_member : float array of shape (n_coarse_atoms, n_coarse_bins)
    """

    bins: NDArray[np.int32]
    n_bins: int
    atoms: tuple[Atom, ...]
    member: NDArray[np.float64]
    coarse: NDArray[np.int32]
    coarse_atoms: tuple[Atom, ...]
    coarse_member: NDArray[np.float64]

    @property
    def coarse_bins(self) -> NDArray[np.int32]:
        """The coarser bin of each row; shape (n_rows,)."""
        return self.coarse[self.bins]


def encode_levels(codes: NDArray[np.intp], n_levels: int, min_support: int) -> Encoded | None:
    """Levels with enough rows as atoms, missing as an atom of its own, the rare rest in a bin without an atom.

    Parameters
    ----------
    codes : int array of shape (n_rows,), positions of levels ordered from the commonest, -1 where missing
    n_levels : int
    min_support : int, rows that an atom needs

    Returns
    -------
    Encoded, or None if fewer than two bins hold rows
    """
    support = np.bincount(codes + 1, minlength=n_levels + 1)
    kept = int((support[1:] >= min_support).sum())
    bins = np.minimum(codes + 1, kept + 1).astype(np.int32)
    if len(np.unique(bins)) < 2:  # noqa: PLR2004 - a slice needs an outside
        return None
    n_bins = kept + 2
    atoms = [Atom("level", level) for level in range(kept)]
    member = np.eye(n_bins)[1 : kept + 1]
    if support[0] >= min_support:
        atoms, member = [Atom("missing"), *atoms], np.eye(n_bins)[: kept + 1]
    same = np.arange(n_bins, dtype=np.int32)
    return Encoded(bins, n_bins, tuple(atoms), member, same, tuple(atoms), member)


def encode_numbers(values: NDArray[np.float64], *, whole: bool) -> Encoded | None:
    """Quantile bins of a number with all contiguous ranges as atoms, missing as an atom of its own.

    Parameters
    ----------
    values : float array of shape (n_rows,), NaN where missing
    whole : bool, True if all values are whole numbers

    Returns
    -------
    Encoded, or None if there is nothing to tell apart

    Notes
    -----
    Bins are cut at values that occur; the cut that is printed is the shortest decimal between this value and the one
    before, so a predicate holds exactly the rows that were counted.
    """
    missing = np.isnan(values)
    known = np.sort(values[~missing])
    if len(known) == 0 or (known[0] == known[-1] and not missing.any()):
        return None
    at = _quantile_positions(known)
    edges = known[at]
    cuts = [
        float(edge) if whole else _short_cut(float(known[i - 1]), float(edge))
        for i, edge in zip(at, edges, strict=True)
    ]
    bins = np.where(missing, 0, np.searchsorted(edges, values, side="right") + 1).astype(np.int32)
    atoms, member = _ranges(np.arange(len(edges) + 1), cuts, missing=bool(missing.any()))
    step = max(1, -(-(len(edges) + 1) // N_COARSE))
    group = np.arange(len(edges) + 1) // step
    coarse_atoms, coarse_member = _ranges(group, cuts, missing=bool(missing.any()))
    coarse = np.concatenate([[0], group + 1]).astype(np.int32)
    return Encoded(bins, len(edges) + 2, atoms, member, coarse, coarse_atoms, coarse_member)


def _quantile_positions(known: NDArray[np.float64]) -> NDArray[np.intp]:
    """First positions of the distinct values at the inner quantiles of sorted numbers."""
    picked = known[(np.arange(1, N_FINE) * len(known)) // N_FINE]
    at = np.unique(np.searchsorted(known, picked, side="left"))
    return np.asarray(at[at > 0], dtype=np.intp)


def _short_cut(below: float, edge: float) -> float:
    """The shortest decimal c with below < c <= edge."""
    for digits in range(17):
        scale = 10.0**digits
        cut = float(np.floor(edge * scale) / scale)
        if below < cut <= edge:
            return cut
    return edge


def _ranges(
    group: NDArray[np.intp], cuts: list[float], *, missing: bool
) -> tuple[tuple[Atom, ...], NDArray[np.float64]]:
    """All contiguous ranges of groups of bins (but the whole), and missing."""
    n = int(group[-1]) + 1
    starts = [int(np.flatnonzero(group == g)[0]) for g in range(n)]
    bound: list[float | None] = [None, *(cuts[start - 1] for start in starts[1:]), None]
    atoms: list[Atom] = []
    rows: list[NDArray[np.float64]] = []
    for low in range(n):
        for high in range(low + 1, n + 1):
            if high - low < n:
                row = np.zeros(n + 1)
                row[1 + low : 1 + high] = 1
                rows.append(row)
                atoms.append(Atom("range", low=bound[low], high=bound[high]))
    if missing:
        rows.append(np.eye(n + 1)[0])
        atoms.append(Atom("missing"))
    return tuple(atoms), np.array(rows).reshape(len(atoms), n + 1)
