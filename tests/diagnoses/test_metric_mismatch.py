"""Metric mismatch: thresholds and agreements against brute force and other libraries, planted and null tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import kendalltau
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import metric_mismatch
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._thresholds import decision_curve
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import resolve_metric
from mlflow_errata.stats.agreement import correlation_without, pairs_needed, tau_b, tau_interval
from mlflow_errata.stats.cutting import Cutting, cuts_of

DEAR_MISSES = {"tp": 0, "fp": -1, "fn": -9, "tn": 0}
EVEN = {"tp": 0, "fp": -1, "fn": -1, "tn": 0}


def scored(n=3000, seed=0, rare=1.0):
    """Calibrated scores of a binary label."""
    draw = np.random.default_rng(seed)
    score = expit(1.5 * draw.normal(size=n) - rare)
    return pd.DataFrame({"y": (draw.random(n) < score).astype(int), "s": score})


def diagnose(rows, metric="accuracy", **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "scores": "s", **roles})
    return metric_mismatch.diagnose(table, Options(resolve_metric(metric, table.outcomes)))


def test_dear_misses_ask_for_a_lower_threshold():
    result = diagnose(scored(), value=DEAR_MISSES)
    assert result.found
    assert result.threshold.used == 0.5
    assert 0.05 < result.threshold.best < 0.18  # 1 / (1 + 9) for calibrated scores
    assert result.threshold.as_good[0] <= 0.1 <= result.threshold.as_good[1]
    assert result.threshold.gain.low > 0
    assert result.better is not None
    assert result.better.startswith("net_benefit_at_")


def test_even_costs_are_what_the_accuracy_counts():
    found = [diagnose(scored(seed=seed), value=EVEN) for seed in range(20)]
    assert sum(result.found for result in found) <= 1
    assert all(result.rank_agreement.value > 0.9 for result in found)


def test_the_gain_holds_on_rows_that_come():
    """90 % of 95 % intervals at least hold what the threshold saves on a hundred thousand other rows."""
    other = scored(100_000, seed=999)
    held = 0
    for seed in range(20):
        gain = (choice := diagnose(scored(seed=seed), value=DEAR_MISSES).threshold).gain
        lost = [
            np.where(other["y"] == 1, 9 * ~said, 1 * said).mean()
            for said in (other["s"] >= 0.5, other["s"] >= choice.best)
        ]
        held += gain.low <= lost[0] - lost[1] <= gain.high
    assert held >= 18


def test_cuts_against_brute_force():
    rows = scored(400, seed=3)
    score, y = rows["s"].to_numpy(), rows["y"].to_numpy()
    no, yes = 9.0 * y, 1.0 - y
    cuts = cuts_of(score, y == 1)
    cutting = Cutting.of(score, no, yes, cuts)
    folds = np.arange(400) % 3
    for at, cut in enumerate(cuts):
        lost = np.where(score >= cut, yes, no)
        assert np.array_equal(cutting.lost(at), lost)
        assert np.allclose(cutting.sums(folds)[:, at], np.bincount(folds, lost))
    cells = cutting.cells(y, None, folds).sum(axis=0)
    by_hand = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "f1": f1_score,
        "matthews_corrcoef": matthews_corrcoef,
    }
    from mlflow_errata.diagnoses._thresholds import CHOOSING

    for name, form in CHOOSING.items():
        told = [by_hand[name](y, score >= cut) for cut in cuts]
        assert np.allclose(np.nan_to_num(form(cells)), told), name


def test_the_decision_curve_against_its_definition():
    rows = scored(500, seed=4)
    table = EvaluationTable.build(rows, label="y", scores="s")
    y, score = rows["y"].to_numpy(), rows["s"].to_numpy()
    for point in decision_curve(table.outcomes):
        t, said = point.threshold, score >= point.threshold
        odds = t / (1 - t)
        benefit = (said & (y == 1)).mean() - (said & (y == 0)).mean() * odds
        assert point.model.value == pytest.approx(benefit, abs=1e-9)
        assert point.everyone == pytest.approx(y.mean() - (1 - y.mean()) * odds, abs=1e-9)


def test_agreements_against_scipy():
    draw = np.random.default_rng(0)
    for n in (5, 12, 40):
        x, y = draw.integers(0, 8, n).astype(float), draw.normal(size=n)
        assert tau_b(x, y) == pytest.approx(kendalltau(x, y).statistic)
    value, parts = correlation_without(x, y, np.arange(n) % 4)
    assert value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert parts == pytest.approx(
        [np.corrcoef(x[np.arange(n) % 4 != at], y[np.arange(n) % 4 != at])[0, 1] for at in range(4)]
    )


def test_runs_needed_are_those_from_which_the_interval_leaves_zero():
    x = np.arange(30.0)
    y = x.copy()
    y[::3] = y[::3][::-1]
    tau = tau_interval(x, y)
    needed = pairs_needed(tau[0])
    assert (tau[1] > 0) == (needed <= 30)


def test_a_blind_metric():
    """One positive in 25 that the scores find and the decisions never name: the accuracy is the majority's share."""
    rows = scored(4000, rare=4.5)
    result = diagnose(rows)
    assert result.blind is not None
    assert result.better == result.blind.told == "roc_auc"
    assert result.blind.ahead.low <= 0
    assert not any(_blind(scored(2000, seed=seed, rare=0.0)) for seed in range(10))


def _blind(rows):
    try:
        return diagnose(rows).found
    except NotApplicable:
        return False


def test_without_a_value_there_is_nothing_to_hold_it_against():
    with pytest.raises(NotApplicable, match="value"):
        diagnose(scored())
    with pytest.raises(NotApplicable, match="50 rows"):
        diagnose(scored(40), value=EVEN)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_that_are_dear_to_miss_from_below(seed):
    """Too little costs nine times as much as too much: the pinball loss at 0.9 counts that, the absolute error not."""
    draw = np.random.default_rng(seed)
    y = draw.normal(size=3000)
    rows = pd.DataFrame({"y": y, "p": y + draw.normal(size=3000)})
    roles = {"scores": None, "prediction": "p", "value": lambda y, said: -np.where(y > said, 9 * (y - said), said - y)}
    apart = diagnose(rows, "mean_absolute_error", **roles)
    assert apart.better == "pinball_loss_at_0.9"
    assert apart.followed[0].agreement.value == pytest.approx(1)
    assert not diagnose(rows, "pinball_loss_at_0.9", **roles).found
