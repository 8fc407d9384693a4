"""Wall seconds of a diagnosis with all trials against its budget: 20,000 x 20 rows, and as many to learn from.

    OMP_NUM_THREADS=1 python benchmarks/regret/budget.py [--budgets 5 20 60] [--rows 20000] [--clock cpu]

Every estimator is fitted once before. "base" is a diagnosis without trials: what is left to the trials is the rest. The
slow estimator needs a minute for a fit on all rows, so that trials have to do with fewer. On a machine that others load
too, `--clock cpu` lets the trials count CPU seconds (and what the slow estimator sleeps), which is what they would take
on a quiet one: "trials s" are theirs, and have to stay within the budget.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as sampled
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow_errata as errata
from mlflow_errata import _diagnose
from mlflow_errata.trials.run import try_steps

COLUMNS = [f"x{i}" for i in range(20)]


class Slow(LogisticRegression):
    """Three milliseconds a row."""

    slept = 0.0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Slow:  # noqa: N803
        """Sleep, then fit."""
        time.sleep(0.003 * len(X))
        Slow.slept += 0.003 * len(X)
        return super().fit(X, y, sample_weight)


ESTIMATORS = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "forest of 100": RandomForestClassifier(100, random_state=0),
    "imbalanced-learn": sampled(RandomOverSampler(random_state=0), HistGradientBoostingClassifier(random_state=0)),
    "slow: 60 s a fit": Slow(max_iter=300),
}


def drawn(n: int, seed: int) -> pd.DataFrame:
    """Rows over time, 10 % positives."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 20))
    odds = 2 * x[:, 0] - x[:, 1] + np.sin(2 * x[:, 2]) * x[:, 3] - 3
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(seed * n + np.arange(n), unit="min")
    return pd.DataFrame(x, columns=COLUMNS).assign(at=at, y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def counted() -> float:
    """CPU seconds, and those that were slept."""
    return time.process_time() + Slow.slept


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="*", default=[5.0, 20.0, 60.0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    wanted = parser.parse_args()
    if wanted.clock == "cpu":
        _diagnose.monotonic = try_steps.__kwdefaults__["clock"] = counted
    warnings.filterwarnings("ignore")
    train, evaluation = (drawn(wanted.rows, seed) for seed in (0, 1))
    columns = f"{'base':>8}{'wall s':>8}{'CPU s':>8}{'trials s':>9}{'tried':>7}{'not':>5}"
    print(f"{'estimator':22}{'budget':>8}{columns}  fitted on")
    for name, estimator in ESTIMATORS.items():
        if wanted.only not in name:
            continue
        few = train[:2000] if isinstance(estimator, Slow) else train
        model = estimator.fit(few[COLUMNS], few["y"])
        roles = {"label": "y", "time": "at", "features": COLUMNS, "metric": "f1", "train": train, "model": model}
        base = -time.perf_counter()
        errata.diagnose(evaluation, budget=0, **roles)
        base += time.perf_counter()
        for budget in wanted.budgets:
            wall, cpu = -time.perf_counter(), -time.process_time()
            record = errata.diagnose(evaluation, budget=budget, **roles)
            wall, cpu = wall + time.perf_counter(), cpu + time.process_time()
            trials = record.trials
            fitted = f"{trials.n_train} of {trials.n_train_given} rows" if trials else "nothing"
            n_tried, n_not = (len(trials.tried), len(trials.not_tried)) if trials else (0, 0)
            seconds = trials.seconds if trials else 0.0
            figures = f"{base:8.1f}{wall:8.1f}{cpu:8.1f}{seconds:9.1f}{n_tried:7}{n_not:5}"
            print(f"{name:22}{budget:8.0f}{figures}  {fitted}", flush=True)


if __name__ == "__main__":
    main()
