"""Confidence intervals of shares, means, differences and any smooth statistic."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N_GROUPS = 20
"""Groups of the delete-a-group jackknife: 19 degrees of freedom, 20 evaluations."""


def normal_quantile(level: float) -> float:
    """Two-sided standard normal quantile of a coverage: 1.96 for 0.95."""
    return float(ndtri(0.5 + level / 2))


def wilson(successes: float, n: float, *, level: float = 0.95) -> tuple[float, float, float]:
    """Share of successes with Wilson's score interval.

    Parameters
    ----------
    successes : float in [0, n]
    n : float, positive
        Number of trials; Kish's effective number when rows are weighted.
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) : floats in [0, 1]

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953
    """
    z = normal_quantile(level)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def mean_interval(
    values: NDArray[np.float64], weight: NDArray[np.float64] | None = None, *, level: float = 0.95
) -> tuple[float, float, float]:
    """(Weighted) mean with a t interval.

    The variance of a weighted mean is sum(w^2 (x - mean)^2) / sum(w)^2 (linearisation), times n / (n - 1).

    Parameters
    ----------
    values : array of shape (n,), n >= 2, finite
    weight : array of shape (n,), non-negative, not all zero; None for equal weights
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) in the unit of `values`
    """
    n = len(values)
    w = np.ones(n) if weight is None else weight
    total = float(w.sum())
    mean = float((w * values).sum() / total)
    n_positive = int((w > 0).sum())
    spread = float((w**2 * (values - mean) ** 2).sum()) / total**2 * n_positive / max(n_positive - 1, 1)
    half = float(stdtrit(max(n_positive - 1, 1), 0.5 + level / 2)) * sqrt(spread)
    return mean, mean - half, mean + half


def jackknife(
    statistic: Callable[[NDArray[np.intp]], float], n: int, *, level: float = 0.95
) -> tuple[float, float, float] | None:
    """Any smooth statistic of rows, with a delete-a-group jackknife interval.

    With g groups, variance = (g - 1) / g * sum((theta_without_j - mean)^2), t quantile on g - 1 degrees of freedom.
    Rows fall into groups by position, so rows must stand in an order that carries no meaning.

    Parameters
    ----------
    statistic : callable from row positions (array of shape (m,)) to float
    n : int
        Number of rows.
    level : float in (0, 1)

    Returns
    -------
    (value, low, high), or None if the statistic is not finite on the whole or on a part

    References
    ----------
    Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17(4).
    """
    groups = min(N_GROUPS, n)
    everything = np.arange(n)
    if groups < 2:  # noqa: PLR2004 - a spread needs two groups
        return None
    value = statistic(everything)
    parts = np.array([statistic(everything[everything % groups != j]) for j in range(groups)])
    if not (np.isfinite(value) and np.isfinite(parts).all()):
        return None
    spread = (groups - 1) / groups * float(((parts - parts.mean()) ** 2).sum())
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * sqrt(spread)
    return value, value - half, value + half
