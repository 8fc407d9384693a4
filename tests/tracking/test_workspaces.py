"""Workspaces: which a server has, and that every call is made in the one that the address names."""

from __future__ import annotations

import os
from threading import Thread
from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException

from mlflow_errata.tracking.workspaces import client_of, workspaces_of

context = pytest.importorskip("mlflow.utils.workspace_context")

URI = "http://127.0.0.1:1"


def client(names, *, walled=True):
    store = SimpleNamespace(supports_workspaces=walled)

    def known():
        assert walled, "a server without workspaces is never asked for them: it would answer 503"
        return [SimpleNamespace(name=name) for name in names]

    return SimpleNamespace(_tracking_client=SimpleNamespace(store=store), list_workspaces=known)


def test_the_default_comes_first():
    assert workspaces_of(client(["b", "default", "a"])) == ("default", "a", "b")


def test_servers_without_them_have_none():
    assert workspaces_of(client([], walled=False)) == ()
    assert workspaces_of(SimpleNamespace(_tracking_client=SimpleNamespace(store=object()))) == ()


def test_a_server_that_cannot_say_has_none():
    class Old:
        @property
        def supports_workspaces(self):
            raise MlflowException("not found")

    assert workspaces_of(SimpleNamespace(_tracking_client=SimpleNamespace(store=Old()))) == ()


def test_inside_the_block_alone_calls_are_made_in_the_workspace():
    before = os.environ.get("MLFLOW_WORKSPACE")
    with client_of(f"{URI}#workspace=team-a") as client:
        assert client.tracking_uri == URI
        seen = [context.get_request_workspace()]
        fetching = Thread(target=lambda: seen.append(context.get_request_workspace()))
        fetching.start()
        fetching.join()
        assert seen == ["team-a", "team-a"], "threads that fetch files are inside, too"
    assert context.get_request_workspace() == before
    assert os.environ.get("MLFLOW_WORKSPACE") == before


def test_two_workspaces_at_once_do_not_mix():
    seen = {}

    def look(name):
        with client_of(f"{URI}#workspace={name}"):
            inner = []
            thread = Thread(target=lambda: inner.append(context.get_request_workspace()))
            thread.start()
            thread.join()
            seen[name] = inner[0]

    threads = [Thread(target=look, args=(f"team-{at}",)) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {f"team-{at}": f"team-{at}" for at in range(20)}


@pytest.mark.parametrize("name", ["../x", "a b", "A" * 400, "\N{SNOWMAN}"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(MlflowException), client_of(f"{URI}#workspace={name}"):
        pass


@pytest.mark.parametrize("room", ["ignored", "slices", "metrics"])
def test_what_an_experiment_keeps_is_kept_in_its_workspace(monkeypatch, room):
    """The part of the address that names the workspace is no part of the store's own address."""
    import importlib
    from contextlib import contextmanager

    asked = []

    @contextmanager
    def inside(uri):
        asked.append(uri)
        known = SimpleNamespace(experiment_id="1", tags={}, lifecycle_stage="active")
        yield SimpleNamespace(get_experiment_by_name=lambda _: known, set_experiment_tag=lambda *_: None)

    module = importlib.import_module(f"mlflow_errata.tracking.{room}")
    monkeypatch.setattr(module, "client_of", inside)
    address = f"{URI}#workspace=a"
    calls = {
        "ignored": [
            lambda: module.ignore("x", "ERR101", "known", tracking_uri=address),
            lambda: module.ignored("x", tracking_uri=address),
        ],
        "slices": [
            lambda: module.save_slices("x", {}, tracking_uri=address),
            lambda: module.load_slices("x", tracking_uri=address),
        ],
        "metrics": [lambda: module.business_metric("x", "revenue", tracking_uri=address)],
    }
    for call in calls[room]:
        call()
    assert asked == [address] * len(calls[room])
