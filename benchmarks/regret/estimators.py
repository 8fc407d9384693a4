"""Trials with CatBoost and XGBoost, which the tests leave out because their wheels are large.

    pip install catboost xgboost-cpu
    OMP_NUM_THREADS=1 python benchmarks/regret/estimators.py

Every trial has to be made, nothing may be printed or written by the models, and the recipe has to fit and decide.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path

import numpy as np
import pandas as pd

import mlflow_errata as errata

MODELS = {
    "catboost": ("CatBoostClassifier", {"iterations": 50, "verbose": False, "allow_writing_files": False}),
    "xgboost": ("XGBClassifier", {"n_estimators": 50}),
    "lightgbm": ("LGBMClassifier", {"n_estimators": 50, "verbose": -1}),
}
SEEN = ["a", "b", "c"]


def rows(n: int, seed: int) -> pd.DataFrame:
    """9 % positives."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(n, 3)), columns=SEEN)
    odds = 2 * frame["a"] - frame["b"] - 3
    return frame.assign(at=np.arange(n) + seed * n, y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def main() -> None:
    """Print what was tried with each."""
    train, evaluation = rows(2000, 0), rows(2000, 1)
    for package, (name, params) in MODELS.items():
        try:
            model = getattr(importlib.import_module(package), name)(**params).fit(train[SEEN], train["y"])
        except ImportError:
            print(f"{package}: not installed")
            continue
        before, said = set(Path.cwd().iterdir()), io.StringIO()
        with contextlib.redirect_stdout(said):
            record = errata.diagnose(
                evaluation, label="y", model=model, train=train, time="at", features=SEEN, metric="f1", budget=600
            )
            decided = errata.Recipe.of(record, record.trials.tried[0]).fit(model, train, newer=evaluation)
        kinds = sorted({step.kind for step in record.trials.tried})
        print(
            f"{package}: {len(record.trials.tried)} tried ({', '.join(kinds)}), not tried {record.trials.not_tried}, "
            f"first {record.next_steps[0].kind}, printed {len(said.getvalue())} characters, "
            f"wrote {len(set(Path.cwd().iterdir()) - before)} files, "
            f"decides {np.mean(decided.predict(evaluation[SEEN])):.1%} positive",
            flush=True,
        )


if __name__ == "__main__":
    main()
