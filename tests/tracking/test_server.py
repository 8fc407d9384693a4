"""A real MLflow server on loopback: log, list, load."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request

import mlflow
import pytest

import mlflow_errata as errata
from mlflow_errata.tracking import search


@pytest.fixture(scope="module")
def server(tmp_path_factory, free_port):
    """The address of a running server."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(free_port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield answering(f"http://127.0.0.1:{free_port}", running)
    finally:
        running.terminate()
        running.wait(30)


def answering(address, running, seconds=150):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=1):
                return address
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"no answer from the MLflow server on {os.uname().sysname}")
    return None


def test_log_list_and_load_through_a_server(server, record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(server)
    made = mlflow.create_experiment("served")
    with mlflow.start_run(experiment_id=made, run_name="one") as run:
        assert errata.log(record, dataset="test") is not None
    assert errata.load(run.info.run_id) == record
    rows = search.runs(made, tracking_uri=server)
    assert [(row.name, row.dataset, row.next_step) for row in rows] == [("one", "test", record.next_steps[0].kind)]


def test_a_server_without_workspaces_has_none(server):
    assert search.workspaces(server) == ()
