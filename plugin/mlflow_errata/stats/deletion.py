"""Statistics without each group of rows in turn, at the cost of one evaluation: what a jackknife is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.roc import won

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_without(
    values: NDArray[np.float64], weight: NDArray[np.float64] | None, groups: NDArray[np.intp]
) -> tuple[float, NDArray[np.float64]]:
    """(Weighted) mean of all rows, and without each group.

    Parameters
    ----------
    values : float array of shape (n,)
    weight : float array of shape (n,), or None for equal weights
    groups : int array of shape (n,), the group of each row, 0 .. g-1

    Returns
    -------
    (value, parts) : float, and array of shape (g,); NaN where no weight is left
    """
    total = np.bincount(groups, weight).astype(np.float64)
    moved = np.bincount(groups, values if weight is None else values * weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(moved.sum() / total.sum()), (moved.sum() - moved) / (total.sum() - total)


def auc_without(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64] | None,
    groups: NDArray[np.intp],
) -> tuple[float, NDArray[np.float64]]:
    """Area under the ROC curve of all rows, and without each group.

    The area is sum over pairs of a positive and a negative row of w+ w- [score+ > score-] (ties one half) over the sum
    of w+ w-. Without a group, the pairs go that have either row in it: those of its positive rows and those of its
    negative rows, less those counted twice.

    Parameters
    ----------
    scores : float array of shape (n,)
    positive : bool array of shape (n,)
    weight : float array of shape (n,), or None for equal weights
    groups : int array of shape (n,), the group of each row, 0 .. g-1

    Returns
    -------
    (value, parts) : float, and array of shape (g,); NaN where a class is not there
    """
    w = np.ones(len(scores)) if weight is None else weight
    g = int(groups.max()) + 1
    order = np.argsort(scores)
    wins = w * won(scores, positive, w)
    up, down = (np.bincount(groups, w * side, minlength=g) for side in (positive, ~positive))
    touched = np.bincount(groups, wins, minlength=g)
    twice = np.array([_pairs(scores[part], positive[part], w[part]) for part in _parts(groups, order, g)])
    pairs = float(wins[positive].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.divide(pairs, up.sum() * down.sum())
        parts = (pairs - touched + twice) / ((up.sum() - up) * (down.sum() - down))
    return float(value), parts


def _parts(groups: NDArray[np.intp], order: NDArray[np.intp], g: int) -> list[NDArray[np.intp]]:
    """Rows of each group in a given order."""
    named = groups[order].astype(np.uint16 if g < 2**16 else np.int64)
    return np.split(order[np.argsort(named, kind="stable")], np.cumsum(np.bincount(groups, minlength=g))[:-1])


def _pairs(scores: NDArray[np.float64], positive: NDArray[np.bool_], w: NDArray[np.float64]) -> float:
    """Weight of the pairs that stand the right way round; scores ascending."""
    if not len(scores):
        return 0.0
    ties = np.r_[0, np.cumsum(np.diff(scores) > 0)]
    up_at, down_at = np.bincount(ties, w * positive), np.bincount(ties, w * ~positive)
    return float((up_at * (np.cumsum(down_at) - down_at / 2)).sum())
