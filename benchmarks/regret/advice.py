"""Who gives advice: errata, and the rules that it is compared with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
from actions import Steps, baseline, everything, gain

import mlflow_errata as errata

if TYPE_CHECKING:
    from cases import Case


@dataclass(frozen=True)
class Advice:
    """What somebody advised, and what it gained.

    Parameters
    ----------
    kind : str, kind of the first step
    steps : all steps
    gained : float, by the first step alone
    planned : float, by all steps
    """

    kind: str
    steps: Steps
    gained: float
    planned: float


def diagnosed(case: Case, budget: float) -> errata.Record:
    """Errata's record of a case; a person checks the labels that it asks for, where somebody knows the truth."""
    if "record" in case.found:
        return case.found["record"]
    roles = {"label": "y", "metric": case.metric, "value": case.value, "features": case.features, "time": case.time}
    columns = [*case.features, "y"] + ([case.time] if case.time else [])
    evaluation, train = case.evaluation[columns], case.train[columns]
    start = process_time()
    record = errata.diagnose(evaluation, train=train, model=baseline(case), budget=budget, **roles)
    case.found["seconds"] = process_time() - start
    case.found["record"], case.found["asked"] = record, record.next_steps[0].kind
    if record.next_steps[0].kind == "relabel" and case.truth is not None:
        record = errata.audited(record, lambda row: case.truth[row["id"]])
        case.found["record"] = record
    return record


def of_errata(case: Case, budget: float) -> Advice:
    """The first step of the record, and its plan."""
    record = diagnosed(case, budget)
    first = record.next_steps[0]
    if first.kind == "stop":
        return Advice(first.kind, (), 0.0, 0.0)
    if first.kind == "collect_data":
        gained = gain(case, ((first.kind, dict(first.params)),))
        return Advice(first.kind, (), gained, gained)
    if first.kind == "relabel":
        relabelled = gain(case, (("relabel", {}),)) if case.truth is not None else 0.0
        return Advice("relabel", (("relabel", {}),), relabelled, relabelled)
    steps = tuple((step.kind, dict(step.params)) for step in record.plan)
    return Advice(first.kind, steps, gain(case, ((first.kind, dict(first.params)),)), gain(case, steps))


def of_chance(case: Case) -> float:
    """What a step drawn at random gains on average."""
    found = [0.0, *(gain(case, steps) for _, steps in everything(case))]
    return float(np.nanmean(found))


def of_rule(case: Case, rule: str, budget: float) -> float:
    """What a rule gains: always the threshold, drift first, or as peers warn."""
    options: dict[str, list[Steps]] = {}
    for kind, steps in everything(case):
        options.setdefault("decision" if kind == "decision" or _is_cut(steps) else kind, []).append(steps)
    results = diagnosed(case, budget).results
    if rule == "threshold":
        wanted = ["decision"]
    elif rule == "drift first":
        wanted = (["retrain_recent"] if _moved(results, 0.1) else []) + ["decision", "relabel"]
    else:  # peers: a warning by a fixed threshold leads to its usual remedy
        wanted = ["retrain_recent"] if _moved(results, 0.2) else []
        wanted += ["relabel"] if _flagged(results) > 0.05 else []
        wanted += ["balance"] if float(min(case.train["y"].value_counts(normalize=True))) < 0.2 else []
    options["balance"] = [steps for steps in options.get("decision", []) if "threshold" not in steps[0][1]][1:2]
    for kind in wanted:
        if options.get(kind):
            return gain(case, options[kind][_usual(kind, options[kind])])
    return 0.0


def _is_cut(steps: Steps) -> bool:
    return len(steps) == 1 and steps[0][0] == "resample"


def _usual(kind: str, options: list[Steps]) -> int:
    """Retraining on recent rows means a window; a decision means the threshold of the model as it is."""
    if kind == "retrain_recent":
        return next(at for at, steps in enumerate(options) if "last" in steps[0][1])
    return 0


def _moved(results: dict, least: float) -> bool:
    drift = results.get("recency_drift")
    return drift is not None and any(shift.psi > least for shift in drift.shifts) | drift.worse


def _flagged(results: dict) -> float:
    issues = results.get("label_issues")
    return 0.0 if issues is None else issues.n_flagged / max(len(issues.ranking), 1)


warnings.filterwarnings("ignore", category=UserWarning)
