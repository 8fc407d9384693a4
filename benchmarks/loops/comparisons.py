"""Comparisons of two equal models on null differences, and the cost of the gate.

    OMP_NUM_THREADS=1 python benchmarks/loops/comparisons.py [--draws 200]

Two models, each wrong in a tenth of the rows, independently: a slice verdict of `errata.compare_runs` is a false alarm.
Bars: a verdict in at most 5 % of the draws; `errata check` with nine bars on 100,000 rows in 2 s after imports.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

import mlflow_errata as errata
from mlflow_errata._gate import Rules, judged
from mlflow_errata._run_comparison import compared

RULES = {
    "metric": {"roc_auc": {"at_least": 0.6, "drop_at_most": 0.02}, "log_loss": {"at_most": 5}},
    "slice": {"a": {"where": "region == 'a'", "error_at_most": 0.9}},
    "worst_slice": {"error_at_most": 0.9},
    "negative_flips": {"at_most": 0.3},
    "slices_worse": {"at_most": 0},
    "calibration": {"error_at_most": 0.5},
    "drift": {"drop_at_most": 0.9},
}


def null(seed: int, n: int) -> bool:
    """Whether two equal models are told apart in a slice."""
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame({"region": draw.choice(list("abcd"), n), "hour": draw.integers(0, 24, n), "x": draw.random(n)})
    y = draw.integers(0, 2, n)
    records = []
    for _ in range(2):
        said = np.where(draw.random(n) < 0.1, 1 - y, y)
        records.append(errata.diagnose(rows.assign(y=y, said=said), label="y", prediction="said", budget=0))
    found = compared(*records).slices
    return found is not None and bool(found.worse or found.better)


def gate(folder: Path) -> float:
    """Seconds to read two records of 100,000 rows and judge nine bars."""
    draw, n = np.random.default_rng(0), 100_000
    rows = pd.DataFrame({f"c{at}": draw.normal(size=n) for at in range(12)})
    rows["region"] = draw.choice(list("abcdef"), n)
    rows["at"] = pd.date_range("2024-01-01", periods=n, freq="min")
    rows["score"] = 1 / (1 + np.exp(-rows["c0"]))
    rows["y"] = (draw.random(n) < rows["score"]).astype(int)
    other = rows.assign(score=1 / (1 + np.exp(-rows["c0"] - 0.1 * draw.normal(size=n))))
    paths = [
        errata.diagnose(frame, label="y", scores="score", time="at", budget=0).save(folder / name)
        for name, frame in (("a", rows), ("b", other))
    ]
    start = perf_counter()
    old, new = (errata.Record.open(path) for path in paths)
    judged(new, Rules.read(RULES), against=old, run="b", against_run="a")
    return perf_counter() - start


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        print(f"errata check of 100,000 rows, 9 bars: {gate(Path(folder)):.2f} s")
    alarms = sum(null(seed, wanted.rows) for seed in range(wanted.draws))
    print(f"null comparisons with a slice verdict: {alarms} of {wanted.draws}")


if __name__ == "__main__":
    main()
