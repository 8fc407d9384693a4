"""Synthetic rows of rare classes by imbalanced-learn: SMOTE for numbers, SMOTEN for levels, SMOTENC for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.errors import ValuesRefused
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NEIGHBOURS = 5
MOST_LEVELS = 0.5
"""Share of the rows from which levels are free text or names, of which no row has its neighbours'."""
REMEDY = "Use method='over', which repeats rows as they are."


def with_synthetic(train: TrainingSet, columns: Sequence[str] | None, *, random_state: int) -> TrainingSet:
    """The rows and, for every rarer class, new ones between its own until it is as frequent as the commonest.

    New rows have values in the columns named (None: in all of X); others are missing there. They have no time and no
    id, and weigh as much as a row does on average. Levels come from the rows around them.

    Raises
    ------
    ValuesRefused
        For columns that nothing can be put between: missing numbers, dates, free text; and for a class of too few rows.
    """
    names = list(train.X.columns if columns is None else columns)
    kinds = {name: _kind(train.X[name]) for name in names}
    rarest = train.y.value_counts()
    if rarest.min() <= NEIGHBOURS:
        why = f"has {rarest.min()} rows of class {rarest.idxmin()!r}; SMOTE needs {NEIGHBOURS + 1}"
        raise ValuesRefused("label", train.y.name, why, REMEDY)
    levels = {name: pd.factorize(train.X[name]) for name in names if kinds[name] == "levels"}
    grid = np.column_stack([levels[name][0] if name in levels else train.X[name].to_numpy(float) for name in names])
    position = np.unique(train.y.to_numpy(), return_inverse=True)
    found, codes = _sampler(kinds, random_state).fit_resample(grid, position[1])
    new = slice(len(train.y), None)
    rows = {name: _values(found[new, at], train.X[name], levels.get(name)) for at, name in enumerate(names)}
    return _joined(train, pd.DataFrame(rows), position[0][codes[new]])


def _kind(column: pd.Series[Any]) -> str:
    """Whether a column holds "numbers" or "levels"."""
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        if column.dtype.kind in "mM":
            raise ValuesRefused("features", column.name, "holds times, which SMOTE cannot put rows between", REMEDY)
        n = column.nunique()
        if n > MOST_LEVELS * len(column):
            why = f"holds {n} values in {len(column)} rows, as free text does, which SMOTE cannot put rows between"
            raise ValuesRefused("features", column.name, why, REMEDY)
        return "levels"
    missing = int(column.isna().sum())
    if missing:
        raise ValuesRefused(
            "features", column.name, f"is missing in {missing} rows, and SMOTE needs every number", REMEDY
        )
    return "numbers"


def _sampler(kinds: dict[str, str], random_state: int) -> Any:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC  # noqa: PLC0415 - slow to import

    at = [place for place, kind in enumerate(kinds.values()) if kind == "levels"]
    if not at:
        return SMOTE(random_state=random_state, k_neighbors=NEIGHBOURS)
    if len(at) == len(kinds):
        return SMOTEN(random_state=random_state, k_neighbors=NEIGHBOURS)
    return SMOTENC(at, random_state=random_state, k_neighbors=NEIGHBOURS)


def _values(found: NDArray[Any], like: pd.Series[Any], levels: Any) -> pd.Series[Any]:
    """New values of a column in its own dtype."""
    if levels is not None:
        codes, known = np.rint(found).astype(np.intp), pd.Series(levels[1])
        return known.reindex(codes).reset_index(drop=True).astype(like.dtype)
    whole = pd.api.types.is_integer_dtype(like.dtype)
    return pd.Series(np.rint(found) if whole else found).astype(like.dtype)


def _joined(train: TrainingSet, rows: pd.DataFrame, labels: NDArray[Any]) -> TrainingSet:
    n = len(rows)
    whole = pd.concat([train.X, rows], ignore_index=True)
    y = pd.concat([train.y, pd.Series(labels, name=train.y.name).astype(train.y.dtype)], ignore_index=True)
    weight = None if train.weight is None else np.concatenate([train.weight, np.full(n, train.weight.mean())])
    missing = None if train.time is None else np.array(["NaT" if train.time.dtype.kind == "M" else np.nan] * n)
    time = (
        None
        if missing is None or train.time is None
        else np.concatenate([train.time, missing.astype(train.time.dtype)])
    )
    return TrainingSet(whole[train.X.columns], y, weight, time)
