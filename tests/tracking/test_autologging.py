"""errata.autolog: scores become records; what goes wrong hurts nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import mlflow
import pytest
from mlflow.utils.autologging_utils import AutologgingEventLogger, autologging_is_disabled
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow_errata as errata

FEATURES = ["a", "b"]


@pytest.fixture
def listening(experiment):
    """Autologging of this test alone."""
    errata.autolog()
    yield experiment
    errata.autolog(disable=True)
    assert autologging_is_disabled("sklearn")


def records(experiment):
    """The runs of an experiment that hold a record, by id."""
    return [
        run.info.run_id
        for run in mlflow.search_runs([experiment], output_format="list")
        if "errata.record" in run.data.tags
    ]


def halves(frame):
    return (frame[FEATURES][:1500], frame["y"][:1500]), (frame[FEATURES][1500:], frame["y"][1500:])


def test_a_score_becomes_a_record_of_the_run_of_the_fit(listening, frame):
    train, test = halves(frame)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*train)
    assert records(listening) == []  # what MLflow scores on training rows inside a fit is no evaluation
    said = model.score(*test)
    (run_id,) = records(listening)
    record = errata.load(run_id)
    assert record.dataset.n_rows == len(test[0])
    assert record.dataset.roles["label"] == "y"
    assert record.dataset.features == ("a", "b")
    assert record.dataset.training.n_rows == len(train[0])
    assert record.trials is None  # no budget, no refits
    assert said == pytest.approx(model.score(*test))


def test_the_active_run_is_told_and_roles_are_columns(experiment, frame):
    rows = frame[[*FEATURES, "at"]].assign(at=frame["at"].astype("int64"), who=range(len(frame)))
    rows["who"] //= 10
    errata.autolog(time="at", id="no such column", group="who", windows=5)
    try:
        with mlflow.start_run() as run:
            model = HistGradientBoostingClassifier(max_iter=5).fit(rows[:1500], frame["y"][:1500])
            model.score(rows[1500:], y=frame["y"][1500:])
    finally:
        errata.autolog(disable=True)
    record = errata.load(run.info.run_id)
    assert (record.dataset.roles["time"], record.dataset.roles["group"]) == ("at", "who")
    assert len(record.results["recency_drift"].windows) == 5
    assert record.results["data_faults"].groups.n_shared == 0


def test_windows_need_times_and_hurt_no_score_without_them(experiment, frame):
    errata.autolog(windows="week")
    try:
        with mlflow.start_run() as run:
            model = LogisticRegression().fit(frame[FEATURES][:1500], frame["y"][:1500])
            model.score(frame[FEATURES][1500:], frame["y"][1500:])
    finally:
        errata.autolog(disable=True)
    assert "recency_drift" in errata.load(run.info.run_id).not_applicable


def test_arrays_and_numbers(listening, frame):
    rows = frame[FEATURES].to_numpy()
    with mlflow.start_run() as run:
        LinearRegression().fit(rows[:1500], frame["score"][:1500]).score(
            rows[1500:], frame["score"].to_numpy()[1500:], frame["a"].abs()[1500:]
        )
    record = errata.load(run.info.run_id)
    assert record.summary.task == "regression"
    assert record.dataset.features == ("feature_0", "feature_1")
    assert "weight" in record.dataset.roles


def test_scores_inside_a_search_are_its_own(listening, frame):
    """MLflow logs each candidate's run in a thread of its own; two that write one data set at once may fail on SQLite."""
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_input_examples=False, max_tuning_runs=1)
    train, test = halves(frame)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(*train)
    assert records(listening) == []
    search.score(*test)
    assert len(records(listening)) == 1


@pytest.mark.filterwarnings("always::RuntimeWarning")
def test_a_failed_diagnosis_leaves_the_score(listening, frame, monkeypatch, caplog):
    train, test = halves(frame)
    monkeypatch.setattr("mlflow_errata.tracking.slices.diagnose", lambda *_, **__: 1 / 0)
    with mlflow.start_run() as run:
        assert LogisticRegression().fit(*train).score(*test) > 0.5
    tags = mlflow.get_run(run.info.run_id).data.tags
    assert tags["errata.status"] == "failed"
    assert "ZeroDivisionError" in tags["errata.failed"]
    assert tags["errata.failed"] in caplog.text  # MLflow turns warnings into lines of its log
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"


class Restless(LogisticRegression):
    """Fits a model of its own that fails, and makes do without."""

    def fit(self, X, y):  # noqa: N803 - scikit-learn's names
        with suppress(ValueError):
            LogisticRegression().fit(X, y[:3])
        return super().fit(X, y)


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt])
def test_errors_of_the_users_own_code_end_nothing(listening, frame, monkeypatch, raised):
    train, (rows, labels) = halves(frame)
    model = LogisticRegression().fit(*train)
    with monkeypatch.context() as patch, pytest.raises(raised):
        patch.setattr(LogisticRegression, "predict", lambda *_: (_ for _ in ()).throw(raised))
        model.score(rows, labels)
    with pytest.raises(ValueError, match="inconsistent"):
        LogisticRegression().fit(rows, labels.head(3))
    with mlflow.start_run() as run:
        Restless().fit(*train).score(rows, labels)
    assert errata.load(run.info.run_id).dataset.training.n_rows == len(train[0])


def test_another_listener_still_hears_and_gets_its_place_back(experiment):
    class Other(AutologgingEventLogger):
        heard: list[str] = []  # noqa: RUF012

        def log_patch_function_success(self, session, patch_obj, function_name, call_args, call_kwargs):
            self.heard.append(function_name)

    before, other = AutologgingEventLogger.get_logger(), Other()
    AutologgingEventLogger.set_logger(other)
    try:
        errata.autolog()
        errata.autolog()
        LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
        assert "fit" in other.heard
        errata.autolog(disable=True)
        assert AutologgingEventLogger.get_logger() is other
    finally:
        AutologgingEventLogger.set_logger(before)


def test_a_script_that_nobody_changes(tmp_path):
    script = (
        "import mlflow, numpy as np\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "draw = np.random.default_rng(0)\n"
        "X = draw.normal(size=(600, 2))\n"
        "with mlflow.start_run() as run:\n"
        "    LogisticRegression().fit(X[:300], X[:300, 0] > 0).score(X[300:], X[300:, 0] > 0)\n"
        "print(mlflow.get_run(run.info.run_id).data.tags.get('errata.status'))\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    given = kept | {"ERRATA_AUTOLOG": "1", "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "complete", ran.stderr
