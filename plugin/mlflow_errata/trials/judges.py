"""Who judges: which evaluation rows choose, and which later or other rows state the gain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from mlflow_errata.stats.intervals import N_GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

    Rows = NDArray[np.intp]

FOLDS = 5
BLOCKS = 16
"""Runs of neighbouring rows that the timed evaluation rows are cut into."""
CHOICES = (3, 6, 9, 12)
"""Blocks before which a threshold is chosen anew, where nothing is refitted on newer rows."""
REFITS: dict[int, tuple[int, ...]] = {4: (8, 10, 12, 14), 1: (8,)}
"""Blocks before which a model is refitted on everything up to then, by the number of refits."""
FEWEST_A_BLOCK = 16
FEWEST_RARE = 50
"""Rows of the rarer class below which no threshold is chosen."""
MOST_ROWS = 50_000
"""Evaluation rows that trials are judged on."""


@dataclass(frozen=True)
class Split:
    """Rows that choose and rows that judge; positions in the evaluation table."""

    choose: Rows
    judge: Rows


@dataclass(frozen=True)
class Judge:
    """How the evaluation rows are split.

    Parameters
    ----------
    kind : "forward", later rows judge what earlier ones chose; "folds", every fold judges what the others chose
    splits : tuple of Split; the judging rows of all are disjoint
    groups : int array of shape (n_judging,), the period (forward) or random group (folds) of every judging row, in the
        order of `rows`
    """

    kind: Literal["forward", "folds"]
    splits: tuple[Split, ...]
    groups: Rows = field(repr=False)

    @property
    def rows(self) -> Rows:
        """All judging rows, split by split."""
        return np.concatenate([split.judge for split in self.splits])

    @property
    def n_groups(self) -> int:
        """Periods, or random groups."""
        return int(self.groups.max()) + 1

    @property
    def known(self) -> Rows:
        """All rows that choose or judge, oldest first under "forward"."""
        found = np.concatenate([self.splits[0].choose, self.rows])
        return np.unique(found) if self.kind == "folds" else found


@dataclass(frozen=True)
class Judges:
    """Who judges what.

    Parameters
    ----------
    decisions : Judge of what is not fitted on newer rows: thresholds, offsets, other models
    refits : Judge of what is refitted on newer rows: the newer half of the rows; the same Judge under "folds"
    """

    decisions: Judge
    refits: Judge


def judges_of(table: EvaluationTable, n_refits: int) -> Judges | None:
    """The judges of a table: forward in time where there is a time, else by folds; None with too few rows.

    Forward: the timed rows, oldest first, in BLOCKS runs of equally many (rows of one moment stay together). Before
    each origin a step may look at everything; the blocks up to the next origin judge it. No threshold is chosen before
    there are FEWEST_RARE rows of both classes. Folds: the rows' order is a
    content hash, so positions are a fair draw.
    """
    if table.times is not None:
        timed = np.flatnonzero(~pd.isna(table.times))[:MOST_ROWS]
        rows = timed[np.argsort(table.times[timed], kind="stable")]
        bounds = _bounds(table.times[rows])
        if bounds is not None:
            choices = [start for start in CHOICES if n_rarer(table, rows[: bounds[start]]) >= FEWEST_RARE]
            decisions = _forward(rows, bounds, tuple(choices) or CHOICES)
            return Judges(decisions, _forward(rows, bounds, REFITS[n_refits]))
    n = min(len(table), MOST_ROWS)
    if n < FOLDS * FEWEST_A_BLOCK:
        return None
    rows = np.arange(n)
    splits = tuple(Split(rows[rows % FOLDS != fold], rows[rows % FOLDS == fold]) for fold in range(FOLDS))
    folds = Judge("folds", splits, np.concatenate([(split.judge // FOLDS) % N_GROUPS for split in splits]))
    return Judges(folds, folds)


def n_rarer(table: EvaluationTable, rows: Rows) -> int:
    """Rows of the rarer of two classes; all rows for other tasks."""
    if table.task != "binary":
        return len(rows)
    return int(np.bincount(table.outcomes.y[rows], minlength=2).min())


def _bounds(times: NDArray[np.generic]) -> Rows | None:
    """Where each block starts, and the end; None if a block has too few rows."""
    bounds = (np.arange(BLOCKS + 1) * len(times)) // BLOCKS
    if len(times) < BLOCKS * FEWEST_A_BLOCK:
        return None
    bounds[1:-1] = np.searchsorted(times, times[bounds[1:-1]], side="left")
    return None if (np.diff(bounds) < FEWEST_A_BLOCK // 2).any() else bounds


def _forward(rows: Rows, bounds: Rows, origins: tuple[int, ...]) -> Judge:
    ends = (*origins[1:], BLOCKS)
    splits = tuple(
        Split(rows[: bounds[start]], rows[bounds[start] : bounds[end]])
        for start, end in zip(origins, ends, strict=True)
    )
    groups = np.repeat(np.arange(BLOCKS - origins[0]), np.diff(bounds[origins[0] :]))
    return Judge("forward", splits, groups)
