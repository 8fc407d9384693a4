"""A model of errata's own, fitted on some rows of a table to look at others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import without_categories
from mlflow_errata.diagnoses._encoding import Numbers, read_column

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlflow_errata.table import EvaluationTable

ITERATIONS = 60
MOST_LEVELS = 200
"""Levels of a column that are told apart; the rare rest counts as one."""

Scorer = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""Positions of rows (m,) to probabilities (m, n_classes)."""


class Learner:
    """Gradient boosting on the features of a table, on one thread.

    Parameters
    ----------
    table : EvaluationTable with classes
    random_state : int
    """

    def __init__(self, table: EvaluationTable, random_state: int) -> None:
        read = {name: _numbers(table.frame[name]) for name in table.features}
        known = {name: column for name, column in read.items() if not np.isnan(column[0]).all()}
        self.names = list(known)
        self._x = np.column_stack([values for values, _ in known.values()]) if known else np.empty((len(table), 0))
        self._levels = np.array([levels for _, levels in known.values()], dtype=bool)
        self._y, self._n_classes = table.outcomes.y, len(table.outcomes.classes)
        self._random_state = random_state

    def fit(self, rows: NDArray[np.intp], *, without: Collection[str]) -> Scorer:
        """Fit on some rows.

        Parameters
        ----------
        rows : int array, positions; at least two classes among them
        without : columns that the model may not use

        Returns
        -------
        callable from positions (shape (m,)) to probabilities (shape (m, n_classes)) in the order of the classes
        """
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - slow to import
        from threadpoolctl import threadpool_limits  # noqa: PLC0415

        used = np.array([name not in without for name in self.names], dtype=bool)
        learner = HistGradientBoostingClassifier(
            max_iter=ITERATIONS,
            categorical_features=self._levels[used],
            early_stopping=False,
            random_state=self._random_state,
        )
        with threadpool_limits(limits=1):
            learner.fit(self._x[np.ix_(rows, used)], self._y[rows])

        def scores(asked: NDArray[np.intp]) -> NDArray[np.float64]:
            found = np.zeros((len(asked), self._n_classes))
            if len(asked):
                with threadpool_limits(limits=1):
                    found[:, learner.classes_] = learner.predict_proba(self._x[np.ix_(asked, used)])
            return found

        return scores


def _numbers(values: pd.Series) -> tuple[NDArray[np.float32], bool]:
    """A column as floats (NaN where missing), and whether they are codes of levels; dates in days."""
    values = without_categories(values)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        stamps = pd.to_datetime(values, utc=True)
        return ((stamps - stamps.min()) / pd.Timedelta(days=1)).to_numpy(dtype=np.float32), False
    column = read_column(values)
    if column is None:
        return np.full(len(values), np.nan, dtype=np.float32), False
    if isinstance(column, Numbers):
        with np.errstate(over="ignore"):
            found = column.numbers.astype(np.float32)
        return np.where(np.isfinite(found), found, np.float32(np.nan)), False
    codes = np.minimum(column.codes, MOST_LEVELS).astype(np.float32)
    return np.where(codes < 0, np.float32(np.nan), codes), True
