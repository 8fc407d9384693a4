"""Paired comparisons: how much better one set of decisions is than another on the same rows."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.confusion import balanced_accuracy, f1_macro, f1_weighted, matthews, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_DRAWS = 1000


def _matrix(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    """Cells as confusion matrices; shape (..., 2, 2)."""
    return np.stack([np.stack([tn, fp], axis=-1), np.stack([fn, tp], axis=-1)], axis=-2)


def _f1(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:  # noqa: ARG001 - all forms take the four cells
    return ratio(2 * tp, 2 * tp + fp + fn)


FORMS: Mapping[str, Callable[[Floats, Floats, Floats, Floats], Floats]] = {
    "f1": _f1,
    "f1_macro": lambda *cells: f1_macro(_matrix(*cells)),
    "f1_weighted": lambda *cells: f1_weighted(_matrix(*cells)),
    "precision": lambda _tn, fp, _fn, tp: ratio(tp, tp + fp),
    "recall": lambda _tn, _fp, fn, tp: ratio(tp, tp + fn),
    "balanced_accuracy": lambda *cells: balanced_accuracy(_matrix(*cells)),
    "matthews_corrcoef": lambda *cells: matthews(_matrix(*cells)),
    "jaccard": lambda _tn, fp, fn, tp: ratio(tp, tp + fp + fn),
}
"""Metrics of a binary task that are a function of the four cells (tn, fp, fn, tp), over arrays of any shape."""


def cell_bootstrap_error(
    form: Callable[[Floats, Floats, Floats, Floats], Floats],
    y: NDArray[np.intp],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    *,
    random_state: int,
) -> float:
    """Standard error of metric(second) - metric(first) for decisions on the same rows.

    The rows fall into 8 cells (y, first, second); N_DRAWS multinomial draws of the 8 counts give as many differences,
    at a cost that does not depend on the number of rows. Every cell holds half a row more than was seen (Jeffreys), so
    that decisions which did not differ here are not taken to be the same everywhere.

    Parameters
    ----------
    form : function of (tn, fp, fn, tp) arrays, one of FORMS
    y, first, second : arrays of shape (n,) of 0 and 1
    random_state : int

    Returns
    -------
    float, in the unit of the metric
    """
    counts = np.bincount(4 * y + 2 * first + second, minlength=8) + 0.5
    draws = np.random.default_rng(random_state).multinomial(len(y), counts / counts.sum(), size=N_DRAWS)
    cell = draws.astype(np.float64).reshape(-1, 2, 2, 2)
    old, new = cell.sum(axis=3), cell.sum(axis=2)
    gains = form(*_cells(new)) - form(*_cells(old))
    return float(np.std(gains, ddof=1))


def _cells(counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    return counts[:, 0, 0], counts[:, 0, 1], counts[:, 1, 0], counts[:, 1, 1]


def weighted(value: float, parts: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted mean of the values of g groups, and its standard error.

    A group lies (g - 1) * (mean of parts - part) from the value of all, as the jackknife tells; the error is
    sqrt(g / (g - 1) * sum(weight^2 * (group - weighted mean)^2)). With weights of 1 / g both are what they were.

    Parameters
    ----------
    value : float, of all groups
    parts : array of shape (g,), the value without each group
    weights : array of shape (g,), sums to 1
    """
    g = len(parts)
    each = value + (g - 1) * (parts.mean() - parts)
    mean = float(weights @ each)
    return mean, sqrt(g / (g - 1) * float((weights**2 * (each - mean) ** 2).sum()))


def pooled(first: tuple[float, float], second: tuple[float, float], *, correlation: float) -> tuple[float, float]:
    """The best mean of two unbiased estimates of one number, each (value, standard error), and its standard error.

    The weight of the second is (a^2 - c) / (a^2 + b^2 - 2c), where a and b are the errors and c = correlation * a * b,
    kept between 0 and 1: an estimate that is far less sure than the other adds nothing to it.

    Parameters
    ----------
    first, second : (value, standard error > 0)
    correlation : float in (-1, 1), of their errors
    """
    (one, a), (two, b) = first, second
    both = correlation * a * b
    weight = min(max((a**2 - both) / (a**2 + b**2 - 2 * both), 0.0), 1.0)
    variance = ((1 - weight) * a) ** 2 + (weight * b) ** 2 + 2 * weight * (1 - weight) * both
    return (1 - weight) * one + weight * two, sqrt(variance)


def chances_of_best(gains: Floats, parts: Floats, errors: Floats, *, random_state: int) -> Floats:
    """Chance of each of m candidates to have the largest gain, and a positive one.

    Gains are drawn from a normal distribution around those measured, correlated as their delete-a-group values are; one
    whose values do not differ is drawn by itself.

    Parameters
    ----------
    gains : array of shape (m,)
    parts : array of shape (m, g), the gain without each of g groups
    errors : array of shape (m,), standard errors
    random_state : int

    Returns
    -------
    array of shape (m + 1,), the last one for "none is positive"; sums to 1
    """
    m, g = parts.shape
    centred = parts - parts.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    loading = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    draw = np.random.default_rng(random_state)
    common = draw.normal(size=(N_DRAWS, g)) @ loading.T
    alone = spread[:, 0] == 0
    common[:, alone] = draw.normal(size=(N_DRAWS, int(alone.sum())))
    drawn = np.column_stack([gains + errors * common, np.zeros(N_DRAWS)])
    return np.asarray(np.bincount(drawn.argmax(axis=1), minlength=m + 1) / N_DRAWS)
