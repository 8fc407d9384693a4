"""MLflow and the app on one port, for real: `mlflow server --app-name errata --workers 1` and a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

import mlflow
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")
sockets = pytest.importorskip("websockets.sync.client")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory, record):
    """MLflow and the app on one port, artifacts through the server, a record logged over it: address, run, log."""
    folder = tmp_path_factory.mktemp("one-port")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "errata", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--allowed-hosts", f"localhost:{port}"]
    log = (folder / "log").open("w")
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    running = subprocess.Popen(
        command, stdout=log, stderr=log, cwd=folder, env=os.environ | quiet, start_new_session=True
    )
    address = f"http://localhost:{port}"
    try:
        wait(f"{address}/health", running, folder / "log")
        mlflow.set_tracking_uri(address)
        made = mlflow.create_experiment("demo")
        with mlflow.start_run(experiment_id=made) as run:
            errata.log(record, strict=True)
        yield address, run.info.run_id, folder / "log"
    finally:
        mlflow.set_tracking_uri("")
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(60)
        running.kill()


def wait(url, running, log, seconds=200):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if running.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail("the server does not answer")


def status(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as refused:
        return refused.code, url


def stream(host, port, origin):
    """A socket to this machine under some name, opened by a page of some origin."""
    way = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
    return sockets.connect(f"ws://{host}:{port}/errata/_stcore/stream", sock=way, origin=origin)


def test_both_answer_on_one_port_and_the_slash_is_added(served):
    address, run, _ = served
    assert status(f"{address}/")[0] == 200
    assert status(f"{address}/api/2.0/mlflow/runs/get?run_id={run}")[0] == 200
    assert status(f"{address}/errata/slices")[0] == 200
    assert status(f"{address}/errata?run={run}") == (200, f"{address}/errata/?run={run}")


def test_the_verdict_a_page_change_and_the_way_to_mlflow(served, browser, record):
    address, run, log = served
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    outside, errors = [], []
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else outside.append(asked.url),
    )
    page.on(
        "console", lambda said: errors.append(said.text) if said.type == "error" and "404" not in said.text else None
    )
    page.goto(f"{address}/errata/?experiment=demo&run={run}")
    heading = page.get_by_role("heading", level=1)
    playwright.expect(heading).to_be_visible(timeout=90_000)
    from mlflow_errata.sections import next_steps

    playwright.expect(heading).to_have_text(next_steps.title(record), timeout=60_000)
    page.get_by_role("link", name="Slices", exact=True).click()
    playwright.expect(heading).to_have_text("Where the errors are")
    assert page.url.startswith(f"{address}/errata/slices")
    assert "Traceback" not in log.read_text()
    page.close()
    assert (outside, errors) == ([], [])


def test_foreign_hosts_and_origins_are_refused_on_both_ways(served):
    address, _, _ = served
    port = address.rpartition(":")[2]
    assert status(f"{address}/errata/", Host="evil.example")[0] == 403
    assert status(f"{address}/errata/", Origin="http://evil.example")[0] == 403
    with stream("localhost", port, address):
        pass
    for host in ("localhost", "evil.example"):
        with pytest.raises(Exception, match="403"), stream(host, port, "http://evil.example"):
            pass
    assert status(f"{address}/health")[0] == 200


def test_the_log_names_each_request_once(served):
    address, _, log = served
    for path in ("/version?once", "/errata/?once"):
        status(f"{address}{path}")
        deadline = time.monotonic() + 20
        while path not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert log.read_text().count(f"GET {path} ") == 1
