"""Rankings: what the first k rows by score hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def _averaged(scores: Floats, gain: Floats) -> Floats:
    """Gains of rows in order, averaged over rows of one score."""
    if not len(scores):
        return gain
    place = np.r_[0, np.cumsum(np.diff(scores) != 0)]
    return np.asarray((np.bincount(place, gain) / np.bincount(place))[place])


def precision_at(first: Floats, total: float, k: int) -> float:  # noqa: ARG001 - one shape for all three
    """Mean gain of the first k ranks (of all, where there are fewer)."""
    return float(first[:k].mean()) if len(first) else float("nan")


def recall_at(first: Floats, total: float, k: int) -> float:
    """Share of all gain that stands in the first k ranks; NaN where there is none."""
    return float(first[:k].sum() / total) if total > 0 else float("nan")


def ndcg_at(first: Floats, total: float, k: int) -> float:
    """Discounted gain of the first k ranks over that of the best order, for gains of 0 and 1.

    DCG = sum over ranks i = 1 .. k of gain_i / log2(1 + i); the best order has the `total` gains first. NaN without.

    References
    ----------
    Jarvelin & Kekalainen 2002, doi:10.1145/582415.582418
    """
    discount = 1 / np.log2(np.arange(2, min(k, len(first)) + 2))
    best = discount[: round(total)].sum()
    return float((first[:k] * discount).sum() / best) if best > 0 else float("nan")


def ranked_without(
    statistic: Callable[[Floats, float, int], float],
    scores: Floats,
    gain: Floats,
    k: int,
    groups: NDArray[np.intp],
) -> tuple[float, Floats]:
    """A statistic of the first k ranks for all rows, and without each group: one sort, then the top rows alone.

    Parameters
    ----------
    statistic : precision_at, recall_at or ndcg_at
    scores, gain : float arrays of shape (n,)
    k : int, 1 or more
    groups : int array of shape (n,), 0 .. g-1

    Returns
    -------
    (value, parts) : float, and array of shape (g,)
    """
    n, support = len(scores), np.bincount(groups)
    order = np.argsort(-scores, kind="stable")
    last = scores[order[min(n, k + int(support.max())) - 1]]
    top = order[: n - int(np.searchsorted(np.sort(scores), last, side="left"))]
    s, y, of = scores[top], gain[top], groups[top]
    total, inside = float(gain.sum()), np.bincount(groups, gain)
    value = statistic(_averaged(s, y), total, k)
    parts = [statistic(_averaged(s[of != g], y[of != g]), total - inside[g], k) for g in range(len(support))]
    return value, np.array(parts)
