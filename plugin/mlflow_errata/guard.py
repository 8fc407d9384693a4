"""The guard before the app: whom it answers, by the names in a request's Host and Origin.

A page from elsewhere cannot reach the app through the browser of somebody who can: neither by a name that was made to
point here (DNS rebinding), nor by a form or a socket opened across sites. Streamlit's own check of hosts sees sockets
alone, and asks the internet for this machine's address before it turns a foreign origin away.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""A browser loads nothing from elsewhere, whatever a name in the data says."""
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
}
"""Headers of every answer, unless the app says otherwise."""
logger = logging.getLogger("mlflow_errata")


class Door(Protocol):
    """Whom a server answers."""

    def host(self, host: str) -> bool:
        """Whether a Host header names this server."""

    def origin(self, origin: str) -> bool:
        """Whether pages of another origin may reach this server."""


@dataclass(frozen=True)
class Names:
    """The names that a server answers to; ports do not count, since a proxy listens on another one.

    Parameters
    ----------
    names : tuple of str
        "*.example.org" stands for every name below example.org, "*" for every name.
    addresses : bool
        Whether it answers to every address too. An address is no name that somebody could point elsewhere.
    """

    names: tuple[str, ...]
    addresses: bool = False

    @classmethod
    def of(cls, host: str, more: tuple[str, ...] = ()) -> Names:
        """The names of a server that listens on a host: this machine, the host, and further ones."""
        own = socket.gethostname() if host in EVERYWHERE else host
        return cls(tuple(dict.fromkeys([*LOCAL, own, *more])), host in EVERYWHERE)

    def host(self, host: str) -> bool:
        """Whether a Host header is one of the names, or an address where addresses will do."""
        return self._named(host) or (self.addresses and _is_address(_name(host)))

    def origin(self, origin: str) -> bool:
        """Whether an origin is one of the names, as that of a proxy is."""
        return self._named(urlsplit(origin).netloc) if origin.count("://") == 1 else False

    def _named(self, host: str) -> bool:
        name = _name(host)
        known = [known.lower().strip("[]").rstrip(".") for known in self.names]
        below = tuple(known[1:] for known in known if known.startswith("*."))
        return bool(name) and (name in known or "*" in known or name.endswith(below))


class Guard:
    """An ASGI application that refuses foreign hosts and origins, and hands everything else on.

    Parameters
    ----------
    app : ASGI application
    door : Door
    remedy : str, what makes a server answer to a name
    """

    def __init__(self, app: App, door: Door, remedy: str) -> None:
        self.app, self.door, self.remedy = app, door, remedy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 with the reason, or hand the request on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        reason = self._refused(headers.get(b"host", ""), headers.get(b"origin"))
        if reason is None:
            await self.app(scope, receive, _with_headers(send))
            return
        logger.warning("%s", reason)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
            await send({"type": "http.response.start", "status": 403, "headers": head})
            await send({"type": "http.response.body", "body": f"errata: {reason}\n".encode()})

    def _refused(self, host: str, origin: str | None) -> str | None:
        """Why a request is refused; None if it is not."""
        if not self.door.host(host):
            return f"this server does not answer to the name {host[:200]!r}. {self.remedy}"
        if origin is None or urlsplit(origin).netloc == host or self.door.origin(origin):
            return None
        return f"pages of {origin[:200]!r} may not reach this server. {self.remedy}"


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(item for item in HEADERS.items() if item[0] not in said)]
        await send(message)

    return sending


def _name(host: str) -> str:
    """The name of a host and port, "" if there is none to read."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return "" if "@" in host or parts.path or parts.query else (parts.hostname or "").rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
