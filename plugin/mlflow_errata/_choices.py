"""What people decided about proposed steps, and what came of it: as JSON of a tag's length."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlflow_errata.errors import NotAnEstimate
from mlflow_errata.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow_errata.steps._shape import NextStep

Verdict = Literal["accept", "decline"]
CHOICE_TAG = "errata.choice."
"""Followed by a name of its own for every decision."""
ROUNDING = 1e-9
"""Share of a promised interval by which an end may be missed for the last digits' sake."""
LONGEST = 1000
"""Characters of a reason or a title that are kept: a tag holds 8,000."""


@dataclass(frozen=True)
class Choice:
    """What one person decided about one proposed step of a run.

    Parameters
    ----------
    verdict : "accept" or "decline"
    kind : str, of the step
    title : str, what the step does
    by, why : str
    at : str, when: ISO 8601, UTC
    promised : Estimate or None, the gain by which the step was ranked, more is better
    recipe : str or None, artifact path of the recipe
    by_hand : str, why there is no recipe; empty where there is one, and for what was declined
    on_evaluation : bool, True if the recipe fits on the evaluation rows of the run
    suggested : bool, True if the step was the first of the run
    """

    verdict: Verdict
    kind: str
    title: str
    by: str
    why: str
    at: str
    promised: Estimate | None
    recipe: str | None
    by_hand: str
    on_evaluation: bool
    suggested: bool

    @classmethod
    def parsed(cls, text: str) -> Choice | None:
        """A choice from a tag; None if it is none."""
        told = _mapping(text)
        try:
            choice = cls(**{**told, "promised": estimate_from(told["promised"])})
        except (TypeError, KeyError, ValueError):
            return None
        return choice if choice.verdict in {"accept", "decline"} else None


@dataclass(frozen=True)
class Outcome:
    """What the step delivered that a run took over from another.

    Parameters
    ----------
    follows : str, id of the run whose step was taken
    kind, title : str, of the step
    promised : Estimate or None
    delivered : Estimate or None, gain over the run that it follows, on rows that both can be judged on
    how : str, which rows these are: "before", "same", "ids", "window"; empty where there are none
    reason : str, why the runs are not comparable; empty where they are
    suggested : bool, True if the step was the first of the run that it follows
    """

    follows: str
    kind: str
    title: str
    promised: Estimate | None
    delivered: Estimate | None
    how: str
    reason: str
    suggested: bool

    @property
    def missed_by(self) -> float | None:
        """How far the delivered gain lies outside the promised interval: 0 inside, negative below; None if unknown."""
        if self.promised is None or self.delivered is None:
            return None
        value, low, high = self.delivered.value, self.promised.low, self.promised.high
        missed = value - min(max(value, low), high)
        return missed if abs(missed) > ROUNDING * (high - low) else 0.0

    @classmethod
    def parsed(cls, text: str) -> Outcome | None:
        """An outcome from a tag; None if it is none."""
        told = _mapping(text)
        try:
            ends = {name: estimate_from(told[name]) for name in ("promised", "delivered")}
            return cls(**{**told, **ends})
        except (TypeError, KeyError, ValueError):
            return None


def as_tag(told: Choice | Outcome) -> str:
    """Strict JSON, well below the length of a tag."""
    values = {
        name: value[:LONGEST]
        if isinstance(value, str) and name in {"title", "why", "by", "by_hand", "reason"}
        else value
        for name, value in asdict(told).items()
    }
    return json.dumps(values, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def choices_of(tags: Mapping[str, str]) -> tuple[Choice, ...]:
    """The same from the tags of a run at hand."""
    found = (Choice.parsed(text) for name, text in tags.items() if name.startswith(CHOICE_TAG))
    return tuple(sorted((item for item in found if item is not None), key=lambda item: (item.at, item.kind)))


def standing(made: tuple[Choice, ...]) -> dict[str, Choice]:
    """The newest decision about each kind of step."""
    return {item.kind: item for item in made}


def accepted_of(tags: Mapping[str, str]) -> Choice | None:
    """The step of a run that was accepted last, and not declined since."""
    taken = [item for item in standing(choices_of(tags)).values() if item.verdict == "accept"]
    return max(taken, key=lambda item: item.at, default=None)


def promise_of(step: NextStep) -> Estimate | None:
    """The gain by which a step is ranked: in value where one is declared, else in the metric."""
    return step.gain_value or step.gain


def estimate_from(told: Any) -> Estimate | None:
    """An estimate from JSON values.

    Raises
    ------
    ValueError
    """
    if told is None:
        return None
    try:
        return Estimate(**told)
    except (TypeError, NotAnEstimate) as cause:
        raise ValueError(told) from cause


def _mapping(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
