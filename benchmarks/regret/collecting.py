"""Twice as many rows: what is said of it, and what rows drawn anew really gain.

    OMP_NUM_THREADS=1 python benchmarks/regret/collecting.py [--seeds 8] [--rows 1500] [--only NAME ...]

"wavy" has a curve that still rises for trees, "line" one that is flat for a linear model, "nothing" has nothing to
learn. The real gain is that of a model fitted on the rows and as many more, on 30,000 others. "proposed": the
step is said to pay; "lost": proposed, and the rows gained nothing.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from mlflow_errata import EvaluationTable, fitting
from mlflow_errata.metric import resolve_metric
from mlflow_errata.trials import collecting
from mlflow_errata.trials.rounds import Rounds
from mlflow_errata.trials.run import _session

COLUMNS = [f"x{at}" for at in range(8)]
WEIGHT = np.array([1, -1, 0.5, 0.5, 0.2, 0, 0, 0])
MODELS = {
    "boosting": HistGradientBoostingClassifier(max_iter=60, random_state=0),
    "forest": RandomForestClassifier(40, random_state=0),
    "linear": LogisticRegression(),
}
KINDS = {
    "wavy": (("boosting", "forest", "linear"), ("accuracy", "roc_auc", "log_loss")),
    "rare": (("boosting", "forest"), ("f1", "roc_auc")),
    "line": (("boosting", "linear"), ("accuracy", "roc_auc", "log_loss")),
    "nothing": (("boosting", "linear"), ("accuracy", "roc_auc")),
}
"""Models and metrics of each kind of rows."""


def drawn(kind: str, n: int, draw: np.random.Generator) -> pd.DataFrame:
    """Rows of a kind."""
    x = draw.normal(size=(n, 8))
    odds = np.zeros(n) if kind == "nothing" else 1.5 * x @ WEIGHT
    if kind in ("wavy", "rare"):
        odds = odds + 2 * np.sin(2 * x[:, 0]) * x[:, 1] + 2 * np.sin(3 * x[:, 2])
    odds = odds - 4 * (kind == "rare")
    return pd.DataFrame(x, columns=COLUMNS).assign(y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def one(kind: str, estimator: Any, n: int, name: str, seed: int) -> tuple[float, float, float, bool, float]:
    """(value, low, high) as said, whether it is proposed, and the real gain."""
    draw = np.random.default_rng([seed, n])
    train, more, evaluation, future = (drawn(kind, size, draw) for size in (n, n, 4000, 30_000))
    model = clone(estimator).fit(train[COLUMNS], train["y"])
    table = EvaluationTable.build(evaluation, label="y", model=model, features=COLUMNS, train=train)
    metric = resolve_metric(name, table.outcomes)
    session = _session(table, model, metric, None, budget=1e9, random_state=0, clock=lambda: 0.0)
    tests = Rounds(session.bench, session.objective, random_state=0, start=0.0, deadline=1e9)
    tests.measure_noise(random=fitting.is_random(model))
    curve = collecting.followed(tests, n)
    both = pd.concat([train, more])
    before, after = (
        metric.compute(EvaluationTable.build(future, label="y", model=each, features=COLUMNS).outcomes)
        for each in (model, clone(estimator).fit(both[COLUMNS], both["y"]))
    )
    gained = (after - before) * (1 if metric.greater_is_better else -1)
    said = curve.doubled
    return said.value, said.low, said.high, bool(collecting.of_everything(tests, curve, n)), gained


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--only", nargs="*", default=list(KINDS))
    wanted = parser.parse_args()
    warnings.filterwarnings("ignore")
    found: list[tuple[float, ...]] = []
    print(f"{'rows':8} {'model':9} {'metric':9} {'said':>8} {'low':>8} {'high':>8} {'real':>8} held proposed lost")
    for kind in wanted.only:
        for name, metric in ((name, metric) for name in KINDS[kind][0] for metric in KINDS[kind][1]):
            new = [one(kind, MODELS[name], wanted.rows, metric, seed) for seed in range(wanted.seeds)]
            value, low, high, _, real = np.mean(new, axis=0)
            means = f"{value:+8.4f} {low:+8.4f} {high:+8.4f} {real:+8.4f}"
            print(f"{kind:8} {name:9} {metric:9} {means} {counts(new)} of {len(new)}", flush=True)
            found += new
    print(f"all: held, proposed, lost: {counts(found)} of {len(found)}")


def counts(found: list[tuple[float, ...]]) -> str:
    """How many intervals held the real gain, how many ask for rows, and how many of those gained nothing."""
    _, low, high, asked, real = (np.array(column) for column in zip(*found, strict=True))
    held, proposed, lost = (low <= real) & (real <= high), asked > 0, (asked > 0) & (real <= 0)
    return f"{held.sum():4} {proposed.sum():8} {lost.sum():4}"


if __name__ == "__main__":
    main()
