"""Ranks: how far two columns rise and fall together."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.intervals import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 1 - 1e-12


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, ties at their mean; shape (n,)."""
    _, place, support = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(support) - (support - 1) / 2)[place]


def rank_correlation(
    x: NDArray[np.float64], y: NDArray[np.float64], *, level: float = 0.95
) -> tuple[float, float, float] | None:
    """Spearman's rank correlation with Fisher's interval: tanh(artanh(r) +- z / sqrt(n - 3)).

    Parameters
    ----------
    x, y : float arrays of shape (n,), n >= 4, finite
    level : float in (0, 1)

    Returns
    -------
    (value, low, high) in [-1, 1], or None where one of them is constant
    """
    a, b = ranks(x), ranks(y)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -LARGEST, LARGEST))
    half = normal_quantile(level) / sqrt(len(x) - 3)
    return r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))
