"""The app under a path behind a reverse proxy that is known by a name of its own, in a browser that knows that name."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import mlflow
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")
sockets = pytest.importorskip("websockets.sync.client")
pytest.importorskip("aiohttp")

sys.path.insert(0, str(Path(__file__).parent))
from conftest import CHROMIUM, FLAGS  # noqa: E402 - a neighbour, and tests are no package
from reverse import reverse  # noqa: E402

BASE, NAME = "/team/errata", "errata.example.org"
PAGES = {
    "slices": "Where the errors are",
    "labels": "Can the labels be trusted?",
    "classes": "Are rare classes served?",
    "over_time": "Does it still hold on the newest rows?",
    "metric": "Does the metric serve the value?",
    "history": "Promised and delivered",
}
expect = playwright.expect


@pytest.fixture(scope="module")
def served(store, record, serving):
    """The port of the app, and its run."""
    _, uri, made = store
    with mlflow.start_run(experiment_id=made) as run:
        errata.log(record, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ERRATA_MLFLOW_UI", "/mlflow")
        with serving(uri, "--base-url", f"{BASE}/", "--allow-host", NAME, base=BASE) as address:
            yield int(address.split(":")[2].split("/")[0]), run.info


@pytest.fixture(scope="module", params=[True, False], ids=["keeps the name", "writes its own"])
def proxy(served, request):
    with reverse(f"http://127.0.0.1:{served[0]}", f"{BASE}/", keeps_host=request.param) as made:
        yield made


@pytest.fixture(scope="module")
def browser():
    """A browser for which the name of the proxy is this machine."""
    with playwright.sync_playwright() as tool:
        opened = tool.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser, proxy):
    """A page that asks for nothing outside the path of the app, and says nothing on its console."""
    tab, outside, said = browser.new_page(), [], []
    own = tuple(f"{way}://{NAME}:{proxy[1]}{BASE}/" for way in ("http", "ws"))
    tab.on(
        "request", lambda asked: None if asked.url.startswith((*own, "data:", "blob:")) else outside.append(asked.url)
    )
    tab.on("console", lambda told: said.append(told.text) if told.type == "error" and "404" not in told.text else None)
    yield tab
    tab.close()
    assert (outside, said) == ([], [])


def test_every_page_and_link_works_through_it(page, proxy, served):
    address = f"http://{NAME}:{proxy[1]}{BASE}"
    page.goto(f"{address}/")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Slices", exact=True).click()
    expect(heading).to_have_text(PAGES["slices"])
    assert page.url.startswith(f"{address}/slices?")
    for path, title in PAGES.items():
        page.goto(f"{address}/{path}?experiment=demo&run={served[1].run_id}")
        expect(heading).to_have_text(title, timeout=60_000)
        assert f"run={served[1].run_id}" in page.url


def test_what_is_shared_works_through_it(page, proxy, served):
    page.goto(f"http://{NAME}:{proxy[1]}{BASE}/slices")
    page.get_by_role("button", name="Share").click(timeout=90_000)
    for name, begins in (("Download (CSV)", b"slice errors"), ("Download the report of this view", b"<!doctype html>")):
        with page.expect_download(timeout=60_000) as coming:
            page.get_by_role("button", name=name, exact=True).click()
        assert Path(coming.value.path()).read_bytes().lstrip(b"\xef\xbb\xbf").lower().startswith(begins)
    link = page.get_by_role("link", name="Open in MLflow").get_attribute("href")
    where = f"/mlflow/#/experiments/{served[1].experiment_id}/runs/{served[1].run_id}"
    assert link == f"http://{NAME}:{proxy[1]}{where}"


def test_a_name_that_was_not_allowed_is_refused_through_it_too(served):
    with (
        reverse(f"http://127.0.0.1:{served[0]}", f"{BASE}/", keeps_host=True) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=20) as way,
    ):
        way.sendall(f"GET {BASE}/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        told = b"".join(iter(lambda: way.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 403")
    assert b"--allow-host" in told


@pytest.mark.parametrize(("host", "origin"), [(NAME, f"https://{NAME}"), ("127.0.0.1", f"https://{NAME}")])
def test_sockets_open_under_the_name_of_the_proxy(served, host, origin):
    """Whether the proxy passes the name on that people typed, or writes its own."""
    port, _ = served
    way = socket.create_connection(("127.0.0.1", port), timeout=20)
    with sockets.connect(f"ws://{host}:{port}{BASE}/_stcore/stream", sock=way, origin=origin):
        pass
