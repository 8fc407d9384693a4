"""Gains: the paired difference of two sets of outcomes on the judging rows, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot, isfinite, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.pairs import cell_bootstrap_error, weighted
from mlflow_errata.trials.objective import VALUE_UNIT, Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.metric import Outcomes

    Floats = NDArray[np.float64]

KEPT = 0.8
"""How much a period counts against the one after it: what comes is nearer to the newest."""
SPOTS = 10
"""Draws of rows that are left out in turn, to tell by how much chance among rows moves a metric that is no mean."""
LEVEL = 0.9
"""Two-sided coverage of a gain's interval."""
Z = float(ndtri(0.5 + LEVEL / 2))
"""Standard errors below the gain where the bound lies that steps are ranked by: the lower end of LEVEL."""


@dataclass(frozen=True)
class Profile:
    """What an objective says of outcomes on the judging rows.

    Parameters
    ----------
    whole : float
    parts : array of shape (n_groups,), the objective without each group
    rows : array of shape (n_judging,) or None, row contributions
    decision : array of shape (n_judging,) or None, where the objective has a form of the four cells
    spots : array of shape (SPOTS,) or None, the objective without each of SPOTS draws of rows of all periods, where it
        is neither a mean nor a form
    """

    whole: float
    parts: Floats
    rows: Floats | None
    decision: NDArray[np.intp] | None
    spots: Floats | None = None


@dataclass(frozen=True)
class Gain:
    """A gain and how sure it is.

    Parameters
    ----------
    value : float
    error : float, standard error, of labels alone: calibrated scores, which tell more, may lead astray
    again : float, standard error that as long a time again adds; 0 for folds
    known : float, standard error of what is best known, which decides what pays and ranks
    spread : float, how far from it the gain in another period may lie (standard deviation) beyond what rows explain;
        0 for folds
    wander : float, variance that the way of the gain through time adds to it; 0 for folds
    freedom : float, degrees of freedom of the error
    parts : array of shape (n_groups,), the gain without each group
    n : int, rows behind it
    apart : float, by how much labels alone say more than the value, which calibrated scores tell too
    """

    value: float
    error: float
    again: float
    known: float
    spread: float
    wander: float
    freedom: float
    parts: Floats
    n: int
    apart: float = 0.0

    @property
    def half(self) -> float:
        """Half of the interval: sqrt((t * error)^2 + z^2 * (spread^2 + wander)), for what comes is another time.

        The interval goes so far on both sides of the value, and of what labels alone say: scores that no curve
        calibrates may lead the value astray, which labels cannot.
        """
        t, z = float(stdtrit(self.freedom, 0.5 + LEVEL / 2)), Z
        return sqrt((t * self.error) ** 2 + z**2 * (self.spread**2 + self.wander))

    @property
    def bound(self) -> float:
        """The lower bound that steps are ranked by: value - Z * known."""
        return self.value - Z * self.known

    @property
    def ratio(self) -> float:
        """Standard errors of what is best known above zero; 0 where there is no error."""
        return self.value / self.known if self.known > 0 else 0.0

    @property
    def beyond(self) -> float:
        """The same where few periods tell the error: those of a normal gain that chance alone exceeds as rarely."""
        return float(np.clip(ndtri(stdtr(self.freedom, self.ratio)), -8.0, 8.0))

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.value + min(self.apart, 0.0) - self.half

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.value + max(self.apart, 0.0) + self.half

    @property
    def chance(self) -> float:
        """Chance that rows that come gain more than zero, of a normal distribution around the value.

        Its quantile (1 - LEVEL) / 2 is the lower end of the interval.
        """
        if self.value == self.low:
            return float(self.value > 0)
        return float(ndtr(Z * self.value / (self.value - self.low)))

    def after(self, earlier: Gain) -> Gain:
        """The gain and that of earlier periods as one: two draws of times, each counting by how sure it is.

        Times differ by tau^2 = max(0, (difference^2 - known^2 - known^2) / 2), which is added to either known^2. What
        comes is another time: a gain that wandered so far between the two wanders as far again, sd = |difference|.

        References
        ----------
        DerSimonian and Laird 1986, Meta-analysis in clinical trials
        """
        apart = (self.value - earlier.value) ** 2
        between = max(0.0, (apart - self.known**2 - earlier.known**2) / 2)
        here, there = self.known**2 + between, earlier.known**2 + between
        share = here / (here + there) if here + there > 0 else 0.5

        def both(one: float, other: float) -> float:
            return hypot((1 - share) * sqrt(one**2 + between), share * sqrt(other**2 + between))

        return replace(
            self,
            value=(1 - share) * self.value + share * earlier.value,
            error=both(self.error, earlier.error),
            known=both(self.known, earlier.known),
            wander=max(self.wander, apart),
            n=self.n + earlier.n,
            apart=(1 - share) * self.apart + share * earlier.apart,
        )

    def times(self, share: float) -> Gain:
        """That share of the gain, as uncertain as a part of it is."""
        return replace(
            self,
            value=share * self.value,
            error=share * self.error,
            again=share * self.again,
            known=share * self.known,
            spread=share * self.spread,
            wander=share**2 * self.wander,
            apart=share * self.apart,
        )

    def among(self, others: Sequence[Gain]) -> Gain:
        """With its wander drawn halfway to what is usual among all: one step of its own tells little.

        Usual is error^2 * sum(wander) / sum(error^2) over all, so that a gain that hardly varies does not wander far.
        """
        chance = sum(gain.error**2 for gain in others)
        usual = self.error**2 * sum(gain.wander for gain in others) / chance if chance > 0 else self.wander
        return replace(self, wander=(self.wander + usual) / 2)

    def estimate(self, unit: str) -> Estimate:
        """With its interval."""
        return Estimate(self.value, self.low, self.high, n=self.n, unit=unit, level=LEVEL)


def _finite(spots: Sequence[float] | Floats) -> Floats | None:
    """Values without each draw; None where there are none or the objective is not defined without one of them."""
    found = np.asarray(spots, dtype=np.float64)
    return found if len(found) and np.isfinite(found).all() else None


def _step(value: float, parts: Floats) -> float:
    """By how much the newer half of the periods gains more than the older half, from the gains without each."""
    each = len(parts) * value - (len(parts) - 1) * parts
    half = len(each) // 2
    return float(each[half:].mean() - each[:half].mean())


@dataclass(frozen=True)
class Scale:
    """An objective on the judging rows: profiles of outcomes, and gains between profiles.

    Parameters
    ----------
    objective : Objective
    forward : bool, groups are periods, which move together; else random groups
    groups : int array of shape (n_judging,)
    frame : DataFrame of the judging rows
    y : labels of the judging rows
    random_state : int
    kept : float, how much a period counts against the one after it
    """

    objective: Objective
    forward: bool
    groups: NDArray[np.intp]
    frame: pd.DataFrame
    y: NDArray[Any]
    random_state: int
    kept: float = KEPT

    @property
    def weights(self) -> Floats:
        """How much each group counts; shape (n_groups,): of periods the newer ones more."""
        age = np.arange(self.n_groups)[::-1] if self.forward else np.zeros(self.n_groups)
        weights = self.kept**age
        return np.asarray(weights / weights.sum())

    @property
    def n_groups(self) -> int:
        """Periods, or random groups."""
        return int(self.groups.max()) + 1

    def profile(self, outcomes: Outcomes) -> Profile:
        """The objective on all judging rows and without each group.

        A metric of the order of rows (area under the ROC curve, average precision) is that within periods, averaged:
        pairs of rows of two periods tell the level of the scores, which differs from refit to refit.
        """
        objective, groups, n_groups = self.objective, self.groups, self.n_groups
        if objective.rows is not None:
            rows = objective.rows(self.frame, outcomes)
            weight = np.ones(len(rows)) if outcomes.weight is None or objective.unit == VALUE_UNIT else outcomes.weight
            sums, total = (np.bincount(groups, part, n_groups) for part in (rows * weight, weight))
            parts = (sums.sum() - sums) / (total.sum() - total)
            return Profile(float(sums.sum() / total.sum()), parts, (rows * weight) / weight.mean(), None)
        if objective.form is not None:
            counts = np.bincount(4 * groups + 2 * outcomes.y + outcomes.prediction, minlength=4 * n_groups)
            counts = counts.reshape(n_groups, 4).astype(np.float64)
            parts = objective.form(*(counts.sum(axis=0) - counts).T)
            return Profile(float(objective.form(*counts.sum(axis=0))), parts, None, outcomes.prediction)
        if self.forward and objective.reads_scores and not objective.reads_decisions:
            periods = [self.groups == group for group in range(n_groups)]
            within = self._of_rows(outcomes, periods)
            if np.isfinite(within).all():
                spots = [self._of_rows(outcomes, [each & kept for each in periods]).mean() for kept in self._spots]
                without = (within.sum() - within) / (n_groups - 1)
                return Profile(float(within.mean()), without, None, None, _finite(spots))
        parts = self._of_rows(outcomes, [self.groups != group for group in range(n_groups)])
        return Profile(
            objective.whole(self.frame, outcomes), parts, None, None, _finite(self._of_rows(outcomes, self._spots))
        )

    @cached_property
    def _spots(self) -> list[NDArray[np.bool_]]:
        """The rows without each of SPOTS draws, each with the same share of every period and class; of folds none."""
        if not self.forward:
            return []
        drawn = np.random.default_rng(self.random_state).permutation(len(self.y))
        classes = self.y if self.y.ndim == 1 and self.y.dtype.kind in "iu" else np.zeros(len(self.y))
        spot = np.empty(len(self.y), dtype=np.intp)
        spot[np.lexsort((drawn, classes, self.groups))] = np.arange(len(self.y)) % SPOTS
        return [spot != each for each in range(SPOTS)]

    def _of_rows(self, outcomes: Outcomes, wanted: Sequence[NDArray[np.bool_]]) -> Floats:
        return np.array([self.objective.whole(self.frame.loc[keep], outcomes.take(keep)) for keep in wanted])

    def gain(self, new: Profile, old: Profile, *, noise: float = 0.0) -> Gain | None:
        """Paired gain of one profile over another; None where the objective is not defined.

        Forward in time a period counts KEPT times as much as the one after it, and 1 / sum(weight^2) periods stand for
        all. The error is that of independent rows (exact for means, from the 8 cells (y, old, new) for metrics of the
        four cells, a jackknife over SPOTS draws of rows for others, over the groups without time). Judged forward in
        time it is at least the error over periods, because rows of one period move together. `noise` is the error that
        a refit with another seed makes.

        What comes is another time, for two reasons: periods differ beyond what their rows explain (`spread`), and the
        gain wanders. A random walk that makes a step of b from the older half of the periods to the newer one will
        stand sqrt(2) b away from their mean over as long a time again. Chance alone makes b^2 = 4 error^2; half of that
        is taken off (all of it leaves 88 % of real gains in the interval, where 90 % should be).
        """
        parts, whole = new.parts - old.parts, new.whole - old.whole
        if not (isfinite(whole) and np.isfinite(parts).all()):
            return None
        value, groups = weighted(whole, parts, self.weights)
        counting = 1 / float((self.weights**2).sum())
        rows = self._error_of_rows(new, old)
        rows = None if rows is None else rows * sqrt(len(parts) / counting)
        freedom = counting - 1 if rows is None else 1e6 if new.spots is None else SPOTS - 1
        error = groups if rows is None else rows
        if self.forward and groups > error:
            error, freedom = groups, counting - 1
        again = spread = wander = 0.0
        if self.forward:
            again = groups if rows is None else sqrt(max(0.0, groups**2 - rows**2))
            beyond = 0.0 if rows is None else max(0.0, (groups**2 - rows**2) * counting)
            spread = sqrt(beyond)
            wander = 2 * max(0.0, _step(whole, parts) ** 2 - 2 * error**2)
        error = hypot(error, noise)
        return Gain(value, error, again, hypot(error, again), spread, wander, freedom, parts, len(self.y))

    def _error_of_rows(self, new: Profile, old: Profile) -> float | None:
        if new.rows is not None and old.rows is not None:
            difference = new.rows - old.rows
            unseen = max(float(np.ptp(np.concatenate([new.rows, old.rows]))), 0.0) / len(difference)
            return max(float(np.std(difference, ddof=1)) / sqrt(len(difference)), unseen)
        if self.objective.form is not None and new.decision is not None and old.decision is not None:
            return cell_bootstrap_error(
                self.objective.form, self.y, old.decision, new.decision, random_state=self.random_state
            )
        if new.spots is not None and old.spots is not None:
            return float(np.std(new.spots - old.spots) * sqrt(SPOTS - 1))
        return None
