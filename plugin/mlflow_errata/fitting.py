"""Fitting clones of a user's estimator: equal seeds, one thread, weights however it takes them."""

from __future__ import annotations

import copy
import warnings
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.training import TrainingSet

WEIGHT = "sample_weight"
SEEDS = frozenset({"random_state", "random_seed"})


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
    blank = _cloned(estimator)
    if not hasattr(blank, "get_params"):
        return blank
    for name, value in blank.get_params(deep=True).items():
        last = name.rpartition("__")[2]
        if last in SEEDS and (seed is not None or value is None):
            blank.set_params(**{name: seed or 0})
        elif last == "n_jobs" and one_thread:
            blank.set_params(**{name: 1})
    for part in _parts(blank):
        if type(part).__module__.partition(".")[0] == "catboost":
            _still(part, seed=seed, one_thread=one_thread)
    return blank


def _cloned(estimator: Any) -> Any:
    """A clone; a new object of the class where `clone` misses a parameter in it as it was given (CatBoost's lists)."""
    from sklearn.base import clone  # noqa: PLC0415 - slow to import

    try:
        return clone(estimator)
    except RuntimeError:
        return _new(estimator)


def _new(value: Any) -> Any:
    """An estimator of the same class with copies of its parameters, at any depth; a copy of anything else."""
    if isinstance(value, list | tuple):
        return type(value)([_new(item) for item in value])
    if not hasattr(value, "get_params") or isinstance(value, type):
        return copy.deepcopy(value)
    return type(value)(**{name: _new(part) for name, part in value.get_params(deep=False).items()})


def _parts(estimator: Any) -> list[Any]:
    """An estimator and everything nested in it that has parameters."""
    nested = estimator.get_params(deep=True).values()
    return [estimator, *(value for value in nested if hasattr(value, "set_params"))]


def _still(model: Any, *, seed: int | None, one_thread: bool) -> None:
    """CatBoost names only the parameters that were given; left alone it prints, writes files and takes every core."""
    given = model.get_params()
    quiet = {"verbose", "verbose_eval", "silent", "logging_level"}
    if not quiet & set(given):
        model.set_params(verbose=False)
    model.set_params(allow_writing_files=False)
    if one_thread:
        model.set_params(thread_count=1)
    if seed is not None and not {"random_seed", "random_state"} & set(given):
        model.set_params(random_seed=seed)


def is_random(estimator: Any) -> bool:
    """Whether an estimator has a seed to vary."""
    if not hasattr(estimator, "get_params"):
        return False
    named = any(name.rpartition("__")[2] in SEEDS for name in estimator.get_params(deep=True))
    return named or any(type(part).__module__.partition(".")[0] == "catboost" for part in _parts(estimator))


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
