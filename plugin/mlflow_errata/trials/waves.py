"""Waves: how far the share of positives moved by itself while the model learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.training import TrainingSet

FEWEST_WINDOWS = 3
"""Windows of training rows that tell how far the share moves by itself."""
FEWEST_INSIDE = 50
"""Rows of a window whose share is looked at."""


def range_of_shares(train: TrainingSet, newest: NDArray[np.generic]) -> tuple[float, float] | None:
    """The lowest and the highest share of positives of training windows as long as the newest rows last.

    Parameters
    ----------
    train : TrainingSet of a binary task
    newest : array of shape (n,), times of the newest rows, of the kind of the training times

    Returns
    -------
    (low, high), or None where there are no such times or fewer than FEWEST_WINDOWS windows
    """
    if train.time is None or train.time.dtype.kind != newest.dtype.kind:
        return None
    known = ~pd.isna(train.time)
    times, length = train.time[known], newest.max() - newest.min()
    if not len(times) or not length:
        return None
    positive = train.y.to_numpy()[known] == np.unique(train.y.to_numpy())[-1]
    window = np.floor((times.max() - times) / length).astype(np.int64)
    rows, yes = np.bincount(window), np.bincount(window, positive)
    shares = yes[rows >= FEWEST_INSIDE] / rows[rows >= FEWEST_INSIDE]
    return (float(shares.min()), float(shares.max())) if len(shares) >= FEWEST_WINDOWS else None
