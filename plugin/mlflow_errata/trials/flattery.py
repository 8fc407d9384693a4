"""How much a random split of the training rows would flatter against a split in time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlflow_errata import fitting
from mlflow_errata.errors import NotTried
from mlflow_errata.estimate import Estimate
from mlflow_errata.model import ask
from mlflow_errata.stats.intervals import difference
from mlflow_errata.trials._shape import Flattery

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet
    from mlflow_errata.trials.bench import Bench

HELD_OUT = 0.2
"""Share of the training rows that judge."""
FEWEST = 100
"""Rows that judge, at least."""
MOST_ROWS = 20_000
"""Rows that judge, at most, evenly over time."""


def flattery_of(bench: Bench, metric: Metric, *, random_state: int = 0) -> Flattery | None:
    """Fit a model twice on four fifths of the training rows: judged by rows drawn at random, and by the newest ones.

    Both fits learn from equally many rows and are judged by equally many; without training times there is nothing to
    compare, and None is returned.

    Raises
    ------
    NotTried
        With too few training rows, where a fit fails, or where the metric cannot be estimated.
    """
    table, train, estimator = bench.table, bench.train, bench.estimator
    if train is None or train.time is None:
        return None
    known = np.flatnonzero(~pd.isna(train.time))
    rows = known[np.argsort(train.time[known], kind="stable")]
    first = (
        int(np.searchsorted(train.time[rows], train.time[rows[int((1 - HELD_OUT) * len(rows))]])) if len(rows) else 0
    )
    if min(first, len(rows) - first) < FEWEST:
        raise NotTried(f"needs {FEWEST} training rows or more on either side of a split in time")
    shuffled = np.random.default_rng(random_state).permutation(rows)
    held_out = np.sort(shuffled[first:])
    in_time = held_out[np.argsort(train.time[held_out], kind="stable")]
    at_random, ahead = (
        _judged(table, metric, estimator, train.take(np.sort(fitted)), train.take(_few(judging)))
        for fitted, judging in ((shuffled[:first], in_time), (rows[:first], rows[first:]))
    )
    ends = [(part.value, part.low, part.high) for part in (ahead, at_random)]
    gap = Estimate(*difference(*ends), n=at_random.n + ahead.n, unit=metric.name)
    return Flattery(at_random, ahead, gap, first)


def _few(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: 1 + (len(rows) - 1) // MOST_ROWS]


def _judged(
    table: EvaluationTable, metric: Metric, estimator: Any, fitted: TrainingSet, judging: TrainingSet
) -> Estimate:
    """The metric, on some training rows in time order, of a model fitted on others."""
    try:
        model = fitting.fit(fitting.unfitted(estimator, one_thread=True), fitted)
        found = metric.estimate(_answered(table, judging, model), in_time_order=True)
    except Exception as cause:  # whatever an estimator raises is a reason, and the record is made all the same
        raise NotTried(f"the fit failed: {type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from cause
    if found is None:
        raise NotTried("the metric cannot be estimated on the rows held out")
    return found


def _answered(table: EvaluationTable, rows: TrainingSet, model: Any) -> Outcomes:
    """Labels beside what a model says; rows whose class no evaluation row has are left out."""
    said, classes = ask(model, rows.X, table.features), table.outcomes.classes
    if not classes:
        label, number = (np.asarray(part, dtype=np.float64) for part in (rows.y, said.prediction))
        return replace(table.outcomes, y=label, prediction=number, scores=None, weight=rows.weight)
    place = {label: at for at, label in enumerate(classes)}
    y, prediction = (
        np.array([place.get(label, -1) for label in np.asarray(part).tolist()]) for part in (rows.y, said.prediction)
    )
    scores = None
    if said.scores is not None and said.classes is not None:
        scores = np.zeros((len(y), len(classes)))
        for at, label in enumerate(said.classes):
            if label in place:
                scores[:, place[label]] = said.scores[:, at]
    usable = np.flatnonzero((y >= 0) & (prediction >= 0))
    found = replace(table.outcomes, y=y, prediction=prediction, scores=scores, weight=rows.weight)
    return found.take(usable)
