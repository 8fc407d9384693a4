"""The sweep of weights: seconds for 100,000 rows, 2 scores, 101 weights and 2 outcomes, intervals and choice included.

OMP_NUM_THREADS=1 python benchmarks/objectives/speed.py [--rows 100000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter, process_time

import numpy as np
import pandas as pd

import mlflow_errata as errata

SETTINGS = {
    "one list, share in the top 10 %": {"top": 0.1},
    "12 lists, share in the top 10 %": {"top": 0.1, "group": "month"},
    "one list, units are 20,000 customers": {"top": 0.1, "unit": "customer"},
    "10,000 lists, precision at 3": {"top": 3, "group": "query", "metric": "mean"},
    "10,000 lists, NDCG at 5": {"top": 5, "group": "query", "metric": "ndcg"},
}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    wanted = parser.parse_args()
    n, draw = wanted.rows, np.random.default_rng(0)
    a, b = draw.normal(size=(2, n))
    rows = pd.DataFrame({"quality": a, "engagement": b, "month": np.arange(n) % 12, "query": np.arange(n) // 10})
    rows["customer"] = draw.integers(0, 20_000, n)
    rows["liked"] = (draw.random(n) < 1 / (1 + np.exp(1 - a))).astype(float)
    rows["minutes"] = np.exp(b + draw.normal(size=n))
    told = {"outcomes": ["liked", "minutes"], "scores": ["quality", "engagement"]}
    for name, setting in SETTINGS.items():
        wall, cpu = [], []
        for _ in range(wanted.repeats):
            start = perf_counter(), process_time()
            found = errata.sweep(rows, {**told, **setting})
            wall.append(perf_counter() - start[0])
            cpu.append(process_time() - start[1])
        print(
            f"{n:,} rows, {len(found.mixes)} weights, {name}: {min(wall):.2f} s wall at best, {np.median(wall):.2f} s "
            f"median, {np.median(cpu):.2f} CPU s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            flush=True,
        )


if __name__ == "__main__":
    main()
