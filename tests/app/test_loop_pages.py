"""Deciding about steps, comparing runs and the history, without a browser."""

from __future__ import annotations

from dataclasses import replace

import mlflow
import pytest
from streamlit.testing.v1 import AppTest

import mlflow_errata as errata
from errata_app import source
from errata_app.draw import fingerprint, plain
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import gains, next_steps
from mlflow_errata.server import app_path

HOSTILE = "![x](http://example.invalid/x.png) <img src=http://example.invalid/y.png>"


@pytest.fixture
def loop(frame, experiment, monkeypatch):
    """Two runs, of which the second took the threshold of the first; its name and its reason are hostile."""
    monkeypatch.setenv("ERRATA_TRACKING_URI", mlflow.get_tracking_uri())
    value = {"fp": -1, "fn": -5}
    with mlflow.start_run(run_name="one") as first:
        record = errata.diagnose(frame, label="y", scores="score", time="at", value=value, budget=2)
        errata.log(record)
    kind = next(step.kind for step in record.next_steps if step.bound is not None)
    errata.accept(first.info.run_id, kind, by=HOSTILE, why=HOSTILE)
    decided = frame.assign(said=(frame["score"] > 0.2).astype(int))
    with mlflow.start_run(run_name=HOSTILE) as second:
        errata.follow(first.info.run_id)
        errata.log(
            errata.diagnose(
                decided,
                label="y",
                scores="score",
                prediction="said",
                time="at",
                value=value,
                budget=0,
                slice_by=["a", "b", "region"],
            )
        )
    return {
        "experiment": mlflow.get_experiment(experiment).name,
        "first": first.info.run_id,
        "second": second.info.run_id,
        "kind": kind,
    }


def opened(loop, page, run="first", by="anna"):
    source.forget()
    app = AppTest.from_file(str(app_path()), default_timeout=60)
    app.query_params["run"], app.query_params["experiment"], app.query_params["by"] = loop[run], loop["experiment"], by
    app.run()
    if page != "next_step":
        app.switch_page(f"views/{page}.py").run()
    assert not app.exception, app.exception
    return app


def text(app):
    parts = [*app.title, *app.header, *app.markdown, *app.text, *app.caption, *app.code]
    return "\n".join(str(part.value) for part in parts)


def test_an_accepted_step_shows_who_and_the_code(loop):
    app = opened(loop, "next_step")
    said = text(app)
    assert "Accepted by" in said
    assert any(f"errata.follow('{loop['first']}')" in block.value for block in app.code)


def offers(app):
    """The steps as the table names them."""
    return next(item.value["step"].tolist() for item in app.dataframe if "chance: best" in item.value)


def selected(app, loop, kind):
    """The page with the row of a kind of step selected."""
    record = errata.load(loop["first"])
    keys = gains.table(record).keys
    row = keys.index(str([step.kind for step in record.next_steps].index(kind)))
    key = f"steps-{fingerprint(gains.table(record))}"
    app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return app.run()


def test_a_step_is_declined_and_stays(loop):
    app = opened(loop, "next_step")
    offered = offers(app)
    app = selected(app, loop, "stop")
    app.text_input(key=f"why {loop['first']} stop decline").set_value("there is more to gain")
    app.button(key="decline stop").click().run()
    assert not app.exception
    choice = errata.choices(loop["first"])[-1]
    assert (choice.verdict, choice.kind, choice.by, choice.why) == ("decline", "stop", "anna", "there is more to gain")
    assert "Declined by anna" in text(app)
    assert offers(app) == offered
    assert app.button(key="decline stop").disabled
    app.button(key="accept stop").click().run()
    assert errata.choices(loop["first"])[-1].verdict == "accept"


def test_a_declined_first_step_leaves_its_place_to_the_next(loop):
    record = errata.load(loop["first"])
    first, second = record.next_steps[:2]
    errata.decline(loop["first"], first.kind, by="anna", why="no")
    app = opened(loop, "next_step")
    names = [card.title for card in next_steps.cards(record)]
    assert app.title[0].value == plain(names[1])
    assert plain(f"what was declined: {names[0]}") in text(app)
    assert "Declined by anna" in text(app)
    assert app.button(key=f"accept {second.kind}")
    app = selected(app, loop, first.kind)
    assert not app.exception
    assert app.button(key=f"accept {first.kind}")


def test_decisions_speak_of_the_first_step_of_a_kind_alone(loop):
    record = errata.load(loop["first"])
    step = record.next_steps[0]
    twice = replace(record, next_steps=(step, replace(step, params={**step.params, "threshold": 0.3})))
    with mlflow.start_run(run_name="two of a kind") as run:
        errata.log(twice)
    loop["third"] = run.info.run_id
    errata.decline(loop["third"], step.kind, by="anna")
    app = opened(loop, "next_step", run="third")
    assert app.title[0].value == plain(next_steps.cards(twice)[1].title)
    assert "Only the first step of a kind" in text(app)
    assert not [button for button in app.button if button.key == f"accept {step.kind}"]


def test_a_model_that_is_kept_gives_no_code(loop):
    errata.accept(loop["first"], "stop", by="anna")
    app = selected(opened(loop, "next_step"), loop, "stop")
    assert "there is nothing to run" in text(app)
    assert not any("load_recipe" in block.value for block in app.code)


def test_nobody_decides_nothing(loop):
    app = selected(opened(loop, "next_step", by=""), loop, "stop")
    assert app.button(key="accept stop").disabled
    assert "Say who you are" in text(app)


def test_read_only(loop, monkeypatch):
    monkeypatch.setenv("ERRATA_READ_ONLY", "1")
    app = selected(opened(loop, "next_step"), loop, "stop")
    assert all(button.disabled for button in app.button if button.key and button.key.startswith(("accept", "decline")))
    assert "read-only" in text(app)


def test_the_history_tells_promised_and_delivered(loop):
    app = opened(loop, "history")
    said = text(app)
    assert "1 attempt to take one" in said
    ledger = app.dataframe[0].value
    assert ledger["follows"].tolist() == ["one"]
    assert "(" in ledger["promised"][0]
    assert "(" in ledger["delivered"][0]
    assert "](http" not in said


@pytest.mark.parametrize("run", ["first", "second"])
def test_two_runs_side_by_side_the_earlier_one_first(loop, run):
    app = opened(loop, "compare", run=run)
    said = text(app)
    assert "than the earlier run" in app.title[0].value or "Not distinguishable" in app.title[0].value
    assert app.selectbox(key="against").value == loop["second" if run == "first" else "first"]
    assert list(app.dataframe[-1].value) == ["diagnosis", "earlier: one", f"newer: {words.shown(HOSTILE)}"]
    assert f"errata compare {loop['first']} {loop['second']}" in said
    assert "](http" not in said
