"""Scores of a slice from its support and its errors, with what its subsets can reach at most.

Each score rises with the errors at a given support, falls with the support at given errors, and rises along slices in
which every row carries the largest error. So no subset of a slice scores more than one that keeps all of its errors in
as few rows as can hold them: that is the bound which prunes the search without losing a slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

Kind = Literal["evidence", "excess", "sliceline"]
TINY = 1e-300


@dataclass(frozen=True)
class Score:
    """A score as a function of (support, errors), over all rows.

    Parameters
    ----------
    support : float array of shape (n,), what each row adds to the support: 1, or its weight
    errors : float array of shape (n,), what each row adds to the errors, 0 or more
    of : callable (support, errors) -> score, elementwise
    """

    support: NDArray[np.float64] | None
    errors: NDArray[np.float64]
    of: Function

    def bound(
        self,
        least: float,
        support: NDArray[np.float64],
        errors: NDArray[np.float64],
        largest: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The most that a slice or any of its subsets can score.

        Parameters
        ----------
        least : float, support that a slice needs
        support, errors : float arrays, of the slice
        largest : float array, the largest error of a row inside
        """
        at = np.clip(errors / np.maximum(largest, TINY), least, np.maximum(support, least))
        return np.where(errors > 0, self.of(at, np.minimum(errors, at * largest)), -np.inf)


def score_of(
    kind: Kind, errors: NDArray[np.float64], weight: NDArray[np.float64] | None = None, *, alpha: float = 0.95
) -> Score:
    """A score over rows with some errors, 0 or more, and weights.

    evidence
        Errors of 0 and 1 without weights: the signed root of the binomial likelihood ratio against the mean of all
        rows, 2 s KL(e / s | mean), over (1 - s / (n + 1)) for a draw without replacement. Otherwise the sum of
        w (error - mean) over the root of s times its mean square times the same factor.
    excess
        Errors inside beyond the mean of the rows outside: e - s (E - e) / (S - s).
    sliceline
        alpha ((e / s) / (E / S) - 1) - (1 - alpha) (S / s - 1).

    References
    ----------
    Sagadeeva & Boehm 2021, doi:10.1145/3448016.3457323 (sliceline)
    """
    n = len(errors)
    if kind == "evidence":
        return _evidence(errors, weight)
    weighted = errors if weight is None else weight * errors
    total, everything = float(weighted.sum()), float(n if weight is None else weight.sum())
    mean = max(total / everything, TINY)

    def excess(s: NDArray[np.float64], e: NDArray[np.float64]) -> NDArray[np.float64]:
        outside = np.maximum(everything - s, 0)
        return np.where(outside > 0, e - s * (total - e) / np.where(outside > 0, outside, 1), 0.0)

    def sliceline(s: NDArray[np.float64], e: NDArray[np.float64]) -> NDArray[np.float64]:
        s = np.maximum(s, TINY)
        return alpha * (e / s / mean - 1) - (1 - alpha) * (everything / s - 1)

    return Score(weight, weighted, excess if kind == "excess" else sliceline)


def _evidence(errors: NDArray[np.float64], weight: NDArray[np.float64] | None) -> Score:
    n = len(errors)
    if weight is None and is_zero_one(errors):
        mean = float(errors.mean())
        return Score(None, errors, lambda s, e: signed_root(s, e, mean, 1 - s / (n + 1)))
    w = np.ones(n) if weight is None else weight
    residual = w * (errors - float(np.average(errors, weights=w)))
    shift = float(-residual.min())  # so that every row adds 0 or more
    variance = max(float((residual**2).mean()), TINY)

    def studentised(s: NDArray[np.float64], e: NDArray[np.float64]) -> NDArray[np.float64]:
        return (e - s * shift) / np.sqrt(np.maximum(s * variance * (1 - s / (n + 1)), TINY))

    return Score(None, residual + shift, studentised)


def is_zero_one(errors: NDArray[np.float64]) -> bool:
    """Whether every error is 0 or 1."""
    return bool(((errors == 0) | (errors == 1)).all())


def signed_root(
    n: NDArray[np.float64],
    observed: NDArray[np.float64],
    rate: NDArray[np.float64] | float,
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Signed root of the binomial likelihood ratio of counts against a rate: standard normal without an effect.

    Parameters
    ----------
    n : float array, trials
    observed : float array, successes in [0, n]
    rate : float or array, expected share of successes
    spread : float array, variance of `observed` over the binomial one
    """
    n = np.maximum(n, TINY)
    p = np.clip(rate, 1e-12, 1 - 1e-12)
    share = np.clip(observed / n, 0.0, 1.0)
    ratio = n * (scipy.special.xlogy(share, share / p) + scipy.special.xlogy(1 - share, (1 - share) / (1 - p)))
    return np.asarray(np.sign(share - p) * np.sqrt(2 * np.maximum(ratio, 0) / np.maximum(spread, TINY)))


def tail_root(
    n: NDArray[np.float64],
    observed: NDArray[np.float64],
    rate: NDArray[np.float64] | float,
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The signed root, moved so that its normal tail is that of a count: P(as many or more) within a few percent.

    r + log(u / r) / r, where u = (1 - exp(-difference of the logits)) sqrt(n share (1 - share) / spread); r as it is
    below 1, where no decision falls. Of 50 rows at a rate of .14 the root alone understates P(20 or more) by half.

    Parameters
    ----------
    n, observed, rate, spread : as in `signed_root`

    References
    ----------
    Lugannani & Rice 1980, doi:10.2307/1426607 (lattice form); Barndorff-Nielsen 1991, doi:10.1093/biomet/78.3.557
    """
    root = signed_root(n, observed, rate, spread)
    n = np.maximum(n, 1.0)
    p = np.clip(rate, 1e-12, 1 - 1e-12)
    share = np.clip(observed / n, 0.5 / n, 1 - 0.5 / n)
    ratio = p * (1 - share) / (share * (1 - p))  # exp(-difference of the logits)
    u = np.maximum(1 - ratio, TINY) * np.sqrt(n * share * (1 - share) / np.maximum(spread, TINY))
    far = np.maximum(root, 1.0)
    return np.asarray(np.where(root > 1, root + np.minimum(np.log(u / far), 0.0) / far, root))
