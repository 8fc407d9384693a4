"""Confidence intervals of shares, means, differences and any smooth statistic."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N_GROUPS = 20
"""Groups of the delete-a-group jackknife: 19 degrees of freedom, 20 evaluations."""


def normal_quantile(level: float) -> float:
    """Two-sided standard normal quantile of a coverage: 1.96 for 0.95."""
    return float(scipy.special.ndtri(0.5 + level / 2))


def t_quantile(degrees: int, level: float = 0.95) -> float:
    """Two-sided quantile of Student's t of a coverage: 2.23 for 10 degrees of freedom and 0.95."""
    return float(scipy.special.stdtrit(degrees, 0.5 + level / 2))


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


def jeffreys(successes: float, n: float, *, level: float = 0.95) -> tuple[float, float, float]:
    """Share of successes under Jeffreys' prior: mean and equal-tailed interval of Beta(w + 1/2, n - w + 1/2).

    The interval reaches 0 where nothing succeeded and 1 where everything did.

    Parameters
    ----------
    successes : float in [0, n]
    n : float, 0 or more; nothing seen gives 1/2 and nearly (0, 1)
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) : floats in [0, 1]

    References
    ----------
    Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286
    """
    a, b = successes + 0.5, n - successes + 0.5
    low, high = (float(scipy.special.betaincinv(a, b, end)) for end in ((1 - level) / 2, (1 + level) / 2))
    return a / (a + b), low if successes else 0.0, high if successes < n else 1.0


def share_like_interval(value: float, spread: float, n: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """Interval of a statistic in [0, 1] that is normal on the logit scale, so that it stays in [0, 1].

    At 0, at 1 and without a spread the open side is Wilson's for as many trials.

    Parameters
    ----------
    value : float in [0, 1], up to rounding
    spread : float, variance of the statistic
    n : int, trials that it is worth at its ends
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) : floats in [0, 1]
    """
    if value * (1 - value) < 1e-12 or spread == 0:  # noqa: PLR2004 - rounding
        return wilson(min(max(value, 0.0), 1.0) * n, n, level=level)
    half = normal_quantile(level) * sqrt(spread) / (value * (1 - value))
    centre = log(value / (1 - value))
    return value, 1 / (1 + exp(min(half - centre, 700))), 1 / (1 + exp(-half - centre))


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
    half = t_quantile(max(n_positive - 1, 1), level) * sqrt(spread)
    return mean, mean - half, mean + half


def mean_or_share(
    values: NDArray[np.float64], weight: NDArray[np.float64] | None = None, *, level: float = 0.95
) -> tuple[float, float, float]:
    """(Weighted) mean: Wilson's interval for zeros and ones (on Kish's effective number), a t interval for the rest.

    Kish's effective number of weighted rows is sum(w)^2 / sum(w^2).
    """
    if not np.isin(values, (0.0, 1.0)).all():
        return mean_interval(values, weight, level=level)
    if weight is None or not weight.any():
        return wilson(float(values.sum()), len(values), level=level)
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return wilson(float(np.average(values, weights=weight)) * effective, effective, level=level)


def jackknife(
    statistic: Callable[[NDArray[np.intp]], float], groups: NDArray[np.intp], *, level: float = 0.95
) -> tuple[float, float, float] | None:
    """Any smooth statistic of rows, with a delete-a-group jackknife interval.

    With g groups, variance = (g - 1) / g * sum((theta_without_j - mean)^2), t quantile on g - 1 degrees of freedom.
    Groups drawn at random stand for independent rows; groups of rows that move together (a day, a customer) keep the
    interval honest when they do.

    Parameters
    ----------
    statistic : callable from row positions (array of shape (m,)) to float
    groups : int array of shape (n,), the group of each row, 0 .. g-1
    level : float in (0, 1)

    Returns
    -------
    (value, low, high), or None with fewer than two groups or if the statistic is not finite on the whole or on a part

    References
    ----------
    Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17(4).
    """
    g = int(groups.max(initial=-1)) + 1
    if g < 2:  # noqa: PLR2004 - a spread needs two groups
        return None
    parts = np.array([statistic(np.flatnonzero(groups != j)) for j in range(g)])
    return jackknife_of(statistic(np.arange(len(groups))), parts, level=level)


def jackknife_of(value: float, parts: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float, float] | None:
    """The interval of `jackknife` from a statistic of all rows and its values without each group; shape (g,)."""
    g = len(parts)
    if g < 2 or not (np.isfinite(value) and np.isfinite(parts).all()):  # noqa: PLR2004 - a spread needs two groups
        return None
    half = t_quantile(g - 1, level) * sqrt((g - 1) / g * float(((parts - parts.mean()) ** 2).sum()))
    return value, value - half, value + half


def at_level(
    interval: tuple[float, float, float], degrees: int, *, level: float, given: float = 0.95
) -> tuple[float, float, float]:
    """A t interval at another level: its halves in proportion to the t quantiles.

    Parameters
    ----------
    interval : (value, low, high), at the level `given`
    degrees : int, degrees of freedom
    """
    value, low, high = interval
    wider = t_quantile(degrees, level) / t_quantile(degrees, given)
    return value, value - wider * (value - low), value + wider * (high - value)


def influence_interval(value: float, squares: float, n: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """A statistic with a t interval from how far each of n independent units moves it (its influence).

    variance = n / (n - 1) * sum over units of influence^2, where the influences sum up to 0.

    Parameters
    ----------
    value : float
    squares : float, sum of the squared influences
    n : int, units, 2 or more
    level : float in (0, 1)

    Returns
    -------
    (value, low, high)

    References
    ----------
    Deville 1999, "Variance estimation for complex statistics and estimators", Survey Methodology 25(2).
    """
    half = float(scipy.special.stdtrit(n - 1, 0.5 + level / 2)) * sqrt(squares * n / (n - 1))
    return value, value - half, value + half


def scattered_groups(n: int) -> NDArray[np.intp]:
    """Groups of rows by position modulo N_GROUPS, for rows in an order that carries no meaning; shape (n,)."""
    return np.arange(n) % min(N_GROUPS, max(n, 1))


def contiguous_groups(n: int) -> NDArray[np.intp]:
    """N_GROUPS runs of equally many neighbouring rows, for rows in time order; shape (n,)."""
    return np.arange(n) * min(N_GROUPS, max(n, 1)) // max(n, 1)


def difference(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float, float]:
    """Difference of two independent estimates, second - first, from their intervals.

    The halves towards each other are added in quadrature (MOVER): the usual sqrt(se1^2 + se2^2) for normal intervals,
    Newcombe's method 10 for two Wilson intervals.

    Parameters
    ----------
    first, second : (value, low, high)

    References
    ----------
    Zou & Donner 2008, doi:10.1002/sim.3095; Newcombe 1998,
    doi:10.1002/(sici)1097-0258(19980430)17:8<873::aid-sim779>3.0
    """
    (p1, low1, high1), (p2, low2, high2) = first, second
    change = p2 - p1
    return (
        change,
        change - sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2),
        change + sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2),
    )
