"""Verdicts of the objectives diagnosis on planted and on null tables, and the cover of its intervals.

    OMP_NUM_THREADS=1 python benchmarks/objectives/verdicts.py [--draws 200] [--rows 4000]

Null tables: the outcomes have nothing to do with the scores; or the score in use is all that tells anything and the
other one is noise; or the score in use is the best mix already. Planted tables: quality and engagement each have a
score of their own, and the score in use sees one of them; or buyers' spend varies and the score in use is P(buy). Each
as one list (the top tenth), as 200 lists of which the first 3 are taken, and by NDCG.
"""

from __future__ import annotations

import argparse
from time import process_time

import numpy as np
import pandas as pd
from scipy.special import expit

import mlflow_errata as errata

SETTINGS = {
    "one list, top 10 %": {"top": 0.1},
    "200 lists, first 3": {"top": 3, "group": "list"},
    "200 lists, NDCG at 5": {"top": 5, "group": "list", "metric": "ndcg"},
}


def table(kind: str, seed: int, n: int) -> tuple[pd.DataFrame, dict[str, object]]:
    """Rows with outcomes and scores, and what the diagnosis is told."""
    draw = np.random.default_rng(seed)
    a, b, noise = draw.normal(size=(3, n))
    told: dict[str, object] = {"outcomes": ["liked", "minutes"], "scores": ["quality", "engagement"]}
    liked, minutes = expit(a - 1), np.exp(0.8 * b + 0.6 * noise)
    if kind == "nothing tells":
        liked, minutes = np.full(n, 0.3), np.exp(noise)
    if kind == "the other is noise":
        liked, minutes = expit(a - 1), np.exp(0.8 * a + 0.6 * noise)
    rows = pd.DataFrame({"quality": a, "engagement": b, "minutes": minutes, "list": np.arange(n) % 200})
    rows["liked"] = (draw.random(n) < liked).astype(float)
    rows["used"] = a
    if kind == "the best mix is in use":
        rows["minutes"] = np.exp(0.5 * (a + b) + 0.6 * noise)
        rows["liked"] = (draw.random(n) < expit(0.7 * (a + b) - 1)).astype(float)
        rows["used"] = a / a.std() + b / b.std()
    if kind == "spend varies":
        rows["quality"], rows["engagement"] = expit(a - 1), np.exp(0.7 * b)
        rows["minutes"] = (draw.random(n) < rows["quality"]) * rows["engagement"] * np.exp(noise)
        told |= {"outcomes": ["minutes"], "combine": "product"}
    return rows, told | {"current": "used"}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--rows", type=int, default=4000)
    wanted = parser.parse_args()
    start = process_time()
    for kind in ("nothing tells", "the other is noise", "the best mix is in use", "both tell", "spend varies"):
        for name, setting in SETTINGS.items():
            found, gains = 0, []
            for seed in range(wanted.draws):
                rows, told = table(kind, seed, wanted.rows)
                chosen = errata.sweep(rows, {**told, **setting}).chosen.gain
                found += chosen.low > 0
                gains.append((chosen.value, (chosen.high - chosen.low) / 2 / 1.96))
            value, error = np.array(gains).T
            print(
                f"{kind:24} {name:22} found {found:4} of {wanted.draws}; gain {value.mean():+.4f}, its spread over "
                f"draws {value.std():.4f}, as its intervals say {error.mean():.4f}",
                flush=True,
            )
    print(f"CPU seconds: {process_time() - start:.0f}")


if __name__ == "__main__":
    main()
