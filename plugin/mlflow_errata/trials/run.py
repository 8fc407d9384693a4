"""Trials of one diagnosis: set up, within the budget, ranked."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from mlflow_errata import fitting
from mlflow_errata.diagnoses._thresholds import own_threshold
from mlflow_errata.diagnoses.framing import NAME as FRAMING
from mlflow_errata.diagnoses.framing import Framing
from mlflow_errata.errors import NotTried
from mlflow_errata.model import unwrap
from mlflow_errata.steps import change_metric, drop_columns, resample, stop
from mlflow_errata.steps._shape import NOT_TRIED
from mlflow_errata.trials import choosing, collecting, questions, rounds
from mlflow_errata.trials._shape import Flattery, Trials
from mlflow_errata.trials.bench import Bench
from mlflow_errata.trials.candidates import candidates
from mlflow_errata.trials.flattery import By, flattery_of
from mlflow_errata.trials.judges import FEWEST_A_BLOCK, FOLDS, judges_of
from mlflow_errata.trials.objective import (
    Objective,
    objective_of_metric,
    objective_of_value,
)
from mlflow_errata.trials.of_classes import ClassesBench
from mlflow_errata.trials.of_labels import LabelsBench, as_fitted
from mlflow_errata.trials.outer import USUAL, outer_threshold
from mlflow_errata.trials.pace import draw, pace
from mlflow_errata.trials.progress import Progress
from mlflow_errata.trials.ranking import ranked, reason_of, with_reasons
from mlflow_errata.trials.rounds import OVER_BUDGET, unforeseen
from mlflow_errata.trials.ruler import Ruler
from mlflow_errata.trials.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.metric import Metric
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.table import EvaluationTable, Value
    from mlflow_errata.trials.rounds import Rounds, Tried

ANSWERS = {
    "resample": "class_imbalance",
    "change_metric": "metric_mismatch",
    "retrain_recent": "recency_drift",
    "collect_data": "slice_errors",
    "reframe": FRAMING,
}
"""The diagnosis that a kind of step answers."""
SPLITS: Mapping[By, tuple[str, str]] = {
    "time": ("random_split", "one in time"),
    "group": ("group_split", "one by groups"),
}
"""Splits that a random one is compared with: how they are named among what was not tried, and in words."""


def try_steps(
    table: EvaluationTable,
    results: Mapping[str, Result],
    proposed: tuple[NextStep, ...],
    *,
    model: object,
    metric: Metric,
    value: Value | None,
    budget: float,
    spent: float = 0.0,
    random_state: int = 0,
    clock: Callable[[], float] = monotonic,
) -> tuple[tuple[NextStep, ...], Trials | None]:
    """Try candidate steps within a budget and rank them by the lower bound of their gain.

    Parameters
    ----------
    table : EvaluationTable, with a training set for everything that has to be fitted
    results : results of the diagnoses by name
    proposed : steps that the results ask for
    model : the model as given, or None
    metric : Metric
    value : business value as given, or None; if declared, steps are ranked by it
    budget : float, seconds
    spent : float, seconds of them that are gone
    random_state : int
    clock : callable () -> seconds

    Returns
    -------
    (next steps, best first; what was tried, or None if nothing could be, as with a model that leans on a leak)

    Raises
    ------
    KeyboardInterrupt
        If a person interrupts before anything was measured; later on what was measured is returned.
    """
    leaks = [step for step in proposed if step.kind == drop_columns.KIND]
    if leaks:
        columns = ", ".join(repr(name) for name in leaks[0].params["columns"])
        reason = f"not tried: the model leans on {columns}, which gives the label away, and no gain holds on such rows"
        return (*leaks, *(_unsure(step, reason) for step in proposed if step not in leaks)), None
    start = clock() - spent
    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an estimator that warns would do so at every fit of every trial
        try:
            session = _session(table, model, metric, value, budget=budget, random_state=random_state, clock=clock)
            if session is None:
                return tuple(_unjudged(step, len(table), refits=model is not None) for step in proposed), None
            with closing(Progress(clock, start, budget)) as progress:
                return session.run(results, proposed, start=start, budget=budget, progress=progress)
        except Exception as cause:  # noqa: BLE001 - nobody foresaw it, and the diagnoses must not be lost for it
            return with_reasons(proposed, {"all": unforeseen(cause)}), None


def _unsure(step: NextStep, reason: str) -> NextStep:
    """A step whose gain does not hold, if a diagnosis has measured one."""
    if step.kind == change_metric.KIND:
        step = replace(step, gain_value=None, bound=None, pays=False)
    return replace(step, gain_reason=reason)


def _unjudged(step: NextStep, n: int, *, refits: bool) -> NextStep:
    """A step that too few rows can judge; with a model there was something to try whatever the diagnoses found."""
    reason = f"not tried: needs {FOLDS * FEWEST_A_BLOCK} rows to judge, and there are {n}"
    untried = step.gain_reason == NOT_TRIED or (refits and step.kind == stop.KIND)
    return replace(step, gain_reason=reason) if untried else step


class _Session:
    """One diagnosis on the bench."""

    def __init__(
        self,
        bench: Bench,
        objective: Objective,
        metric: Objective,
        *,
        named: Metric,
        n_given: int,
        random_state: int,
        unfit: str,
    ) -> None:
        self.unfit = unfit
        self.bench, self.objective, self.named = bench, objective, named
        self.metric = None if metric is objective else Ruler(bench, metric, random_state=random_state)
        self.judge, self.n_given, self.random_state = bench.judges.decisions, n_given, random_state

    def run(
        self,
        results: Mapping[str, Result],
        proposed: tuple[NextStep, ...],
        *,
        start: float,
        budget: float,
        progress: Callable[[str], None],
    ) -> tuple[tuple[NextStep, ...], Trials | None]:
        bench = self.bench
        tests = rounds.Rounds(
            bench,
            self.objective,
            random_state=self.random_state,
            start=start,
            deadline=start + budget,
            progress=progress,
            answered=self._answered(results),
        )
        refits = self._measure_noise(tests)
        bench.frames = questions.frames_of(proposed) if refits else {}
        decides = self.objective.reads_decisions and not self.objective.reads_scores
        if refits and decides and isinstance(bench.value, dict | None):
            tests.look_back()
        singles = tests.singles(candidates(bench, by_value=self.metric is not None, refits=refits))
        collected = collecting.of_slices(tests, results, proposed, self.n_given) if refits else []
        collected += questions.tried(tests, proposed, self.named) if refits else []
        collected += choosing.of_better(tests, proposed, self.named)
        plan: list[Tried] = []
        with tests.attempt("plan"):
            plan = tests.plan(singles)
        curve = collecting.followed(tests, self.n_given) if refits else None
        collected += [] if curve is None else collecting.of_everything(tests, curve, self.n_given)
        flattery, by_group = (self._flattery(tests, by) if refits else None for by in SPLITS)
        if any(step.kind == resample.KIND for step in proposed):
            self._note_what_no_balance_moves(tests)
        if not singles and not collected:
            if tests.interrupted:
                raise KeyboardInterrupt
            return self._with_reasons(proposed, tests.not_tried), None
        trials, steps = self._trials(tests, singles, plan, results, budget=budget, seconds=bench.clock() - start)
        chosen = None
        with tests.attempt("choice", told=False):
            chosen = choosing.contrast(bench, random_state=self.random_state)
        trials = replace(trials, flattery=flattery, group_flattery=by_group, curve=curve, choice=chosen)
        return ranked(steps, trials, [*proposed], collected), trials

    def _note_what_no_balance_moves(self, tests: Rounds) -> None:
        """Why no decision of rare classes was tried."""
        if not self.objective.reads_decisions:
            tests.not_tried.setdefault(resample.KIND, "the metric reads no decision")
        elif self.bench.table.outcomes.scores is None:
            tests.not_tried.setdefault(resample.KIND, "needs scores")

    def _with_reasons(self, proposed: tuple[NextStep, ...], not_tried: Mapping[str, str]) -> tuple[NextStep, ...]:
        """Steps of which none was tried; with training rows there was something to try whatever the diagnoses found."""
        reason = reason_of(stop.nothing_found(), not_tried) if self.bench.train is not None else ""
        told = f"{NOT_TRIED}: {reason}"
        found = [replace(step, gain_reason=told) if reason and step.kind == stop.KIND else step for step in proposed]
        return with_reasons(found, not_tried)

    def _answered(self, results: Mapping[str, Result]) -> frozenset[str]:
        """Kinds of steps that answer a finding; class imbalance asks for no threshold where one was chosen already."""
        found = {kind for kind, name in ANSWERS.items() if name in results and results[name].found}
        return frozenset(found - {resample.KIND} if self.bench.own not in {None, USUAL} else found)

    def _measure_noise(self, tests: Rounds) -> bool:
        """Whether the model can be fitted again."""
        if self.bench.estimator is None or self.bench.train is None:
            tests.not_tried["refits"] = (
                "the training rows are not given (train=)" if self.bench.train is None else self.unfit
            )
            return False
        with tests.attempt("refits"):
            tests.measure_noise(random=fitting.is_random(self.bench.estimator))
        return "refits" not in tests.not_tried and not tests.interrupted

    def _flattery(self, tests: Rounds, by: By) -> Flattery | None:
        """How much a random split would flatter, in what the steps have left of the budget."""
        bench, train = self.bench, self.bench.train
        if train is None or (train.time if by == "time" else train.group) is None or tests.interrupted:
            return None
        name, compared = SPLITS[by]
        if bench.clock() + 2 * tests.per_fit * rounds.CAUTION > tests.deadline:
            tests.not_tried[name] = OVER_BUDGET
            return None
        tests.progress(f"a random split against {compared}")
        with tests.attempt(name):
            return flattery_of(bench, self.named, by=by, random_state=self.random_state)
        return None

    def _trials(
        self,
        tests: Rounds,
        singles: list[Tried],
        plan: list[Tried],
        results: Mapping[str, Result],
        *,
        budget: float,
        seconds: float,
    ) -> tuple[Trials, list[NextStep]]:
        chances, none = rounds.chances(singles, self.random_state)
        steps = {
            id(item): self._step(item, Variant(), results, chance)
            for item, chance in zip(singles, chances, strict=True)
        }
        currents = [Variant(), *(item.variant for item in plan)]
        planned = [
            steps.get(id(item)) or self._step(item, current, results, None)
            for item, current in zip(plan, currents, strict=False)
        ]
        best_first = sorted(singles, key=lambda item: -item.bound)
        first = [plan[0]] if plan else []
        order = [*first, *(item for item in best_first if item is not (plan[0] if plan else None))]
        seed_gain = tests.seed_gain
        unit = self.objective.unit
        noise = None if seed_gain is None else seed_gain.estimate(unit)
        forward = self.judge.kind == "forward"
        trials = Trials(
            unit=unit,
            judged=self.judge.kind,
            n_judging=len(self.judge.rows),
            n_periods=self.judge.n_groups if forward else 0,
            n_origins=len(self.bench.judges.refits.splits) if forward else 0,
            n_train=0 if self.bench.train is None else len(self.bench.train.y),
            n_train_given=self.n_given,
            budget=float(budget),
            seconds=round(seconds, 3),
            noise=noise,
            reliable=noise is None or noise.low <= 0 <= noise.high,
            interrupted=tests.interrupted,
            detectable=rounds.detectable(singles),
            chance_none=none,
            tried=tuple(steps[id(item)] for item in order),
            not_tried=dict(tests.not_tried),
            plan=tuple(planned),
            tied=tests.tied(order) if plan else (),
            n_earlier=0 if tests.ruler.earlier is None else len(tests.ruler.earlier.groups),
        )
        best: dict[tuple[str, str], NextStep] = {}
        for item in order:
            best.setdefault((item.change.family, item.change.kind), steps[id(item)])
        return trials, list(best.values())

    def _step(self, item: Tried, current: Variant, results: Mapping[str, Result], chance: float | None) -> NextStep:
        gain = item.gain.estimate(self.objective.unit)
        gains: dict[str, Any] = {"gain": gain}
        if self.metric is not None:
            gains = {"gain": self._in_metric(item.variant, current), "gain_value": gain}
        answered = ANSWERS.get(item.change.kind)
        found = answered is not None and answered in results and results[answered].found
        because = (str(answered),) if found or item.change.kind == "reframe" else ()
        framed = results.get(FRAMING)
        if item.change.kind == "retrain_recent" and isinstance(framed, Framing) and "arrivals" in framed.alarms:
            because = (*because, FRAMING)
        return rounds.step_of(item, self.bench, gains=gains, because=because, chance=chance)

    def _in_metric(self, variant: Variant, current: Variant) -> Estimate | None:
        """The gain in the metric, where the declared value ranks."""
        if self.metric is None:
            return None
        try:
            return self.metric.gain(variant, current).estimate(self.metric.objective.unit)
        except NotTried:
            return None


def _session(
    table: EvaluationTable,
    model: object,
    metric: Metric,
    value: Value | None,
    *,
    budget: float,
    random_state: int,
    clock: Callable[[], float],
) -> _Session | None:
    estimator, unfit = _clonable(unwrap(model))
    train = table.train
    rate, n_origins = 1.0, 4
    if estimator is not None and train is not None:
        rate, n_origins = pace(estimator, as_fitted(train, table.roles.labels), budget, clock)
    judges = judges_of(table, n_origins)
    if judges is None:
        return None
    measured = objective_of_metric(metric, table.outcomes)
    objective = measured if value is None else objective_of_value(value)
    used = train if train is None or rate == 1 else train.take(draw(len(train.y), rate, random_state))
    kinds = {"multilabel": LabelsBench, "multiclass": ClassesBench}
    bench = kinds.get(table.task, Bench)(
        table,
        judges,
        objective,
        estimator=estimator,
        train=used,
        rate=rate,
        value=value,
        own=own_threshold(table.outcomes),
        clock=clock,
        instead=None if measured is objective else measured,
        outer=outer_threshold(table, estimator),
    )
    n_given = 0 if train is None else len(train.y)
    return _Session(bench, objective, measured, named=metric, n_given=n_given, random_state=random_state, unfit=unfit)


def _clonable(model: object) -> tuple[Any, str]:
    """The model if it can be cloned and fitted, else None and why."""
    if model is None:
        return None, "the model is not given (model=), only what it says"
    kind = type(model).__name__
    if not hasattr(model, "fit") or not hasattr(model, "get_params"):
        return None, f"a {kind} cannot be fitted again: pass the estimator as model="
    try:
        fitting.unfitted(model)
    except Exception as cause:  # noqa: BLE001 - whatever cloning raises is the reason
        return None, f"the {kind} cannot be cloned: {unforeseen(cause)}"
    return model, ""


def _one_thread() -> AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn
    except ImportError:
        return nullcontext()
    limited: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limited
