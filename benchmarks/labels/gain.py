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
from mlflow_errata._relabel_gain import _training_flags, known_rows, relabel_gain


def gains(given: Planted) -> tuple[float, float, float, float]:
    """The estimate with its interval, and the realised gain."""
    roles = {"label": "y", "model": given.model, "features": given.features}
    rows = given.rows.drop(columns=given.scores)
    record = errata.audited(errata.diagnose(rows, **roles), lambda row: given.truth[row["id"]])
    issues, table = record.results["label_issues"], EvaluationTable.build(rows, **roles)
    said = relabel_gain(table, issues, given.train, given.model)
    flags = _training_flags(table, issues, known_rows(table, given.train), given.model, 0).rows
    corrected = given.train["y"].to_numpy().copy()
    corrected[flags] = given.train_truth.to_numpy()[flags]
    better = clone(given.model).fit(given.train[given.features], corrected)
    before, after = (
        float(np.mean(model.predict(given.future[given.features]) == given.future["y"]))
        for model in (given.model, better)
    )
    return said.value, said.low, said.high, after - before


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    rows = []
    for kind in (*NOISY, *RIGHT):
        found = [gains(planted(kind, 1000 + seed)) for seed in range(seeds)]
        rows += found
        value, low, high, real = np.array(found).T
        inside = int(((low <= real) & (real <= high)).sum())
        print(
            f"{kind:22} said {value.mean():+.4f}, gained {real.mean():+.4f}, mean absolute error "
            f"{np.abs(value - real).mean():.4f}, inside the 90 % interval {inside} of {seeds}"
        )
    value, low, high, real = np.array(rows).T
    print(
        f"all {len(rows)} sets: mean absolute error {np.abs(value - real).mean():.4f}, inside the 90 % interval "
        f"{np.mean((low <= real) & (real <= high)):.0%}, correlation {np.corrcoef(value, real)[0, 1]:.2f}"
    )


if __name__ == "__main__":
    main()
