"""Coincidences: how likely labels fall into place by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def log_factorial(n: ArrayLike) -> NDArray[np.float64]:
    """Log of n!; shape of n."""
    return np.asarray(scipy.special.gammaln(np.add(n, 1)), dtype=np.float64)


def all_among(part: int, whole: int, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Chance that all rows of a class fall into a part of the whole: C(part, s) / C(whole, s).

    Parameters
    ----------
    part, whole : int, rows
    rows : int array of shape (k,), rows of each class, at most `whole`

    Returns
    -------
    array of shape (k,) in [0, 1]; 0 for a class of more rows than the part has
    """
    s = rows.astype(np.float64)
    fits = s <= part
    inside = np.where(fits, s, 0.0)
    log = (log_factorial(part) - log_factorial(part - inside)) - (log_factorial(whole) - log_factorial(whole - inside))
    return np.where(fits, np.exp(log), 0.0)


def log_class_by_class(support: NDArray[np.intp]) -> float:
    """Log of the chance that labels in random order come class by class: k! / (n! / prod(n_i!)); shape (k,)."""
    return float(log_factorial(len(support)) - log_factorial(support.sum()) + log_factorial(support).sum())


def log_each_on_one_level(support: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """Log of the chance that every class falls on one level by itself: prod over classes of sum(share ^ support).

    Parameters
    ----------
    support : array of shape (k,), rows of each class
    share : array of shape (m,), of the rows on each level
    """
    levels = np.log(share[share > 0])
    return float(sum(scipy.special.logsumexp(n * levels) for n in support))


def tail(value: float, expected: float, spread: float) -> float:
    """Chance of a normal value as large as this."""
    return float(scipy.special.ndtr((expected - value) / spread)) if spread > 0 else float(value <= expected)
