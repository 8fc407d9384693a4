"""Recipes: steps as JSON that the next training run applies."""

from __future__ import annotations

import json
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import mlflow_errata as errata
from mlflow_errata.errors import ColumnMissing
from mlflow_errata.errors.stored import RecipeBroken, RecipeMissing, RecipeRefused, RecipeTooNew
from mlflow_errata.recipe import WEIGHT, Recipe
from mlflow_errata.steps._shape import NextStep


@pytest.fixture(scope="module")
def frames():
    """Half a year of rows, 10 % late, and a month after it."""
    draw = np.random.default_rng(0)
    n = 3000
    frame = pd.DataFrame({"x": draw.normal(size=n), "carrier": pd.Categorical(draw.choice(["EV", "UA"], n))})
    frame["at"] = pd.date_range("2024-01-01", periods=n, freq="90min")
    frame["late"] = np.where(frame["x"] + draw.normal(size=n) > 1.9, "late", "on time")
    newer = frame.tail(500).assign(
        carrier=pd.Categorical(["DL"] * 500), at=lambda rows: rows["at"] + pd.Timedelta("30D")
    )
    return frame, newer


@pytest.fixture(scope="module")
def record(frames):
    return errata.diagnose(
        frames[1].assign(said="late"), label="late", prediction="said", time="at", features=["x", "carrier"], budget=0
    )


def recipe(record, kind, **params):
    return Recipe.of(record, NextStep(kind, params))


def test_json_is_all_there_is(record):
    written = recipe(record, "retrain_recent", last=86400.0)
    assert Recipe.from_json(written.to_json()) == written
    document = json.loads(written.to_json(), parse_constant=pytest.fail)
    assert document["steps"] == [{"kind": "retrain_recent", "params": {"last": 86400.0}}]


def test_what_is_no_recipe_is_refused(record):
    document = json.loads(recipe(record, "retrain_recent").to_json())
    with pytest.raises(RecipeTooNew, match="schema 2"):
        Recipe.from_json(json.dumps(document | {"schema": 2}))
    with pytest.raises(RecipeRefused, match="'sing' is not among the kinds"):
        Recipe.from_json(json.dumps(document | {"steps": [{"kind": "sing", "params": {}}]}))
    for text in ("", "[]", "{}", json.dumps(document | {"more": 1})):
        with pytest.raises(RecipeBroken):
            Recipe.from_json(text)


@pytest.mark.parametrize("kind", ["relabel", "collect_data"])
def test_steps_that_a_person_has_to_take_first_are_refused(record, kind):
    with pytest.raises(RecipeRefused, match=r"have to be checked first|collect the rows"):
        recipe(record, kind, slice=["x is missing"])


def test_the_newest_rows_are_kept_and_newer_ones_join(record, frames):
    train, newer = frames
    changed = recipe(record, "retrain_recent", last=30 * 86400.0).apply(train, newer)
    both = pd.concat([train["at"], newer["at"]])
    assert changed["at"].min() == both[both >= both.max() - pd.Timedelta("30D")].min()
    assert set(changed["carrier"].dtype.categories) == {"EV", "UA", "DL"}
    assert WEIGHT not in changed.columns
    alone = recipe(record, "resample", method="threshold", threshold=0.3).apply(train, newer)
    assert len(alone) == len(train)


def test_half_life_halves_the_weight(record, frames):
    train, _ = frames
    changed = recipe(record, "retrain_recent", half_life=30 * 86400.0).apply(train)
    age = (changed["at"].max() - changed["at"]) / pd.Timedelta("1D")
    np.testing.assert_allclose(changed[WEIGHT] / changed[WEIGHT].iloc[-1], 0.5 ** (age / 30))


@pytest.mark.parametrize("method", ["class_weight", "over", "under"])
def test_balanced_models_decide_as_balanced_and_keep_the_shares_in_their_probabilities(record, frames, method):
    train, _ = frames
    features = ["x"]
    one = Recipe(((("resample", {"method": method})),), "late", ("x",), None, None, None, "binary", "")
    model = one.fit(LogisticRegression(), train)
    scores = model.predict_proba(train[features])
    share = (train["late"] == model.classes_[1]).mean()
    assert scores[:, 1].mean() == pytest.approx(share, abs=0.03)
    plain = LogisticRegression().fit(train[features], train["late"])
    assert (model.predict(train[features]) == "late").mean() > 2 * (plain.predict(train[features]) == "late").mean()


def test_a_threshold_decides_and_leaves_the_probabilities(record, frames):
    train, _ = frames
    one = Recipe(
        (("resample", {"method": "threshold", "threshold": 0.8}),), "late", ("x",), None, None, None, "binary", ""
    )
    model = one.fit(LogisticRegression(), train)
    plain = LogisticRegression().fit(train[["x"]], train["late"])
    np.testing.assert_allclose(model.predict_proba(train[["x"]]), plain.predict_proba(train[["x"]]))
    expected = np.where(plain.predict_proba(train[["x"]])[:, 1] >= 0.8, "on time", "late")
    assert (model.predict(train[["x"]]) == expected).all()


def test_a_plan_of_several_steps_fits_a_clone_and_leaves_everything_as_it_is(record, frames):
    train, newer = frames
    before = train.copy()
    given = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=5, random_state=0)
    steps = (
        NextStep("retrain_recent", {"half_life": 1e7}),
        NextStep("change_model", {"set": {"max_leaf_nodes": 7}, "threshold": 0.7}),
    )
    model = Recipe.of(record, *steps).fit(given, train, newer)
    assert model.estimator_.max_leaf_nodes == 7
    assert (given.max_leaf_nodes, model.threshold) == (31, 0.7)
    assert not hasattr(given, "classes_")
    assert set(model.predict(newer[["x", "carrier"]])) <= {"late", "on time"}
    pd.testing.assert_frame_equal(train, before)


CHOSEN = {"threshold": 0.3, "factors": [["late", 2.0], ["on time", 1.0]], "worth": None, "offset": 0.0}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("resample", {"method": "class_weight"}),
        ("resample", {"method": "prior"}),
        ("change_metric", {"by": "value"}),
        ("change_metric", {"by": "value", "family": "linear"}),
        ("retrain_recent", {"last": 1e7}),
        ("change_model", {"set": {"max_leaf_nodes": 7}}),
        ("change_model", {"family": "linear"}),
    ],
)
def test_a_later_step_of_a_plan_carries_what_earlier_ones_chose(record, frames, kind, params):
    """Of two classes, and of three, where the rule is one of factors."""
    train, newer = frames
    chosen = {name: value for name, value in CHOSEN.items() if value is not None}
    if kind == "retrain_recent":
        chosen.pop("offset")
    given = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=5, random_state=0)
    for several in (False, True):
        rows = train.assign(late=train["late"].mask(train["x"] > 2, "never")) if several else train
        model = recipe(record, kind, **params, **chosen).fit(given, rows, newer)
        assert set(model.predict(newer[["x", "carrier"]])) <= {"late", "on time"}


def test_a_fitted_model_decides_by_another_rule_without_a_refit(record, frames):
    train, _ = frames
    one = Recipe((("resample", {"method": "threshold", "threshold": 0.8}),), "late", ("x",), *3 * [None], "binary", "")
    fitted = LogisticRegression().fit(train[["x"]], train["late"])
    model = one.decide(fitted)
    assert model.estimator_ is fitted
    expected = np.where(fitted.predict_proba(train[["x"]])[:, 1] >= 0.8, "on time", "late")
    assert (model.predict(train[["x"]]) == expected).all()
    assert replace(one, steps=()).decide(fitted) is fitted
    for kind, params in (
        ("retrain_recent", {}),
        ("change_model", {"family": "linear"}),
        ("resample", {"method": "over"}),
    ):
        with pytest.raises(RecipeRefused, match=rf"'{kind}' changes the rows or the model. Take recipe.fit"):
            recipe(record, kind, **params).decide(fitted)


def test_several_classes_are_decided_by_factors_without_a_refit(frames):
    train, _ = frames
    rows = train.assign(late=train["late"].mask(train["x"] > 2, "never"))
    fitted = LogisticRegression().fit(rows[["x"]], rows["late"])
    factors = [["late", 0.0], ["never", 1.0], ["on time", 0.0]]
    one = Recipe(
        (("resample", {"method": "prior", "factors": factors}),), "late", ("x",), *3 * [None], "multiclass", ""
    )
    assert set(one.decide(fitted).predict(rows[["x"]])) == {"never"}


def test_classes_that_are_numbers_with_a_point_are_classes(frames):
    """One label that is missing makes integers floats."""
    train, _ = frames
    rows = train.assign(late=train["x"].round().clip(-1, 1).astype(float))
    factors = [[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    one = Recipe(
        (("resample", {"method": "prior", "factors": factors}),), "late", ("x",), *3 * [None], "multiclass", ""
    )
    assert set(one.fit(LogisticRegression(), rows).predict(rows[["x"]])) == {0.0}


class Fixed:
    """A model of which there is one only."""

    classes_ = ("late", "on time")

    def predict_proba(self, X):  # noqa: N803
        return np.column_stack([1 - X["x"].between(0, 1), X["x"].between(0, 1)])


def test_a_model_that_cannot_be_cloned_is_refused_by_fit_and_decides(frames):
    train, _ = frames
    one = Recipe((("resample", {"method": "threshold", "threshold": 0.8}),), "late", ("x",), *3 * [None], "binary", "")
    with pytest.raises(RecipeRefused, match=r"a Fixed cannot be cloned: TypeError.*recipe\.decide\(model\)"):
        one.fit(Fixed(), train)
    assert set(one.decide(Fixed()).predict(train[["x"]])) == {"late", "on time"}


def test_a_model_without_probabilities_cannot_be_decided(frames):
    train, _ = frames
    one = Recipe((("resample", {"method": "threshold", "threshold": 0.8}),), "late", ("x",), *3 * [None], "binary", "")
    with pytest.raises(RecipeRefused, match="a LinearSVC has no predict_proba"):
        one.fit(LinearSVC(), train)


@pytest.mark.parametrize("family", ["gradient_boosting", "linear"])
def test_another_family_takes_any_columns(record, frames, family):
    train, newer = frames
    holes = train.assign(x=train["x"].where(np.arange(len(train)) % 7 > 0))
    model = recipe(record, "change_model", family=family).fit(LogisticRegression(), holes)
    assert model.predict_proba(newer[["x", "carrier"]]).shape == (500, 2)


def test_nothing_to_do_is_a_plain_refit(record, frames):
    train, _ = frames
    assert Recipe.of(record).steps == ()
    pd.testing.assert_frame_equal(Recipe.of(record).apply(train), train)


def test_a_frame_without_a_feature_is_refused(record, frames):
    with pytest.raises(ColumnMissing, match="features='carrier'"):
        recipe(record, "retrain_recent").apply(frames[0].drop(columns="carrier"))


def test_the_recipe_is_stored_with_the_run_and_loaded(experiment):
    draw = np.random.default_rng(0)
    x = draw.normal(size=6000)
    y = (draw.random(6000) < 1 / (1 + np.exp(3 - 2 * x))).astype(int)
    rows = pd.DataFrame({"x": x, "y": y})
    train, test = rows.head(3000), rows.tail(3000)
    model = LogisticRegression().fit(train[["x"]], train["y"])
    with mlflow.start_run() as run:
        record = errata.diagnose(test, label="y", model=model, train=train, metric="f1")
        errata.log(record, strict=True)
    assert record.plan
    assert errata.load_recipe(run.info.run_id) == Recipe.of(record)
    with mlflow.start_run() as other:
        errata.log(errata.diagnose(test, label="y", model=model, budget=0), strict=True)
    with pytest.raises(RecipeMissing, match="holds no recipe"):
        errata.load_recipe(other.info.run_id)
