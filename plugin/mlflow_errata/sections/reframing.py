"""Reframing in words: what each form of the question asks, and the code that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.sections import _words as words
from mlflow_errata.sections.loop import IMPORT

if TYPE_CHECKING:
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep

ANOTHER_LABEL = {"classes", "merge"}
"""Forms after which the evaluation rows need the label in its new form, too."""


def title(step: NextStep, record: Record) -> str:
    """What the step does, in a few words."""
    params = step.params
    form, column = params.get("to"), words.shown(params.get("column") or params.get("by"))
    label = words.shown(record.dataset.roles.get("label"))
    if form == "hierarchy":
        groups = words.plural(len(params["groups"]), "group of classes", "groups of classes")
        first = f"Tell the {column} first" if params.get("by") else f"Tell {groups} first"
        return f"{first}, then the class within it"
    if form == "ordinal":
        return "Ask at every place in the order whether the class lies above"
    if form == "number":
        return f"Predict {column}, then cut it at {_cuts(params['cuts'])}"
    if form == "classes":
        n = len(params["classes"])
        return f"Predict the {n} classes of {column} instead of {label}"
    if form == "merge":
        n = len(params["classes"])
        return f"Merge {n} rare classes into {words.quoted(params['into'])}"
    return "Score pairs of a row and a class: classes keep coming"


def _cuts(cuts: list[float]) -> str:
    return words.listed([f"{cut:g}" for cut in cuts])


def code(step: NextStep, record: Record) -> str:
    """The recipe that takes the step; nothing where columns have to be found first."""
    if step.params.get("to") == "pairs":
        return ""
    at = list(record.next_steps).index(step)
    after = (
        "  # the model then answers in the new classes"
        if step.params.get("to") in ANOTHER_LABEL
        else "  # a clone; then diagnose on rows newer than these"
    )
    return (
        f"{IMPORT}recipe = errata.Recipe.of(record, record.next_steps[{at}])\n"
        f"model = recipe.fit(model, train, newer=evaluation){after}"
    )
