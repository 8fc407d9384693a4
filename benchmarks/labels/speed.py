"""CPU seconds of the label diagnosis on given probabilities.

OMP_NUM_THREADS=1 python benchmarks/labels/speed.py [--rows 1000000] [--classes 10]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric


def main() -> None:
    """Print one line for labels that are numbers and one for text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=10)
    wanted = parser.parse_args()
    draw, n, k = np.random.default_rng(0), wanted.rows, wanted.classes
    scores = draw.dirichlet(np.full(k, 0.3), n)
    y = (scores.cumsum(axis=1) > draw.random(n)[:, None]).argmax(axis=1)
    names = [f"class {i}" for i in range(k)]
    for kind, label in (("numbers", y), ("text", np.array(names)[y])):
        rows = pd.DataFrame(scores, columns=names).assign(y=label)
        start = time.process_time()
        classes = names if kind == "text" else range(k)
        table = EvaluationTable.build(rows, label="y", scores=dict(zip(classes, names, strict=True)))
        built = time.process_time()
        result = label_issues.diagnose(table, Options(default_metric(table.outcomes), budget=60.0))
        seconds = time.process_time() - built
        print(
            f"{n:,} rows x {k} classes ({kind}): {seconds:.2f} s CPU, and {built - start:.2f} s to check the table; "
            f"{result.n_flagged:,} of {len(result.ranking):,} ranked labels flagged"
        )


if __name__ == "__main__":
    main()
