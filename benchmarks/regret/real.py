"""Next-step advice on real data in time order: every step is really taken and scored on the rows that came.

    OMP_NUM_THREADS=1 python benchmarks/regret/real.py [--data FOLDER] [--budget 1200] [--only WORDS] [--others]

`--others` cuts the sets at dates that nothing was tuned on.

The regret of a task is what the best of all steps (refits with a threshold among them) gains beyond the plan, as a
share of what the model as it is loses. The best is picked with hindsight on the rows that score: no advice reaches 0.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from actions import best, gain
from advice import of_errata, of_rule
from planted import HARM, held, report_held
from tasks import OTHERS, SEEN, tasks


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--budget", type=float, default=1200.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--others", action="store_true")
    wanted = parser.parse_args()
    firsts, hits, seconds = defaultdict(list), [], []
    regret, harm, covered = defaultdict(list), [], []
    for case in tasks(wanted.data, OTHERS if wanted.others else SEEN):
        if wanted.only not in case.name:
            continue
        advice = of_errata(case, wanted.budget)
        kind, most, _ = best(case)
        loss = case.loss(case.found["reached"])
        gained = {"plan": advice.planned, "first step": advice.gained, "nothing": 0.0}
        gained["always the threshold"] = of_rule(case, "threshold", wanted.budget)
        gained["always refit on all"] = gain(case, (("retrain_recent", {}),))
        for who, value in gained.items():
            regret[who].append((max(most, value) - value) / loss)
        firsts[case.name].append(advice.kind)
        hits.append(max(most, advice.planned) - advice.planned < 0.1 * max(most, advice.planned) + 1e-9)
        seconds.append(case.found["seconds"])
        harm.append(advice.planned / case.unit < HARM)
        covered += held(case, wanted.budget)
        print(
            f"{case.name:30} {case.seed}  loses {loss:8.4f}  best {kind:26} {most / loss:+7.2%}  "
            f"advised {advice.kind:16} {advice.gained / loss:+7.2%}  "
            f"plan of {len(advice.steps)} {advice.planned / loss:+7.2%}  {case.found['seconds']:.0f} s",
            flush=True,
        )
    print(f"{len(harm)} tasks; mean regret in shares of what the model loses:")
    for who, values in regret.items():
        print(f"    {who:22} {np.mean(values):.2%}")
    print(f"hits (nine tenths of the best): {sum(hits)} of {len(hits)}")
    for name, kinds in firsts.items():
        print(f"    first step, {name:30} {', '.join(kinds)}")
    print(f"harmful advice (a plan below {HARM} points): {sum(harm)} of {len(harm)}")
    report_held(covered)
    print(f"CPU seconds of a diagnosis: median {np.median(seconds):.1f}, most {max(seconds):.1f}")


if __name__ == "__main__":
    main()
