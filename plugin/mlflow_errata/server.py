"""MLflow and the app on one port: `mlflow server --app-name errata --workers 1`, the app under /errata.

`mlflow server` imports this module before it starts a worker, so what cannot be served is refused then, and why.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlflow_errata.errors import AppMissing
from mlflow_errata.errors.stored import NotServed
from mlflow_errata.guard import EVERYWHERE, LOCAL, App, Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

PATH = "/errata"
TRACKING_URI = "ERRATA_TRACKING_URI"
MLFLOW_UI = "ERRATA_MLFLOW_UI"
"""Where the app's links to MLflow's own pages lead: on this server."""
WITHOUT_LOGIN = "ERRATA_WITHOUT_LOGIN"
LOGIN_SETTINGS = ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_AUTH_ADMIN_USERNAME")
OWN_APPS = ("errata", "basic-auth")
REMEDY = "Name it when the server is started: mlflow server --allowed-hosts NAME."


def create_app() -> App:
    """MLflow's server with the app under /errata, as one ASGI application.

    Raises
    ------
    SystemExit
        With the reason, where it cannot be served: more than one worker, or a login that it would go around.
    """
    reason = refusal(os.environ, n_workers=1 if multiprocessing.parent_process() is None else 2)
    if reason is not None:
        raise SystemExit(f"errata: {NotServed(reason)}")
    from mlflow.server.fastapi_app import create_fastapi_app  # noqa: PLC0415 - after the settings that it reads

    served: Any = create_fastapi_app()
    _mount(served, os.environ.get("_MLFLOW_STATIC_PREFIX", "").rstrip("/") + PATH)
    return served  # type: ignore[no-any-return]


def refusal(environment: Mapping[str, str], *, n_workers: int, opts: str | None = None) -> str | None:
    """Why MLflow and the app cannot be served on one port; None if they can.

    Parameters
    ----------
    environment : mapping
    n_workers : int
    opts : str or None, "gunicorn" or "waitress" where one of these is to serve
    """
    if n_workers != 1:
        return "the app keeps its sessions in one process. Add --workers 1."
    if opts is not None:
        return f"{opts} serves no sockets, which the app needs. Leave --{opts}-opts out."
    if environment.get(WITHOUT_LOGIN):
        return None
    told = [name for name in LOGIN_SETTINGS if environment.get(name)]
    told += [item.name for item in entry_points(group="mlflow.app") if item.name not in OWN_APPS]
    if told:
        return (
            f"MLflow serves one --app-name, so its login ({', '.join(told)}) would be gone and everything open. Serve "
            "MLflow with its login and the app beside it (errata ui --tracking-uri http://...), or set "
            f"{WITHOUT_LOGIN}=1 if nobody is to log in."
        )
    return None


def _begin() -> None:
    """Refuse what `mlflow server` was asked for as a usage error of its own, or tell the app where MLflow will be."""
    context = click.get_current_context(silent=True)
    if context is None or context.params.get("app_name") != "errata":
        return
    wanted = context.params
    opts = next((name for name in ("gunicorn", "waitress") if wanted.get(f"{name}_opts")), None)
    reason = refusal(os.environ, n_workers=int(wanted.get("workers") or 4), opts=opts)
    if reason is not None:
        raise click.UsageError(str(NotServed(reason)), ctx=context)
    address = own_address(wanted["host"], wanted["port"])
    prefix = (wanted.get("static_prefix") or "").rstrip("/")
    os.environ.setdefault(TRACKING_URI, f"http://{address}{prefix}")
    os.environ.setdefault(MLFLOW_UI, f"{prefix}/")
    named = os.environ.get("MLFLOW_SERVER_ALLOWED_HOSTS")
    if named:  # MLflow has to answer to the app, which asks it by its address
        os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = f"{named},{address}"


def own_address(host: str, port: int | str) -> str:
    """Host and port by which a server that listens on a host reaches itself."""
    own = LOCAL[1] if host in EVERYWHERE else host
    return f"[{own}]:{port}" if ":" in own else f"{own}:{port}"


# -- the app inside MLflow's ------------------------------------------------------------------------------------------


def _mount(served: Any, path: str) -> None:
    """Put the app under a path, before MLflow's own catch-all, and run its lifespan inside MLflow's."""
    put_back = _access_log()
    import streamlit  # noqa: PLC0415 - slow to import, and only this needs it
    from starlette.responses import RedirectResponse  # noqa: PLC0415
    from starlette.routing import Mount, Route  # noqa: PLC0415

    # who reaches the app is decided by MLflow's settings, and by _Door, which reads them for sockets too
    os.environ |= {"STREAMLIT_SERVER_ADDRESS": EVERYWHERE[0], "STREAMLIT_SERVER_ALLOWED_HOSTS": "*"}
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true"}
    app = streamlit.App(app_path())
    inner, outer = app.lifespan(), served.router.lifespan_context
    put_back()

    @asynccontextmanager
    async def both(parent: Any) -> AsyncIterator[Any]:
        async with outer(parent) as state, inner(parent):
            put_back()
            yield state

    served.router.lifespan_context = both
    slash = Route(path, lambda asked: RedirectResponse(_with_slash(asked.url)), methods=["GET", "HEAD"])
    served.router.routes[:0] = [slash, Mount(path, app=Guard(app, _Door(), REMEDY))]


def _access_log() -> Callable[[], None]:
    """Puts the server's loggers back as they are now: Streamlit gives each a handler of its own, so all came twice."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access", "uvicorn.asgi", "uvicorn.error")]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]

    def put_back() -> None:
        for logger, handlers, level, propagate in before:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)

    return put_back


def app_path() -> Path:
    """The app's script, wherever it is installed.

    Raises
    ------
    AppMissing
    """
    found = find_spec("errata_app")
    if found is None or found.origin is None:
        raise AppMissing
    return Path(found.origin).parent / "app.py"


def _with_slash(url: Any) -> str:
    return f"{url.path}/{'?' + url.query if url.query else ''}"


class _Door:
    """Whom MLflow's own settings let in."""

    def __init__(self) -> None:
        from mlflow.server import fastapi_security, security_utils  # noqa: PLC0415

        self._named: Callable[[list[str], str], bool] = security_utils.is_allowed_host_header
        self._blocks: Callable[[str, str, list[str]], bool] = security_utils.should_block_cors_request
        off = os.environ.get("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE") == "true"
        self._hosts = ["*"] if off else fastapi_security.get_allowed_hosts()
        self._origins = ["*"] if off else fastapi_security.get_allowed_origins()

    def host(self, host: str) -> bool:
        """Whether MLflow answers to a host."""
        return self._named(self._hosts, host)

    def origin(self, origin: str) -> bool:
        """Whether MLflow takes requests that change something from pages of an origin."""
        return not self._blocks(origin, "POST", self._origins)


_begin()
