"""Outcomes, and what a metric is: a named function of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import (
    contiguous_groups,
    jackknife,
    jackknife_of,
    mean_or_share,
    scattered_groups,
)

Task = Literal["binary", "multiclass", "multilabel", "regression"]
Label = str | int | float | bool

UNKNOWN = -1
"""What `Outcomes.y` holds where a label of a multilabel task is not known."""


@dataclass(frozen=True)
class Outcomes:
    """Labels beside model output, row by row.

    Parameters
    ----------
    task : "binary", "multiclass", "multilabel" or "regression"
    classes : tuple of labels, sorted; the last one is the positive class of a binary task; the label columns of a
        multilabel task; empty for regression
    y : int array of shape (n,) with positions in `classes`, or float array for regression; multilabel: int array of
        shape (n, n_labels) of 1 (holds), 0 and UNKNOWN, of which no row has nothing else
    prediction : as `y`, never UNKNOWN
    scores : float array of shape (n, n_classes), or None if only labels were predicted; multilabel: the probability of
        each label, rows do not add up to 1
    weight : float array of shape (n,), or None for equal weights
    """

    task: Task
    classes: tuple[Label, ...]
    y: NDArray[Any]
    prediction: NDArray[Any]
    scores: NDArray[np.float64] | None
    weight: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[Any] | slice) -> Outcomes:
        """The outcomes of some rows (positions, a boolean mask, or a slice, which copies nothing)."""
        return replace(
            self,
            y=self.y[rows],
            prediction=self.prediction[rows],
            scores=None if self.scores is None else self.scores[rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    @property
    def errors(self) -> NDArray[np.float64]:
        """What each row got wrong: 0 or 1 for classes, the absolute error for regression.

        Multilabel: the share of the row's known labels that are wrong (Hamming loss).
        """
        if self.task == "regression":
            return np.asarray(np.abs(self.y - self.prediction), dtype=np.float64)
        if self.task == "multilabel":
            known = self.y != UNKNOWN
            return np.asarray((known & (self.y != self.prediction)).sum(axis=1) / known.sum(axis=1), dtype=np.float64)
        return np.asarray(self.y != self.prediction, dtype=np.float64)

    @property
    def error_unit(self) -> str:
        """Name of the mean of `errors`."""
        return {"regression": "mean absolute error", "multilabel": "Hamming loss"}.get(self.task, "error rate")

    def named(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Labels or predictions in the user's own values; numbers of a regression as they are.

        Multilabel: the names of the labels that hold, in one text.
        """
        if self.task == "multilabel":
            held = [", ".join(str(self.classes[at]) for at in np.flatnonzero(row == 1)) for row in codes]
            return np.array(held, dtype=object)
        return np.array(self.classes)[codes] if self.classes else codes

    def carries(self, code: int) -> NDArray[np.bool_]:
        """Rows of a class; multilabel: rows for which a label is known to hold."""
        return np.asarray(self.y[:, code] == 1 if self.task == "multilabel" else self.y == code)

    def of_label(self, at: int) -> Outcomes:
        """One label of a multilabel task as a binary task, on the rows for which it is known."""
        scores = None if self.scores is None else np.column_stack([1 - self.scores[:, at], self.scores[:, at]])
        alone = Outcomes("binary", (0, 1), self.y[:, at], self.prediction[:, at], scores, self.weight)
        return alone.take(self.y[:, at] != UNKNOWN)


@dataclass(frozen=True)
class Metric:
    """A named function of outcomes.

    Parameters
    ----------
    name : str
    greater_is_better : bool
    compute : callable from Outcomes to float; NaN where it is not defined (one class only, say)
    rows : callable from Outcomes to an array of shape (n,), or None
        Row contributions, for a metric that is their mean: its interval is then exact and cheap.
    interval : callable from Outcomes and a level to (value, low, high) or None, or None
        The metric with its interval for independent rows, where that has a formula of its own.
    needs_scores : bool
    without : callable from Outcomes and the group of each row to the metric and its values without each group, or None
        For a metric that has a faster way to its jackknife than one evaluation a group.
    """

    name: str
    greater_is_better: bool
    compute: Callable[[Outcomes], float]
    rows: Callable[[Outcomes], NDArray[np.float64]] | None = None
    interval: Callable[[Outcomes, float], tuple[float, float, float] | None] | None = None
    needs_scores: bool = False
    without: Callable[[Outcomes, NDArray[np.intp]], tuple[float, NDArray[np.float64]]] | None = None

    def estimate(self, outcomes: Outcomes, *, in_time_order: bool = False, level: float = 0.95) -> Estimate | None:
        """The metric with its interval, or None where it cannot be estimated (too few rows, one class).

        Means of zeros and ones carry Wilson's interval, other means a t interval, areas under the ROC curve DeLong's,
        everything else a delete-a-group jackknife. Rows in time order are taken in runs of neighbours, which may move
        together: always by groups.
        """
        n = len(outcomes)
        if n < 2:  # noqa: PLR2004 - a spread needs two rows
            return None
        if self.rows is not None and not in_time_order:
            interval = mean_or_share(self.rows(outcomes), outcomes.weight, level=level)
        else:
            found = self._grouped(outcomes, in_time_order=in_time_order, level=level)
            if found is None:
                return None
            interval = found
        return Estimate(*interval, n=n, unit=self.name, level=level)

    def _grouped(self, outcomes: Outcomes, *, in_time_order: bool, level: float) -> tuple[float, float, float] | None:
        n = len(outcomes)
        if self.interval is not None and not in_time_order:
            return self.interval(outcomes, level)
        groups = contiguous_groups(n) if in_time_order else scattered_groups(n)
        if self.without is not None:
            return jackknife_of(*self.without(outcomes, groups), level=level)
        return jackknife(lambda rows: self.compute(outcomes.take(rows)), groups, level=level)
