"""The Labels page: one by one, table, files, two people, and a store that refuses."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import mlflow_errata as errata
from errata_app import checking, source
from errata_app.draw import plain
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
    def open_page(by="anna", run=run, **state):
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


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        ((0, 1), "01"),
        (("1", "3"), "13"),
        ((0.0, 1.0), "01"),
        (tuple(range(10)), "0123456789"),
        ((0, 10), "12"),
        ((False, True), "12"),
        (("no", "yes"), "12"),
        ((), ""),
        (tuple(f"c{at}" for at in range(30)), "123456789"),
    ],
)
def test_a_class_that_is_a_digit_has_its_own_key(classes, keys):
    assert checking.keys_of(classes) == list(keys)


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


def test_the_figures_below_follow_the_verdict(opened, run, record):
    """The last answer of the audit changes what the rest of the page shows, and the one before does not."""
    *most, last = errata.audit(record)["id"]
    errata.save_decisions(run, dict.fromkeys(most, "accept"), by="ben")
    app = opened()
    assert [part.label for part in app.metric] == ["labels in doubt", plain("may be wrong, at most")]
    assert shown(app) == f"##### Row {plain(last)}"
    press(app, "Accept")
    assert [part.label for part in app.metric][:3] == ["labels in doubt", "labels that are wrong", "checked by hand"]
    press(app, "Back")
    press(app, "Keep")
    assert "39 wrong" in " ".join(part.value for part in app.caption)


@pytest.mark.parametrize(("name", "is_table"), [("a name of many words", True), ("a_name_of_one_long_word", False)])
def test_a_table_holds_no_word_that_is_too_long_for_it(name, is_table):
    parts = checking.columns_of([("x", "1.5"), (name, "y"), ("z", "2")])
    assert [part.startswith("| column") for part in parts] == [is_table] * 2
    assert (f"- {plain(name)}: **y**" in parts[0]) != is_table


def test_an_audited_record_is_not_asked_about_anew(record, experiment, store, monkeypatch, opened):
    rows = dict.fromkeys(errata.audit(record)["id"], "accept")
    with mlflow.start_run() as active:
        errata.log(errata.audited(record, rows))
    app = opened(run=active.info.run_id)
    said = " ".join(part.value for part in app.markdown)
    assert "40 of 40 checked labels were wrong" in said
    assert "came with the record" in said
    assert "Check 40 more labels" not in said
    assert shown(app).removeprefix("##### Row ") not in map(plain, rows)


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
