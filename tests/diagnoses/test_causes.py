"""The parts of a change against scikit-learn's weighted metrics, and the cause that they name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, roc_auc_score

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import _causes as causes
from mlflow_errata.diagnoses._shifts import shifts_of
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import resolve_metric
from mlflow_errata.stats.membership import membership

ORACLES = {
    "log_loss": lambda y, score, weight: log_loss(y, score, sample_weight=weight),
    "roc_auc": lambda y, score, weight: roc_auc_score(y, score, sample_weight=weight),
    "accuracy": lambda y, score, weight: accuracy_score(y, score >= 0.5, sample_weight=weight),
    "mean_absolute_error": lambda y, score, weight: mean_absolute_error(y, score, sample_weight=weight),
}


def build(metric, seed=0, n=3000):
    """The newest quarter has other rows, other answers and, for classes, other shares."""
    draw = np.random.default_rng(seed)
    newer = np.arange(n) >= 0.75 * n
    x = draw.normal(np.where(newer, 0.7, 0.0))
    logit = 1.5 * x
    y = (draw.random(n) < expit(np.where(newer, 0.3 * logit + 0.8, logit))).astype(int)
    rows = pd.DataFrame({"x": x, "z": draw.normal(size=n), "s": expit(logit), "y": y})
    rows["at"] = pd.date_range("2024-01-01", periods=n, freq="h")
    if metric == "mean_absolute_error":
        rows["y"] += draw.normal(size=n) / 3
        return EvaluationTable.build(rows, label="y", prediction="s", time="at", task="regression")
    return EvaluationTable.build(rows, label="y", scores="s", time="at")


@pytest.mark.parametrize("name", ORACLES)
def test_parts_are_weighted_metrics_of_scikit_learn(name, monkeypatch):
    table, measured = build(name), ORACLES[name]
    order = table.in_time_order
    older, newer = order[:2250], order[2250:]
    kept = []
    monkeypatch.setattr(causes, "membership", lambda *given: kept.append(membership(*given)) or kept[-1])
    found = causes.split_change(
        table, resolve_metric(name, table.outcomes), shifts_of(table, older, newer), older, newer
    )
    (likeness,) = kept
    a, b = likeness[:2250], 1 - likeness[2250:]
    score = table.frame["s"].to_numpy()
    y = table.outcomes.y
    reference, alike_then, alike_now, current = (
        measured(y[rows], score[rows], weight)
        for rows, weight in ((older, None), (older, a), (newer, b), (newer, None))
    )
    assert found.covariate.value == pytest.approx(alike_then - reference, abs=1e-9)
    assert found.concept.value == pytest.approx(alike_now - alike_then, abs=1e-9)
    assert found.unseen.value == pytest.approx(current - alike_now, abs=1e-9)
    total = found.covariate.value + found.concept.value + found.unseen.value
    assert total == pytest.approx(current - reference, abs=1e-9)
    for part in (found.covariate, found.concept, found.unseen):
        assert part.low < part.value < part.high
    if table.outcomes.classes:  # current rows weighted to the shares that classes had before
        share = np.bincount(y[older]) / len(older) / (np.bincount(y[newer]) / len(newer))
        weighted = measured(y[newer], score[newer], share[y[newer]])
        assert found.prior.value == pytest.approx(weighted - reference, abs=1e-9)
    else:
        assert found.prior is None


def part(value, spread=0.01):
    return Estimate(value, value - spread, value + spread, n=100, unit="log_loss")


@pytest.mark.parametrize(
    ("values", "prior", "unlike", "cause"),
    [
        ((0.01, 0.2, 0.0), None, 0.0, "concept"),
        ((0.2, 0.01, 0.0), None, 0.0, "covariate"),
        ((0.0, 0.02, 0.2), None, 0.3, "unseen"),
        ((0.0, 0.02, 0.2), None, 0.0, "covariate"),  # no row is without a like
        ((0.01, 0.2, 0.0), part(0.02), 0.0, "prior"),  # gone once classes have their old shares
        ((0.01, 0.2, 0.0), part(0.19), 0.0, "concept"),
        ((-0.2, 0.3, 0.0), None, 0.0, "concept"),
        ((0.0, 0.0, 0.0), None, 0.0, None),
    ],
)
def test_the_cause_is_the_largest_part(values, prior, unlike, cause):
    assert causes.cause_of(causes.Split(*map(part, values), prior, unlike)) == cause


def test_answers_that_changed_within_chance_are_no_cause():
    assert causes.cause_of(causes.Split(part(0.0), part(0.02, 0.05), part(0.0), None, 0.0)) is None
