"""Coverage: whether predicted quantiles of a number hold as many labels as they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlflow_errata.diagnoses._calibrated import CalibrationSlice, slices_off
from mlflow_errata.diagnoses._calibrated_windows import CalibrationWindow, windows_off
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import mean_or_share
from mlflow_errata.stats.reliability import (
    Sums,
    agreement_p_value,
    calibration_error,
    deleted_groups,
    mean_residual,
    means,
    sums_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._windows import Cut
    from mlflow_errata.table import EvaluationTable

UNIT = "share of rows"

Misses = Literal["too narrow", "too wide", "uneven"]


@dataclass(frozen=True)
class Limit:
    """One predicted quantile.

    Parameters
    ----------
    column : str
    level : float, share of the labels that it says to lie at or below it
    below : Estimate, share that does
    """

    column: str
    level: float
    below: Estimate


@dataclass(frozen=True)
class CoverageBin:
    """Rows for which about the same was predicted.

    Parameters
    ----------
    low, high : float, smallest and largest prediction
    support : int, rows
    said : float, mean prediction
    covered : Estimate or None without a weight, share of the labels that lie within the interval
    """

    low: float
    high: float
    support: int
    said: float
    covered: Estimate | None


@dataclass(frozen=True)
class Coverage:
    """The interval between the outermost predicted quantiles, ends included; of one quantile all numbers up to it.

    Parameters
    ----------
    limits : tuple of Limit, by level
    nominal : float, share of the labels that the interval says to hold
    covered : Estimate, share that it holds; with times its interval allows for neighbouring rows that move together
    error : Estimate, mean distance of the share held from the nominal one over the predicted value, its bias removed
    p_value : float, of the hypothesis that it holds the nominal share wherever one looks
    shape : how it misses: "too narrow", "too wide", "uneven" (too narrow in places, too wide in others); None where it
        does not, beyond chance and by a tenth of the rarer of holding and not holding
    width : float or None, mean width; None for one quantile
    n_crossed : int, rows whose quantiles do not ascend with their levels
    bins : tuple of CoverageBin, over the predicted value
    windows : tuple of CalibrationWindow, oldest first; `said` is the nominal share, `happened` the share held
    unit : what a window is; empty without windows
    slices : tuple of CalibrationSlice, whose share held differs from that of all rows
    """

    limits: tuple[Limit, ...]
    nominal: float
    covered: Estimate
    error: Estimate
    p_value: float
    shape: Misses | None
    width: float | None
    n_crossed: int
    bins: tuple[CoverageBin, ...]
    windows: tuple[CalibrationWindow, ...]
    unit: str
    slices: tuple[CalibrationSlice, ...]

    @property
    def found(self) -> bool:
        """It misses on the whole, in a window or in a slice."""
        return self.shape is not None or any(window.off for window in self.windows) or bool(self.slices)


def coverage_of(
    table: EvaluationTable, bins: NDArray[np.intp], groups: NDArray[np.intp], cut: Cut, *, worth: float, chance: float
) -> Coverage | None:
    """Whether the labels lie within predicted quantiles as often as these say; None where none are given.

    Parameters
    ----------
    table : EvaluationTable of a regression
    bins : int array of shape (n,), rows by the predicted value
    groups : int array of shape (n,), runs of rows that move together
    cut : how time is cut into windows
    worth : float, what a miss has to come to, as a share of the rarer of holding and not holding
    chance : float, of a finding where all quantiles are true: half for the whole, a quarter each for windows and slices

    References
    ----------
    Kupiec 1995, doi:10.3905/jod.1995.407942 (coverage as a share); Christoffersen 1998, doi:10.2307/2527341 (coverage
    has to hold wherever one looks)
    """
    limits, levels = table.quantiles, table.roles.levels
    if limits is None:
        return None
    y, weight, n = table.outcomes.y, table.outcomes.weight, len(table)
    nominal = levels[-1] if len(levels) == 1 else levels[-1] - levels[0]
    held = y <= limits[:, -1]
    if len(levels) > 1:
        held &= y >= limits[:, 0]
    said = np.full(n, nominal)
    residual = held.astype(np.float64) - nominal
    variance = np.full(n, nominal * (1 - nominal))
    sums = sums_of(residual, variance, weight, bins, groups)
    error = Estimate(*deleted_groups(calibration_error, sums), n=n, unit=UNIT)
    p_value = agreement_p_value(sums.total())
    least = worth * min(nominal, 1 - nominal)
    off = p_value < chance / 2 and error.low > 0 and error.value >= least
    windows, unit = windows_off(table, said, residual, variance, cut, least=least, chance=chance / 4)
    return Coverage(
        limits=tuple(
            Limit(column, level, _share(y <= limits[:, at], level, weight, groups))
            for at, (column, level) in enumerate(zip(table.roles.quantiles, levels, strict=True))
        ),
        nominal=nominal,
        covered=_share(held, nominal, weight, groups),
        error=error,
        p_value=p_value,
        shape=_misses(sums.total()) if off else None,
        width=None if len(levels) == 1 else float(np.average(limits[:, -1] - limits[:, 0], weights=weight)),
        n_crossed=int((np.diff(limits, axis=1) < 0).any(axis=1).sum()),
        bins=_bins(table.outcomes.prediction, held.astype(np.float64), weight, bins),
        windows=windows,
        unit=unit,
        slices=slices_off(table, said, residual, variance, groups, least=least, chance=chance / 4),
    )


def _share(
    held: NDArray[np.bool_], level: float, weight: NDArray[np.float64] | None, groups: NDArray[np.intp]
) -> Estimate:
    """A share with the interval of a jackknife over groups."""
    residual = held.astype(np.float64) - level
    sums = sums_of(residual, np.zeros_like(residual), weight, np.zeros_like(groups), groups)
    value, low, high = (end + level for end in deleted_groups(mean_residual, sums))
    return Estimate(min(max(value, 0.0), 1.0), max(low, 0.0), min(high, 1.0), n=len(held), unit=UNIT)


def _misses(sums: Sums) -> Misses:
    """By the sign of the gap if it makes up most of the distance over the predicted value."""
    share, mean, _ = means(sums)
    gap, size = float((share * mean).sum()), float((share * np.abs(mean)).sum())
    if abs(gap) <= size / 2:
        return "uneven"
    return "too narrow" if gap < 0 else "too wide"


def _bins(
    said: NDArray[np.float64], held: NDArray[np.float64], weight: NDArray[np.float64] | None, bins: NDArray[np.intp]
) -> tuple[CoverageBin, ...]:
    found = []
    for at in range(int(bins.max()) + 1):
        rows = bins == at
        part = None if weight is None else weight[rows]
        known = part is None or part.any()
        found.append(
            CoverageBin(
                low=float(said[rows].min()),
                high=float(said[rows].max()),
                support=int(rows.sum()),
                said=float(np.average(said[rows], weights=part if known else None)),
                covered=Estimate(*mean_or_share(held[rows], part), n=int(rows.sum()), unit=UNIT) if known else None,
            )
        )
    return tuple(found)
