"""What relabelling is said to gain after an audit of 40 rows, and what it gains.

    python benchmarks/labels/gain.py [--seeds 5]

The truth: all flagged training labels are corrected where they are wrong, the model is fitted again, and both models
are scored on 10,000 rightly labelled rows.
"""

from __future__ import annotations

import argparse

import numpy as np
from sets import NOISY, RIGHT, Planted, planted
from sklearn.base import clone

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata._relabel_gain import _Flags, relabel_gain
from mlflow_errata.metric import resolve_metric


def gains(given: Planted) -> tuple[float, float, float, float, bool]:
    """The estimate with its interval, the realised gain, and whether the audit asks for relabelling."""
    roles = {
        "label": "y",
        "scores": {int(name[2:]): name for name in given.scores},
        "features": given.features,
        "slice_by": [*given.train.columns.drop("y")],
    }
    record = errata.diagnose(given.rows, **roles, metric="accuracy")
    after = errata.audited(record, lambda row: given.truth[row["id"]])
    issues = after.results["label_issues"]
    table = EvaluationTable.build(given.rows, **roles)
    metric = resolve_metric("accuracy", table.outcomes)
    said = relabel_gain(table, issues, given.train, given.model, metric)
    flags = _Flags.of_training(table, issues, given.train, given.model, 0)
    corrected = given.train["y"].to_numpy().copy()
    corrected[flags.rows] = given.train_truth.to_numpy()[flags.rows]
    better = clone(given.model).fit(given.train[given.features], corrected)
    future = given.future[given.features]
    real = np.mean(better.predict(future) == given.future["y"]) - np.mean(
        given.model.predict(future) == given.future["y"]
    )
    return said.value, said.low, said.high, float(real), issues.found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    rows = []
    for kind in (*NOISY, *RIGHT):
        found = [gains(planted(kind, 1000 + seed)) for seed in range(seeds)]
        rows += found
        value, low, high, real, _ = np.array(found).T
        print(
            f"{kind:22} said {value.mean():+.4f}, gained {real.mean():+.4f}, mean absolute error "
            f"{np.abs(value - real).mean():.4f}, inside the 90 % interval {int(((low <= real) & (real <= high)).sum())} "
            f"of {seeds}"
        )
    value, low, high, real, _ = np.array(rows).T
    print(
        f"all {len(rows)} sets: mean absolute error {np.abs(value - real).mean():.4f}, inside the 90 % interval "
        f"{np.mean((low <= real) & (real <= high)):.0%}, correlation {np.corrcoef(value, real)[0, 1]:.2f}"
    )


if __name__ == "__main__":
    main()
