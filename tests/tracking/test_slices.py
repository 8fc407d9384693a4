"""Named slices of an experiment."""

from __future__ import annotations

import mlflow
import pytest
from click.testing import CliRunner
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mlflow_errata as errata
from mlflow_errata.cli import main
from mlflow_errata.errors import ExpressionUnreadable
from mlflow_errata.errors.stored import ExperimentMissing
from mlflow_errata.report import render

SLICES = {"east": ("region == 'east'", 0.05), "all of b": "b >= 0.0"}


def test_saved_with_the_experiment_and_measured_in_every_evaluation(experiment, frame):
    name = mlflow.get_experiment(experiment).name if experiment.isdigit() else experiment
    errata.save_slices(name, SLICES)
    assert errata.load_slices(name) == SLICES
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            data=frame.assign(said=(frame["a"] + frame["b"] > 1.8).astype(int)).drop(columns="score"),
            targets="y",
            predictions="said",
            model_type="classifier",
            evaluators=["errata"],
        )
    found = errata.load(run.info.run_id).results["slice_errors"].named
    assert [item.name for item in found] == list(SLICES)
    assert found[0].accepted is False
    told = CliRunner().invoke(main, ["check", run.info.run_id, "--tracking-uri", mlflow.get_tracking_uri()])
    assert told.exit_code == 1
    assert "[FAIL] slice east: " in told.output
    assert ", at most 5.0 %" in told.output


def test_what_an_evaluation_cannot_be_asked_costs_no_record(experiment, frame):
    name = mlflow.get_experiment(experiment).name
    errata.save_slices(name, {"late": ("hour >= 19", 0.1), "dear regions": "region >= 3", "all of b": "b >= 0.0"})
    rows = frame[["a", "b", "region", "y"]]
    model = make_pipeline(FunctionTransformer(_numbers), LogisticRegression()).fit(
        rows[["a", "b", "region"]], rows["y"]
    )
    errata.autolog()
    try:
        with mlflow.start_run() as run:
            model.score(rows[["a", "b", "region"]], rows["y"])
    finally:
        errata.autolog(disable=True)
    late, dear, measured = errata.load(run.info.run_id).results["slice_errors"].named
    assert "'hour' is not a column" in late.reason
    assert "'region >= 3' cannot compare" in dear.reason
    assert (measured.reason, measured.error is None) == ("", False)
    (bar,) = errata.check(run.info.run_id).bars
    assert (bar.name, bar.measured, bar.reason) == ("slice late", None, late.reason)
    assert "is not a column" in render(errata.load(run.info.run_id))


def _numbers(rows):
    return rows[["a", "b"]]


def test_a_gate_without_bars_passes_nobody(experiment, record, tmp_path):
    folder = record.save(tmp_path / "r")
    told = CliRunner().invoke(main, ["check", str(folder)])
    assert (told.exit_code, told.output) == (2, "There is no bar: neither rules nor a named slice with one.\n")
    with pytest.raises(MlflowException, match="errata/check/any"):
        mlflow.validate_evaluation_results(*errata.validation(errata.check(str(folder))))


def test_what_cannot_be_kept_is_refused(experiment):
    with pytest.raises(ExpressionUnreadable):
        errata.save_slices("x", {"late": "hour > 19"})
    with pytest.raises(ExperimentMissing, match="no such"):
        errata.save_slices("no such", {"late": "hour >= 19"})
    with pytest.raises(ExperimentMissing):
        errata.load_slices("no such")
    name = mlflow.get_experiment(experiment).name
    mlflow.delete_experiment(experiment)
    with pytest.raises(ExperimentMissing, match=f"is deleted. Restore it: .* --experiment-id {experiment}"):
        errata.save_slices(name, {"late": "hour >= 19"})
