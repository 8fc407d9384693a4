"""Reframed estimators: what each promises, whatever the estimator inside."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.svm import LinearSVC

from mlflow_errata.errors import ClassHasNoPlace
from mlflow_errata.reframed.by_number import ByNumber
from mlflow_errata.reframed.hierarchical import Hierarchical
from mlflow_errata.reframed.ordinal import Ordinal
from mlflow_errata.reframed.twins import twin

GROUPS = [["a", "b"], ["c", "d"]]
DEPTH = RandomForestClassifier(20, max_depth=4, random_state=0)


def rows(n=600, seed=0):
    """Five classes by one number, with a word that each group has its own of."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    place = np.digitize(x + 0.3 * draw.normal(size=n), [-1, -0.3, 0.3, 1])
    y = pd.Series(np.array(list("abcde"))[place], name="y")
    word = pd.Series(np.array(["u", "v", "w"])[place // 2], name="word")
    return pd.DataFrame({"x": x, "z": draw.normal(size=n)}), y, word, place


def pipeline(last):
    encoder = make_column_transformer((OrdinalEncoder(), ["word"]), remainder="passthrough")
    return make_pipeline(encoder, last)


@pytest.mark.parametrize("inner", [DEPTH, LogisticRegression(), KNeighborsClassifier(), LinearSVC()], ids=repr)
@pytest.mark.parametrize("made", [lambda inner: Hierarchical(inner, GROUPS), lambda inner: Ordinal(inner, "abcde")])
def test_probabilities_and_classes(made, inner):
    seen, y, _, _ = rows()
    model = made(inner).fit(seen, y)
    chances = model.predict_proba(seen)
    assert list(model.classes_) == list("abcde")
    assert chances.min() >= 0
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (model.predict(seen) == y).mean() > 0.55
    np.testing.assert_array_equal(model.predict(seen), model.classes_[chances.argmax(axis=1)])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(seen), model.predict(seen))  # noqa: S301
    assert clone(model).get_params()["estimator__" + next(iter(inner.get_params(deep=False)))] is not NotImplemented


def test_a_hierarchy_multiplies_the_chances_of_its_nodes():
    """'e' is of no group, so it is one by itself."""
    seen, y, _, _ = rows()
    model = Hierarchical(LogisticRegression(), GROUPS).fit(seen, y)
    group = y.map({"a": 0, "b": 0, "c": 1, "d": 1, "e": 2})
    top = LogisticRegression().fit(seen, group).predict_proba(seen)
    inside = LogisticRegression().fit(seen[group == 0], y[group == 0]).predict_proba(seen)
    chances = model.predict_proba(seen)
    np.testing.assert_allclose(chances[:, :2], top[:, [0]] * inside, atol=1e-6)
    np.testing.assert_allclose(chances[:, 4], top[:, 2], atol=1e-6)


def test_ordinal_is_frank_and_hall():
    seen, y, _, place = rows()
    chances = Ordinal(LogisticRegression(), list("abcde")).fit(seen, y).predict_proba(seen)
    above = [LogisticRegression().fit(seen, place > at).predict_proba(seen)[:, 1] for at in range(4)]
    np.testing.assert_allclose(chances[:, 4], np.minimum.reduce(above), atol=1e-6)
    np.testing.assert_allclose(chances[:, 0], 1 - above[0], atol=1e-6)


def test_an_order_may_be_another_than_that_of_the_labels():
    seen, y, _, place = rows()
    names = np.array(["low", "fair", "good", "high", "top"])
    model = Ordinal(LogisticRegression(), list(names)).fit(seen, pd.Series(names[place]))
    assert list(model.classes_) == sorted(names)
    straight = Ordinal(LogisticRegression(), list("abcde")).fit(seen, y).predict_proba(seen)
    where = [list(model.classes_).index(name) for name in names]
    np.testing.assert_allclose(model.predict_proba(seen)[:, where], straight)


def test_a_class_without_a_place_is_refused():
    seen, y, _, _ = rows()
    with pytest.raises(ClassHasNoPlace, match="'e' has no place in the order 'a', 'b', 'c', 'd'"):
        Ordinal(LogisticRegression(), list("abcd")).fit(seen, y)


def test_a_number_is_cut_into_calibrated_chances():
    draw = np.random.default_rng(0)
    seen = pd.DataFrame({"x": draw.normal(size=3000)})
    number = 10 * seen["x"] + 10 * draw.normal(size=3000)
    model = ByNumber(LinearRegression(), [0.0, 12.0], ["low", "middle", "high"]).fit(seen[:2000], number[:2000])
    chances, truth = model.predict_proba(seen[2000:]), number[2000:]
    assert list(model.classes_) == ["high", "low", "middle"]
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert chances[:, 0].mean() == pytest.approx((truth > 12).mean(), abs=0.03)
    assert chances[:, 1].mean() == pytest.approx((truth <= 0).mean(), abs=0.04)
    assert roc_auc_score(truth > 12, chances[:, 0]) == pytest.approx(
        roc_auc_score(truth > 12, seen["x"][2000:]), abs=0.01
    )


def test_a_cut_that_no_row_passes_is_certain():
    seen = pd.DataFrame({"x": np.arange(30.0)})
    model = ByNumber(LinearRegression(), [-5.0, 99.0], [0, 1, 2]).fit(seen, seen["x"])
    np.testing.assert_allclose(model.predict_proba(seen), np.tile([0, 1, 0], (30, 1)), atol=1e-9)


@pytest.mark.parametrize("last", [DEPTH, LogisticRegression()], ids=repr)
def test_nodes_of_a_pipeline_meet_no_category_that_they_have_not_seen(last):
    """Each group has words of its own, which an encoder fitted on another group refuses."""
    seen, y, word, _ = rows()
    seen = seen.assign(word=word)
    model = Hierarchical(pipeline(last), GROUPS).fit(seen[:400], y[:400])
    assert (model.predict(seen[400:]) == y[400:]).mean() > 0.7
    sparse = make_pipeline(OneHotEncoder(), LogisticRegression())
    assert (Ordinal(sparse, list("abcde")).fit(word.to_frame(), y).predict(word.to_frame()) == y).mean() > 0.4


def test_weights_reach_every_node():
    seen, y, _, _ = rows()
    weight = np.where(y == "a", 50.0, 1.0)
    for model in (Hierarchical(LogisticRegression(), GROUPS), Hierarchical(KNeighborsClassifier(), GROUPS)):
        plain, heavy = (clone(model).fit(seen, y, sample_weight=given) for given in (None, weight))
        assert (heavy.predict(seen) == "a").sum() > (plain.predict(seen) == "a").sum()


@pytest.mark.parametrize(
    ("given", "classes", "wanted"),
    [
        (HistGradientBoostingRegressor(max_iter=7, random_state=3), True, HistGradientBoostingClassifier),
        (RandomForestClassifier(7, min_samples_leaf=3), False, RandomForestRegressor),
        (LinearRegression(), True, LogisticRegression),
        (LogisticRegression(C=3), False, Ridge),
        (RandomForestClassifier(7), True, RandomForestClassifier),
    ],
)
def test_twins(given, classes, wanted):
    found = twin(given, classes=classes)
    assert type(found) is wanted
    for name in ("max_iter", "n_estimators", "min_samples_leaf"):
        if name in found.get_params() and not isinstance(given, LogisticRegression):
            assert found.get_params()[name] == given.get_params().get(name, found.get_params()[name])
    inside = twin(make_pipeline(OneHotEncoder(), given), classes=classes)
    assert type(inside[-1]) is wanted
    assert isinstance(inside[0], OneHotEncoder)


def test_an_estimator_of_unknown_kind_has_no_twin():
    class Own(LogisticRegression):
        pass

    assert twin(Own(), classes=False) is None
