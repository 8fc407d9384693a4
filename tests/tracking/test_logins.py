"""A store that asks who is there: user name and password, a token, and what a refusal says."""

from __future__ import annotations

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from mlflow_errata.errors.stored import StoreRefused, StoreUnreachable
from mlflow_errata.tracking import search

LOGIN = "Basic " + b64encode(b"anna:correct horse").decode()
KNOWN = {"experiment_id": "1", "name": "flights", "lifecycle_stage": "active", "artifact_location": "x"}
SETTINGS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


class Answers(BaseHTTPRequestHandler):
    """MLflow's answer to whoever may read, its refusal to anybody else."""

    def do_GET(self):
        said = self.headers.get("Authorization", "")
        status = 200 if said in {LOGIN, "Bearer token"} else 403 if said.startswith("Bearer") else 401
        body = json.dumps(
            {"experiments": [KNOWN]}
            if status == 200
            else {"error_code": "PERMISSION_DENIED", "message": "Permission denied."}
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status != 401 else "text/plain")
        self.end_headers()
        self.wfile.write(body.encode() if status != 401 else b"You are not authenticated.")

    do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def guarded():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.parametrize(
    "told",
    [
        {"MLFLOW_TRACKING_USERNAME": "anna", "MLFLOW_TRACKING_PASSWORD": "correct horse"},
        {"MLFLOW_TRACKING_TOKEN": "token"},
    ],
    ids=["password", "token"],
)
def test_who_may_read_reads(guarded, monkeypatch, told):
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert [item.name for item in search.experiments(guarded)] == ["flights"]


def test_a_login_in_the_address_is_used_and_never_shown(guarded, monkeypatch):
    with_login = guarded.replace("://", "://anna:wrong@")
    with pytest.raises(StoreRefused) as said:
        search.experiments(with_login)
    assert "wrong" not in str(said.value)
    assert "anna:***@127.0.0.1" in str(said.value)


@pytest.mark.parametrize(
    "told",
    [{}, {"MLFLOW_TRACKING_USERNAME": "anna", "MLFLOW_TRACKING_PASSWORD": "secret"}, {"MLFLOW_TRACKING_TOKEN": "old"}],
    ids=["nobody", "wrong", "not allowed"],
)
def test_a_refusal_says_what_to_set_and_no_secret(guarded, monkeypatch, told):
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreRefused, match="MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD") as said:
        search.experiments(guarded)
    assert "secret" not in str(said.value)


def test_a_refusal_is_no_answer_about_workspaces(guarded):
    """A page asks for workspaces first; what it then shows has to be the refusal."""
    assert search.workspaces(guarded) == ()


def test_a_server_that_is_not_there_is_no_refusal(free_port):
    with pytest.raises(StoreUnreachable) as said:
        search.experiments(f"http://127.0.0.1:{free_port}")
    assert not isinstance(said.value, StoreRefused)
