"""Thresholds of a binary decision: the one that is used, and what others would lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.estimate import Estimate
from mlflow_errata.stats import confusion
from mlflow_errata.stats.agreement import tau_b
from mlflow_errata.stats.cutting import Cutting, cuts_of, mean_and_error
from mlflow_errata.stats.deletion import mean_without
from mlflow_errata.stats.intervals import at_level, jackknife_of, normal_quantile
from mlflow_errata.stats.pairs import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes

    Floats = NDArray[np.float64]

LOST = "value lost per row"
N_FOLDS = 5
SURE = 0.99
"""Coverage of the interval of what a threshold would save that decides."""
WORTH_A_LOOK = 0.05
"""Share of the value lost now that another threshold has to save, beside being beyond chance."""
N_DRAWN = 41
N_ODDS = 50
CHOOSING: Mapping[str, Callable[[Floats], Floats]] = {
    "accuracy": confusion.accuracy,
    "balanced_accuracy": confusion.balanced_accuracy,
    "f1": lambda matrix: FORMS["f1"](*(matrix[..., y, said] for y in (0, 1) for said in (0, 1))),
    "matthews_corrcoef": confusion.matthews,
}
"""Metrics that a threshold can be chosen by, as functions of confusion matrices; more is better."""
SAME = {"error_rate": "accuracy", "f1_micro": "accuracy"}
"""Metrics that choose as another does."""


@dataclass(frozen=True)
class CurvePoint:
    """What a threshold loses: mean over all rows against the best decision for each."""

    threshold: float
    lost: Estimate


@dataclass(frozen=True)
class MetricThreshold:
    """The threshold that a metric would choose.

    Parameters
    ----------
    metric : str
    threshold : float, chosen on all rows
    regret : Estimate, value per row that it loses against the threshold chosen by value; rows that did not choose judge
    """

    metric: str
    threshold: float
    regret: Estimate


@dataclass(frozen=True)
class ThresholdChoice:
    """The threshold in use against the one that the value asks for.

    Parameters
    ----------
    used : float or None, None if the decisions are not cut from the scores
    best : float, chosen by value on all rows
    as_good : (float, float), thresholds that lose as little within chance
    gain : Estimate, value per row that the best one saves; chosen on four fifths of the rows, judged on the rest
    counts : bool, the gain is beyond chance at 99 % and at least 5 % of what is lost now
    curve : tuple of CurvePoint, by threshold
    by_metric : tuple of MetricThreshold, least regret first
    """

    used: float | None
    best: float
    as_good: tuple[float, float]
    gain: Estimate
    counts: bool
    curve: tuple[CurvePoint, ...]
    by_metric: tuple[MetricThreshold, ...]


@dataclass(frozen=True)
class NetBenefit:
    """One point of a decision curve.

    Parameters
    ----------
    threshold : float, probability from which on one acts
    model : Estimate, net benefit of acting by the scores
    everyone : float, of acting on every row; of acting on none it is 0
    """

    threshold: float
    model: Estimate
    everyone: float


def own_threshold(outcomes: Outcomes) -> float | None:
    """The threshold that the model decides by; None if its decisions are not cut from its scores."""
    if outcomes.scores is None or outcomes.task != "binary":
        return None
    said = outcomes.prediction == 1
    scores = outcomes.scores[:, -1]
    highest_no = float(scores[~said].max(initial=0.0))
    lowest_yes = float(scores[said].min(initial=1.0))
    if highest_no > lowest_yes:
        return None
    return 0.5 if highest_no <= 0.5 <= lowest_yes else (highest_no + lowest_yes) / 2  # noqa: PLR2004 - the usual cut


def odds_threshold(outcomes: Outcomes, lost_if: Floats) -> float | None:
    """Probability from which on "yes" pays on average: cost of a false alarm / (that + cost of a miss).

    Two significant digits; None where either costs nothing.
    """
    y = outcomes.y == 1
    if not y.any() or y.all():
        return None
    alarm, miss = float(lost_if[~y, 1].mean()), float(lost_if[y, 0].mean())
    return float(f"{alarm / (alarm + miss):.2g}") if alarm > 0 and miss > 0 else None


def choose_threshold(
    outcomes: Outcomes, lost: Floats, lost_if: Floats, groups: NDArray[np.intp]
) -> ThresholdChoice | None:
    """Thresholds by value and by metrics; None where there are fewer than three to choose from.

    Parameters
    ----------
    outcomes : Outcomes of a binary task with scores
    lost : array of shape (n,), what the decisions lose
    lost_if : array of shape (n, 2), what each decision would lose
    groups : int array of shape (n,), for the jackknife
    """
    cutting = _cutting(outcomes, lost_if)
    if len(cutting.cuts) < 3:  # noqa: PLR2004 - nothing to choose from
        return None
    folds = np.arange(len(outcomes)) % N_FOLDS
    by_value = _judged(cutting, folds, lambda rows: cutting.steady_best(rows)[0])
    gain = _saved(lost, by_value, groups)
    if gain is None:
        return None
    best, first, last = cutting.steady_best()
    now = float(lost.mean())
    _, low, _ = at_level((gain.value, gain.low, gain.high), int(groups.max()), level=SURE)
    return ThresholdChoice(
        used=own_threshold(outcomes),
        best=float(cutting.cuts[best]),
        as_good=(float(cutting.cuts[first]), float(cutting.cuts[last])),
        gain=gain,
        counts=low > 0 and gain.value >= WORTH_A_LOOK * now,
        curve=_curve(cutting, {best}),
        by_metric=_by_metrics(outcomes, cutting, folds, groups, by_value, odds_threshold(outcomes, lost_if)),
    )


def threshold_agreement(outcomes: Outcomes, lost_if: Floats, groups: NDArray[np.intp], metric: str) -> Estimate | None:
    """Kendall's tau-b between a metric and the value over thresholds; None for a metric that chooses none."""
    form = CHOOSING.get(SAME.get(metric, metric))
    cutting = _cutting(outcomes, lost_if)
    if form is None or len(cutting.cuts) < 3:  # noqa: PLR2004 - nothing to order
        return None
    cells, sums = cutting.cells(outcomes.y, outcomes.weight, groups), cutting.sums(groups)
    whole, total = cells.sum(axis=0), sums.sum(axis=0)
    parts = tau_b(form(whole - cells), sums - total)
    found = jackknife_of(float(tau_b(form(whole), -total)), parts)
    if found is None:
        return None
    value, low, high = found
    return Estimate(value, max(-1.0, low), min(1.0, high), n=len(outcomes), unit="Kendall tau over thresholds")


def decision_curve(outcomes: Outcomes) -> tuple[NetBenefit, ...]:
    """Net benefit of acting by the scores at thresholds from 0.02 to 0.98, as far as acting on someone pays.

    TP/n - FP/n x t/(1 - t); its interval is that of a mean over rows.

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361
    """
    if outcomes.scores is None:
        return ()
    n, y = len(outcomes), (outcomes.y == 1).astype(np.float64)
    at = np.linspace(0.02, 0.98, N_ODDS - 1)
    at = at[at <= max(float(outcomes.scores[:, -1].max()), float(at[0]))]
    gap = np.searchsorted(at, outcomes.scores[:, -1], side="right")
    yes, no = ((part.sum() - np.cumsum(np.bincount(gap, part, minlength=len(at) + 1)))[:-1] / n for part in (y, 1 - y))
    odds = at / (1 - at)
    value, square = yes - no * odds, yes + no * odds**2
    half = normal_quantile(0.95) * np.sqrt(np.maximum(square - value**2, 0.0) / max(n - 1, 1))
    rate = float(y.mean())
    return tuple(
        NetBenefit(
            float(t),
            Estimate(float(v), float(v - h), float(v + h), n=n, unit="net benefit per row"),
            float(rate - (1 - rate) * o),
        )
        for t, v, h, o in zip(at.round(4), value, half, odds, strict=True)
    )


def _cutting(outcomes: Outcomes, lost_if: Floats) -> Cutting:
    scores = np.zeros(len(outcomes)) if outcomes.scores is None else outcomes.scores[:, -1]
    return Cutting.of(scores, lost_if[:, 0], lost_if[:, 1], cuts_of(scores, outcomes.y == 1))


def _judged(cutting: Cutting, folds: NDArray[np.intp], choose: Callable[[NDArray[np.bool_]], int]) -> Floats:
    """What each row loses under the cut that the other folds chose; shape (n,)."""
    lost = np.empty(len(folds))
    for fold in range(N_FOLDS):
        inside = folds == fold
        lost[inside] = cutting.lost(choose(~inside))[inside]
    return lost


def _saved(before: Floats, after: Floats, groups: NDArray[np.intp]) -> Estimate | None:
    found = jackknife_of(*mean_without(before - after, None, groups))
    return None if found is None else Estimate(*found, n=len(before), unit="value per row")


def _by_metrics(  # noqa: PLR0917 - what every choice is judged on
    outcomes: Outcomes,
    cutting: Cutting,
    folds: NDArray[np.intp],
    groups: NDArray[np.intp],
    by_value: Floats,
    odds: float | None,
) -> tuple[MetricThreshold, ...]:
    cells = cutting.cells(outcomes.y, outcomes.weight, folds)
    whole = cells.sum(axis=0)
    found = []
    for name, form in CHOOSING.items():
        chosen = form(whole - cells).argmax(axis=-1)
        lost = np.select([folds == at for at in range(N_FOLDS)], [cutting.lost(int(cut)) for cut in chosen])
        found.append((name, float(cutting.cuts[int(form(whole).argmax())]), _saved(lost, by_value, groups)))
    if odds is not None and outcomes.scores is not None:
        acted = np.where(outcomes.scores[:, -1] >= odds, cutting.yes, cutting.no)
        found.append((f"net_benefit_at_{odds:g}", odds, _saved(acted, by_value, groups)))
    kept = [MetricThreshold(name, at, regret) for name, at, regret in found if regret is not None]
    return tuple(sorted(kept, key=lambda item: (item.regret.value, item.metric)))


def _curve(cutting: Cutting, wanted: set[int]) -> tuple[CurvePoint, ...]:
    n, everywhere = len(cutting.passed), np.zeros(len(cutting.passed), np.intp)
    total, squares = (cutting.sums(everywhere, power)[0] for power in (1, 2))
    mean, error = mean_and_error(total, squares, n)
    even = np.linspace(cutting.cuts[0], cutting.cuts[-1], N_DRAWN)
    near = np.abs(cutting.cuts[:, None] - even[None, :]).argmin(axis=0)
    z = normal_quantile(0.95)
    return tuple(
        CurvePoint(
            float(cutting.cuts[at]),
            Estimate(float(mean[at]), float(mean[at] - z * error[at]), float(mean[at] + z * error[at]), n=n, unit=LOST),
        )
        for at in sorted({*near.tolist(), *wanted})
    )
