"""Trials refit whatever can be cloned, and say in one sentence what they cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as sampling_pipeline
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import mlflow_errata as errata
from mlflow_errata.errors import InputError

NUMBERS, WORDS = ["a", "b"], ["town"]


def rows(n, seed):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(n, 2)), columns=NUMBERS)
    frame["town"] = draw.choice(["Ulm", "Bern", "Graz"], n)
    odds = 2 * frame["a"] - frame["b"] + (frame["town"] == "Ulm") - 2.5
    return frame.assign(y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def on_columns(estimator):
    return make_pipeline(make_column_transformer((OneHotEncoder(), WORDS), (StandardScaler(), NUMBERS)), estimator)


ESTIMATORS = {
    "lightgbm": on_columns(LGBMClassifier(n_estimators=10, verbose=-1)),
    "imbalanced-learn": sampling_pipeline(
        make_column_transformer((OneHotEncoder(), WORDS), remainder="passthrough"),
        SMOTE(random_state=0),
        LogisticRegression(),
    ),
    "search": on_columns(GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2)),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_refit_of_an_estimator_is_tried(name):
    train, evaluation = rows(900, 0), rows(900, 1)
    seen = [*NUMBERS, *WORDS]
    model = ESTIMATORS[name].fit(train[seen], train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, train=train, features=seen, metric="f1", budget=40)
    assert set(record.trials.not_tried) <= {"retrain_recent: offset"}
    kinds = {step.kind for step in record.trials.tried}
    assert {"resample", "change_model"} <= kinds
    refit = errata.Recipe.of(record, record.trials.tried[0]).fit(model, train, newer=evaluation)
    assert set(np.unique(refit.predict(evaluation[seen]))) <= {0, 1}


def test_a_model_that_is_only_a_function_gets_the_trials_that_need_no_fit():
    train, evaluation = rows(900, 0), rows(900, 1)
    fitted = on_columns(LogisticRegression()).fit(train[[*NUMBERS, *WORDS]], train["y"])
    record = errata.diagnose(
        evaluation,
        label="y",
        model=lambda frame: fitted.predict_proba(frame[[*NUMBERS, *WORDS]]),
        train=train,
        features=[*NUMBERS, *WORDS],
        metric="f1",
    )
    assert {step.params["method"] for step in record.trials.tried} == {"threshold"}
    assert "cannot be" in record.trials.not_tried["refits"]


def test_training_rows_with_other_columns_are_refused():
    with pytest.raises(InputError, match="town"):
        errata.diagnose(
            rows(200, 1).assign(said=0),
            label="y",
            prediction="said",
            features=["a", "town"],
            train=rows(200, 0)[["a", "y"]],
        )


def test_a_metric_that_needs_scores_is_refused_beside_labels_alone():
    with pytest.raises(InputError, match="roc_auc"):
        errata.diagnose(rows(200, 1).assign(said=0), label="y", prediction="said", metric="roc_auc")


def test_a_leak_is_named_and_no_trial_is_made_on_it():
    train, evaluation = (rows(900, seed).assign(copied=lambda frame: frame["y"] * 2.0) for seed in (0, 1))
    seen = [*NUMBERS, "copied"]
    model = LogisticRegression().fit(train[seen], train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, train=train, features=seen)
    first = record.next_steps[0]
    assert (first.kind, first.params) == ("drop_columns", {"columns": ["copied"]})
    assert record.trials is None
    assert all(step.gain is None and "'copied'" in step.gain_reason for step in record.next_steps[1:])
    recipe = errata.Recipe.of(record, first)
    assert "copied" not in recipe.apply(train)
    assert list(recipe.fit(model, train).feature_names_in_) == NUMBERS
