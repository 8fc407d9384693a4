"""Imbalance inside slices: classes that are rarer in a slice than elsewhere, and recalled worse there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._cells import MOST_ROWS, cells_in
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import difference, mean_or_share, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.predicates import Predicate
    from mlflow_errata.table import EvaluationTable

FEWEST = 20
"""Rows of a class, inside a slice and outside it, from which they are compared."""
RARER = 0.5
"""A class is rare inside a slice with at most this share of its share elsewhere."""
WORTH_A_LOOK = 0.05
"""Recall that is lost inside, at least."""
MOST = 10


@dataclass(frozen=True)
class RareInside:
    """A class that is rarer in a slice than elsewhere, and recalled worse there.

    Parameters
    ----------
    condition : str, as slices print themselves
    label : the class in the user's own value
    support : int, rows of the class inside (of the first 100,000 rows)
    share, share_elsewhere : Estimate, of the rows inside, and of those outside
    recall, recall_elsewhere : Estimate, of the rows of the class inside, and outside
    """

    condition: str
    label: Label
    support: int
    share: Estimate
    share_elsewhere: Estimate
    recall: Estimate
    recall_elsewhere: Estimate


def rare_inside(table: EvaluationTable) -> tuple[RareInside, ...]:
    """Classes that pay for being rare in a slice, those with the most rows lost first, at most 10.

    Looked at are levels, ranges and gaps of the columns that the model sees. Share and recall both lie below those
    outside the slice, each at 1 - ALPHA / (classes in slices looked at) and by an amount that counts. Rows count alike
    where slices are chosen; estimates are weighted.
    """
    outcomes = table.outcomes.take(slice(MOST_ROWS))
    k, right = len(outcomes.classes), outcomes.prediction == outcomes.y
    candidates: list[tuple[NDArray[np.intp], int, Predicate, int]] = []
    n_looked_at, counted = 0, []
    for name in (name for name in table.slice_columns if name in table.features):
        read = cells_in(table, name)
        if read is None:
            continue
        cells, predicates = read
        key = cells * k + outcomes.y
        shape = (len(predicates), k)
        rows, hits = (np.bincount(part, minlength=shape[0] * k).reshape(shape) for part in (key, key[right]))
        elsewhere = rows.sum(axis=0) - rows
        known = np.array([predicate is not None for predicate in predicates])
        looked_at = known[:, None] & (np.minimum(rows, elsewhere) >= FEWEST)
        n_looked_at += int(looked_at.sum())
        for at, code in np.argwhere(looked_at & _is_rarer(rows) & _is_worse(rows, hits)):
            predicate = predicates[at]
            if predicate is not None:
                candidates.append((cells, int(at), predicate, int(code)))
                counted.append((rows[:, code], hits[:, code], rows.sum(axis=1)))
    level = 1 - ALPHA / max(n_looked_at, 1)
    found = [
        (lost, str(predicate), code, cells == at)
        for (cells, at, predicate, code), (rows, hits, every) in zip(candidates, counted, strict=True)
        if (lost := _lost(at, rows, hits, every, level)) > 0
    ]
    found.sort(key=lambda item: (-item[0], item[1], item[2]))
    return tuple(_shown(outcomes, right, condition, code, inside) for _, condition, code, inside in found[:MOST])


def _is_rarer(rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    inside, every = rows.sum(axis=1, keepdims=True), rows.sum()
    outside = np.maximum(every - inside, 1)
    return np.asarray(rows / np.maximum(inside, 1) <= RARER * (rows.sum(axis=0) - rows) / outside)


def _is_worse(rows: NDArray[np.intp], hits: NDArray[np.intp]) -> NDArray[np.bool_]:
    there = (hits.sum(axis=0) - hits) / np.maximum(rows.sum(axis=0) - rows, 1)
    return np.asarray(hits / np.maximum(rows, 1) <= there - WORTH_A_LOOK)


def _lost(at: int, rows: NDArray[np.intp], hits: NDArray[np.intp], every: NDArray[np.intp], level: float) -> float:
    """Rows of a class that are lost in a cell, where its share and its recall lie below those outside beyond chance."""
    for part, whole in ((rows, every), (hits, rows)):
        inside = wilson(int(part[at]), int(whole[at]), level=level)
        outside = wilson(int(part.sum() - part[at]), int(whole.sum() - whole[at]), level=level)
        if difference(outside, inside)[2] >= 0:
            return 0.0
    return float((hits.sum() - hits[at]) / (rows.sum() - rows[at]) * rows[at] - hits[at])


def _shown(
    outcomes: Outcomes, right: NDArray[np.bool_], condition: str, code: int, inside: NDArray[np.bool_]
) -> RareInside:
    given = outcomes.y == code
    share, share_elsewhere = (_mean(outcomes, given, part, "share of rows") for part in (inside, ~inside))
    recall, recall_elsewhere = (_mean(outcomes, right, given & part, "recall") for part in (inside, ~inside))
    label = outcomes.classes[code]
    return RareInside(condition, label, recall.n, share, share_elsewhere, recall, recall_elsewhere)


def _mean(outcomes: Outcomes, values: NDArray[np.bool_], rows: NDArray[np.bool_], unit: str) -> Estimate:
    weight = None if outcomes.weight is None else outcomes.weight[rows]
    if weight is not None and not weight.any():
        weight = None
    return Estimate(*mean_or_share(values[rows].astype(np.float64), weight), n=int(rows.sum()), unit=unit)
