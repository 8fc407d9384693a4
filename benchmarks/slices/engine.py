"""Cost of the slice engine.

    OMP_NUM_THREADS=1 python benchmarks/slices/engine.py [--rows 1000000] [--census 2458285] [--big 10000000]

top        exact top-10 of SliceLine's score on the Adult shape (32,561 x 14, 162 levels, 1 % support, three levels)
adult      all of the slice diagnosis on it: the first run, a second run on the same table, and 100 error vectors
rows       the slice diagnosis on tables of n x 30 at four sizes up to --rows, with the fit of seconds to rows
census     exact top-10 on the shape of the US Census data (68 columns)
big        the slice diagnosis at --big x 30 (0 leaves it out: it needs 12 GB)
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tables import adult, plant

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._sliced import _kept
from mlflow_errata.metric import default_metric
from mlflow_errata.slicing import confirm, top_slices

MEGABYTE = 2**20


def held() -> float:
    """Memory that the process holds now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MEGABYTE


def peak() -> float:
    """The most that the process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def levels(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The Adult shape with five planted slices, and errors."""
    draw = np.random.default_rng(0)
    frame = adult(draw, n)
    inside = np.logical_or.reduce([item.mask(frame) for item in plant(draw, frame)])
    return frame, draw.random(n) < np.where(inside, 0.25, 0.10)


def table_of(frame: pd.DataFrame, wrong: np.ndarray) -> EvaluationTable:
    """The table of a model that is wrong where `wrong` says."""
    y = np.random.default_rng(1).integers(0, 2, len(frame))
    return EvaluationTable.build(frame.assign(y=y, p=np.where(wrong, 1 - y, y)), label="y", prediction="p")


def seconds(table: EvaluationTable) -> tuple[float, slice_errors.SliceErrors]:
    """CPU seconds of the diagnosis."""
    options = Options(default_metric(table.outcomes))
    start = time.process_time()
    result = slice_errors.diagnose(table, options)
    return time.process_time() - start, result


def top() -> None:
    frame, wrong = levels(32_561)
    codes, errors = frame.astype(int).to_numpy(), wrong.astype(float)
    before = held()
    spent = []
    for _ in range(9):
        start = time.process_time()
        found = top_slices(codes, errors, k=10, min_support=326, score="sliceline")
        spent.append(time.process_time() - start)
    print(
        f"top-10 on the Adult shape: {1000 * np.median(spent):.1f} ms CPU (median of 9), "
        f"{max(peak() - before, 0):.0f} MB above the input; best score {found[0].score:.4f}"
    )


def one_table() -> None:
    frame, wrong = levels(32_561)
    before = held()
    table = table_of(frame, wrong)
    first, result = seconds(table)
    print(
        f"diagnosis on it: {first:.2f} s CPU, {peak() - before:.0f} MB above the input, {result.n_examined:,} slices, "
        f"{len(result.slices)} confirmed"
    )
    draw = np.random.default_rng(2)
    nothing = [table_of(frame, draw.random(len(frame)) < 0.14) for _ in range(5)]
    again = np.median([seconds(other)[0] for other in nothing])
    _kept.clear()
    first = seconds(nothing[0])[0]
    print(f"a second run on the same table: {again:.3f} s CPU, {again / first:.1%} of the first ({first:.3f} s)")
    (sliced,) = _kept.values()
    vectors = [(draw.random(len(frame)) < 0.14).astype(float) for _ in range(100)]
    start = time.process_time()
    for errors in vectors:
        confirm(sliced.lattice, errors)
    print(f"100 runs of 32,561 x 14 through its slices: {time.process_time() - start:.2f} s CPU", flush=True)


def wide(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """20 numbers and 10 columns of text with ten levels, and three slices to find."""
    draw = np.random.default_rng(0)
    columns = {f"number_{i}": draw.normal(size=n).astype("float32") for i in range(20)}
    columns |= {f"word_{i}": pd.Categorical.from_codes(draw.integers(0, 10, n), list("abcdefghij")) for i in range(10)}
    frame = pd.DataFrame(columns)
    bad = np.zeros(n, dtype=bool)
    for i in range(3):
        bad |= ((frame[f"word_{i}"] == "c") & (frame[f"number_{i}"] > 0)).to_numpy()
    return frame, draw.random(n) < np.where(bad, 0.25, 0.10)


def rows(sizes: list[int]) -> None:
    spent = []
    for n in sizes:
        frame, wrong = wide(n)
        table = table_of(frame, wrong)
        del frame
        before = held()
        cpu, result = seconds(table)
        _kept.clear()
        spent.append(cpu)
        print(
            f"{n:>10,} rows x 30: {cpu:6.2f} s CPU, at most {max(peak() - before, 0):5.0f} MB above the table, "
            f"{len(result.slices)} of {result.n_examined:,} slices confirmed",
            flush=True,
        )
    if len(sizes) > 2:
        slope, start = np.polyfit(sizes, spent, 1)
        share = 1 - np.var(np.array(spent) - (slope * np.array(sizes) + start)) / np.var(spent)
        print(f"fit: {start:.2f} s + {1e6 * slope:.2f} s per million rows, R^2 {share:.4f}", flush=True)


def census(n: int) -> None:
    draw = np.random.default_rng(0)
    group = draw.integers(0, 6, n).astype(np.int8)
    codes = np.empty((n, 68), np.int8)
    for at, m in enumerate(draw.integers(2, 9, 68)):
        share = 1 / np.arange(1, m + 1) ** 1.2
        level = draw.choice(m, n, p=share / share.sum()).astype(np.int8)
        codes[:, at] = np.where(draw.random(n) < 0.5, draw.integers(0, m, 6).astype(np.int8)[group], level)
    bad = (codes[:, 3] == 1) & (codes[:, 10] == 0)
    errors = (draw.random(n) < np.where(bad, 0.23, 0.13)).astype(float)
    before, start = held(), time.process_time()
    found = top_slices(codes, errors, k=10, min_support=n // 100, score="sliceline")
    print(
        f"top-10 on the Census shape, {n:,} x 68: {time.process_time() - start:.1f} s CPU, "
        f"{max(peak() - before, 0):.0f} MB above the input; best {found[0].items}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--census", type=int, default=2_458_285)
    parser.add_argument("--big", type=int, default=0)
    wanted = parser.parse_args()
    top()
    one_table()
    if wanted.rows:
        rows([wanted.rows // 8, wanted.rows // 4, wanted.rows // 2, wanted.rows])
    if wanted.census:
        census(wanted.census)
    if wanted.big:
        rows([wanted.big])


if __name__ == "__main__":
    main()
