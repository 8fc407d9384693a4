"""The code that takes a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.sections import _by_label, reframing
from mlflow_errata.sections.loop import IMPORT
from mlflow_errata.steps import decides_only

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep


FIT = "model = recipe.fit(model, train, newer=evaluation)  # a clone; then diagnose on rows newer than these"
DECIDE = "model = recipe.decide(model)  # the model as it is, by another rule; nothing is fitted"


def code(step: NextStep, record: Record) -> str:
    """The code that takes a step: its recipe where it was tried; empty where people have to do it."""
    found = CODE.get(step.kind) if step.bound is None else _recipe
    return "" if found is None else found(step, record)


def slice_of(result: object, step: NextStep) -> tuple[int, Slice] | None:
    """The slice that a step speaks of, with its position."""
    if not isinstance(result, SliceErrors):
        return None
    wanted = list(step.params.get("slice", ()))
    return next(((at, item) for at, item in enumerate(result.slices) if list(item.conditions) == wanted), None)


def _recipe(step: NextStep, record: Record) -> str:
    """The recipe of a step; where more of the plan follows, how to take all of it."""
    if step.kind == "collect_data":
        return _collect(step, record)
    if step.kind == "decouple":
        return _decouple(step, record)
    if step.kind == "reframe":
        return reframing.code(step, record)
    if record.summary.task == "multilabel":
        return _by_label.code(step, record)
    at = list(record.next_steps).index(step)
    goes_on = step in record.plan[:1] and len(record.plan) > 1
    whole = f"  # errata.Recipe.of(record): the plan of {len(record.plan)} steps" if goes_on else ""
    return (
        f"{IMPORT}recipe = errata.Recipe.of(record, record.next_steps[{at}]){whole}\n"
        f"{DECIDE if decides_only(step.kind, dict(step.params)) else FIT}"
    )


def _decouple(step: NextStep, record: Record) -> str:
    at = list(record.next_steps).index(step)
    return (
        f"{IMPORT}recipe = errata.Recipe.of(record, record.next_steps[{at}])  # recipe.to_json() holds the weights\n"
        "rank_by = recipe.score(evaluation)  # of the logged scores; nothing is refitted"
    )


def _of_slice(step: NextStep, record: Record) -> str:
    found = slice_of(record.results.get("slice_errors"), step)
    return "" if found is None else f'found = record.results["slice_errors"].slices[{found[0]}]\n'


def _relabel(step: NextStep, record: Record) -> str:
    if "decisions" in step.params:
        return _corrected(step, record)
    if "label_issues" in step.because:
        audit = step.params.get("audit")
        return (
            f"to_check = errata.audit(record, n={audit})  # fill the column decision\n"
            "record = errata.audited(record, to_check)"
            if audit
            else ""
        )
    found, audit = _of_slice(step, record), step.params.get("audit")
    return found and (
        f"{found}to_check = train[found.mask(train)]\n"
        f"to_check = to_check.sample(min({audit}, len(to_check)), random_state=0)"
    )


def _corrected(step: NextStep, record: Record) -> str:
    at = list(record.next_steps).index(step)
    return (
        f"{IMPORT}recipe = errata.Recipe.of(record, record.next_steps[{at}])\n"
        "model = recipe.fit(model, train)  # a clone, on exactly these labels, by id; what train lacks is named"
    )


def _collect(step: NextStep, record: Record) -> str:
    found = _of_slice(step, record)
    return found and f"{found}to_label = pool[found.mask(pool)]"


def _drop(step: NextStep, record: Record) -> str:
    label, columns = _role(record, "label"), list(step.params["columns"])
    return (
        f"kept = [name for name in features if name not in {columns!r}]\n"
        f"model.fit(train[kept], train[{label!r}])  # then diagnose again: no gain holds before"
    )


def _role(record: Record, role: str) -> Any:
    return record.dataset.roles.get(role, role)


CODE: Mapping[str, Callable[[NextStep, Record], str]] = {
    "drop_columns": _drop,
    "relabel": _relabel,
    "resample": _recipe,
    "retrain_recent": _recipe,
    "reframe": reframing.code,
    "collect_data": _collect,
}
