"""Variants: what can be changed about a model, one part at a time and together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Steps = tuple[tuple[str, dict[str, Any]], ...]

BY_VALUE = "by value"
"""The model, among those fitted, that the value chooses on rows that do not judge."""


@dataclass(frozen=True)
class Variant:
    """A model with some parts changed; the default is the model as it is.

    Parameters
    ----------
    rows : "all", "last" or "half_life" with a length of time: refitted on rows up to now
    balance : "class_weight", "root_weight", "over", "under", "smote": refitted on balanced classes
    model : "bigger", "smaller" or a family: another model refitted; BY_VALUE: whichever of them the value chooses
    offset : bool, the log-odds follow the share of positives among the newest rows
    cut : "told" by the value or the metric if the scores are right, or "tuned" on rows: where the decision falls
    seed : int or None, another seed of the training
    frame : name of another form of the question, refitted
    """

    rows: tuple[str, float] | None = None
    balance: str | None = None
    model: str | None = None
    offset: bool = False
    cut: Literal["told", "tuned"] | None = None
    seed: int | None = None
    frame: str | None = None

    @property
    def fitted(self) -> Variant:
        """The part that has to be fitted."""
        return replace(self, offset=False, cut=None)


CHOSEN = Variant(model=BY_VALUE)
"""The fitted part of a choice among models."""


@dataclass(frozen=True)
class Change:
    """One candidate: a step kind, its family, and the parts that it changes.

    Parameters
    ----------
    kind : kind of the step
    family : candidates of one family answer the same question; the best of them is a next step
    parts : mapping of fields of Variant
    cost : int, the cheaper of equals wins
    """

    kind: str
    family: str
    parts: Mapping[str, Any]
    cost: int

    def of(self, current: Variant) -> Variant | None:
        """The current variant with this change; None where a part is taken already."""
        if any(getattr(current, name) != getattr(Variant(), name) and name != "cut" for name in self.parts):
            return None
        if self.family == "decision" and current.cut is not None and "balance" not in self.parts:
            return None
        if (self.parts.get("offset") and current.rows) or (self.parts.get("rows") and current.offset):
            return None
        return replace(current, **self.parts)


def changes(
    *,
    decides: bool,
    by_value: bool,
    told: bool,
    shares: bool,
    refits: bool,
    balances: bool,
    span: float | None,
    recent: bool,
    sizes: tuple[str, ...],
    frames: tuple[str, ...] = (),
    chooses: bool = False,
    several: bool = False,
) -> Iterator[Change]:
    """All candidates, the cheapest and likeliest first.

    Parameters
    ----------
    decides : a threshold can be moved and the objective sees it
    by_value : the objective is the declared value
    told : the value or the metric tells the threshold of a calibrated model
    shares : an offset can be tried
    refits : the estimator can be fitted
    balances : classes are imbalanced enough to balance them
    span : length of time that training and evaluation rows cover; None without times in both
    recent : there are newer rows to fit on
    sizes : names of other models
    frames : names of other forms of the question
    several : there are more than two classes
    chooses : the value may choose another model than the metric does
    """
    kind = "change_metric" if by_value else "resample"
    if decides and told:
        yield Change(kind, "decision", {"cut": "told"}, 0)
    if decides:
        yield Change(kind, "decision", {"cut": "tuned"}, 1 if by_value else 0)
    if shares:
        yield Change("retrain_recent", "offset", {"offset": True}, 0)
    if not refits:
        return
    if recent:
        yield Change("retrain_recent", "refit", {"rows": ("all", 0.0)}, 0)
    yield from _other_models(frames, sizes)
    cut = {"cut": "tuned"} if decides and not several else {}
    if chooses:
        yield Change("change_metric", "decision", {"model": BY_VALUE, **cut}, 5)
    if balances:
        yield Change("resample", "decision", {"balance": "class_weight", **cut}, 2)
    if recent and span is not None:
        yield Change("retrain_recent", "forget", {"rows": ("last", span / 4)}, 1)
        yield Change("retrain_recent", "forget", {"rows": ("half_life", span / 4)}, 1)
        yield Change("retrain_recent", "forget", {"rows": ("last", span / 8)}, 1)
    if balances:
        yield from _balanced(cut, several=several)


def _balanced(cut: dict[str, Any], *, several: bool) -> Iterator[Change]:
    """Other ways to balance classes than weights: of several classes half of the weights alone, which are milder."""
    if several:
        yield Change("resample", "decision", {"balance": "root_weight"}, 2)
        return
    for method, cost in (("over", 3), ("under", 3), ("smote", 4)):
        yield Change("resample", "decision", {"balance": method, **cut}, cost)


def _other_models(frames: tuple[str, ...], sizes: tuple[str, ...]) -> Iterator[Change]:
    for name in frames:
        yield Change("reframe", name, {"frame": name}, 0)
    for name in sizes:
        yield Change("change_model", "model", {"model": name}, 0)
