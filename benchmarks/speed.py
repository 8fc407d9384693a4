"""CPU seconds and memory of errata.diagnose by the number of rows.

    OMP_NUM_THREADS=1 python benchmarks/speed.py [--rows 10000 100000 1000000]

20 numbers, 10 columns of text with ten levels, a time column over ten months, scores of two classes.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

import mlflow_errata as errata


def rows(n: int) -> pd.DataFrame:
    """A table of n rows and 30 columns to slice on."""
    draw = np.random.default_rng(0)
    columns = {f"number_{i}": draw.normal(size=n) for i in range(20)}
    columns |= {f"word_{i}": draw.choice(list("abcdefghij"), n) for i in range(10)}
    score = draw.random(n)
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 304, unit="D")
    return pd.DataFrame(columns | {"at": at, "score": score, "y": (draw.random(n) < score).astype(int)})


def main() -> None:
    """Print a line for each number of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    errata.diagnose(rows(500), label="y", scores="score", time="at")
    for n in parser.parse_args().rows:
        frame = rows(n)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        record = errata.diagnose(frame, label="y", scores="score", time="at")
        seconds = time.process_time() - start
        above = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        windows = len(record.results["recency_drift"].windows)
        examined = record.results["slice_errors"].n_examined
        print(f"{n:>9,} rows x 30: {seconds:6.2f} s CPU, {above:5.0f} MB above, {windows} windows, {examined:,} slices")


if __name__ == "__main__":
    main()
