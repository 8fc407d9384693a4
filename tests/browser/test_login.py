"""Logging in with a provider (OIDC) in a real browser: who is let in, who is not, and what a stranger can reach."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import mlflow
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("authlib")

sys.path.insert(0, str(Path(__file__).parent))
from provider import CLIENT, SECRET, provider  # noqa: E402 - a neighbour, and tests are no package

expect = playwright.expect
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{cookie}"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"

[errata]
allowed = ["*@example.org"]
"""


@pytest.fixture(scope="module")
def served(store, record, serving):
    """The address of the app, which asks for a login, and the id of its run."""
    folder, uri, made = store
    with mlflow.start_run(experiment_id=made) as run:
        errata.log(record, strict=True)
    with provider() as who, pytest.MonkeyPatch.context() as patch:
        (folder / ".streamlit").mkdir()
        text = SECRETS.format(cookie=os.urandom(16).hex(), client=CLIENT, secret=SECRET, issuer=who.issuer)
        (folder / ".streamlit" / "secrets.toml").write_text(text)
        patch.chdir(folder)
        with serving(uri) as address:
            yield address, run.info.run_id


@pytest.fixture
def page(browser):
    """A browser that was never here, and what it was told over the socket."""
    context = browser.new_context()
    tab = context.new_page()
    tab.heard = []

    def hear(frame):
        tab.heard.append(frame)

    tab.on("websocket", lambda way: way.on("framereceived", hear))
    yield tab
    context.close()


def log_in(page, email, *, verified=True):
    page.get_by_role("button", name="Log in", exact=True).click(timeout=90_000)
    page.get_by_label("Address").fill(email)
    page.get_by_label("verified").set_checked(verified)
    page.get_by_role("button", name="Continue").click()


def test_a_stranger_is_shown_nothing(page, served):
    address, run = served
    for path in ("", "slices", "history", f"labels?experiment=demo&run={run}"):
        page.goto(f"{address}/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in", timeout=90_000)
    page.wait_for_timeout(500)
    told = b"".join(bytes(frame) for frame in page.heard if isinstance(frame, bytes))
    assert told
    for secret in (b"demo", run[:8].encode(), b"ROC AUC", b"region"):
        assert secret not in told.replace(run.encode(), b"")  # the address that was typed comes back


def test_whoever_is_let_in_sees_the_verdict_and_leaves(page, served):
    address, _ = served
    page.goto(address)
    log_in(page, "ann@example.org")
    heading = page.get_by_role("heading", level=1)
    expect(heading).not_to_have_text("Log in", timeout=90_000)
    expect(page.get_by_text("ROC AUC").first).to_be_visible()
    assert page.url.startswith(address)
    page.get_by_role("button", name=re.compile("^ann")).click()
    expect(page.get_by_text("ann@example.org")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(heading).to_have_text("Log in", timeout=60_000)


def test_a_link_opens_once_logged_in(page, served):
    address, run = served
    page.goto(f"{address}/slices?experiment=demo&run={run}")
    log_in(page, "bob@example.org")
    expect(page.get_by_text("ROC AUC").first).to_be_visible(timeout=90_000)
    page.goto(f"{address}/slices?experiment=demo&run={run}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where the errors are", timeout=90_000)
    assert f"run={run}" in page.url


@pytest.mark.parametrize(("email", "verified"), [("eve@elsewhere.example", True), ("eve@example.org", False)])
def test_others_are_turned_away(page, served, email, verified):
    address, _ = served
    page.goto(address)
    log_in(page, email, verified=verified)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged in, and not let in", timeout=90_000)
    expect(page.get_by_text("ROC AUC")).to_have_count(0)


def test_a_cookie_of_ones_own_making_is_worth_nothing(page, served):
    address, _ = served
    made = '"2|1:0|10:1790000000|15:_streamlit_user|64:eyJpc19sb2dnZWRfaW4iOiB0cnVlfQ==|' + "0" * 64 + '"'
    page.context.add_cookies([{"name": "_streamlit_user", "value": made, "url": address}])
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in", timeout=90_000)
