"""Membership: how much a row looks like one sample rather than like another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 6
"""Newton steps; the penalised likelihood is smooth and concave, and starts at no difference."""
RIDGE = 1.0
"""Penalty on the squared log-odds, in rows."""


def membership(cells: NDArray[np.intp], current: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Chance that a row comes from the current rather than the reference rows, were there as many of both.

    A logistic regression on the bins of the columns (additive: a log-odds for each bin of each column), with a ridge,
    fitted on the even rows for the odd ones and the other way round, so that no row tells its own side.

    Parameters
    ----------
    cells : int array of shape (n, n_columns), bin of every row in every column, from 0
    current : bool array of shape (n,), with rows of both kinds among the even and among the odd ones

    Returns
    -------
    float array of shape (n,) in (0, 1); about 0.5 where the two do not differ

    Notes
    -----
    The intercept has a penalty of 1e-6, without which it is not determined beside the bins; scikit-learn's has none,
    and its chances differ in the sixth decimal.
    """
    widths = cells.max(axis=0) + 1
    design = np.zeros((len(cells), int(widths.sum()) + 1))
    design[:, -1] = 1.0
    rows = np.arange(len(cells))
    for column, start in zip(cells.T, np.cumsum(widths) - widths, strict=True):
        design[rows, start + column] = 1.0
    found = np.empty(len(cells))
    odd = rows % 2 == 1
    for learned, judged in ((odd, ~odd), (~odd, odd)):
        found[judged] = _chance(design[judged] @ _fitted(design[learned], current[learned]))
    return found


def _fitted(design: NDArray[np.float64], current: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-odds of bins, each side weighing half the rows."""
    n = len(current)
    weight = np.where(current, n / (2 * current.sum()), n / (2 * (~current).sum()))
    penalty = np.full(design.shape[1], RIDGE)
    penalty[-1] = 1e-6
    found = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = _chance(design @ found)
        slope = design.T @ (weight * (current - chance)) - penalty * found
        curve = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(penalty)
        found = found + scipy.linalg.cho_solve(scipy.linalg.cho_factor(curve), slope)
    return found


def _chance(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), dtype=np.float64)
