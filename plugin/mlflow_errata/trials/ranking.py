"""The order in which steps are suggested, and why some of them have no gain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.steps import change_metric, collect_data, decouple, reframe, relabel, resample, retrain_recent, stop
from mlflow_errata.steps._shape import NOT_TRIED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.trials._shape import Trials


def ranked(
    tried: list[NextStep], trials: Trials, proposed: list[NextStep], collected: list[NextStep]
) -> tuple[NextStep, ...]:
    """Labels beside a missing value first (no gain holds on them), then what pays, other doubts, stop, the rest.

    A proposed step is left out where its question was tried; else it stands among what was tried if its diagnosis
    measured that it pays. Rows to collect come after labels in doubt: what more rows would gain is
    the weakest of the estimates, and rows cost more than 40 labels. A mix of logged scores has a unit of its own: it
    comes after what was tried and pays.
    """
    labels = [step for step in proposed if step.kind == relabel.KIND]
    first = [step for step in labels if SLICE_ERRORS in step.because]
    answered = {_question(step) for step in (*trials.tried, *tried, *collected)}
    others = [step for step in proposed if step.kind not in {relabel.KIND, decouple.KIND, stop.KIND}]
    open_ones = [step for step in others if _question(step) not in answered]
    known = [step for step in open_ones if step.pays]
    measured = sorted([*tried, *collected, *known], key=lambda step: -(step.bound or 0.0))
    if trials.plan:
        measured = [trials.plan[0], *(step for step in measured if step is not trials.plan[0])]
    mixes = [step for step in proposed if step.kind == decouple.KIND]
    untried = with_reasons([step for step in open_ones if not step.pays], trials.not_tried)
    doubts = [step for step in labels if SLICE_ERRORS not in step.because]
    paying, rest = ([step for step in measured if step.pays is pays] for pays in (True, False))
    free, bought = ([step for step in paying if (step in collected) is wanted] for wanted in (False, True))
    return (*first, *free, *mixes, *doubts, *bought, stop.nothing_pays(), *untried, *rest)


def _question(step: NextStep) -> tuple[str, ...]:
    """The question that a step answers: steps of some kinds answer several."""
    params = step.params
    if step.kind == change_metric.KIND and params.get("by") == change_metric.BY_VALUE:
        return (step.kind, "another model" if {"set", "family"} & set(params) else "the model in use")
    asked = {collect_data.KIND: ("slice",), reframe.KIND: ("to", "by", "column", "asked"), change_metric.KIND: ("by",)}
    return (step.kind, *(repr(params.get(name)) for name in asked.get(step.kind, ())))


# -- why not ----------------------------------------------------------------------------------------------------------


def with_reasons(steps: Sequence[NextStep], not_tried: Mapping[str, str]) -> tuple[NextStep, ...]:
    """The steps, each that was not tried with the reason, as far as there is one."""
    return tuple(_with_reason(step, reason_of(step, not_tried)) for step in steps)


def _with_reason(step: NextStep, reason: str) -> NextStep:
    if not reason or step.gain_reason != NOT_TRIED:
        return step
    return replace(step, gain_reason=f"{NOT_TRIED}: {reason}")


def reason_of(step: NextStep, not_tried: Mapping[str, str]) -> str:
    """Why a step was not tried: its own reason, that of all refits, that of others of its kind, or the only one."""
    named = {retrain_recent.KIND: "all", **{kind: str(step.params.get(name)) for kind, name in NAMED.items()}}
    exact = f"{step.kind}: {named.get(step.kind, '')}"
    own = [reason for name, reason in not_tried.items() if name == step.kind]
    own += [reason for name, reason in not_tried.items() if step.kind in named and name.startswith(exact)]
    refits = [not_tried["refits"]] if "refits" in not_tried else []
    kin = [reason for name, reason in not_tried.items() if name.startswith(f"{step.kind}: ")]
    only = set(not_tried.values())
    return next(iter([*own, *refits, *kin, *(only if len(only) == 1 else ())]), "")


NAMED = {reframe.KIND: "to", resample.KIND: "method"}
"""The parameter by which a step of a kind is named among what was not tried."""
