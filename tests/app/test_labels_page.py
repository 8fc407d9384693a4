"""The Labels page: one by one, table, files, two people, and a store that refuses."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import mlflow_errata as errata
from errata_app import source
from mlflow_errata.server import app_path

N = 600


@pytest.fixture(scope="module")
def record():
    draw = np.random.default_rng(0)
    x = draw.normal(size=N)
    truth = draw.random(N) < 1 / (1 + np.exp(-4 * x))
    y = np.where(draw.random(N) < 0.1, ~truth, truth)
    frame = pd.DataFrame({"row": [f"[r{i}](http://x.invalid)" for i in range(N)], "x": x})
    frame = frame.assign(score=1 / (1 + np.exp(-3 * x)), y=np.where(y, "yes", "no"))
    return errata.diagnose(frame, label="y", scores="score", id="row", budget=0)


@pytest.fixture
def run(record, experiment, store, monkeypatch):
    monkeypatch.setenv("ERRATA_TRACKING_URI", store)
    with mlflow.start_run() as active:
        errata.log(record)
    return active.info.run_id


@pytest.fixture
def opened(run, experiment):
    def open_page(by="anna", **state):
        source.forget()
        app = AppTest.from_file(str(app_path()), default_timeout=60)
        app.query_params["run"] = run
        app.query_params["experiment"] = mlflow.get_experiment(experiment).name
        app.query_params["by"] = by
        app.run().switch_page("views/labels.py").run()
        for key, value in state.items():
            app.session_state[key] = value
        assert not app.exception, app.exception
        return app

    return open_page


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception


def shown(app):
    return next(part.value for part in app.markdown if part.value.startswith("##### Row "))


def test_answers_are_stored_one_by_one_by_name(opened, run, record):
    app = opened()
    seen = []
    for label in ("Keep", "Accept", "Exclude", "Unsure"):
        seen.append(shown(app))
        press(app, label)
    found = errata.load_decisions(run)
    assert found["decision"].tolist() == ["keep", "accept", "exclude", "unsure"]
    assert set(found["by"]) == {"anna"}
    assert [row.strip("[").partition("]")[0] in name for row, name in zip(found["id"], seen, strict=True)] == [True] * 4
    assert any("checked labels" in part.value for part in app.markdown)


def test_a_reloaded_page_goes_on_where_it_was_left(opened, run):
    app = opened()
    press(app, "Keep")
    press(app, "Accept")
    before = shown(app)
    again = opened()
    assert shown(again) == before
    press(again, "Keep")
    assert len(errata.load_decisions(run)) == 3


def test_back_shows_the_answer_and_another_one_replaces_it(opened, run):
    app = opened()
    first = shown(app)
    press(app, "Keep")
    press(app, "Back")
    assert shown(app) == first
    press(app, "Exclude")
    found = errata.load_decisions(run)
    assert found["decision"].tolist() == ["exclude"]
    assert len(errata.load_decisions(run, every=True)) == 2


def test_classes_have_digits(opened, run, record):
    app = opened()
    names = [button.label for button in app.button]
    assert names[:7] == ["Keep", "Accept", "Exclude", "Unsure", "Back", "'no'", "'yes'"]
    press(app, "'yes'")
    found = errata.load_decisions(run)
    assert found["corrected"].tolist() == ["yes"]
    assert found["decision"].tolist() == ["keep" if found["given"][0] == "yes" else "accept"]


def test_what_somebody_else_decided_is_not_asked_again(opened, run, record):
    app = opened()
    first = shown(app)
    errata.save_decisions(run, dict.fromkeys(errata.audit(record)["id"], "keep"), by="ben")
    source.forget()
    app.run()
    assert shown(app) != first
    said = " ".join(part.value for part in app.markdown)
    assert "Stop here" in said


def test_the_table_shows_every_row_with_its_decision(opened, record):
    app = opened()
    press(app, "Accept")
    app.radio(key="way").set_value("Table").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["id"].tolist() == list(record.results["label_issues"].worklist.id)
    assert table["decision"].dropna().tolist() == ["accept"]


def test_the_verdict_follows_the_audit(opened, run, record):
    app = opened()
    assert "Checking 40 of them tells" in " ".join(part.value for part in app.markdown)
    errata.save_decisions(run, dict.fromkeys(errata.audit(record)["id"], "accept"), by="ben")
    said = " ".join(part.value for part in opened().markdown)
    assert "40 of 40 checked labels were wrong" in said
    assert "of all labels are wrong" in said
    assert "Checking 40 of them tells" not in said


def test_a_store_that_cannot_be_written_locks_the_page_and_keeps_the_answer(opened, run, monkeypatch):
    app = opened()

    def refused(*_):
        raise PermissionError("read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr("mlflow.tracking.MlflowClient.log_text", refused)
        press(app, "Accept")
        said = " ".join(part.value for part in app.text)
        assert "read-only file system" in said
        assert "Kept on this page until then: 1." in said
        assert next(button for button in app.button if button.label == "Keep").disabled
    assert errata.load_decisions(run).empty
    press(app, "Try again")
    assert errata.load_decisions(run)["decision"].tolist() == ["accept"]
    assert not next(button for button in app.button if button.label == "Keep").disabled


def test_nobody_decides_without_a_name(opened):
    app = opened(by="")
    assert app.text_input(key="by").value == ""
    assert next(button for button in app.button if button.label == "Keep").disabled


def test_files_show_the_way_to_the_training_set(opened, run):
    app = opened()
    app.radio(key="way").set_value("Files").run()
    assert f"errata.load_decisions({run!r})" in app.code[-1].value
    assert not app.exception


def test_the_next_step_gives_the_code_of_the_labels_that_were_decided(opened, run, record):
    errata.save_decisions(run, dict.fromkeys(errata.audit(record)["id"], "accept"), by="anna")
    app = opened().switch_page("views/next_step.py").run()
    code = app.code[0].value.partition("model = ")[0]
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - the code that a reader is told to run
    assert [kind for kind, _ in names["recipe"].steps] == ["relabel"]
