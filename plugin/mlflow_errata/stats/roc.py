"""The area under the ROC curve and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.intervals import share_like_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


def area_under_roc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weight: NDArray[np.float64] | None = None
) -> tuple[float, NDArray[np.float64]]:
    """The chance that a positive row scores above a negative one, ties counting half, and what each row moves it by.

    The influence of a positive row is w (share of negatives below it - area) / all weight of positives, that of a
    negative row w (share of positives above it - area) / all weight of negatives: the variance of the area is that of
    their sum (DeLong's).

    Parameters
    ----------
    scores : float array of shape (n,)
    positive : bool array of shape (n,)
    weight : float array of shape (n,), or None

    Returns
    -------
    (area, influence of shape (n,)); NaN if one class is missing

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595
    """
    w = np.ones(len(scores)) if weight is None else weight
    total_up, total_down = float(w[positive].sum()), float(w[~positive].sum())
    if total_up == 0 or total_down == 0:
        return float("nan"), np.full(len(scores), np.nan)
    share = won(scores, positive, w) / np.where(positive, total_down, total_up)
    area = float((w * share)[positive].sum() / total_up)
    return area, w * (share - area) / np.where(positive, total_up, total_down)


def won(scores: NDArray[np.float64], positive: NDArray[np.bool_], w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of the rows of the other class that stand on the right side of each row, ties one half; shape (n,)."""
    order = np.argsort(scores)
    ties = np.r_[0, np.cumsum(np.diff(scores[order]) > 0)]
    up, down = w[order] * positive[order], w[order] * ~positive[order]
    up_at, down_at = np.bincount(ties, up), np.bincount(ties, down)
    below = (np.cumsum(down_at) - down_at / 2)[ties]
    above = (up_at.sum() - np.cumsum(up_at) + up_at / 2)[ties]
    found = np.empty(len(scores))
    found[order] = np.where(positive[order], below, above)
    return found


def roc_interval(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64] | None = None,
    *,
    level: float = 0.95,
) -> tuple[float, float, float] | None:
    """The area under the ROC curve with an interval that is normal on the logit scale, so that it stays in [0, 1].

    Where the classes are parted without a fault (or fully the wrong way round) the open side is Wilson's for as many
    rows as the rarer class has.

    Parameters
    ----------
    scores, positive, weight : as in `area_under_roc`
    level : float in (0, 1)

    Returns
    -------
    (value, low, high), or None with fewer than two rows of a class
    """
    known = np.ones(len(scores), dtype=bool) if weight is None else weight > 0
    rarer = int(min((positive & known).sum(), (~positive & known).sum()))
    if rarer < 2:  # noqa: PLR2004 - a spread needs two
        return None
    area, influence = area_under_roc(scores, positive, weight)
    spread = sum(_squares(influence[each]) for each in (positive & known, ~positive & known))
    return share_like_interval(area, spread, rarer, level=level)


def _squares(influence: NDArray[np.float64]) -> float:
    n = len(influence)
    return float((influence**2).sum()) * n / max(n - 1, 1)
