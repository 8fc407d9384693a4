"""How far two samples of one column lie apart, from their counts per bin."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def psi(reference: ArrayLike, current: ArrayLike) -> float:
    """Population stability index of two histograms over the same bins, in nats.

    PSI = sum over bins of (c - r) * ln(c / r), where r and c are the shares of the reference and the current rows.

    Parameters
    ----------
    reference, current : array-like of shape (n_bins,), counts; each with at least one row

    Returns
    -------
    float
        0 for equal shares; without drift about `psi_floor` by sampling alone, so compare with that and not with 0.

    Notes
    -----
    Half a row is added to every bin, so an empty bin costs a finite amount.
    """
    r, c = np.asarray(reference, dtype=np.float64) + 0.5, np.asarray(current, dtype=np.float64) + 0.5
    r, c = r / r.sum(), c / c.sum()
    return float(((c - r) * np.log(c / r)).sum())


def psi_floor(n_bins: int, n_reference: int, n_current: int) -> float:
    """Expectation of PSI without drift, by sampling alone: (n_bins - 1) * (1 / n_reference + 1 / n_current), in nats.

    References
    ----------
    Yurdakul & Naranjo 2020, "Statistical properties of the population stability index", doi:10.21314/JRMV.2020.227
    """
    return (n_bins - 1) * (1 / n_reference + 1 / n_current)


def jensen_shannon(reference: ArrayLike, current: ArrayLike) -> float:
    """Jensen-Shannon distance of two histograms: the root of their divergence in bits, in [0, 1]; 0 for equal shares.

    JS^2 = (KL(r, m) + KL(c, m)) / 2 with m = (r + c) / 2.

    Parameters
    ----------
    reference, current : array-like of shape (n_bins,), counts; each with at least one row

    References
    ----------
    Endres & Schindelin 2003, doi:10.1109/TIT.2003.813506
    """
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    r, c = r / r.sum(), c / c.sum()
    m = np.where(r + c > 0, (r + c) / 2, 1.0)
    divergence = float((scipy.special.xlogy(r, r / m) + scipy.special.xlogy(c, c / m)).sum()) / (2 * log(2))
    return sqrt(max(divergence, 0.0))


def largest_gap(reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    """Kolmogorov-Smirnov distance of two samples of finite numbers: the largest gap of their shares up to a value."""
    _, gap = _gaps(reference, current)
    return float(np.abs(gap).max(initial=0.0))


def mean_shift(reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    """Wasserstein distance of two samples of finite numbers, in their unit: the least that values move on average."""
    values, gap = _gaps(reference, current)
    return float((np.abs(gap[:-1]) * np.diff(values)).sum())


def _gaps(
    reference: NDArray[np.float64], current: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct values of both samples, and the difference of the shares up to each."""
    both = np.concatenate([reference, current])
    order = np.argsort(both)
    values = both[order]
    step = np.where(order < len(reference), -1 / max(len(reference), 1), 1 / max(len(current), 1))
    last = np.append(values[1:] != values[:-1], True)
    return values[last], np.cumsum(step)[last]


def g_test(reference: ArrayLike, current: ArrayLike) -> float:
    """P-value of the likelihood-ratio test that two histograms come from one distribution.

    G = 2 * sum over cells of observed * ln(observed / expected), chi-square on (bins with rows - 1) degrees of freedom.

    Parameters
    ----------
    reference, current : array-like of shape (n_bins,), counts

    Returns
    -------
    float in [0, 1]; 1 where there are fewer than two bins with rows
    """
    cells = np.vstack([np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)])
    cells = cells[:, cells.sum(axis=0) > 0]
    if cells.shape[1] < 2 or not cells.sum(axis=1).all():  # noqa: PLR2004 - a comparison needs two bins
        return 1.0
    expected = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0, keepdims=True) / cells.sum()
    g = 2 * float((scipy.special.xlogy(cells, cells) - scipy.special.xlogy(cells, expected)).sum())
    return float(scipy.special.gammaincc((cells.shape[1] - 1) / 2, max(g, 0.0) / 2))


def quantile_edges(values: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Distinct inner quantiles of finite values: the edges between at most `n_bins` bins; shape (<= n_bins - 1,).

    A value equal to an edge belongs to the bin above it.
    """
    if len(values) == 0:
        return np.empty(0)
    ordered = np.sort(values)
    picked = ordered[(np.arange(1, n_bins) * len(ordered)) // n_bins]
    return np.unique(picked[picked > ordered[0]])
