"""Calibration: whether what the model says, on average, is what happens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.diagnoses._calibrated import CalibrationSlice, slices_off
from mlflow_errata.diagnoses._calibrated_windows import CalibrationWindow, windows_off
from mlflow_errata.diagnoses._coverage import Coverage, coverage_of
from mlflow_errata.diagnoses._reach import reach_of
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.distances import quantile_edges
from mlflow_errata.stats.intervals import contiguous_groups, mean_interval, mean_or_share, scattered_groups
from mlflow_errata.stats.reliability import (
    Sums,
    agreement_p_value,
    brier_parts,
    calibration_error,
    deleted_groups,
    mean_residual,
    means,
    plain_calibration_error,
    sums_of,
)

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Outcomes
    from mlflow_errata.table import EvaluationTable

NAME = "calibration"
FEWEST = 50
"""Rows below which nothing is said."""
N_BINS, ROWS_A_BIN = 10, 25
"""Quantile bins of what was said; fewer where they would hold fewer rows than this."""
WORTH_A_LOOK = 0.1
"""Calibration error from which it counts, as a share of `Calibration.scale`: a decision by expected cost compares odds,
so what an error does goes with the rarer outcome: 2 points are little at a rate of one half and everything at 2 %."""

Shape = Literal["too high", "too low", "too extreme", "too timid", "mixed"]


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows that were told about the same.

    Parameters
    ----------
    low, high : float, smallest and largest value said
    support : int, rows
    said : float, mean of what was said: probability, or predicted number
    happened : Estimate, what came: share of the class, or mean label
    covered : Estimate or None, of numbers: share of the labels within `Calibration.reach` of the prediction
    """

    low: float
    high: float
    support: int
    said: float
    happened: Estimate
    covered: Estimate | None = None


@dataclass(frozen=True)
class Brier:
    """Parts of the Brier score with their bias removed.

    Parameters
    ----------
    score : Estimate, mean squared difference of what was said and what happened
    reliability : float, what recalibration would save
    resolution : float, what telling rows apart is worth
    uncertainty : float, score of always saying the base rate; score = reliability - resolution + uncertainty up to
        differences within bins
    """

    score: Estimate
    reliability: float
    resolution: float
    uncertainty: float


@dataclass(frozen=True)
class LabelCalibration:
    """One label of several.

    Parameters
    ----------
    label : str
    error, said, gap, p_value, scale, shape : as in `Calibration`
    off : bool, what was said of it is off, on the whole, in a window or a slice, beyond chance over all labels
    """

    label: str
    error: Estimate
    said: float
    gap: Estimate
    p_value: float
    scale: float
    shape: Shape | None
    off: bool


@dataclass(frozen=True)
class Calibration:
    """What was said against what happened.

    Parameters
    ----------
    of : Label or None: the positive class that is judged; None for the likeliest of many classes, and for numbers
    bins : tuple of ReliabilityBin, by what was said
    error : Estimate, expected calibration error with its bias removed, so it may be slightly negative: mean distance of
        what was said from what happened to rows told about the same
    plain_error : float, the usual one, positive by sampling alone
    said, gap : mean of what was said, and happened - said over all rows: calibration in the large
    p_value : float, of the hypothesis that what was said is true
    scale : float, what the error is measured against: share of the rarer outcome, or mean absolute error of numbers
    shape : how what was said is wrong; None where it is not, beyond chance and by an amount that counts
    brier : Brier or None for numbers
    windows : tuple of CalibrationWindow, oldest first; empty without a time column
    unit : what a window is: "day", "month" ..., "equal count"; empty without windows
    slices : tuple of CalibrationSlice, whose gap differs from that of all rows, those that move the whole most first
    labels : tuple of LabelCalibration, of several labels, those off first; other fields speak of the first of them
    reach : float or None, of numbers: how far around a prediction 9 of 10 labels lie, told by half of the rows
    uneven : bool, `covered` differs over what was said, beyond chance over all bins: one width does not serve all
    coverage : Coverage or None, of predicted quantiles, where they are given
    """

    of: Label | None
    bins: tuple[ReliabilityBin, ...]
    error: Estimate
    plain_error: float
    said: float
    gap: Estimate
    p_value: float
    scale: float
    shape: Shape | None
    brier: Brier | None
    windows: tuple[CalibrationWindow, ...]
    unit: str
    slices: tuple[CalibrationSlice, ...] = ()
    labels: tuple[LabelCalibration, ...] = ()
    reach: float | None = None
    uneven: bool = False
    coverage: Coverage | None = None

    @property
    def off(self) -> bool:
        """What was said is off, on the whole, in a window or a slice, beyond chance and by an amount that counts."""
        return self.shape is not None or any(window.off for window in self.windows) or bool(self.slices)

    @property
    def found(self) -> bool:
        """What was said is off, or predicted quantiles hold another share of the labels than they say."""
        return self.off or (self.coverage is not None and self.coverage.found)

    @property
    def headline(self) -> Estimate:
        """The calibration error."""
        return self.error


RESULT = Calibration


@dataclass(frozen=True)
class _Told:
    """What was said and what happened, row by row, with the variance of the difference if what was said is true."""

    said: NDArray[np.float64]
    happened: NDArray[np.float64]
    weight: NDArray[np.float64] | None

    def take(self, rows: NDArray[Any]) -> _Told:
        return _Told(self.said[rows], self.happened[rows], None if self.weight is None else self.weight[rows])

    @property
    def residual(self) -> NDArray[np.float64]:
        return self.happened - self.said


def diagnose(table: EvaluationTable, options: Options) -> Calibration:
    """Compare what the model said with what happened, over what it said and over time.

    Two classes: the probability of the positive class; many: the largest probability against how often its class is
    right; several labels: each as two classes, at its share of the chance of a verdict; numbers: the prediction against
    the label. Rows are binned at quantiles of what was said. The error's interval comes from a jackknife over 20 groups
    of rows: runs of neighbours where rows have times, because rows of one period move together.

    What was said is off if the hypothesis that it is true fails at 2.5 % (as much again is for windows and slices), the
    error's interval lies above 0, and the error is at least a tenth of `scale`. Predicted quantiles are judged in the
    same way, by half of the chance (`_coverage.coverage_of`).

    Raises
    ------
    NotApplicable
        For classes without probabilities, with fewer than 50 rows, or where every row has one outcome.
    """
    return _of_labels(table, options) if table.task == "multilabel" else _judged(table, options, ALPHA)


def _of_labels(table: EvaluationTable, options: Options) -> Calibration:
    """The label that is off most (beside its own scale), with a line for each."""
    found, reasons = [], []
    for name, alone in table.per_label():
        try:
            found.append(replace(_judged(alone, options, ALPHA / len(table.outcomes.classes)), of=name))
        except NotApplicable as reason:
            reasons.append(reason)
    if not found:
        raise reasons[0]
    found.sort(key=lambda item: (not item.found, -item.error.value / item.scale, str(item.of)))
    lines = (
        LabelCalibration(
            str(item.of), item.error, item.said, item.gap, item.p_value, item.scale, item.shape, item.found
        )
        for item in found
    )
    return replace(found[0], labels=tuple(lines))


def _judged(table: EvaluationTable, options: Options, alpha: float) -> Calibration:
    """One column of what was said; `alpha` is the chance of a verdict where it is true."""
    outcomes = table.outcomes
    if len(outcomes) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows; there are {len(outcomes)}")
    told = _told(outcomes)
    scale = _scale(told, outcomes)
    if scale == 0:
        raise NotApplicable("needs rows with different outcomes; all have the same")
    groups = scattered_groups(len(outcomes))
    if table.times is not None:
        order = np.concatenate([table.in_time_order, np.flatnonzero(pd.isna(table.times))])
        groups[order] = contiguous_groups(len(outcomes))
    bins = _binned(told.said)
    numbers = outcomes.task == "regression"
    alpha /= 1 if table.quantiles is None else 2
    variance = np.zeros_like(told.said) if numbers else told.said * (1 - told.said)
    sums = sums_of(told.residual, variance, told.weight, bins, groups)
    error = Estimate(*deleted_groups(calibration_error, sums), n=len(outcomes), unit="calibration error")
    p_value = agreement_p_value(sums.total())
    off = p_value < alpha / 2 and error.low > 0 and error.value >= WORTH_A_LOOK * scale
    reliability, reach, uneven = _reliability(told, bins), None, False
    if numbers:
        reach, covered, uneven = reach_of(told.residual, told.weight, bins)
        reliability = tuple(replace(item, covered=share) for item, share in zip(reliability, covered, strict=True))
    least = WORTH_A_LOOK * scale
    windows, unit = windows_off(
        table, told.said, told.residual, variance, options.windows, least=least, chance=alpha / 4
    )
    return Calibration(
        of=outcomes.classes[-1] if outcomes.task == "binary" else None,
        bins=reliability,
        error=error,
        plain_error=plain_calibration_error(sums.total()),
        said=float(np.average(told.said, weights=told.weight)),
        gap=Estimate(*deleted_groups(mean_residual, sums), n=len(outcomes), unit="happened - said"),
        p_value=p_value,
        scale=scale,
        shape=_shape(sums.total(), reliability) if off else None,
        brier=None if numbers else _brier(told, sums.total(), reliability),
        windows=windows,
        unit=unit,
        slices=slices_off(table, told.said, told.residual, variance, groups, least=least, chance=alpha / 4),
        reach=reach,
        uneven=uneven,
        coverage=coverage_of(table, bins, groups, options.windows, worth=WORTH_A_LOOK, chance=alpha),
    )


def _told(outcomes: Outcomes) -> _Told:
    if outcomes.task == "regression":
        return _Told(outcomes.prediction.astype(np.float64), outcomes.y.astype(np.float64), outcomes.weight)
    if outcomes.scores is None:
        raise NotApplicable("needs scores; only predicted labels were given")
    lowest, highest = outcomes.scores.min(), outcomes.scores.max()
    if lowest < 0 or highest > 1:
        raise NotApplicable(f"needs probabilities; the scores lie in [{lowest:.4g}, {highest:.4g}]")
    if outcomes.task == "binary":
        return _Told(outcomes.scores[:, -1], (outcomes.y == 1).astype(np.float64), outcomes.weight)
    likeliest = outcomes.scores.argmax(axis=1)
    right = (likeliest == outcomes.y).astype(np.float64)
    return _Told(outcomes.scores[np.arange(len(right)), likeliest], right, outcomes.weight)


def _scale(told: _Told, outcomes: Outcomes) -> float:
    """Share of the rarer outcome, or the mean absolute error of numbers."""
    if outcomes.task == "regression":
        return float(np.average(np.abs(told.residual), weights=told.weight))
    rate = float(np.average(told.happened, weights=told.weight))
    return min(rate, 1 - rate)


def _binned(said: NDArray[np.float64]) -> NDArray[np.intp]:
    edges = quantile_edges(said, int(np.clip(len(said) // ROWS_A_BIN, 1, N_BINS)))
    return np.searchsorted(edges, said, side="right")


def _reliability(told: _Told, bins: NDArray[np.intp]) -> tuple[ReliabilityBin, ...]:
    found = []
    for at in range(int(bins.max()) + 1):
        part = told.take(bins == at)
        weight = part.weight if part.weight is None or part.weight.any() else None
        found.append(
            ReliabilityBin(
                low=float(part.said.min()),
                high=float(part.said.max()),
                support=len(part.said),
                said=float(np.average(part.said, weights=weight)),
                happened=Estimate(*mean_or_share(part.happened, weight), n=len(part.said), unit="happened"),
            )
        )
    return tuple(found)


def _shape(sums: Sums, bins: tuple[ReliabilityBin, ...]) -> Shape:
    """A shift if it makes up most of the plain error, else by the slope of the difference over what was said."""
    share, mean, _ = means(sums)
    gap, size = float((share * mean).sum()), float((share * np.abs(mean)).sum())
    if abs(gap) > size / 2:
        return "too high" if gap < 0 else "too low"
    said = np.array([item.said for item in bins])
    away = said - (share * said).sum()
    slope = float((share * mean * away).sum())
    explained = abs(slope) / float(np.sqrt((share * away**2).sum() * (share * mean**2).sum()))
    if explained < 1 / 2:
        return "mixed"
    return "too extreme" if slope < 0 else "too timid"


def _brier(told: _Told, sums: Sums, bins: tuple[ReliabilityBin, ...]) -> Brier:
    share, mean, _ = means(sums)
    happened = np.array([item.happened.value for item in bins])
    effective = sums.w**2 / np.where(sums.ww > 0, sums.ww, 1.0)
    score = mean_interval(told.residual**2, told.weight)
    return Brier(Estimate(*score, n=len(told.said), unit="brier_score"), *brier_parts(happened, share, effective, mean))
