"""Choosing: the model and the threshold that the value or a metric prefers, by rows that do not judge them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.errors import NotTried
from mlflow_errata.metric import catalogued
from mlflow_errata.steps import change_metric
from mlflow_errata.trials._shape import Choice
from mlflow_errata.trials.evidence import CLEAR, worth
from mlflow_errata.trials.gains import Scale
from mlflow_errata.trials.judges import FEWEST_RARE, n_rarer
from mlflow_errata.trials.objective import best_threshold, objective_of_metric
from mlflow_errata.trials.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlflow_errata.metric import Metric, Outcomes
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.gains import Gain
    from mlflow_errata.trials.judges import Judge
    from mlflow_errata.trials.objective import Objective
    from mlflow_errata.trials.rounds import Rounds

    Chosen = tuple[Variant, float | None]


def choice(bench: Bench, objective: Objective, rows: NDArray[np.intp]) -> Chosen:
    """The model and the threshold that an objective prefers on some rows, of the model as it is and those fitted.

    An objective of scores prefers no threshold (None): the model decides as it does by itself.
    """
    frame, cuts = bench.table.frame.iloc[rows], objective.reads_decisions and not objective.reads_scores
    cuts = cuts and bench.table.task == "binary" and n_rarer(bench.table, rows) >= FEWEST_RARE
    best: tuple[float, Variant, float | None] = (-np.inf, Variant(), None)
    for variant in bench.models:
        taken = bench.taken(bench.said(variant), rows, 0.0)
        cut = best_threshold(objective, frame, taken) if cuts else None
        if cut is not None and taken.scores is not None:
            taken = replace(taken, prediction=(taken.scores[:, -1] >= cut).astype(np.intp))
        reached = objective.whole(frame, taken)
        if reached > best[0]:
            best = reached, variant, cut
    return best[1:]


def choice_of_known(bench: Bench) -> Chosen:
    """What the value prefers on all known rows."""
    return choice(bench, bench.objective, bench.judges.decisions.known)


def chosen_by(bench: Bench, objective: Objective, judge: Judge) -> Outcomes:
    """Labels beside what the preferred models say, each on the rows that did not choose it."""
    parts = []
    for split in judge.splits:
        variant, cut = choice(bench, objective, split.choose)
        parts.append(bench.decided(bench.said(variant), split.judge, 0.0, cut))
    return bench.joined(judge, parts)


def by_value(bench: Bench, judge: Judge) -> Outcomes:
    """What the models and thresholds say that the value prefers.

    Raises
    ------
    NotTried
        Where no other model was fitted, or the value prefers the one in use: then the threshold alone is another step.
    """
    if bench.instead is None or len(bench.models) == 1:
        raise NotTried("no other model was fitted")
    if choice_of_known(bench)[0] == Variant():
        raise NotTried("the value prefers the model in use")
    return chosen_by(bench, bench.objective, judge)


def of_better(tests: Rounds, proposed: Sequence[NextStep], metric: Metric) -> list[NextStep]:
    """Steps that choose by a better metric than the one in use, with their gain in the better one.

    Why others have none stands in `tests.not_tried`.
    """
    measured = []
    for step in proposed:
        entry = catalogued(str(step.params.get("by"))) if step.kind == change_metric.KIND else None
        if entry is None or tests.interrupted:
            continue
        with tests.attempt(f"{step.kind}: by {step.params['by']}"):
            measured.append(_by_better(tests, step, metric, entry.metric))
    return measured


def _by_better(tests: Rounds, step: NextStep, metric: Metric, better: Metric) -> NextStep:
    bench, judge = tests.bench, tests.bench.judges.decisions
    by, instead = (objective_of_metric(each, bench.table.outcomes) for each in (better, metric))
    if len(bench.models) == 1 and not by.reads_decisions:
        raise NotTried("no other model was fitted")
    (one, cut), (other, _) = (choice(bench, each, judge.known) for each in (by, instead))
    if one == other and cut is None:
        raise NotTried(f"{by.unit} prefers the same model as {instead.unit}")
    gain, reached = _between(bench, by, instead, tests.ruler.random_state)
    params = {**step.params, **({} if one.model is None else bench.model_params(one.model))}
    return replace(
        step,
        params=params if cut is None else {**params, "threshold": cut},
        gain=gain.estimate(by.unit),
        gain_reason="",
        bound=gain.bound,
        chance_gains=gain.chance,
        pays=gain.value > CLEAR * gain.known and worth(gain, 1 - reached),
        cost=replace(step.cost, seconds=round(bench.seconds_of_a_fit(one), 3)),
    )


def _between(bench: Bench, by: Objective, instead: Objective, random_state: int) -> tuple[Gain, float]:
    """Gain in one objective of choosing by it instead of by another, and what is reached by the other."""
    judge = bench.judges.decisions
    frame, y = bench.table.frame.iloc[judge.rows], bench.table.outcomes.y[judge.rows]
    scale = Scale(by, judge.kind == "forward", judge.groups, frame, y, random_state)
    new, old = (scale.profile(chosen_by(bench, each, judge)) for each in (by, instead))
    gain = scale.gain(new, old)
    if gain is None:
        raise NotTried(f"{by.unit} is not defined on some of the judging rows")
    return gain, old.whole


def contrast(bench: Bench, *, random_state: int) -> Choice | None:
    """What choosing by the value is worth against choosing by the metric; None where there is nothing to choose.

    For two classes and for numbers: of several classes the decision by the value is no threshold.

    Both choose the model and, as far as they see decisions, the threshold on the same rows; other rows judge both by
    the value.
    """
    if bench.instead is None or bench.table.task not in {"binary", "regression"} or len(bench.models) == 1:
        return None
    try:
        gain, _ = _between(bench, bench.objective, bench.instead, random_state)
    except NotTried:
        return None
    known = bench.judges.decisions.known
    by_value, by_metric = (choice(bench, each, known) for each in (bench.objective, bench.instead))
    return Choice(
        bench.instead.unit, len(bench.models), _named(by_value), _named(by_metric), gain.estimate(bench.objective.unit)
    )


def _named(chosen: Chosen) -> tuple[str | None, float | None]:
    return chosen[0].model, chosen[1]
