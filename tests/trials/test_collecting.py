"""More rows: a curve that still rises is followed and its gain covered; a flat one asks for nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

import mlflow_errata as errata
from mlflow_errata.metric import resolve_metric
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials import collecting
from mlflow_errata.trials.rounds import OVER_BUDGET, Rounds
from mlflow_errata.trials.run import _session

FEATURES = [f"x{at}" for at in range(6)]


def rising(n, seed):
    """Waves that trees learn piece by piece."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 6))
    odds = 1.5 * x[:, 0] + 2 * np.sin(2 * x[:, 1]) * x[:, 2] + 2 * np.sin(3 * x[:, 3])
    return pd.DataFrame(x, columns=FEATURES).assign(y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def flat(n, seed):
    """A line that a few hundred rows tell."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 6))
    return pd.DataFrame(x, columns=FEATURES).assign(y=(draw.random(n) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(int))


def boosting(seed=0):
    return HistGradientBoostingClassifier(max_iter=30, random_state=seed)


def bench_of(train, evaluation, model, metric="roc_auc", *, deadline=1e9, value=None):
    fitted = model.fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(evaluation, label="y", model=fitted, features=FEATURES, train=train, value=value)
    session = _session(
        table,
        fitted,
        resolve_metric(metric, table.outcomes),
        value,
        budget=1e9,
        random_state=0,
        clock=lambda: 0.0,
    )
    tests = Rounds(session.bench, session.objective, random_state=0, start=0.0, deadline=deadline)
    tests.measure_noise(random=False)
    return tests


def test_the_interval_covers_what_as_many_rows_again_really_gain():
    """Six draws: of 90 % intervals, five at least hold the gain of rows that were drawn anew."""
    future, held, asked = rising(20_000, 999), 0, 0
    for seed in range(6):
        train, more = rising(1500, seed), rising(1500, 100 + seed)
        tests = bench_of(train, rising(3000, 200 + seed), boosting())
        curve = collecting.followed(tests, len(train))
        before, after = (
            roc_auc_score(future["y"], boosting().fit(rows[FEATURES], rows["y"]).predict_proba(future[FEATURES])[:, 1])
            for rows in (train, pd.concat([train, more]))
        )
        held += curve.doubled.low <= after - before <= curve.doubled.high
        asked += len(collecting.of_everything(tests, curve, len(train)))
    assert curve.sizes == (187, 375, 750, 1500)
    assert held >= 5
    assert asked >= 3


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1"])
def test_a_flat_curve_asks_for_nothing(metric):
    for seed in range(4):
        tests = bench_of(flat(2000, seed), flat(2000, 100 + seed), LogisticRegression(), metric)
        assert not collecting.of_everything(tests, collecting.followed(tests, 2000), 2000)


def test_a_rising_curve_asks_for_as_many_rows_again_and_says_what_they_cost():
    train, evaluation = rising(1500, 0), rising(4000, 1)
    model = boosting().fit(train[FEATURES], train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, features=FEATURES, train=train, metric="roc_auc")
    step = next(step for step in record.next_steps if step.params == {"rows": 1500})
    assert (step.kind, step.cost.rows, step.pays) == ("collect_data", 1500, True)
    assert step.gain == record.trials.curve.doubled
    assert step.gain.low > 0
    assert step.bound == step.gain.low
    said = str(record)
    assert "Collect as many training rows again (gain: +" in said
    assert "1,500 rows to collect" in said
    assert "Fitted on 187, 375, 750 and 1,500 training rows, each doubling gained" in said


def test_a_rise_that_brier_does_not_see_asks_for_nothing():
    tests = bench_of(rising(1500, 0), rising(4000, 1), boosting())
    curve = collecting.followed(tests, 1500)
    assert curve.confirmed
    assert collecting.of_everything(tests, curve, 1500)
    assert not collecting.of_everything(tests, replace(curve, confirmed=False), 1500)
    still = bench_of(flat(2000, 3), flat(2000, 103), LogisticRegression())
    assert not collecting.followed(still, 2000).confirmed


def doubled(gains, further):
    rise = collecting._rise(gains)
    return collecting._later(rise, further, max(rise.value, gains[-1].value) + rise.half, "accuracy")


def test_the_gain_is_between_half_and_all_of_the_last_doubling():
    """Gains by hand: the last is the least of the means of the last one, two and three."""
    gain = collecting.Gain(0.04, 0.0, 0.0, 0.0, 0.0, 0.0, 1e6, np.zeros(5), 100)
    rising_last = [replace(gain, value=value) for value in (0.01, 0.02, 0.06)]
    found = doubled(rising_last, 1.0)
    assert found.value == pytest.approx(0.75 * 0.03)
    assert (found.low, found.high) == (pytest.approx(0.5 * 0.03), pytest.approx(0.06))
    later = doubled([gain, gain, gain], 3.0)
    assert later.low == pytest.approx(0.04 / 8)
    falling = doubled([replace(gain, value=-0.02, error=0.01)] * 3, 1.0)
    assert falling.low < -0.03


def test_a_rise_that_both_see_needs_one_error_by_the_metric_and_its_interval_may_reach_zero():
    """Accuracy of one draw, found so that its rise lies between 1 and 1.645 standard errors above zero."""
    tests = bench_of(rising(1500, 5), rising(2000, 6), boosting(), "accuracy")
    curve = collecting.followed(tests, 1500)
    assert norm.cdf(1.0) < curve.chance < 0.95
    [step] = collecting.of_everything(tests, curve, 1500)
    assert step.pays
    assert step.gain.low < 0 < step.gain.value
    assert step.chance_gains == curve.chance


def test_the_draw_of_the_rows_counts():
    """By hand: two fits of 4 rows reach 0 and 2, so one row has a variance of 4 x 2."""
    profile = collecting.Profile(0.0, np.zeros(2), None, None)
    fits = [[profile, replace(profile, whole=2.0)]]
    assert collecting._variance_of_a_draw(fits, [4]) == pytest.approx(8.0)


def test_too_few_rows_and_too_little_time_leave_the_curve_out():
    few = bench_of(flat(300, 0), flat(500, 1), LogisticRegression())
    assert collecting.followed(few, 300) is None
    late = bench_of(flat(500, 0), flat(500, 1), LogisticRegression(), deadline=-1.0)
    assert collecting.followed(late, 500) is None
    assert late.not_tried[collecting.ALL_ROWS] == OVER_BUDGET


def test_a_fit_that_fails_on_few_rows_is_a_reason():
    class Choosy(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):  # noqa: N803
            if len(X) < 100:
                raise ValueError("too few for me")
            return super().fit(X, y, sample_weight)

    tests = bench_of(flat(500, 0), flat(500, 1), Choosy(max_depth=2))
    assert collecting.followed(tests, 500) is None
    assert "too few for me" in tests.not_tried[collecting.ALL_ROWS]


def test_in_value_where_a_value_is_declared():
    costs = {"tp": 0, "fp": -1, "fn": -3, "tn": 0}
    tests = bench_of(rising(1000, 0), rising(1000, 1), boosting(), value=costs)
    curve = collecting.followed(tests, 1000)
    assert curve.doubled.unit == "value per row"


def test_a_slice_on_fewer_training_rows_is_as_many_doublings_further_along_the_curve():
    """A quarter of 2,000 rows: what was measured there is no gain of rows that the model has seen already."""
    train, evaluation = rising(500, 0), rising(4000, 1)
    tests = bench_of(train, evaluation, DecisionTreeClassifier(min_samples_leaf=5, random_state=0))
    place = SimpleNamespace(conditions=("x0 >= 0",), columns=("x0",), mask=lambda frame: frame["x0"] >= 0)
    proposed = [NextStep("collect_data", {"slice": ["x0 >= 0"]})]
    found = {"slice_errors": SimpleNamespace(slices=(place,))}
    (whole,), (quarter,) = (collecting.of_slices(tests, found, proposed, n) for n in (500, 2000))
    n_inside = int((train["x0"] >= 0).sum())
    assert (whole.cost.rows, quarter.cost.rows) == (n_inside, 4 * n_inside)
    assert whole.gain.value > 0
    assert quarter.gain.value == pytest.approx(0.75**2 * whole.gain.value)
    assert quarter.gain.high == whole.gain.high
    assert quarter.bound <= whole.bound
    assert quarter.gain.low <= whole.gain.low
