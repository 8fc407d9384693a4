"""Orders of rows under which errors belong to no slice, and the evidence that chance then reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.slicing.evidence import Cells, Standing
from mlflow_errata.slicing.sets import Sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mlflow_errata.slicing.lattice import Lattice


def shuffles(
    n: int,
    count: int,
    *,
    in_time: NDArray[np.intp] | None = None,
    groups: NDArray[np.intp] | None = None,
    random_state: int = 0,
) -> Iterator[NDArray[np.intp]]:
    """Orders of n rows, drawn at random; errors taken in such an order belong to no slice.

    With `in_time` these rows are turned around as a ring instead: each takes the error of the row a random number of
    places later, so that errors which come in spells of any length do so in every draw. Rows outside `in_time` are
    shuffled among themselves.

    With `groups` every group takes the errors of another one, row by row and from the start again where that is
    smaller, so that groups which err alike in all their rows do so in every draw; rows of no group are shuffled among
    themselves.

    Parameters
    ----------
    n, count : int, rows, and orders wanted
    in_time : int array, positions of rows in the order of their time
    groups : int array of shape (n,), from 0; below 0 for rows of no group; used instead of `in_time`
    random_state : int

    Yields
    ------
    int array of shape (n,): row i takes the error of the row at place i

    References
    ----------
    Lotwick & Silverman 1982, J. R. Stat. Soc. B 44, 406-413 (toroidal shifts)
    """
    draw = np.random.default_rng(random_state)
    if groups is not None:
        yield from _by_group(groups, count, draw)
        return
    timed = np.empty(0, dtype=np.intp) if in_time is None else in_time
    others = np.setdiff1d(np.arange(n), timed)
    for _ in range(count):
        order = np.empty(n, dtype=np.intp)
        order[others] = draw.permutation(others)
        order[timed] = np.roll(timed, int(draw.integers(1, max(2, len(timed)))))
        yield order


def _by_group(groups: NDArray[np.intp], count: int, draw: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Orders in which every group takes the errors of another."""
    alone, rows = np.flatnonzero(groups < 0), np.argsort(groups, kind="stable")
    rows = rows[len(alone) :]
    own = groups[rows]
    support = np.bincount(own, minlength=1)
    starts = np.cumsum(support) - support
    place = np.arange(len(rows)) - starts[own]
    for _ in range(count):
        other = draw.permutation(len(support))[own] if len(rows) else own
        order = np.empty(len(groups), dtype=np.intp)
        order[alone] = draw.permutation(alone)
        order[rows] = rows[starts[other] + place % np.maximum(support[other], 1)]
        yield order


def largest_by_chance(
    lattice: Lattice,
    errors: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    orders: Iterable[NDArray[np.intp]],
    *,
    two_sided: bool = False,
) -> NDArray[np.float64]:
    """The largest evidence of any slice, and any set of levels, for errors in each of some orders; shape (n_orders,).

    Parameters
    ----------
    lattice : Lattice
    errors : float array of shape (n_rows,)
    weight : float array of shape (n_rows,), or None; it stays with its error
    orders : int arrays of shape (n_rows,)
    two_sided : bool, True if less than expected counts like more

    References
    ----------
    Westfall & Young 1993, Resampling-Based Multiple Testing (max-T)
    """
    found = []
    for order in orders:
        cells = Cells(errors[order], None if weight is None else weight[order], two_sided=two_sided)
        of_sets = 0.0 if two_sided else Sets(lattice, cells).best(1.0)[0]
        found.append(max(float(Standing(lattice, cells).evidence().max()), of_sets))
    return np.array(found)
