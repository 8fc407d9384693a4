"""The Slices page without a browser: what is picked, what is said of it, and every state in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import errata_app
import mlflow_errata as errata
from errata_app import source
from errata_app.draw import plain
from mlflow_errata.tracking.reviews import reviews

APP = Path(str(errata_app.__file__)).with_name("app.py")
EAST = "region == 'east'"


@pytest.fixture(scope="module")
def made(tmp_path_factory, record, frame):
    """A store by experiment: its URI, and run ids by name."""
    folder = tmp_path_factory.mktemp("slices")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    draw = np.random.default_rng(0)
    wrong = draw.random(3000) < 0.2
    chance = pd.DataFrame({"x": draw.choice(list("abc"), 3000), "y": wrong.astype(int), "p": 0})
    found = record.results["slice_errors"]
    suspected = replace(found, slices=(), suspected=tuple(replace(item, tier="suspected") for item in found.slices))
    small = tuple(replace(item, support=11) for item in found.slices)
    old = tuple(replace(item, course=(), overlaps=(), contrasts=()) for item in found.slices)
    records = {
        "first": record,
        "later": record,
        "chance": errata.diagnose(chance, label="y", prediction="p"),
        "suspected": with_result(record, suspected),
        "small": with_result(record, replace(found, slices=small)),
        "old": with_result(record, replace(found, slices=old, window="")),
        "tiny": errata.diagnose(chance.head(40), label="y", prediction="p"),
        "no rows": replace(record, rows=record.rows.head(0)),
        "several": errata.diagnose(
            frame.assign(z=1 - frame["y"], q=1 - frame["score"]), label=["y", "z"], scores={"y": "score", "z": "q"}
        ),
    }
    runs = {}
    experiment = mlflow.create_experiment("flights", (folder / "a").as_uri())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "mlflow_errata.report.render", lambda _: ""
        )  # which takes most of the time and is tested elsewhere
        for name, each in records.items():
            with mlflow.start_run(experiment_id=experiment, run_name=name) as run:
                errata.log(each, strict=True)
            runs[name] = run.info.run_id
    return uri, experiment, runs


def with_result(record, result):
    return replace(record, results={**record.results, "slice_errors": result})


@pytest.fixture
def opened(made, monkeypatch):
    uri, _, runs = made

    def open_page(run="first", **query):
        monkeypatch.setenv("ERRATA_TRACKING_URI", uri)
        source.forget()
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.query_params["experiment"], app.query_params["run"] = "flights", runs[run]
        app.run()
        app.switch_page("views/slices.py")
        for name, value in {"experiment": "flights", "run": runs[run], **query}.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return open_page


def text(app):
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.text, *app.caption, *app.code]
    return "\n".join(str(part.value) for part in parts)


def test_the_first_slice_is_picked_with_its_rows_and_stands_in_the_address(opened, record):
    app = opened()
    first = record.results["slice_errors"].slices[0]
    assert app.subheader[0].value == plain(EAST)
    assert app.query_params["slice"] == [first.id] or app.query_params["slice"] == first.id
    rows = app.dataframe[1].value
    assert set(rows["region"]) == {"east"}
    assert rows["errata.error"].iloc[0] == 1
    assert plain("wrong ones first: not a fair draw") in text(app)


def test_an_address_picks_a_slice_by_its_id(opened, record):
    last = record.results["slice_errors"].slices[-1]
    app = opened(slice=last.id)
    assert app.subheader[0].value == plain(" and ".join(last.conditions))
    assert opened(slice="no such").subheader[0].value == plain(EAST)


def test_next_and_box_pick_by_id_and_the_table_follows(opened, record):
    slices = record.results["slice_errors"].slices
    assert len(slices) > 1
    app = opened()
    app.button(key="slice Next").click().run()
    assert not app.exception
    second = app.session_state["slice picked"]
    assert second != slices[0].id
    assert app.session_state["slice table turn"] == 1, "what is picked elsewhere gives the table a new key"
    app.selectbox(key="slice box").select(slices[0].id).run()
    assert app.subheader[0].value == plain(EAST)


def test_the_list_starts_with_the_slice_that_the_verdict_names(opened, record):
    first = record.results["slice_errors"].slices[0]
    assert opened().dataframe[0].value["slice"].iloc[0] == " and ".join(first.conditions)


def test_a_code_opens_its_page(opened):
    said = [block.value for block in opened().markdown]
    assert any(block.startswith("**ERR201: ") for block in said)
    assert not any(block.startswith("# ") for block in said)


def test_weights_change_the_order_without_a_search(opened, record):
    app = opened()
    before = list(app.dataframe[0].value["slice"])
    app.slider(key="w_unexplained").set_value(0.0)
    app.slider(key="w_effect").set_value(1.0).run()
    after = list(app.dataframe[0].value["slice"])
    assert sorted(before) == sorted(after)
    effects = {" and ".join(item.conditions): item.effect for item in record.results["slice_errors"].slices}
    confirmed = [name for name in after if name in effects]
    assert confirmed == sorted(confirmed, key=lambda name: -effects[name])


def test_a_status_is_stored_shown_filtered_and_carried_over(opened, made):
    _, experiment, runs = made
    app = opened("first")
    item = app.session_state["slice picked"]
    app.radio(key=f"status {item}").set_value("accepted")
    app.text_area(key=f"note {item}").set_value("known: *no* radar")
    app.text_input(key="by").set_value("anna").run()
    app.button(key="save status").click().run()
    assert not app.exception
    (found,) = reviews(experiment, tracking_uri=made[0])
    assert (found.status, found.by, found.note, found.run_id) == (
        "accepted",
        "anna",
        "known: *no* radar",
        runs["first"],
    )
    assert app.dataframe[0].value["status"].iloc[0] == "○ accepted"
    later = opened("later")
    assert plain("Accepted in run first by anna") in text(later)
    assert plain("known: *no* radar") in text(later)
    later.multiselect(key="show").set_value(["accepted"]).run()
    assert list(later.dataframe[0].value["slice"]) == [EAST]
    later.multiselect(key="show").set_value(["fixed"]).run()
    assert "No slice is of the chosen kind" in text(later)


def test_a_fixed_slice_that_a_later_run_finds_is_back(opened, made, record):
    uri, experiment, runs = made
    errata.review_slice(runs["first"], [EAST], "fixed", by="anna", note="retrained", tracking_uri=uri)
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run(experiment_id=experiment, run_name="newest") as run:
        errata.log(record, strict=True)
    runs["newest"] = run.info.run_id
    app = opened("newest")
    assert app.dataframe[0].value["status"].iloc[0] == "▲ back again"
    assert plain("Back again: this run began later and finds it. Fixed in run first by anna") in text(app)
    assert app.dataframe[0].value["status"].iloc[0] in text(app) or app.subheader


def test_a_read_only_server_shows_and_stores_nothing(opened, monkeypatch):
    monkeypatch.setenv("ERRATA_READ_ONLY", "1")
    app = opened()
    assert "reviewed elsewhere" in text(app)
    assert "save status" not in {button.key for button in app.button}


# -- states -----------------------------------------------------------------------------------------------------------


def test_nothing_beyond_chance_is_said(opened):
    app = opened("chance")
    assert "No slice is distinguishable from chance" in text(app)
    assert app.text_input(key="where")


def test_suspected_slices_are_apart_and_marked(opened):
    app = opened("suspected")
    assert set(app.dataframe[0].value["tier"]) == {"suspected"}
    assert "one in ten of such slices is chance" in text(app)


def test_few_rows_are_said_in_words(opened):
    assert plain("n = 11, too few to rank.") in text(opened("small"))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("tiny", "Slices were not searched: the search needs 60 rows or more; there are 40"),
        ("no rows", "keeps none of this slice"),
        ("several", "Where the errors are"),
    ],
)
def test_other_states(opened, run, said):
    assert plain(said) in text(opened(run))


def with_tab(app, name):
    app.session_state["behind"] = name
    return app.run()


@pytest.mark.parametrize("run", ["first", "old"])
@pytest.mark.parametrize("tab", ["What sets it apart", "Over time", "Overlap", "In other runs"])
def test_every_tab_of_new_and_older_records(opened, run, tab):
    app = with_tab(opened(run), tab)
    assert not app.exception
    if tab == "In other runs":
        assert "first" in set(app.dataframe[1].value["run"].str.replace(" (this run)", ""))
        app.toggle(key="measure elsewhere").set_value(True).run()
        assert not app.exception
        assert app.dataframe[1].value["measured"].notna().any()
    elif tab == "Over time" and run == "old":
        assert "There is no course over time" in text(app)


# -- a slice of one's own ---------------------------------------------------------------------------------------------


def test_an_own_slice_is_measured_and_named(opened, made):
    app = opened(where="a >= 0.5 and region == 'east'")
    assert "measured on all 3,000 rows" in text(app)
    assert any("named_slices={'my slice':" in code.value for code in app.code)
    app.text_input(key="own name").set_value("bad east").run()
    app.button(key="keep").click().run()
    assert "later evaluations of this experiment measure it" in text(app)
    mlflow.set_tracking_uri(made[0])
    assert errata.load_slices("flights") == {"bad east": "a >= 0.5 and region == 'east'"}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("region > 3", "cannot read 'region > 3'"),
        ("region <= 3", "hour > 19 and hour <= 19 are not read"),
        ("regio == 'east'", "Did you mean 'region'?"),
        ("region >= 3", "cannot compare"),
        ("region == 'west'", "n = 0, too few to say anything"),
        ("__import__('os').system('x')", "cannot read"),
    ],
)
def test_an_own_slice_that_says_nothing_says_why(opened, where, said):
    app = opened(where=where)
    assert said in text(app) or plain(said) in text(app)
