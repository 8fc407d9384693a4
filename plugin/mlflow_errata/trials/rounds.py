"""Rounds of trials: every candidate alone, then those that could add to the best one, until nothing more pays."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.errors import NotTried
from mlflow_errata.stats.pairs import chances_of_best
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials.earlier import earlier_periods
from mlflow_errata.trials.evidence import CLEAR, Evidence, asked, worth
from mlflow_errata.trials.gains import Gain, Z
from mlflow_errata.trials.objective import objective_of_scores
from mlflow_errata.trials.ruler import Ruler
from mlflow_errata.trials.variants import Change, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.objective import Objective

MOST_STEPS = 3
"""Steps of a plan."""
MOST_COMBINED = 6
"""Candidates that are tried on top of a step."""
FIRST_ROUND = 0.65
"""Share of the budget for candidates alone."""
LOOKS_BACK = 1.25
"""Fits on all rows that earlier periods are worth: one on half of them, one on three quarters."""
NOISE = 0.5
"""Share of the budget within which the unchanged model may be refitted a second time."""
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
    gain : Gain over the variant without the change, as it is best known: by labels and by calibrated scores
    pays : bool, the gain is beyond chance
    seconds : float, of fitting
    """

    change: Change
    variant: Variant
    gain: Gain
    pays: bool
    seconds: float

    @property
    def bound(self) -> float:
        """The lower bound that steps are ranked by."""
        return self.gain.bound


class Rounds:
    """Tries candidates on a bench and keeps what was measured, also when a person interrupts.

    Parameters
    ----------
    bench : Bench
    objective : Objective, what ranks
    random_state : int
    deadline : float, when the clock of the bench says that the budget is spent
    start : float, what it said at the start
    progress : callable, told what is tried next
    answered : kinds of steps that answer what a diagnosis found
    """

    def __init__(
        self,
        bench: Bench,
        objective: Objective,
        *,
        random_state: int,
        start: float,
        deadline: float,
        progress: Callable[[str], None] = lambda _: None,
        answered: frozenset[str] = frozenset(),
    ) -> None:
        self.bench, self.start, self.deadline, self.progress = bench, start, deadline, progress
        self.ruler, self.answered = Ruler(bench, objective, random_state=random_state), answered
        self.witness = None
        decides = objective.reads_decisions and not objective.reads_scores
        if decides and bench.table.outcomes.scores is not None and bench.table.task != "multilabel":
            self.witness = Ruler(bench, objective_of_scores(), random_state=random_state)
        self.not_tried: dict[str, str] = {}
        self.seed_gain: Gain | None = None
        self.alone: list[Gain] = []
        self.per_fit = 0.0
        self.interrupted = False

    @contextmanager
    def attempt(self, name: str, *, told: bool = True) -> Iterator[None]:
        """Try something: whatever goes wrong is why `name` was not tried, an interrupt ends the trials, no more.

        Parameters
        ----------
        name : str, key of the reason
        told : bool, False where what is tried has its place among what was tried, or was not, already
        """
        try:
            yield
        except NotTried as reason:
            if told:
                self.not_tried.setdefault(name, str(reason))
        except KeyboardInterrupt:
            self.interrupted = True
        except Exception as cause:  # noqa: BLE001 - nobody foresaw it, and the diagnoses must not be lost for it
            if told:
                self.not_tried.setdefault(name, unforeseen(cause))

    def measure_noise(self, *, random: bool) -> None:
        """Refit the unchanged model with two seeds (once if it has none): how much refits differ by themselves."""
        self.progress("the unchanged model again")
        refits = [Variant(seed=1)]
        self.ruler.whole(refits[0])
        self.per_fit = max(self.bench.seconds.values())
        if random and self.bench.clock() + self.per_fit * CAUTION < self.start + NOISE * (self.deadline - self.start):
            refits.append(Variant(seed=2))
        values = [self.ruler.whole(variant) for variant in (Variant(), *refits)]
        self.per_fit = max(self.bench.seconds.values())
        self.seed_gain = self.ruler.gain(refits[-1], refits[0] if len(refits) > 1 else Variant())
        if self.witness is not None:
            both = [self.witness.whole(variant) for variant in (Variant(), *refits)]
            self.witness.noise = float(np.sqrt(2) * np.std(both, ddof=1))
        self.ruler.noise = float(np.sqrt(2) * np.std(values, ddof=1))
        told = [self.ruler.expected(refit, Variant()) for refit in refits]
        if all(found is not None for found in told):
            moves = [0.0, *(found[0] for found in told if found is not None)]
            self.ruler.noise_expected = float(np.sqrt(2) * np.std(moves, ddof=1))

    @property
    def first_until(self) -> float:
        """Until when candidates are tried alone, and whatever they have to be tried after."""
        return self.start + FIRST_ROUND * (self.deadline - self.start)

    # -- one round ----------------------------------------------------------------------------------------------------

    def singles(self, changes: Iterable[Change]) -> list[Tried]:
        """Every candidate alone, in the order given, until its share of the budget is spent."""
        found = self._round(Variant(), changes, self.first_until)
        self.alone = [item.gain for item in found]
        return [replace(item, gain=item.gain.among(self.alone)) for item in found]

    def _round(self, current: Variant, changes: Iterable[Change], until: float) -> list[Tried]:
        found = []
        for change in changes:
            variant = change.of(current)
            if variant is None or self.interrupted:
                continue
            with self.attempt(name_of(change), told=current == Variant()):
                found.append(self._tried(change, variant, current, until))
        whole = [item for item in found if item.change.family == "refit"]
        return [replace(item, pays=item.pays and self._may_forget(item, whole)) for item in found]

    def _tried(self, change: Change, variant: Variant, current: Variant, until: float) -> Tried:
        n_fits = self.bench.n_fits(variant)
        if self.bench.clock() + n_fits * self.per_fit * CAUTION > (until if n_fits else self.deadline):
            raise NotTried(OVER_BUDGET)
        self.progress(name_of(change))
        best, agreed = self.ruler.surest(variant, current, self.ruler.gain(variant, current))
        evidence = self._evidence(best, variant, current, agreed=agreed)
        pays = worth(best, self.ruler.loss) and evidence.convinces(change, self.answered)
        if self.ruler.earlier is not None and variant.cut and replace(variant, cut=None) == current == Variant():
            best, pays = self._with_earlier(change, variant, best, pays=pays)
        return Tried(change, variant, best, pays, self.bench.seconds_of_a_fit(variant))

    def _evidence(self, gain: Gain, variant: Variant, current: Variant, *, agreed: bool) -> Evidence:
        told, brier = self.ruler.expected(variant, current) is not None, None
        if self.witness is not None and variant.fitted != current.fitted:
            moved = self.witness.gain(variant, current)
            brier = moved.value / moved.error if moved.error > 0 else 0.0
        return Evidence(gain, told, agreed, brier)

    def _with_earlier(self, change: Change, variant: Variant, gain: Gain, *, pays: bool) -> tuple[Gain, bool]:
        """The gain of a threshold over earlier periods too, and whether they show that it pays.

        Both are one gain then, whose error knows how far the two lie apart.
        """
        earlier = self.ruler.before(self.bench.settled(variant)["threshold"])
        if earlier is None:
            return gain, pays
        whole = gain.after(earlier)
        clear = asked(change, self.answered, confirmed=variant.cut == "told")
        return whole, pays or (whole.ratio > clear and worth(whole, self.ruler.loss))

    def look_back(self) -> None:
        """Ask what the model, fitted on what came before, said of the newer training rows."""
        bench = self.bench
        wanted = LOOKS_BACK * self.per_fit * CAUTION
        forward = bench.judges.decisions.kind == "forward"
        if not forward or bench.train is None or bench.clock() + wanted > self.first_until or self.interrupted:
            return
        self.progress("earlier periods")
        with self.attempt("earlier periods"):
            self.ruler.earlier = earlier_periods(bench.table, bench.train, bench.estimator, bench.outer)

    # -- the plan -----------------------------------------------------------------------------------------------------

    def plan(self, singles: list[Tried]) -> list[Tried]:
        """Greedy: the best candidate that pays, then the best of those that pay on top of it."""
        hopeful = sorted((item for item in singles if item.gain.high > 0), key=lambda item: -item.gain.value)
        taken, found = list[Tried](), singles
        while len(taken) < MOST_STEPS and not self.interrupted:
            best = self.best(found)
            if best is None:
                break
            taken.append(best)
            used = {_question(item.change) for item in taken}
            left = [item.change for item in hopeful if _question(item.change) not in used][:MOST_COMBINED]
            found = [
                replace(item, gain=item.gain.among(self.alone))
                for item in self._round(best.variant, left, self.deadline)
            ]
        return taken

    def best(self, found: list[Tried]) -> Tried | None:
        """The candidate that pays with the largest bound; of equal decisions the cheapest and best calibrated.

        The same model on newer rows is cheaper than another model, which has to gain more.
        """
        paying = [item for item in found if item.pays]
        if not paying:
            return None
        best = max(paying, key=lambda item: item.bound)
        if best.change.family == "model":
            same = [item for item in paying if item.change.family == "refit" and item.gain.value >= best.gain.value]
            return same[0] if same else best
        rivals = [item for item in paying if item.change.family == best.change.family == "decision"]
        for rival in sorted(rivals, key=lambda item: (item.change.cost, -item.bound)):
            if rival.change.cost < best.change.cost and not self.beats(best, rival):
                return rival
        return best

    def tied(self, order: list[Tried]) -> tuple[int, ...]:
        """Positions of candidates that pay as the first one does, as far as can be told."""
        first, found = order[0], []
        for at, item in enumerate(order[1:], start=1):
            with self.attempt(name_of(item.change), told=False):
                if item.pays and not self.beats(first, item) and not self.beats(item, first):
                    found.append(at)
        return tuple(found)

    def _may_forget(self, item: Tried, whole: list[Tried]) -> bool:
        """Whether a candidate forgets nothing, or beats the refit on all rows beyond chance."""
        if item.change.family != "forget":
            return True
        with self.attempt(name_of(item.change), told=False):
            return all(self.beats(item, refit) for refit in whole)
        return False

    def beats(self, one: Tried, other: Tried) -> bool:
        """Whether one candidate gains more than a cheaper one beyond chance; thresholds of one model as expected."""
        if one.variant.fitted == other.variant.fitted:
            expected = self.ruler.expected(one.variant, other.variant)
            if expected is not None:
                return expected[0] > Z * expected[1]
        return self.ruler.gain(one.variant, other.variant).bound > 0


def unforeseen(cause: Exception) -> str:
    """An error that nobody foresaw, as a reason."""
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"


def _question(change: Change) -> str:
    return ONE_QUESTION.get(change.family, change.family)


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
        bound=tried.bound,
        pays=tried.pays,
        chance_gains=tried.gain.chance,
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
    if "frame" in parts:
        found |= bench.frames[parts["frame"]]
    if tried.change.kind == "resample":
        found |= bench.balance_params(parts.get("balance", "threshold"))
    if tried.change.kind == "change_metric":
        found["by"] = "value"
    settled = bench.settled(variant)
    return found | {name: value for name, value in settled.items() if name != "offset" or "offset" in parts}


def chances(found: list[Tried], random_state: int) -> tuple[list[float], float]:
    """Chance of each candidate to be the best, and of none to gain, as far from their gains as the intervals go."""
    if not found:
        return [], 1.0
    most = max(len(item.gain.parts) for item in found)
    drawn = chances_of_best(
        np.array([item.gain.value for item in found]),
        np.array([_padded(item.gain.parts, most) for item in found]),
        np.array([(item.gain.value - item.gain.low) / Z for item in found]),
        random_state=random_state,
    )
    best = [min(chance, item.gain.chance) for chance, item in zip(drawn.tolist(), found, strict=False)]
    return best, float(drawn[-1])


def _padded(parts: NDArray[np.float64], n_groups: int) -> NDArray[np.float64]:
    """Values of the newest periods in line with those of more periods; older ones say nothing."""
    return np.concatenate([np.full(n_groups - len(parts), parts.mean()), parts])


def detectable(found: list[Tried]) -> float | None:
    """CLEAR standard errors of a typical candidate: the smallest gain that can be told from zero on these rows."""
    errors = [item.gain.known for item in found]
    return CLEAR * float(median(errors)) if errors else None
