"""Choosing the model and the threshold by the value, or by a better metric, on rows that do not judge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import mlflow_errata as errata
from mlflow_errata.sections import trials as words
from mlflow_errata.steps import change_model
from mlflow_errata.trials._shape import Choice

FEATURES = ["a", "b", "c"]
COSTS = {"tp": 0, "fp": -1, "fn": -9, "tn": 0}
WORTH = np.array([[COSTS["tn"], COSTS["fp"]], [COSTS["fn"], COSTS["tp"]]])


def rows(n, seed, *, bias=-2.0, strength=2.0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    odds = strength * (x[:, 0] - x[:, 1]) + bias
    return pd.DataFrame(x, columns=FEATURES).assign(y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Boosting takes its time, and is no other model than the linear one to these tests."""
    monkeypatch.setattr(change_model, "FAMILIES", ("linear",))


def stump():
    return DecisionTreeClassifier(max_depth=1, random_state=0)


def diagnosed(train, evaluation, model, **options):
    fitted = clone(model).fit(train[FEATURES], train["y"])
    return fitted, errata.diagnose(evaluation, label="y", model=fitted, features=FEATURES, train=train, **options)


def value(model, later):
    return float(WORTH[later["y"], model.predict(later[FEATURES])].mean())


def test_the_value_chooses_model_and_threshold_and_the_recipe_delivers_the_gain():
    train, evaluation, later = rows(2000, 0), rows(2500, 1), rows(20_000, 2)
    model, record = diagnosed(train, evaluation, stump(), metric="accuracy", value=COSTS)
    first = record.next_steps[0]
    assert (first.kind, first.params["by"]) == ("change_metric", "value")
    assert {"family", "set"} & set(first.params)
    assert 0.02 < first.params["threshold"] < 0.3
    assert first.cost.seconds > 0
    recipe = errata.Recipe.from_json(errata.Recipe.of(record, first).to_json())
    again = recipe.fit(model, train)
    delivered = value(again, later) - value(model, later)
    assert first.gain_value.low - 0.05 <= delivered <= first.gain_value.high + 0.05
    assert "Choose the model by the declared value: " in str(record)


def test_what_choosing_by_the_value_is_worth_is_said_and_holds_on_rows_that_come():
    """Against the model and the threshold that the accuracy chooses; 90 % intervals, so 3 of 4 at least."""
    held = 0
    for seed in range(4):
        train, evaluation, later = rows(1500, seed), rows(2000, 50 + seed), rows(20_000, 100 + seed)
        model, record = diagnosed(train, evaluation, stump(), metric="accuracy", value=COSTS)
        choice = record.trials.choice
        reached = [_value_of(model, name, cut, train, later) for name, cut in (choice.by_value, choice.by_metric)]
        held += choice.gain.low <= reached[0] - reached[1] <= choice.gain.high
    assert held >= 3
    assert choice.gain.low > 0
    assert "choosing by the value is worth +" in str(record)


def _value_of(model, name, cut, train, later):
    params = {None: {}, "bigger": {"set": {"max_depth": 2}}, "smaller": {"set": {"max_depth": 1}}}
    step = ("change_metric", {"by": "value", "threshold": cut, **params.get(name, {"family": name})})
    recipe = errata.Recipe((step,), "y", tuple(FEATURES), None, None, None, "binary", "")
    return value(recipe.fit(model, train), later)


def test_where_the_metric_counts_what_the_value_counts_nothing_is_gained():
    """Every error costs the same and the accuracy counts errors: the interval holds 0 in 5 of 6 draws or more."""
    even, held = {"tp": 0, "fp": -1, "fn": -1, "tn": 0}, 0
    for seed in range(6):
        _, record = diagnosed(
            rows(800, seed, bias=0.0),
            rows(1000, 50 + seed, bias=0.0),
            LogisticRegression(),
            metric="accuracy",
            value=even,
        )
        choice = record.trials.choice
        held += choice.gain.low <= 0 <= choice.gain.high
    assert held >= 5


def test_without_a_value_there_is_no_choice_to_make():
    _, record = diagnosed(rows(800, 0), rows(800, 1), LogisticRegression(), metric="f1")
    assert record.trials.choice is None


def test_a_blind_metric_asks_for_one_that_sees_and_the_gain_is_in_that():
    """98 % of the rows are 0: the accuracy sees nothing of a stump, ROC AUC does."""
    train, evaluation = rows(3000, 0, bias=-6.0), rows(6000, 1, bias=-6.0)
    _, record = diagnosed(train, evaluation, stump(), metric="accuracy")
    blind = record.results["metric_mismatch"]
    assert blind.better == "roc_auc"
    step = next(step for step in record.next_steps if step.kind == "change_metric")
    assert (step.params["by"], step.because) == ("roc_auc", ("metric_mismatch",))
    assert "threshold" not in step.params
    assert step.gain.unit == "roc_auc"
    assert step.gain.low > 0
    assert step.pays


def test_without_a_budget_the_diagnosis_states_what_the_threshold_saves():
    train, evaluation = rows(1500, 0), rows(2000, 1)
    _, record = diagnosed(train, evaluation, LogisticRegression(), metric="accuracy", value=COSTS, budget=0)
    step = next(step for step in record.next_steps if step.kind == "change_metric")
    found = record.results["metric_mismatch"].threshold
    assert step.params == {"by": "value", "threshold": found.best}
    assert step.gain_value == found.gain
    assert step.because == ("metric_mismatch",)
    assert (step.bound, step.pays) == (found.gain.low, True)
    assert record.trials is None


@pytest.mark.parametrize(
    ("by_value", "by_metric", "said"),
    [
        (
            (None, 0.1),
            (None, 0.5),
            "the value prefers the one in use cut at 0.100, ROC AUC the one in use cut at 0.500",
        ),
        (("linear", None), ("bigger", None), "the value prefers a linear model, ROC AUC the bigger one"),
        ((None, 0.5), (None, 0.5), "the value and ROC AUC prefer the same, at the same threshold"),
    ],
)
def test_the_choice_in_words(by_value, by_metric, said):
    gain = errata.Estimate(0.2, 0.1, 0.3, n=100, unit="value per row", level=0.9)
    assert said in words._choice(Choice("roc_auc", 4, by_value, by_metric, gain))


def test_a_threshold_that_only_the_diagnosis_could_measure_is_the_plan():
    """Too few rare rows for trials to choose a threshold by, and a value that tells none."""
    draw = np.random.default_rng(0)
    parts = []
    for n in (1000, 300):
        x = pd.DataFrame({"a": draw.normal(size=n), "b": draw.normal(size=n)})
        parts.append(x.assign(y=(draw.random(n) < 1 / (1 + np.exp(2.2 - 1.2 * x["a"]))).astype(int)))
    train, evaluation = parts
    seen = ["a", "b"]
    model = LogisticRegression().fit(train[seen], train["y"])

    def value(y, decision):
        return np.where(y == decision, 0.0, np.where(y == 1, -20.0, -1.0))

    record = errata.diagnose(evaluation, label="y", model=model, features=seen, train=train, value=value, budget=6)
    first = record.next_steps[0]
    assert first.kind == "change_metric"
    assert first.gain_value == record.results["metric_mismatch"].threshold.gain
    assert record.plan == (first,)
    again = errata.Recipe.of(record).fit(model, train)
    assert again.predict(evaluation[seen]).mean() > model.predict(evaluation[seen]).mean() + 0.2
