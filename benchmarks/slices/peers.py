"""errata's slice search beside its peers, on the same data in one run.

    OMP_NUM_THREADS=1 python benchmarks/slices/peers.py [--envs .benchmarks] [--null 3] [--wide 5]

Each peer runs in a process and an environment of its own, made under --envs the first time. Shapes: the Adult data
(32,561 rows, 14 columns, 162 levels), five planted slices with error rate .25 against .10, up to three levels, support
of 1 % or more, the ten best. "flagged on noise" is the mean number of slices reported on tables of 5,000 rows whose
errors depend on nothing. The last lines count wide tables on which the five best of a peer differ from the true ones.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
from tables import adult, diagnosed, jaccard, plant

from mlflow_errata.slicing import top_slices

PEERS = {
    "sliceline": "sliceline==0.3.0",
    "pysubgroup": "pysubgroup==0.9.0",
    "divexplorer": "divexplorer==0.2.6",
    "ml_xray": "ml-xray==0.2.0",
    "tree": "scikit-learn==1.9.1",
}
LIMIT = 240
"""Seconds for a peer."""
SCRIPT = Path(__file__).with_name("one_peer.py")


def environment(envs: Path, peer: str) -> Path:
    """The peer's own interpreter."""
    folder = (envs / peer).resolve()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    if not (folder / "ready").exists():
        subprocess.run([python, "-m", "pip", "install", "-q", PEERS[peer]], check=True)
        (folder / "ready").touch()
    return python


def run(python: Path, peer: str, data: Path) -> dict | None:
    """What a peer reports, or None if it failed or took too long."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    try:
        done = subprocess.run(
            [python, SCRIPT, peer, data],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=os.environ | threads,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(f"  {peer} failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return None
    return json.loads(lines[-1].removeprefix("RESULT "))


def save(folder: Path, name: str, codes: np.ndarray, errors: np.ndarray, min_support: int) -> Path:
    np.savez(folder / name, codes=codes, errors=errors, min_support=min_support)
    return folder / name


def inside(codes: np.ndarray, items: list) -> np.ndarray | None:
    """Rows of a slice given as (column, code) pairs; None for slices told in another way."""
    if not items or not isinstance(items[0], (list, tuple)):
        return None
    return np.logical_and.reduce([codes[:, column] == code for column, code in items])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, default=Path(".benchmarks"))
    parser.add_argument("--null", type=int, default=3)
    parser.add_argument("--wide", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compare(wanted, Path(scratch))
        wrong(wanted, Path(scratch))


def compare(wanted: argparse.Namespace, scratch: Path) -> None:
    draw = np.random.default_rng(0)
    frame = adult(draw, 32_561)
    masks = [item.mask(frame) for item in plant(draw, frame)]
    errors = (draw.random(len(frame)) < np.where(np.logical_or.reduce(masks), 0.25, 0.10)).astype(float)
    codes = frame.astype(int).to_numpy()
    data = save(scratch, "adult.npz", codes, errors, 326)
    spent = []
    for _ in range(5):
        start = time.process_time()
        best = top_slices(codes, errors, k=10, min_support=326, score="sliceline")
        spent.append(time.process_time() - start)
    ours = float(np.median(spent))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    slices = diagnosed(frame, errors > 0, draw).slices
    whole = time.process_time() - start
    noise = [null(seed) for seed in range(wanted.null)]
    flagged = np.mean([len(diagnosed(table, wrong > 0, np.random.default_rng(0)).slices) for table, wrong in noise])
    hits = sum(any(jaccard(item.mask(frame), mask) >= 0.8 for item in slices) for mask in masks)
    print("peer                         CPU s    wall s   peak MB   CPU / errata   planted found   flagged on noise")
    print(f"errata top_slices         {ours:8.4f} {'':>9} {peak:9.0f} {1:14.0f} {'':>15} {'':>18}")
    print(
        f"errata, whole diagnosis   {whole:8.4f} {'':>9} {peak:9.0f} {whole / ours:14.0f} {hits:>13}/5 {flagged:>18.1f}"
    )
    for peer in PEERS:
        python = environment(wanted.envs, peer)
        found = run(python, peer, data)
        if found is None:
            print(f"{peer:25} failed, or more than {LIMIT} s", flush=True)
            continue
        told = [inside(codes, items) for items in found["slices"][:10]]
        hits = sum(any(rows is not None and jaccard(rows, mask) >= 0.8 for rows in told) for mask in masks)
        known = all(rows is not None for rows in told)
        counted = [
            run(python, peer, save(scratch, "null.npz", table.astype(int).to_numpy(), wrong, 50))
            for table, wrong in noise
        ]
        flagged = np.mean([len(each["slices"]) for each in counted if each is not None])
        print(
            f"{peer:25} {found['cpu']:8.2f} {found['wall']:9.2f} {found['peak']:9.0f} {found['cpu'] / ours:14.0f} "
            f"{f'{hits}/5' if known else '-':>15} {flagged:>18.1f}",
            flush=True,
        )
        if peer == "sliceline":
            same = np.allclose(found["scores"][:10], [item.score for item in best][: len(found["scores"])], atol=1e-6)
            print(f"{'':25} its scores equal errata's: {same}")


def null(seed: int) -> tuple:
    draw = np.random.default_rng(100 + seed)
    return adult(draw, 5_000), (draw.random(5_000) < 0.14).astype(float)


def wrong(wanted: argparse.Namespace, scratch: Path) -> None:
    """Tables with more levels than rows: the five best by SliceLine's score, against the exact ones."""
    python, differ = environment(wanted.envs, "sliceline"), 0
    for seed in range(wanted.wide):
        draw = np.random.default_rng(seed)
        n = 1_000
        codes = np.column_stack(
            [*(draw.integers(0, 6, n) for _ in range(5)), *(draw.permutation(n) for _ in range(12))]
        )
        bad = (codes[:, 0] == 1) & (codes[:, 1] == 2)
        errors = (draw.random(n) < np.where(bad, 0.6, 0.1)).astype(float)
        found = run(python, "sliceline", save(scratch, "wide.npz", codes, errors, 10))
        best = [item.score for item in top_slices(codes, errors, k=5, min_support=10, score="sliceline")]
        scores = [] if found is None else found["scores"][:5]
        differ += len(scores) < len(best) or not np.allclose(scores, best, atol=1e-6)
        print(
            f"  wide table {seed}: sliceline {np.round(scores, 3).tolist()}, exact {np.round(best, 3).tolist()}",
            flush=True,
        )
    print(f"sliceline as released is wrong on {differ} of {wanted.wide} wide tables", flush=True)


if __name__ == "__main__":
    sys.exit(main())
