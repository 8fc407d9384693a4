"""Two models on the same rows, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.sections import _words as words

if TYPE_CHECKING:
    from mlflow_errata._compare import Change, Comparison


def summary(found: Comparison) -> str:
    """The change on all rows, then the slices that got worse and better."""
    first = (
        f"{words.capital(found.old.unit)} {words.value(found.old)} before, {words.value(found.new)} now: a change of "
        f"{_change(found.change.unit, found.change.value, found.change.low, found.change.high)} on "
        f"{words.plural(found.old.n, 'row')}; {words.plural(found.n_examined, 'slice')} examined."
    )
    lines = [first]
    for title, changes in (("Worse by more than other rows:", found.worse), ("Better:", found.better)):
        if changes:
            lines += ["", title, *(f"- {_line(item)}" for item in changes)]
    if not found.worse and not found.better:
        lines.append("No slice changed more than the others beyond chance.")
    return "\n".join(lines)


def _line(item: Change) -> str:
    conditions = " and ".join(words.shown(condition) for condition in item.conditions)
    change = _change(item.change.unit, item.change.value, item.change.low, item.change.high)
    return (
        f"{conditions}: {words.value(item.old)} before, {words.value(item.new)} now, a change of {change} on "
        f"{words.plural(item.support, 'row')}"
    )


def _change(unit: str, value: float, low: float, high: float) -> str:
    if unit == "change of error rate":
        return f"{100 * value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{value:+.3g} ({low:+.3g} to {high:+.3g})"
