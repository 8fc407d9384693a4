"""Whether numbers that were said agree, on average, with what happened: sums per bin, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from mlflow_errata.stats.intervals import jackknife_of

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT_TWO_PI = sqrt(2 * np.pi)


@dataclass(frozen=True)
class Sums:
    """What bins of rows are summed to; leading axes (groups of rows) are shared by all fields.

    With r = happened - said, w the weight and v the variance of r if what was said is true:

    Parameters
    ----------
    n, w, wr, ww, wwr, wwrr, wwv : float arrays of shape (..., n_bins): sums of 1, w, w r, w^2, w^2 r, w^2 r^2, w^2 v
    """

    n: NDArray[np.float64]
    w: NDArray[np.float64]
    wr: NDArray[np.float64]
    ww: NDArray[np.float64]
    wwr: NDArray[np.float64]
    wwrr: NDArray[np.float64]
    wwv: NDArray[np.float64]

    def total(self) -> Sums:
        """All groups (the first axis) together."""
        return self._each(lambda part: part.sum(axis=0))

    def without_each(self) -> Sums:
        """All groups but one, for each of them; same shape."""
        return self._each(lambda part: part.sum(axis=0) - part)

    def merged(self) -> Sums:
        """All bins (the last axis) as one."""
        return self._each(lambda part: part.sum(axis=-1, keepdims=True))

    def _each(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Sums:
        return Sums(*(change(part) for part in vars(self).values()))


def isotonic(
    said: NDArray[np.float64], happened: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What happens at each value said: the rising course nearest to what happened, in squares.

    Parameters
    ----------
    said, happened : float arrays of shape (n,), n >= 1, finite
    weight : float array of shape (n,), positive, or None for equal weights

    Returns
    -------
    (values, course) : the distinct values said, ascending, and what happens there; interpolate between them

    References
    ----------
    Zadrozny & Elkan 2002, doi:10.1145/775047.775151
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to import, seldom wanted

    values, place = np.unique(said, return_inverse=True)
    w = np.ones(len(said)) if weight is None else weight
    total = np.bincount(place, w)
    return values, isotonic_regression(np.bincount(place, w * happened) / total, weights=total).x


def sums_of(
    residual: NDArray[np.float64],
    variance: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    bins: NDArray[np.intp],
    groups: NDArray[np.intp],
) -> Sums:
    """Sums per group and bin, of shape (n_groups, n_bins).

    Parameters
    ----------
    residual, variance : float arrays of shape (n,); variance 0 where nothing is said of it
    weight : float array of shape (n,), or None for equal weights
    bins, groups : int arrays of shape (n,), from 0
    """
    n_groups, n_bins = int(groups.max()) + 1, int(bins.max()) + 1
    cell = groups * n_bins + bins

    def summed(values: NDArray[np.float64] | None) -> NDArray[np.float64]:
        found = np.bincount(cell, values, minlength=n_groups * n_bins)
        return found.reshape(n_groups, n_bins).astype(np.float64)

    n, wr, wwrr, wwv = (summed(values) for values in (None, residual, residual**2, variance))
    if weight is None:
        return Sums(n, n, wr, n, wr, wwrr, wwv)
    square = weight**2
    return Sums(
        n,
        summed(weight),
        summed(weight * residual),
        summed(square),
        summed(square * residual),
        summed(square * residual**2),
        summed(square * variance),
    )


def means(sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Per bin: its share of the weight, the mean residual, and the variance of that mean; each of shape (..., n_bins).

    The variance is the larger of what was said and of what is seen around the bin's own mean: a bin in which nothing
    has happened yet is not certain for that. Empty bins have share 0, mean 0 and variance 0.
    """
    w = np.where(sums.w > 0, sums.w, 1.0)
    mean = sums.wr / w
    around = np.maximum(sums.wwrr - 2 * mean * sums.wwr + mean**2 * sums.ww, 0.0) * sums.n / np.maximum(sums.n - 1, 1)
    total = sums.w.sum(axis=-1, keepdims=True)
    return sums.w / np.where(total > 0, total, 1.0), mean, np.maximum(around, sums.wwv) / w**2


def calibration_error(sums: Sums) -> NDArray[np.float64]:
    """Expected calibration error with its bias removed, in the unit of the residual; shape (...).

    The plain error, sum over bins of share * |d| with d the mean residual, is positive by sampling alone. Were the rows
    of a bin split in two halves, the sign of one half's mean times the other half's mean would have expectation 0
    without miscalibration, and tend to |d| where there is some; its expectation over all splits, for a normal d with
    standard error s, is

        g(d, s) = |d| (2 Phi(|d| / s) - 1) - 2 s phi(d / s),

    and the error is the sum of share * g. It may be slightly negative; 0 is what a calibrated model gives on average.
    """
    share, mean, variance = means(sums)
    error = np.sqrt(variance)
    size = np.abs(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, size / error, np.where(size > 0, np.inf, 0.0))
    corrected = size * (2 * scipy.special.ndtr(z) - 1) - 2 * error * np.exp(-0.5 * z**2) / ROOT_TWO_PI
    return np.asarray((share * corrected).sum(axis=-1), dtype=np.float64)


def plain_calibration_error(sums: Sums) -> float:
    """Sum over bins of share * |mean residual|: the usual expected calibration error; positive by sampling alone."""
    share, mean, _ = means(sums)
    return float((share * np.abs(mean)).sum())


def mean_residual(sums: Sums) -> NDArray[np.float64]:
    """Mean of happened - said over all bins; shape (...)."""
    return np.asarray(sums.wr.sum(axis=-1) / sums.w.sum(axis=-1), dtype=np.float64)


def deleted_groups(
    statistic: Callable[[Sums], NDArray[np.float64]], sums: Sums, *, level: float = 0.95
) -> tuple[float, float, float]:
    """A statistic of sums with its delete-a-group jackknife interval, as `intervals.jackknife` gives from rows.

    Parameters
    ----------
    statistic : callable from Sums of shape (..., n_bins) to an array of shape (...)
    sums : Sums of shape (n_groups, n_bins), two groups or more
    """
    value = float(statistic(sums.total()))
    found = jackknife_of(value, statistic(sums.without_each()), level=level)
    return (value, value, value) if found is None else found


def shift_p_value(sums: Sums) -> float:
    """P-value of the hypothesis that what was said is true, for independent rows, from all bins together.

    z = sum(w r) / sqrt(max(sum(w^2 v), sum(w^2 r^2))), z^2 on 1 degree of freedom: where nearly nothing should happen,
    a single event is no evidence.

    Parameters
    ----------
    sums : Sums of shape (n_bins,)
    """
    return float(scipy.special.chdtrc(1, float(_evidence(sums.merged()).sum())))


def agreement_p_value(sums: Sums) -> float:
    """P-value of the hypothesis that what was said is true, for independent rows.

    The smaller of two, doubled: `shift_p_value`; and the sum of its z^2 over the bins, chi-square on as many degrees of
    freedom as there are bins with rows (Hosmer and Lemeshow, for a model that did not see the rows), which sees any
    shape.

    Parameters
    ----------
    sums : Sums of shape (n_bins,)

    References
    ----------
    Hosmer & Lemeshow 1980, doi:10.1080/03610928008827941
    """
    n_bins = int((sums.w > 0).sum())
    by_bin = float(scipy.special.chdtrc(max(n_bins, 1), float(_evidence(sums).sum())))
    return min(1.0, 2 * min(shift_p_value(sums), by_bin))


def _evidence(sums: Sums) -> NDArray[np.float64]:
    variance = np.maximum(sums.wwv, sums.wwrr)
    return np.asarray(sums.wr**2 / np.where(variance > 0, variance, 1.0), dtype=np.float64)


def brier_parts(
    happened: NDArray[np.float64], share: NDArray[np.float64], n: NDArray[np.float64], mean: NDArray[np.float64]
) -> tuple[float, float, float]:
    """(reliability, resolution, uncertainty) of forecasts in bins, each with its bias removed.

    Murphy's parts are sum share (said - rate)^2, sum share (rate - base)^2 and base (1 - base); reliability -
    resolution + uncertainty is the Brier score of forecasts that are replaced by their bin's mean. Sampling moves
    variance of the rates, c = rate (1 - rate) / (n - 1) per bin, from one part to another; it is put back:

        reliability - sum share c,  resolution - sum share c + b,  uncertainty + b,  b = base (1 - base) / (N - 1),

    which leaves the sum as it is.

    Parameters
    ----------
    happened : float array of shape (n_bins,), rates in [0, 1]
    share, n : float arrays of shape (n_bins,), each bin's share of the weight and (effective) number of rows, >= 2
    mean : float array of shape (n_bins,), mean of happened - said

    References
    ----------
    Murphy 1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2; Ferro & Fricker 2012, doi:10.1002/qj.1924
    """
    base = float((share * happened).sum())
    moved = float((share * happened * (1 - happened) / np.maximum(n - 1, 1)).sum())
    spread = base * (1 - base)
    back = spread / max(float(n.sum()) - 1, 1)
    reliability = float((share * mean**2).sum()) - moved
    resolution = float((share * (happened - base) ** 2).sum()) - moved + back
    return reliability, resolution, spread + back
