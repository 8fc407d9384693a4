"""Fitting clones of a user's estimator: equal seeds, one thread, weights however it takes them."""

from __future__ import annotations

import warnings
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.training import TrainingSet

WEIGHT = "sample_weight"


def unfitted(estimator: Any, *, seed: int | None = None, one_thread: bool = False) -> Any:
    """A clone with one thread and, for another seed, every `random_state` set; without a seed only those left open.

    Parameters
    ----------
    estimator : anything that `sklearn.base.clone` takes
    seed : int or None
        None keeps the seeds that the estimator has and gives 0 to those that have none, so that trials can be repeated.
    one_thread : bool, True sets every `n_jobs` to 1

    Raises
    ------
    TypeError
        If the estimator cannot be cloned.
    """
    from sklearn.base import clone  # noqa: PLC0415 - slow to import

    copy = clone(estimator)
    if not hasattr(copy, "get_params"):
        return copy
    for name, value in copy.get_params(deep=True).items():
        last = name.rpartition("__")[2]
        if last == "random_state" and (seed is not None or value is None):
            copy.set_params(**{name: seed or 0})
        elif last == "n_jobs" and one_thread:
            copy.set_params(**{name: 1})
    return copy


def is_random(estimator: Any) -> bool:
    """Whether an estimator has a seed to vary."""
    names = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else ()
    return any(name.rpartition("__")[2] == "random_state" for name in names)


def fit(estimator: Any, train: TrainingSet) -> Any:
    """Fit an estimator in place; returns it.

    Weights go to `sample_weight`, of the last step in a pipeline; an estimator that takes none gets rows repeated in
    proportion to their weights.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if train.weight is None:
            return estimator.fit(train.X, train.y)
        argument = _weight_argument(estimator)
        if argument is not None:
            return estimator.fit(train.X, train.y, **{argument: train.weight})
        rows = repeated(train.weight)
        return estimator.fit(train.X.iloc[rows], train.y.iloc[rows])


def repeated(weight: NDArray[np.float64]) -> NDArray[np.intp]:
    """Row positions repeated in proportion to weights, as many in all as there are rows; shape (n,)."""
    bounds = np.floor(np.cumsum(weight) * len(weight) / weight.sum() + 0.5).astype(np.intp)
    return np.repeat(np.arange(len(weight)), np.diff(bounds, prepend=0))


def _weight_argument(estimator: Any) -> str | None:
    steps = getattr(estimator, "steps", None)
    if not steps:
        return WEIGHT if _takes_weights(estimator) else None
    changes_rows = any(hasattr(step, "fit_resample") for _, step in steps)
    name, last = steps[-1]
    return f"{name}__{WEIGHT}" if not changes_rows and _takes_weights(last) else None


def _takes_weights(estimator: Any) -> bool:
    """Whether `fit` names weights (a nested pipeline or a search hands them on only if told so)."""
    found = signature(estimator.fit).parameters.get(WEIGHT)
    return found is not None and found.kind in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
