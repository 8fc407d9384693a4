"""The app under a path behind a proxy that listens on another port and is known by another name."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread

import mlflow
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")
sockets = pytest.importorskip("websockets.sync.client")

BASE, NAME = "team/errata", "errata.example.org"


def carry(source, target):
    """Everything that comes in on one socket goes out on the other, until one of them closes."""
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def forward(port):
    """A proxy to a port of this machine; the port that it listens on."""
    ear = socket.create_server(("127.0.0.1", 0))

    def listen():
        while True:
            near, _ = ear.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for pair in ((near, far), (far, near)):
                Thread(target=carry, args=pair, daemon=True).start()

    Thread(target=listen, daemon=True).start()
    return ear.getsockname()[1]


@pytest.fixture(scope="module")
def served(tmp_path_factory, record, serving):
    folder = tmp_path_factory.mktemp("proxy")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    made = mlflow.create_experiment("demo", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=made):
        errata.log(record, strict=True)
    with serving(uri, "--base-url", f"/{BASE}/", "--allow-host", NAME, base=f"/{BASE}") as address:
        port = int(address.split(":")[2].split("/")[0])
        yield port, forward(port)


def test_a_browser_works_through_it(served, browser):
    _, port = served
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/{BASE}/")
    heading = page.get_by_role("heading", level=1)
    playwright.expect(heading).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Slices", exact=True).click()
    playwright.expect(heading).to_have_text("Where the errors are", timeout=30_000)
    assert page.url.startswith(f"http://127.0.0.1:{port}/{BASE}/slices?")
    page.reload()
    playwright.expect(heading).to_have_text("Where the errors are", timeout=60_000)
    page.close()


@pytest.mark.parametrize(("host", "origin"), [(NAME, f"https://{NAME}"), ("127.0.0.1", f"https://{NAME}")])
def test_sockets_open_under_the_name_of_the_proxy(served, host, origin):
    """Whether the proxy passes the name on that people typed, or writes its own."""
    port, _ = served
    way = socket.create_connection(("127.0.0.1", port), timeout=20)
    with sockets.connect(f"ws://{host}:{port}/{BASE}/_stcore/stream", sock=way, origin=origin):
        pass
