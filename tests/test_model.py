"""Whatever can predict: estimators, pipelines, pyfuncs, functions; and what cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mlflow_errata import EvaluationTable
from mlflow_errata.errors import ColumnMissing, LabelSeen, ModelFailed, ModelUnusable, OutputShapeWrong, ValuesRefused
from mlflow_errata.model import ask, features_of


@pytest.fixture
def frame():
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 200))
    return pd.DataFrame({"a": a, "b": b, "region": draw.choice(["n", "s"], 200), "y": (a + b > 0).astype(int)})


def test_a_fitted_estimator(frame):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame[["a", "b"]], frame["y"])
    table = EvaluationTable.build(frame, label="y", model=model)
    assert table.features == ("a", "b")
    assert table.slice_columns == ("a", "b", "region")
    assert table.outcomes.scores.shape == (200, 2)
    wrong = model.predict(frame[["a", "b"]]) != frame["y"]
    assert table.errors.sum() == wrong.sum()


def test_an_estimator_without_probabilities(frame):
    table = EvaluationTable.build(frame, label="y", model=LinearSVC().fit(frame[["a", "b"]], frame["y"]))
    assert table.outcomes.scores is None
    assert table.task == "binary"


def test_a_regressor(frame):
    model = LinearRegression().fit(frame[["a", "b"]], frame["a"] + frame["b"])
    table = EvaluationTable.build(frame.assign(y=frame["a"] + frame["b"]), label="y", model=model)
    assert table.task == "regression"
    assert table.errors.max() < 1e-9


def test_functions(frame):
    labels = EvaluationTable.build(frame, label="y", model=lambda rows: (rows["a"] > 0).astype(int), features=["a"])
    assert labels.errors.sum() == ((frame["a"] > 0) != frame["y"]).sum()
    both = EvaluationTable.build(
        frame, label="y", model=lambda rows: np.column_stack([rows["a"] <= 0, rows["a"] > 0]), features=["a"]
    )
    np.testing.assert_array_equal(labels.errors.sum(), both.errors.sum())


@pytest.mark.parametrize("label", [("no", "yes"), (0, 1), (False, True), (0.0, 1.0)])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_one_number_from_0_to_1_is_the_chance_of_the_positive_class(frame, label, shape):
    """As a sigmoid says it, in one column."""
    named = frame.assign(y=frame["y"].map(dict(enumerate(label))))
    chance = 1 / (1 + np.exp(-frame["a"]))
    table = EvaluationTable.build(
        named,
        label="y",
        model=lambda rows: (1 / (1 + np.exp(-rows["a"]))).to_numpy(np.float32).reshape(shape),
        features=["a"],
    )
    assert (table.task, table.outcomes.classes) == ("binary", label)
    np.testing.assert_allclose(np.sort(table.outcomes.scores[:, 1]), np.sort(chance), rtol=1e-6)
    assert (table.outcomes.prediction == (table.frame["a"] >= 0)).all()


def test_numbers_of_a_model_that_are_no_chances_of_classes(frame):
    def twice(rows):
        return rows["a"] * 2

    with pytest.raises(ValuesRefused, match=r"prediction=.* holds fractions .* not labels"):
        EvaluationTable.build(frame, label="y", model=twice, features=["a"])
    assert EvaluationTable.build(frame, label="y", model=twice, features=["a"], task="regression").task == "regression"


def test_a_class_the_model_never_learned_scores_zero(frame):
    model = LogisticRegression().fit(frame[["a", "b"]], frame["y"])
    newer = frame.assign(y=frame["y"].where(frame.index > 5, 2))
    table = EvaluationTable.build(newer, label="y", model=model)
    assert table.outcomes.classes == (0, 1, 2)
    assert (table.outcomes.scores[:, 2] == 0).all()


def test_classes_of_a_model_in_any_order(frame):
    class Backwards:
        classes_ = np.array([1, 0])

        def predict_proba(self, rows):
            return np.column_stack([rows["a"] > 0, rows["a"] <= 0]).astype(float)

        def predict(self, rows):
            return (rows["a"] > 0).astype(int)

    table = EvaluationTable.build(frame, label="y", model=Backwards(), features=["a"])
    assert table.outcomes.classes == (0, 1)
    np.testing.assert_array_equal(table.outcomes.scores[:, 1], table.frame["a"] > 0)


def test_a_model_that_sees_the_label_is_refused(frame):
    model = LogisticRegression().fit(frame[["a", "y"]], frame["y"])
    with pytest.raises(LabelSeen, match="the label 'y' is among the columns that the model sees"):
        EvaluationTable.build(frame, label="y", model=model)


def test_a_pyfunc_tells_its_features(frame):
    class Schema:
        def has_input_names(self):
            return True

        def input_names(self):
            return ["a", "b"]

    class Metadata:
        def get_input_schema(self):
            return Schema()

    class Pyfunc:
        metadata = Metadata()

        def predict(self, rows):
            assert list(rows.columns) == ["a", "b"]
            return (rows["a"] > 0).astype(int)

    assert features_of(Pyfunc()) == ("a", "b")
    assert EvaluationTable.build(frame, label="y", model=Pyfunc()).features == ("a", "b")


def test_refusals(frame):
    model = LogisticRegression().fit(frame[["a", "b"]], frame["y"])
    with pytest.raises(ColumnMissing, match="features='b' is not a column"):
        ask(model, frame[["a"]], ["a", "b"])
    with pytest.raises(ModelFailed, match=r"failed on the columns 'region': .*Name the columns .* features="):
        ask(model, frame, ["region"])
    with pytest.raises(ModelUnusable, match="model is a str"):
        ask("model.pkl", frame, None)
    with pytest.raises(OutputShapeWrong, match=r"has shape \(3,\); expected \(200,\)"):
        ask(lambda rows: [1, 2, 3], frame, None)
