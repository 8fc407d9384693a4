"""Gains against closed forms; objectives and thresholds against a search by hand."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import f1_score, roc_auc_score

from mlflow_errata.metric import Outcomes, resolve_metric
from mlflow_errata.trials.gains import Gain, Profile, Scale
from mlflow_errata.trials.objective import (
    best_threshold,
    objective_of_metric,
    objective_of_value,
    told_threshold,
)

COSTS = {"tp": 0, "fp": -1, "fn": -5, "tn": 0}


@pytest.fixture
def said():
    """3,000 calibrated scores, 20 % positives."""
    draw = np.random.default_rng(0)
    score = draw.beta(0.8, 3.2, 3000)
    y = (draw.random(3000) < score).astype(int)
    return Outcomes("binary", (0, 1), y, (score >= 0.5).astype(int), np.column_stack([1 - score, score]), None)


def frame(outcomes):
    return pd.DataFrame({"stake": np.ones(len(outcomes))})


def scale(objective, outcomes, *, forward=False, n_groups=20):
    n = len(outcomes)
    groups = np.arange(n) * n_groups // n if forward else np.arange(n) % n_groups
    return Scale(objective, forward, groups, frame(outcomes), outcomes.y, 0)


def other(outcomes, share=0.1):
    flipped = np.random.default_rng(1).random(len(outcomes)) < share
    return replace(outcomes, prediction=np.where(flipped, 1 - outcomes.prediction, outcomes.prediction))


def test_the_gain_in_accuracy_is_the_closed_form(said):
    """SE = sqrt(((b + c) / n - ((b - c) / n)^2) / n), b and c the rows that only one of the two gets right."""
    ruler, new = scale(objective_of_metric(resolve_metric("accuracy", said), said), said), other(said)
    gain = ruler.gain(ruler.profile(new), ruler.profile(said))
    right, was = new.y == new.prediction, said.y == said.prediction
    n, b, c = len(said), (right & ~was).sum(), (was & ~right).sum()
    assert gain.value == pytest.approx((b - c) / n)
    assert gain.error == pytest.approx(sqrt(((b + c) / n - ((b - c) / n) ** 2) / n), rel=1e-3)
    assert gain.low == pytest.approx(gain.value - 1.645 * gain.error, rel=1e-3)


def test_smaller_is_better_is_turned_round(said):
    ruler = scale(objective_of_metric(resolve_metric("log_loss", said), said), said)
    blurred = replace(said, scores=said.scores * 0.5 + 0.25)
    assert ruler.gain(ruler.profile(blurred), ruler.profile(said)).high < 0


@pytest.mark.parametrize("name", ["f1", "roc_auc", "average_precision"])
def test_metrics_that_are_no_means_agree_with_a_bootstrap_of_rows(name, said):
    metric = resolve_metric(name, said)
    ruler = scale(objective_of_metric(metric, said), said)
    draw = np.random.default_rng(2)
    new = replace(other(said), scores=np.clip(said.scores + draw.normal(0, 0.1, said.scores.shape), 0, 1))
    gain = ruler.gain(ruler.profile(new), ruler.profile(said))
    drawn = []
    for _ in range(150):
        rows = draw.integers(0, len(said), len(said))
        drawn.append(metric.compute(new.take(rows)) - metric.compute(said.take(rows)))
    assert gain.value == pytest.approx(metric.compute(new) - metric.compute(said))
    assert gain.error == pytest.approx(np.std(drawn), rel=0.4)


def test_periods_that_move_together_widen_the_interval(said):
    """Half of the periods gain, half lose: over rows alone the gain would look certain."""
    objective = objective_of_metric(resolve_metric("accuracy", said), said)
    period = np.arange(len(said)) * 8 // len(said)
    good = np.isin(period, [0, 2, 4, 5, 7])
    new = replace(said, prediction=np.where(good, said.y, 1 - said.y))
    rows, periods = (scale(objective, said, forward=forward, n_groups=8) for forward in (False, True))
    assert periods.gain(periods.profile(new), periods.profile(said)).error > 5 * (
        rows.gain(rows.profile(new), rows.profile(said)).error
    )


def test_newer_periods_count_more_forward_in_time_and_alike_in_folds(said):
    """A gain of the last period alone: 1 / (1 + .8 + ... + .8^7) of what that period gains."""
    objective = objective_of_metric(resolve_metric("accuracy", said), said)
    late = replace(said, prediction=np.where(np.arange(3000) >= 2625, said.y, said.prediction))
    last = float((said.y != said.prediction)[2625:].mean())
    forward, folds = (scale(objective, said, forward=forward, n_groups=8) for forward in (True, False))
    gain = forward.gain(forward.profile(late), forward.profile(said))
    assert gain.value == pytest.approx(last / (0.8 ** np.arange(8)).sum())
    assert folds.gain(folds.profile(late), folds.profile(said)).value == pytest.approx(last / 8)


def test_a_gain_that_ends_is_not_expected_to_come_again(said):
    """What gained in the older half and loses in the newer one gains nothing that can be told."""
    objective = objective_of_metric(resolve_metric("accuracy", said), said)
    old = np.arange(3000) < 1500
    new = replace(said, prediction=np.where(old, said.y, other(said, 0.12).prediction))
    forward, folds = (scale(objective, said, forward=forward, n_groups=8) for forward in (True, False))
    alike = folds.gain(folds.profile(new), folds.profile(said))
    gain = forward.gain(forward.profile(new), forward.profile(said))
    assert gain.value < alike.value
    assert gain.bound < 0 < alike.bound


def test_an_order_is_judged_within_periods(said):
    """By hand: the weighted mean of what each period's own area gains; a level that moves from one to the next is none."""
    objective = objective_of_metric(resolve_metric("roc_auc", said), said)
    forward, folds = (scale(objective, said, forward=forward, n_groups=8) for forward in (True, False))
    period = np.arange(3000) * 8 // 3000
    noisy = scored(said, said.scores[:, 1] + np.random.default_rng(2).normal(0, 0.05, 3000))
    areas = [
        roc_auc_score(said.y[period == at], noisy.scores[period == at, 1])
        - roc_auc_score(said.y[period == at], said.scores[period == at, 1])
        for at in range(8)
    ]
    gain = forward.gain(forward.profile(noisy), forward.profile(said))
    assert gain.value == pytest.approx(np.average(areas, weights=0.8 ** np.arange(8)[::-1]))
    moved = scored(said, said.scores[:, 1] / (1 + period))
    assert forward.gain(forward.profile(moved), forward.profile(said)).value == pytest.approx(0, abs=1e-12)
    assert folds.gain(folds.profile(moved), folds.profile(said)).value < -0.01


def test_the_error_of_an_order_is_that_of_delong_within_periods():
    """Var of the mean over K periods: sum over periods of (S10 / m + S01 / n) / K^2, paired (DeLong et al. 1988)."""
    objective, n_groups, ratios = None, 8, []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        y = (draw.random(2400) < 0.3).astype(int)
        old, new = (
            Outcomes("binary", (0, 1), y, (score >= 0.5).astype(int), np.column_stack([1 - score, score]), None)
            for score in (1 / (1 + np.exp(-y + draw.normal(0, noise, len(y)))) for noise in (1.5, 1.2))
        )
        objective = objective or objective_of_metric(resolve_metric("roc_auc", old), old)
        ruler = scale(objective, old, forward=True, n_groups=n_groups)
        gain = ruler.gain(ruler.profile(new), ruler.profile(old))
        variance = 0.0
        for group in range(n_groups):
            at = ruler.groups == group
            won = [
                (a[:, None] > b[None, :]).astype(float)
                for scores in (new.scores[at, 1], old.scores[at, 1])
                for a, b in [(scores[y[at] == 1], scores[y[at] == 0])]
            ]
            apart = won[0] - won[1]
            variance += (
                np.var(apart.mean(axis=1), ddof=1) / len(apart) + np.var(apart.mean(axis=0), ddof=1) / apart.shape[1]
            )
        counting = 1 / (ruler.weights**2).sum()
        expected = sqrt(variance) / n_groups * sqrt(n_groups / counting)
        ratios.append((gain.error if gain.again == 0 else sqrt(gain.error**2 - gain.again**2)) / expected)
    assert 0.85 < np.mean(ratios) < 1.15


def test_a_period_of_one_class_leaves_the_order_to_all_rows(said):
    objective = objective_of_metric(resolve_metric("roc_auc", said), said)
    one = replace(said, y=np.where(np.arange(3000) < 375, 0, said.y))
    ruler = scale(objective, one, forward=True, n_groups=8)
    assert ruler.profile(one).whole == pytest.approx(roc_auc_score(one.y, one.scores[:, 1]))


def scored(said, scores):
    return replace(said, scores=np.column_stack([1 - scores, scores]))


def through_time(course, draw):
    """A gain that follows a course, one value a period, on 100 rows of each."""
    n = 100 * len(course)
    rows = np.repeat(course, 100) + draw.normal(0, 1, n)
    said = Outcomes("binary", (0, 1), np.zeros(n, int), np.zeros(n, int), None, None)
    ruler = scale(objective_of_metric(resolve_metric("accuracy", said), said), said, forward=True, n_groups=len(course))
    each = rows.reshape(len(course), -1).mean(axis=1)
    without = (each.sum() - each) / (len(each) - 1)
    zero = Profile(0.0, np.zeros(len(course)), np.zeros(n), None)
    return ruler.gain(Profile(float(rows.mean()), without, rows, None), zero)


def test_a_gain_that_stands_still_seems_to_wander_in_half_of_the_cases():
    """b / (2 error) is standard normal, so |b| < sqrt(2) error in 52 %."""
    draw = np.random.default_rng(0)
    found = [through_time(np.full(8, 0.1), draw) for _ in range(400)]
    assert np.mean([gain.wander == 0 for gain in found]) == pytest.approx(0.52, abs=0.08)


def test_the_interval_holds_what_a_gain_that_wanders_comes_to_next():
    """Twelve random walks over eight periods, as long a time again follows; one step alone tells too little of it."""
    draw, held, alone = np.random.default_rng(1), [], []
    for _ in range(25):
        walks = np.cumsum(draw.normal(0, 0.1, (12, 16)), axis=1)
        gains = [through_time(walk[:8], draw) for walk in walks]
        for walk, gain in zip(walks, gains, strict=True):
            after, one = walk[8:].mean(), gain.among(gains)
            held.append(one.low <= after <= one.high)
            alone.append(gain.low <= after <= gain.high)
    assert 0.82 <= np.mean(held) <= 0.97
    assert np.mean(held) > np.mean(alone) + 0.05


def test_the_chance_is_that_of_the_interval():
    gain = Gain(0.1, 0.0, 0.0, 0.0, 0.3, 0.4**2, 1e6, np.zeros(8), 800)
    assert gain.half == pytest.approx(norm.ppf(0.95) * 0.5)
    assert gain.chance == pytest.approx(norm.cdf(0.1 / 0.5))
    assert gain.times(0.5).chance == pytest.approx(gain.chance)
    assert replace(gain, spread=0.0, wander=0.0).chance == 1


def test_the_interval_holds_that_of_what_labels_alone_say():
    """By hand: labels say .02 less than the value, and the interval reaches so much further down."""
    gain = Gain(0.1, 0.01, 0.0, 0.008, 0.0, 0.0, 1e6, np.zeros(8), 800, -0.02)
    half = norm.ppf(0.95) * 0.01
    assert (gain.low, gain.high) == (pytest.approx(0.08 - half), pytest.approx(0.1 + half))
    assert replace(gain, apart=0.02).high == pytest.approx(0.12 + half)
    assert gain.chance == pytest.approx(norm.cdf(norm.ppf(0.95) * 0.1 / (0.02 + half)))
    assert gain.times(0.5).low == pytest.approx(gain.low / 2)
    assert gain.after(gain).apart == pytest.approx(-0.02)


def test_a_gain_among_others_wanders_halfway_to_what_is_usual():
    one = Gain(0.1, 0.1, 0.0, 0.1, 0.3, 0.4, 1e6, np.zeros(8), 800)
    other = replace(one, error=0.2, wander=0.1)
    assert one.among([one, other]).wander == pytest.approx((0.4 + 0.01 * 0.5 / 0.05) / 2)
    assert other.among([one, other]).wander == pytest.approx((0.1 + 0.04 * 0.5 / 0.05) / 2)
    assert one.among([]) == one


def test_the_best_threshold_by_value_is_near_the_worth_of_calibrated_scores(said):
    by_value = objective_of_value(COSTS)
    assert told_threshold(by_value, COSTS, said.scores[:, 1]) == pytest.approx(1 / 6)
    assert told_threshold(by_value, "stake", said.scores[:, 1]) is None
    found = best_threshold(by_value, frame(said), said)
    assert found == pytest.approx(1 / 6, abs=0.06)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy"])
def test_calibrated_scores_tell_the_threshold_without_labels(name):
    draw = np.random.default_rng(3)
    scores = draw.beta(1, 6, 200_000)
    y = (draw.random(len(scores)) < scores).astype(np.intp)
    told = told_threshold(objective(name, y, scores), None, scores)
    f1_by_cut = [f1_score(y, scores >= cut) for cut in np.linspace(0.02, 0.6, 59)]
    right = {"f1": max(f1_by_cut) / 2, "balanced_accuracy": scores.mean()}[name]
    assert told == pytest.approx(right, abs=0.01)


def objective(name, y, scores):
    said = Outcomes("binary", (0, 1), y, (scores >= 0.5).astype(np.intp), np.column_stack([1 - scores, scores]), None)
    return objective_of_metric(resolve_metric(name, said), said)


@pytest.mark.parametrize("name", ["f1", "accuracy", "f1_micro"])
def test_the_best_threshold_is_as_good_as_the_best_of_all(name, said):
    metric = resolve_metric(name, said)
    found = best_threshold(objective_of_metric(metric, said), frame(said), said)
    scores = said.scores[:, 1]

    def reached(cut):
        return metric.compute(replace(said, prediction=(scores >= cut).astype(int)))

    assert reached(found) >= max(reached(cut) for cut in np.unique(scores)[::10]) - 0.012


def test_what_an_objective_depends_on(said):
    depends = {
        name: objective_of_metric(resolve_metric(name, said), said)
        for name in ("f1", "roc_auc", "log_loss", "accuracy")
    }
    assert {name: (o.reads_decisions, o.reads_scores) for name, o in depends.items()} == {
        "f1": (True, False),
        "roc_auc": (False, True),
        "log_loss": (False, True),
        "accuracy": (True, False),
    }
    assert depends["f1"].form is not None


def test_a_metric_of_the_users_own_that_only_shares_a_name_has_no_closed_form(said):
    def f1(y, score, weight):
        return float(f1_score(y, score >= 0.2))

    assert objective_of_metric(resolve_metric(f1, said), said).form is None
