"""Other forms of the question, tried: planted gains are found, the shared question is the right one, recipes take them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import mlflow_errata as errata
from mlflow_errata.errors.stored import RecipeRefused
from mlflow_errata.reframed.by_number import ByNumber
from mlflow_errata.reframed.hierarchical import Hierarchical
from mlflow_errata.reframed.ordinal import Ordinal
from mlflow_errata.steps import change_model, reframe
from mlflow_errata.training import TrainingSet


@pytest.fixture(autouse=True)
def no_other_families(monkeypatch):
    """Models of other families are tried elsewhere, and take longest."""
    monkeypatch.setattr(change_model, "FAMILIES", ())


def forms(record, form):
    steps = [*record.next_steps, *(record.trials.tried if record.trials else ())]
    return [step for step in steps if step.kind == "reframe" and step.params["to"] == form]


def families(n, seed):
    """Three families of four kinds; one column tells the family, another the kind, and the trees are small."""
    draw = np.random.default_rng(seed)
    kind = draw.integers(0, 12, n)
    family, within = kind // 4, kind % 4
    rows = pd.DataFrame({"big": family + 0.25 * draw.normal(size=n), "small": within + 0.5 * draw.normal(size=n)})
    return rows.assign(y=np.array(list("abcdefghijkl"))[kind], family=np.array(["x", "y", "z"])[family])


def test_a_hierarchy_is_tried_as_any_other_model_and_the_recipe_takes_it():
    train, rows = families(1500, 0), families(1500, 1)
    tree = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(train[["big", "small"]], train["y"])
    record = errata.diagnose(rows, label="y", model=tree, train=train)
    first = next(step for step in forms(record, "hierarchy") if step.params["by"] == "family")
    assert first.gain.low > 0.1  # eight leaves cannot tell twelve classes; eight a family can
    assert first.pays
    assert first.because == ("framing",)
    model = errata.Recipe.of(record, first).fit(tree, train)
    assert isinstance(model, Hierarchical)
    later = families(3000, 2)
    delivered = np.mean(model.predict(later[["big", "small"]]) == later["y"]) - tree.score(
        later[["big", "small"]], later["y"]
    )
    assert first.gain.low - 0.03 < delivered < first.gain.high + 0.03
    assert "Tell the family first, then the class within it" in str(record)


def grades(n, seed):
    """Five grades of a straight line."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 2))
    amount = 10 + 4 * x[:, 0] + 2 * x[:, 1] + 2 * draw.normal(size=n)
    rows = pd.DataFrame(x, columns=["a", "b"])
    return rows.assign(y=np.digitize(amount, [5.0, 8.0, 12.0, 15.0]), amount=amount)


def test_ordinal_and_by_number_where_classes_are_grades():
    train, rows = grades(800, 0), grades(1500, 1)
    forest = RandomForestClassifier(30, min_samples_leaf=5, random_state=0).fit(train[["a", "b"]], train["y"])
    record = errata.diagnose(rows, label="y", model=forest, train=train, metric="log_loss", task="multiclass")
    (ordinal,), (number,) = forms(record, "ordinal")[:1], forms(record, "number")[:1]
    assert ordinal.params["order"] == [0, 1, 2, 3, 4]
    assert number.params["column"] == "amount"
    assert number.gain.low > 0
    assert number.gain.unit == "log_loss"
    model = errata.Recipe.of(record, ordinal).fit(forest, train)
    assert isinstance(model, Ordinal)
    model = errata.Recipe.from_json(errata.Recipe.of(record, number).to_json()).fit(forest, train)
    assert isinstance(model, ByNumber)
    assert np.mean(model.predict(grades(1000, 2)[["a", "b"]]) == grades(1000, 2)["y"]) > 0.5


def delays(n, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    delay = 15 + 12 * x + 10 * draw.normal(size=n)
    return pd.DataFrame({"a": x, "delay": delay, "late": np.where(delay > 20, "yes", "no")})


def test_a_regression_is_held_against_a_classifier_on_the_question_that_both_answer():
    train, rows = delays(800, 0), delays(1200, 1)
    line = LinearRegression().fit(train[["a"]], train["delay"])
    record = errata.diagnose(rows, label="delay", model=line, train=train)
    (step,) = forms(record, "classes")
    assert step.params["asked"] == pytest.approx(20, abs=0.2)
    assert abs(step.gain.value) < 1e-6  # one column: both rank alike
    assert step.gain.unit.startswith("ROC AUC of delay above")
    assert not step.pays
    told = record.results["framing"].questions[0].told.value
    assert told == pytest.approx(roc_auc_score(rows["late"] == "yes", rows["a"]))
    model = errata.Recipe.of(record, step).fit(line, train)
    assert isinstance(model, LogisticRegression)
    assert set(model.predict(rows[["a"]])) == {"yes", "no"}
    assert "the regression is not worse" in str(record)


def test_a_classifier_gains_where_a_few_numbers_are_wild():
    """Noise without a variance: means of it tell little, shares above a cut tell what there is."""

    def wild(n, seed):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=n)
        delay = x + draw.standard_cauchy(n) ** 3
        return pd.DataFrame({"a": x, "delay": delay, "late": np.where(delay > 0, "yes", "no")})

    train, rows = wild(1500, 0), wild(1500, 1)
    tree = DecisionTreeRegressor(min_samples_leaf=30, random_state=0).fit(train[["a"]], train["delay"])
    record = errata.diagnose(rows, label="delay", model=tree, train=train)
    (step,) = forms(record, "classes")
    assert step.gain.low > 0.05
    assert step.pays
    assert record.next_steps.index(step) < [item.kind for item in record.next_steps].index("stop")


def test_rare_classes_merged_are_judged_as_one():

    def animals(n, seed):
        draw = np.random.default_rng(seed)
        y = draw.choice(list("abcdef"), n, p=[0.5, 0.44, 0.015, 0.015, 0.015, 0.015])
        x = np.select([y == "a", y == "b"], [-2.0, 2.0], 6.0) + draw.normal(size=n)
        return pd.DataFrame({"x": x, "y": y})

    train, rows = animals(900, 0), animals(2000, 1)
    tree = DecisionTreeClassifier(max_leaf_nodes=3, random_state=0).fit(train[["x"]], train["y"])
    record = errata.diagnose(rows, label="y", model=tree, train=train)
    (step,) = forms(record, "merge")
    assert (set(step.params["classes"]), step.params["into"]) == (set("cdef"), "other")
    assert step.gain.unit == "accuracy of the merged classes"
    model = errata.Recipe.of(record, step).fit(tree, train)
    merged = rows["y"].where(rows["y"].isin(["a", "b"]), "other")
    before = pd.Series(tree.predict(rows[["x"]])).replace(dict.fromkeys("cdef", "other"))
    delivered = np.mean(model.predict(rows[["x"]]) == merged) - np.mean(before == merged)
    assert step.gain.value == pytest.approx(delivered)
    collect = [item for item in record.next_steps if item.kind == "collect_data" and "y in" in item.params["slice"][0]]
    assert collect[0].gain_reason.startswith("not tried: there are too few")
    assert collect[0].cost.rows > 0


def test_what_cannot_be_fitted_says_why():
    """Without training rows nothing is refitted; a growing number of classes needs columns of its own."""
    rows = delays(500, 1).assign(p=lambda given: given["a"])
    record = errata.diagnose(rows, label="delay", prediction="p", features=["a"], budget=5)
    (step,) = forms(record, "classes")
    assert (step.gain, step.gain_reason) == (None, "not tried: the training rows are not given (train=)")
    with pytest.raises(RecipeRefused, match="columns that describe the classes"):
        errata.Recipe.from_json(
            errata.Recipe((("reframe", {"to": "pairs"}),), "y", ("a",), None, None, None, "multiclass", "d").to_json()
        )


def test_steps_change_the_label_alone():
    train = TrainingSet(
        pd.DataFrame({"a": np.arange(4.0)}),
        pd.Series(list("abcd")),
        weight=np.arange(4.0),
        aside=pd.DataFrame({"n": [1.0, np.nan, 3.0, 4.0]}),
    )
    number = reframe.apply(train, to="number", column="n")
    assert list(number.y) == [1.0, 3.0, 4.0]
    assert list(number.weight) == [0, 2, 3]
    merged = reframe.apply(train, to="merge", classes=["c", "d"], into="other")
    assert list(merged.y) == ["a", "b", "other", "other"]
    cut = reframe.apply(
        TrainingSet(train.X, pd.Series([1.0, 5.0, 5.1, 9.0])), to="classes", cuts=[5.0], classes=["low", "high"]
    )
    assert list(cut.y) == ["low", "low", "high", "high"]
    assert reframe.apply(train, to="hierarchy", groups=[["a"]]) is train
    with pytest.raises(errata.ErrataError, match="column='m' is not a column"):
        reframe.apply(train, to="number", column="m")
