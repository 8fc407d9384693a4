"""More rows: what those of a slice, or twice as many as there are, would gain at least, told by fits on fewer."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import log2, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from mlflow_errata.diagnoses.slice_errors import NAME as SLICE_ERRORS
from mlflow_errata.errors import NotTried
from mlflow_errata.estimate import Estimate
from mlflow_errata.steps import collect_data
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials import rounds
from mlflow_errata.trials._shape import LearningCurve
from mlflow_errata.trials.evidence import ANSWERED, PEOPLE, worth
from mlflow_errata.trials.gains import LEVEL, Gain, Profile, Scale
from mlflow_errata.trials.objective import objective_of_scores
from mlflow_errata.trials.rounds import OVER_BUDGET
from mlflow_errata.trials.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.trials.bench import Said
    from mlflow_errata.trials.rounds import Rounds

FEWEST_INSIDE = 20
"""Training rows of a slice from which its learning curve is followed."""
FEWEST = 400
"""Training rows from which the curve of all of them is followed."""
PARTS = (8, 4, 2)
"""Into how many parts the training rows are cut, fewest rows first."""
MOST_FITS = 4
"""Fits of one size; they share no row."""
LEAST, LIKELY = 0.5, 0.75
"""What a doubling gains against the one before: errors that fall as 1 / n halve their gain, those of trees lose a
quarter of it (20 planted curves; loss ~ n^-c has 2^-c)."""
CONFIRMED = 1.6
"""Standard errors by which the last doubling has to gain by Brier too: a flat curve hardly rises by both."""
LEVEL_CHANCE = 0.5 + LEVEL / 2
"""Chance to rise that is asked of a curve that nothing but the metric tells."""
ALL_ROWS = "collect_data: all rows"
PART = Variant(model="part of the rows")
"""Under which the bench holds one fit of the curve after the other."""


# -- rows of a slice --------------------------------------------------------------------------------------------------


def of_slices(
    tests: Rounds, results: Mapping[str, Result], proposed: Sequence[NextStep], n_given: int
) -> list[NextStep]:
    """Steps that collect rows of a slice, as far as the columns that the model sees tell the slice.

    Parameters
    ----------
    tests : Rounds
    results : results of the diagnoses by name
    proposed : steps that the results ask for
    n_given : int, training rows given, of which the budget may have asked for a share
    """
    found, measured = results.get(SLICE_ERRORS), []
    slices = {item.conditions: item for item in getattr(found, "slices", ())}
    for step in proposed:
        item = slices.get(tuple(step.params.get("slice", ())))
        if step.kind != collect_data.KIND or item is None or tests.interrupted:
            continue
        with tests.attempt(step.kind):
            measured.append(_of_a_slice(tests, step, item, n_given))
    return measured


def _of_a_slice(tests: Rounds, step: NextStep, item: Slice, n_given: int) -> NextStep:
    """Half of what the last doubling of the slice's training rows gained: learning curves flatten.

    Where the budget asked for a share of the training rows, the step is as many doublings further along the curve as
    there are between that share and all of them, and pays where the least that it may gain then is worth it.
    """
    bench = tests.bench
    train = bench.train
    if train is None or not set(item.columns) <= set(train.X.columns):
        raise NotTried("the slice is named by columns that the model does not see")
    if bench.clock() + tests.per_fit * rounds.CAUTION > tests.deadline:
        raise NotTried(OVER_BUDGET)
    inside = np.flatnonzero(item.mask(train.X))
    if len(inside) < FEWEST_INSIDE:
        raise NotTried(f"needs {FEWEST_INSIDE} training rows in the slice; there are {len(inside)}")
    variant = Variant(model=f"half of {item.conditions}")
    bench.hold(variant, bench.fit_on(np.setdiff1d(np.arange(len(train.y)), inside[::2])))
    gain = tests.ruler.gain(Variant(), variant)
    half = gain.times(0.5).among(tests.alone)
    further = log2(n_given / len(train.y))
    least = half.times(LEAST**further)
    pays = least.value > PEOPLE * least.known and worth(least, tests.ruler.loss)
    cost = replace(step.cost, rows=round(len(inside) * n_given / len(train.y)))
    gains = _gains(tests, _later(half, further, half.high, tests.ruler.objective.unit))
    bound = min(half.bound, least.bound)
    return replace(step, gain_reason="", cost=cost, bound=bound, pays=pays, chance_gains=half.chance, **gains)


def _gains(tests: Rounds, shown: Estimate) -> dict[str, Any]:
    return {"gain": shown} if tests.bench.value is None else {"gain_value": shown}


# -- all rows ---------------------------------------------------------------------------------------------------------


def of_everything(tests: Rounds, curve: LearningCurve, n_given: int) -> list[NextStep]:
    """The step that collects as many rows again, where the curve still rises by what is worth it; else none."""
    found = curve.doubled
    if not curve.confirmed or not worth(found, tests.ruler.loss):
        return []
    step = NextStep(
        collect_data.KIND,
        {"rows": n_given},
        cost=Cost(rows=n_given),
        gain_reason="",
        bound=found.low,
        pays=True,
        chance_gains=curve.chance,
        **_gains(tests, found),
    )
    return [step]


def followed(tests: Rounds, n_given: int) -> LearningCurve | None:
    """The learning curve of all training rows, from an eighth of them up, in what is left of the budget.

    Parameters
    ----------
    tests : Rounds
    n_given : int, training rows given, of which the budget may have asked for a share
    """
    bench = tests.bench
    n = 0 if bench.train is None else len(bench.train.y)
    if tests.interrupted or n < FEWEST:
        return None
    n_fits = sum(min(parts, MOST_FITS) / parts for parts in PARTS)
    if bench.clock() + n_fits * tests.per_fit * rounds.CAUTION > tests.deadline:
        tests.not_tried[ALL_ROWS] = OVER_BUDGET
        return None
    tests.progress("twice as many rows")
    with tests.attempt(ALL_ROWS):
        return _curve(tests, n, n_given)
    return None


def _curve(tests: Rounds, n: int, n_given: int) -> LearningCurve:
    """Profiles of models on nested shares of the rows, which are averaged over fits that share no row.

    A doubling gains no more than the one before it, so where it seems to, the two are taken together: the last gain is
    the least of the means of the last one, two and three. Its error has that of the judging rows and that of the draw
    of training rows, whose variance falls as 1 / n and is told by the fits of one size. More rows seldom lose: where
    Brier sees the rise too, ANSWERED standard errors by the metric are enough, without scores those of the interval.
    """
    bench, unit = tests.bench, tests.ruler.objective.unit
    judge = bench.judges.decisions
    scale = Scale(
        tests.ruler.objective,
        judge.kind == "forward",
        judge.groups,
        bench.table.frame.iloc[judge.rows],
        bench.table.outcomes.y[judge.rows],
        tests.ruler.random_state,
    )
    witness, seen = replace(scale, objective=objective_of_scores()), list[Profile]()

    def profile(said: Said) -> Profile:
        bench.hold(PART, said)
        outcomes = bench.outcomes(PART, judge)
        if outcomes.scores is not None and outcomes.task in {"binary", "multiclass"}:
            seen.append(witness.profile(outcomes))
        return scale.profile(outcomes)

    order = np.random.default_rng(tests.ruler.random_state).permutation(n)
    sizes, fits = [], []
    for parts in PARTS:
        rows = [np.sort(order[part * n // parts : (part + 1) * n // parts]) for part in range(min(parts, MOST_FITS))]
        fits.append([profile(bench.fit_on(each, seed=at + 1)) for at, each in enumerate(rows)])
        sizes.append(n // parts)
    known = [variant for variant in (Variant(seed=1), Variant(seed=2)) if bench.n_fits(variant) == 0]
    fits.append([profile(bench.said(variant)) for variant in known or [Variant()]])
    sizes.append(n)
    means = [_mean(profiles) for profiles in fits]
    of_draw = _variance_of_a_draw(fits[:-1], sizes[:-1])
    gains = []
    for at in range(len(PARTS)):
        drawn = sqrt(of_draw * (1 / (len(fits[at]) * sizes[at]) + 1 / sizes[at + 1]))
        gain = scale.gain(means[at + 1], means[at], noise=drawn)
        if gain is None:
            raise NotTried(f"{unit} is not defined on some of the judging rows")
        gains.append(gain.among(tests.alone))
    rise = _rise(gains)
    moved = _last_of(witness, seen, [len(each) for each in fits], sizes)
    asked = LEVEL_CHANCE if moved is None else float(ndtr(ANSWERED))
    confirmed = rise.chance > asked and (moved is None or moved.value > CONFIRMED * moved.error)
    high = max(rise.value, gains[-1].value) + rise.half
    doubled = _later(rise, log2(n_given / n) + 1, high, unit)
    return LearningCurve(tuple(sizes), tuple(gain.estimate(unit) for gain in gains), doubled, confirmed, rise.chance)


def _last_of(scale: Scale, seen: Sequence[Profile], n_fits: Sequence[int], sizes: Sequence[int]) -> Gain | None:
    """Gain of the last doubling on another scale; None where it has not seen every fit."""
    if len(seen) != sum(n_fits):
        return None
    ends = np.cumsum([0, *n_fits]).tolist()
    fits = [seen[start:end] for start, end in itertools.pairwise(ends)]
    drawn = _variance_of_a_draw(fits[:-1], sizes[:-1]) * (1 / (n_fits[-2] * sizes[-2]) + 1 / sizes[-1])
    return scale.gain(_mean(fits[-1]), _mean(fits[-2]), noise=sqrt(drawn))


def _rise(gains: Sequence[Gain]) -> Gain:
    """What the last doubling gained, no more than the last two or three did on average."""
    return replace(
        gains[-1], value=min(float(np.mean([gain.value for gain in gains[at:]])) for at in range(len(gains)))
    )


def _later(gain: Gain, further: float, high: float, unit: str) -> Estimate:
    """What a doubling gains that comes `further` doublings after one that gained so much, and no more than `high`."""
    value = LIKELY**further * gain.value
    low = min(value, LEAST**further * gain.low if gain.low > 0 else gain.low)
    return Estimate(value, low, max(value, high), n=gain.n, unit=unit, level=LEVEL)


def _mean(profiles: Sequence[Profile]) -> Profile:
    rows = [each.rows for each in profiles if each.rows is not None]
    return Profile(
        float(np.mean([each.whole for each in profiles])),
        np.mean([each.parts for each in profiles], axis=0),
        np.mean(rows, axis=0) if len(rows) == len(profiles) else None,
        None,
    )


def _variance_of_a_draw(fits: Sequence[Sequence[Profile]], sizes: Sequence[int]) -> float:
    """Variance that the draw of the training rows makes, times their number."""
    freedom = sum(len(each) - 1 for each in fits)
    squares = sum(
        size * (len(each) - 1) * float(np.var([item.whole for item in each], ddof=1))
        for each, size in zip(fits, sizes, strict=True)
    )
    return squares / freedom
