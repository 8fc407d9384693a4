"""The track record: what steps of each kind promised and delivered, and what that says of the next promise."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy

from mlflow_errata._choices import Outcome
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable

FEWEST = 5
"""Pairs of a kind from which promises of that kind are corrected."""
PRIOR = 0.5
"""Standard deviation of delivered / promised before anything was seen, around 1: half a promise, either way."""
LEVEL = 0.9


@dataclass(frozen=True)
class Track:
    """What steps of one kind promised and delivered.

    Parameters
    ----------
    kind : str
    n_taken : int, runs that took such a step
    pairs : tuple of Outcome with a promised and a delivered gain
    n_inside : int, of the pairs, how many delivered within the promised interval
    factor : Estimate or None, delivered / promised of the next such step, with a 90 % interval; None with fewer than
        FEWEST pairs
    """

    kind: str
    n_taken: int
    pairs: tuple[Outcome, ...]
    n_inside: int
    factor: Estimate | None

    def expected(self, promised: Estimate) -> Estimate | None:
        """A promise as the track record corrects it; None where there are too few pairs.

        promised x factor; the interval adds the relative errors of both in quadrature.
        """
        if self.factor is None:
            return None
        value = promised.value * self.factor.value
        down, up = (
            sqrt((self.factor.value * own) ** 2 + (promised.value * other) ** 2)
            for own, other in (
                (promised.value - promised.low, self.factor.value - self.factor.low),
                (promised.high - promised.value, self.factor.high - self.factor.value),
            )
        )
        return Estimate(value, value - down, value + up, n=len(self.pairs), unit=promised.unit, level=LEVEL)


def tracks(outcomes: Iterable[Outcome]) -> dict[str, Track]:
    """The track record of every kind of step that was taken, the most taken first."""
    by_kind: dict[str, list[Outcome]] = {}
    for item in outcomes:
        if item.kind:
            by_kind.setdefault(item.kind, []).append(item)
    order = sorted(by_kind, key=lambda kind: (-len(by_kind[kind]), kind))
    return {kind: _track(kind, by_kind[kind]) for kind in order}


def _track(kind: str, taken: list[Outcome]) -> Track:
    pairs = tuple(item for item in taken if item.promised is not None and item.delivered is not None)
    inside = sum(item.missed_by == 0 for item in pairs)
    return Track(kind, len(taken), pairs, inside, _factor(pairs))


def _factor(pairs: tuple[Outcome, ...]) -> Estimate | None:
    """Delivered / promised of the next step, from those seen.

    Ratios vary around a mean by what their intervals explain and by a spread of their own (DerSimonian and Laird's
    moment estimate); the mean is shrunk towards 1 by a normal prior of standard deviation PRIOR. Ratios have no unit,
    so runs under different metrics teach each other. The interval is one of the next ratio, by a t quantile, because
    the spread is known from few.
    """
    usable = [(item.promised, item.delivered) for item in pairs if item.promised and item.promised.value > 0]
    if len(usable) < FEWEST:
        return None
    ratio = np.array([done.value / said.value for said, done in usable if done is not None])
    error = np.array([sqrt(_error(said) ** 2 + _error(done) ** 2) / said.value for said, done in usable if done])
    weight = 1 / np.maximum(error, 1e-3) ** 2
    mean = float((weight * ratio).sum() / weight.sum())
    excess = float((weight * (ratio - mean) ** 2).sum()) - (len(ratio) - 1)
    spread = max(0.0, excess / float(weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (np.maximum(error, 1e-3) ** 2 + spread)
    precision = float(weight.sum()) + 1 / PRIOR**2
    value = (float((weight * ratio).sum()) + 1 / PRIOR**2) / precision
    half = float(scipy.special.stdtrit(len(ratio) - 1, 0.5 + LEVEL / 2)) * sqrt(1 / precision + spread)
    return Estimate(value, value - half, value + half, n=len(ratio), unit="delivered / promised", level=LEVEL)


def _error(gain: Estimate) -> float:
    """Standard error from an interval."""
    return (gain.high - gain.low) / (2 * normal_quantile(gain.level))


@dataclass(frozen=True)
class Branching:
    """A run that several runs follow, each with another of its steps.

    Parameters
    ----------
    follows : str, id of the run
    branches : tuple of Outcome, the best first
    regret : float or None, best delivered gain - that of the step suggested first; None if that was not taken
    unit : str
    """

    follows: str
    branches: tuple[Outcome, ...]
    regret: float | None
    unit: str


def branchings(outcomes: Iterable[Outcome]) -> tuple[Branching, ...]:
    """Runs of which several steps were taken and measured in one unit."""
    by_run: dict[tuple[str, str], list[tuple[float, Outcome]]] = {}
    for item in outcomes:
        if item.delivered is not None:
            by_run.setdefault((item.follows, item.delivered.unit), []).append((item.delivered.value, item))
    found = []
    for (follows, unit), branches in by_run.items():
        if len({item.title for _, item in branches}) > 1:
            ranked = sorted(branches, key=lambda branch: -branch[0])
            suggested = [value for value, item in ranked if item.suggested]
            regret = max(0.0, ranked[0][0]) - suggested[0] if suggested else None
            found.append(Branching(follows, tuple(item for _, item in ranked), regret, unit))
    return tuple(found)
