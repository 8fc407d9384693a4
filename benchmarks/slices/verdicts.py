"""False alarms and power of the slice verdict: null tables and one planted slice.

    python benchmarks/slices/verdicts.py [--null 200] [--planted 100]

Null: labels independent of everything, 5,000 rows x 15 columns (10 numbers, 5 of text). Planted: 20,000 rows, one slice
of 5 % of the rows whose error rate is 15 points above the others' 10 %, by turns a level, a range, and two predicates.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.stats import beta

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric


def columns(draw: np.random.Generator, n: int) -> pd.DataFrame:
    numbers = {f"number_{i}": draw.normal(size=n) for i in range(10)}
    numbers["number_9"][draw.random(n) < 0.1] = np.nan
    words = {f"word_{i}": draw.choice([f"v{j}" for j in range(3 + 4 * i)], n) for i in range(5)}
    return pd.DataFrame(numbers | words)


def diagnosed(frame: pd.DataFrame, wrong: np.ndarray, draw: np.random.Generator) -> slice_errors.SliceErrors:
    y = draw.integers(0, 2, len(frame))
    rows = frame.assign(label=y, said=np.where(wrong, 1 - y, y))
    table = EvaluationTable.build(rows, label="label", prediction="said")
    return slice_errors.diagnose(table, Options(default_metric(table.outcomes)))


def null(seed: int) -> bool:
    draw = np.random.default_rng(seed)
    frame = columns(draw, 5_000)
    return diagnosed(frame, draw.random(len(frame)) < 0.14, draw).found


def planted(seed: int) -> tuple[bool, bool, bool]:
    draw = np.random.default_rng(10_000 + seed)
    n = 20_000
    frame = columns(draw, n)
    if seed % 3 == 0:
        frame["word_4"] = np.where(draw.random(n) < 0.05, "bad", frame["word_4"])
        inside = frame["word_4"] == "bad"
    elif seed % 3 == 1:
        inside = frame["number_0"].between(*np.quantile(frame["number_0"], [0.6, 0.65]))
    else:
        inside = (frame["word_1"] == "v1") & (frame["number_1"] > np.quantile(frame["number_1"], 0.65))
    result = diagnosed(frame, draw.random(n) < np.where(inside, 0.25, 0.10), draw)
    if not result.slices:
        return False, False, False
    first = result.slices[0]
    found = first.mask(frame)
    jaccard = (found & inside).sum() / (found | inside).sum()
    truth = 0.25 * (found & inside).sum() / found.sum() + 0.10 * (found & ~inside).sum() / found.sum()
    return jaccard >= 0.5, len(result.slices) == 1, first.error.low <= truth <= first.error.high


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--planted", type=int, default=100)
    wanted = parser.parse_args()
    alarms = sum(null(seed) for seed in range(wanted.null))
    upper = beta.ppf(0.95, alarms + 1, wanted.null - alarms)
    print(f"errata {errata.__version__}")
    print(f"null: a verdict in {alarms} of {wanted.null} tables (upper 95 % bound {upper:.1%})")
    results = np.array([planted(seed) for seed in range(wanted.planted)])
    print(f"planted: found and ranked first in {results[:, 0].sum()} of {wanted.planted}")
    print(f"planted: exactly one slice reported in {results[:, 1].sum()}")
    print(f"planted: the interval holds the slice's true error rate in {results[:, 2].sum()}")


if __name__ == "__main__":
    main()
