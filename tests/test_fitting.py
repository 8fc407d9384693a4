"""Clones fitted alike: seeds, one thread, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as sampled
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlflow_errata.fitting import fit, is_random, repeated, unfitted
from mlflow_errata.steps.change_model import alter, sizes
from mlflow_errata.training import TrainingSet


@pytest.fixture
def train():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(400, 2))
    y = pd.Series((x[:, 0] + draw.normal(size=400) > 0).astype(int))
    return TrainingSet(pd.DataFrame(x, columns=["a", "b"]), y, weight=np.where(y == 1, 9.0, 1.0))


def test_a_clone_keeps_seeds_fills_open_ones_and_uses_one_thread():
    given = make_pipeline(StandardScaler(), RandomForestClassifier(n_jobs=2))
    copy = unfitted(given, one_thread=True).get_params()
    assert (copy["randomforestclassifier__random_state"], copy["randomforestclassifier__n_jobs"]) == (0, 1)
    assert unfitted(RandomForestClassifier(random_state=7)).random_state == 7
    assert unfitted(RandomForestClassifier(random_state=7), seed=2).random_state == 2
    assert given.get_params()["randomforestclassifier__n_jobs"] == 2
    assert is_random(given)
    assert not is_random(KNeighborsClassifier())


def test_what_cannot_be_cloned_is_refused():
    with pytest.raises(TypeError):
        unfitted(lambda frame: frame)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), KNeighborsClassifier(25)),
        make_pipeline(make_pipeline(StandardScaler(), LogisticRegression())),
        LGBMClassifier(n_estimators=10, verbose=-1),
    ],
    ids=["plain", "pipeline", "takes no weights", "nested", "lightgbm"],
)
def test_weights_reach_every_estimator(estimator, train):
    """Positives that weigh nine times as much are predicted more often."""
    plain = fit(unfitted(estimator), TrainingSet(train.X, train.y))
    weighted = fit(unfitted(estimator), train)
    assert weighted.predict(train.X).mean() > plain.predict(train.X).mean() + 0.15


def test_samplers_inside_a_pipeline_see_repeated_rows(train):
    model = fit(sampled(RandomOverSampler(random_state=0), LogisticRegression()), train)
    assert model.predict(train.X).mean() > 0.3


def test_rows_are_repeated_in_proportion():
    rows = repeated(np.array([1.0, 1.0, 2.0, 0.0]))
    assert np.bincount(rows, minlength=4).tolist() == [1, 1, 2, 0]


def catboost_like(monkeypatch):
    """A model that names only the parameters that were given, as CatBoost's do."""

    class Model(BaseEstimator):
        def __init__(self, **params):
            self.params = params

        def get_params(self, deep=True):
            return dict(self.params)

        def set_params(self, **params):
            self.params |= params
            return self

    monkeypatch.setattr(Model, "__module__", "catboost.core")
    return Model


def test_catboost_is_kept_quiet_and_to_one_thread_and_its_seed_moves(monkeypatch):
    model = catboost_like(monkeypatch)
    calm = unfitted(model(depth=4), seed=3, one_thread=True).get_params()
    assert calm == {"depth": 4, "verbose": False, "allow_writing_files": False, "thread_count": 1, "random_seed": 3}
    assert unfitted(model(silent=True)).get_params() == {"silent": True, "allow_writing_files": False}
    assert is_random(model())
    assert sizes(model()) == {"bigger": {"depth": 9}, "smaller": {"depth": 3}}
    assert sizes(model(max_depth=4))["bigger"] == {"max_depth": 8}


class Keeps(BaseEstimator):
    """Keeps a copy of a list that it was given, as CatBoost does, which scikit-learn refuses to clone."""

    def __init__(self, columns=(), depth=1):
        self.columns = list(columns)
        self.depth = depth


@pytest.mark.parametrize("wrapped", [lambda model: model, lambda model: make_pipeline(StandardScaler(), model)])
def test_what_clone_refuses_is_made_anew_from_copies_of_its_parameters(wrapped):
    given = Keeps(["a", "b"], depth=4)
    given.fitted_ = True
    model = wrapped(given)
    with pytest.raises(RuntimeError, match="Cannot clone"):
        clone(model)
    copy = unfitted(model)
    last = copy[-1] if hasattr(copy, "steps") else copy
    assert (last.columns, last.depth) == (["a", "b"], 4)
    assert last.columns is not given.columns
    assert not hasattr(last, "fitted_")
    bigger = alter(copy, pd.DataFrame(), set={"keeps__depth" if hasattr(copy, "steps") else "depth": 8})
    assert (bigger[-1] if hasattr(bigger, "steps") else bigger).depth == 8
    assert last.depth == 4


def test_a_size_that_a_search_chooses_is_none():
    search = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1.0]})
    assert sizes(search) == {}
    several = GridSearchCV(RandomForestClassifier(max_depth=4), [{"max_depth": [2, 4]}, {"max_features": [1, 2]}])
    assert sizes(several) == {"smaller": {"estimator__min_samples_leaf": 20}}
    assert sizes(make_pipeline(GridSearchCV(LogisticRegression(), {"C": [1.0]}))) == {}
