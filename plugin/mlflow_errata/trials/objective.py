"""What a trial is judged by: the declared value or the metric, always so that more is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlflow_errata.metric import Outcomes
from mlflow_errata.stats.pairs import FORMS
from mlflow_errata.stats.platt import calibrated
from mlflow_errata.table import value_lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric
    from mlflow_errata.table import Value

    Floats = NDArray[np.float64]

VALUE_UNIT = "value per row"
MOST_TRIED = 40
"""Thresholds that a metric without a closed form is computed at."""
N_THRESHOLDS = 200
NEAR = 0.04
"""How near to the best threshold, as a share of the range of the objective."""


@dataclass(frozen=True)
class Objective:
    """A function of outcomes on some rows of the evaluation frame.

    Parameters
    ----------
    unit : str, name of the metric, or "value per row"
    whole : callable (frame, outcomes) -> float, more is better; NaN where it is not defined
    rows : callable (frame, outcomes) -> array of shape (n,), or None: row contributions of a mean
    form : callable of (tn, fp, fn, tp), or None: for a metric of the four cells
    reads_decisions, reads_scores : bool, what it depends on
    """

    unit: str
    whole: Callable[[pd.DataFrame, Outcomes], float]
    rows: Callable[[pd.DataFrame, Outcomes], Floats] | None
    form: Callable[[Floats, Floats, Floats, Floats], Floats] | None
    reads_decisions: bool
    reads_scores: bool


def objective_of_metric(metric: Metric, outcomes: Outcomes) -> Objective:
    """The user's metric, turned so that more is better."""
    sign = 1.0 if metric.greater_is_better else -1.0
    contributions = metric.rows
    return Objective(
        unit=metric.name,
        whole=lambda _frame, said: sign * metric.compute(said),
        rows=None if contributions is None else lambda _frame, said: sign * contributions(said),
        form=_form(metric, outcomes),
        reads_decisions=_changes(metric, outcomes, _other_decisions(outcomes)),
        reads_scores=outcomes.scores is not None and _changes(metric, outcomes, _other_scores(outcomes)),
    )


def objective_of_value(value: Value) -> Objective:
    """The business value of the decisions, per row."""

    def rows(frame: pd.DataFrame, said: Outcomes) -> Floats:
        return -value_lost(frame, value, said)

    return Objective(
        VALUE_UNIT,
        lambda frame, said: float(rows(frame, said).mean()),
        rows,
        None,
        reads_decisions=True,
        reads_scores=False,
    )


def objective_of_scores() -> Objective:
    """Minus the Brier score over all classes: it sees every score move, not only those that cross a threshold.

    sum over classes of (score - [label is the class])^2, from 0 to -2.
    """

    def rows(_frame: pd.DataFrame, said: Outcomes) -> Floats:
        scores = said.scores
        if scores is None:
            return np.full(len(said), np.nan)
        hit = scores[np.arange(len(said)), said.y]
        return np.asarray(-((scores**2).sum(axis=1) - 2 * hit + 1))

    return Objective(
        "brier_score",
        lambda frame, said: float(rows(frame, said).mean()),
        rows,
        None,
        reads_decisions=False,
        reads_scores=True,
    )


def _form(metric: Metric, outcomes: Outcomes) -> Callable[[Floats, Floats, Floats, Floats], Floats] | None:
    """The closed form of a metric, if it says what the metric says of these outcomes and of their mirror image."""
    form = FORMS.get(metric.name)
    if form is None or outcomes.task != "binary" or outcomes.weight is not None:
        return None
    for said in (outcomes, _other_decisions(outcomes)):
        if abs(float(form(*cells(said.y, said.prediction))) - metric.compute(said)) > 1e-9:  # noqa: PLR2004 - rounding
            return None
    return form


def cells(y: NDArray[np.intp], decision: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
    """(tn, fp, fn, tp) as arrays of shape ()."""
    tn, fp, fn, tp = np.bincount(2 * y + decision, minlength=4).astype(np.float64)
    return np.asarray(tn), np.asarray(fp), np.asarray(fn), np.asarray(tp)


def _other_decisions(outcomes: Outcomes) -> Outcomes:
    if outcomes.task == "regression":
        return replace(outcomes, prediction=outcomes.prediction + 1.0 + np.abs(outcomes.prediction))
    if outcomes.task == "multilabel":
        third = (np.arange(len(outcomes)) % 3 == 0)[:, None]
        return replace(outcomes, prediction=np.where(third, 1 - outcomes.prediction, outcomes.prediction))
    moved = (outcomes.prediction + (np.arange(len(outcomes)) % 3 == 0)) % len(outcomes.classes)
    return replace(outcomes, prediction=moved)


def _other_scores(outcomes: Outcomes) -> Outcomes:
    if outcomes.scores is None:
        return outcomes
    return replace(outcomes, scores=np.roll(outcomes.scores, 1, axis=0) * 0.9 + 0.1 / outcomes.scores.shape[1])


def _changes(metric: Metric, outcomes: Outcomes, other: Outcomes) -> bool:
    before, after = metric.compute(outcomes), metric.compute(other)
    return bool(np.isfinite(before) and np.isfinite(after) and before != after)


# -- the best threshold -----------------------------------------------------------------------------------------------


def best_threshold(objective: Objective, frame: pd.DataFrame, outcomes: Outcomes) -> float | None:
    """The probability from which on "positive" is the better decision on these rows, for a binary task.

    The objective is computed at up to N_THRESHOLDS quantiles of the scores; the median of the thresholds that come near
    the best one is chosen, so that one lucky cut does not win (on 2,400 rows with 8 % positives it falls .0036 short
    of the best F1, the best cut itself .0053). None where the objective is not defined.
    """
    if outcomes.scores is None:
        return None
    scores = outcomes.scores[:, -1]
    few = objective.rows is None and objective.form is None
    shares = np.linspace(0, 1, (MOST_TRIED if few else N_THRESHOLDS) + 1)[1:-1]
    cuts = np.unique(np.quantile(scores, shares))
    if len(cuts) < 3:  # noqa: PLR2004 - nothing to choose from
        return None
    reached = _curve(objective, frame, outcomes, cuts)
    if not np.isfinite(reached).all():
        return None
    near = reached >= reached.max() - NEAR * (reached.max() - reached.min())
    return float(np.median(cuts[near]))


def _curve(objective: Objective, frame: pd.DataFrame, outcomes: Outcomes, cuts: Floats) -> Floats:
    """The objective at each threshold, half as counted, half as the calibrated scores tell; shape (n_cuts,)."""
    scores = outcomes.scores[:, -1] if outcomes.scores is not None else np.empty(0)
    each, form = objective.rows, objective.form
    chance = (outcomes.y + calibrated(scores, outcomes.y)) / 2
    order = np.argsort(scores, kind="stable")
    below = np.searchsorted(scores[order], cuts, side="left")
    if form is not None:
        fn = np.concatenate([[0.0], np.cumsum(chance[order])])[below]
        tn, positive = below - fn, float(chance.sum())
        return form(tn, len(scores) - positive - tn, fn, positive - fn)
    if each is None:
        return np.array(
            [
                objective.whole(frame, replace(outcomes, prediction=(scores >= cut).astype(np.intp)))
                for cut in cuts.tolist()
            ]
        )
    weight = np.ones(len(scores)) if outcomes.weight is None or objective.unit == VALUE_UNIT else outcomes.weight
    no, yes = (
        np.concatenate([[0.0], np.cumsum(((1 - chance) * of_no + chance * of_yes)[order] * weight[order])])
        for of_no, of_yes in ([each(frame, _all(outcomes, y, decision)) for y in (0, 1)] for decision in (0, 1))
    )
    return np.asarray((no[below] + yes[-1] - yes[below]) / weight.sum())


def _all(outcomes: Outcomes, y: int, decision: int) -> Outcomes:
    """Every row with one label and one decision."""
    return replace(outcomes, y=np.full(len(outcomes), y), prediction=np.full(len(outcomes), decision))


def told_threshold(objective: Objective, value: object, scores: Floats) -> float | None:
    """The threshold that is best if the scores are right, which takes no label to find.

    For {"tp", "fp", "fn", "tn"} it is c_FP / (c_FP + c_FN); for a metric of the four cells the cut at which the metric
    of the expected cells is largest (half of the largest F1, the share of positives for balanced accuracy). Chance in
    the labels cannot lead it astray, wrong scores can.

    Parameters
    ----------
    objective : Objective
    value : business value as declared, or None
    scores : array of shape (n,), probabilities of the positive class

    Returns
    -------
    float in (0, 1), or None where neither tells it
    """
    if isinstance(value, dict):
        false_alarm = value.get("tn", 0.0) - value.get("fp", 0.0)
        miss = value.get("tp", 0.0) - value.get("fn", 0.0)
        return float(false_alarm / (false_alarm + miss)) if false_alarm > 0 and miss > 0 else None
    if value is not None or objective.form is None or not len(scores):
        return None
    ranked = np.sort(scores)
    positive = np.concatenate([[0.0], np.cumsum(ranked)])
    below = np.searchsorted(
        ranked, np.unique(np.quantile(ranked, np.linspace(0, 1, N_THRESHOLDS + 1)[1:-1])), side="left"
    )
    fn, tn = positive[below], below - positive[below]
    reached = objective.form(tn, len(ranked) - positive[-1] - tn, fn, positive[-1] - fn)
    return float(ranked[below[np.argmax(reached)]])
