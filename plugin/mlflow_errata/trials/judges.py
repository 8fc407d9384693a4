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
ORIGINS: dict[int, tuple[int, ...]] = {3: (8, 11, 14), 1: (8,)}
"""Blocks before which a model is fitted and a threshold is chosen, by the number of refits."""
FEWEST_A_BLOCK = 16
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
        return np.unique(np.concatenate([self.splits[0].choose, self.rows])) if self.kind == "folds" else self._in_time

    @property
    def _in_time(self) -> Rows:
        return np.concatenate([self.splits[0].choose, *(split.judge for split in self.splits)])


def judge_of(table: EvaluationTable, n_origins: int) -> Judge | None:
    """The judge of a table: forward in time where there is a time, else by folds; None with too few rows.

    Forward: the timed rows, oldest first, in BLOCKS runs of equally many (rows of one moment stay together). Before
    each origin a step may look at everything; the blocks up to the next origin judge it. Folds: the rows' order is a
    content hash, so positions are a fair draw.
    """
    if table.times is not None:
        timed = np.flatnonzero(~pd.isna(table.times))[:MOST_ROWS]
        if len(timed) >= BLOCKS * FEWEST_A_BLOCK:
            rows = timed[np.argsort(table.times[timed], kind="stable")]
            found = _forward(rows, table.times[rows], n_origins)
            if found is not None:
                return found
    n = min(len(table), MOST_ROWS)
    if n < FOLDS * FEWEST_A_BLOCK:
        return None
    rows = np.arange(n)
    splits = tuple(Split(rows[rows % FOLDS != fold], rows[rows % FOLDS == fold]) for fold in range(FOLDS))
    return Judge("folds", splits, np.concatenate([(split.judge // FOLDS) % N_GROUPS for split in splits]))


def _forward(rows: Rows, times: NDArray[np.generic], n_origins: int) -> Judge | None:
    bounds = (np.arange(BLOCKS + 1) * len(rows)) // BLOCKS
    bounds[1:-1] = np.searchsorted(times, times[bounds[1:-1]], side="left")
    if (np.diff(bounds) < FEWEST_A_BLOCK // 2).any():
        return None
    origins = ORIGINS[n_origins]
    ends = (*origins[1:], BLOCKS)
    splits = tuple(
        Split(rows[: bounds[start]], rows[bounds[start] : bounds[end]])
        for start, end in zip(origins, ends, strict=True)
    )
    groups = np.repeat(np.arange(BLOCKS - origins[0]), np.diff(bounds[origins[0] :]))
    return Judge("forward", splits, groups)
