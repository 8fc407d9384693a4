"""Workspaces: MLflow's own walls inside one server. The address of a store may end in "#workspace=NAME"."""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "#workspace="
_ONE_AT_A_TIME = RLock()


@contextmanager
def client_of(tracking_uri: str | None) -> Iterator[MlflowClient]:
    """A client of a store, inside its workspace where the address names one.

    MLflow hands the workspace to the threads that fetch files through the environment, which is one for the whole
    process: whoever names a workspace waits for the others.
    """
    uri, _, workspace = (tracking_uri or mlflow.get_tracking_uri()).partition(MARK)
    if not workspace:
        yield MlflowClient(tracking_uri=uri)
        return
    from mlflow.utils.workspace_context import WorkspaceContext  # noqa: PLC0415 - MLflow before 3.10 has none

    with _ONE_AT_A_TIME, WorkspaceContext(workspace):
        yield MlflowClient(tracking_uri=uri)


def workspaces_of(client: MlflowClient) -> tuple[str, ...]:
    """Names of the workspaces that a user may see, MLflow's own "default" first; empty where there are none.

    Raises
    ------
    MlflowException
        If the store does not answer.
    """
    if not _has_any(client):
        return ()
    names = [str(item.name) for item in client.list_workspaces()]
    return tuple(sorted(names, key=lambda name: (name != "default", name)))


def _has_any(client: MlflowClient) -> bool:
    """Whether a server says that it has workspaces; one without would answer as if it were down when asked for them.

    A server that is older, that refuses or is down says nothing here; the next question tells which.
    """
    store = client._tracking_client.store  # noqa: SLF001 - no public name asks a server what it can
    try:
        return bool(getattr(store, "supports_workspaces", False))
    except MlflowException:
        return False
