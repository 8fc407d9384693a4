"""The worklist of labels: ranked rows in memory, the first of them and a draw for an audit in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label

ELSEWHERE = -1
"""Stratum of the rows outside all suspect slices."""
MOST_STORED = 500
"""Rows of the ranking that a record stores, from the first on."""
MOST_DRAWN = 200
"""Flagged rows that a record stores beside them, so that an audit can draw from all flags and not the first alone."""
WORTH_IT = 0.05
"""Share of true errors among the flags of a stratum from which they are worth checking."""
COLUMNS = ("id", "given", "suggested", "score")


@dataclass(frozen=True)
class Worklist:
    """Rows of a ranking, as parallel tuples in the order of their rank.

    Parameters
    ----------
    rank : int, 0 for the most suspicious row
    id : str, int, float or bool
    given, suggested : labels, or numbers
    score : float in [0, 1]
    stratum : int, position of the suspect slice that holds the row, -1 elsewhere
    drawn : bool, True for rows that an audit draws from: every flagged row, or evenly spread ones of many
    flagged : tuple of int, flagged rows of every stratum: elsewhere, then of each suspect slice
    """

    rank: tuple[int, ...]
    id: tuple[Label, ...]
    given: tuple[Label, ...]
    suggested: tuple[Label, ...]
    score: tuple[float, ...]
    stratum: tuple[int, ...]
    drawn: tuple[bool, ...]
    flagged: tuple[int, ...]

    def frame(self) -> pd.DataFrame:
        """The rows as a table: id, given, suggested, score."""
        return pd.DataFrame({name: list(getattr(self, name)) for name in COLUMNS})

    def to_check(self, n: int) -> NDArray[np.intp]:
        """Positions of n rows to audit (fewer if fewer are flagged), most suspicious first.

        Every stratum gets an equal share, what it cannot fill goes to the others; within a stratum rows are spread
        evenly over the ranks, so the same record always draws the same rows and the first are as good as the last.
        """
        stratum = np.array(self.stratum, dtype=np.intp)
        pools = [np.flatnonzero((stratum == at) & np.array(self.drawn)) for at in np.unique(stratum)]
        pools.sort(key=len)
        chosen: list[NDArray[np.intp]] = []
        for at, pool in enumerate(pools):
            left = n - sum(len(rows) for rows in chosen)
            chosen.append(pool[spread(len(pool), left // (len(pools) - at))])
        return np.sort(np.concatenate([np.empty(0, dtype=np.intp), *chosen]))


@dataclass(frozen=True)
class StratumAudit:
    """What a person found among the flagged rows of one stratum.

    Parameters
    ----------
    stratum : int, position of the suspect slice, -1 elsewhere
    n_flagged, n_checked, n_wrong : int; unsure answers are not counted as checked
    precision : Estimate, share of true errors among the flagged rows of the stratum
    """

    stratum: int
    n_flagged: int
    n_checked: int
    n_wrong: int
    precision: Estimate

    @property
    def is_worth_it(self) -> bool:
        """Two errors or more were seen, and at least WORTH_IT of the flags are errors, beyond chance."""
        return self.n_wrong > 1 and self.precision.low > WORTH_IT


@dataclass(frozen=True)
class Audit:
    """What a person found among the flagged rows.

    Parameters
    ----------
    decisions : tuple of (id, label or None): labels that were wrong and what they should be; None drops the row
    n_checked, n_wrong, n_unsure : int
    precision : Estimate, share of true errors among all flagged rows (the strata weighted by their flags)
    strata : tuple of StratumAudit, those with a row checked
    label_errors : Estimate or None, share of the rows counted wrong whose label is at fault, not the model
    correction : Estimate or None, what right labels of all flagged rows would add to the accuracy as measured
    """

    decisions: tuple[tuple[Label, Label | None], ...]
    n_checked: int
    n_wrong: int
    n_unsure: int
    precision: Estimate
    strata: tuple[StratumAudit, ...]
    label_errors: Estimate | None = None
    correction: Estimate | None = None


@dataclass(frozen=True)
class Ranked:
    """All rows with what is thought of their labels.

    Parameters
    ----------
    order : int array of shape (n,), positions, most suspicious first
    given, suggested, score, flagged, stratum : arrays of shape (n,), by position
    """

    order: NDArray[np.intp]
    given: NDArray[Any]
    suggested: NDArray[Any]
    score: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    stratum: NDArray[np.intp]

    def frame(self, ids: NDArray[Any]) -> pd.DataFrame:
        """Every row, most suspicious first: id, given, suggested, score."""
        by = self.order
        return pd.DataFrame(
            {"id": ids[by], "given": self.given[by], "suggested": self.suggested[by], "score": self.score[by]}
        )

    def worklist(self, ids: NDArray[Any]) -> Worklist:
        """The first rows, and flagged ones spread evenly over the ranks of every stratum."""
        flagged = self.flagged[self.order]
        stratum = self.stratum[self.order]
        at = np.unique(stratum[flagged])
        pools = [np.flatnonzero(flagged & (stratum == one)) for one in at]
        draws = [pool[spread(len(pool), MOST_DRAWN // len(pools))] for pool in pools]
        drawn = np.zeros(len(flagged), dtype=bool)
        drawn[np.concatenate([np.empty(0, dtype=np.intp), *draws])] = True
        stored = np.flatnonzero(drawn | (np.arange(len(flagged)) < MOST_STORED))
        rows = self.order[stored]
        return Worklist(
            rank=tuple(stored.tolist()),
            id=plain(ids[rows]),
            given=plain(self.given[rows]),
            suggested=plain(self.suggested[rows]),
            score=tuple(self.score[rows].tolist()),
            stratum=tuple(self.stratum[rows].tolist()),
            drawn=tuple(drawn[stored].tolist()),
            flagged=tuple(
                int((flagged & (stratum == one)).sum()) for one in range(ELSEWHERE, int(self.stratum.max()) + 1)
            ),
        )


def spread(n: int, most: int) -> NDArray[np.intp]:
    """At most `most` of n positions, evenly spread."""
    taken = min(n, max(most, 0))
    return (np.arange(taken) * n + n // 2) // max(taken, 1) if taken < n else np.arange(n)


def plain(values: NDArray[Any]) -> tuple[Label, ...]:
    """Values as a record holds them: text, numbers and booleans; anything else as text."""
    return tuple(value if isinstance(value, str | int | float | bool) else str(value) for value in values.tolist())
