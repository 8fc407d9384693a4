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
    codes, first, support = np.unique(table.outcomes.y[rows], return_index=True, return_counts=True)
    before = first / len(rows)
    late = (before >= LATE) & ((1 - before) ** support <= CHANCE)
    trained = set() if table.train is None else set(table.train.y.astype(str).unique())
    found = [
        NewClass(classes[code], int(n))
        for code, n in zip(codes[late], support[late], strict=True)
        if str(classes[code]) not in trained
    ]
    return tuple(sorted(found, key=lambda item: (-item.support, str(item.label))))


def is_their_doing(
    table: EvaluationTable,
    metric: Metric,
    newcomers: tuple[NewClass, ...],
    older: NDArray[np.intp],
    newer: NDArray[np.intp],
) -> bool:
    """Whether at least half of the change of the metric is gone without the rows of new classes."""
    codes = [table.outcomes.classes.index(item.label) for item in newcomers]
    known = newer[~np.isin(table.outcomes.y[newer], codes)]
    if not newcomers or len(known) == 0:
        return bool(newcomers)
    before, now, rest = (metric.compute(table.outcomes.take(rows)) for rows in (older, newer, known))
    return bool((rest - before) / (now - before) <= MOST)
