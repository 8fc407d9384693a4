"""How much a random split of the training rows would flatter against a split in time, or by groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from mlflow_errata import fitting
from mlflow_errata.diagnoses._shared_groups import codes_of_groups
from mlflow_errata.errors import NotTried
from mlflow_errata.estimate import Estimate
from mlflow_errata.model import ask
from mlflow_errata.stats.intervals import N_GROUPS, difference
from mlflow_errata.trials._shape import Flattery
from mlflow_errata.trials.of_labels import HALF, with_matrix

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
"""Rows that judge, at most, evenly over time or groups."""
By = Literal["time", "group"]
"""How rows are set apart."""


def flattery_of(bench: Bench, metric: Metric, *, by: By = "time", random_state: int = 0) -> Flattery | None:
    """Fit a model twice on four fifths of the training rows: judged by rows drawn at random, and by rows set apart.

    Set apart are the newest rows, or all rows of some groups. Both fits learn from equally many rows and are judged by
    equally many; without training times, or groups, there is nothing to compare, and None is returned. Rows of one
    period, or of one group, may move together: intervals come from runs of neighbours in that order.

    Raises
    ------
    NotTried
        With too few training rows or groups, where a fit fails, or where the metric cannot be estimated.
    """
    table, train, estimator = bench.table, bench.train, bench.estimator
    known = None if train is None else train.time if by == "time" else train.group
    if train is None or known is None:
        return None
    draw = np.random.default_rng(random_state)
    order = np.flatnonzero(~pd.isna(known))
    older, newer = _in_time(known, order) if by == "time" else _by_group(known, order, draw)
    rows = np.concatenate([older, newer])
    place = np.empty(len(known), dtype=np.intp)
    place[rows] = np.arange(len(rows))
    shuffled = draw.permutation(rows)
    held_out = shuffled[len(older) :]
    in_order = held_out[np.argsort(place[held_out])]
    at_random, ahead = (
        _judged(table, metric, estimator, train.take(np.sort(fitted)), train.take(_few(judging)))
        for fitted, judging in ((shuffled[: len(older)], in_order), (older, newer))
    )
    ends = [(part.value, part.low, part.high) for part in (ahead, at_random)]
    gap = Estimate(*difference(*ends), n=at_random.n + ahead.n, unit=metric.name)
    return Flattery(at_random, ahead, gap, len(older))


def _in_time(time: NDArray[Any], known: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The older rows, and the newest fifth; rows of one moment are not parted."""
    rows = known[np.argsort(time[known], kind="stable")]
    first = int(np.searchsorted(time[rows], time[rows[int((1 - HELD_OUT) * len(rows))]])) if len(rows) else 0
    if min(first, len(rows) - first) < FEWEST:
        raise NotTried(f"needs {FEWEST} training rows or more on either side of a split in time")
    return rows[:first], rows[first:]


def _by_group(
    group: NDArray[Any], known: NDArray[np.intp], draw: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of most groups, and those of groups drawn at random that hold a fifth or more, group by group."""
    code = codes_of_groups(group)[known]
    support = np.bincount(code)
    n_groups, drawn = len(support), draw.permutation(len(support))
    n_apart = int(np.searchsorted(np.cumsum(support[drawn]), HELD_OUT * len(known))) + 1
    rank = np.empty(n_groups, dtype=np.intp)
    rank[drawn] = np.arange(n_groups)[::-1]  # the first drawn stand last
    order = np.argsort(rank[code], kind="stable")
    first = int((rank[code] < n_groups - n_apart).sum())
    if min(first, len(known) - first) < FEWEST or min(n_apart, n_groups - n_apart) < N_GROUPS:
        reason = f"needs {N_GROUPS} groups and {FEWEST} training rows or more on either side of a split by groups"
        raise NotTried(reason)
    rows = known[order]
    return rows[:first], rows[first:]


def _few(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: 1 + (len(rows) - 1) // MOST_ROWS]


def _judged(
    table: EvaluationTable, metric: Metric, estimator: Any, fitted: TrainingSet, judging: TrainingSet
) -> Estimate:
    """The metric, on some training rows in the order of time or groups, of a model fitted on others."""
    labels = table.roles.labels
    if labels:
        fitted, judging = (with_matrix(part, labels) for part in (fitted, judging))
    answered = _answered_labels if labels else _answered
    try:
        model = fitting.fit(fitting.unfitted(estimator, one_thread=True), fitted)
        found = metric.estimate(answered(table, judging, model), in_time_order=True)
    except Exception as cause:  # whatever an estimator raises is a reason, and the record is made all the same
        raise NotTried(f"the fit failed: {type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from cause
    if found is None:
        raise NotTried("the metric cannot be estimated on the rows held out")
    return found


def _answered_labels(table: EvaluationTable, rows: TrainingSet, model: Any) -> Outcomes:
    """Several labels of each row beside what a model says of them."""
    said = ask(model, rows.X, table.features, len(table.roles.labels))
    prediction = np.asarray(said.scores if said.prediction is None else said.prediction) >= HALF
    scores, y = said.scores, rows.y.to_numpy()
    return replace(table.outcomes, y=y, prediction=prediction.astype(np.intp), scores=scores, weight=rows.weight)


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
