"""Newcomers: classes that the model cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.metric import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric
    from mlflow_errata.table import EvaluationTable

LATE = 0.5
"""Share of the rows that come before the first row of a new class, at least."""
CHANCE = 0.001
"""Chance that a class with its rows anywhere in time comes as late."""
MOST = 0.5
"""Share of a change that may be left without the new classes for the change to be their doing."""


@dataclass(frozen=True)
class NewClass:
    """A class that comes late, and is not among the training rows.

    Parameters
    ----------
    label : Label
    support : int, rows
    """

    label: Label
    support: int


def new_classes(table: EvaluationTable, rows: NDArray[np.intp]) -> tuple[NewClass, ...]:
    """Classes whose first row comes in the newer half, later than chance allows; most rows first.

    Parameters
    ----------
    rows : int array, rows in time order
    """
    classes = table.outcomes.classes
    if not classes:
        return ()
    carried = table.outcomes.y[rows]
    at = np.arange(len(rows))
    if table.task == "multilabel":
        at, carried = np.nonzero(carried == 1)
    codes, first, support = np.unique(carried, return_index=True, return_counts=True)
    first = at[first]
    before = first / len(rows)
    late = (before >= LATE) & ((1 - before) ** support <= CHANCE)
    trained = _trained(table)
    found = [
        NewClass(classes[code], int(n))
        for code, n in zip(codes[late], support[late], strict=True)
        if str(classes[code]) not in trained
    ]
    return tuple(sorted(found, key=lambda item: (-item.support, str(item.label))))


def _trained(table: EvaluationTable) -> set[str]:
    """Classes, or labels, that training rows have."""
    if table.train is None:
        return set()
    if table.task == "multilabel":
        return {name for at, name in enumerate(table.roles.labels) if any(row[at] == 1 for row in table.train.y)}
    return set(table.train.y.astype(str).unique())


def is_their_doing(
    table: EvaluationTable,
    metric: Metric,
    newcomers: tuple[NewClass, ...],
    older: NDArray[np.intp],
    newer: NDArray[np.intp],
) -> bool:
    """Whether at least half of the change of the metric is gone without the rows of new classes."""
    of_new = np.zeros(len(table), dtype=bool)
    for item in newcomers:
        of_new |= table.outcomes.carries(table.outcomes.classes.index(item.label))
    known = newer[~of_new[newer]]
    if not newcomers or len(known) == 0:
        return bool(newcomers)
    before, now, rest = (metric.compute(table.outcomes.take(rows)) for rows in (older, newer, known))
    return bool((rest - before) / (now - before) <= MOST)
