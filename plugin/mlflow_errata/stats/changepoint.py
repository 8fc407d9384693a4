"""A change point: from where on a sequence lies higher, and how surely that is known."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIM = 0.02
"""Share of the values at either end between which no change is looked for."""
BLOCKS = 50
"""Runs of neighbours from whose means it is told how far neighbours move together."""


def rise(
    values: NDArray[np.float64], weight: NDArray[np.float64] | None = None, *, level: float = 0.95
) -> tuple[int, int, int] | None:
    """Position from which on values lie higher, with its interval.

    The position maximises the likelihood ratio of one step of the mean, LR(t) = W1 W2 / W (mean2 - mean1)^2 / s^2, over
    steps upwards; s^2 is the variance around the two means, times the factor (1 or more) by which the means of runs of
    neighbours vary more than independent values would. The interval holds every position with LR(t) >= LR(best) - c.
    Next to a step, twice the log-likelihood falls off on either side by a maximum that is exponential with mean 2, so
    c = -2 ln(1 - sqrt(level)), 7.35 at 95 %.

    Parameters
    ----------
    values : float array of shape (n,), in order
    weight : float array of shape (n,), or None for equal weights
    level : float in (0, 1)

    Returns
    -------
    (at, low, high) : positions of the first value after the step, low <= at <= high; None without a step upwards

    References
    ----------
    Eo & Morley 2015, "Confidence sets for the timing of structural breaks", doi:10.3982/QE186
    """
    n = len(values)
    w = np.ones(n) if weight is None else weight * (n / weight.sum())
    before, total = np.cumsum(w)[:-1], float(w.sum())
    moved = np.cumsum(w * values)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = (moved[-1] - moved[:-1]) / (total - before) - moved[:-1] / before
        evidence = np.where(step > 0, before * (total - before) / total * step**2, -np.inf)
    edge = max(1, int(TRIM * n))
    evidence[: edge - 1] = evidence[n - edge :] = -np.inf
    evidence[np.isnan(evidence)] = -np.inf
    best = int(evidence.argmax()) if n > 1 else 0
    if n < 2 or not np.isfinite(evidence[best]):  # noqa: PLR2004 - a step needs two values
        return None
    levels = (moved[best] / before[best], (moved[-1] - moved[best]) / (total - before[best]))
    residual = values - np.where(np.arange(n) <= best, *levels)
    spread = _spread(residual, w)
    least = evidence[best] + 2 * log(1 - sqrt(level)) * spread
    held = np.flatnonzero(evidence >= least)
    return best + 1, int(held[0]) + 1, int(held[-1]) + 1


def _spread(residual: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Variance of one value, inflated where neighbours move together."""
    n = len(residual)
    variance = float((weight**2 * residual**2).sum() / weight.sum())
    block = np.arange(n) * min(BLOCKS, n) // n
    sums = np.bincount(block, weight * residual)
    together = float((sums**2).sum() / max(float((weight**2 * residual**2).sum()), np.finfo(float).tiny))
    return variance * max(1.0, together)
