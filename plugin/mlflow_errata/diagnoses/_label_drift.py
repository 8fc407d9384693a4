"""Labels over time: which of several became more or less frequent, and which are served worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._changes import SURE, change_of, is_worse, metric_of, surer
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Metric, Outcomes, default_metric
from mlflow_errata.stats.deletion import mean_without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable


@dataclass(frozen=True)
class LabelDrift:
    """One label of several, before and since the cut.

    Parameters
    ----------
    label : str
    rate_before, rate_now : Estimate, share of the rows that have it
    moved : bool, the rate is another, beyond chance over all labels
    before, now, change : Estimate or None, its metric: ROC AUC with scores, else accuracy
    worse : bool, the metric fell, beyond chance over all labels
    """

    label: str
    rate_before: Estimate
    rate_now: Estimate
    moved: bool
    before: Estimate | None
    now: Estimate | None
    change: Estimate | None
    worse: bool


def label_drifts(table: EvaluationTable, older: NDArray[np.intp], newer: NDArray[np.intp]) -> tuple[LabelDrift, ...]:
    """Every label before and since, those served worse first; empty for other tasks.

    Each label's verdict takes its share of the chance: the interval of its change has a coverage of 1 - 0.03 / (number
    of labels), that of its rate 1 - 0.05 / (number of labels). A label known for fewer than two rows of either side is
    left out.

    Parameters
    ----------
    older, newer : int arrays, rows in time order
    """
    n = len(table.roles.labels)
    outcomes = table.outcomes
    found = []
    for at, name in enumerate(table.roles.labels):
        sides = [outcomes.take(rows).of_label(at) for rows in (older, newer)]
        rates = [metric_of(RATE, side) for side in sides]
        if rates[0] is None or rates[1] is None:
            continue
        metric = default_metric(sides[0])
        before, now = (metric_of(metric, side) for side in sides)
        moved = change_of(*(surer(rate, 1 - ALPHA / n) for rate in rates))
        found.append(
            LabelDrift(
                label=name,
                rate_before=rates[0],
                rate_now=rates[1],
                moved=moved is not None and not moved.low <= 0 <= moved.high,
                before=before,
                now=now,
                change=change_of(before, now),
                worse=is_worse(metric, before, now, 1 - (1 - SURE) / n),
            )
        )
    return tuple(sorted(found, key=lambda item: (not item.worse, _value(item.change), item.label)))


def _value(change: Estimate | None) -> float:
    return 0.0 if change is None else change.value


def _held(outcomes: Outcomes) -> NDArray[np.float64]:
    return np.asarray(outcomes.y == 1, dtype=np.float64)


def _rate(outcomes: Outcomes) -> float:
    return float(np.average(_held(outcomes), weights=outcomes.weight))


RATE = Metric(
    "label rate",
    True,
    _rate,
    _held,
    without=lambda outcomes, groups: mean_without(_held(outcomes), outcomes.weight, groups),
)
"""The share of the rows that have a label, followed over time as a metric is."""
