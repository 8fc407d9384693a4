"""Every page in every state, without a browser."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import mlflow_errata as errata
from errata_app import source
from errata_app.draw import plain
from mlflow_errata.server import app_path

PAGES = ("next_step", "slices", "labels", "over_time", "classes", "metric", "compare", "history")
HOSTILE = "![x](http://example.invalid/x.png) <img src=http://example.invalid/y.png> [a](http://example.invalid)"


@pytest.fixture(scope="module")
def stores(tmp_path_factory, frame):
    """Tracking stores by what they hold: nothing, a whole record, a partial one, hostile names, a failed run."""
    folder = tmp_path_factory.mktemp("stores")
    found = {}
    hostile = pd.DataFrame({HOSTILE: np.where(frame["region"] == "east", HOSTILE, "north"), "x": frame["a"]})
    hostile["label"] = frame["y"].map({0: "fine", 1: HOSTILE})
    hostile["said"] = (frame["score"] > 0.5).map({False: "fine", True: HOSTILE})
    hostile[f"{HOSTILE} paid"], hostile[f"{HOSTILE} score"] = np.exp(frame["a"]), frame["score"]
    bad_names = {"outcomes": [f"{HOSTILE} paid"], "scores": [f"{HOSTILE} score", "x"], "current": f"{HOSTILE} score"}
    records = {
        "empty": None,
        "full": errata.diagnose(
            frame.assign(paid=np.exp(frame["a"]), spend=np.exp(frame["b"])),
            label="y",
            scores="score",
            time="at",
            value={"tp": 5, "fp": -1, "fn": -20},
            objectives={"outcomes": ["y", "paid"], "scores": ["score", "spend"], "combine": "product"},
        ),
        "partial": errata.diagnose(frame.drop(columns="at"), label="y", scores="score"),
        "hostile": errata.diagnose(hostile, label="label", prediction="said", objectives=bad_names),
        "regression": errata.diagnose(
            frame.assign(y=frame["a"] + frame["b"], p=frame["a"]), label="y", prediction="p", time="at"
        ),
        "multilabel": errata.diagnose(
            several(frame), label=["y", "high"], scores={"y": "score", "high": "said"}, time="at"
        ),
        "failed": None,
    }
    for name, record in records.items():
        uri = found[name] = f"sqlite:///{folder / name}.db"
        mlflow.set_tracking_uri(uri)
        made = mlflow.create_experiment(HOSTILE if name == "hostile" else "flights", (folder / name).as_uri())
        if name != "empty":
            with mlflow.start_run(experiment_id=made, run_name=HOSTILE if name == "hostile" else "one") as run:
                if record is not None:
                    errata.log(record)
                else:
                    mlflow.set_tags({"errata.status": "failed", "errata.failed": "time='att' is not a column."})
            found[f"{name} run"] = run.info.run_id
    return found


def several(frame):
    """The frame with a second label, not known for some rows, and what a model says of it."""
    high = (frame["a"] > 0.5).astype(float).where(np.arange(len(frame)) % 7 > 0)
    return frame.assign(high=high, said=1 / (1 + np.exp(-frame["a"])))


@pytest.fixture
def opened(stores, monkeypatch):
    def open_page(state, page):
        uri = stores.get(state, state)
        monkeypatch.setenv("ERRATA_TRACKING_URI", uri)
        source.forget()
        app = AppTest.from_file(str(app_path()), default_timeout=60).run()
        if page != "next_step":
            app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception
        return app

    return open_page


def text(app):
    parts = [*app.title, *app.header, *app.markdown, *app.text, *app.caption, *app.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.mark.parametrize("page", PAGES)
def test_a_full_record(opened, page):
    app = opened("full", page)
    assert app.title[0].value
    lacks = {"metric", "next_step", "classes"}  # there is one run to compare, and two classes have no structure
    assert ("not made" in text(app)) == (page in lacks)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("state", ["partial", "hostile", "regression", "multilabel"])
def test_records_that_lack_something(opened, state, page):
    assert opened(state, page).title[0].value


def test_a_partial_record_says_what_to_add(opened):
    said = text(opened("partial", "over_time"))
    assert "not made" in said
    assert "time\\=" in said or "time=" in said


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_store_says_what_to_run(opened, page):
    app = opened("empty", page)
    assert "No diagnoses in this experiment" in app.title[0].value
    assert "errata.log(record)" in app.code[0].value


@pytest.mark.parametrize("page", PAGES[:-2])
def test_a_failed_run_says_why(opened, page):
    app = opened("failed", page)
    assert "no diagnoses" in app.title[0].value
    assert "time='att'" in text(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_store_that_does_not_answer_is_one_sentence_and_a_way_on(opened, page, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    app = opened("http://127.0.0.1:9", page)
    assert app.title[0].value == "The store does not answer"
    assert "Check the address" in text(app)
    assert app.button[0].label == "Try again"


@pytest.mark.parametrize("page", PAGES)
def test_names_from_the_data_are_never_markdown(opened, page):
    said = text(opened("hostile", page))
    assert "](http" not in said
    assert "<img" not in said.replace("\\<img", "")


def test_a_link_opens_the_run_it_names(stores, monkeypatch):
    monkeypatch.setenv("ERRATA_TRACKING_URI", stores["full"])
    source.forget()
    app = AppTest.from_file(str(app_path()), default_timeout=60)
    app.query_params["run"] = stores["full run"]
    app.query_params["experiment"] = "flights"
    app.run()
    assert app.selectbox(key="run").value == stores["full run"]


@pytest.fixture
def many(tmp_path, monkeypatch, record):
    """A store with a run in an experiment of its own, and an earlier one in the experiment that every store has."""
    uri = f"sqlite:///{tmp_path / 'many.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERRATA_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    named = mlflow.create_experiment("flights", (tmp_path / "flights").as_uri())
    runs = {}
    for experiment_id, name in (("0", "Default"), (named, "flights")):
        with mlflow.start_run(experiment_id=experiment_id, run_name=name) as run:
            errata.log(record)
        runs[name] = run.info.run_id
    source.forget()
    return runs


def arrived(**link):
    app = AppTest.from_file(str(app_path()), default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("named", ["Default", "", "nope", "flights"])
def test_a_link_opens_its_run_whatever_experiment_it_names(many, named):
    app = arrived(run=many["Default"], **({"experiment": named} if named else {}))
    assert app.selectbox(key="experiment").value == "Default"
    assert app.selectbox(key="run").value == many["Default"]
    said = {"nope": "There is no experiment nope", "flights": "one of the experiment Default, not of flights"}
    assert said.get(named, "") in " ".join(item.value for item in app.toast)
    assert bool(app.toast) == (named in said)


def test_the_experiment_that_every_store_has_comes_last_and_can_be_chosen(many):
    app = arrived()
    assert app.selectbox(key="experiment").options == ["flights", "Default"]
    assert app.selectbox(key="run").value == many["flights"]
    app.selectbox(key="experiment").set_value("Default").run()
    assert app.selectbox(key="run").value == many["Default"]
    app.selectbox(key="experiment").set_value("flights").run()
    assert app.selectbox(key="run").value == many["flights"]


def test_a_link_to_nothing_that_is_known_says_so(many):
    app = arrived(experiment="nope", run="0" * 32)
    assert app.selectbox(key="run").value == many["flights"]
    said = " ".join(item.value for item in app.toast)
    assert "There is no experiment nope" in said
    assert "is not in this experiment" in said


def test_a_weight_that_is_moved_shows_its_mix_from_the_record(opened, stores):
    app = opened("full", "metric")
    swept = errata.load(stores["full run"], tracking_uri=stores["full"]).results["objectives"].sweep
    assert app.slider[0].value == round(100 * swept.mixes[swept.best].shares[1])
    app.slider[0].set_value(20).run()
    assert not app.exception
    assert "80 % score and 20 % spend" in text(app)
    shown = [str(each.value) for each in app.metric]
    assert plain(f"{100 * swept.mixes[20].outcomes[1].value:.1f} %") in shown


@pytest.mark.parametrize("given", [HOSTILE, "a*b_c`d", "$x$", ":material/home:", "| a | b |", "# title", "1. one"])
def test_plain_leaves_nothing_for_markdown(given):
    escaped = plain(given)
    for sign in "*_`[]<>$:|#!":
        assert all(escaped[at - 1] == "\\" for at in range(len(escaped)) if escaped[at] == sign)


def test_a_password_in_the_address_of_a_store_is_never_shown():
    def page():
        from errata_app import states

        states.no_experiments("postgresql://anna:secret@db.invalid/mlflow")

    app = AppTest.from_function(page, default_timeout=60).run()
    shown = " ".join(item.value for item in app.text)
    assert "anna:***@db.invalid" in shown
    assert "secret" not in shown
