"""What-if trials in words and a picture: what was tried, by how much it moved the metric, and how that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Text
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, Dot, Series, axis_of_change, dots, of_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.blocks import Status
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.trials._shape import Choice, LearningCurve, Trials

SERIES: Mapping[Status, Series] = {
    "good": of_status("good", "beats doing nothing"),
    "likely": of_status("likely", "likely beats doing nothing"),
    "unsure": of_status("unsure", "too little evidence, or worth too little"),
    "bad": of_status("bad", "loses beyond chance"),
}
LIKELY = 2 / 3
"""Chance from which a gain is called likely."""
NOTHING = "Do nothing"
REFERENCE = Series("doing nothing", GREY, "cross")
MOST_DOTS = 14
"""Steps that the chart shows."""


def gain(step: NextStep, record: Record) -> str:
    """The gain that a step is ranked by, in words; or why there is none."""
    best = step.gain_value or step.gain
    if best is None:
        return step.gain_reason
    return f"{amount(best, record)}, known after the check" if is_unchecked(step) else amount(best, record)


def status(step: NextStep) -> Status:
    """Whether a step pays, likely pays, loses beyond chance, or none of it can be told.

    What pays does so on the rows that judged; where the interval for rows that come reaches below zero, it is likely.
    """
    best = step.gain_value or step.gain
    if step.kind == "stop" or best is None:
        return "unsure"
    if step.pays:
        return "good" if best.low > 0 else "likely"
    return "bad" if best.high < 0 else "unsure"


def is_unchecked(step: NextStep) -> bool:
    """Whether the gain is what a check of labels may show: anything from nothing to all of them wrong."""
    return step.kind == "relabel" and step.bound is None and "audit" in step.params and step.gain is not None


def amount(measured: Estimate, record: Record) -> str:
    """A gain with its interval and its unit; of a metric that should be small, what it falls by."""
    if measured.unit.startswith("share of ") and measured.unit != "share of rows":
        return f"{words.change(measured)} of {words.shown(measured.unit.removeprefix('share of '))}"
    less = not record.summary.greater_is_better and measured.unit == record.summary.metric
    return f"{words.change(measured)} {'less ' if less else ''}{words.metric(measured.unit)}"


def lede(record: Record, trials: Trials, later: Sequence[str] = ()) -> str:
    """What the trials say, in a sentence or two; `later` are the names of what the plan goes on with."""
    first, n_tried = record.next_steps[0], words.plural(len(trials.tried), "step")
    if first.kind == "stop":
        return f"{n_tried} tried, and none pays.{_detectable(trials)}"
    if is_unchecked(first) or (first.gain_value or first.gain) is None:
        others = f" Gains of the {n_tried} tried hold on the labels as they are." if trials.tried else ""
        return f"The findings ask for it first. {_before_a_check(first)}{others}"
    best = f", the best of {n_tried} tried" if first in trials.tried else f"; {n_tried} tried besides"
    said = f"Expected gain: {gain(first, record)}{best}.{_likely(first)}"
    if first.gain_value is not None and first.gain is not None:
        said += f" {words.capital(words.metric(first.gain.unit))} moves by {words.change(first.gain)}."
    return said + _then(record, later)


def _likely(step: NextStep) -> str:
    if status(step) != "likely" or step.chance_gains is None:
        return ""
    said = "Likely, not sure" if step.chance_gains >= LIKELY else "Not sure"
    return f" {said}: the chance that rows to come gain is {100 * step.chance_gains:.0f} %."


def _before_a_check(step: NextStep) -> str:
    best = step.gain_value or step.gain
    if best is None:
        return "Its gain is known after the check."
    ends = f"{words.change(best)} {words.metric(best.unit)}"
    return f"Right labels may be worth {ends}: nothing if all are right, most if all are wrong; the check tells."


def _then(record: Record, later: Sequence[str]) -> str:
    """What the later steps of the plan add."""
    added = [f"{name} ({gain(step, record)} more)" for name, step in zip(later, record.plan[1:], strict=False)]
    return f" The plan goes on: {words.listed(added)}." if added else ""


def _detectable(trials: Trials) -> str:
    if trials.detectable is None:
        return ""
    least = words.amount(trials.detectable, trials.unit)
    return f" A gain below {least} {words.metric(trials.unit)} could not have been told."


def section(trials: Trials, names: Sequence[str]) -> list[Block]:
    """The chart of everything tried, and how it was measured.

    Parameters
    ----------
    trials : Trials
    names : what each of `trials.tried` is called
    """
    said = [*_tied(trials, names), *how(trials)]
    return [*_chart(trials, names), *(Text(sentence) for sentence in said)]


def _tied(trials: Trials, names: Sequence[str]) -> list[str]:
    """What pays as much as the first step, as far as can be told."""
    if not trials.tied:
        return []
    others = words.listed([words.quoted(words.distinct(names)[at]) for at in trials.tied])
    return [f"Not to be told from the first step: {others}. Of equals the cheapest and best calibrated comes first."]


def how(trials: Trials) -> list[str]:
    """How the gains were measured, sentence by sentence."""
    return [
        _counted(trials),
        *_refits(trials),
        *([_choice(trials.choice)] if trials.choice is not None else []),
        *([curve(trials.curve)] if trials.curve is not None else []),
        *([f"Not tried: {'; '.join(_not_tried(trials))}."] if trials.not_tried else []),
        *(["The trials were interrupted; what had been measured is kept."] if trials.interrupted else []),
    ]


def _counted(trials: Trials) -> str:
    return (
        f"{words.plural(len(trials.tried), 'step')} tried in {words.number(trials.seconds)} s. {_judged(trials)} "
        f"Intervals hold what rows to come gain in 9 of 10 cases; steps are ranked by a lower bound of the gain on the "
        f"rows that judged.{_detectable(trials)}"
    )


def _judged(trials: Trials) -> str:
    rows = words.plural(trials.n_judging, "row")
    if trials.judged == "folds":
        return f"{rows} judged, each by thresholds that other rows chose."
    return (
        f"{rows} in {words.plural(trials.n_periods, 'period')} judged what earlier rows chose, with refits at "
        f"{words.plural(trials.n_origins, 'moment')}.{_earlier(trials)}"
    )


def _earlier(trials: Trials) -> str:
    if not trials.n_earlier:
        return ""
    rows = words.plural(trials.n_earlier, "training row")
    return f" The newer {rows} judged thresholds too, each answered by a model fitted on older ones."


def _refits(trials: Trials) -> list[str]:
    said = []
    if trials.noise is not None:
        verdict = (
            "" if trials.reliable else " That is beyond chance: refits differ too much for their gains to be relied on."
        )
        said.append(
            f"The unchanged model, refitted with another seed, moves by {words.change(trials.noise)} "
            f"{words.metric(trials.unit)}.{verdict}"
        )
    if trials.n_train < trials.n_train_given:
        said.append(
            f"To stay within {words.number(trials.budget)} s, models were fitted on {words.count(trials.n_train)} of "
            f"{words.plural(trials.n_train_given, 'training row')}."
        )
    return said


def _choice(choice: Choice) -> str:
    """What choosing by the value is worth against choosing by the metric."""
    metric, worth = words.metric(choice.metric), f"{words.change(choice.gain)} {words.metric(choice.gain.unit)}"
    if choice.by_value == choice.by_metric:
        return f"Of {choice.n_models} models the value and {metric} prefer the same, at the same threshold."
    one, other = _chosen(*choice.by_value), _chosen(*choice.by_metric)
    return (
        f"Of {choice.n_models} models the value prefers {one}, {metric} {other}: choosing by the value is worth "
        f"{worth} on the rows that did not choose."
    )


def _chosen(name: str | None, threshold: float | None) -> str:
    known = {None: "the one in use", "bigger": "the bigger one", "smaller": "the smaller one"}
    model = known.get(name, f"a {str(name).replace('_', ' ')} model")
    return model if threshold is None else f"{model} cut at {words.number(threshold)}"


def curve(found: LearningCurve) -> str:
    """What each doubling of the training rows gained, and what one more would."""
    unit = words.metric(found.doubled.unit)
    sizes = words.listed([words.count(size) for size in found.sizes])
    gained = words.listed([words.change(gain) for gain in found.gains])
    return (
        f"Fitted on {sizes} training rows, each doubling gained {gained} {unit}. As many again would gain "
        f"{words.change(found.doubled)}, if a doubling gains from half to all of what the one before it did."
    )


def _not_tried(trials: Trials) -> list[str]:
    """Reasons, each with what it holds for."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in trials.not_tried.items():
        by_reason.setdefault(reason, []).append(words.shown(name).replace("_", " "))
    return [f"{words.listed(names)} ({' '.join(reason.split())})" for reason, names in by_reason.items()]


def _nothing(trials: Trials) -> Dot:
    """The unchanged model, with its own noise where it was refitted."""
    found = trials.noise
    if found is None:
        return Dot(NOTHING, 0.0, REFERENCE.words, words="0")
    return Dot(NOTHING, found.value, REFERENCE.words, found.low, found.high, words.change(found))


def _chart(trials: Trials, names: Sequence[str]) -> list[Block]:
    rows = []
    for name, step in list(zip(words.distinct(names), trials.tried, strict=True))[:MOST_DOTS]:
        best = step.gain_value or step.gain
        if best is not None:
            rows.append(Dot(name, best.value, SERIES[status(step)].words, best.low, best.high, words.change(best)))
    if not rows:
        return []
    rows.insert(sum(step.pays for step in trials.tried[:MOST_DOTS]), _nothing(trials))
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    room = 0.3 * (max(*ends, 0.0) - min(*ends, 0.0)) or 1.0
    domain = (min(*ends, 0.0) - room, max(*ends, 0.0) + room)
    x = {"title": f"gain in {words.counted_in(trials.unit)} (90 % interval)", "axis": axis_of_change(trials.unit)}
    spec = dots(rows, (*SERIES.values(), REFERENCE), x=x, domain=domain, rule=0.0)
    told = words.listed([f"{row.name} {row.words}" for row in rows], most=MOST_DOTS)
    return [Chart(spec, alt=f"Gain of every step tried: {told}.")]
