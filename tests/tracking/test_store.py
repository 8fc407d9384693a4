"""Logging and loading on a real store; and a run that goes on whatever happens to it."""

from __future__ import annotations

import json
import socket
import warnings
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

import mlflow_errata as errata
from mlflow_errata.errors.stored import NoDiagnoses, NoRun, NotLogged, SpoolBroken, StoreUnreachable
from mlflow_errata.tracking import search, store


def files(run_id, folder):
    return sorted(Path(item.path).name for item in MlflowClient().list_artifacts(run_id, folder))


def test_what_is_logged_is_what_is_loaded(experiment, record):
    with mlflow.start_run() as run:
        folder = errata.log(record, dataset="test set")
    assert files(run.info.run_id, folder) == [
        "evaluated.parquet",
        "record.json",
        "report.html",
        "rows.parquet",
        "slices.json",
    ]
    assert errata.load(run.info.run_id) == record
    assert errata.load(run.info.run_id, dataset="test_set") == record
    assert len(errata.load(run.info.run_id).rows) == len(record.rows)
    assert not Path("errata_out").exists()


def test_a_record_that_is_logged_again_keeps_its_rows(experiment, record):
    with mlflow.start_run() as first:
        errata.log(record)
    with mlflow.start_run() as second:
        folder = errata.log(errata.load(first.info.run_id))
    assert {"rows.parquet", "evaluated.parquet"} <= {*files(second.info.run_id, folder)}
    assert errata.compare_runs(first.info.run_id, second.info.run_id).reason == ""


def test_the_run_says_what_was_found(experiment, record):
    with mlflow.start_run() as run:
        errata.log(record)
    data = MlflowClient().get_run(run.info.run_id)
    assert data.info.status == "FINISHED"
    assert data.data.metrics["errata/found"] == sum(result.found for result in record.results.values())
    assert len([key for key in data.data.metrics if key.startswith("errata/")]) <= 12
    assert data.data.tags["errata.status"] == "partial"  # no value was declared
    dataset = data.inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("evaluation", record.dataset.digest[:36])
    table = mlflow.load_table(f"{data.data.tags['errata.record']}/slices.json", run_ids=[run.info.run_id])
    assert len(table) == len(record.results["slice_errors"].slices)


def test_rows_can_stay_at_home(experiment, record):
    with mlflow.start_run() as run:
        folder = errata.log(record, rows=False)
    assert not {"rows.parquet", "evaluated.parquet"} & {*files(run.info.run_id, folder)}
    assert len(errata.load(run.info.run_id).rows) == 0


def test_a_finished_run_can_be_given_a_record(experiment, record):
    with mlflow.start_run() as run:
        pass
    errata.log(record, run_id=run.info.run_id)
    assert errata.load(run.info.run_id) == record
    assert MlflowClient().get_run(run.info.run_id).info.status == "FINISHED"


def test_two_datasets_in_one_run(experiment, record, frame):
    other = errata.diagnose(frame.head(1000), label="y", scores="score")
    with mlflow.start_run() as run:
        errata.log(record, dataset="test")
        errata.log(other, dataset="recent")
    assert errata.load(run.info.run_id, dataset="test") == record
    assert errata.load(run.info.run_id) == other
    with pytest.raises(NoDiagnoses, match=r"for dataset='tset'. Datasets: 'recent', 'test'"):
        errata.load(run.info.run_id, dataset="tset")


def test_outside_a_run_the_remedy_is_named(experiment, record):
    with pytest.raises(NoRun, match=r"mlflow\.start_run"):
        errata.log(record)


def test_run_lists_read_tags_alone(experiment, record):
    for name in ("first", "second"):
        with mlflow.start_run(run_name=name):
            errata.log(record, dataset="test")
    with mlflow.start_run(run_name="without"):
        pass
    rows = search.runs(experiment)
    assert [row.name for row in rows] == ["second", "first"]
    assert rows[0].metric == "roc_auc"
    assert rows[0].value == pytest.approx(record.summary.value.value, rel=1e-5)
    assert {name: verdict.found for name, verdict in rows[0].verdicts.items()} == {
        name: result.found for name, result in record.results.items()
    }
    assert experiment in [item.id for item in search.experiments()]


def test_a_run_without_a_record_is_refused(experiment):
    with mlflow.start_run() as run:
        pass
    with pytest.raises(NoDiagnoses, match=r"Log some with errata\.log"):
        errata.load(run.info.run_id)


def test_a_store_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(StoreUnreachable, match=rf"tracking store http://127.0.0.1:{port} .* Check the address"):
        search.experiments(f"http://127.0.0.1:{port}")


def test_a_failure_is_a_warning_and_the_run_goes_on(experiment, record, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch, mlflow.start_run() as run:
        patch.setattr(store, "_upload", broken)
        with pytest.warns(RuntimeWarning, match=r"disk full .* errata push errata_out"):
            assert errata.log(record) is None
    done = MlflowClient().get_run(run.info.run_id)
    assert done.info.status == "FINISHED"
    assert "disk full" in done.data.tags["errata.failed"]
    spool = next(Path("errata_out", run.info.run_id).iterdir())
    assert store.push(spool) == run.info.run_id
    assert errata.load(run.info.run_id) == record
    assert not spool.exists()


def test_strict_raises(experiment, record, monkeypatch):
    monkeypatch.setattr(store, "_upload", lambda *_: 1 / 0)
    with mlflow.start_run(), pytest.raises(NotLogged, match="division by zero"):
        errata.log(record, strict=True)


def test_a_server_that_hangs_costs_no_more_than_the_deadline(experiment, record, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = mlflow.get_tracking_uri()
    with mlflow.start_run() as run:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setattr(store, "DEADLINE", 1.0)
            mlflow.set_tracking_uri(f"http://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.warns(RuntimeWarning, match="no answer within 1 s"):
                assert errata.log(record, run_id=run.info.run_id) is None
        mlflow.set_tracking_uri(uri)
        spooled = next(Path("errata_out", run.info.run_id).iterdir())
    assert json.loads((spooled / "payload.json").read_text())["folder"].startswith("errata/evaluation-")


def test_a_folder_that_is_no_spool_is_refused(tmp_path):
    with pytest.raises(SpoolBroken, match=r"errata.log's warning"):
        store.push(tmp_path)


def test_every_run_carries_the_version(experiment):
    with mlflow.start_run() as run:
        pass
    assert MlflowClient().get_run(run.info.run_id).data.tags["errata.version"] == errata.__version__


def test_logging_warns_of_nothing(experiment, record):
    with mlflow.start_run(), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert errata.log(record) is not None
