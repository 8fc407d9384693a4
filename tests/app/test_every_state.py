"""Every page in every state that a store can be in, without a browser: each says something, and none breaks."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import mlflow_errata as errata
from errata_app import keeping, source
from mlflow_errata.errors.stored import StoreUnreachable
from mlflow_errata.record.write import RECORD
from mlflow_errata.server import app_path

PAGES = ("next_step", "slices", "labels", "classes", "over_time", "metric", "history", "compare")
NAME = (
    "![x](http://outside.invalid/x.png)<img src=http://outside.invalid/y.png>\n# big \u202e[a](http://outside.invalid)"
)
STATES = {
    "empty": "No diagnoses in this experiment",
    "no store": "There is no store here",
    "partial": None,
    "full": None,
    "hostile": None,
    "server down": "The store does not answer",
    "newer schema": "A newer errata wrote this record",
}
WITHOUT_RECORD = ("compare",)
"""Pages that read more than the record of one run, and say so in another title."""


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The URI of a store in every state."""
    folder = tmp_path_factory.mktemp("states")
    found = {"server down": "http://127.0.0.1:9", "no store": f"sqlite:///{folder / 'nowhere.db'}"}
    found["empty"] = made(folder, "empty", [])
    found["full"] = made(folder, "full", [("one", whole()), ("two", whole(0.3))])
    found["partial"] = made(folder, "partial", [("one", partial())])
    found["hostile"] = made(folder, "hostile", [(NAME, hostile()), (NAME, hostile())])
    found["newer schema"] = newer(folder, found["full"])
    return found


def rows(n=400):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"a": draw.normal(size=n), "region": draw.choice(["north", "east"], n)})
    noise = np.where(frame["region"] == "east", 2.5, 0.3)
    frame["y"] = (frame["a"] + draw.normal(size=n) * noise > 0.8).astype(int)
    frame["score"] = 1 / (1 + np.exp(-3 * (frame["a"] - 0.8)))
    return frame


def whole(threshold=0.5):
    frame = rows().assign(at=pd.date_range("2024-01-01", periods=400, freq="12h"))
    frame["said"] = (frame["score"] > threshold).astype(int)
    value = {"tp": 5, "fp": -1, "fn": -20}
    return errata.diagnose(frame, label="y", scores="score", prediction="said", time="at", value=value, budget=1)


def partial():
    return errata.diagnose(rows()[["a", "y"]].assign(said=1), label="y", prediction="said", budget=0)


def hostile():
    frame = rows()
    named = pd.DataFrame({NAME: np.where(frame["region"] == "east", NAME, "north"), "x": frame["a"]})
    named["label"] = frame["y"].map({0: "fine", 1: NAME})
    named["said"] = (frame["score"] > 0.5).map({False: "fine", True: NAME})
    return errata.diagnose(named, label="label", prediction="said", budget=0)


def made(folder, name, records):
    uri = f"sqlite:///{folder / name}.db"
    template = folder / "template.db"
    if template.exists():  # to make the tables once is enough
        shutil.copy(template, folder / f"{name}.db")
    mlflow.set_tracking_uri(uri)
    if not template.exists():
        mlflow.search_experiments()
        shutil.copy(folder / f"{name}.db", template)
    experiment = mlflow.create_experiment(NAME if name == "hostile" else "flights", (folder / name).as_uri())
    for run_name, record in records:
        with mlflow.start_run(experiment_id=experiment, run_name=run_name):
            errata.log(record)
    return uri


def newer(folder, full):
    """The full store, its records of a schema that nobody knows yet."""
    shutil.copy(full.removeprefix("sqlite:///"), folder / "newer.db")
    shutil.copytree(folder / "full", folder / "newer")
    for path in (folder / "newer").rglob(RECORD):
        document = json.loads(path.read_text())
        path.write_text(json.dumps(document | {"schema": 99}))
    with sqlite3.connect(folder / "newer.db") as database:
        database.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, '/full/', '/newer/')")
    return f"sqlite:///{folder / 'newer.db'}"


def opened(stores, monkeypatch, state):
    monkeypatch.setenv("ERRATA_TRACKING_URI", stores[state])
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    source.forget()
    return AppTest.from_file(str(app_path()), default_timeout=60).run()


def text(app):
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.text, *app.caption, *app.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.mark.parametrize("state", STATES)
def test_every_page(stores, monkeypatch, state):
    app = opened(stores, monkeypatch, state)
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, (page, app.exception)
        assert app.title, page
        if STATES[state] is not None and page not in WITHOUT_RECORD:
            assert app.title[0].value == STATES[state], page
        said = text(app)
        assert "](http" not in said, page
        assert "<img" not in said.replace("\\<img", ""), page
        assert "\u202e" not in said, page


def test_a_store_that_was_read_once_shows_what_it_said_and_how_old_that_is(stores, monkeypatch):
    app = opened(stores, monkeypatch, "full")
    title = app.title[0].value

    for name in ("_experiments", "_runs", "_with_labels", "_choices", "_outcomes"):
        monkeypatch.setattr(source, name, failing(name, stores["full"]))
    keeping.ask_again(stores["full"])
    app.run()
    assert not app.exception
    assert app.title[0].value == title
    assert any("the store does not answer" in item.value for item in app.markdown)
    assert any("What is shown was read" in item.value for item in app.text)
    assert any(button.label == "Try again" for button in app.button)


def failing(name, uri):
    def read(*asked):
        raise StoreUnreachable(uri, OSError("connection refused"))

    read.__name__ = name
    return read


def test_a_link_to_a_run_that_is_not_there_says_so(stores, monkeypatch):
    monkeypatch.setenv("ERRATA_TRACKING_URI", stores["full"])
    source.forget()
    app = AppTest.from_file(str(app_path()), default_timeout=60)
    app.query_params["run"] = "../../etc/passwd"
    app.run()
    assert not app.exception
    assert any("is not in this experiment" in item.value for item in app.toast)


def test_a_store_that_is_not_there_is_not_made(stores, monkeypatch):
    opened(stores, monkeypatch, "no store")
    assert not Path(stores["no store"].removeprefix("sqlite:///")).exists()
