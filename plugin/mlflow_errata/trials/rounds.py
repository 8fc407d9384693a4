"""Rounds of trials: every candidate alone, then those that could add to the best one, until nothing more pays."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import NotTried
from mlflow_errata.stats.pairs import chances_of_best
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials.gains import Gain, Profile
from mlflow_errata.trials.variants import Change, Variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.gains import Scale

MOST_STEPS = 3
"""Steps of a plan."""
MOST_COMBINED = 6
"""Candidates that are tried on top of a step."""
FIRST_ROUND = 0.65
"""Share of the budget for candidates alone."""
OVER_BUDGET = "the time budget was spent"
CAUTION = 1.3
"""How much longer than expected a fit may take."""
ONE_QUESTION = {"offset": "recent", "refit": "recent", "forget": "recent"}
"""Families of which a plan takes one."""


@dataclass(frozen=True)
class Tried:
    """A candidate that was measured.

    Parameters
    ----------
    change : Change
    variant : Variant, the model with the change
    profile : Profile on the scale that ranks
    gain : Gain over the variant without the change
    seconds : float, of fitting
    """

    change: Change
    variant: Variant
    profile: Profile
    gain: Gain
    seconds: float

    @property
    def low(self) -> float:
        """Lower bound of the gain."""
        return self.gain.estimate(1, "").low

    @property
    def high(self) -> float:
        """Upper bound of the gain."""
        return self.gain.estimate(1, "").high


class Rounds:
    """Tries candidates on a bench and keeps what was measured, also when a person interrupts.

    Parameters
    ----------
    bench : Bench
    scale : Scale, what ranks
    deadline : float, when the clock of the bench says that the budget is spent
    start : float, what it said at the start
    """

    def __init__(self, bench: Bench, scale: Scale, *, start: float, deadline: float) -> None:
        self.bench, self.scale, self.start, self.deadline = bench, scale, start, deadline
        self.profiles: dict[Variant, Profile] = {}
        self.not_tried: dict[str, str] = {}
        self.noise_error = 0.0
        self.seed_gain: Gain | None = None
        self.per_fit = 0.0
        self.interrupted = False

    def profile(self, variant: Variant) -> Profile:
        """What the scale says of a variant."""
        if variant not in self.profiles:
            self.profiles[variant] = self.scale.profile(self.bench.outcomes(variant))
        return self.profiles[variant]

    def measure_noise(self, *, random: bool) -> None:
        """Refit the unchanged model with two seeds (once if it has none): how much refits differ by themselves."""
        seeds = (1, 2) if random else (1,)
        refits = [Variant(seed=seed) for seed in seeds]
        values = [self.profile(variant).whole for variant in (Variant(), *refits)]
        self.per_fit = max(self.bench.seconds.values())
        self.noise_error = float(np.sqrt(2) * np.std(values, ddof=1))
        pair = (refits[-1], refits[0] if random else Variant())
        self.seed_gain = self.scale.gain(self.profile(pair[0]), self.profile(pair[1]))

    # -- one round ----------------------------------------------------------------------------------------------------

    def singles(self, changes: Iterable[Change]) -> list[Tried]:
        """Every candidate alone, in the order given, until its share of the budget is spent."""
        until = self.start + FIRST_ROUND * (self.deadline - self.start)
        return self._round(Variant(), changes, until)

    def _round(self, current: Variant, changes: Iterable[Change], until: float) -> list[Tried]:
        found = []
        for change in changes:
            variant = change.of(current)
            if variant is None or self.interrupted:
                continue
            try:
                found.append(self._tried(change, variant, current, until))
            except NotTried as reason:
                self.not_tried.setdefault(name_of(change), str(reason))
            except KeyboardInterrupt:
                self.interrupted = True
        return found

    def _tried(self, change: Change, variant: Variant, current: Variant, until: float) -> Tried:
        wanted = self.bench.n_fits(variant) * self.per_fit * CAUTION
        if self.bench.clock() + wanted > until:
            raise NotTried(OVER_BUDGET)
        profile = self.profile(variant)
        refitted = variant.fitted != current.fitted
        gain = self.scale.gain(profile, self.profile(current), noise=self.noise_error if refitted else 0.0)
        if gain is None:
            raise NotTried(f"{self.scale.objective.unit} is not defined on some of the judging rows")
        return Tried(change, variant, profile, gain, self.bench.seconds_of_a_fit(variant))

    # -- the plan -----------------------------------------------------------------------------------------------------

    def plan(self, singles: list[Tried]) -> list[Tried]:
        """Greedy: the best candidate that pays, then the best of those that pay on top of it."""
        hopeful = sorted((item for item in singles if item.high > 0), key=lambda item: -item.gain.value)
        taken, found = list[Tried](), singles
        while len(taken) < MOST_STEPS and not self.interrupted:
            best = self.best(found)
            if best is None:
                break
            taken.append(best)
            used = {_question(item.change) for item in taken}
            left = [item.change for item in hopeful if _question(item.change) not in used][:MOST_COMBINED]
            found = self._round(best.variant, left, self.deadline)
        return taken

    def best(self, found: list[Tried]) -> Tried | None:
        """The candidate with the largest lower bound above zero; of equals in its family the cheapest.

        A candidate that forgets old rows has to beat the refit on all rows beyond chance.
        """
        paying = [item for item in found if item.low > 0]
        if not paying:
            return None
        best = max(paying, key=lambda item: item.low)
        rivals = [
            item
            for item in found
            if _ties(item.change) == _ties(best.change) and item.change.cost < best.change.cost and item.low > 0
        ]
        for rival in sorted(rivals, key=lambda item: (item.change.cost, -item.low)):
            if not self.beats(best, rival):
                return rival
        return best

    def beats(self, one: Tried, other: Tried) -> bool:
        """Whether one candidate gains more than another beyond chance."""
        refitted = one.variant.fitted != other.variant.fitted
        gain = self.scale.gain(one.profile, other.profile, noise=self.noise_error if refitted else 0.0)
        return gain is not None and gain.estimate(1, "").low > 0


def _question(change: Change) -> str:
    return ONE_QUESTION.get(change.family, change.family)


def _ties(change: Change) -> str:
    """Candidates whose cheapest wins among equals."""
    return "rows" if change.family in {"refit", "forget"} else change.family


def name_of(change: Change) -> str:
    """A candidate in a few words, the key of what was not tried."""
    parts = [
        value[0] if isinstance(value, tuple) else str(value) for name, value in change.parts.items() if name != "cut"
    ]
    return (
        f"{change.kind}: {' '.join(parts) or change.parts.get('cut')}"
        if "offset" not in change.parts
        else (f"{change.kind}: offset")
    )


# -- as steps ---------------------------------------------------------------------------------------------------------


def step_of(
    tried: Tried, bench: Bench, *, gains: Mapping[str, Any], because: tuple[str, ...], chance: float | None
) -> NextStep:
    """A measured candidate as a next step."""
    return NextStep(
        kind=tried.change.kind,
        params=_params(tried, bench),
        because=because,
        cost=Cost(labels=0, rows=0, seconds=round(tried.seconds, 3)),
        gain_reason="",
        chance_best=chance,
        **gains,
    )


def _params(tried: Tried, bench: Bench) -> dict[str, Any]:
    variant, parts = tried.variant, tried.change.parts
    found: dict[str, Any] = {}
    if "rows" in parts and parts["rows"][0] != "all":
        found[parts["rows"][0]] = parts["rows"][1]
    if "model" in parts:
        found |= bench.model_params(parts["model"])
    if tried.change.kind == "resample":
        found["method"] = parts.get("balance", "threshold")
    if tried.change.kind == "change_metric":
        found["by"] = "value"
    settled = bench.settled(variant)
    return found | {name: value for name, value in settled.items() if name == "threshold" or "offset" in parts}


def chances(found: list[Tried], random_state: int) -> tuple[list[float], float]:
    """Chance of each candidate to be the best, and of none to gain."""
    if not found:
        return [], 1.0
    drawn = chances_of_best(
        np.array([item.gain.value for item in found]),
        np.array([item.gain.parts for item in found]),
        np.array([item.gain.error for item in found]),
        random_state=random_state,
    )
    return drawn[:-1].tolist(), float(drawn[-1])


def detectable(found: list[Tried]) -> float | None:
    """Half of the interval of a typical candidate: the smallest gain that can be told from zero."""
    halves = [item.gain.value - item.low for item in found]
    return float(median(halves)) if halves else None
