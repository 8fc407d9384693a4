"""The order in which steps are suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.steps import decouple, relabel, stop
from mlflow_errata.steps._shape import NOT_TRIED

if TYPE_CHECKING:
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.trials._shape import Trials


def ranked(
    tried: list[NextStep], trials: Trials, proposed: list[NextStep], collected: list[NextStep]
) -> tuple[NextStep, ...]:
    """Labels beside a missing value first (no gain holds on them), then what pays, other doubts, stop, the rest.

    Rows to collect come after labels in doubt: what more rows would gain is the weakest of the estimates, and rows cost
    more than 40 labels. A mix of logged scores has a unit of its own: it comes after what was tried and pays.
    """
    labels = [step for step in proposed if step.kind == relabel.KIND]
    first = [step for step in labels if SLICE_ERRORS in step.because]
    measured = sorted([*tried, *collected], key=lambda step: -(step.bound or 0.0))
    if trials.plan:
        measured = [trials.plan[0], *(step for step in measured if step is not trials.plan[0])]
    mixes = [step for step in proposed if step.kind == decouple.KIND]
    kinds = {step.kind for step in measured}
    others = [step for step in proposed if step.kind not in {relabel.KIND, decouple.KIND, stop.KIND}]
    untried = [step for step in others if step.kind not in kinds or step.gain_reason not in {"", NOT_TRIED}]
    doubts = [step for step in labels if SLICE_ERRORS not in step.because]
    paying, rest = ([step for step in measured if step.pays is pays] for pays in (True, False))
    free, bought = ([step for step in paying if (step in collected) is wanted] for wanted in (False, True))
    return (*first, *free, *mixes, *doubts, *bought, stop.nothing_pays(), *untried, *rest)
