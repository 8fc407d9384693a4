"""Reframe: put the same question to the model in another form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlflow_errata.diagnoses.framing import NAME as FRAMING
from mlflow_errata.diagnoses.framing import Framing
from mlflow_errata.errors import ColumnMissing
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "reframe"
NOT_FOR = {"multilabel": "needs one label column; several labels are a yes or no each, which is their framing"}
OTHER = "other"
"""The class that rare ones are merged into, where no class has that name."""
PAIRS_NEED_COLUMNS = (
    "not tried: it takes columns that describe the classes, one row a class, which this table does not have"
)

Form = Literal["hierarchy", "ordinal", "number", "classes", "merge", "pairs"]


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Every form that the framing found asks for, or makes possible."""
    found = results.get(FRAMING)
    if not isinstance(found, Framing):
        return ()
    return tuple(
        NextStep(KIND, params, (FRAMING,), Cost(labels=0, rows=0), **why) for params, why in _forms(found, table)
    )


def _forms(found: Framing, table: EvaluationTable) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    forms: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"to": "hierarchy", "by": item.column, "groups": [list(group) for group in item.groups]}, {})
        for item in found.hierarchies
        if item.found
    ]
    if found.order is not None and found.order.found:
        forms.append(({"to": "ordinal", "order": list(found.order.classes)}, {}))
    behind = found.behind
    if behind is not None:
        cut = {"column": behind.column, "cuts": list(behind.cuts), "classes": list(behind.classes)}
        forms.append(({"to": "number", **cut}, {}))
    for item in found.questions:
        cut = {"column": item.column, "cuts": list(item.cuts), "classes": list(item.classes)}
        forms.append(({"to": "classes", **cut, "asked": item.asked}, {}))
    if found.rare is not None and found.rare.found and len(found.rare.classes) > 1:
        rare = [item.label for item in found.rare.classes]
        forms.append(({"to": "merge", "classes": rare, "into": _free_name(table)}, {}))
    if found.arrivals is not None and found.arrivals.growing:
        forms.append(({"to": "pairs"}, {"gain_reason": PAIRS_NEED_COLUMNS}))
    return forms


def _free_name(table: EvaluationTable) -> str | int:
    """A name for merged classes that no class has, of the kind that the classes have."""
    classes = table.outcomes.classes
    if all(isinstance(label, str) for label in classes):
        return OTHER if OTHER not in classes else f"{OTHER} classes"
    return int(min(float(label) for label in classes)) - 1


def apply(
    train: TrainingSet,
    *,
    to: Form,
    column: str | None = None,
    cuts: Sequence[float] = (),
    classes: Sequence[Any] = (),
    into: Any = None,
    **others: Any,  # noqa: ARG001 - the estimator's part
) -> TrainingSet:
    """The training set with the label in another form; "hierarchy" and "ordinal" leave it as it is.

    Parameters
    ----------
    train : TrainingSet
    to : "number": the label is a column of numbers, on the rows in which it is known; "classes": the label, a number,
        is cut into classes; "merge": some classes become one
    column : str, the column of numbers
    cuts : floats, ascending: class i holds the numbers above cut i-1, up to cut i
    classes : labels, from the smallest numbers to the largest; or those to merge
    into : label of the merged class

    Raises
    ------
    ColumnMissing
        If the training rows do not have the column of numbers.
    """
    if to == "number":
        number = _numbers(train, str(column))
        known = np.flatnonzero(number.notna())
        return replace(train.take(known), y=number.iloc[known].astype("float64"))
    if to == "classes":
        return replace(train, y=_cut(train.y, cuts, classes))
    if to == "merge":
        return replace(train, y=train.y.astype(object).where(~train.y.isin(list(classes)), into))
    return train


def _numbers(train: TrainingSet, column: str) -> pd.Series[Any]:
    """The column of numbers, among those that the model sees or beside them."""
    for frame in (train.aside, train.X):
        if frame is not None and column in frame.columns:
            return frame[column]
    raise ColumnMissing("column", column, list(train.X.columns))


def _cut(number: pd.Series[Any], cuts: Sequence[float], classes: Sequence[Any]) -> pd.Series[Any]:
    at: NDArray[np.intp] = np.searchsorted(np.asarray(cuts), number.to_numpy(dtype=np.float64), side="left")
    found: pd.Series[Any] = number.astype(object)
    found[:] = np.array(list(classes), dtype=object)[at]
    return found.infer_objects()


def alter(
    estimator: Any,
    X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
    *,
    to: Form,
    groups: Sequence[Sequence[Any]] = (),
    order: Sequence[Any] = (),
    cuts: Sequence[float] = (),
    classes: Sequence[Any] = (),
    **others: Any,  # noqa: ARG001 - the label's part
) -> Any:
    """The estimator to fit instead; unfitted.

    The regressor beside a classifier (and the reverse) is its twin of the same kind, or gradient boosting where it has
    none. An estimator that is reframed already is taken out of its frame first.
    """
    from mlflow_errata.reframed._shape import Reframed  # noqa: PLC0415 - loads scikit-learn

    inner = estimator.estimator if isinstance(estimator, Reframed) else estimator
    if to == "hierarchy":
        from mlflow_errata.reframed.hierarchical import Hierarchical  # noqa: PLC0415

        return Hierarchical(inner, [list(group) for group in groups])
    if to == "ordinal":
        from mlflow_errata.reframed.ordinal import Ordinal  # noqa: PLC0415

        return Ordinal(inner, list(order))
    if to == "number":
        from mlflow_errata.reframed.by_number import ByNumber  # noqa: PLC0415

        return ByNumber(_twin(inner, X, classes=False), list(cuts), list(classes))
    return _twin(inner, X, classes=True) if to == "classes" else estimator


def _twin(estimator: Any, X: pd.DataFrame, *, classes: bool) -> Any:  # noqa: N803
    from mlflow_errata.reframed.twins import twin  # noqa: PLC0415 - loads scikit-learn
    from mlflow_errata.steps import change_model  # noqa: PLC0415 - beside its use

    found = twin(estimator, classes=classes)
    return change_model.alter(estimator, X, family="gradient_boosting", classes=classes) if found is None else found
