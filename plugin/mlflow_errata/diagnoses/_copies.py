"""Copies: rows that are alike in every column that the model sees, and too much so for a coincidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import row_hashes, without_categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SAMPLED = 2_000
"""Rows from which the chance of a coincidence is told."""
COINCIDENCE = 1e-3
"""Pairs alike by coincidence, at most, for alike rows to be copies."""
TOLD_APART = 1_000
"""Rows from which it is told which columns tell rows apart best."""
STEP = np.uint64(31)


def expected_coincidences(frame: pd.DataFrame, names: Sequence[str], n_pairs: float) -> float:
    """Pairs of rows, of `n_pairs`, that are alike in some columns if these were independent of each other.

    The product over columns of the chance that two rows of a sample are alike, times `n_pairs`.
    """
    sample = frame.head(SAMPLED)
    m = len(sample)
    chance = 1.0
    for name in names:
        try:
            codes = pd.factorize(without_categories(sample[name]), use_na_sentinel=False)[0]
        except TypeError:  # values that cannot be compared (lists, dicts) tell nothing
            continue
        support = np.bincount(codes)
        chance *= float((support * (support - 1)).sum()) / (m * (m - 1))
    return chance * n_pairs


def alike(frame: pd.DataFrame, names: Iterable[str]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Rows that are alike in some columns to another row, ascending, and a key that such rows share.

    Columns are compared one after another, those with the most distinct values first, and only rows that still have a
    twin go on: a single column of measurements ends the search.
    """
    rows, key = np.arange(len(frame)), np.zeros(len(frame), dtype=np.uint64)
    for name in _most_distinct_first(frame, names):
        key = key * STEP + _hashes(frame[name], rows)
        ordered = np.sort(key)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(twice):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.uint64)
        again = pd.Series(key).isin(np.unique(twice)).to_numpy()
        rows, key = rows[again], key[again]
    return rows, key


def n_known(
    frame: pd.DataFrame, label: pd.Series[Any], known: pd.DataFrame, known_label: pd.Series[Any], names: Sequence[str]
) -> int:
    """Rows that stand among the known ones, too: alike in some columns and in the label."""
    here, there = (np.arange(len(side)) for side in (frame, known))
    key, other = (np.zeros(len(side), dtype=np.uint64) for side in (here, there))
    pairs = [(frame[name], known[name]) for name in _most_distinct_first(frame, names)]
    for column, beside in [*pairs, (label, known_label)]:
        key, other = key * STEP + _hashes(column, here), other * STEP + _hashes(beside, there)
        kept, again = (pd.Series(a).isin(b).to_numpy() for a, b in ((key, other), (other, key)))
        here, key, there, other = here[kept], key[kept], there[again], other[again]
        if not len(here):
            return 0
    return len(here)


def _most_distinct_first(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    names = sorted(names)
    head = frame.head(TOLD_APART)
    return sorted(names, key=lambda name: -head[name].astype(str).nunique())


def _hashes(column: pd.Series[Any], rows: NDArray[np.intp]) -> NDArray[np.uint64]:
    some = column if len(rows) == len(column) else column.iloc[rows]
    return row_hashes(some.to_frame("value"), {})


def n_contradicted(key: NDArray[np.uint64], y: NDArray[np.intp]) -> int:
    """Rows that have a copy with another label: the same key."""
    order = np.argsort(key)
    ordered, labels = key[order], y[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    mixed = np.minimum.reduceat(labels, starts) != np.maximum.reduceat(labels, starts)
    return int(np.diff(np.r_[starts, len(y)])[mixed].sum())
