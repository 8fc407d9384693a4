"""What works for which task: every diagnosis and every step on a small table of each task, as the table in docs/tasks.md.

The page is written by

    python tests/test_tasks.py
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric
from mlflow_errata.steps import KINDS, change_model, propose
from mlflow_errata.steps._shape import NOT_TRIED
from mlflow_errata.table import TASKS
from mlflow_errata.trials.run import try_steps

PAGE = Path(__file__).parents[1] / "docs" / "tasks.md"
FEATURES = ["a", "b", "region"]
LABELS = ["rain", "wind"]
MODELS = {
    "binary": LogisticRegression(),
    "multiclass": DecisionTreeClassifier(max_leaf_nodes=8, random_state=0),
    "multilabel": MultiOutputClassifier(LogisticRegression()),
    "regression": Ridge(),
}
YES = "yes"


def rows(task, n, seed, start=0.0):
    """Rows with something for every diagnosis: a noisy region, a turn in time, what stands beside the label."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=(2, n))
    region = draw.integers(0, 4, n)
    at = start + np.arange(n) / n
    noise = np.where(region == 3, 3.0, 0.4)
    amount = np.where(at > 1.6, -1, 1) * 3 * a + b + noise * draw.normal(size=n)
    found = pd.DataFrame({"a": a, "b": b, "region": region, "at": at})
    bug = draw.random(n) < 0.1
    found["seen"] = pd.Series(draw.normal(size=n)).where(~bug)
    amount = np.where(bug, -9.0, amount)  # as a comparison with a missing value gives
    if task == "regression":
        return found.assign(y=amount, grade=np.digitize(amount, [-2.0, 2.0]))
    if task == "binary":
        return found.assign(y=(amount > 2.5).astype(int), amount=amount)
    if task == "multiclass":
        return found.assign(y=np.digitize(amount, [-7.0, -1.0, 1.0, 6.0]), amount=amount)
    wind = (b + noise * draw.normal(size=n) > 0) & ~bug
    return found.assign(rain=(amount > 2.5).astype(int), wind=wind.astype(int))


def no_value(_truth, said):
    """One for every positive decision, so that decisions are worth something for every task."""
    return np.asarray(said, dtype=float).reshape(len(said), -1).sum(axis=1)


@cache
def diagnosed(task, *, leak=False):
    """Results, reasons and steps of a task; `leak` adds a column that gives the label away."""
    train, test = rows(task, 600, 0), rows(task, 1600, 1, start=1.0)
    label, features = LABELS if task == "multilabel" else "y", list(FEATURES)
    if leak:
        first = label if label == "y" else label[0]
        train, test = (given.assign(copy=100 * given[first]) for given in (train, test))
        features.append("copy")
    model = MODELS[task].fit(train[features], train[label])
    value = no_value if task in {"multilabel", "regression"} else (lambda y, said: (y == said).astype(float))
    table = EvaluationTable.build(
        test,
        label=label,
        model=model,
        features=features,
        time="at",
        value=value,
        train=train,
        task=task,
    )
    metric = default_metric(table.outcomes)
    results, reasons = {}, {}
    for name, diagnosis in CATALOGUE.items():
        try:
            results[name] = diagnosis.diagnose(table, Options(metric))
        except NotApplicable as reason:
            reasons[name] = str(reason)
    steps = propose(results, table)
    if not leak:
        with patch.object(change_model, "FAMILIES", ("linear",)):
            steps, trials = try_steps(
                table, results, steps, model=model, metric=metric, value=value, budget=1e6, clock=lambda: 0.0
            )
        steps = (*steps, *(trials.tried if trials is not None else ()))
    return results, reasons, steps


def of_diagnosis(name, task):
    """A cell: works, or why not."""
    results, reasons, _ = diagnosed(task)
    return YES if name in results else f"no: {reasons[name]}"


def of_step(kind, task):
    """A cell: its gain is measured, it is proposed, or why not."""
    steps = [step for leak in (False, True) for step in diagnosed(task, leak=leak)[2] if step.kind == kind]
    why = getattr(KINDS[kind], "NOT_FOR", {}).get(task)
    if why is not None:
        return f"no: {why}"
    if kind == "stop":
        return YES
    if any((step.gain_value or step.gain) is not None for step in steps):
        return "measured"
    if not steps:
        return ""
    said = steps[0].gain_reason
    return f"proposed, {said}" if said != NOT_TRIED else "proposed"


def table(first, names, cell):
    """A table of the page: a row a name, a column a task."""
    lines = [f"| {first} | {' | '.join(TASKS)} |", f"|{'---|' * (len(TASKS) + 1)}"]
    lines += [f"| `{name}` | {' | '.join(cell(name, task) for task in TASKS)} |" for name in names]
    return "\n".join(lines)


def page():
    """The whole page."""
    return f"""# What works for which task

Every diagnosis and every step, run on a small table of each task by `tests/test_tasks.py`, which writes this page
(`python tests/test_tasks.py`) and fails where it no longer holds.

## Diagnoses

{table("diagnosis", CATALOGUE, of_diagnosis)}

## Steps

*measured*: a trial states its gain; *proposed*: the results ask for it, and people or other data have to come first.

{table("step", KINDS, of_step)}
"""


@pytest.mark.parametrize("task", TASKS)
def test_every_diagnosis_works_or_says_why_not(task):
    results, reasons, _ = diagnosed(task)
    assert {*results, *reasons} == set(CATALOGUE)
    assert all(reasons.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_works_for_a_task_or_says_why_not(kind):
    """A step that these tables ask for at all is asked for by every task, or says why it has nothing to do there."""
    cells = {task: of_step(kind, task) for task in TASKS}
    if any(not cell.startswith("no") and cell for cell in cells.values()):
        assert all(cells.values()), (
            f"{kind}: plant it for the empty tasks above, or say in NOT_FOR why it is none: {cells}"
        )


def test_a_step_that_is_not_for_a_task_is_never_proposed_for_it():
    for kind, module in KINDS.items():
        for task in getattr(module, "NOT_FOR", {}):
            steps = [step for leak in (False, True) for step in diagnosed(task, leak=leak)[2] if step.kind == kind]
            assert not steps, (kind, task)


def test_the_page_is_as_the_tests_find_it():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python tests/test_tasks.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
