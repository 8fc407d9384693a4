"""The ruler: gains of one variant over another, each measured by the rows that may judge it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlflow_errata.errors import NotTried
from mlflow_errata.trials.expected import expected_gain
from mlflow_errata.trials.gains import Gain, Scale
from mlflow_errata.trials.variants import Variant

if TYPE_CHECKING:
    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.gains import Profile
    from mlflow_errata.trials.judges import Judge
    from mlflow_errata.trials.objective import Objective


class Ruler:
    """Measures gains by one objective.

    Parameters
    ----------
    bench : Bench
    objective : Objective
    random_state : int

    Attributes
    ----------
    noise : float, standard error that refits with another seed make; 0 until it is measured
    """

    def __init__(self, bench: Bench, objective: Objective, *, random_state: int) -> None:
        self.bench, self.objective, self.random_state = bench, objective, random_state
        self.noise = 0.0
        self._scales: dict[tuple[int, bool], Scale] = {}
        self._profiles: dict[tuple[Variant, int, bool], Profile] = {}

    def gain(self, new: Variant, old: Variant, *, newest: bool = False) -> Gain:
        """Paired gain of one variant over another.

        What is refitted on newer rows is judged by the newer half of the evaluation rows. Where the gain moves over
        time, far beyond chance, the newer half of the periods judges alone: it is nearer to what comes. `newest` asks
        for that in any case.

        Raises
        ------
        NotTried
            Where the objective is not defined on some of the rows.
        """
        judge = self.bench.judge_of(new, old)
        found = self._gain(new, old, judge, newest=False)
        if judge.kind == "forward" and (newest or found.moved):
            return replace(self._gain(new, old, judge, newest=True), newest=True)
        return found

    def expected(self, new: Variant, old: Variant, *, newest: bool = False) -> tuple[float, float] | None:
        """Gain and standard error of another threshold if the calibrated scores are right; None where nothing tells."""
        judge = self.bench.judge_of(new, old)
        scale = self._scale(judge, newest=newest)
        pair = [self.bench.outcomes(variant, judge) for variant in (new, old)]
        if newest:
            pair = [outcomes.take(judge.newest) for outcomes in pair]
        return expected_gain(self.objective, scale.frame, pair[0], pair[1], scale.groups)

    @property
    def loss(self) -> float:
        """What the model as it is falls short of: 1 for a metric between 0 and 1, else 0."""
        reached = self.whole(Variant())
        return 1 - reached if 0 <= reached <= 1 else abs(reached)

    def whole(self, variant: Variant) -> float:
        """The objective of a variant on its judging rows."""
        return self._profile(variant, self.bench.judge_of(variant), newest=False).whole

    def _gain(self, new: Variant, old: Variant, judge: Judge, *, newest: bool) -> Gain:
        noise = self.noise if new.fitted != old.fitted else 0.0
        pair = [self._profile(variant, judge, newest=newest) for variant in (new, old)]
        gain = self._scale(judge, newest=newest).gain(pair[0], pair[1], noise=noise)
        if gain is None:
            raise NotTried(f"{self.objective.unit} is not defined on some of the judging rows")
        return gain

    def _profile(self, variant: Variant, judge: Judge, *, newest: bool) -> Profile:
        key = (variant, id(judge), newest)
        if key not in self._profiles:
            outcomes = self.bench.outcomes(variant, judge)
            outcomes = outcomes.take(judge.newest) if newest else outcomes
            self._profiles[key] = self._scale(judge, newest=newest).profile(outcomes)
        return self._profiles[key]

    def _scale(self, judge: Judge, *, newest: bool) -> Scale:
        key = (id(judge), newest)
        if key not in self._scales:
            table, rows = self.bench.table, judge.rows
            whole = Scale(
                self.objective,
                judge.kind == "forward",
                judge.groups,
                table.frame.iloc[rows],
                table.outcomes.y[rows],
                self.random_state,
            )
            self._scales[key] = whole.of(judge.newest) if newest else whole
        return self._scales[key]
