"""mlflow.models.evaluate with the errata evaluator: URI, callable, stored predictions; and failures that hurt nobody."""

from __future__ import annotations

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression, LogisticRegression

import mlflow_errata as errata
from mlflow_errata._evaluated import evaluated
from mlflow_errata.tracking.reviews import with_rows

QUIET = {"log_model_explainability": False}


def tags(run):
    return MlflowClient().get_run(run.info.run_id).data.tags


def said_of(rows):
    return (rows["a"] + rows["b"] > 1.8).astype(int)


@pytest.fixture
def model(frame):
    return LogisticRegression().fit(frame[["a", "b"]], frame["y"])


def test_a_model_uri_with_columns_that_the_model_must_not_see(experiment, frame, model):
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(model, name="m", pip_requirements=["scikit-learn"])
        result = mlflow.models.evaluate(
            logged.model_uri,
            frame,
            targets="y",
            model_type="classifier",
            feature_names=["a", "b"],
            evaluators=["default", "errata"],
            evaluator_config={"default": QUIET, "errata": {"time": frame["at"], "metadata": frame[["region"]]}},
        )
    record = errata.load(run.info.run_id)
    assert record.results["slice_errors"].slices[0].conditions == ("region == 'east'",)
    assert record.dataset.features == ("a", "b")
    assert "recency_drift" in record.results
    assert record.summary.metric == "roc_auc"
    assert result.metrics["errata/found"] == sum(item.found for item in record.results.values())
    assert "accuracy_score" in result.metrics
    assert tags(run)["errata.status"] == "complete"


def test_a_dataset_that_hides_columns_from_the_model(experiment, frame):
    data = mlflow.data.from_errata(
        frame.drop(columns="score"), targets="y", time="at", metadata=["region"], name="held out"
    )
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            lambda rows: said_of(rows[["a", "b"]]) if list(rows.columns) == ["a", "b"] else 1 / 0,
            data,
            model_type="classifier",
            evaluators=["default", "errata"],
            evaluator_config={"default": QUIET},
        )
    record = errata.load(run.info.run_id, dataset="held_out")
    assert record.results["slice_errors"].slices[0].conditions == ("region == 'east'",)
    assert record.dataset.roles["time"] == "at"
    assert record.dataset.features == ("a", "b")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": "att"}, r"time='att' is not a column of the table. Did you mean 'at'\?"),
        ({"targets": "yy"}, "targets='yy' is not a column"),
        ({"predictions": "said"}, "predictions='said' is not a column"),
        ({"metadata": "region"}, r"metadata='region' is one string. Pass a list: metadata=\['region'\]"),
        ({"metadata": ["regions"]}, "metadata='regions' is not a column"),
        ({"metadata": ["y"]}, "column 'y' is given as targets= and as metadata="),
        ({"time": "y"}, "column 'y' is given as targets= and as time="),
        ({"predictions": "score", "id": "score"}, "column 'score' is given as predictions= and as id="),
    ],
)
def test_a_dataset_of_columns_that_are_not_there_is_refused(frame, given, said):
    with pytest.raises(errata.ErrataError, match=said):
        mlflow.data.from_errata(frame, **{"targets": "y"} | given)


def test_stored_predictions(experiment, frame):
    rows = frame.drop(columns="score").assign(said=said_of(frame))
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            data=rows,
            targets="y",
            predictions="said",
            model_type="classifier",
            evaluators="errata",
            evaluator_config={"time": "at"},
        )
    record = errata.load(run.info.run_id)
    assert record.dataset.roles == {"label": "y", "prediction": "said", "time": "at"}
    assert MlflowClient().get_run(run.info.run_id).data.metrics["errata/found"] >= 1


def test_a_regressor(experiment, frame):
    rows = frame[["a", "b"]].assign(y=frame["a"] * 2 + frame["b"] ** 2)
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            LinearRegression().fit(rows[["a", "b"]], rows["y"]).predict,
            rows,
            targets="y",
            model_type="regressor",
            evaluators="errata",
        )
    record = errata.load(run.info.run_id)
    assert record.summary.task == "regression"
    assert record.results["slice_errors"].found


def test_groups_windows_and_quantiles(experiment, frame):
    rows = frame[["a", "b", "at"]].assign(y=frame["a"], said=frame["a"] * 0.9, low=frame["a"] - 1, high=frame["a"] + 1)
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            data=rows,
            targets="y",
            predictions="said",
            model_type="regressor",
            evaluators="errata",
            evaluator_config={
                "time": "at",
                "group": (np.arange(len(rows)) // 7).astype(str),
                "windows": 4,
                "quantiles": {0.05: "low", 0.95: "high"},
                "strict": True,
            },
        )
    record = errata.load(run.info.run_id)
    assert record.dataset.roles["group"] == "errata.given_group"
    assert len(record.results["recency_drift"].windows) == 4
    assert record.results["calibration"].coverage.covered.value == pytest.approx(1.0)
    assert "low" not in record.dataset.features


def test_a_role_computed_from_a_column_leaves_the_column(experiment, frame):
    rows = frame[["a", "b", "y", "at"]]
    given = {"weight": frame["a"].abs() + 0.1, "time": frame["at"], "strict": True}
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            said_of, rows, targets="y", model_type="classifier", evaluators="errata", evaluator_config=given
        )
    found = errata.load(run.info.run_id)
    assert (found.dataset.roles["weight"], found.dataset.roles["time"]) == ("errata.given_weight", "at")
    wanted = errata.diagnose(frame.assign(p=said_of(frame), w=given["weight"]), label="y", prediction="p", weight="w")
    assert found.summary.value.value == pytest.approx(wanted.summary.value.value)


def test_a_model_that_tells_its_columns_is_asked_by_these(experiment, frame, model):
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(
            model, name="m", pip_requirements=["scikit-learn"], input_example=frame[["a", "b"]][:2]
        )
        mlflow.models.evaluate(
            f"runs:/{run.info.run_id}/m",
            frame,
            targets="y",
            model_type="classifier",
            evaluators="errata",
            evaluator_config={"time": "at", "strict": True},
        )
    record = errata.load(run.info.run_id)
    assert record.dataset.features == ("a", "b")
    assert "region" in record.dataset.slice_columns


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("tiem", r"evaluator_config='tiem' is not known. Did you mean 'time'\?"),
        ("label", "evaluator_config='label' is no key of errata. Pass targets= to mlflow.models.evaluate"),
    ],
)
def test_a_key_that_errata_does_not_take(experiment, frame, key, said):
    asked = {
        "data": frame.assign(said=said_of(frame)),
        "targets": "y",
        "predictions": "said",
        "model_type": "classifier",
        "evaluators": "errata",
    }
    others = {"log_model_explainability": False, "pos_label": 1, "sample_weights": None, "metric_prefix": ""}
    with mlflow.start_run() as run, pytest.warns(RuntimeWarning, match=said) as told:
        mlflow.models.evaluate(**asked, evaluator_config={key: "at"} | others)
    assert sum("evaluator_config" in str(each.message) for each in told) == 1
    assert tags(run)["errata.record"]
    with mlflow.start_run(), pytest.raises(errata.ErrataError, match=said):
        mlflow.models.evaluate(**asked, evaluator_config={key: "at", "strict": True})


def test_scores_alone_are_enough_and_nothing_at_all_is_not(experiment, frame):
    asked = {"data": frame, "targets": "y", "model_type": "classifier", "evaluators": "errata"}
    with mlflow.start_run() as run:
        mlflow.models.evaluate(**asked, evaluator_config={"scores": "score", "strict": True})
    assert errata.load(run.info.run_id).summary.metric == "roc_auc"
    with mlflow.start_run(), pytest.raises(errata.ErrataError, match="pass a model or predictions= to mlflow"):
        mlflow.models.evaluate(**asked, evaluator_config={"strict": True})


def test_the_model_before_is_asked(experiment, frame, model):
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            said_of,
            frame[["a", "b", "y"]],
            targets="y",
            model_type="classifier",
            evaluators="errata",
            evaluator_config={"before": model, "strict": True},
        )
    assert evaluated(with_rows(run.info.run_id), before=True) is not None


def test_a_failure_of_ours_costs_the_user_nothing(experiment, frame):
    rows = frame[["a", "b", "y"]].assign(said=said_of(frame))
    with mlflow.start_run() as run, pytest.warns(RuntimeWarning, match="errata made no diagnoses"):
        result = mlflow.models.evaluate(
            data=rows,
            targets="y",
            predictions="said",
            model_type="classifier",
            evaluators=["default", "errata"],
            evaluator_config={"default": QUIET, "errata": {"time": "att"}},
        )
    done = MlflowClient().get_run(run.info.run_id)
    assert done.info.status == "FINISHED"
    assert result.metrics["accuracy_score"] > 0
    assert done.data.metrics["accuracy_score"] > 0
    assert "time='att' is not a column" in done.data.tags["errata.failed"]


def test_strict_raises_for_those_who_ask(experiment, frame):
    rows = frame[["a", "b", "y"]].assign(said=said_of(frame))
    with mlflow.start_run(), pytest.raises(errata.ErrataError, match="time='att'"):
        mlflow.models.evaluate(
            data=rows,
            targets="y",
            predictions="said",
            model_type="classifier",
            evaluators="errata",
            evaluator_config={"time": "att", "strict": True},
        )


def test_an_array_of_another_length_is_refused(experiment, frame):
    rows = frame[["a", "b", "y"]].assign(said=said_of(frame))
    with mlflow.start_run() as run, pytest.warns(RuntimeWarning, match="has 10 rows"):
        mlflow.models.evaluate(
            data=rows,
            targets="y",
            predictions="said",
            model_type="classifier",
            evaluators=["default", "errata"],
            evaluator_config={"default": QUIET, "errata": {"time": frame["at"].head(10)}},
        )
    assert tags(run)["errata.status"] == "failed"


def test_the_switch_turns_it_off(experiment, frame, monkeypatch):
    monkeypatch.setenv("ERRATA_DISABLE", "1")
    rows = frame[["a", "b", "y"]].assign(said=said_of(frame))
    with mlflow.start_run() as run:
        mlflow.models.evaluate(data=rows, targets="y", predictions="said", model_type="classifier", evaluators="errata")
    assert "errata.status" not in tags(run)
