"""Questions: other forms of the label that answer another question than the metric, judged on the one they share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import NotTried
from mlflow_errata.metric import Metric, Outcomes, resolve_metric
from mlflow_errata.model import ask
from mlflow_errata.steps import reframe
from mlflow_errata.trials.evidence import CLEAR, worth
from mlflow_errata.trials.gains import Gain, Scale
from mlflow_errata.trials.objective import objective_of_metric
from mlflow_errata.trials.rounds import CAUTION, OVER_BUDGET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.rounds import Rounds

    Floats = NDArray[np.float64]

SHARED = ("classes", "merge")
"""Forms whose answers are another label's."""


def frames_of(proposed: Sequence[NextStep]) -> dict[str, dict[str, Any]]:
    """Forms that answer the question itself, by a name: the label that they predict is the label."""
    found = {}
    for step in proposed:
        form = step.params.get("to")
        if step.kind == reframe.KIND and form in {"hierarchy", "ordinal", "number"}:
            by = step.params.get("by") if form == "hierarchy" else step.params.get("column")
            found[f"{form} by {by}" if by else f"{form}"] = dict(step.params)
    return found


def shared(proposed: Sequence[NextStep]) -> list[NextStep]:
    """Steps that have to be judged on a question that both models answer."""
    return [step for step in proposed if step.kind == reframe.KIND and step.params.get("to") in SHARED]


def tried(tests: Rounds, proposed: Sequence[NextStep], metric: Metric) -> list[NextStep]:
    """Steps of `shared` with their gains, as far as the budget goes; why others have none stands in `tests.not_tried`.

    Parameters
    ----------
    tests : Rounds, whose bench and deadline hold here too
    proposed : steps that the results ask for
    metric : Metric, the user's
    """
    bench = tests.bench
    measured: list[NextStep] = []
    for step in shared(proposed):
        name = f"{step.kind}: {step.params['to']} {step.params.get('column', '')}".rstrip()
        if tests.interrupted:
            break
        if bench.clock() + tests.per_fit * CAUTION > tests.deadline:
            tests.not_tried[name] = OVER_BUDGET
            continue
        tests.progress(name)
        with tests.attempt(name):
            measured.append(judged(bench, step, metric, random_state=tests.ruler.random_state))
    return measured


def judged(bench: Bench, step: NextStep, metric: Metric, *, random_state: int) -> NextStep:
    """The step with its gain on the shared question, paired on the judging rows.

    "classes": whether the label lies above the cut, by ROC AUC: of the predicted number, and of the chance that a
    classifier gives the classes above. "merge": the metric, some classes taken for one in the labels, in what the model
    says now, and in what a model fitted so says.

    Raises
    ------
    NotTried
    """
    start = bench.clock()
    fitted = bench.fitted_by(((step.kind, dict(step.params)),))
    judge = bench.judges.decisions
    output = ask(fitted, bench.table.frame.iloc[judge.rows], bench.table.features)
    seconds = bench.clock() - start
    before = bench.table.outcomes.take(judge.rows)
    if step.params["to"] == "classes":
        old, new = _above(before, step.params, output.classes, output.scores)
        metric = resolve_metric("roc_auc", old)
        unit = f"ROC AUC of {bench.table.roles.label} above {step.params['asked']:g}"
    else:
        old = _merged(before, step.params)
        new = _said(old, output.prediction, output.classes, output.scores)
        unit = f"{metric.name} of the merged classes"
    scale = Scale(
        objective_of_metric(metric, old),
        judge.kind == "forward",
        judge.groups,
        bench.table.frame.iloc[judge.rows],
        old.y,
        random_state,
    )
    profiles = scale.profile(new), scale.profile(old)
    gain = scale.gain(*profiles)
    if gain is None:
        raise NotTried(f"{unit} is not defined on some of the judging rows")
    return replace(
        step,
        gain=gain.estimate(unit),
        gain_reason="",
        bound=gain.bound,
        pays=_pays(gain, profiles[1].whole),
        chance_gains=gain.chance,
        cost=replace(step.cost, seconds=round(seconds, 3)),
    )


def _pays(gain: Gain, reached: float) -> bool:
    short = 1 - reached if 0 <= reached <= 1 else abs(reached)
    return gain.value > CLEAR * gain.known and worth(gain, short)


def _above(
    before: Outcomes, params: Mapping[str, Any], classes: tuple[Any, ...] | None, scores: Floats | None
) -> tuple[Outcomes, Outcomes]:
    """Whether the number lies above the cut, beside what a regression and what a classifier say of it."""
    if scores is None or classes is None:
        raise NotTried("the classifier gives no probabilities")
    first = int(np.searchsorted(np.asarray(params["cuts"]), params["asked"], side="left")) + 1
    upper = set(params["classes"][first:])
    y = (before.y > params["asked"]).astype(np.intp)
    chance = scores[:, [at for at, label in enumerate(classes) if label in upper]].sum(axis=1)
    old, new = (_binary(before, y, part) for part in (_in_order(before.prediction), chance))
    return old, new


def _in_order(said: NDArray[Any]) -> Floats:
    """Numbers as scores between 0 and 1 of the same order, ties included."""
    distinct, place = np.unique(said, return_inverse=True)
    return np.asarray(place / max(len(distinct) - 1, 1), dtype=np.float64)


def _binary(before: Outcomes, y: NDArray[np.intp], chance: Floats) -> Outcomes:
    said = np.clip(chance, 0.0, 1.0)
    return Outcomes(
        "binary",
        (0, 1),
        y,
        (said >= 0.5).astype(np.intp),  # noqa: PLR2004 - the likelier
        np.column_stack([1 - said, said]),
        before.weight,
    )


def _merged(before: Outcomes, params: Mapping[str, Any]) -> Outcomes:
    """The outcomes with some classes taken for one, which comes last."""
    merged = set(params["classes"])
    kept = [label for label in before.classes if label not in merged]
    to = np.array([kept.index(label) if label not in merged else len(kept) for label in before.classes])
    scores = before.scores
    if scores is not None:
        columns = np.zeros((len(before), len(kept) + 1))
        for at, code in enumerate(to):
            columns[:, code] += scores[:, at]
        scores = columns
    return replace(
        before, classes=(*kept, params["into"]), y=to[before.y], prediction=to[before.prediction], scores=scores
    )


def _said(
    like: Outcomes, prediction: NDArray[Any] | None, classes: tuple[Any, ...] | None, scores: Floats | None
) -> Outcomes:
    """What a model of the merged classes says."""
    position = {label: at for at, label in enumerate(like.classes)}
    try:
        said = np.array([position[label] for label in np.asarray(prediction).tolist()], dtype=np.intp)
        if like.scores is None or scores is None or classes is None:
            return replace(like, prediction=said, scores=None)
        columns = np.zeros_like(like.scores)
        columns[:, [position[label] for label in classes]] = scores
    except (KeyError, TypeError) as cause:
        raise NotTried(f"its answers cannot be used: {type(cause).__name__}: {cause}") from cause
    return replace(like, prediction=said, scores=columns)
