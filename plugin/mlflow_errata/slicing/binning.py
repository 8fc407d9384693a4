"""Which of some bins each of many numbers falls into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_CELLS = 2**12
"""Equally wide cells over the edges: few enough for their tables to stay in the cache."""
MOST_STEPS = 6
"""Edges that one cell may hold; where edges crowd more than that, they are searched for."""
FEWEST = 2**12
"""Numbers below which the tables would cost more than they save."""
AT_ONCE = 2**15
"""Numbers that are binned at once, so that what it takes stays in the cache."""


def places(edges: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int16]:
    """Edges that lie at or below each value: `np.searchsorted(edges, values, side="right")`, several times as fast.

    A table tells the edges below the cell of a value; those within the cell are compared with the value itself. The
    cell never falls where the value rises, so the places are exact.

    Parameters
    ----------
    edges : float array of shape (n_edges,), finite, ascending, fewer than 2^15
    values : float array of shape (n,); where one is NaN any place may stand

    Returns
    -------
    int array of shape (n,), in [0, n_edges]
    """
    scale = _scale(edges) if len(values) >= FEWEST else 0.0
    if not scale:
        return np.searchsorted(edges, values, side="right").astype(np.int16)
    of_edges = _cells(edges, edges[0], scale)
    steps = int(np.bincount(of_edges).max())
    if steps > MOST_STEPS:
        return np.searchsorted(edges, values, side="right").astype(np.int16)
    below = np.searchsorted(of_edges, np.arange(N_CELLS), side="left").astype(np.int16)
    following = np.append(edges, np.nan)  # beyond the last edge no value is at or above the next
    found = np.empty(len(values), dtype=np.int16)
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        place = below[_cells(some, edges[0], scale)]
        for _ in range(steps):
            place += some >= following[place]
        found[start : start + AT_ONCE] = place
    return found


def _scale(edges: NDArray[np.float64]) -> float:
    """Cells a unit; 0 where cells make no sense."""
    with np.errstate(over="ignore", divide="ignore"):
        scale = (N_CELLS - 2) / (edges[-1] - edges[0]) if len(edges) > 1 else 0.0
    return float(scale) if np.isfinite(scale) else 0.0


def _cells(values: NDArray[np.float64], low: float, scale: float) -> NDArray[np.int32]:
    """Cell of every value: 0 below the first edge, the last one at and above the last."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = values - low
        found *= scale
        found += 1
    np.fmax(found, 0, out=found)
    np.fmin(found, N_CELLS - 1, out=found)
    return found.astype(np.int32)
