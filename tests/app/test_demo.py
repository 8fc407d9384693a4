"""The demo at a click: into an empty store of one's own, and into no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from errata_app import source
from mlflow_errata import _demo
from mlflow_errata.errors.stored import DemoRefused

APP = Path(__file__).parents[2] / "streamlit_app" / "errata_app" / "app.py"


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """The app on a store, on this machine or for others."""

    def of(uri, address="127.0.0.1"):
        monkeypatch.setenv("ERRATA_TRACKING_URI", uri)
        option = st.get_option
        monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else option(name))
        return AppTest.from_file(str(APP), default_timeout=60).run()

    monkeypatch.chdir(tmp_path)
    st.cache_resource.clear()
    yield of
    st.cache_resource.clear()


def buttons(app):
    assert not app.exception
    return [button.label for button in app.button]


def test_a_click_fills_the_store_that_was_not_there(opened, tmp_path, monkeypatch):
    filled = []
    monkeypatch.setattr(_demo, "fill", filled.append)
    app = opened(f"sqlite:///{tmp_path / 'new.db'}")
    assert buttons(app) == ["Log the demo here"]
    assert str(tmp_path / "new.db").replace("_", "\\_").replace("-", "\\-").replace(".", "\\.") in app.caption[0].value
    assert filled == []
    app.button[0].click().run()
    assert filled == [tmp_path / "new.db"]


def test_nothing_is_offered_where_others_are_or_the_store_is_not_ones_own(opened, tmp_path, monkeypatch):
    assert buttons(opened(f"sqlite:///{tmp_path / 'new.db'}", "0.0.0.0")) == []
    monkeypatch.setenv("ERRATA_READ_ONLY", "1")
    app = opened(f"sqlite:///{tmp_path / 'new.db'}")
    assert buttons(app) == []
    assert "errata demo" in [code.value for code in app.code]


def test_what_goes_wrong_is_said(opened, tmp_path, monkeypatch):
    def fail(database):
        raise DemoRefused(database, "there is no room")

    monkeypatch.setattr(_demo, "fill", fail)
    app = opened(f"sqlite:///{tmp_path / 'new.db'}")
    app.button[0].click().run()
    assert "there is no room" in " ".join(text.value for text in app.text)


def test_runs_go_into_the_database_and_artifacts_beside_it(tmp_path, monkeypatch):
    story = tmp_path / "story.py"
    story.write_text("import sys, pathlib; pathlib.Path('said').write_text(' '.join(sys.argv[1:]))")
    monkeypatch.setattr(_demo, "script", lambda: story)
    _demo.fill(tmp_path / "deep" / "new.db")
    said = (tmp_path / "deep" / "errata-demo" / "said").read_text()
    assert said == f"--tracking-uri sqlite:///{tmp_path}/deep/new.db --artifacts {tmp_path}/deep/errata-demo/artifacts"
    assert source.database_of("sqlite:///a/b.db?timeout=3") == Path("a/b.db")
