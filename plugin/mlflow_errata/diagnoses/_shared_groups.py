"""Groups (customers, devices, patients) that stand in the training rows, too, and how much better they are served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import ordered, value_hashes
from mlflow_errata.diagnoses._changes import change_of, is_worse, metric_of
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import N_GROUPS, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric
    from mlflow_errata.table import EvaluationTable

FEWEST = 100
"""Rows of known and of new groups from which they are compared."""
SURE = 0.985
"""Coverage of the interval of the gap that decides."""
FEWEST_GROUPS = N_GROUPS
"""Groups on either side: with fewer, runs of neighbouring rows would part one."""


@dataclass(frozen=True)
class SharedGroups:
    """Groups of the evaluation rows, beside those of the training rows.

    Parameters
    ----------
    column : str, names the group of a row
    metric : str, name of the metric in `known` and `new`
    n_groups : int, groups of the evaluation rows
    n_shared : int, of them those that the training rows hold, too
    share : Estimate, share of the evaluation rows (that have a group) whose group the training rows hold
    known, new : Estimate or None, the metric of the rows of shared groups and of the others; None where either are too
        few to be compared
    gap : Estimate or None, known - new; its interval lets the rows of a group move together
    flatters : bool, new groups are served worse, beyond chance (a 98.5 % interval of the gap excludes 0): the metric of
        all rows is not that of rows of new groups
    """

    column: str
    metric: str
    n_groups: int
    n_shared: int
    share: Estimate
    known: Estimate | None
    new: Estimate | None
    gap: Estimate | None
    flatters: bool

    @property
    def rows(self) -> int:
        """Evaluation rows of shared groups."""
        return round(self.share.value * self.share.n)


def shared_groups(table: EvaluationTable, metric: Metric) -> SharedGroups | None:
    """How many groups the training rows hold, too, and the metric of their rows against that of new groups.

    Rows stand in the order of their groups (by a hash, so that the order means nothing), and intervals come from runs
    of neighbours, which then hold whole groups but for those at their ends.

    Returns
    -------
    SharedGroups, or None where rows or training rows have no groups
    """
    if table.groups is None or table.train is None or table.train.group is None:
        return None
    here = np.flatnonzero(~pd.isna(table.groups))
    own = pd.Series(table.groups[here])
    shared = own.isin(table.train.group).to_numpy()
    n_groups, n_shared = (int(part.nunique()) for part in (own, own[shared]))
    sides = [_in_order(table.groups, here[rows]) for rows in (shared, ~shared)]
    judged = min(n_shared, n_groups - n_shared) >= FEWEST_GROUPS and min(map(len, sides)) >= FEWEST
    known, new = (metric_of(metric, table.outcomes.take(rows)) if judged else None for rows in sides)
    return SharedGroups(
        column=str(table.roles.group),
        metric=metric.name,
        n_groups=n_groups,
        n_shared=n_shared,
        share=Estimate(*wilson(int(shared.sum()), len(here)), n=len(here), unit="share of rows"),
        known=known,
        new=new,
        gap=change_of(new, known),
        flatters=is_worse(metric, known, new, SURE),
    )


def codes_of_groups(groups: NDArray[Any]) -> NDArray[np.intp]:
    """Groups as numbers from 0, in an order that means nothing; -1 for rows of no group."""
    codes = np.full(len(groups), -1, dtype=np.intp)
    known = ~pd.isna(groups)
    codes[known] = np.unique(value_hashes(groups[known]), return_inverse=True)[1]
    return codes


def _in_order(groups: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows group by group, in an order of groups that means nothing."""
    return rows[ordered(value_hashes(groups[rows]))]
