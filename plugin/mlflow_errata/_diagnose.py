"""`diagnose`: one evaluation frame in, one record out."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from math import inf
from numbers import Integral, Real
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata import __version__
from mlflow_errata._evaluated import evaluated_rows
from mlflow_errata._unchecked_gain import with_unchecked_gain
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.diagnoses._named import wanted_slices
from mlflow_errata.diagnoses._shape import Options, Result
from mlflow_errata.diagnoses._windows import cut_of
from mlflow_errata.diagnoses.label_issues import LabelIssues
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.errors import NotApplicable, NumberRefused
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Metric, Task, resolve_metric
from mlflow_errata.objectives import Objectives
from mlflow_errata.record.schema import ERROR, ID, LABEL, PREDICTION, SCORE, Dataset, Record, Summary, Training
from mlflow_errata.stats.intervals import mean_interval
from mlflow_errata.steps import propose
from mlflow_errata.table import EvaluationTable, Value
from mlflow_errata.trials.run import try_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.training import TrainingSet
    from mlflow_errata.trials._shape import Trials

MOST_ROWS = 2000
"""Rows that a record keeps, so that its size does not grow with the data."""
FEWEST_PERMUTATIONS = 19
"""Draws below which none can be beyond 95 % of them."""
STATES = 2**32
"""Random states that scikit-learn takes, from 0 up."""
INTERRUPTED = "not tried: the trials were interrupted"
ROWS_OF_A_SLICE = 100
ROWS_OF_SUSPECTED = 50_000
"""Rows among which those of a suspected slice are looked for; rows stand in no meaningful order."""


def diagnose(
    evaluation: object,
    *,
    label: str | Sequence[str],
    model: object = None,
    prediction: str | Sequence[str] | Mapping[str, str] | None = None,
    scores: str | Sequence[str] | Mapping[Any, str] | None = None,
    features: Sequence[str] | None = None,
    time: str | None = None,
    id: str | None = None,  # noqa: A002 - the role's name
    group: str | None = None,
    weight: str | None = None,
    quantiles: Mapping[float, str] | None = None,
    windows: str | int | Sequence[object] | None = None,
    value: Value | None = None,
    slice_by: Sequence[str] | None = None,
    named_slices: Mapping[str, str | tuple[str, float]] | None = None,
    train: object = None,
    metric: str | Callable[..., float] | None = None,
    task: Task | None = None,
    before: object = None,
    objectives: Objectives | Mapping[str, Any] | None = None,
    budget: float = 60.0,
    permutations: int = 0,
    random_state: int = 0,
) -> Record:
    """Say what is wrong with a model's output on evaluation rows, and what to do next.

    Parameters
    ----------
    evaluation : pandas, polars or Spark DataFrame, or pyarrow Table, of shape (n_rows, n_columns)
        Left as it is. A Spark DataFrame is brought into memory, up to 5,000,000 rows.
    label : str, or list of str
        Column of the truth. Rows without a label are set aside. A list of columns of 0 and 1 makes the task multilabel;
        where a row misses one of them, that label is not known for the row: it is left out of the label's figures and
        is no negative.
    model : fitted estimator, MLflow pyfunc, or callable from a DataFrame to predictions
        Labels or numbers, the probabilities of all classes, or of the positive class of two, as a sigmoid says them.
        Leave it out and name existing columns instead:
    prediction : str; of several labels a list in their order, or a dict label -> column
        Column of predicted labels or numbers.
    scores : str, list or dict
        Probability columns: the positive class of two, a list in class order, or a dict class -> column, in any order
        (one of two classes is enough); of several labels a list in their order, or a dict label -> column. Without
        `prediction`, the decision is 0.5 or the largest score.
    features : list of str
        Columns that the model sees; default: as the model tells, else every column without a role.
    time : str
        Column of dates or numbers in time order: unlocks recency drift.
    id : str
        Column that names each row; default: the frame's index.
    group : str
        Column that names what a row belongs to (a customer, a device, a patient), no feature by default: unlocks the
        comparison of groups that the training rows hold, too, with new ones, and of a random split with one by groups.
    weight : str
        Column of row weights, 0 or more; rows of weight 0 are left out.
    quantiles : dict level -> column
        Predicted quantiles of a number: {0.05: "low", 0.95: "high"}. Their coverage is checked.
    windows : str, int or list
        How time is cut: "hour", "day", "week", "month", "quarter" or "year"; a number of windows of equally many rows;
        or a list of moments, at each of which a window begins. Default: the unit that comes nearest to ten windows.
    value : str, dict or callable
        Business value: a column of per-row stakes, {"tp": 5, "fp": -1, "fn": -20, "tn": 0}, or a function
        (y_true, decision) -> value per row.
    slice_by : list of str
        Columns to slice on, seen by the model or not; default: every column without a role.
    named_slices : dict name -> expression, or (expression, acceptance bar on the error)
        Slices to measure whatever the search finds: {"late EV": "hour >= 19 and carrier == 'EV'"}, written as slices
        print themselves.
    train : DataFrame with the same columns
        What the model was trained on: unlocks the trials that refit, and marks the training window over time.
    metric : str or callable
        Name in errata's catalogue, scikit-learn scorer name or scorer, or a function (y_true, y_pred_or_score, weight)
        -> float, greater is better. Default: roc_auc for two classes with scores, accuracy for classes, f1_micro for
        several labels, mean_absolute_error for numbers.
    task : "binary", "multiclass", "multilabel" or "regression"
        Default: told from the label and the scores; the record says so.
    before : fitted estimator, MLflow pyfunc, or callable
        The model that this one would replace: what it says of the same rows is kept beside, so that a run that follows
        another (`mlflow_errata.follow`) can tell the delivered gain although its evaluation rows are new.
    objectives : Objectives, or a dict of its parameters
        Several outcomes of every row and the logged scores whose weights are swept on them: unlocks the diagnosis of
        objectives. Its outcomes and scores are no features.
    budget : float
        Seconds for what-if trials of the next steps; 0 tries and refits nothing.
    permutations : int
        Permutations of the errors, 19 or more, from which the slice search takes its critical value; with a time
        column all errors move by the same number of places, for errors that come in spells. 0 takes Bonferroni's, for
        rows that err independently of each other.
    random_state : int, 0 or more

    Returns
    -------
    Record
        Every diagnosis of the catalogue stands in it exactly once: in `results`, or in `not_applicable` with why.

    Raises
    ------
    InputError
        One clear error for the first thing in the input that cannot be used.
    """
    budget, permutations, random_state = _numbers(budget, permutations, random_state)
    named = wanted_slices(named_slices or {})
    table = EvaluationTable.build(
        evaluation,
        label=label,
        model=model,
        prediction=prediction,
        scores=scores,
        features=features,
        time=time,
        id=id,
        group=group,
        weight=weight,
        quantiles=quantiles,
        value=value,
        slice_by=slice_by,
        train=train,
        task=task,
        objectives=None if objectives is None else Objectives.given(objectives),
    )
    chosen = resolve_metric(metric, table.outcomes)
    known = None if table.times is None else table.times[table.in_time_order]
    options = Options(chosen, random_state, budget, named, permutations, cut_of(windows, known))
    with _quiet():
        results, not_applicable = _make(table, options)
        steps, trials = propose(results, table), None
        if budget > 0:
            steps, trials = _tried(steps, results, table, train=train, model=model, value=value, options=options)
    return Record(
        dataset=_dataset(table),
        summary=_summary(table, chosen, inferred=metric is None, random_state=random_state),
        results=results,
        not_applicable=not_applicable,
        next_steps=steps,
        rows=_sample(table, results),
        trials=trials,
        evaluated=evaluated_rows(table, before, value),
    )


def _numbers(budget: object, permutations: object, random_state: object) -> tuple[float, int, int]:
    """The three numbers among the options, as Python's own."""
    if not isinstance(budget, Real) or not 0 <= float(budget) < inf:
        raise NumberRefused("budget", budget, "a number of seconds. Pass 0 or more; 0 tries nothing")
    n = int(permutations) if isinstance(permutations, Integral) else -1
    if n != 0 and n < FEWEST_PERMUTATIONS:
        wanted = f"0 or a whole number from {FEWEST_PERMUTATIONS} up. Pass 0 for none, or 199"
        raise NumberRefused("permutations", permutations, wanted)
    state = int(random_state) if isinstance(random_state, Integral) else -1
    if not 0 <= state < STATES:
        wanted = "a whole number from 0 up. The record stores it, so that the same input gives the same record"
        raise NumberRefused("random_state", random_state, wanted)
    return float(budget), n, state


def _tried(
    steps: tuple[NextStep, ...],
    results: Mapping[str, Result],
    table: EvaluationTable,
    *,
    train: object,
    model: object,
    value: Value | None,
    options: Options,
) -> tuple[tuple[NextStep, ...], Trials | None]:
    """Steps with their gains, within the budget; as they were if a person interrupts before anything was measured."""
    start = monotonic()
    try:
        steps = with_unchecked_gain(steps, results, table, train=train, model=model, value=value, options=options)
        return try_steps(
            table,
            results,
            steps,
            model=model,
            metric=options.metric,
            value=value,
            budget=options.budget,
            spent=monotonic() - start,
            random_state=options.random_state,
        )
    except KeyboardInterrupt:
        return tuple(replace(step, gain_reason=INTERRUPTED) if step.gain is None else step for step in steps), None


def _quiet() -> AbstractContextManager[Any]:
    """MLflow's autologging off, if MLflow is loaded: refits of trials are no runs of the user's."""
    if "mlflow" not in sys.modules:
        return nullcontext()
    from mlflow_errata.tracking.silence import without_autologging  # noqa: PLC0415 - the room that imports MLflow

    return without_autologging()


def _make(table: EvaluationTable, options: Options) -> tuple[dict[str, Result], dict[str, str]]:
    results: dict[str, Result] = {}
    not_applicable: dict[str, str] = {}
    for name, diagnosis in CATALOGUE.items():
        try:
            results[name] = diagnosis.diagnose(table, options)
        except NotApplicable as reason:
            not_applicable[name] = str(reason)
    return results, not_applicable


def _dataset(table: EvaluationTable) -> Dataset:
    return Dataset(
        digest=table.digest,
        n_rows=len(table),
        n_unlabelled=table.n_unlabelled,
        roles=table.roles.filled,
        features=table.features,
        slice_columns=table.slice_columns,
        classes=table.outcomes.classes,
        training=None if table.train is None else _training(table.train),
    )


def _training(train: TrainingSet) -> Training:
    known = None if train.time is None else train.time[~pd.isna(train.time)]
    if known is None or len(known) == 0:
        return Training(len(train.y), None, None)
    first, last = known.min(), known.max()
    return Training(len(train.y), first.item(), last.item())


def _summary(table: EvaluationTable, metric: Metric, *, inferred: bool, random_state: int) -> Summary:
    lost = table.value_lost
    return Summary(
        task=table.task,
        task_inferred=table.task_inferred,
        metric=metric.name,
        metric_inferred=inferred,
        greater_is_better=metric.greater_is_better,
        value=metric.estimate(table.outcomes),
        value_lost=None if lost is None else Estimate(*mean_interval(lost), n=len(lost), unit="value per row"),
        random_state=random_state,
        errata=__version__,
    )


def _sample(table: EvaluationTable, results: Mapping[str, Result]) -> pd.DataFrame:
    """The labels to check and the wrong rows of every slice first, then others, of which the first are a fair draw."""
    errors = table.errors
    found = results.get("slice_errors")
    issues = results.get("label_issues")
    chosen: list[NDArray[np.intp]] = []
    if isinstance(issues, LabelIssues):
        wanted_ids = issues.ranking["id"].iloc[list(issues.worklist.rank)]
        chosen.append(pd.Index(table.ids).get_indexer(pd.Index(wanted_ids)))
    for item in (*found.slices, *found.suspected) if isinstance(found, SliceErrors) else ():
        among = table.frame if item.tier == "confirmed" else table.frame.head(ROWS_OF_SUSPECTED)
        inside = np.flatnonzero(item.mask(among))
        chosen.append(inside[np.argsort(-errors[inside], kind="stable")][:ROWS_OF_A_SLICE])
    wanted = np.concatenate([*chosen, np.arange(min(MOST_ROWS, len(table)))])
    first_seen = np.sort(np.unique(wanted, return_index=True)[1])[:MOST_ROWS]
    rows = wanted[first_seen]
    outcomes = table.outcomes.take(rows)
    added: dict[str, Any] = {
        ID: table.ids[rows],
        LABEL: outcomes.named(outcomes.y),
        PREDICTION: outcomes.named(outcomes.prediction),
        ERROR: errors[rows],
    }
    if outcomes.scores is not None and outcomes.task != "multilabel":
        binary = outcomes.task == "binary"
        added[SCORE] = outcomes.scores[:, -1] if binary else outcomes.scores[np.arange(len(rows)), outcomes.prediction]
    return table.frame.iloc[rows].reset_index(drop=True).assign(**added)
