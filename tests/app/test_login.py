"""Logging in: who is let in, settings that are not right, and nothing asked where none is configured."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from errata_app.login import is_let_in

APP = Path(__file__).parents[2] / "streamlit_app" / "errata_app" / "app.py"
AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a" * 32,
    "client_id": "x",
    "client_secret": "y",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERRATA_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    st.cache_resource.clear()
    st.secrets._reset()
    yield AppTest.from_file(str(APP), default_timeout=60)
    st.secrets._reset()


def title(at):
    assert not at.exception
    return at.title[0].value


@pytest.mark.parametrize(
    ("user", "allowed", "expected"),
    [
        ({"email": "ann@example.org"}, None, True),
        ({}, None, True),
        ({"email": "ann@example.org", "email_verified": True}, ["*@example.org"], True),
        ({"email": "Ann@Example.org"}, ["ann@example.org"], True),
        ({"email": "ann@example.org.evil.example"}, ["*@example.org"], False),
        ({"email": "ann@example.org", "email_verified": False}, ["*@example.org"], False),
        ({"email": ""}, ["*"], False),
        ({}, ["*@example.org"], False),
        ({"email": "ann@example.org"}, [], False),
        ({"email": "ann@example.org"}, "*@example.org", False),
    ],
)
def test_who_is_let_in(user, allowed, expected):
    assert is_let_in(user, allowed) is expected


def test_without_a_provider_nobody_is_asked(app):
    assert title(app.run()) == "There is no store here"


def test_with_a_provider_everybody_is_asked_on_every_page(app):
    app.secrets["auth"] = AUTH
    assert title(app.run()) == "Log in"
    for view in ("slices", "labels", "classes", "over_time", "metric", "history", "compare"):
        assert title(app.switch_page(f"views/{view}.py").run()) == "Log in"


def test_each_provider_has_its_button(app):
    app.secrets["auth"] = {"redirect_uri": "x", "cookie_secret": "y", "one": AUTH, "two": AUTH}
    assert [button.label for button in app.run().button] == ["Log in with one", "Log in with two"]


def test_the_logged_in_see_the_page_and_those_not_on_the_list_do_not(app):
    app.secrets["auth"], app.secrets["errata"] = AUTH, {"allowed": ["*@example.org"]}
    app.user = {"is_logged_in": True, "email": "ann@example.org"}
    assert title(app.run()) == "There is no store here"
    app.user = {"is_logged_in": True, "email": "eve@elsewhere.example"}
    assert title(app.run()) == "You are logged in, and not let in"


def test_a_provider_that_is_not_a_section_lets_nobody_in(app):
    app.secrets["auth"] = "google"
    assert title(app.run()) == "Log in"


def test_a_list_without_a_provider_lets_nobody_in(app):
    app.secrets["errata"] = {"allowed": ["*@example.org"]}
    assert title(app.run()) == "Log in"


def test_settings_that_lack_something_say_what(app, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    lines = [f'{name} = "{value}"' for name, value in AUTH.items() if name != "client_secret"]
    (tmp_path / ".streamlit" / "secrets.toml").write_text("\n".join(["[auth]", *lines]))
    app.run().button[0].click().run()
    assert "client_secret" in app.error[0].value


def test_secrets_that_cannot_be_read_close_the_app(app, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth\n")
    assert title(app.run()) == "Logging in is not set up right"
