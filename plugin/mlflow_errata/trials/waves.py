"""Waves: how far the share of positives moved by itself while the model learned, and whether scores follow it."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata import recipe
from mlflow_errata.errors import NotTried

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

    Rows = NDArray[np.intp]

SURE = 2.0
"""Standard errors by which the share of positives must have moved before scores follow it."""

FEWEST_WINDOWS = 3
"""Windows of training rows that tell how far the share moves by itself."""
FEWEST_INSIDE = 50
"""Rows of a window whose share is looked at."""


def offset_to(table: EvaluationTable, train: TrainingSet | None, rows: Rows) -> float:
    """Shift of the log-odds from the share of positives in training to that of some evaluation rows.

    0 where the share moved no further than SURE errors, or than it did by itself while the model learned. Rows count by
    their weights; n weighted rows tell a share as sum(weight)^2 / sum(weight^2) equal ones do.

    Raises
    ------
    NotTried
    """
    from mlflow_errata.decision import prior_offset  # noqa: PLC0415 - loads scikit-learn

    said = table.outcomes
    weight = np.ones(len(rows)) if said.weight is None else np.asarray(said.weight[rows], dtype=np.float64)
    before = None if train is None else recipe.positive_share(train)
    now = float(said.y[rows] @ weight / weight.sum()) if weight.sum() > 0 else 0.0
    if train is None or before is None or not 0 < now < 1:
        raise NotTried("needs both classes among the training rows and the newest rows")
    learned = np.ones(len(train.y)) if train.weight is None else np.asarray(train.weight, dtype=np.float64)
    variance = sum(1 / (_n_equal(each) * share * (1 - share)) for each, share in ((learned, before), (weight, now)))
    offset = prior_offset(before, now)
    known = None if table.times is None else range_of_shares(train, table.times[rows])
    is_wave = known is not None and known[0] <= now <= known[1]
    return offset if abs(offset) > SURE * sqrt(variance) and not is_wave else 0.0


def _n_equal(weight: NDArray[Any]) -> float:
    return float(weight.sum() ** 2 / (weight**2).sum())


def range_of_shares(train: TrainingSet, newest: NDArray[np.generic]) -> tuple[float, float] | None:
    """The lowest and the highest share of positives of training windows as long as the newest rows last.

    Parameters
    ----------
    train : TrainingSet of a binary task
    newest : array of shape (n,), times of the newest rows, of the kind of the training times; missing ones do not count

    Returns
    -------
    (low, high), or None where there are no such times or fewer than FEWEST_WINDOWS windows
    """
    if train.time is None or train.time.dtype.kind != newest.dtype.kind:
        return None
    known, newest = ~pd.isna(train.time), newest[~pd.isna(newest)]
    times: NDArray[Any] = train.time[known]
    length: Any = newest.max() - newest.min() if len(newest) else None
    if not len(times) or not length:
        return None
    positive = train.y.to_numpy()[known] == np.unique(train.y.to_numpy())[-1]
    window = np.floor((times.max() - times) / length).astype(np.int64)
    weight = np.ones(len(times)) if train.weight is None else train.weight[known]
    whole, yes = np.bincount(window, weight), np.bincount(window, positive * weight)
    enough = (np.bincount(window) >= FEWEST_INSIDE) & (whole > 0)
    shares = yes[enough] / whole[enough]
    return (float(shares.min()), float(shares.max())) if len(shares) >= FEWEST_WINDOWS else None
