"""Metrics as judges of runs: 12 runs on the same rows, ranked by the metric in use and by the declared value.

    OMP_NUM_THREADS=1 python benchmarks/metrics/verdicts.py [--draws 100] [--rows 2000]

Apart: one row in ten is positive, misses cost nine times a false alarm, as the balanced accuracy counts them, and the
runs differ in how timid their decisions are, so that the accuracy prefers one that misses what matters. Alike: both
errors cost the same, and the runs differ in how much noise is in what they say. Blind: few rows are positive; the
scores tell them apart, the decisions name hardly one.
"""

from __future__ import annotations

import argparse
from time import process_time

import numpy as np
import pandas as pd
from scipy.special import expit, logit

import mlflow_errata as errata

N_RUNS = 12
DEAR, EVEN = {"tp": 0, "fp": -1, "fn": -9, "tn": 0}, {"tp": 0, "fp": -1, "fn": -1, "tn": 0}


def experiment(seed: int, n: int, *, apart: bool) -> tuple[dict[str, errata.Record], dict[str, float]]:
    """Records of the runs, and what each really loses, by the chances that the labels were drawn from."""
    draw = np.random.default_rng(seed)
    truth = expit(1.5 * draw.normal(size=n) - (2.9 if apart else 1.0))
    y = (draw.random(n) < truth).astype(int)
    value = DEAR if apart else EVEN
    records, loses = {}, {}
    for at in draw.permutation(N_RUNS):
        moved, noise = (2.6 * at / (N_RUNS - 1), 0.3) if apart else (0.0, 0.1 + 2.0 * at / (N_RUNS - 1))
        said = expit(logit(truth) + moved + noise * draw.normal(size=n))
        rows = pd.DataFrame({"y": y, "x": truth, "s": said})
        name = f"run {at}"
        records[name] = errata.diagnose(rows, label="y", scores="s", features=["x"], metric="accuracy", value=value)
        yes = said >= 1 / 2
        loses[name] = float(np.where(yes, 1 - truth, -value["fn"] * truth).mean())
    return records, loses


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--rows", type=int, default=2000)
    wanted = parser.parse_args()
    named = right = exact = silent = blind = 0
    start = process_time()
    for seed in range(wanted.draws):
        records, loses = experiment(seed, wanted.rows, apart=True)
        found = errata.compare_metrics(records)
        told = found.better is not None
        named += found.misled and told
        exact += found.better == "balanced_accuracy"
        right += told and loses[found.choice(found.better).run] < loses[found.choices[0].run]
        silent += not errata.compare_metrics(experiment(seed, wanted.rows, apart=False)[0]).misled
        blind += is_blind(seed, wanted.rows)
    n = wanted.draws
    print(f"apart: named as misleading, with the metric that chooses better and its run: {named} of {n}")
    print(f"    that run really loses less than the one that the metric in use chooses: {right} of {n}")
    print(f"    the metric named is the one that the value was made of: {exact} of {n}")
    print(f"alike: silent: {silent} of {n}")
    print(f"blind accuracy: named: {blind} of {n}")
    print(f"CPU seconds: {process_time() - start:.0f}")


def is_blind(seed: int, n: int) -> bool:
    """Whether an accuracy that sees nothing is named."""
    draw = np.random.default_rng(seed)
    score = expit(1.5 * draw.normal(size=n) - 4.5)
    rows = pd.DataFrame({"y": (draw.random(n) < score).astype(int), "s": score})
    record = errata.diagnose(rows, label="y", scores="s", metric="accuracy")
    found = record.results.get("metric_mismatch")
    return found is not None and found.blind is not None


if __name__ == "__main__":
    main()
