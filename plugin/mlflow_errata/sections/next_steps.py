"""Next steps in words: what to do, why, what it costs, and the code that takes it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, StepCard, Text
from mlflow_errata.diagnoses.class_imbalance import ClassImbalance
from mlflow_errata.diagnoses.framing import Framing
from mlflow_errata.diagnoses.label_issues import LabelIssues
from mlflow_errata.diagnoses.metric_mismatch import MetricMismatch
from mlflow_errata.diagnoses.objectives import ObjectivesSwept
from mlflow_errata.diagnoses.recency_drift import RecencyDrift
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import (
    class_imbalance,
    framing,
    label_issues,
    metric_mismatch,
    objectives,
    recency_drift,
    reframing,
    slice_errors,
    taking,
    trials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import Cost, NextStep

TITLE = "Next steps"
MINUTE = 60.0


def title(record: Record) -> str:
    """What to do now, as the title of a page."""
    return title_of(record.next_steps[0], record) if record.next_steps else TITLE


def after_declined(card: StepCard, declined: StepCard) -> str:
    """One sentence below the title where the first step was turned down, and another takes its place."""
    return f"Gain: {card.gain}. It takes the place of what was declined: {declined.title}."


def lede(record: Record) -> str:
    """One sentence below the title: what is known of the gain."""
    steps = record.next_steps
    if not steps:
        return "This record proposes no step."
    if record.trials is not None:
        return trials.lede(record, record.trials, [title_of(step, record) for step in record.plan[1:]])
    if steps[0].kind == "stop":
        return _nothing_to_do(record)
    if steps[0].gain is not None:
        return f"Expected gain: {trials.gain(steps[0], record)}."
    if len(steps) == 1:
        return "The findings ask for it. It has not been tried, so its gain is not measured."
    return (
        f"The findings ask for {len(steps)} steps, in the order of the loop: labels, sampling, time, data. "
        "None has been tried, so no gain is measured."
    )


def _nothing_to_do(record: Record) -> str:
    if _is_found(record):
        return "No step is known yet for what was found; the findings say what to do by hand."
    made = words.plural(len(record.results), "diagnosis", "diagnoses")
    return f"{made} made, and none found anything beyond chance to act on."


def cards(record: Record) -> tuple[StepCard, ...]:
    """Every proposed step, in the order of the record."""
    return tuple(_card(step, record) for step in record.next_steps)


def section(record: Record) -> list[Block]:
    """The lede, the cards, and what was tried."""
    return [Text(lede(record)), *cards(record), *measured(record)]


def measured(record: Record) -> list[Block]:
    """What was tried and how; nothing where nothing was."""
    if record.trials is None:
        return []
    names = [title_of(step, record) for step in record.trials.tried]
    return trials.section(record.trials, names)


def _card(step: NextStep, record: Record) -> StepCard:
    return StepCard(
        kind=step.kind,
        title=title_of(step, record),
        gain=trials.gain(step, record),
        cost=_cost(step),
        because=_because(step, record),
        code=taking.code(step, record),
        status=trials.status(step),
    )


# -- what to do -------------------------------------------------------------------------------------------------------


def title_of(step: NextStep, record: Record) -> str:
    """What a step does, in a few words."""
    known = TITLES.get(step.kind)
    return words.shown(step.kind.replace("_", " ")).capitalize() if known is None else known(step, record)


def _relabel(step: NextStep, record: Record) -> str:  # noqa: ARG001 - the shared shape
    decided = step.params.get("decisions")
    if decided is not None:
        return (
            f"Correct {words.plural(len(decided), 'label')} that the audit found wrong, and check the others in doubt"
        )
    return f"Check {words.plural(int(step.params.get('audit', 0)), 'label')} where {_where(step)}"


def _resample(step: NextStep, record: Record) -> str:
    methods = {
        "threshold": "Move the decision",
        "prior": "Weigh classes by how rare they are in the decision",
        "class_weight": "Weight the classes equally in training",
        "over": "Repeat rows of rare classes in training",
        "under": "Drop rows of common classes in training",
        "smote": "Add rows between those of rare classes in training",
    }
    if step.params.get("thresholds") or record.summary.task == "multilabel":
        return "Decide every label by a threshold of its own"
    if step.params.get("power", 1.0) != 1.0:
        return "Weight the classes by the square root of their rarity in training"
    method = methods.get(str(step.params.get("method")), "Resample the classes in training")
    return f"{method}{_from(step, record, ': ' if step.params.get('method') == 'threshold' else ', ')}"


def _change_metric(step: NextStep, record: Record) -> str:
    if step.params.get("thresholds"):
        return "Decide every label by the declared value"
    by = str(step.params.get("by", "value"))
    named = "the declared value" if by == "value" else words.metric(by)
    if not {"set", "family"} & set(step.params):
        return f"Decide by {named}{_from(step, record, ': ')}"
    return f"Choose the model by {named}: {_other_model(step)}{_from(step, record, ', ')}"


def _from(step: NextStep, record: Record, before: str) -> str:
    """Where the decision falls, if the step says."""
    threshold, classes = step.params.get("threshold"), record.dataset.classes
    if threshold is None or not classes:
        return ""
    return f"{before}{words.quoted(classes[-1])} from a score of {words.number(threshold)} on"


def _change_model(step: NextStep, record: Record) -> str:  # noqa: ARG001 - the shared shape
    named = _other_model(step)
    if step.params.get("family") is not None:
        return f"Train a {named} model instead"
    return f"Train with {named}" if named else "Change model"


def _other_model(step: NextStep) -> str:
    """A family, or the parameters that differ."""
    family = step.params.get("family")
    if family is not None:
        return words.shown(family).replace("_", " ")
    return words.listed([f"{name.rpartition('__')[2]} {value}" for name, value in step.params.get("set", {}).items()])


def _retrain(step: NextStep, record: Record) -> str:
    since = step.params.get("since")
    if since is not None:
        return f"Retrain on the rows since {words.shown(since)}"
    if step.params.get("offset") is not None:
        rows = "the newest rows" if "time" in record.dataset.roles else "the rows diagnosed here"
        return f"Shift the scores to the share of positives among {rows}"
    dated = record.dataset.training is not None and isinstance(record.dataset.training.start, datetime)
    for name, said in {
        "last": "Retrain on the last {} alone",
        "half_life": "Retrain, rows of {} ago counting half",
    }.items():
        if step.params.get(name) is not None:
            return said.format(words.duration(step.params[name], dated=dated))
    return f"Retrain with the {words.plural(record.dataset.n_rows, 'row')} diagnosed here"


def _collect(step: NextStep, record: Record) -> str:  # noqa: ARG001 - the shared shape
    where = _where(step)
    return f"Collect more rows where {where}" if where else "Collect as many training rows again"


def _decouple(step: NextStep, record: Record) -> str:  # noqa: ARG001 - the shared shape
    weights = dict(step.params["weights"])
    if step.params["combine"] == "product":
        factors = [words.shown(name) + ("" if by == 1 else f"^{by:.2g}") for name, by in weights.items() if by]
        return f"Decouple the objectives: rank by {' x '.join(factors)}"
    parts = [f"{by:.3g} {words.shown(name)}" for name, by in weights.items() if by]
    return f"Decouple the objectives: rank by {' + '.join(parts)}"


def _drop(step: NextStep, record: Record) -> str:  # noqa: ARG001 - the shared shape
    return f"Take {words.listed([words.shown(name) for name in step.params['columns']])} out of the model"


def _stop(step: NextStep, record: Record) -> str:
    if record.trials is None:
        return "Look at the findings" if _is_found(record) else "Keep this model: nothing found to change"
    return "Keep this model: nothing tried pays" if step == record.next_steps[0] else "Keep this model"


def _is_found(record: Record) -> bool:
    return any(result.found for result in record.results.values())


TITLES: Mapping[str, Callable[[NextStep, Record], str]] = {
    "drop_columns": _drop,
    "relabel": _relabel,
    "resample": _resample,
    "change_metric": _change_metric,
    "decouple": _decouple,
    "retrain_recent": _retrain,
    "change_model": _change_model,
    "reframe": reframing.title,
    "collect_data": _collect,
    "stop": _stop,
}


def _where(step: NextStep) -> str:
    return " and ".join(words.shown(condition) for condition in step.params.get("slice", ()))


# -- gain and cost ----------------------------------------------------------------------------------------------------


def _cost(step: NextStep) -> str:
    if step.kind == "stop":
        return "none"
    if step.bound is not None and not step.cost.seconds and not step.cost.rows:
        return "no refit, no labels, no rows"
    by_hand, refit = words.listed(_by_hand(step.cost)), "a refit"
    if step.cost.seconds:
        refit = f"a refit of {_compute(step.cost.seconds)}"
    if not by_hand:
        return refit if step.cost.seconds else KIND_COST.get(step.kind, "not known")
    return f"{by_hand}, then {refit}"


KIND_COST = {
    "drop_columns": "a refit, and a score that will look worse; no labels, no rows",
    "resample": "a refit; no labels, no rows",
    "retrain_recent": "a refit; no labels, no rows",
    "reframe": "a refit; no labels, no rows",
    "collect_data": "new rows and their labels; how many pay is not known",
}


def _by_hand(cost: Cost) -> list[str]:
    return [
        *([f"{words.plural(cost.labels, 'label')} to check by hand"] if cost.labels else []),
        *([f"{words.plural(cost.rows, 'row')} to collect"] if cost.rows else []),
    ]


def _compute(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    return f"about {seconds:.0f} s" if seconds < 2 * MINUTE else f"about {seconds / MINUTE:.0f} minutes"


# -- why --------------------------------------------------------------------------------------------------------------


def _because(step: NextStep, record: Record) -> tuple[str, ...]:
    """The findings that the step answers, in a sentence each."""
    said = [_finding(record.results[name], step, record) for name in step.because if name in record.results]
    if step.kind == "relabel" and "slice" in step.params:
        said.append(_doubt(step, record))
    if step.kind == "collect_data" and "rows" in step.params and record.trials is not None:
        said += [] if record.trials.curve is None else [trials.curve(record.trials.curve)]
    return tuple(sentence for sentence in said if sentence) or _unasked(step, record)


def _unasked(step: NextStep, record: Record) -> tuple[str, ...]:
    """What speaks for a step that answers no finding: that it was tried."""
    if record.trials is None or step.bound is None:
        return ()
    tried = words.plural(len(record.trials.tried), "step")
    if step not in record.trials.tried:
        return (f"No finding asks for it: {tried} were tried besides.",)
    which = "the best" if step == record.next_steps[0] else "one"
    return (f"No finding asks for it: it is {which} of {tried} tried.",)


def _doubt(step: NextStep, record: Record) -> str:
    """Why labels where a column is missing are worth a look before anything else."""
    found = taking.slice_of(record.results.get("slice_errors"), step)
    if "is missing" not in " ".join(step.params["slice"]):
        return "Wrong labels look like this, and so does a slice that follows a rule of its own: only a check can tell."
    same = found is not None and found[1].only_label is not None
    labels = f"Every label there is {words.quoted(found[1].only_label)}. " if found is not None and same else ""
    return f"{labels}A label computed from a missing value can be wrong: check some before changing any."


def _finding(result: object, step: NextStep, record: Record) -> str:
    match result:
        case SliceErrors():
            item = taking.slice_of(result, step)
            said = "" if item is None else slice_errors.finding(item[1])
        case LabelIssues():
            doubted = [item for item in result.slices if list(item.conditions) == step.params.get("slice")]
            said = label_issues.finding(doubted[0]) if doubted else label_issues.verdict(result, record).sentence
            said = words.capital(said)
        case RecencyDrift():
            said = recency_drift.finding(result)
        case ClassImbalance():
            said = class_imbalance.verdict(result, record).sentence
        case ObjectivesSwept():
            said = objectives.verdict(result, record).sentence
        case MetricMismatch():
            said = metric_mismatch.verdict(result, record).sentence
        case Framing():
            said = framing.because(result, step)
        case _:
            said = ""
    return said
