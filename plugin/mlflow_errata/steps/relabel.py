"""Relabel: check labels by hand and correct those that are wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._outside import comparisons
from mlflow_errata.diagnoses.label_issues import NAME as LABEL_ISSUES
from mlflow_errata.diagnoses.label_issues import LabelIssues
from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
from mlflow_errata.errors import IdsNotFound
from mlflow_errata.predicates import IsMissing
from mlflow_errata.steps._shape import Cost, NextStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "relabel"
NOT_FOR = {"multilabel": "checks one label a row; of several labels, diagnose each by itself"}
AUDIT = 40
"""Rows that a person checks before anything is relabelled: enough to tell real label errors from hard rows."""


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:
    """Audit the labels that are in doubt: those of the worst suspect slice, or of slices with a value missing.

    A value that is missing beside the label often decided the label: a comparison with a missing number is false. So a
    slice where every label is 1 of 0 and 1 is in no doubt: no comparison has written that, somebody has.
    """
    if table.task == "multilabel":
        return ()
    issues, errors = results.get(LABEL_ISSUES), results.get(SLICE_ERRORS)
    slices = errors.slices if isinstance(errors, SliceErrors) else ()
    doubted = {item.conditions: item for item in slices if touches_the_label(item, table) and not _is_set(item, table)}
    steps: list[NextStep] = []
    if isinstance(issues, LabelIssues) and issues.found:
        worst = next(item for item in issues.slices if item.evident)
        same = [conditions for conditions in doubted if set(worst.conditions) <= set(conditions)]
        also = (SLICE_ERRORS,) if same else ()
        doubted = {conditions: item for conditions, item in doubted.items() if conditions not in same}
        steps.append(_audit(worst.conditions, worst.support, (*also, LABEL_ISSUES)))
    return (*steps, *(_audit(item.conditions, item.support, (SLICE_ERRORS,)) for item in doubted.values()))


def touches_the_label(item: Slice, table: EvaluationTable) -> bool:
    """Whether a slice lies where a column that the model does not see is missing."""
    return any(
        isinstance(predicate, IsMissing) and predicate.column not in table.features for predicate in item.predicates
    )


def _is_set(item: Slice, table: EvaluationTable) -> bool:
    """Whether every label of a slice is one that a comparison with a missing value does not come out as."""
    classes = table.outcomes.classes
    return item.only_label is not None and item.only_label not in {classes[at] for at in comparisons(classes)}


def _audit(conditions: tuple[str, ...], support: int, because: tuple[str, ...]) -> NextStep:
    n = min(AUDIT, support)
    return NextStep(KIND, {"slice": list(conditions), "audit": n}, because, Cost(labels=n))


def decided(issues: LabelIssues) -> tuple[NextStep, ...]:
    """What an audit asks for: its corrections, and a look at the flags of strata in which enough were errors."""
    if issues.audit is None or not issues.found:
        return ()
    left = sum(part.n_flagged - part.n_checked for part in issues.audit.strata if part.is_worth_it)
    decisions = [[row, label] for row, label in issues.audit.decisions]
    return (NextStep(KIND, {"decisions": decisions}, (LABEL_ISSUES,), Cost(labels=left)),)


def apply(
    train: TrainingSet,
    *,
    decisions: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (),
    audit: int = 0,  # noqa: ARG001 - what an audit was asked for
    slice: Iterable[str] = (),  # noqa: A002, ARG001 - and where
) -> TrainingSet:
    """Replace the labels of rows by id, and drop the rows whose decision is None; all others stay as they are.

    Parameters
    ----------
    train : TrainingSet; rows without ids are named by the index of y
    decisions : mapping id -> label or None, or pairs of these; empty (nothing was checked yet) changes nothing
    audit, slice : what the step proposed to check; they change nothing

    Warns
    -----
    IdsNotFound
        With the number of decided ids that are not in the training set.
    """
    wanted = dict(decisions)
    if not wanted:
        return train
    ids = pd.Index(train.y.index if train.id is None else train.id)
    rows = ids.get_indexer_for(pd.Index(list(wanted), dtype=object).astype(ids.dtype)) if len(ids) else np.empty(0)
    labels = list(wanted.values())
    missing = [row for row, at in zip(wanted, rows, strict=True) if at < 0]
    if missing:
        warnings.warn(IdsNotFound(missing, len(wanted)), stacklevel=2)
    y = train.y.copy()
    changed = [(int(at), label) for at, label in zip(rows, labels, strict=True) if at >= 0 and label is not None]
    if changed:
        y.iloc[[at for at, _ in changed]] = [label for _, label in changed]
    kept = np.ones(len(y), dtype=bool)
    kept[[int(at) for at, label in zip(rows, labels, strict=True) if at >= 0 and label is None]] = False
    found = replace(train, y=y)
    return found if kept.all() else found.take(np.flatnonzero(kept))
