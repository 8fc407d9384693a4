"""False alarms, power and cost of calibration and data faults.

    OMP_NUM_THREADS=1 python benchmarks/faults/verdicts.py [--null 200] [--planted 50]

Null: labels drawn from the scores, columns that say nothing, training rows of the same kind, 50 to 100,000 rows and 5
to 50 columns; a verdict is a false alarm. Planted: one fault each; found means named with the right kind (and column),
and with no other alarm beside it. Groups: customers of ten rows, served differently each, half of them in the training
rows; planted, these are served 12 points better. Quantiles: 5 and 95 % of a number, true, or made narrower, wider, or
of one width where the spread grows, and true but in the newest quarter. Cost: 100,000 rows x 30 columns with as many
training rows.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from scipy.stats import beta, norm

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import calibration, data_faults
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric


def rows(draw: np.random.Generator, n: int, k: int, *, rate: float = 0.0) -> pd.DataFrame:
    """Columns of every kind, scores, and labels drawn from them."""
    kinds = (
        lambda: draw.normal(size=n),
        lambda: draw.choice(list("abcde"), n),
        lambda: draw.poisson(2, n),
        lambda: pd.Series(draw.normal(size=n)).where(draw.random(n) > 0.1),
        lambda: pd.Series(draw.choice([f"u{i}" for i in range(300)], n)).where(draw.random(n) > 0.02),
    )
    frame = pd.DataFrame({f"column_{i}": kinds[i % len(kinds)]() for i in range(k)})
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 365, unit="D")
    frame["score"] = 1 / (1 + np.exp(-draw.normal(rate, 1.5, n)))
    frame["y"] = (draw.random(n) < frame["score"]).astype(int)
    return frame


def table(frame: pd.DataFrame, train: pd.DataFrame | None = None) -> EvaluationTable:
    """The table, with its times and groups."""
    group = "who" if "who" in frame else None
    return EvaluationTable.build(frame, label="y", scores="score", time="at", train=train, group=group)


def made(diagnosis: object, given: EvaluationTable) -> object:
    """The result."""
    return diagnosis.diagnose(given, Options(default_metric(given.outcomes)))


def off(frame: pd.DataFrame, draw: np.random.Generator, change: object) -> pd.DataFrame:
    """Labels drawn from other probabilities than those said."""
    logit = np.log(frame["score"] / (1 - frame["score"]))
    return frame.assign(y=(draw.random(len(frame)) < 1 / (1 + np.exp(-change(logit)))).astype(int))


def grouped(draw: np.random.Generator, n: int, better: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers of ten rows, each served about alike in all of them; the known half are served better by so much."""
    frame, train = rows(draw, n, 5), rows(draw, n, 5)
    customer = draw.permutation(np.arange(n) // 10)
    right = np.clip(0.75 + draw.normal(0, 0.1, n // 10 + 1) + better * (np.arange(n // 10 + 1) < n / 20), 0, 1)[
        customer
    ]
    frame["score"] = np.where((draw.random(n) < right) == (frame["y"] == 1), 0.8, 0.2)
    train["who"] = draw.integers(0, n // 20, n)
    return frame.assign(who=customer), train


def planted(kind: str, draw: np.random.Generator, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Evaluation and training rows with one fault."""
    if kind == "group_in_train":
        return grouped(draw, n, 0.12)
    frame, train = rows(draw, n, 10), rows(draw, n, 10)
    place, length = int(draw.integers(0.1 * n, 0.6 * n)), n // 50
    if kind == "leak":
        frame["column_0"] = frame["y"] + 0.2 * draw.random(n)
        frame["score"] = frame["y"] * 0.98 + 0.01
    if kind == "missingness":
        gone = (frame["y"] == 1) & (draw.random(n) < 0.2)
        frame["column_4"] = frame["column_4"].fillna("u0").where(~gone)
        frame.loc[gone, "score"] = 0.99
    if kind == "in_train":
        train = pd.concat([train, frame.sample(n // 20, random_state=int(draw.integers(1000)))])
    if kind == "contradicted":
        twins = frame.head(n // 40)
        frame = pd.concat([frame, twins.assign(y=1 - twins["y"])], ignore_index=True)
    if kind == "constant":
        frame["column_0"] = 0.5
    if kind == "newly_missing":
        frame["column_3"] = frame["column_3"].where((np.arange(n) < 0.75 * n) | (draw.random(n) < 0.1))
    if kind == "outage":
        frame.loc[place : place + length, "column_3"] = np.nan
    return frame, train


CALIBRATIONS = {
    "too high": lambda logit: logit - 0.5,
    "too low": lambda logit: logit + 0.5,
    "too extreme": lambda logit: 0.5 * logit,
    "too timid": lambda logit: 2 * logit,
}


def false_alarms(most: int) -> None:
    """Print how often there is a verdict where nothing is wrong."""
    for n, k, share in ((50, 5, 1), (500, 50, 0.5), (5_000, 15, 1), (100_000, 5, 0.1)):
        draws, alarms = max(1, int(share * most)), {"calibration": 0, "data_faults": 0}
        for seed in range(draws):
            draw = np.random.default_rng(seed)
            given = table(rows(draw, n, k, rate=-2.0 * (seed % 2)), rows(draw, n, k))
            for diagnosis in (calibration, data_faults):
                alarms[diagnosis.NAME] += made(diagnosis, given).found
        for name, seen in alarms.items():
            upper = beta.ppf(0.95, seen + 1, draws - seen)
            print(f"null, {n:,} x {k}, {name}: a verdict in {seen} of {draws} (upper 95 % bound {upper:.1%})")


def quantiles(draw: np.random.Generator, n: int, kind: str) -> EvaluationTable:
    """A number with predicted quantiles at 5 and 95 %."""
    said = 10 * draw.random(n)
    spread = np.where(kind == "uneven", 0.5 + said / 5, np.ones(n))
    spread = spread * np.where((kind == "late") & (np.arange(n) >= 0.75 * n), 1.8, 1.0)
    half = {"too narrow": 0.8, "too wide": 1.4, "uneven": 1.5}.get(kind, 1.0) * norm.ppf(0.95)
    frame = pd.DataFrame({"p": said, "low": said - half, "high": said + half, "word": draw.choice(list("abcd"), n)})
    frame = frame.assign(y=said + spread * draw.normal(size=n), z=draw.normal(size=n))
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 365, unit="D")
    levels = {0.05: "low", 0.95: "high"}
    return EvaluationTable.build(frame, label="y", prediction="p", time="at", task="regression", quantiles=levels)


def coverage(most: int) -> None:
    """Print how often quantiles that are true, and that are not, are said to miss."""
    for n in (200, 5_000, 100_000):
        draws = max(1, most if n < 100_000 else most // 10)
        seen = sum(
            made(calibration, quantiles(np.random.default_rng(seed), n, "")).coverage.found for seed in range(draws)
        )
        print(f"null, {n:,} rows, quantiles: said to miss in {seen} of {draws}")
    for kind in ("too narrow", "too wide", "uneven", "late"):
        hits = 0
        for seed in range(most // 4):
            found = made(calibration, quantiles(np.random.default_rng(seed), 5_000, kind)).coverage
            hits += found.windows[-1].off if kind == "late" else found.shape == kind
        print(f"planted, quantiles {kind}: named in {hits} of {most // 4}")


def groups(most: int) -> None:
    """Print how often customers in the training rows are an alarm where they are served no better."""
    for n in (2_000, 20_000):
        seen = sum(made(data_faults, table(*grouped(np.random.default_rng(seed), n))).found for seed in range(most))
        print(f"null, {n:,} rows of known and new customers served alike: an alarm in {seen} of {most}")


def power(most: int) -> None:
    """Print how often what was planted is named."""
    for shape, change in CALIBRATIONS.items():
        hits = 0
        for seed in range(most):
            draw = np.random.default_rng(seed)
            hits += made(calibration, table(off(rows(draw, 5_000, 1), draw, change))).shape == shape
        print(f"planted, calibration {shape}: named in {hits} of {most}")
    for kind in (name for name in data_faults.CODES if name != "id_like"):  # alarms where features are told
        hits = 0
        for seed in range(most):
            result = made(data_faults, table(*planted(kind, np.random.default_rng(seed), 5_000)))
            hits += [fault.kind for fault in result.faults if fault.alarm] == [kind]
        print(f"planted, {kind}: named, and nothing else, in {hits} of {most}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--planted", type=int, default=50)
    wanted = parser.parse_args()
    print(f"errata {errata.__version__}")
    false_alarms(wanted.null)
    groups(wanted.null)
    coverage(wanted.null)
    power(wanted.planted)
    draw = np.random.default_rng(0)
    given = table(rows(draw, 100_000, 30), rows(draw, 100_000, 30))
    for diagnosis in (calibration, data_faults):
        start = time.process_time()
        made(diagnosis, given)
        print(f"100,000 x 30, {diagnosis.NAME}: {time.process_time() - start:.2f} s CPU")


if __name__ == "__main__":
    main()
