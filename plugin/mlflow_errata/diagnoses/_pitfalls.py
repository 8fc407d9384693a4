"""Where flagged labels are likely right: strata in which flags pile up; and rows that nothing can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from mlflow_errata.columns import row_hashes
from mlflow_errata.diagnoses._copies import alike
from mlflow_errata.diagnoses._worklist import plain
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import difference, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable

RECENT = 0.25
"""Share of the rows, newest first, that counts as recent."""
RARE = 0.5
"""A class is rare with at most this share of the rows of the commonest class."""
FEWEST = 20
PILED = 1.5
"""Factor on the share of flags elsewhere from which flags pile up."""
MOST_CONFLICTS = 20


@dataclass(frozen=True)
class Stratum:
    """A part of the rows in which flags pile up, beyond chance.

    Parameters
    ----------
    kind : "class" (a rare one) or "recent" (the newest quarter)
    name : label of the class, or the time from which rows count as recent, as text
    support : int, rows
    flagged, elsewhere : Estimate, share of rows flagged inside and outside
    """

    kind: Literal["class", "recent"]
    name: str
    support: int
    flagged: Estimate
    elsewhere: Estimate


@dataclass(frozen=True)
class Conflict:
    """Rows that agree in every column and not in the label.

    Parameters
    ----------
    ids, labels : tuples, one entry a row, at most six
    """

    ids: tuple[Label, ...]
    labels: tuple[Label, ...]


def strata(table: EvaluationTable, flagged: NDArray[np.bool_]) -> tuple[Stratum, ...]:
    """Rare classes and recent rows in which flags pile up, most first.

    Parameters
    ----------
    table : EvaluationTable
    flagged : bool array of shape (n_rows,)
    """
    outcomes = table.outcomes
    support = np.bincount(outcomes.y, minlength=len(outcomes.classes)) if outcomes.classes else np.empty(0)
    parts: list[tuple[Literal["class", "recent"], str, NDArray[np.bool_]]] = [
        ("class", str(outcomes.classes[code]), outcomes.y == code)
        for code in np.flatnonzero((support > 0) & (support <= RARE * support.max(initial=0)))
    ]
    if table.times is not None:
        known = ~pd.isna(table.times)
        since = np.sort(table.times[known])[int((1 - RECENT) * known.sum())]
        parts.append(("recent", str(since), known & (table.times >= since)))
    found = [_piled(kind, name, inside, flagged) for kind, name, inside in parts]
    return tuple(sorted((item for item in found if item is not None), key=lambda item: -item.flagged.value))


def _piled(
    kind: Literal["class", "recent"], name: str, inside: NDArray[np.bool_], flagged: NDArray[np.bool_]
) -> Stratum | None:
    n, m = int(inside.sum()), int((~inside).sum())
    if min(n, m) < FEWEST:
        return None
    here, there = wilson(float(flagged[inside].sum()), n), wilson(float(flagged[~inside].sum()), m)
    if here[0] < PILED * there[0] or difference(there, here)[1] <= 0:
        return None
    unit = "share of rows"
    return Stratum(kind, name, n, Estimate(*here, n=n, unit=unit), Estimate(*there, n=m, unit=unit))


def conflicts(table: EvaluationTable) -> tuple[tuple[Conflict, ...], int]:
    """Rows that agree in every feature and slice column and differ in the label: some, and how many rows there are."""
    names = sorted({*table.features, *table.slice_columns})
    if not names:
        return (), 0
    rows, key = alike(table.frame, names)
    y = table.outcomes.y[rows]
    group = pd.Series(y).groupby(key)
    rows = rows[(group.transform("min") != group.transform("max")).to_numpy()] if len(rows) else rows
    return _examples(table, rows), len(rows)


def _examples(table: EvaluationTable, rows: NDArray[np.intp]) -> tuple[Conflict, ...]:
    """The first groups of twins; rows stand in the order of their content, so twins are neighbours no longer."""
    found: dict[int, list[int]] = {}
    names = sorted({*table.features, *table.slice_columns})
    for row, key in zip(rows, row_hashes(table.frame[names].iloc[rows], {}) if len(rows) else (), strict=True):
        found.setdefault(int(key), []).append(int(row))
    shown = [np.array(group[:6]) for group in list(found.values())[:MOST_CONFLICTS]]
    return tuple(
        Conflict(plain(table.ids[group]), plain(table.outcomes.named(table.outcomes.y[group]))) for group in shown
    )
