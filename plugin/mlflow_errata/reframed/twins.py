"""Twins: the classifier of a regressor's kind, and the reverse, with the settings that both know."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

if TYPE_CHECKING:
    from collections.abc import Mapping

PAIRS: Mapping[str, str] = {"LinearRegression": "LogisticRegression", "Ridge": "LogisticRegression"}
BACK: Mapping[str, str] = {"LogisticRegression": "Ridge", "RidgeClassifier": "Ridge", "SVC": "SVR"}
OWN_TO_TASK = frozenset({"loss", "criterion", "objective", "scoring", "class_weight", "eval_metric", "C", "alpha"})
"""Settings that mean something else for the other task."""
OF_ANY_LINE = frozenset({"fit_intercept", "random_state"})
"""Settings that linear models of different kinds share."""


def twin(estimator: Any, *, classes: bool) -> Any:
    """The estimator for the other task, unfitted; None where none is known.

    The last step of a pipeline is replaced, the others stay. A class named ...Classifier has its twin ...Regressor in
    the module that offers it, and takes over the settings that both know.

    Parameters
    ----------
    estimator : unfitted
    classes : bool, True for a classifier, False for a regressor
    """
    if hasattr(estimator, "steps"):
        name, last = estimator.steps[-1]
        other = twin(last, classes=classes)
        return None if other is None else clone(estimator).set_params(**{name: other})
    kind = _kind(type(estimator), classes=classes)
    if kind is None:
        return None
    known = kind().get_params(deep=False)
    given = estimator.get_params(deep=False)
    alike = type(estimator).__name__ not in {*PAIRS, *BACK}
    shared = [name for name in known if name in given and (alike or name in OF_ANY_LINE)]
    return kind(**{name: given[name] for name in shared if name not in OWN_TO_TASK})


def _kind(given: type, *, classes: bool) -> Any:
    name = given.__name__
    wanted = "classifier" if classes else "regressor"
    if name.endswith(wanted.capitalize()):
        return given
    other = name.replace("Regressor", "Classifier") if classes else name.replace("Classifier", "Regressor")
    other = (PAIRS if classes else BACK).get(name, other)
    if other == name:
        return None
    for place in _places(given.__module__):
        if hasattr(place, other):
            return getattr(place, other)
    return None


def _places(module: str) -> list[Any]:
    """The module that defines an estimator, and those that hold it."""
    parts = module.split(".")
    names = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [sys.modules[name] for name in names if name in sys.modules]
