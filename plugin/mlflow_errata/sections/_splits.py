"""Splits in words: groups on both sides, and how much a random split flatters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata.sections import _words as words

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._shared_groups import SharedGroups
    from mlflow_errata.record.schema import Record


@dataclass(frozen=True)
class _Split:
    """A split that a random one is compared with, in words, and where a record holds what came of it."""

    named: str
    rows: str
    beside: str
    measured: str
    reason: str


SPLITS = {
    "time": _Split("in time", "the newest", "", "flattery", "random_split"),
    "group": _Split(
        "by groups", "rows of groups held out whole", " beside one by groups", "group_flattery", "group_split"
    ),
}
"""By the role that they need."""


def flattered(record: Record) -> list[str]:
    """How much a random split would flatter; or why that is not known, where it could be."""
    if record.dataset.training is None:
        return []
    return [_against(split, record) for role, split in SPLITS.items() if role in record.dataset.roles]


def _against(split: _Split, record: Record) -> str:
    """How much a random split would flatter against another."""
    found = None if record.trials is None else getattr(record.trials, split.measured)
    if found is None:
        known = {} if record.trials is None else record.trials.not_tried
        why = known.get(split.reason) or known.get("refits") or "it takes two refits, and nothing was refitted"
        return f"How much a random split would flatter{split.beside} was not measured: {words.shown(why)}."
    better = found.gap.low > 0 if record.summary.greater_is_better else found.gap.high < 0
    verdict = (
        f"A random split would flatter: judge by a split {split.named}."
        if better
        else f"A random split of the training rows would not flatter beyond chance{split.beside}."
    )
    return (
        f"{verdict} Fitted again on {words.plural(found.n_fitted, 'training row')}, the model reaches "
        f"{words.metric(record.summary.metric)} {words.estimate(found.at_random)} on others drawn at random, and "
        f"{words.estimate(found.ahead)} on {split.rows}: a difference of {words.change(found.gap)}."
    )


def of_groups(found: SharedGroups | None, record: Record) -> list[str]:
    """How many groups the training rows hold, too, and how their rows are served beside those of new ones."""
    if found is None:
        return []
    name, whole = words.shown(found.column), words.plural(found.n_groups, "group")
    if found.n_shared == 0:
        return [f"None of {whole} ({name}) stands in the training data, too."]
    shared = f"{words.count(found.n_shared)} of {whole} ({name}) stand in the training data, too."
    if found.known is None or found.new is None or found.gap is None:
        return [f"{shared} The rows of known or of new groups are too few to compare."]
    better = found.gap.low > 0 if record.summary.greater_is_better else found.gap.high < 0
    served = "are served no better than new ones beyond chance"
    if found.flatters or better:
        served = "are served better than new ones" if found.flatters else "may be served better than new ones"
    measured = (
        f"Known groups {served}: {words.metric(found.metric)} {words.estimate(found.known)} against "
        f"{words.estimate(found.new)}, a difference of {words.change(found.gap)}."
    )
    return [f"{shared} {measured}"]
