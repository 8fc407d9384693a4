"""Metrics against scikit-learn, and their intervals against simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.metrics import make_scorer

from mlflow_errata.errors import MetricNeedsScores, MetricWrongTask, OptionUnknown
from mlflow_errata.metric import CATALOGUE, Outcomes, default_metric, resolve_metric


def binary(n=400, seed=0, weighted=False, ties=False):
    draw = np.random.default_rng(seed)
    score = draw.random(n)
    score = score.round(1) if ties else score
    y = (draw.random(n) < score).astype(int)
    weight = draw.random(n) if weighted else None
    return Outcomes("binary", (0, 1), y, (score >= 0.5).astype(int), np.column_stack([1 - score, score]), weight)


def multiclass(n=300, seed=0):
    draw = np.random.default_rng(seed)
    scores = draw.dirichlet(np.ones(4), n)
    y = draw.integers(0, 4, n)
    return Outcomes("multiclass", ("a", "b", "c", "d"), y, scores.argmax(axis=1), scores, None)


def regression(n=300, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.normal(size=n)
    return Outcomes("regression", (), y, y + draw.normal(size=n), None, None)


ORACLES = {
    "accuracy": lambda o: oracle.accuracy_score(o.y, o.prediction, sample_weight=o.weight),
    "error_rate": lambda o: 1 - oracle.accuracy_score(o.y, o.prediction, sample_weight=o.weight),
    "roc_auc": lambda o: oracle.roc_auc_score(o.y, o.scores[:, 1], sample_weight=o.weight),
    "log_loss": lambda o: oracle.log_loss(o.y, o.scores[:, 1], sample_weight=o.weight),
    "brier_score": lambda o: oracle.brier_score_loss(o.y, o.scores[:, 1], sample_weight=o.weight),
    "f1": lambda o: oracle.f1_score(o.y, o.prediction, sample_weight=o.weight),
    "average_precision": lambda o: oracle.average_precision_score(o.y, o.scores[:, 1], sample_weight=o.weight),
    "balanced_accuracy": lambda o: oracle.balanced_accuracy_score(o.y, o.prediction, sample_weight=o.weight),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("ties", [False, True], ids=["", "ties"])
@pytest.mark.parametrize("name", ORACLES)
def test_binary_against_scikit_learn(name, ties, weighted):
    outcomes = binary(ties=ties, weighted=weighted)
    if ties:
        clipped = np.clip(outcomes.scores, 0.05, 0.95)
        outcomes = Outcomes("binary", (0, 1), outcomes.y, outcomes.prediction, clipped, outcomes.weight)
    assert resolve_metric(name, outcomes).compute(outcomes) == pytest.approx(ORACLES[name](outcomes), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("accuracy", lambda o: oracle.accuracy_score(o.y, o.prediction)),
        ("log_loss", lambda o: oracle.log_loss(o.y, o.scores)),
        ("f1_macro", lambda o: oracle.f1_score(o.y, o.prediction, average="macro")),
        ("roc_auc_ovr", lambda o: oracle.roc_auc_score(o.y, o.scores, multi_class="ovr")),
    ],
)
def test_multiclass_against_scikit_learn(name, wanted):
    outcomes = multiclass()
    assert resolve_metric(name, outcomes).compute(outcomes) == pytest.approx(wanted(outcomes), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("mean_absolute_error", lambda o: oracle.mean_absolute_error(o.y, o.prediction)),
        ("mean_squared_error", lambda o: oracle.mean_squared_error(o.y, o.prediction)),
        ("root_mean_squared_error", lambda o: oracle.root_mean_squared_error(o.y, o.prediction)),
        ("pinball_loss_at_0.9", lambda o: oracle.mean_pinball_loss(o.y, o.prediction, alpha=0.9)),
        ("r2", lambda o: oracle.r2_score(o.y, o.prediction)),
        ("neg_root_mean_squared_error", lambda o: -oracle.root_mean_squared_error(o.y, o.prediction)),
    ],
)
def test_regression_against_scikit_learn(name, wanted):
    outcomes = regression()
    assert resolve_metric(name, outcomes).compute(outcomes) == pytest.approx(wanted(outcomes), abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_net_benefit_against_the_confusion_matrix(weighted):
    o = binary(weighted=weighted)
    (_, false), (_, true) = oracle.confusion_matrix(o.y, o.scores[:, 1] >= 0.2, sample_weight=o.weight, normalize="all")
    assert resolve_metric("net_benefit_at_0.2", o).compute(o) == pytest.approx(true - false * 0.25, abs=1e-12)
    for outside in ("net_benefit_at_1", "net_benefit_at_nan", "net_benefit_at_half"):
        with pytest.raises(OptionUnknown, match=r"Did you mean 'net_benefit_at_0\.2'"):
            resolve_metric(outside, o)


def test_a_scorer_and_a_function_of_the_users_own():
    outcomes = binary()
    f2 = resolve_metric(make_scorer(oracle.fbeta_score, beta=2), outcomes)
    assert f2.compute(outcomes) == pytest.approx(oracle.fbeta_score(outcomes.y, outcomes.prediction, beta=2))

    def top_share(y, score, weight):
        return y[np.argsort(-score)[:50]].mean()

    mine = resolve_metric(top_share, outcomes)
    assert mine.name == "top_share"
    assert mine.compute(outcomes) == outcomes.y[np.argsort(-outcomes.scores[:, 1])[:50]].mean()


def test_defaults():
    labels_only = Outcomes("binary", (0, 1), np.array([0, 1]), np.array([0, 1]), None, None)
    assert default_metric(binary()).name == "roc_auc"
    assert default_metric(labels_only).name == "accuracy"
    assert default_metric(multiclass()).name == "accuracy"
    assert default_metric(regression()).name == "mean_absolute_error"


def test_refusals():
    labels_only = Outcomes("binary", (0, 1), np.array([0, 1]), np.array([0, 1]), None, None)
    for printed, name in (("ROC AUC", "roc_auc"), ("F1", "f1"), ("log-loss", "log_loss")):
        with pytest.raises(OptionUnknown, match=f"Did you mean '{name}'"):
            resolve_metric(printed, binary())
    with pytest.raises(OptionUnknown, match="Did you mean 'roc_auc'"):
        resolve_metric("roc_acu", binary())
    for name in ("roc_auc", "log_loss", "average_precision"):
        with pytest.raises((MetricNeedsScores, MetricWrongTask), match=f"metric='{name}'"):
            resolve_metric(name, labels_only)
    with pytest.raises(MetricWrongTask, match="it is for regression tasks"):
        resolve_metric("mean_absolute_error", binary())
    with pytest.raises(MetricWrongTask, match="cannot be computed for a multiclass task"):
        resolve_metric("f1", multiclass())
    with pytest.raises(OptionUnknown, match="metric=3"):
        resolve_metric(3, binary())


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "mean_absolute_error", "root_mean_squared_error", "r2"])
def test_without_any_weight_no_metric_is_defined(name):
    some = binary() if "binary" in CATALOGUE[name].tasks else regression()
    outcomes = replace(some, weight=np.zeros(len(some)))
    assert np.isnan(resolve_metric(name, some).compute(outcomes))


def test_too_few_rows_and_one_class_give_no_estimate():
    few = binary().take(np.array([0]))
    assert CATALOGUE["accuracy"].metric.estimate(few) is None
    ones = binary().take(np.flatnonzero(binary().y == 1))
    assert CATALOGUE["roc_auc"].metric.estimate(ones) is None


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "log_loss", "f1", "average_precision"])
def test_intervals_cover_the_truth(name):
    """95 % intervals of 100 draws of 400 rows cover the value of 200,000 rows in 90 % to 100 % of draws."""
    truth = ORACLES[name](binary(200_000, seed=99))
    metric = resolve_metric(name, binary())
    found = [metric.estimate(binary(400, seed=seed)) for seed in range(100)]
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert covered >= 0.9
