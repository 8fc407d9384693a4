"""The training set: what steps change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainingSet:
    """Rows to fit on.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
    y : Series of shape (n_rows,), labels in the user's own values
    weight : array of shape (n_rows,), or None for equal weights
    time : array of shape (n_rows,), or None
    id : array of shape (n_rows,), or None
    """

    X: pd.DataFrame
    y: pd.Series[Any]
    weight: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    id: NDArray[Any] | None = None

    def take(self, rows: NDArray[Any]) -> TrainingSet:
        """Some rows, by position; positions may repeat."""
        return TrainingSet(
            self.X.iloc[rows],
            self.y.iloc[rows],
            None if self.weight is None else self.weight[rows],
            None if self.time is None else self.time[rows],
            None if self.id is None else self.id[rows],
        )
