"""False alarms and power of the recency-drift verdict.

    python benchmarks/drift/verdicts.py [--null 200] [--planted 100] [--causes 50]

Null: labels independent of everything, 5,000 rows x 15 columns over a year, once with labels only (accuracy) and once
with scores (ROC AUC). Planted: the newest quarter loses 10 points of accuracy (0.86 to 0.76), or of ROC AUC.

Causes: scores of a logistic model of four columns, and a newest quarter in which the labels depend on other columns
(concept), more rows lie near the boundary (covariate), half of the rows are positive (prior), a level is new (unseen),
a third of the rows are of a new class (unseen), or which is served as badly as the same months were a year before
(season). Named: the cause is right. Dated: the interval of the onset holds the true date.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import beta, norm

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import recency_drift
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric, resolve_metric

N = 5_000


def rows(draw: np.random.Generator) -> pd.DataFrame:
    """15 columns, a time and labels that depend on nothing."""
    columns = {f"number_{i}": draw.normal(size=N) for i in range(10)}
    columns |= {f"word_{i}": draw.choice(list("abcde"), N) for i in range(5)}
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(N)) * 365, unit="D")
    return pd.DataFrame(columns | {"at": at, "y": draw.integers(0, 2, N)})


def found(frame: pd.DataFrame, **output: str) -> bool:
    """The verdict."""
    table = EvaluationTable.build(frame, label="y", time="at", **output)
    return recency_drift.diagnose(table, Options(default_metric(table.outcomes))).found


def null(seed: int, *, scored: bool) -> bool:
    """A year without drift."""
    draw = np.random.default_rng(seed)
    frame = rows(draw)
    if scored:
        return found(frame.assign(score=draw.random(N)), scores="score")
    return found(frame.assign(p=np.where(draw.random(N) < 0.86, frame["y"], 1 - frame["y"])), prediction="p")


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


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--causes", type=int, default=50)
    wanted = parser.parse_args()
    print(f"errata {errata.__version__}")
    for scored, name in ((False, "accuracy"), (True, "ROC AUC")):
        alarms = sum(null(seed, scored=scored) for seed in range(wanted.null))
        upper = beta.ppf(0.95, alarms + 1, wanted.null - alarms)
        print(f"null, {name}: a verdict in {alarms} of {wanted.null} tables (upper 95 % bound {upper:.1%})")
        hits = sum(planted(seed, scored=scored) for seed in range(wanted.planted))
        print(f"planted, {name}: found in {hits} of {wanted.planted}")
    causes(wanted.causes)


if __name__ == "__main__":
    main()
