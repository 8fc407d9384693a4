"""What several rooms' tests start from."""

from __future__ import annotations

import os
import socket

os.environ.setdefault("OMP_NUM_THREADS", "1")

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata


@pytest.fixture(scope="session")
def frame():
    """3,000 scored rows with everything in them: a bad slice, a rare class, a drop in the newest quarter."""
    draw = np.random.default_rng(0)
    n = 3000
    rows = pd.DataFrame(
        {
            "a": draw.normal(size=n),
            "b": draw.normal(size=n),
            "region": draw.choice(["north", "south", "east"], n),
            "at": pd.date_range("2024-01-01", periods=n, freq="2h"),
        }
    )
    noise = np.where(rows["region"] == "east", 2.5, 0.4) + 1.5 * (np.arange(n) > 0.75 * n)
    rows["y"] = (rows["a"] + rows["b"] + draw.normal(size=n) * noise > 1.8).astype(int)
    rows["score"] = 1 / (1 + np.exp(-3 * (rows["a"] + rows["b"] - 1.8)))
    return rows


@pytest.fixture(scope="session")
def record(frame):
    """A whole record."""
    return errata.diagnose(frame, label="y", scores="score", time="at")


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """An empty tracking store on sqlite; its URI."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def experiment(store, tmp_path, monkeypatch):
    """A fresh experiment in the store, active, with artifacts and spool in tmp_path; its id."""
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(store)
    name = tmp_path.name
    made = mlflow.create_experiment(name, artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment(name)
    yield made
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture(scope="session")
def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
