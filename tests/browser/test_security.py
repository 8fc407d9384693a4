"""The app against those who mean no good: foreign hosts and pages, paths out of the app, runs whose files are a trap."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import mlflow
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")
sockets = pytest.importorskip("websockets.sync.client")

PASSWD = "root:x:0:0"  # noqa: S105 - what must not be shown
TRAPS = ("large", "broken", "whole")


@pytest.fixture(scope="module")
def served(store, serving, record):
    """The app on a store with a run whose record holds 500 MB, one that is broken and a whole one: port, run ids."""
    _, uri, made = store
    runs = {}
    for name in TRAPS:
        with mlflow.start_run(experiment_id=made, run_name=name) as run:
            place = Path(run.info.artifact_uri.removeprefix("file://"), errata.log(record, strict=True), "record.json")
        runs[name] = run.info.run_id
        if name == "large":
            with place.open("r+b") as file:
                file.truncate(500 * 2**20)
        if name == "broken":
            place.write_bytes(place.read_bytes()[:5000])
    with serving(uri) as address:
        yield address, runs


def asked(address, path, method="GET", **headers):
    """Status and text of an answer, the path sent as it is."""
    port = int(address.rpartition(":")[2])
    way = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    way.putrequest(method, path, skip_host=True)
    for name, value in ({"Host": f"127.0.0.1:{port}", "Content-Length": "0"} | headers).items():
        way.putheader(name, value)
    way.endheaders()
    answer = way.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace")


def stream(address, host, origin):
    port = int(address.rpartition(":")[2])
    way = socket.create_connection(("127.0.0.1", port), timeout=20)
    return sockets.connect(f"ws://{host}:{port}/_stcore/stream", sock=way, origin=origin)


def test_a_name_made_to_point_here_gets_nothing(served):
    address, _ = served
    for path in ("/", "/slices", "/_stcore/health", "/_stcore/host-config", "/media/x"):
        status, said = asked(address, path, Host="evil.example")
        assert (status, "does not answer to the name" in said) == (403, True), path
    with pytest.raises(Exception, match="403"), stream(address, "evil.example", "http://evil.example"):
        pass
    with stream(address, "127.0.0.1", address):
        pass


def test_a_page_from_elsewhere_gets_nothing(served):
    address, _ = served
    for method, path in (("POST", "/_stcore/upload_file/a/b"), ("PUT", "/_stcore/upload_file/a/b"), ("POST", "/")):
        assert asked(address, path, method, Origin="http://evil.example")[0] == 403
    with pytest.raises(Exception, match="403"), stream(address, "127.0.0.1", "http://evil.example"):
        pass


def test_an_upload_without_the_token_is_refused(served):
    address, _ = served
    assert asked(address, "/_stcore/upload_file/session/file", "PUT")[0] == 403
    assert asked(address, "/_stcore/upload_file/session/file", "DELETE")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2f..%2fetc/passwd",
        "/static/../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/media/../../../../etc/passwd",
        "/app/static/../../../../etc/passwd",
        "/component/x/../../../../etc/passwd",
        "//etc/passwd",
        "/\\..\\..\\etc\\passwd",
        "/app.py",
        "/.streamlit/config.toml",
    ],
)
def test_a_path_leads_to_no_file(served, path):
    address, _ = served
    _, said = asked(address, path)
    assert PASSWD not in said
    assert "gatherUsageStats" not in said
    assert "set_page_config" not in said


def test_no_door_is_left_open_for_programs(served):
    address, _ = served
    assert asked(address, "/_stcore/agent/interact", "POST")[0] in {403, 404}
    assert asked(address, "/_stcore/metrics")[0] in {200, 404}
    for name in ("content-security-policy", "x-content-type-options", "x-frame-options"):
        port = int(address.rpartition(":")[2])
        way = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        way.request("GET", "/")
        assert way.getresponse().getheader(name), name


@pytest.fixture
def page(browser, served):
    """A page that notes what it asked of other hosts, and must end with nothing."""
    address, _ = served
    tab, outside = browser.new_page(), []
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    tab.on("request", lambda made: None if made.url.startswith(own) else outside.append(made.url))
    yield tab
    tab.close()
    assert outside == []


def heading(page):
    found = page.get_by_role("heading", level=1)
    playwright.expect(found).to_be_visible(timeout=90_000)
    playwright.expect(page.get_by_test_id("stException")).to_have_count(0)
    return found


@pytest.mark.parametrize("trap", ["large", "broken"])
def test_a_trap_is_a_clear_state_and_the_next_run_opens(page, served, trap):
    address, runs = served
    for path in ("", "slices", "labels", "history"):
        page.goto(f"{address}/{path}?experiment=demo&run={runs[trap]}")
        heading(page)
        body = page.inner_text("body")
        assert "Traceback" not in body
        if path == "":
            assert {"large": "524,288,000 bytes", "broken": "not a readable errata record"}[trap] in body
    page.goto(f"{address}/slices?experiment=demo&run={runs['whole']}")
    playwright.expect(heading(page)).to_have_text("Where the errors are", timeout=60_000)


@pytest.mark.parametrize(
    "value", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "%00", "<script>alert(1)</script>", "'--"]
)
def test_a_query_leads_nowhere(page, served, value):
    address, _ = served
    query = "&".join(f"{key}={value}" for key in ("run", "experiment", "against", "slice", "by", "label", "workspace"))
    dialogs = []
    page.on("dialog", lambda shown: (dialogs.append(shown.message), shown.dismiss()))
    page.goto(f"{address}/?{query}")
    heading(page)
    assert PASSWD not in page.content()
    assert dialogs == []


def test_the_server_is_still_up(served):
    assert asked(served[0], "/_stcore/health") == (200, "ok")
