"""Classes over time: which of many became more or less frequent, in the labels and in what the model says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._changes import change_of, surer
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import contiguous_groups, jackknife_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes

UNIT = "share of rows"
MANY = 3
"""Classes from which shares are followed one by one; of two, the label rate of each window says it."""


@dataclass(frozen=True)
class ClassDrift:
    """One class of many, before and since the cut.

    Parameters
    ----------
    label : Label
    before, now : Estimate, its share of the labels; intervals allow for neighbouring rows that move together
    change : Estimate, now - before
    moved : bool, the change lies beyond chance over all classes
    said_before, said_now : float, its share of the predictions
    """

    label: Label
    before: Estimate
    now: Estimate
    change: Estimate
    moved: bool
    said_before: float
    said_now: float


def class_drifts(older: Outcomes, newer: Outcomes) -> tuple[ClassDrift, ...]:
    """Every class of three or more before and since, those that moved first, then by the size of the change.

    Parameters
    ----------
    older, newer : Outcomes, in time order
    """
    classes = older.classes
    if older.task != "multiclass" or len(classes) < MANY:
        return ()
    sides = [_shares(side, side.y) for side in (older, newer)]
    said = [_shares(side, side.prediction) for side in (older, newer)]
    level, found = 1 - ALPHA / len(classes), []
    for label, before, now, *told in zip(classes, *sides, *said, strict=True):
        change, sure = change_of(before, now), change_of(surer(before, level), surer(now, level))
        if before is None or now is None or change is None or sure is None:
            continue
        moved = not sure.low <= 0 <= sure.high
        said_before, said_now = (0.0 if part is None else part.value for part in told)
        found.append(ClassDrift(label, before, now, change, moved, said_before, said_now))
    return tuple(sorted(found, key=lambda item: (not item.moved, -abs(item.change.value), str(item.label))))


def _shares(outcomes: Outcomes, codes: NDArray[np.intp]) -> list[Estimate | None]:
    """The share of every class, by one count over runs of neighbours; None where it has no interval."""
    groups, k = contiguous_groups(len(codes)), len(outcomes.classes)
    counts = np.bincount(groups * k + codes, outcomes.weight, minlength=(int(groups.max()) + 1) * k).reshape(-1, k)
    mass, whole = counts.sum(axis=1, keepdims=True), counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, parts = whole / mass.sum(), (whole - counts) / (mass.sum() - mass)
    found = (jackknife_of(float(share), part) for share, part in zip(value, parts.T, strict=True))
    return [None if share is None else Estimate(*share, n=len(codes), unit=UNIT) for share in found]
