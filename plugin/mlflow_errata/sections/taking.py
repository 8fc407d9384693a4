"""The code that takes a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.sections import _by_label, reframing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep


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
    """The recipe of a step that was tried; the first one takes the whole plan."""
    if step.kind == "collect_data":
        return _collect(step, record)
    if step.kind == "decouple":
        return _decouple(step, record)
    if step.kind == "reframe":
        return reframing.code(step, record)
    if record.summary.task == "multilabel":
        return _by_label.code(step, record)
    planned = step in record.plan[:1]
    at = list(record.next_steps).index(step)
    chosen = "record" if planned else f"record, record.next_steps[{at}]"
    return (
        "import mlflow_errata as errata\n\n"
        f"recipe = errata.Recipe.of({chosen})\n"
        "model = recipe.fit(model, train, newer=evaluation)  # a clone; then diagnose on rows newer than these"
    )


def _decouple(step: NextStep, record: Record) -> str:
    at = list(record.next_steps).index(step)
    return (
        "import mlflow_errata as errata\n\n"
        f"recipe = errata.Recipe.of(record, record.next_steps[{at}])  # recipe.to_json() holds the weights\n"
        "rank_by = recipe.score(evaluation)  # of the logged scores; nothing is refitted"
    )


def _of_slice(step: NextStep, record: Record) -> str:
    found = slice_of(record.results.get("slice_errors"), step)
    return "" if found is None else f'found = record.results["slice_errors"].slices[{found[0]}]\n'


def _relabel(step: NextStep, record: Record) -> str:
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


def _collect(step: NextStep, record: Record) -> str:
    found = _of_slice(step, record)
    return found and f"{found}to_label = pool[found.mask(pool)]"


def _drop(step: NextStep, record: Record) -> str:
    label, columns = _role(record, "label"), list(step.params["columns"])
    return (
        f"kept = [name for name in features if name not in {columns!r}]\n"
        f"model.fit(train[kept], train[{label!r}])  # then diagnose again: no gain holds before"
    )


def _resample(step: NextStep, record: Record) -> str:
    label = _role(record, "label")
    if step.params.get("method") != "class_weight":
        return ""
    return (
        "from sklearn.utils.class_weight import compute_sample_weight\n\n"
        f'weight = compute_sample_weight("balanced", train[{label!r}])\n'
        f"model.fit(train[features], train[{label!r}], sample_weight=weight)"
    )


def _retrain(step: NextStep, record: Record) -> str:
    label, time, since = _role(record, "label"), _role(record, "time"), step.params.get("since")
    recent = "" if since is None else f"rows = rows[rows[{time!r}] >= {since!r}]\n"
    return (
        "import pandas as pd\n\n"
        f"rows = pd.concat([train, evaluation])\n{recent}"
        f"model.fit(rows[features], rows[{label!r}])  # then diagnose on rows newer than these"
    )


def _role(record: Record, role: str) -> Any:
    return record.dataset.roles.get(role, role)


CODE: Mapping[str, Callable[[NextStep, Record], str]] = {
    "drop_columns": _drop,
    "relabel": _relabel,
    "resample": _resample,
    "retrain_recent": _retrain,
    "reframe": reframing.code,
    "collect_data": _collect,
}
