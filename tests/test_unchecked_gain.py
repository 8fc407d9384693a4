"""What right labels may gain before anyone has checked: against what correcting the labels really gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import mlflow_errata as errata
from mlflow_errata import EvaluationTable, _unchecked_gain
from mlflow_errata.errors import NotRefitted
from mlflow_errata.metric import resolve_metric
from mlflow_errata.trials.gains import Gain
from mlflow_errata.trials.objective import objective_of_metric

FEATURES = ["a", "b"]


def planted(seed, *, wrong=True, n=3000):
    """Parcels that never arrived have no delay, and count as on time although most were late: (train, rows, future)."""
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(draw.normal(size=(3 * n, 2)), columns=FEATURES)
    late = rows["a"] + 0.5 * rows["b"] + draw.normal(size=3 * n) * 0.5 > 0.4
    lost = late & (draw.random(3 * n) < 0.5) if wrong else ~late & (draw.random(3 * n) < 0.3)
    rows["delay"] = np.where(lost, np.nan, np.where(late, 30.0, 3.0) + draw.random(3 * n))
    rows["truth"] = late.astype(int)
    rows["late"] = (rows["delay"] > 15).astype(int)
    return rows[:n], rows[n : 2 * n], rows[2 * n :]


@pytest.fixture(scope="module", params=[True, False], ids=["wrong", "right"])
def case(request):
    train, rows, future = planted(0, wrong=request.param)
    model = HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(train[FEATURES], train["late"])
    known = {"label": "late", "model": model, "features": FEATURES}
    record = errata.diagnose(
        rows.drop(columns="truth"), **known, train=train.drop(columns="truth"), metric="accuracy", budget=20
    )
    better = clone(model).fit(train[FEATURES], train["truth"])
    real = better.score(future[FEATURES], future["truth"]) - model.score(future[FEATURES], future["truth"])
    return request.param, record, real


def test_the_interval_holds_what_right_labels_give(case):
    wrong, record, real = case
    steps = [step for step in record.next_steps if step.kind == "relabel"]
    if not wrong:
        assert real == 0
        assert all(step.gain is None or step.gain.low <= 0.0 for step in steps)
        return
    assert real > 0.02
    gain = steps[0].gain
    assert gain.unit == "accuracy"
    assert gain.low < real < gain.high
    assert gain.low < 0.02  # a check may also show that all labels are right
    assert record.next_steps[0] is steps[0]
    assert steps[0].bound is None  # it is never ranked by what nobody has checked


def test_it_is_said_as_a_possibility(case):
    wrong, record, _ = case
    if wrong:
        assert "known after the check" in str(record)
        assert [step.kind for step in record.next_steps].count("relabel") == 1  # not again for a part of the slice


def test_no_time_and_no_estimator_are_told():
    train, rows, _ = planted(1)
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(train[FEATURES], train["late"])
    table = EvaluationTable.build(rows.drop(columns="truth"), label="late", model=model, features=FEATURES)
    issues = errata.diagnose(rows.drop(columns="truth"), label="late", model=model, features=FEATURES, budget=0)
    found = issues.results["label_issues"]
    objective = objective_of_metric(resolve_metric("accuracy", table.outcomes), table.outcomes)
    ticks = iter(range(100))
    with pytest.raises(NotRefitted, match="longer than 2 s"):
        _unchecked_gain.unchecked_gains(table, found, train, model, [objective], seconds=2, clock=lambda: next(ticks))
    with pytest.raises(NotRefitted, match="TypeError"):
        _unchecked_gain.unchecked_gains(table, found, train, model.predict_proba, [objective], seconds=60)


def test_ends_are_those_of_the_mixture():
    """The gain grows with the share q, which follows Beta(1/2, 1/2): a draw of both has the same quantiles."""
    gains = [Gain(value, error, 0, error, 0, 0, 1e6, np.empty(0), 10) for value, error in ((4.0, 0.5), (10.0, 1.0))]
    found = _unchecked_gain._over_shares(gains, "accuracy", 10)
    draw = np.random.default_rng(0)
    share = draw.beta(0.5, 0.5, 200_000)
    middle, error = (np.interp(share, (0, 0.5, 1), (0.0, *ends)) for ends in ((4.0, 10.0), (0.5, 1.0)))
    drawn = middle + error * draw.normal(size=len(share))
    assert found.value == pytest.approx(drawn.mean(), abs=0.02)
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.05)


def test_the_same_input_gives_the_same_gain(case):
    wrong, record, _ = case
    if wrong:
        train, rows, _ = planted(0)
        model = HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(train[FEATURES], train["late"])
        again = errata.diagnose(
            rows.drop(columns="truth").sample(frac=1, random_state=1),
            label="late",
            model=model,
            features=FEATURES,
            train=train.drop(columns="truth"),
            metric="accuracy",
            budget=20,
        )
        assert again.next_steps[0].gain == record.next_steps[0].gain


def test_an_encoder_that_refuses_the_level_of_a_slice_is_a_reason_and_no_error():
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(draw.normal(size=(6000, 2)), columns=FEATURES).assign(town=draw.choice(["Ulm", "Bern"], 6000))
    truth = (rows["a"] + 0.5 * rows["b"] > 0).astype(int)
    rows["late"] = truth.where((rows["town"] == "Ulm") | (draw.random(6000) > 0.5), 0)
    train, rows = rows[:3000], rows[3000:]
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(train[[*FEATURES, "town"]], train["late"])
    record = errata.diagnose(
        rows, label="late", model=model, features=[*FEATURES, "town"], train=train, metric="accuracy", budget=10
    )
    step = next(step for step in record.next_steps if step.kind == "relabel")
    assert step.gain is None
    assert "cannot answer it: Found unknown categories ['Bern']" in step.gain_reason


def test_rows_without_a_known_label_and_open_seeds_change_nothing():
    train, rows, _ = planted(2, n=1500)
    model = ExtraTreesClassifier(10, min_samples_leaf=10).fit(train[FEATURES], train["late"])
    rows = rows.drop(columns="truth")
    table = EvaluationTable.build(rows, label="late", model=model, features=FEATURES)
    record = errata.diagnose(rows, label="late", model=model, features=FEATURES, budget=0)
    issues = record.results["label_issues"]
    objective = objective_of_metric(resolve_metric("accuracy", table.outcomes), table.outcomes)
    more = train.head(300).assign(late=[7, None, np.nan] * 100)
    plain, mixed = (
        _unchecked_gain.unchecked_gains(table, issues, frame, model, [objective], seconds=600)
        for frame in (train, pd.concat([more, train]))
    )
    assert plain == mixed
