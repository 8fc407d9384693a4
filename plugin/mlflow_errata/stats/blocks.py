"""Block bootstrap: the interval of a statistic whose rows depend on their neighbours."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_BLOCKS = 48
"""Blocks at the finest: a number that 2, 3 and 4 divide."""
COARSER = (1, 2, 4)
"""Blocks that are joined, to find how far the dependence reaches."""
N_DRAWS = 2000


def blocks(n: int) -> NDArray[np.intp]:
    """N_BLOCKS runs of equally many neighbouring rows (fewer with fewer than two rows each); shape (n,)."""
    return np.arange(n) * min(N_BLOCKS, max(n // 2, 1)) // max(n, 1)


def pseudo_values(value: float, parts: Floats) -> Floats:
    """What each of g blocks says by itself: g * value - (g - 1) * (value without the block); shape (g,)."""
    g = len(parts)
    return np.asarray(g * value - (g - 1) * parts)


def block_interval(
    value: float, parts: Floats, *, in_time_order: bool, level: float, noise: float = 0.0, random_state: int = 0
) -> tuple[float, float, float]:
    """A statistic with its interval by a studentised block bootstrap.

    The pseudo-values of the blocks (Tukey's, from the statistic without each block) are drawn with replacement, and the
    quantiles of (mean* - mean) / error* turned around. In time order neighbouring blocks are joined by twos and fours
    as long as that raises the standard error, because dependence may reach beyond a block.

    Parameters
    ----------
    value : float, the statistic on all rows
    parts : array of shape (g,), the statistic without each block, in time order if there is one
    in_time_order : bool
    level : float, coverage
    noise : float, a standard error of other origin that is added in quadrature
    random_state : int

    Returns
    -------
    (value, low, high) : low <= value <= high

    References
    ----------
    Künsch 1989, doi:10.1214/aos/1176347265; Hall 1992, The Bootstrap and Edgeworth Expansion
    """
    said = pseudo_values(value, parts)
    candidates = [_joined(said, by) for by in COARSER if in_time_order or by == 1]
    usable = [item for item in candidates if len(item) >= 8] or candidates[:1]  # noqa: PLR2004 - blocks for an error
    chosen = max(usable, key=_error)
    error = _error(chosen)
    if error == 0 or len(chosen) < 2:  # noqa: PLR2004 - a spread needs two
        return value, value, value
    draws = np.random.default_rng(random_state).integers(0, len(chosen), size=(N_DRAWS, len(chosen)))
    drawn = chosen[draws]
    spread = drawn.std(axis=1, ddof=1) / sqrt(len(chosen))
    moved = np.divide(drawn.mean(axis=1) - chosen.mean(), spread, out=np.zeros(N_DRAWS), where=spread > 0)
    low, high = np.quantile(moved, [(1 - level) / 2, (1 + level) / 2])
    whole = sqrt(error**2 + noise**2)
    return value, min(value, value - float(high) * whole), max(value, value - float(low) * whole)


def _joined(values: Floats, by: int) -> Floats:
    """Means of neighbouring values, `by` at a time; what is left over at the end is joined to the last."""
    n = max(1, len(values) // by)
    return np.array([part.mean() for part in np.array_split(values, n)])


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
