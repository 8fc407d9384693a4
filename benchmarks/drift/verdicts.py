"""False alarms and power of the recency-drift verdict.

    OMP_NUM_THREADS=1 python benchmarks/drift/verdicts.py [--null 200] [--planted 100] [--causes 50] [--every-draw]
        [--parts null harmless planted causes faults late]

Null: labels independent of everything, 50 to 1,000,000 rows x 5 to 50 columns over a year (fewer draws of the largest,
unless --every-draw), once with labels only (accuracy) and once with scores (ROC AUC). Harmless: all numbers of the
newest quarter of 100,000 rows move by .02 standard deviations, and the model serves them as before. Planted: the newest
quarter loses 10 points of accuracy (0.86 to 0.76), or of ROC AUC.

Causes: scores of a logistic model of four columns, and a newest quarter in which the labels depend on other columns
(concept), more rows lie near the boundary (covariate), half of the rows are positive (prior), a level is new (unseen),
a third of the rows are of a new class (unseen), or which is served as badly as the same months were a year before
(season). Named: the cause is right. Dated: the interval of the onset holds the true date.

Faults: the column that the model leans on most is missing for a fortnight of the newest quarter (outage), or in 90 % of
its rows (newly missing), and is scored as if it were 0. Named: data faults say what happened to which column.

Labels late: four fifths of the newest quarter of 5,000 rows have no label yet, and the scores are too timid; the metric
that the model turns out to have lies in the interval told before.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import beta, norm

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import data_faults, recency_drift
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric, resolve_metric

N = 5_000
SHAPES = (
    (50, 5, 1.0),
    (50, 50, 1.0),
    (200, 50, 1.0),
    (1_000, 15, 1.0),
    (5_000, 15, 1.0),
    (5_000, 50, 0.5),
    (100_000, 15, 0.25),
    (1_000_000, 5, 0.025),
    (1_000_000, 50, 0.005),
)
"""Rows, columns, and share of the draws."""


def rows(draw: np.random.Generator, n: int = N, k: int = 15) -> pd.DataFrame:
    """Columns, two thirds of them numbers, a time and labels that depend on nothing."""
    columns = {f"number_{i}": draw.normal(size=n) for i in range(k - k // 3)}
    columns |= {f"word_{i}": draw.choice(list("abcde"), n) for i in range(k // 3)}
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 365, unit="D")
    return pd.DataFrame(columns | {"at": at, "y": draw.integers(0, 2, n)})


def found(frame: pd.DataFrame, **output: str) -> bool:
    """The verdict; too few rows for one are none."""
    table = EvaluationTable.build(frame, label="y", time="at", **output)
    try:
        return recency_drift.diagnose(table, Options(default_metric(table.outcomes))).found
    except NotApplicable:
        return False


def null(seed: int, n: int, k: int, *, scored: bool, moved: float = 0.0) -> bool:
    """A year without drift; numbers of the newest quarter may move."""
    draw = np.random.default_rng(seed)
    frame = rows(draw, n, k)
    numbers = [name for name in frame.columns if name.startswith("number")]
    frame.loc[int(0.75 * n) :, numbers] += moved
    if scored:
        return found(frame.assign(score=draw.random(n)), scores="score")
    return found(frame.assign(p=np.where(draw.random(n) < 0.86, frame["y"], 1 - frame["y"])), prediction="p")


def planted(seed: int, *, scored: bool) -> bool:
    """A year whose newest quarter is served 10 points worse."""
    draw = np.random.default_rng(10_000 + seed)
    frame = rows(draw)
    level = np.where(np.arange(N) < 0.75 * N, 0.86, 0.76)
    if scored:  # normal scores, sqrt(2) * Phi^-1(AUC) apart
        raw = draw.normal(size=N) + (frame["y"] - 0.5) * np.sqrt(2) * norm.ppf(level)
        return found(frame.assign(score=norm.cdf(raw)), scores="score")
    return found(frame.assign(p=np.where(draw.random(N) < level, frame["y"], 1 - frame["y"])), prediction="p")


KINDS = {"concept": "concept", "covariate": "covariate", "prior": "prior", "level": "unseen", "class": "unseen"}
"""What is planted, and the cause that is right."""


def caused(kind: str, seed: int) -> tuple[pd.DataFrame, pd.Timestamp]:
    """6,000 rows a year of which the newest quarter differs, and when that begins."""
    draw = np.random.default_rng(20_000 + seed)
    n, days = (12_000, 730) if kind == "season" else (6_000, 365)
    at = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * days, unit="D")
    newer, x = np.arange(n) >= 0.75 * n, draw.normal(size=(n, 6))
    word = draw.choice(list("abcde"), n)
    if kind == "covariate":
        x[newer, 0] *= 0.35
    logit = x[:, :4] @ [2.0, -1.3, 0.6, 0.0] - 2.0 * (kind == "prior")
    true = logit.copy()
    if kind == "concept":
        true = np.where(newer, x[:, :4] @ [0.4, -1.3, -0.6, 1.0], logit)
    if kind == "level":
        word = np.where(newer & (draw.random(n) < 0.4), "new", word)
        true = np.where(word == "new", -logit, logit)
    if kind == "season":
        true = np.where(at.day_of_year > 183, 0.3 * logit, logit)
    frame = pd.DataFrame(x, columns=[f"number_{i}" for i in range(6)]).assign(word=word)
    frame["score"], frame["y"] = expit(logit), (draw.random(n) < expit(true)).astype(int)
    if kind == "prior":
        sides = [np.flatnonzero(frame["y"] == side) for side in (0, 1)]
        drawn = np.where(draw.random(n) < 0.5, draw.choice(sides[0], n), draw.choice(sides[1], n))
        frame = frame.iloc[np.where(newer, drawn, np.arange(n))].reset_index(drop=True)
    if kind == "class":
        frame["p"] = np.where(frame.pop("score") > 0.5, "yes", "no")
        frame["y"] = np.where(newer & (draw.random(n) < 0.33), "other", np.where(frame["y"] == 1, "yes", "no"))
    return frame.assign(at=at), at[int(0.75 * n)]


def causes(most: int) -> None:
    """Print how often the planted cause is named, and the onset dated."""
    for kind in (*KINDS, "season"):
        named = dated = alarms = 0
        for seed in range(most):
            frame, since = caused(kind, seed)
            output = {"prediction": "p"} if kind == "class" else {"scores": "score"}
            table = EvaluationTable.build(frame, label="y", time="at", **output)
            metric = resolve_metric("accuracy" if kind == "class" else "log_loss", table.outcomes)
            result = recency_drift.diagnose(table, Options(metric))
            named += result.cause == KINDS.get(kind, kind)
            alarms += result.found
            dated += result.onset_range is not None and result.onset_range[0] <= since <= result.onset_range[1]
        when = "" if kind == "season" else f", dated in {dated}"
        print(f"planted, {kind}: named in {named} of {most}{when}; an alarm in {alarms}")


def faulty(kind: str, seed: int) -> pd.DataFrame:
    """6,000 rows of a year in which the model loses the column that it leans on most."""
    draw = np.random.default_rng(30_000 + seed)
    n = 6_000
    frame, x = rows(draw, n, 15), draw.normal(size=(n, 2))
    start = int(draw.integers(0.78 * n, 0.9 * n))
    fortnight = (np.arange(n) >= start) & (frame["at"] < frame["at"][start] + pd.Timedelta(days=14))
    gone = fortnight if kind == "outage" else (np.arange(n) >= 0.75 * n) & (draw.random(n) < 0.9)
    frame["number_0"] = np.where(gone, np.nan, x[:, 0])
    frame["score"] = expit(2 * np.where(gone, 0, x[:, 0]) - x[:, 1])
    return frame.assign(y=(draw.random(n) < expit(2 * x[:, 0] - x[:, 1])).astype(int))


def faults(most: int) -> None:
    """Print how often a column that went dark is named."""
    for kind in ("outage", "newly_missing"):
        named = alarms = 0
        for seed in range(most):
            table = EvaluationTable.build(faulty(kind, seed), label="y", time="at", scores="score")
            options = Options(default_metric(table.outcomes))
            told = [(fault.kind, fault.column) for fault in data_faults.diagnose(table, options).faults if fault.alarm]
            named += told == [(kind, "number_0")]
            alarms += recency_drift.diagnose(table, options).found
        print(f"planted, {kind}: named, and nothing else, in {named} of {most}; recency drift found in {alarms}")


def late(most: int) -> None:
    """Print how often the metric of rows whose labels come late lies in the interval told before they come."""
    for narrow, name in ((1.0, "rows as before"), (0.4, "more rows near the boundary")):
        for metric in ("accuracy", "roc_auc"):
            held = 0
            for seed in range(most):
                draw = np.random.default_rng(40_000 + seed)
                newer, logit = np.arange(N) >= 0.75 * N, 2 * draw.normal(size=N)
                logit[newer] *= narrow
                y = (draw.random(N) < expit(logit)).astype(float)
                frame = rows(draw).assign(score=expit(0.6 * logit), y=y)
                unknown = newer & (draw.random(N) < 0.8)
                table = EvaluationTable.build(
                    frame.assign(y=np.where(unknown, np.nan, y)), label="y", time="at", scores="score"
                )
                wanted = resolve_metric(metric, table.outcomes)
                told = recency_drift.diagnose(table, Options(wanted)).expected
                came = EvaluationTable.build(frame[unknown], label="y", time="at", scores="score").outcomes
                held += told is not None and told.metric.low <= wanted.compute(came) <= told.metric.high
            print(f"labels late, {name}, {metric}: the metric lies in the interval in {held} of {most}")


METRICS = ((False, "accuracy"), (True, "ROC AUC"))
"""Scored or not, and the metric by which drift is judged then."""


def nulls(most: int, *, every_draw: bool) -> None:
    """Print how often there is a verdict where nothing is wrong."""
    for (n, k, share), (scored, name) in product(SHAPES, METRICS):
        draws = most if every_draw else max(1, int(share * most))
        alarms = sum(null(seed, n, k, scored=scored) for seed in range(draws))
        upper = beta.ppf(0.95, alarms + 1, draws - alarms)
        print(f"null, {n:,} x {k}, {name}: a verdict in {alarms} of {draws} (upper 95 % bound {upper:.1%})", flush=True)


def harmless(most: int, *, every_draw: bool) -> None:
    """Print how often there is a verdict where columns move and the model serves as before."""
    for scored, name in METRICS:
        draws = most if every_draw else max(1, most // 8)
        alarms = sum(null(seed, 100_000, 15, scored=scored, moved=0.02) for seed in range(draws))
        print(f"harmless, 100,000 x 15, {name}: a verdict in {alarms} of {draws}", flush=True)


def drops(most: int) -> None:
    """Print how often a drop of 10 points is found."""
    for scored, name in METRICS:
        hits = sum(planted(seed, scored=scored) for seed in range(most))
        print(f"planted, {name}: found in {hits} of {most}", flush=True)


PARTS = ("null", "harmless", "planted", "causes", "faults", "late")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--causes", type=int, default=50)
    parser.add_argument("--every-draw", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    wanted = parser.parse_args()
    print(f"errata {errata.__version__}")
    made = {
        "null": lambda: nulls(wanted.null, every_draw=wanted.every_draw),
        "harmless": lambda: harmless(wanted.null, every_draw=wanted.every_draw),
        "planted": lambda: drops(wanted.planted),
        "causes": lambda: causes(wanted.causes),
        "faults": lambda: faults(wanted.causes),
        "late": lambda: late(wanted.causes),
    }
    for part in wanted.parts:
        made[part]()


if __name__ == "__main__":
    main()
