"""Agreement of two orders: Kendall's tau, its interval over pairs, and how many pairs are needed to know."""

from __future__ import annotations

from math import atanh, ceil, sqrt, tanh
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.intervals import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FIELLER = 0.437
"""Variance of artanh(tau) is about this over n - 4."""
FEWEST = 5
"""Pairs below which tau has no interval."""
MOST_NEEDED = 10_000
LARGEST = 1 - 1e-9


def tau_b(x: Floats, y: Floats) -> Floats:
    """Kendall's tau-b: pairs that stand in one order less pairs that stand in the other, over those without ties.

    sum sign(x_i - x_j) sign(y_i - y_j) / sqrt(pairs untied in x * pairs untied in y); 0 where all are tied.

    Parameters
    ----------
    x, y : float arrays of shape (..., n), broadcast against each other

    Returns
    -------
    array of shape (...), in [-1, 1]

    References
    ----------
    Kendall 1945, doi:10.1093/biomet/33.3.239
    """
    first, second = (np.sign(part[..., :, None] - part[..., None, :]) for part in (x, y))
    agreed = (first * second).sum(axis=(-2, -1))
    untied = np.sqrt(np.abs(first).sum(axis=(-2, -1)) * np.abs(second).sum(axis=(-2, -1)))
    return np.asarray(np.divide(agreed, untied, out=np.zeros_like(untied), where=untied > 0))


def tau_interval(x: Floats, y: Floats, *, level: float = 0.95) -> tuple[float, float, float] | None:
    """tau-b of n independent pairs, with an interval: tanh(artanh(tau) +- z sqrt(0.437 / (n - 4))).

    Parameters
    ----------
    x, y : float arrays of shape (n,)
    level : float in (0, 1)

    Returns
    -------
    (value, low, high), or None for fewer than 5 pairs, or where one of them never changes

    References
    ----------
    Fieller, Hartley & Pearson 1957, doi:10.1093/biomet/44.3-4.470
    """
    if len(x) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    tau = float(tau_b(x, y))
    centre = atanh(min(max(tau, -LARGEST), LARGEST))
    half = normal_quantile(level) * sqrt(FIELLER / (len(x) - 4))
    return tau, min(tau, tanh(centre - half)), max(tau, tanh(centre + half))


def tau_p_value(x: Floats, y: Floats) -> float:
    """Two-sided p-value of the hypothesis that the orders have nothing to do with each other, exact without ties."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - slow to import

    return float(kendalltau(x, y).pvalue)


def pairs_needed(tau: float, *, level: float = 0.95) -> int | None:
    """Pairs from which on an agreement of this size has an interval on one side of 0; None if more than 10,000.

    n = 4 + 0.437 (z / artanh(tau))^2.
    """
    size = atanh(min(abs(tau), LARGEST))
    if size == 0:
        return None
    needed = max(FEWEST, ceil(4 + FIELLER * (normal_quantile(level) / size) ** 2))
    return needed if needed <= MOST_NEEDED else None


def drawn(values: Floats, parts: Floats, n_draws: int, *, random_state: int) -> Floats:
    """Values as they might have come out on other rows: normal around those measured, together as the parts go.

    With g delete-a-group values theta_j, a draw is theta + sqrt((g - 1) / g) * sum over j of z_j (theta_j - mean), so
    that its variance is the jackknife's, and statistics of the same groups of rows keep their correlation.

    Parameters
    ----------
    values : array of shape (...)
    parts : array of shape (..., g)

    Returns
    -------
    array of shape (n_draws, ...)
    """
    g = parts.shape[-1]
    centred = (parts - parts.mean(axis=-1, keepdims=True)) * sqrt((g - 1) / g)
    z = np.random.default_rng(random_state).normal(size=(n_draws, g))
    return np.asarray(values + np.tensordot(z, centred, axes=([1], [centred.ndim - 1])))


def correlation_without(x: Floats, y: Floats, groups: NDArray[np.intp]) -> tuple[float, Floats]:
    """Pearson's correlation of all rows, and without each group; NaN where one of them never changes.

    Parameters
    ----------
    x, y : float arrays of shape (n,)
    groups : int array of shape (n,), 0 .. g-1

    Returns
    -------
    (value, parts) : float, and array of shape (g,)
    """
    a, b = x - x.mean(), y - y.mean()
    inside = np.stack([np.bincount(groups, part) for part in (np.ones(len(x)), a, b, a * a, b * b, a * b)])
    whole = inside.sum(axis=1, keepdims=True)
    n, sa, sb, saa, sbb, sab = np.concatenate([whole, whole - inside], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (n * sab - sa * sb) / np.sqrt((n * saa - sa**2) * (n * sbb - sb**2))
    return float(r[0]), r[1:]
