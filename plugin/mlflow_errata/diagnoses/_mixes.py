"""Mixes of logged scores: every weighting on a grid, the best one chosen on some rows and judged on others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlflow_errata.diagnoses._judged import Judge
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.objectives import MEASURES, Combine, Measure
from mlflow_errata.stats.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._judged import Seen
    from mlflow_errata.objectives import Objectives

    Floats = NDArray[np.float64]

N_FOLDS = 5
FEWEST_LISTS = 20
"""Lists from which they are what is drawn independently; fewer are too few to tell how lists differ."""
FEWEST_UNITS, FEWEST_TAKEN = 20, 50
STEPS = {2: 100, 3: 13, 4: 7}
"""Steps from no weight to all of it, by the number of scores: 101, 105 and 120 mixes."""
SMALLEST = 1e-12
"""Scores of a product keep this distance from 0."""
Kind = Literal["current", "chosen", "equal", "combined", "rule"]


@dataclass(frozen=True)
class Measured:
    """An outcome of a ranking by one measure.

    Parameters
    ----------
    measure : "share", "mean" or "ndcg"
    outcome : str
    value : Estimate
    """

    measure: Measure
    outcome: str
    value: Estimate


@dataclass(frozen=True)
class Mix:
    """Scores weighted in one way.

    Parameters
    ----------
    shares : tuple of float, of the weight, one a score; they sum up to 1
    outcomes : tuple of Estimate, one an outcome
    goal : Estimate, what all outcomes together are worth
    gains : tuple of Estimate, outcomes less those of the score in use, paired
    gain : Estimate, the same of the goal
    pareto : bool, no other mix is better in one outcome and no worse in the others
    """

    shares: tuple[float, ...]
    outcomes: tuple[Estimate, ...]
    goal: Estimate
    gains: tuple[Estimate, ...]
    gain: Estimate
    pareto: bool


@dataclass(frozen=True)
class Ranking:
    """A ranking that mixes are compared with.

    Parameters
    ----------
    kind : "current" the score in use; "chosen" in every fifth of the rows by the mix that is best on the others;
        "equal" all scores weighted alike; "combined" one model trained on a combined loss; "rule" a column
    name : str, its column; empty for mixes
    outcomes, goal, gains, gain : as of a Mix
    behind : Estimate, the goal of "chosen" less that of this one, paired
    measured : tuple of Measured, by every measure that can be judged
    """

    kind: Kind
    name: str
    outcomes: tuple[Estimate, ...]
    goal: Estimate
    gains: tuple[Estimate, ...]
    gain: Estimate
    behind: Estimate
    measured: tuple[Measured, ...]


@dataclass(frozen=True)
class Swept:
    """Mixes of scores, and rankings beside them.

    Parameters
    ----------
    measure : "share", "mean" or "ndcg"
    combine : "sum" or "product"
    outcomes : tuple of str
    worth : tuple of float or None, what a unit of each is worth; None where all count alike, by their own mean
    scores : tuple of str
    scales : tuple of float: in a sum the weight of a score is share / scale; 1 in a product
    group : str or None
    top : float, rows taken of each list, or share of them
    unit : str, column of what is drawn independently; "lists" or "rows" where none is named
    n_rows, n_lists, n_units : int
    mixes : tuple of Mix
    best : int, position of the mix that is best on all rows
    rankings : tuple of Ranking: the one in use first, then what was chosen
    """

    measure: Measure
    combine: Combine
    outcomes: tuple[str, ...]
    worth: tuple[float | None, ...]
    scores: tuple[str, ...]
    scales: tuple[float, ...]
    group: str | None
    top: float
    unit: str
    n_rows: int
    n_lists: int
    n_units: int
    mixes: tuple[Mix, ...]
    best: int
    rankings: tuple[Ranking, ...]

    @property
    def only(self) -> str | None:
        """The outcome that alone is worth something; None where several are."""
        by = dict(zip(self.outcomes, self.worth, strict=True))
        counted = [name for name, worth in by.items() if worth is None or worth]
        return counted[0] if len(counted) == 1 and (by[counted[0]] or 1) > 0 else None

    @property
    def current(self) -> Ranking:
        """The score in use."""
        return self.rankings[0]

    @property
    def chosen(self) -> Ranking:
        """What the choice of weights brings: chosen on four fifths of the rows, judged on the others, in turn."""
        return self.rankings[1]

    def weights(self, at: int) -> dict[str, float]:
        """Weights of the scores in a sum, or their exponents in a product (the largest is 1), of a mix by position."""
        shares = np.array(self.mixes[at].shares)
        found = shares / np.array(self.scales) if self.combine == "sum" else shares / shares.max()
        return {name: float(f"{weight:.6g}") for name, weight in zip(self.scores, found, strict=True)}

    def nearest(self, wanted: Sequence[float]) -> int:
        """Position of the mix whose shares are nearest to some weights (0 or more; scaled to sum up to 1)."""
        total = sum(wanted)
        shares = [each / total if total else 1 / len(wanted) for each in wanted]
        far = [sum((a - b) ** 2 for a, b in zip(mix.shares, shares, strict=True)) for mix in self.mixes]
        return min(range(len(far)), key=far.__getitem__)


def grid(n_scores: int) -> Floats:
    """Shares of the weight on a regular grid, the first score alone first; shape (n_mixes, n_scores)."""
    steps = STEPS[n_scores]
    bars = np.array(list(combinations(range(steps + n_scores - 1), n_scores - 1)))
    ends = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), steps + n_scores - 1)])
    return np.asarray((np.diff(ends, axis=1) - 1)[::-1] / steps, dtype=np.float64)


def mixed(scores: Floats, shares: Floats, combine: Combine, scales: Floats) -> Floats:
    """Scores weighted: sum of share * score / scale, or (on the log scale) product of score ** share; shape (n,)."""
    if combine == "sum":
        return np.asarray((shares / scales) @ scores, dtype=np.float64)
    return np.asarray(shares @ np.log(np.maximum(scores, SMALLEST)), dtype=np.float64)


def sweep(
    columns: Mapping[str, Floats],
    objectives: Objectives,
    current: tuple[str, Floats],
    group: NDArray[np.intp] | None,
    unit: NDArray[np.intp] | None,
) -> Swept:
    """Every mix on the grid beside the score in use, the simple rule and the score of one model.

    The mix with the largest worth is chosen on four fifths of the units and judged on the last fifth, five times, so
    that the gain of the choice is not flattered by it. Intervals are paired, from the influence of each unit.

    Parameters
    ----------
    columns : column -> array of shape (n_rows,), of `Objectives.numbers`
    objectives : Objectives
    current : name and array of shape (n_rows,), the score in use
    group, unit : codes 0 .. n-1 of shape (n_rows,), or None

    Raises
    ------
    NotApplicable
        Where rows are too few to judge a choice.
    """
    return _Sweep(columns, objectives, current, group, unit).swept()


class _Sweep:
    """One sweep."""

    def __init__(
        self,
        columns: Mapping[str, Floats],
        objectives: Objectives,
        current: tuple[str, Floats],
        group: NDArray[np.intp] | None,
        unit: NDArray[np.intp] | None,
    ) -> None:
        self.objectives, self.current = objectives, current
        n = len(current[1])
        of = np.zeros(n, dtype=np.intp) if group is None else group
        self.lists = Lists.made(of, objectives.top)
        self.by_list = unit is None and self.lists.n_lists >= FEWEST_LISTS
        self.unit = of if self.by_list else unit
        self.names = tuple(objectives.worth)
        self.gains = [columns[name] for name in self.names] + [objectives.goal(columns)]
        self.judge = Judge.made(self.lists, self.gains, objectives.metric, self.unit)
        self._check()
        self.scores = np.array([columns[name] for name in objectives.scores])
        one = np.ones(len(self.scores))
        self.scales = one if objectives.combine == "product" else self.scores.std(axis=1)
        self.columns, self.units = columns, units_of(objectives)
        self.shares = grid(len(self.scores))
        self.now, self.fold = self.judge.seen(current[1]), self.judge.folds([*self.scores, current[1]], N_FOLDS)

    def _check(self) -> None:
        if self.judge.n_units < FEWEST_UNITS:
            raise NotApplicable(f"needs {FEWEST_UNITS} rows or units; there are {self.judge.n_units}")
        taken = int(self.lists.take.sum())
        if not self.judge.nested and taken < FEWEST_TAKEN:
            raise NotApplicable(f"needs {FEWEST_TAKEN} rows at the top, or {FEWEST_LISTS} lists; there are {taken}")
        if not self.judge.nested and self.objectives.metric == "ndcg":
            raise NotApplicable(f"needs {FEWEST_LISTS} lists (group=...) for NDCG; there are {self.lists.n_lists}")

    def swept(self) -> Swept:
        wanted, now, fold = self.objectives, self.now, self.fold
        mixes, worth = [], np.empty((len(self.shares), N_FOLDS))
        for at, shares in enumerate(self.shares):
            seen = self.judge.seen(self._mix(shares))
            worth[at] = self.judge.by_fold(seen, fold, N_FOLDS)
            mixes.append((self.judge.estimates(seen, self.units), self.judge.estimates(seen, self.units, now)))
        best = self._best(worth.sum(axis=1))
        picked = [self._best(worth.sum(axis=1) - worth[:, each]) for each in range(N_FOLDS)]
        seen_of = {at: self.judge.seen(self._mix(self.shares[at])) for at in dict.fromkeys(picked)}
        chosen = self.judge.mixed([seen_of[at] for at in picked], fold)
        front = _pareto(np.array([[each.value for each in values[:-1]] for values, _ in mixes]) * self._directions())
        return Swept(
            measure=wanted.metric,
            combine=wanted.combine,
            outcomes=self.names,
            worth=tuple(wanted.worth.values()),
            scores=tuple(wanted.scores),
            scales=tuple(float(f"{each:.7g}") for each in self.scales),
            group=wanted.group,
            top=float(wanted.top),
            unit=wanted.unit or ("lists" if self.by_list else "rows"),
            n_rows=len(self.current[1]),
            n_lists=self.lists.n_lists,
            n_units=self.judge.n_units,
            mixes=tuple(
                Mix(tuple(shares.tolist()), values[:-1], values[-1], gains[:-1], gains[-1], bool(on))
                for shares, (values, gains), on in zip(self.shares, mixes, front, strict=True)
            ),
            best=best,
            rankings=self._rankings(chosen, picked),
        )

    def _mix(self, shares: Floats) -> Floats:
        return mixed(self.scores, shares, self.objectives.combine, self.scales)

    def _best(self, worth: Floats) -> int:
        """The mix that is worth most; of equals the one whose weights are most even."""
        most = np.flatnonzero(worth >= worth.max() - 1e-12 * abs(worth.max()))
        return int(most[np.argmin((self.shares[most] ** 2).sum(axis=1))])

    def _directions(self) -> Floats:
        return np.array([-1.0 if by is not None and by < 0 else 1.0 for by in self.objectives.worth.values()])

    def _rankings(self, chosen: Seen, picked: list[int]) -> tuple[Ranking, ...]:
        wanted, judge = self.objectives, self.judge
        equal = self._mix(np.full(len(self.scores), 1 / len(self.scores)))
        beside: list[tuple[Kind, str | None]] = [("combined", wanted.combined), ("rule", wanted.rule)]
        found: list[tuple[Kind, str, Seen, list[Floats]]] = [
            ("current", self.current[0], self.now, [self.current[1]]),
            ("chosen", "", chosen, [self._mix(self.shares[at]) for at in picked]),
            ("equal", "", judge.seen(equal), [equal]),
        ]
        for kind, name in beside:
            if name is not None:
                found.append((kind, name, judge.seen(self.columns[name]), [self.columns[name]]))
        rankings = []
        for kind, name, seen, scores in found:
            *values, goal = judge.estimates(seen, self.units)
            *gains, gain = judge.estimates(seen, self.units, self.now)
            behind = judge.estimates(chosen, self.units, seen)[-1]
            each = Ranking(kind, name, tuple(values), goal, tuple(gains), gain, behind, self._measured(scores))
            rankings.append(each)
        return tuple(rankings)

    def _measured(self, scores: list[Floats]) -> tuple[Measured, ...]:
        """Outcomes by every measure; `scores` is one ranking, or one a fold."""
        found = []
        for measure, judge in self._judges().items():
            parts = [judge.seen(each) for each in scores]
            seen = parts[0] if len(parts) == 1 else judge.mixed(parts, self.fold)
            units = [_unit(measure, name, self.objectives) for name in (*self.names, "")]
            values = judge.estimates(seen, units)
            found += [Measured(measure, name, value) for name, value in zip(self.names, values, strict=False)]
        return tuple(found)

    def _judges(self) -> dict[Measure, Judge]:
        """A judge of every measure that these outcomes and lists allow."""
        able = [
            measure
            for measure in MEASURES
            if not (measure == "share" and min(each.sum() for each in self.gains) <= 0)
            and not (measure == "ndcg" and (not self.judge.nested or min(each.min() for each in self.gains) < 0))
        ]
        return {each: Judge.made(self.lists, self.gains, each, self.unit) for each in able}


def _pareto(values: Floats) -> NDArray[np.bool_]:
    """Rows that no other row beats in one column without losing in another; shape (n,)."""
    better = (values[:, None] >= values[None]).all(axis=2) & (values[:, None] > values[None]).any(axis=2)
    return np.asarray(~better.any(axis=0), dtype=bool)


def units_of(objectives: Objectives) -> list[str]:
    """What a unit of each outcome's measure is, and of the goal's."""
    goal = objectives.only or ("worth" if any(objectives.worth.values()) else "all outcomes")
    return [_unit(objectives.metric, name, objectives) for name in (*objectives.worth, goal)]


def _unit(measure: Measure, name: str, objectives: Objectives) -> str:
    top = objectives.top
    first = f"the top {100 * top:g} %" if top < 1 else f"the first {int(top)}"
    where = first if objectives.group is None else f"{first} of each {objectives.group}"
    return {"share": f"share of {name} in {where}", "mean": f"{name} per row in {where}", "ndcg": f"NDCG of {name}"}[
        measure
    ]
