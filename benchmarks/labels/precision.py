"""How many of the first rows of the ranking are true label errors.

    python benchmarks/labels/precision.py [--seeds 10] [--no-peer] [--data FOLDER]

Slice-localised noise (40 % of one class in one slice), even noise (20 %), and, with --data, human-checked label errors
(label_errors_20news.parquet, label_errors_mnist.parquet: probabilities p0, p1, ..., given_label, label_error on the
rows that people reviewed). The peer, cleanlab, is installed into an environment of its own beside this file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sets import NOISY, planted
from sklearn.metrics import average_precision_score

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric

ENVIRONMENT = Path(__file__).parent / ".cleanlab"
PEER = """
import sys, numpy
from cleanlab.rank import get_label_quality_scores
given = numpy.load(sys.argv[1])
said = {at[1:]: 1 - get_label_quality_scores(given[at], given["s" + at[1:]]) for at in given if at[0] == "y"}
numpy.savez(sys.argv[2], **said)
"""


def cleanlab(sets: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Suspicion of every label of some sets of labels and scores: 1 - cleanlab's quality score."""
    python, uv = ENVIRONMENT / "bin" / "python", Path(sys.executable).parent / "uv"
    if not python.is_file():
        subprocess.run([uv, "venv", "--quiet", ENVIRONMENT], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "cleanlab"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        given, said = Path(folder) / "given.npz", Path(folder) / "said.npz"
        np.savez(
            given,
            **{f"{name}{at}": part for at, pair in enumerate(sets) for name, part in zip("ys", pair, strict=True)},
        )
        subprocess.run([python, "-c", PEER, given, said], check=True)
        found = np.load(said)
        return [found[str(at)] for at in range(len(sets))]


def ranked(rows: pd.DataFrame, scores: list[str], features: list[str] | None = None) -> pd.Series:
    """Suspicion of every label as errata ranks it, by the rows' index."""
    table = EvaluationTable.build(
        rows, label="y", scores={int(name[2:]): name for name in scores}, features=features, task=None
    )
    result = label_issues.diagnose(table, Options(default_metric(table.outcomes), budget=60.0))
    return result.ranking.set_index("id")["score"].reindex(rows.index)


def judged(wrong: np.ndarray, suspicion: np.ndarray) -> tuple[float, float]:
    """Average precision, and the share of errors among as many first rows as there are errors."""
    first = np.argsort(-suspicion, kind="stable")[: int(wrong.sum())]
    return float(average_precision_score(wrong, suspicion)), float(wrong[first].mean())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--no-peer", action="store_true", help="do not install and ask cleanlab")
    parser.add_argument("--data", type=Path, help="folder of human-checked label errors")
    wanted = parser.parse_args()
    for kind in NOISY:
        sets = [planted(kind, seed) for seed in range(wanted.seeds)]
        wrong = [given.wrong.to_numpy() for given in sets]
        known = [(given.rows["y"].to_numpy(), given.rows[given.scores].to_numpy()) for given in sets]
        ours = [ranked(given.rows, given.scores, given.features).to_numpy() for given in sets]
        plain = [1 - scores[np.arange(len(y)), y] for y, scores in known]
        theirs, peer = (plain, "self-confidence") if wanted.no_peer else (cleanlab(known), "cleanlab")
        told(kind, list(map(judged, wrong, ours)), list(map(judged, wrong, theirs)), peer)
    for name in ("20news", "mnist") if wanted.data else ():
        human(name, pd.read_parquet(wanted.data / f"label_errors_{name}.parquet"), peer=not wanted.no_peer)


def told(kind: str, ours: list[tuple[float, float]], theirs: list[tuple[float, float]], peer: str) -> None:
    """One line: means over the seeds, the lowest average precision, and the largest gap to the peer."""
    a, b = np.array(ours), np.array(theirs)
    print(
        f"{kind:22} average precision {a[:, 0].mean():.3f} (lowest {a[:, 0].min():.3f}), precision at budget "
        f"{a[:, 1].mean():.3f}; {peer} {b[:, 0].mean():.3f}, {b[:, 1].mean():.3f}; "
        f"ours - theirs at least {(a - b)[:, 0].min():+.3f}"
    )


def human(name: str, rows: pd.DataFrame, *, peer: bool) -> None:
    """One line about rows that people have reviewed."""
    p = [column for column in rows if column[1:].isdigit()]
    table = rows[p].astype(float).rename(columns=lambda column: f"p_{column[1:]}")
    table = table.div(table.sum(axis=1), axis=0).assign(y=rows["given_label"].astype(int))
    scores = [f"p_{column[1:]}" for column in p]
    reviewed = rows["label_error"].notna().to_numpy()
    wrong = rows["label_error"][reviewed].astype(int).to_numpy()
    a = judged(wrong, ranked(table, scores, []).to_numpy()[reviewed])
    line = f"{name:22} {wrong.sum()} errors in {len(wrong)} reviewed rows: {a[0]:.3f}, {a[1]:.3f}"
    if peer:
        b = judged(wrong, cleanlab([(table["y"].to_numpy(), table[scores].to_numpy())])[0][reviewed])
        line += f"; cleanlab {b[0]:.3f}, {b[1]:.3f}"
    print(line)


if __name__ == "__main__":
    main()
