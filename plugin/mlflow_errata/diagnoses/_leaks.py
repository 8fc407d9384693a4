"""Leaks: how much of the label one column gives away by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.diagnoses._encoding import Levels, Numbers, read_column
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.distances import quantile_edges
from mlflow_errata.stats.intervals import wilson
from mlflow_errata.stats.ranks import rank_correlation
from mlflow_errata.stats.testing import at_least

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes

SCREENED = (2_000, 20_000)
"""Rows looked at first: rows stand in no meaningful order, so the first are a fair draw, and most columns end here."""
SCREEN, NEAR_PERFECT, AT_LEAST = 0.9, 0.98, 0.9
"""Skill below which the search for a leak ends, skill that is a leak, and what its interval must not include."""
NEAR_PERFECT_RANKS = 0.999
"""The same for numbers: what is strongly related is no leak yet."""
FEWEST_ERRORS = 20
"""Errors of the constant guess below which skill says nothing."""
MOST_QUANTILES, ROWS_A_QUANTILE, MOST_CLASSES = 64, 10, 20
MOST_CELLS = 5_000_000
UNIT = "skill of the column alone"
SURE, COMMON = 0.95, 0.9
"""Share of one label where a column is missing from which it is given away; share elsewhere that makes it no news."""


def skill_alone(column: pd.Series[Any], outcomes: Outcomes) -> Estimate | None:
    """How well one column predicts the label, if it does so near-perfectly; None otherwise.

    Classes: 1 - errors / errors of always guessing the commonest class, where a row's guess is the commonest class
    among the other half's rows in its cell (a level, a bin between quantiles of the classes, or missing). Numbers: the
    squared rank correlation. A leak has a skill of at least 0.98 (numbers: 0.999) with an interval above 0.9.
    """
    n = len(column)
    for size in [*(size for size in SCREENED if size < n), n]:
        read = read_column(column.iloc[:size])
        if read is None:
            return None
        regression = outcomes.task == "regression"
        y = outcomes.y[:size]
        skill = _rank_skill(read, y) if regression else _class_skill(read, y, len(outcomes.classes))
        if skill is not None and skill.value < SCREEN:
            return None
    wanted = NEAR_PERFECT_RANKS if regression else NEAR_PERFECT
    return skill if skill is not None and skill.value >= wanted and skill.low >= AT_LEAST else None


def _class_skill(column: Numbers | Levels, y: NDArray[np.intp], k: int) -> Estimate | None:
    """None where the constant guess makes too few errors to compare with."""
    n, support = len(y), np.bincount(y, minlength=k)
    base = n - int(support.max())
    if base < FEWEST_ERRORS:
        return None
    cells = _cells(column, y, support)
    n_cells = int(cells.max()) + 1
    if n_cells * k > MOST_CELLS:
        return None
    half = np.arange(n) % 2 == 0
    wrong = 0
    for learned, judged in ((half, ~half), (~half, half)):
        counts = np.bincount(cells[learned] * k + y[learned], minlength=n_cells * k).reshape(n_cells, k)
        guess = np.where(counts.any(axis=1), counts.argmax(axis=1), support.argmax())
        wrong += int((guess[cells[judged]] != y[judged]).sum())
    rate, low, high = wilson(wrong, n)
    return Estimate(1 - rate * n / base, 1 - high * n / base, 1 - low * n / base, n=n, unit=UNIT)


def _cells(column: Numbers | Levels, y: NDArray[np.intp], support: NDArray[np.intp]) -> NDArray[np.intp]:
    """Cell of each row: 0 where missing; numbers are cut at quantiles of each class, so that none hides in a bin."""
    if isinstance(column, Levels):
        return column.codes + 1
    known = np.isfinite(column.numbers)
    edges = [np.empty(0)]
    for label in np.argsort(-support, kind="stable")[:MOST_CLASSES]:
        values = column.numbers[known & (y == label)]
        edges.append(quantile_edges(values, int(np.clip(len(values) // ROWS_A_QUANTILE, 1, MOST_QUANTILES))))
        edges.append(values.min(keepdims=True) if len(values) else np.empty(0))
    return np.where(known, np.searchsorted(np.unique(np.concatenate(edges)), column.numbers, side="right") + 1, 0)


def _rank_skill(column: Numbers | Levels, y: NDArray[np.float64]) -> Estimate | None:
    if isinstance(column, Levels):
        return None
    known = np.isfinite(column.numbers)
    n = int(known.sum())
    if n <= len(y) / 2 or n <= FEWEST_ERRORS:
        return None
    found = rank_correlation(column.numbers[known], y[known])
    if found is None:
        return None
    value, *ends = found
    low, high = sorted(end**2 for end in ends)
    return Estimate(value**2, min(low, value**2), max(high, value**2), n=n, unit=UNIT)


def given_away(missing: NDArray[np.bool_], y: NDArray[Any], chance: float) -> tuple[Any, Estimate] | None:
    """The label that a missing value gives away, with its share where the column is missing; None if it does not.

    Parameters
    ----------
    missing : bool array of shape (n,)
    y : array of shape (n,), class positions or numbers
    chance : float, of as large a share where missing rows are like the others, that is accepted
    """
    n = int(missing.sum())
    if n == 0 or n == len(y):
        return None
    labels, support = np.unique(y[missing], return_counts=True)
    top = int(support.argmax())
    elsewhere = float((y[~missing] == labels[top]).mean())
    share = Estimate(*wilson(int(support[top]), n), n=n, unit="share of rows")
    if share.low < SURE or elsewhere > COMMON or at_least(int(support[top]), n, elsewhere) > chance:
        return None
    return labels[top].item(), share
