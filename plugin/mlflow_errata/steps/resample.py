"""Resample: let rare classes count as much as common ones, in the decision or in training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlflow_errata.diagnoses.class_imbalance import NAME as CLASS_IMBALANCE
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.steps._synthetic import with_synthetic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "resample"
BALANCING = frozenset({"class_weight", "over", "under", "smote"})
"""Methods that change the rows to fit on; the others move decisions."""

NOT_FOR = {"regression": "needs classes; the label is a number"}

Method = Literal["threshold", "prior", "class_weight", "over", "under", "smote"]


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Balanced class weights where a rare class is recalled worse than the commonest; of several labels thresholds."""
    found = results.get(CLASS_IMBALANCE)
    if found is None or not found.found:
        return ()
    method = "threshold" if table.task == "multilabel" else "class_weight"
    return (NextStep(KIND, {"method": method}, (CLASS_IMBALANCE,), Cost(labels=0, rows=0)),)


def apply(
    train: TrainingSet,
    *,
    method: Method,
    power: float = 1.0,
    columns: Sequence[str] | None = None,
    random_state: int = 0,
    **decision: Any,  # noqa: ARG001 - where decisions fall
) -> TrainingSet:
    """Balance the classes of a training set.

    Parameters
    ----------
    method : "threshold" and "prior" change no row, the decision alone; "class_weight" multiplies weights by
        (n / (n_classes * n_class)) ** power; "over" repeats rows of rare classes, "under" drops rows of common ones
        (imbalanced-learn's random samplers); "smote" adds rows between those of a rare class (SMOTE, or SMOTENC where
        columns hold levels)
    power : float, 1 for classes that weigh the same, 0.5 for weights by the inverse square root of their frequency
    columns : names of the columns that "smote" puts rows between; None for all of X
    decision : where decisions fall: a threshold, thresholds by label, or (label, factor) pairs of several classes, by
        which their probabilities are multiplied before the largest decides

    Raises
    ------
    ValuesRefused
        For "smote" and columns that nothing can be put between.
    """
    if method in {"threshold", "prior"}:
        return train
    if method == "class_weight":
        support = train.y.map(train.y.value_counts()).to_numpy(dtype=np.float64)
        balance = (len(train.y) / (train.y.nunique() * support)) ** power
        balance /= balance.mean()
        return replace(train, weight=balance if train.weight is None else train.weight * balance)
    if method == "smote":
        return with_synthetic(train, columns, random_state=random_state)
    from imblearn.over_sampling import RandomOverSampler  # noqa: PLC0415 - slow to import
    from imblearn.under_sampling import RandomUnderSampler  # noqa: PLC0415

    sampler = (RandomOverSampler if method == "over" else RandomUnderSampler)(random_state=random_state)
    sampler.fit_resample(np.arange(len(train.y)).reshape(-1, 1), train.y.to_numpy())
    return train.take(np.sort(sampler.sample_indices_))
