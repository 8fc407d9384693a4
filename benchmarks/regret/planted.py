"""Next-step advice on planted scenarios: every step is really taken and scored on 50,000 clean future rows.

    OMP_NUM_THREADS=1 python benchmarks/regret/planted.py [--seeds 3] [--first 130] [--budget 1200] [--only NAME ...]
                                                          [--metric roc_auc]

Regret is what the best of all steps gains beyond the one advised; normalised by what the best gains, so 0 is always the
best step and 1 gains nothing of what was there. A scenario whose best step gains less than .3 points (as much as harm
may cost) has nothing to gain that anyone would notice, and dividing by it says nothing: it is printed and left out of
the mean, and its draws count where "stop" should be advised. Seeds below 130 and the scenarios that are not `UNSEEN`
were used to tune; the figures quoted come from seeds of 130 and up. The budget is far more than the trials need, so
that what else the machine does decides nothing (regret/budget.py is about budgets). `--metric` judges the scenarios
without costs by another metric, all of them with their times.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from actions import best, gain
from advice import Advice, diagnosed, of_chance, of_errata, of_rule
from scenarios import SCENARIOS, UNSEEN, planted

if TYPE_CHECKING:
    from cases import Case

RULES = ("threshold", "drift first", "peers")
HARM = -0.3
LITTLE = 0.3
"""Points below which the best step gains nothing that anyone would notice."""


@dataclass
class Totals:
    """Sums over the draws of a scenario, in points."""

    best: float = 0.0
    first: float = 0.0
    plan: float = 0.0
    hits: int = 0
    others: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True)
class Held:
    """What was said of a step that was tried, beside what it gained once taken."""

    kind: str
    inside: bool
    pays: bool
    chance: float | None
    gained: bool


def held(case: Case, budget: float) -> list[Held]:
    """Every step tried: whether the 90 % interval of its gain held, and whether it gained."""
    record = diagnosed(case, budget)
    found = []
    for step in record.trials.tried if record.trials else ():
        said = step.gain if case.value is None else step.gain_value
        real = gain(case, ((step.kind, dict(step.params)),))
        if said is not None and np.isfinite(real):
            inside = bool(said.low <= real <= said.high)
            found.append(Held(step.kind, inside, step.pays, step.chance_gains, bool(real > 0)))
    return found


def report_held(found: list[Held]) -> None:
    """Coverage of the intervals by kind of step, and how often what pays gained beside the chance that was said."""
    for kind in sorted({item.kind for item in found}):
        inside = [item.inside for item in found if item.kind == kind]
        print(f"90 % interval of the gain, {kind}: {sum(inside)} of {len(inside)}, {np.mean(inside):.0%}")
    for low, high in itertools.pairwise((0, 0.7, 0.8, 0.9, 0.95, 1.01)):
        gained = [item.gained for item in found if item.pays and item.chance and low <= item.chance < high]
        if gained:
            print(f"pays, and gains with a chance of {low:.0%} to {min(high, 1):.0%}: {sum(gained)} of {len(gained)}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=130)
    parser.add_argument("--budget", type=float, default=1200.0)
    parser.add_argument("--only", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--metric", default="")
    wanted = parser.parse_args()
    totals: dict[str, Totals] = {name: Totals() for name in wanted.only}
    harms, stops, nulls, seconds = [], 0, 0, []
    covered: list[Held] = []
    for name in wanted.only:
        for seed in range(wanted.first, wanted.first + wanted.seeds):
            case, total = planted(name, seed), totals[name]
            if wanted.metric and case.value is None:
                case = replace(case, metric=wanted.metric, time="at")
            advice: Advice = of_errata(case, wanted.budget)
            kind, most, _ = best(case)
            most = max(most, advice.gained, advice.planned)
            unit = case.unit
            total.best += most / unit
            total.first += advice.gained / unit
            total.plan += advice.planned / unit
            total.hits += most - advice.gained < 0.1 * most + 1e-9
            total.others["chance"] += of_chance(case) / unit
            for rule in RULES:
                total.others[rule] += of_rule(case, rule, wanted.budget) / unit
            harms.append(min(advice.gained, advice.planned) / unit < HARM)
            nothing = case.null or most / unit < LITTLE
            nulls += nothing
            stops += nothing and advice.kind == "stop"
            seconds.append(case.found["seconds"])
            covered += held(case, wanted.budget)
            print(
                f"{name:26} {seed:4}  best {kind:26} {most / unit:+6.2f}   advised {advice.kind:16}"
                f"{advice.gained / unit:+6.2f}   plan {advice.planned / unit:+6.2f}   {seconds[-1]:.1f} s",
                flush=True,
            )
    report(totals, wanted.seeds)
    print(f"harmful advice (below {HARM} points): {sum(harms)} of {len(harms)}")
    print(f"nothing to gain: stop advised in {stops} of {nulls}")
    report_held(covered)
    print(f"CPU seconds of a diagnosis: median {np.median(seconds):.1f}, most {max(seconds):.1f}")


def report(totals: dict[str, Totals], seeds: int) -> None:
    """Normalised regret by scenario and over all that have something to gain, beside the rules."""
    some = {name: total for name, total in totals.items() if not SCENARIOS[name][2]}
    rules = ("chance", *RULES)
    titles = ("best, points", "first step", "plan", "hits", *rules)
    print(
        f"\nnormalised regret (0 = always the best step)\n{'scenario':38}{''.join(f'{title:>14}' for title in titles)}"
    )
    for name, total in some.items():
        unseen = " (unseen)" if name in UNSEEN else ""
        little = " (little to gain)" if total.best / seeds < LITTLE else ""
        figures = [_regret(gained, total) for gained in (total.first, total.plan)]
        others = [_regret(total.others[rule], total) for rule in rules]
        print(
            f"{name + unseen + little:38}{total.best / seeds:14.2f}{figures[0]:14.2f}{figures[1]:14.2f}"
            f"{f'{total.hits} of {seeds}':>14}{''.join(f'{other:14.2f}' for other in others)}"
        )
    for title, names in (("all", list(some)), ("unseen scenarios", [name for name in some if name in UNSEEN])):
        chosen = [some[name] for name in names if some[name].best / seeds >= LITTLE]
        if not chosen:
            continue
        means = [np.mean([_regret(getattr(total, what), total) for total in chosen]) for what in ("first", "plan")]
        means += [np.mean([_regret(total.others[rule], total) for total in chosen]) for rule in rules]
        hits = f"{sum(total.hits for total in chosen)} of {len(chosen) * seeds}"
        print(
            f"{f'{title}, {len(chosen)} with something to gain':52}{means[0]:14.3f}{means[1]:14.3f}{hits:>14}"
            f"{''.join(f'{mean:14.3f}' for mean in means[2:])}"
        )


def _regret(gained: float, total: Totals) -> float:
    return (total.best - gained) / total.best if total.best > 0 else 0.0


if __name__ == "__main__":
    main()
