"""The training set: what steps change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.errors import TimesDiffer


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
    group : array of shape (n_rows,), what each row belongs to, or None
    aside : DataFrame of shape (n_rows, n), or None: numbers that the model does not see, for a step that predicts one
    """

    X: pd.DataFrame
    y: pd.Series[Any]
    weight: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    id: NDArray[Any] | None = None
    aside: pd.DataFrame | None = None
    group: NDArray[Any] | None = None

    def take(self, rows: NDArray[Any]) -> TrainingSet:
        """Some rows, by position; positions may repeat."""
        return TrainingSet(
            self.X.iloc[rows],
            self.y.iloc[rows],
            None if self.weight is None else self.weight[rows],
            None if self.time is None else self.time[rows],
            None if self.id is None else self.id[rows],
            None if self.aside is None else self.aside.iloc[rows],
            None if self.group is None else self.group[rows],
        )

    def followed_by(self, newer: TrainingSet) -> TrainingSet:
        """These rows and newer ones below them; weights, times, ids and groups are kept where both have them.

        Rows of a set without times come without a time; of a set without weights they weigh 1.

        Raises
        ------
        TimesDiffer
        """
        first, second = _alike(self.X, newer.X)
        weight = None
        if self.weight is not None or newer.weight is not None:
            weight = np.concatenate(
                [np.ones(len(part.y)) if part.weight is None else part.weight for part in (self, newer)]
            )
        return TrainingSet(
            pd.concat([first, second], ignore_index=True),
            pd.concat([self.y, newer.y], ignore_index=True),
            weight,
            _with_gaps(self.time, newer.time, len(self.y), len(newer.y)),
            np.concatenate([self.id, newer.id]) if self.id is not None and newer.id is not None else None,
            _shared(self.aside, newer.aside),
            np.concatenate([self.group, newer.group]) if self.group is not None and newer.group is not None else None,
        )


def _alike(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames with the columns of the first, categorical ones with the categories of both."""
    second = second[[name for name in first.columns if name in second.columns]]
    for name in second.columns:
        old, new = first[name], second[name]
        if isinstance(old.dtype, pd.CategoricalDtype) and old.dtype != new.dtype:
            more = new.cat.categories if isinstance(new.dtype, pd.CategoricalDtype) else pd.Index(new.dropna().unique())
            kind = pd.CategoricalDtype(old.cat.categories.union(more, sort=False), ordered=old.cat.ordered)
            first, second = first.assign(**{name: old.astype(kind)}), second.assign(**{name: new.astype(kind)})
    return first, second


def _shared(first: pd.DataFrame | None, second: pd.DataFrame | None) -> pd.DataFrame | None:
    """Columns that both have, one below the other."""
    if first is None or second is None:
        return None
    both = [name for name in first.columns if name in second.columns]
    return pd.concat([first[both], second[both]], ignore_index=True)


def _with_gaps(first: NDArray[Any] | None, second: NDArray[Any] | None, n: int, m: int) -> NDArray[Any] | None:
    """Times of both; missing ones for the set that has none."""
    if first is None and second is None:
        return None
    if first is not None and second is not None and first.dtype.kind != second.dtype.kind:
        raise TimesDiffer("the newer rows", dates=second.dtype.kind == "M")
    known: Any = first if first is not None else second
    missing = np.array("NaT", known.dtype) if known.dtype.kind == "M" else np.nan
    return np.concatenate(
        [
            np.full(n, missing, known.dtype) if first is None else first,
            np.full(m, missing, known.dtype) if second is None else second,
        ]
    )
