"""Copies: rows that are alike in every column that the model sees, and too much so for a coincidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import GOLDEN, row_hashes, without_categories

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLED = 2_000
"""Rows from which the chance of a coincidence is told."""
COINCIDENCE = 1e-3
"""Pairs alike by coincidence, at most, for alike rows to be copies."""


def expected_coincidences(frame: pd.DataFrame, n_pairs: float) -> float:
    """Pairs of rows, of `n_pairs`, that are alike in all columns if the columns were independent of each other.

    The product over columns of the chance that two rows of a sample are alike, times `n_pairs`.
    """
    sample = frame.head(SAMPLED)
    m = len(sample)
    chance = 1.0
    for name in sample.columns:
        try:
            codes = pd.factorize(without_categories(sample[name]), use_na_sentinel=False)[0]
        except TypeError:  # values that cannot be compared (lists, dicts) tell nothing
            continue
        support = np.bincount(codes)
        chance *= float((support * (support - 1)).sum()) / (m * (m - 1))
    return chance * n_pairs


def hashes(frame: pd.DataFrame, label: pd.Series[Any]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Hashes of rows without and with the label; each of shape (n_rows,)."""
    plain = row_hashes(frame, {})
    return plain, (plain ^ row_hashes(label.to_frame("label"), {})) * GOLDEN


def contradicted(alike: NDArray[np.uint64], y: NDArray[np.intp]) -> int:
    """Rows that have a copy with another label."""
    order = np.argsort(alike)
    ordered, labels = alike[order], y[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    mixed = np.minimum.reduceat(labels, starts) != np.maximum.reduceat(labels, starts)
    return int(np.diff(np.r_[starts, len(y)])[mixed].sum())
