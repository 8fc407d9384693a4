"""Average precision and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.intervals import share_like_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


def average_precision(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weight: NDArray[np.float64] | None = None
) -> tuple[float, NDArray[np.float64]]:
    """Mean, over the positive rows, of the precision at their score; and what each row moves it by.

    With N(s) the weight of rows that score s or more and p(s) the share of positives among them, the average precision
    is the mean of p over the P positive rows. A row moves it by its own term and by its part in N of every positive
    row that does not score above it:

        (y (p(s) - AP + A(s)) - B(s)) w / P,   A(s) = sum of 1 / N and B(s) = sum of p / N over positive rows up to s.

    Without scores that tell anything it is about the share of positive rows.

    Parameters
    ----------
    scores : float array of shape (n,)
    positive : bool array of shape (n,)
    weight : float array of shape (n,), or None

    Returns
    -------
    (value in [0, 1], influence of shape (n,)); NaN without positive rows
    """
    order = np.argsort(-scores)
    y = positive[order].astype(np.float64)
    w = np.ones(len(scores)) if weight is None else weight[order]
    total = float((w * y).sum())
    if total == 0:
        return float("nan"), np.full(len(scores), np.nan)
    place = np.r_[0, np.cumsum(np.diff(scores[order]) != 0)]
    up, all_ = np.bincount(place, w * y), np.cumsum(np.bincount(place, w))
    seen = np.where(all_ > 0, all_, 1.0)
    precision = np.cumsum(up) / seen
    value = float((up * precision).sum() / total)
    below, weighed = (np.cumsum(part[::-1])[::-1] for part in (up / seen, up * precision / seen))
    influence = np.empty(len(scores))
    influence[order] = w * (y * (precision - value + below)[place] - weighed[place]) / total
    return value, influence


def average_precision_interval(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64] | None = None,
    *,
    level: float = 0.95,
) -> tuple[float, float, float] | None:
    """The average precision with an interval that is normal on the logit scale, so that it stays in [0, 1].

    Where every positive row scores above all others the open side is Wilson's for as many rows as are positive.

    Parameters
    ----------
    scores, positive, weight : as in `average_precision`
    level : float in (0, 1)

    Returns
    -------
    (value, low, high), or None with fewer than two positive rows
    """
    known = positive if weight is None else positive & (weight > 0)
    n = int(known.sum())
    if n < 2:  # noqa: PLR2004 - a spread needs two
        return None
    value, influence = average_precision(scores, positive, weight)
    spread = float((influence**2).sum()) * n / (n - 1)
    return share_like_interval(value, spread, n, level=level)
