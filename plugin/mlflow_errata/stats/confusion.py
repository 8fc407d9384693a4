"""Statistics of confusion matrices: how labels and decisions go together, over any number of matrices at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def confusion(
    y: NDArray[np.intp],
    decision: NDArray[np.intp],
    n_classes: int,
    weight: Floats | None = None,
    groups: NDArray[np.intp] | None = None,
) -> Floats:
    """Weight of the rows by label (first axis) and decision (second axis).

    Parameters
    ----------
    y, decision : int arrays of shape (n,), 0 .. n_classes-1
    weight : float array of shape (n,), or None for equal weights
    groups : int array of shape (n,), 0 .. g-1, or None

    Returns
    -------
    array of shape (n_classes, n_classes), or (g, n_classes, n_classes) with one matrix a group
    """
    cell = n_classes * y + decision
    if groups is None:
        return _counted(cell, weight, n_classes**2).reshape(n_classes, n_classes)
    g = int(groups.max(initial=-1)) + 1
    return _counted(groups * n_classes**2 + cell, weight, g * n_classes**2).reshape(g, n_classes, n_classes)


def _counted(cell: NDArray[np.intp], weight: Floats | None, n_cells: int) -> Floats:
    return np.bincount(cell, weight, minlength=n_cells).astype(np.float64)


def ratio(above: Floats, below: Floats) -> Floats:
    """Quotient, 0 where the denominator is 0 (scikit-learn's zero_division)."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), below)
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def accuracy(matrix: Floats) -> Floats:
    """Share of rows decided right; `matrix` of shape (..., k, k), result of shape (...)."""
    return ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def f1_by_class(matrix: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) of each class; shape (..., k)."""
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    return ratio(2 * right, matrix.sum(axis=-1) + matrix.sum(axis=-2))


def f1_macro(matrix: Floats) -> Floats:
    """Mean of F1 over the classes that are labels or decisions; shape (...)."""
    present = (matrix.sum(axis=-1) + matrix.sum(axis=-2)) > 0
    return ratio(f1_by_class(matrix).sum(axis=-1), present.sum(axis=-1).astype(np.float64))


def f1_weighted(matrix: Floats) -> Floats:
    """Mean of F1 over the classes by their support; shape (...)."""
    support = matrix.sum(axis=-1)
    return ratio((support * f1_by_class(matrix)).sum(axis=-1), support.sum(axis=-1))


def balanced_accuracy(matrix: Floats) -> Floats:
    """Mean recall over the classes that have rows; shape (...)."""
    support = matrix.sum(axis=-1)
    recall = ratio(np.diagonal(matrix, axis1=-2, axis2=-1), support)
    return ratio(recall.sum(axis=-1), (support > 0).sum(axis=-1).astype(np.float64))


def matthews(matrix: Floats) -> Floats:
    """Matthews' correlation of labels and decisions, Gorodkin's R_K for several classes; shape (...).

    (c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)) with c right rows of s, t_k rows labelled and p_k
    rows decided as class k; 0 where all rows are labelled, or decided, alike.

    References
    ----------
    Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006
    """
    labelled, decided = matrix.sum(axis=-1), matrix.sum(axis=-2)
    s, right = matrix.sum(axis=(-2, -1)), np.trace(matrix, axis1=-2, axis2=-1)
    spread = (s**2 - (decided**2).sum(axis=-1)) * (s**2 - (labelled**2).sum(axis=-1))
    return ratio(right * s - (labelled * decided).sum(axis=-1), np.sqrt(spread))
