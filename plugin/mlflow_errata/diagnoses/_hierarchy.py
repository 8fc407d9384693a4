"""Hierarchies: groups of classes that are taken for each other, told by a coarser column or by the confusions alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._functions import grouped_by, unseen_columns
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.coincidence import tail
from mlflow_errata.stats.communities import communities, within_groups
from mlflow_errata.stats.confusion import confusion
from mlflow_errata.stats.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.table import EvaluationTable

FEWEST_CLASSES = 4
FEWEST_WRONG = 30
"""Wrong rows below which nothing is said of groups."""
BEYOND = 0.2
"""Of the wrong rows that chance would not put within their group, the share that has to stay there."""
MOST_CLASSES = 300
"""Classes beyond which no groups are sought."""


@dataclass(frozen=True)
class Hierarchy:
    """Classes in groups, and how much of what is wrong stays within them.

    Parameters
    ----------
    column : str or None, the column that tells the group; None for groups found in the confusions
    groups : tuple of tuples of labels
    within : Estimate, share of the wrong rows that are taken for a class of their own group. Groups found in the
        confusions of half of the rows are judged by the other half
    chance : float, what that share would be if wrong rows fell on other classes by popularity alone
    right : Estimate, share of all rows whose group is told right
    found : bool, within is far beyond chance
    """

    column: str | None
    groups: tuple[tuple[Label, ...], ...]
    within: Estimate
    chance: float
    right: Estimate
    found: bool


def hierarchies(table: EvaluationTable, chance: float) -> tuple[Hierarchy, ...]:
    """Groups by every column that is a function of the class, then those found in the confusions.

    Parameters
    ----------
    table : EvaluationTable of a multiclass task
    chance : float, of any of them being found where wrong rows follow popularity alone
    """
    outcomes, k = table.outcomes, len(table.outcomes.classes)
    if not FEWEST_CLASSES <= k <= MOST_CLASSES or (outcomes.y != outcomes.prediction).sum() < FEWEST_WRONG:
        return ()
    told = {name: groups for name in unseen_columns(table) if (groups := grouped_by(table, name)) is not None}
    level = chance / (len(told) + 1)
    whole = confusion(outcomes.y, outcomes.prediction, k)
    named = [_judged(outcomes, name, _codes(groups, k), [whole], level=level) for name, groups in told.items()]
    return (*named, *_sought(outcomes, whole, level))


def _codes(groups: tuple[tuple[int, ...], ...], k: int) -> NDArray[np.intp]:
    """The group of every class; a class of no group is one by itself."""
    found = np.arange(k) + len(groups)
    for at, group in enumerate(groups):
        found[list(group)] = at
    return found


def _sought(outcomes: Outcomes, whole: NDArray[np.float64], level: float) -> tuple[Hierarchy, ...]:
    """Groups found in the confusions: those of one half of the rows are judged by the other half, and the reverse."""
    groups = communities(whole)
    if groups.max() == 0 or groups.max() == len(groups) - 1:
        return ()
    half = np.arange(len(outcomes)) % 2
    halves = confusion(outcomes.y, outcomes.prediction, len(groups), groups=half)
    return (
        _judged(
            outcomes, None, groups, list(halves), level=level, of_parts=[communities(part) for part in halves[::-1]]
        ),
    )


def _judged(
    outcomes: Outcomes,
    column: str | None,
    groups: NDArray[np.intp],
    parts: list[NDArray[np.float64]],
    *,
    level: float,
    of_parts: list[NDArray[np.intp]] | None = None,
) -> Hierarchy:
    told = [within_groups(part, by) for part, by in zip(parts, of_parts or [groups] * len(parts), strict=True)]
    within, expected = (sum(item[at] for item in told) for at in (0, 1))
    spread = float(np.sqrt(sum(item[2] ** 2 for item in told)))
    n, wrong = len(outcomes), int((outcomes.y != outcomes.prediction).sum())
    share = expected / wrong
    beyond = (within - expected) / max(wrong - expected, 1.0)
    classes = outcomes.classes
    named = tuple(tuple(classes[code] for code in np.flatnonzero(groups == group)) for group in np.unique(groups))
    return Hierarchy(
        column=column,
        groups=named,
        within=Estimate(*wilson(within, wrong), n=wrong, unit="share of rows"),
        chance=share,
        right=Estimate(*wilson(n - wrong + within, n), n=n, unit="accuracy"),
        found=beyond >= BEYOND and tail(within - 0.5, expected, spread) <= level,
    )
