"""CPU seconds and memory of errata.diagnose by the number of rows.

    OMP_NUM_THREADS=1 python benchmarks/speed.py [--rows 10000 100000 1000000]

20 numbers, 10 columns of text with ten levels, a time column over ten months, scores of two classes: once with nothing
wrong, once with six slices of two predicates in which a fifth of the labels contradict the scores. Memory is the peak
(resource) above what the process held with the table built, so Linux is needed.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

import mlflow_errata as errata

MEGABYTE = 2**20


def rows(n: int, *, planted: bool) -> pd.DataFrame:
    """A table of n rows and 30 columns to slice on."""
    draw = np.random.default_rng(0)
    columns = {f"number_{i}": draw.normal(size=n) for i in range(20)}
    columns |= {f"word_{i}": draw.choice(list("abcdefghij"), n) for i in range(10)}
    score = draw.random(n)
    y = draw.random(n) < score
    for i in range(6 if planted else 0):
        bad = (columns[f"word_{i}"] == "c") & (columns[f"number_{i}"] > 0) & (draw.random(n) < 0.2)
        y = np.where(bad, score < 0.5, y)
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 304, unit="D")
    return pd.DataFrame(columns | {"at": at, "score": score, "y": y.astype(int)})


def held() -> float:
    """Memory that the process holds now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MEGABYTE


def main() -> None:
    """Print two lines for each number of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    errata.diagnose(rows(500, planted=False), label="y", scores="score", time="at", budget=0)
    for n, planted in [(n, planted) for n in parser.parse_args().rows for planted in (False, True)]:
        frame = rows(n, planted=planted)
        before, start = held(), time.process_time()
        record = errata.diagnose(frame, label="y", scores="score", time="at", budget=0)
        seconds = time.process_time() - start
        above = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
        windows = len(record.results["recency_drift"].windows)
        slices = record.results["slice_errors"]
        print(
            f"{n:>9,} rows x 30: {seconds:6.2f} s CPU, at most {above:5.0f} MB above the table, {windows} windows, "
            f"{len(slices.slices)} of {slices.n_examined:,} slices confirmed"
        )


if __name__ == "__main__":
    main()
