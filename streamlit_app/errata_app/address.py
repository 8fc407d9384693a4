"""Where things are: the store, MLflow's own pages, and this view."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import streamlit as st

LOCAL = ("localhost", "127.0.0.1", "::1")
SQLITE = "sqlite:///"
WORKSPACE = "#workspace="


def tracking_uri() -> str:
    """The store that the app was started on, with the workspace that was chosen where it has any."""
    chosen = st.session_state.get("workspace chosen")
    return f"{store()}{WORKSPACE}{chosen}" if chosen else store()


def store() -> str:
    """The store that the app was started on."""
    return os.environ.get("ERRATA_TRACKING_URI") or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def is_absent(uri: str) -> bool:
    """Whether the store is a file that is not there; MLflow would make an empty one."""
    return uri.startswith(SQLITE) and not database_of(uri).is_file()


def database_of(uri: str) -> Path:
    """The file of a store that is one."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0])


def is_own(uri: str) -> bool:
    """Whether a store is a file, and the app answers to this machine alone: nobody else's, and nobody else is here."""
    return uri.startswith(SQLITE) and st.get_option("server.address") in LOCAL


def run_in_mlflow(uri: str, experiment_id: str, run_id: str) -> str:
    """The page of a run in MLflow's own UI; empty where no server shows this store.

    `ERRATA_MLFLOW_UI` names a server whose address is not that of the store; a path is one of the app's own server.
    """
    uri, _, workspace = uri.partition(WORKSPACE)
    base = os.environ.get("ERRATA_MLFLOW_UI") or (uri if uri.startswith(("http://", "https://")) else "")
    if base.startswith("/"):
        base = "/".join(str(st.context.url or "").split("/")[:3]) + base
    if not base.startswith(("http://", "https://")):
        return ""
    within = f"?workspace={quote(workspace)}" if workspace else ""
    return f"{base.rstrip('/')}/#/experiments/{quote(experiment_id)}/runs/{quote(run_id)}{within}"
