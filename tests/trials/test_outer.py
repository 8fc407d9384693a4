"""Decisions that are cut outside the model: what is fitted again is cut at the same threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

import mlflow_errata as errata
from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials.earlier import earlier_periods
from mlflow_errata.trials.outer import outer_threshold

FEATURES = ["a", "b"]
ROLES = {"label": "y", "prediction": "said", "scores": "p", "features": FEATURES}


def rows(n, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 2))
    y = (draw.random(n) < 1 / (1 + np.exp(-(1.2 * x[:, 0] - 2)))).astype(int)
    return pd.DataFrame(x, columns=FEATURES).assign(y=y, at=np.arange(n) + 1e4 * seed)


def cut_at(threshold, model=None):
    train, evaluation = rows(2000, 0), rows(2500, 1)
    model = (model or LogisticRegression()).fit(train[FEATURES], train["y"])
    p = model.predict_proba(evaluation[FEATURES])[:, 1]
    return model, train, evaluation.assign(p=p, said=(p >= threshold).astype(int))


@pytest.mark.parametrize("threshold", [0.22, 0.75])
def test_refits_are_cut_where_the_decisions_are(threshold):
    model, train, evaluation = cut_at(threshold)
    record = errata.diagnose(evaluation, model=model, train=train, metric="f1", budget=20, **ROLES)
    same = next(step for step in record.trials.tried if step.params.get("set") == {"C": 10.0})
    assert same.gain.value == pytest.approx(0, abs=0.01)
    assert same.params["threshold"] == pytest.approx(threshold, abs=0.01)
    again = errata.Recipe.of(record, same).fit(model, train)
    assert again.predict(evaluation[FEATURES]).mean() == pytest.approx(evaluation["said"].mean(), abs=0.01)


def test_a_model_that_decides_so_by_itself_is_left_to_decide():
    model, train, evaluation = cut_at(0.22, FixedThresholdClassifier(LogisticRegression(), threshold=0.22))
    table = EvaluationTable.build(evaluation, model=model, train=train, **ROLES)
    assert outer_threshold(table, model) is None
    assert outer_threshold(table, LogisticRegression()) == pytest.approx(0.22, abs=0.01)
    model, train, evaluation = cut_at(0.5)
    assert outer_threshold(EvaluationTable.build(evaluation, model=model, train=train, **ROLES), model) is None
    evaluation = evaluation.drop(columns=["said", "p"])
    table = EvaluationTable.build(evaluation, label="y", model=model, train=train, features=FEATURES)
    assert outer_threshold(table, model) is None


def test_earlier_periods_are_cut_there_too():
    model, train, evaluation = cut_at(0.22)
    table = EvaluationTable.build(evaluation, model=model, train=train, time="at", **ROLES)
    found = earlier_periods(table, table.train, model, outer_threshold(table, model)).outcomes
    assert (found.prediction == (found.scores[:, 1] >= outer_threshold(table, model))).all()
