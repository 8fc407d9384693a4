"""Metric mismatch: whether the metric sees what matters, and whether decisions are made where the value asks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._thresholds import (
    LOST,
    SAME,
    NetBenefit,
    ThresholdChoice,
    choose_threshold,
    decision_curve,
    odds_threshold,
    threshold_agreement,
)
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import LABEL_CATALOGUE, catalogued
from mlflow_errata.stats.agreement import correlation_without
from mlflow_errata.stats.deletion import mean_without
from mlflow_errata.stats.intervals import (
    contiguous_groups,
    jackknife_of,
    mean_interval,
    scattered_groups,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable

    Groups = NDArray[np.intp]

NAME = "metric_mismatch"
FEWEST = 50
"""Rows below which nothing is said."""
BLIND = ("accuracy", "error_rate", "f1_micro")
"""Metrics that are compared with always saying the commonest class."""
BARELY = 0.1
"""Share of the rows outside the commonest class that a metric has to get right beyond it, not to be blind."""
TELLS = 0.1
"""How far above chance a blind metric's model has to tell classes apart, by the interval's lower end."""
FOLLOWS = 0.1
"""Correlation by which another metric has to follow the value better."""
ROWS_OF = {"root_mean_squared_error": "mean_squared_error", "r2": "mean_squared_error"}
"""Metrics of numbers and the metric whose rows they rest on."""
MEASURED = {
    "binary": (
        *("accuracy", "balanced_accuracy", "f1", "matthews_corrcoef"),
        *("roc_auc", "average_precision", "log_loss", "brier_score"),
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "matthews_corrcoef", "log_loss"),
    "multilabel": tuple(LABEL_CATALOGUE),
    "regression": (
        *("mean_absolute_error", "root_mean_squared_error", "mean_absolute_percentage_error", "r2"),
        *("pinball_loss_at_0.1", "pinball_loss_at_0.9"),
    ),
}
"""Metrics of the catalogue that are measured beside the value, per task; binary ones with scores see `_wanted`."""
ROWWISE = (
    *("mean_absolute_error", "mean_squared_error", "mean_absolute_percentage_error"),
    *("pinball_loss_at_0.1", "pinball_loss_at_0.25", "pinball_loss_at_0.75", "pinball_loss_at_0.9"),
)
"""Metrics of numbers that are means over rows."""


@dataclass(frozen=True)
class Measured:
    """A number of one run, in a form in which runs on the same rows can be compared.

    Parameters
    ----------
    name : str, a metric, or "value lost per row"
    greater_is_better : bool
    value : float, of all rows
    parts : tuple of float, without each of up to 20 groups of rows; the groups are the same for all runs on these rows
    """

    name: str
    greater_is_better: bool
    value: float
    parts: tuple[float, ...]


@dataclass(frozen=True)
class Blindness:
    """A metric that calls the model hardly better than always saying one class.

    Parameters
    ----------
    majority : float, share of the commonest class
    ahead : Estimate, share of rows by which the model is right more often than always saying that class
    told : str, a metric that sees what the model tells
    telling : Estimate, its value
    chance : float, what it is for a model that tells nothing
    """

    majority: float
    ahead: Estimate
    told: str
    telling: Estimate
    chance: float


@dataclass(frozen=True)
class Followed:
    """How closely a metric of numbers follows the value.

    Parameters
    ----------
    metric : str
    agreement : Estimate, correlation over rows of what the metric counts and of the value lost
    """

    metric: str
    agreement: Estimate


@dataclass(frozen=True)
class MetricMismatch:
    """The metric beside the declared value.

    Parameters
    ----------
    metric : str, the metric in use
    lost : Estimate or None, value lost per row against the best decisions; None without a declared value
    measured : tuple of Measured, the value lost first, then metrics; empty without a declared value
    threshold : ThresholdChoice or None, for a binary task with scores and a value
    rank_agreement : Estimate or None: whether the metric orders as the value does: thresholds (Kendall's tau), or rows
        of numbers (correlation); None for a metric that orders neither
    followed : tuple of Followed, metrics of numbers, closest first
    blind : Blindness or None, where the metric is blind
    curve : tuple of NetBenefit, the decision curve of a binary task with scores
    better : str or None, the metric to use instead, where something was found
    """

    metric: str
    lost: Estimate | None
    measured: tuple[Measured, ...]
    threshold: ThresholdChoice | None
    rank_agreement: Estimate | None
    followed: tuple[Followed, ...]
    blind: Blindness | None
    curve: tuple[NetBenefit, ...]
    better: str | None

    @property
    def found(self) -> bool:
        """The metric is blind, another follows the value better, or another threshold loses less, beyond chance."""
        return self.better is not None or (self.threshold is not None and self.threshold.counts)

    @property
    def headline(self) -> Estimate | None:
        """Value per row that the best threshold saves; else the value lost; else what a blind metric sees."""
        if self.threshold is not None:
            return self.threshold.gain
        return self.lost if self.lost is not None or self.blind is None else self.blind.ahead


RESULT = MetricMismatch


def diagnose(table: EvaluationTable, options: Options) -> MetricMismatch:
    """Hold the metric against the declared value, and against always saying one class.

    Two classes with scores: the threshold that loses least is chosen on four fifths of the rows and judged on the rest,
    row by row against the decisions in use, and so are the thresholds that metrics would choose. Numbers: over rows,
    the correlation of what a metric counts with the value lost; sums over rows then move together. Classes judged by
    the accuracy: it is blind if the model is not right more often than the commonest class is frequent, and another
    metric shows that it tells classes apart nevertheless.

    Raises
    ------
    NotApplicable
        Without a declared value, unless the metric is blind; with fewer than 50 rows.
    """
    outcomes, metric = table.outcomes, options.metric
    if len(outcomes) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows; there are {len(outcomes)}")
    blind = _blindness(outcomes, metric)
    if table.value_lost is None:
        if blind is None:
            raise NotApplicable("needs a value (value=...)")
        return MetricMismatch(metric.name, None, (), None, None, (), blind, _curve(outcomes), blind.told)
    lost, groups = table.value_lost, _groups(table)
    threshold, agreement = None, None
    followed: tuple[Followed, ...] = ()
    better = None if blind is None else blind.told
    if table.lost_if is not None and outcomes.scores is not None:
        threshold = choose_threshold(outcomes, lost, table.lost_if, groups)
        agreement = threshold_agreement(outcomes, table.lost_if, groups, metric.name)
        better = _better_choice(threshold, metric.name) or better
    if outcomes.task == "regression":
        followed, agreement, better = _followed(outcomes, lost, metric, groups)
    return MetricMismatch(
        metric=metric.name,
        lost=Estimate(*mean_interval(lost), n=len(lost), unit=LOST),
        measured=_measured(table, metric, groups),
        threshold=threshold,
        rank_agreement=agreement,
        followed=followed,
        blind=blind,
        curve=_curve(outcomes),
        better=better,
    )


def _groups(table: EvaluationTable) -> Groups:
    """Groups of rows for the jackknife: runs of neighbours where rows have times; they depend on the rows alone."""
    groups = scattered_groups(len(table))
    if table.times is not None:
        order = np.concatenate([table.in_time_order, np.flatnonzero(pd.isna(table.times))])
        groups[order] = contiguous_groups(len(table))
    return groups


def _curve(outcomes: Outcomes) -> tuple[NetBenefit, ...]:
    return decision_curve(outcomes) if outcomes.task == "binary" and _are_probabilities(outcomes) else ()


def _are_probabilities(outcomes: Outcomes) -> bool:
    scores = outcomes.scores
    return scores is not None and float(scores.min()) >= 0 and float(scores.max()) <= 1


def _better_choice(threshold: ThresholdChoice | None, metric: str) -> str | None:
    """The metric whose threshold loses least, where the one in use is off; None if that is the metric in use."""
    if threshold is None or not threshold.counts:
        return None
    first = threshold.by_metric[0].metric
    return None if first == SAME.get(metric, metric) else first


# -- blind against the commonest class --------------------------------------------------------------------------------


def _blindness(outcomes: Outcomes, metric: Metric) -> Blindness | None:
    if metric.name not in BLIND or outcomes.task in {"regression", "multilabel"}:
        return None
    support = np.bincount(outcomes.y, outcomes.weight, minlength=len(outcomes.classes))
    share = float(support.max() / support.sum())
    ahead = mean_interval(1.0 - outcomes.errors - (outcomes.y == support.argmax()), outcomes.weight)
    if share == 1 or ahead[1] > 0 or ahead[0] > BARELY * (1 - share):
        return None
    told = "roc_auc" if outcomes.task == "binary" and outcomes.scores is not None else "balanced_accuracy"
    entry = catalogued(told)
    telling = None if entry is None else entry.metric.estimate(outcomes)
    chance = 0.5 if told == "roc_auc" else 1 / int((support > 0).sum())
    if telling is None or telling.low < chance + TELLS:
        return None
    return Blindness(
        share, Estimate(*ahead, n=len(outcomes), unit="share of rows"), told, replace(telling, unit=told), chance
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


def _followed(
    outcomes: Outcomes, lost: NDArray[np.float64], metric: Metric, groups: Groups
) -> tuple[tuple[Followed, ...], Estimate | None, str | None]:
    """Metrics by how closely they follow the value, the agreement of the one in use, and the better one."""
    own = ROWS_OF.get(metric.name, metric.name)
    found = {}
    for name in dict.fromkeys((own, *ROWWISE)):
        entry = catalogued(name)
        told = metric if entry is None else entry.metric
        if told.rows is not None:
            value, parts = correlation_without(told.rows(outcomes), lost, groups)
            if np.isfinite(value) and np.isfinite(parts).all():
                found[name] = value, parts
    estimates = {name: _correlation(value, parts, len(lost)) for name, (value, parts) in found.items()}
    ranked = sorted(found, key=lambda name: (-round(found[name][0], 9), name != own))
    followed = tuple(Followed(name, each) for name in ranked if (each := estimates[name]) is not None)
    if own not in found or not followed:
        return followed, None, None
    first, chance = ranked[0], ALPHA / max(len(found) - 1, 1)
    more = jackknife_of(found[first][0] - found[own][0], found[first][1] - found[own][1], level=1 - chance)
    clear = more is not None and more[1] > 0 and more[0] >= FOLLOWS
    return followed, estimates[own], first if clear else None


def _correlation(value: float, parts: NDArray[np.float64], n: int) -> Estimate | None:
    found = jackknife_of(value, parts)
    if found is None:
        return None
    value, low, high = (min(1.0, max(-1.0, end)) for end in found)  # rounding may pass 1
    return Estimate(value, low, high, n=n, unit="correlation over rows")


# -- for comparisons between runs -------------------------------------------------------------------------------------


def _wanted(table: EvaluationTable) -> list[str]:
    """Names of the metrics to measure, as far as the output allows."""
    outcomes = table.outcomes
    names = list(MEASURED[outcomes.task])
    if outcomes.task == "binary" and outcomes.scores is not None:
        tenth = max(1, round(len(outcomes) / 10))
        names += [f"precision_at_{tenth}", f"ndcg_at_{tenth}"]
        odds = None if table.lost_if is None else odds_threshold(outcomes, table.lost_if)
        names += [] if odds is None else [f"net_benefit_at_{odds:g}"]
    if not _are_probabilities(outcomes):
        names = [name for name in names if name not in {"log_loss", "brier_score"}]
    if outcomes.task == "regression" and not np.abs(outcomes.y).all():
        names.remove("mean_absolute_percentage_error")
    return names


def _measured(table: EvaluationTable, metric: Metric, groups: Groups) -> tuple[Measured, ...]:
    """The value lost, the metric in use and those of the catalogue, each with its values without groups of rows."""
    outcomes = table.outcomes
    several = outcomes.task == "multilabel"
    entries = (LABEL_CATALOGUE[name] if several else catalogued(name) for name in _wanted(table))
    known = [entry.metric for entry in entries if entry is not None]
    metrics = [metric, *(each for each in known if each.name != metric.name)]
    found = [(LOST, False, mean_without(table.value_lost, None, groups))] if table.value_lost is not None else []
    for each in metrics:
        if each.needs_scores and outcomes.scores is None:
            continue
        found.append((each.name, each.greater_is_better, _without(each, outcomes, groups)))
    return tuple(
        Measured(name, greater, value, tuple(parts.tolist()))
        for name, greater, (value, parts) in found
        if np.isfinite(value) and np.isfinite(parts).all()
    )


def _without(metric: Metric, outcomes: Outcomes, groups: Groups) -> tuple[float, NDArray[np.float64]]:
    if metric.without is not None:
        return metric.without(outcomes, groups)
    parts = [metric.compute(outcomes.take(groups != at)) for at in range(int(groups.max()) + 1)]
    return metric.compute(outcomes), np.array(parts)
