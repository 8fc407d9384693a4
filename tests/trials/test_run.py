"""Trials end to end: what pays is found, nothing is claimed where nothing pays, and the budget is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import mlflow_errata as errata
from mlflow_errata.fitting import unfitted
from mlflow_errata.metric import resolve_metric
from mlflow_errata.steps import propose
from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials import candidates, rounds
from mlflow_errata.trials.run import _session, try_steps
from mlflow_errata.trials.variants import Change, Variant

FEATURES = ["a", "b", "c"]


def rows(n, seed, *, start=0.0, bias=0.0, concept=lambda t: 1.0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    at = start + np.arange(n) / 1000
    odds = 2 * concept(at) * x[:, 0] - x[:, 1] + bias
    return pd.DataFrame(x, columns=FEATURES).assign(at=at, y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


class Counted(LogisticRegression):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        Counted.fits += 1
        return super().fit(X, y, sample_weight)


def diagnosed(train, evaluation, model, **options):
    fitted = model.fit(train[FEATURES], train["y"])
    return fitted, errata.diagnose(evaluation, label="y", model=fitted, train=train, **options)


def test_stop_wins_where_nothing_pays():
    _, record = diagnosed(rows(2000, 0), rows(2000, 1, start=2), LogisticRegression(), time="at", metric="accuracy")
    assert record.next_steps[0].kind == "stop"
    assert record.plan == ()
    assert record.trials.detectable > 0
    assert {step.kind for step in record.trials.tried} == {"resample", "retrain_recent", "change_model"}
    assert "nothing tried pays" in str(record)


def test_stop_is_said_once_where_no_diagnosis_found_anything():
    frame = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "y"})
    train, evaluation = frame[::2], frame[1::2]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train.drop(columns="y"), train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, train=train, budget=5)
    assert not any(result.found for result in record.results.values())
    assert [step.kind for step in record.next_steps].count("stop") == 1


def test_f1_of_a_rare_class_asks_for_another_threshold_and_the_recipe_delivers():
    train, evaluation, later = (rows(3000, seed, bias=-3.0) for seed in range(3))
    model, record = diagnosed(train, evaluation, LogisticRegression(), metric="f1", features=FEATURES)
    first = record.next_steps[0]
    assert (first.kind, first.params["method"]) == ("resample", "threshold")
    assert 0.1 < first.params["threshold"] < 0.5
    assert record.plan[0] == first
    again = errata.Recipe.of(record).fit(model, train)
    delivered = f1_score(later["y"], again.predict(later[FEATURES])) - f1_score(
        later["y"], model.predict(later[FEATURES])
    )
    assert first.gain.low - 0.03 < delivered < first.gain.high + 0.03
    np.testing.assert_allclose(again.predict_proba(later[FEATURES]), model.predict_proba(later[FEATURES]))


def test_declared_costs_ask_for_a_decision_by_value():
    costs = {"tp": 0, "fp": -1, "fn": -8, "tn": 0}
    _, record = diagnosed(
        rows(2000, 0, bias=-1), rows(2000, 1, bias=-1), LogisticRegression(), value=costs, features=FEATURES
    )
    first = record.next_steps[0]
    assert (first.kind, first.params["by"]) == ("change_metric", "value")
    assert first.params["threshold"] == pytest.approx(1 / 9)
    assert first.gain_value.low > 0
    assert (first.gain_value.unit, first.gain.unit) == ("value per row", "roc_auc")
    assert first.gain.value == pytest.approx(0)


def test_a_concept_that_turned_asks_for_recent_rows():
    turned = rows(3000, 1, start=3, concept=lambda t: np.where(t < 4.0, 1.0, -1.0))
    _, record = diagnosed(rows(3000, 0), turned, LogisticRegression(), time="at", metric="accuracy")
    assert record.next_steps[0].kind == "retrain_recent"
    assert record.next_steps[0].gain.low > 0.02
    recipe = errata.Recipe.of(record)
    later = rows(3000, 2, start=6, concept=lambda t: -1.0)
    again = recipe.fit(LogisticRegression(), rows(3000, 0), newer=turned)
    assert again.score(later[FEATURES], later["y"]) > 0.6


def test_a_model_that_is_too_small_asks_for_a_bigger_one():
    train, evaluation = rows(3000, 0), rows(3000, 1)
    _, record = diagnosed(train, evaluation, DecisionTreeClassifier(max_depth=1, random_state=0), features=FEATURES)
    assert record.next_steps[0].kind == "change_model"


def test_nothing_is_fitted_without_a_budget():
    train = rows(500, 0)
    model = Counted().fit(train[FEATURES], train["y"])
    Counted.fits = 0
    record = errata.diagnose(rows(500, 1), label="y", model=model, train=train, budget=0)
    assert Counted.fits == 0
    assert record.trials is None
    assert {step.gain for step in record.next_steps} == {None}


def tried(budget, clock, model=None, metric="accuracy"):
    train, evaluation = rows(1000, 0), rows(1500, 1, start=1)
    model = model or LogisticRegression()
    model.fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(evaluation, label="y", model=model, time="at", train=train)
    chosen = resolve_metric(metric, table.outcomes)
    return try_steps(table, {}, propose({}, table), model=model, metric=chosen, value=None, budget=budget, clock=clock)


def test_a_spent_budget_leaves_the_rest_untried_and_says_so():
    ticks = count()
    _, trials = tried(20.0, lambda: float(next(ticks)))
    assert "the time budget was spent" in trials.not_tried.values()
    assert 0 < len(trials.tried) < 8
    assert trials.n_origins == 1


class Slow(LogisticRegression):
    """A fit takes a second for 500 rows, by a clock of its own."""

    now = 0.0

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        Slow.now += len(X) / 500
        return super().fit(X, y, sample_weight)


def test_slow_fits_are_made_on_fewer_rows_and_the_record_says_so():
    """20 fits in 120 s are 6 s each: 3,000 rows."""
    train = rows(9000, 0)
    model = Slow().fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(rows(1000, 1), label="y", model=model, features=FEATURES, train=train)
    _, trials = try_steps(
        table,
        {},
        propose({}, table),
        model=model,
        metric=resolve_metric("accuracy", table.outcomes),
        value=None,
        budget=120.0,
        clock=lambda: Slow.now,
    )
    assert trials.n_train == 3000
    assert trials.n_train_given == 9000


class Interrupted(LogisticRegression):
    """A person presses Ctrl-C at the first fit on more rows than the training set has: a refit on newer ones."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        if len(X) > 1000:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


def test_an_interrupt_keeps_what_was_measured():
    steps, trials = tried(60.0, iter(range(10**6)).__next__, Interrupted())
    assert trials.interrupted
    assert trials.tried
    assert steps[0].kind == "stop"


def test_a_model_that_cannot_be_fitted_gets_the_trials_that_need_no_fit():
    evaluation = rows(3000, 1, bias=-3.0)
    scored = evaluation.assign(score=1 / (1 + np.exp(-(2 * evaluation["a"] - evaluation["b"] - 3))))
    record = errata.diagnose(scored, label="y", scores="score", metric="f1", features=FEATURES)
    assert {step.params.get("method") for step in record.trials.tried} == {"threshold"}
    assert "train=" in record.trials.not_tried["refits"]


def test_a_fit_that_fails_is_a_reason_and_no_error():
    class Choosy(LogisticRegression):
        def fit(self, X, y, sample_weight=None):  # noqa: N803
            if sample_weight is not None:
                raise ValueError("no weights on Mondays")
            return super().fit(X, y)

    _, trials = tried(60.0, iter(range(10**6)).__next__, Choosy())
    assert any("no weights on Mondays" in reason for reason in trials.not_tried.values())


def test_refits_that_differ_by_themselves_widen_the_gains():
    train, evaluation = rows(600, 0), rows(2000, 1)
    _, record = diagnosed(
        train, evaluation, RandomForestClassifier(3, random_state=0), metric="accuracy", features=FEATURES
    )
    assert record.trials.noise.high > record.trials.noise.low
    assert record.trials.reliable


def test_numbers_are_tried_too():
    train, evaluation = (rows(1500, seed).assign(y=lambda frame: frame["a"] ** 2 + frame["b"]) for seed in (0, 1))
    _, record = diagnosed(train, evaluation, LinearRegression(), features=FEATURES)
    first = record.next_steps[0]
    assert (first.kind, first.params) == ("change_model", {"family": "gradient_boosting"})
    assert first.gain.low > 0
    assert isinstance(unfitted(DecisionTreeRegressor()), DecisionTreeRegressor)


def test_trials_log_no_runs(experiment):
    train, evaluation = rows(500, 0), rows(600, 1)
    model = LogisticRegression().fit(train[FEATURES], train["y"])
    mlflow.sklearn.autolog()
    try:
        errata.diagnose(evaluation, label="y", model=model, train=train, features=FEATURES)
    finally:
        mlflow.sklearn.autolog(disable=True)
    assert len(mlflow.search_runs([experiment])) == 0


def test_the_same_input_gives_the_same_gains_and_a_record_survives_storing(tmp_path):
    train, evaluation = rows(1500, 0, bias=-2), rows(1500, 1, bias=-2, start=2)
    _, record = diagnosed(train, evaluation, LogisticRegression(), time="at", metric="f1")
    shuffled = evaluation.sample(frac=1, random_state=3)
    _, again = diagnosed(train, shuffled, LogisticRegression(), time="at", metric="f1")
    assert again.trials == record.trials
    assert errata.Record.open(record.save(tmp_path)) == record
    document = json.loads((tmp_path / "record.json").read_text(), parse_constant=pytest.fail)
    assert document["trials"]["tried"]


class Heavy(LogisticRegression):
    """Its first fit is quick, and the others take four fifths of a budget of 10 s."""

    now, fits = 0.0, 0

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        Heavy.now += 0.1 if Heavy.fits < 2 else 8.0
        Heavy.fits += 1
        return super().fit(X, y, sample_weight)


def test_what_needs_no_fit_is_tried_until_the_budget_is_spent():
    Heavy.now, Heavy.fits = 0.0, 0
    _, trials = tried(10.0, lambda: Heavy.now, Heavy(), "f1")
    assert Heavy.now > 6.5
    assert {step.params.get("method") for step in trials.tried} == {"threshold"}
    assert {"the time budget was spent"} <= set(trials.not_tried.values())


def test_what_was_tried_alone_is_not_among_what_was_not_tried_for_a_second_round():
    train = rows(1000, 0)
    model = LogisticRegression().fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(rows(1500, 1), label="y", model=model, features=FEATURES, train=train)
    given = {"budget": 1e9, "random_state": 0, "clock": lambda: 0.0}
    session = _session(table, model, resolve_metric("f1", table.outcomes), None, **given)
    tests = rounds.Rounds(session.bench, session.objective, random_state=0, start=0.0, deadline=1e9)
    tests.measure_noise(random=False)
    bigger = Change("change_model", "model", {"model": "bigger"}, 0)
    (first,) = tests.singles([bigger])
    tests.per_fit = 1e9
    assert tests._round(Variant(balance="class_weight"), [bigger], 0.0) == []
    assert tests.not_tried == {}
    assert tests._round(Variant(), [replace(bigger, parts={"model": "smaller"})], 0.0) == []
    assert tests.not_tried == {"change_model: smaller": "the time budget was spent"}
    assert first.change == bigger


def test_the_chance_to_be_the_best_is_no_greater_than_the_chance_to_gain():
    _, record = diagnosed(rows(2000, 0), rows(2000, 1, start=2), LogisticRegression(), time="at", metric="accuracy")
    assert all(step.chance_best <= step.chance_gains for step in record.trials.tried)
    assert record.trials.chance_none > 0


def test_what_decides_inside_a_wrapper_tells_the_family():
    line = make_pipeline(StandardScaler(), LogisticRegression())
    for model in (line, CalibratedClassifierCV(line), GridSearchCV(line, {}), SGDClassifier(), ElasticNet()):
        assert candidates._is_family(model, "linear")
    assert candidates._is_family(TransformedTargetRegressor(make_pipeline(Ridge())), "linear")
    assert candidates._is_family(CalibratedClassifierCV(HistGradientBoostingClassifier()), "gradient_boosting")
    for model in (MLPClassifier(), RandomForestClassifier().fit([[0], [1]], [0, 1]), CalibratedClassifierCV(None)):
        assert not candidates._is_family(model, "linear")
