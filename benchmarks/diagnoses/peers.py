"""errata's diagnoses beside its peers, on the same data in one run.

    OMP_NUM_THREADS=1 python benchmarks/diagnoses/peers.py [--envs .benchmarks] [--rows 100000] [--draws 10]

Each peer runs in a process and an environment of its own, made under --envs the first time. Data: 20 numbers, 10
columns of ten levels, a time column and the scores of a logistic model of two of the numbers; the newest quarter is
current. Cost: CPU seconds of one call after a warm-up, and the peak of memory above the frame (Linux). evidently,
alibi-detect and mlflow-drift-plugin compare columns of two frames only; nannyml and deepchecks the model's area under
the ROC curve, too; cleanlab looks for label issues only; errata makes every diagnosis over ten windows.

Verdicts on 5,000 rows a draw: "moved" - columns are said to have moved; "worse" - the model is said to serve the
current rows worse. Nothing should be said where nothing is wrong ("null"; "moved by .02": every number moves by .02
standard deviations at 100,000 rows, and the model serves as before); "worse" should be said of "concept" (labels depend
on other columns) and of "covariate" (more rows lie near the boundary).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from scipy.special import expit

PEERS = {
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "pandas<3", "numpy<2", "statsmodels", "setuptools<81"),
    "alibi_detect": ("alibi-detect==0.13.0", "pandas<3"),
    "deepchecks": (
        "deepchecks==0.19.1",
        *("pandas<3", "numpy<2", "scikit-learn<1.6", "category-encoders<2.7", "setuptools<81"),
    ),
    "cleanlab": ("cleanlab==2.9.0",),
    "mlflow_drift_plugin": ("mlflow-drift-plugin==0.1.0", "pandas<3"),
}
"""What to install for each: newer versions of their own dependencies break several on import."""
CASES = {"null": 5_000, "moved by .02": 100_000, "concept": 5_000, "covariate": 5_000}
LIMIT = 300
"""Seconds for a peer."""
SCRIPT = Path(__file__).with_name("one_peer.py")


def environment(envs: Path, peer: str) -> Path:
    """The peer's own interpreter; errata's is this one."""
    if peer.startswith("errata"):
        return Path(sys.executable)
    folder = (envs / peer).resolve()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    if not (folder / "ready").exists():
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[peer]], check=True)
        (folder / "ready").touch()
    return python


def drawn(folder: Path, case: str, seed: int, n: int) -> Path:
    """A file of n rows over a year, of which the newest quarter may differ."""
    draw = np.random.default_rng(seed)
    numbers, words = draw.normal(size=(n, 20)), draw.integers(0, 10, (n, 10))
    split = int(0.75 * n)
    newer = np.arange(n) >= split
    if case == "moved by .02":
        numbers[newer] += 0.02
    if case == "covariate":
        numbers[newer, :2] *= 0.4
    logit = numbers[:, :2] @ [1.5, -1.0]
    true = np.where(newer, numbers[:, 2:4] @ [1.5, -1.0] + 0.5 * logit, logit) if case == "concept" else logit
    at = 1.7e9 + np.sort(draw.random(n)) * 365 * 86_400
    path = folder / f"{case}-{seed}-{n}.npz"
    np.savez(path, numbers=numbers, words=words, at=at, score=expit(logit), y=draw.random(n) < expit(true), split=split)
    return path


def run(python: Path, peer: str, files: list[Path]) -> list[dict]:
    """What a peer reports on each file, as far as it comes."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    try:
        done = subprocess.run(
            [python, SCRIPT, peer, *files],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=os.environ | threads,
            check=False,
        )
        out, said = done.stdout, done.stderr.strip().splitlines()[-1:]
    except subprocess.TimeoutExpired as late:
        out, said = (late.stdout or b"").decode(), [f"more than {LIMIT} s"]
    lines = [line for line in out.splitlines() if line.startswith("RESULT ")]
    if len(lines) < len(files) - 1:
        print(f"  {peer} stopped: {said}", flush=True)
    return [json.loads(line.removeprefix("RESULT ")) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, default=Path(".benchmarks"))
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    wanted = parser.parse_args()
    peers = ["errata", "errata_drift", *wanted.peers]
    with tempfile.TemporaryDirectory() as scratch:
        cost(wanted, peers, Path(scratch))
        verdicts(wanted, peers, Path(scratch))


def cost(wanted: argparse.Namespace, peers: list[str], scratch: Path) -> None:
    warm = drawn(scratch, "null", 0, 5_000)
    for n in wanted.rows:
        print(f"{n:,} rows x 30           CPU s   / errata   / errata's drift   peak MB", flush=True)
        data, whole, drift = drawn(scratch, "null", 1, n), 0.0, 0.0
        for peer in peers:
            found = run(environment(wanted.envs, peer), peer, [warm, data])
            if not found:
                continue
            spent = found[0]["cpu"]
            whole = spent if peer == "errata" else whole
            drift = spent if peer == "errata_drift" else drift
            ratio = f"{spent / drift:18.1f}" if drift else f"{'':>18}"
            print(f"{peer:22} {spent:7.2f} {spent / whole:10.1f} {ratio} {found[0]['peak']:9.0f}", flush=True)


def verdicts(wanted: argparse.Namespace, peers: list[str], scratch: Path) -> None:
    print(f"verdicts in {wanted.draws} draws: moved / worse" + "".join(f"{case:>16}" for case in CASES))
    warm = drawn(scratch, "null", 0, 5_000)
    for peer in peers:
        if peer in {"errata_drift", "cleanlab"}:
            continue
        told = []
        for case, n in CASES.items():
            files = [drawn(scratch, case, 1 + seed, n) for seed in range(wanted.draws)]
            found = run(environment(wanted.envs, peer), peer, [warm, *files])
            counts = [
                "-" if any(each[kind] is None for each in found) else str(sum(each[kind] for each in found))
                for kind in ("moved", "worse")
            ]
            short = "" if len(found) == wanted.draws else f" of {len(found)}"
            told.append(" / ".join(counts) + short)
            for path in files[1:]:
                path.unlink()
        print(f"{peer:36}" + "".join(f"{each:>16}" for each in told), flush=True)


if __name__ == "__main__":
    sys.exit(main())
