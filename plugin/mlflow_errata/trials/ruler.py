"""The ruler: gains of one variant over another, each measured by the rows that may judge it."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.errors import NotTried
from mlflow_errata.stats.pairs import pooled
from mlflow_errata.trials.expected import expected_gain
from mlflow_errata.trials.gains import Gain, Scale
from mlflow_errata.trials.variants import Variant

if TYPE_CHECKING:
    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.earlier import Earlier
    from mlflow_errata.trials.gains import Profile
    from mlflow_errata.trials.judges import Judge
    from mlflow_errata.trials.objective import Objective


ALIKE = 0.5
"""Correlation of what is counted on labels and what is expected of scores that the same labels calibrated."""
APART = 2.0
"""Standard errors between the two beyond which the calibrated scores are not believed."""


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
    noise_expected : float, the same of the gain that calibrated scores tell
    earlier : Earlier or None, periods before the evaluation rows; None until they are asked for
    """

    def __init__(self, bench: Bench, objective: Objective, *, random_state: int) -> None:
        self.bench, self.objective, self.random_state = bench, objective, random_state
        self.noise = self.noise_expected = 0.0
        self.earlier: Earlier | None = None
        self._scales: dict[int, Scale] = {}
        self._expected: dict[tuple[Variant, Variant], tuple[float, float] | None] = {}
        self._profiles: dict[tuple[Variant, int], Profile] = {}

    def gain(self, new: Variant, old: Variant) -> Gain:
        """Paired gain of one variant over another; what is refitted on newer rows is judged by the newer half of them.

        Raises
        ------
        NotTried
            Where the objective is not defined on some of the rows.
        """
        judge = self.bench.judge_of(new, old)
        noise = self.noise if new.fitted != old.fitted else 0.0
        gain = self._scale(judge).gain(self._profile(new, judge), self._profile(old, judge), noise=noise)
        if gain is None:
            raise NotTried(f"{self.objective.unit} is not defined on some of the judging rows")
        return gain

    def expected(self, new: Variant, old: Variant) -> tuple[float, float] | None:
        """Gain and standard error if the calibrated scores are right; None where nothing tells."""
        if (new, old) not in self._expected:
            judge = self.bench.judge_of(new, old)
            scale = self._scale(judge)
            after, before = (self.bench.outcomes(variant, judge) for variant in (new, old))
            self._expected[new, old] = expected_gain(
                self.objective, scale.frame, after, before, scale.groups, weights=scale.weights
            )
        return self._expected[new, old]

    def surest(self, new: Variant, old: Variant, gain: Gain) -> tuple[Gain, bool]:
        """A gain as it is best known, counted on the labels and as calibrated scores tell, and whether they agree.

        Both estimate one number. The calibrated scores hardly depend on chance in the labels, but lead astray where no
        curve calibrates them: then the two lie further APART than chance allows, and the labels alone count. `known`
        of the gain holds what as long a time again adds.
        """
        noise = self.noise_expected if new.fitted != old.fitted else 0.0
        return _surest(gain, self.expected(new, old), noise)

    def before(self, threshold: float) -> Gain | None:
        """What a threshold would have gained in earlier periods, as best known; None where nothing is."""
        earlier, objective = self.earlier, self.objective
        if earlier is None or earlier.outcomes.scores is None:
            return None
        old = earlier.outcomes
        new = replace(old, prediction=(earlier.outcomes.scores[:, 1] >= threshold).astype(np.intp))
        scale = Scale(objective, True, earlier.groups, earlier.frame, old.y, self.random_state, kept=1.0)
        gain = scale.gain(scale.profile(new), scale.profile(old))
        if gain is None:
            return None
        told = expected_gain(objective, earlier.frame, new, old, earlier.groups, weights=scale.weights)
        return _surest(gain, told)[0]

    @property
    def loss(self) -> float:
        """What the model as it is falls short of: 1 for a metric between 0 and 1, else 0."""
        reached = self.whole(Variant())
        return 1 - reached if 0 <= reached <= 1 else abs(reached)

    def whole(self, variant: Variant) -> float:
        """The objective of a variant on its judging rows."""
        return self._profile(variant, self.bench.judge_of(variant)).whole

    def _profile(self, variant: Variant, judge: Judge) -> Profile:
        key = (variant, id(judge))
        if key not in self._profiles:
            self._profiles[key] = self._scale(judge).profile(self.bench.outcomes(variant, judge))
        return self._profiles[key]

    def _scale(self, judge: Judge) -> Scale:
        if id(judge) not in self._scales:
            table, rows = self.bench.table, judge.rows
            self._scales[id(judge)] = Scale(
                self.objective,
                judge.kind == "forward",
                judge.groups,
                table.frame.iloc[rows],
                table.outcomes.y[rows],
                self.random_state,
            )
        return self._scales[id(judge)]


def _surest(gain: Gain, expected: tuple[float, float] | None, noise: float = 0.0) -> tuple[Gain, bool]:
    if expected is None or gain.known == 0:
        return gain, True
    told, error = expected[0], sqrt(expected[1] ** 2 + noise**2 + gain.again**2)
    differ = sqrt(gain.known**2 + error**2 - 2 * ALIKE * gain.known * error)
    if error == 0 or abs(told - gain.value) > APART * differ:
        return gain, False
    value, known = pooled((gain.value, gain.known), (told, error), correlation=ALIKE)
    return replace(gain, value=value, known=known, apart=gain.value - value), True
