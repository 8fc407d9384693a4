"""False alarms and power of the recency-drift verdict.

    python benchmarks/drift/verdicts.py [--null 200] [--planted 100]

Null: labels independent of everything, 5,000 rows x 15 columns over a year, once with labels only (accuracy) and once
with scores (ROC AUC). Planted: the newest quarter loses 10 points of accuracy (0.86 to 0.76), or of ROC AUC.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.stats import beta, norm

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import recency_drift
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric

N = 5_000


def rows(draw: np.random.Generator) -> pd.DataFrame:
    """15 columns, a time and labels that depend on nothing."""
    columns = {f"number_{i}": draw.normal(size=N) for i in range(10)}
    columns |= {f"word_{i}": draw.choice(list("abcde"), N) for i in range(5)}
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(N)) * 365, unit="D")
    return pd.DataFrame(columns | {"at": at, "y": draw.integers(0, 2, N)})


def found(frame: pd.DataFrame, **output: str) -> bool:
    """The verdict."""
    table = EvaluationTable.build(frame, label="y", time="at", **output)
    return recency_drift.diagnose(table, Options(default_metric(table.outcomes))).found


def null(seed: int, *, scored: bool) -> bool:
    """A year without drift."""
    draw = np.random.default_rng(seed)
    frame = rows(draw)
    if scored:
        return found(frame.assign(score=draw.random(N)), scores="score")
    return found(frame.assign(p=np.where(draw.random(N) < 0.86, frame["y"], 1 - frame["y"])), prediction="p")


def planted(seed: int, *, scored: bool) -> bool:
    """A year whose newest quarter is served 10 points worse."""
    draw = np.random.default_rng(10_000 + seed)
    frame = rows(draw)
    level = np.where(np.arange(N) < 0.75 * N, 0.86, 0.76)
    if scored:  # normal scores, sqrt(2) * Phi^-1(AUC) apart
        raw = draw.normal(size=N) + (frame["y"] - 0.5) * np.sqrt(2) * norm.ppf(level)
        return found(frame.assign(score=norm.cdf(raw)), scores="score")
    return found(frame.assign(p=np.where(draw.random(N) < level, frame["y"], 1 - frame["y"])), prediction="p")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--planted", type=int, default=100)
    wanted = parser.parse_args()
    print(f"errata {errata.__version__}")
    for scored, name in ((False, "accuracy"), (True, "ROC AUC")):
        alarms = sum(null(seed, scored=scored) for seed in range(wanted.null))
        upper = beta.ppf(0.95, alarms + 1, wanted.null - alarms)
        print(f"null, {name}: a verdict in {alarms} of {wanted.null} tables (upper 95 % bound {upper:.1%})")
        hits = sum(planted(seed, scored=scored) for seed in range(wanted.planted))
        print(f"planted, {name}: found in {hits} of {wanted.planted}")


if __name__ == "__main__":
    main()
