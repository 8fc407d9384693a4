"""What `mlflow server --app-name errata` refuses before it starts, and what it tells the app."""

from __future__ import annotations

import os
import sys
from importlib import reload
from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

import mlflow_errata.server as room
from mlflow_errata.server import TRACKING_URI, WITHOUT_LOGIN, own_address, refusal

ASKED = {"app_name": "errata", "workers": "1", "host": "127.0.0.1", "port": 5000}


@pytest.mark.parametrize(
    ("environment", "n_workers", "opts", "said"),
    [
        ({}, 1, None, None),
        ({}, 4, None, "Add --workers 1."),
        ({}, 1, "gunicorn", "gunicorn serves no sockets"),
        ({"MLFLOW_AUTH_CONFIG_PATH": "auth.ini"}, 1, None, "its login (MLFLOW_AUTH_CONFIG_PATH) would be gone"),
        ({"MLFLOW_AUTH_ADMIN_PASSWORD": "secret"}, 1, None, "MLFLOW_AUTH_ADMIN_PASSWORD"),
        ({"MLFLOW_AUTH_ADMIN_PASSWORD": "secret", WITHOUT_LOGIN: "1"}, 1, None, None),
    ],
)
def test_refusals(environment, n_workers, opts, said):
    reason = refusal(environment, n_workers=n_workers, opts=opts)
    assert reason is None if said is None else said in reason
    assert "secret" not in (reason or "")


def test_a_login_plugin_is_not_gone_around(monkeypatch):
    plugins = [EntryPoint(name, "x:y", "mlflow.app") for name in ("basic-auth", "errata", "oidc-auth")]
    monkeypatch.setattr(room, "entry_points", lambda group: plugins)
    assert "its login (oidc-auth) would be gone" in refusal({}, n_workers=1)
    monkeypatch.setattr(room, "entry_points", lambda group: plugins[:2])
    assert refusal({}, n_workers=1) is None, "basic-auth comes with every MLflow"


@pytest.fixture
def asked(monkeypatch):
    """What happens when `mlflow server` imports the module; the environment is as before afterwards."""
    for name in (TRACKING_URI, room.MLFLOW_UI, "MLFLOW_SERVER_ALLOWED_HOSTS", *room.LOGIN_SETTINGS):
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    return _asked


def _asked(**changes):
    @click.command()
    @click.pass_context
    def server(context):
        context.params |= ASKED | changes
        reload(sys.modules["mlflow_errata.server"])

    return CliRunner().invoke(server, [])


@pytest.mark.parametrize("workers", [None, "2"])
def test_many_workers_are_a_usage_error(asked, workers):
    done = asked(workers=workers)
    assert done.exit_code == 2
    assert "Error: MLflow and errata cannot be served on one port" in done.output


def test_gunicorn_is_a_usage_error(asked):
    assert "Leave --gunicorn-opts out" in asked(gunicorn_opts="--timeout 9").output


def test_the_app_is_told_where_mlflow_will_be_and_mlflow_answers_to_it(asked, monkeypatch):
    monkeypatch.setenv("MLFLOW_SERVER_ALLOWED_HOSTS", "mlflow.example.org")
    assert asked(static_prefix="/ml", host="0.0.0.0").exit_code == 0
    assert os.environ[TRACKING_URI] == "http://127.0.0.1:5000/ml"
    assert os.environ[room.MLFLOW_UI] == "/ml/"
    assert os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] == "mlflow.example.org,127.0.0.1:5000"


def test_another_app_is_left_alone(asked):
    assert asked(app_name="basic-auth", workers="4").exit_code == 0
    assert TRACKING_URI not in os.environ


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", "127.0.0.1:5"), ("0.0.0.0", "127.0.0.1:5"), ("10.0.0.9", "10.0.0.9:5"), ("::1", "[::1]:5")],
)
def test_own_address(host, own):
    assert own_address(host, 5) == own
