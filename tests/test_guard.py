"""The guard before the app: who gets in, who is told why not."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import pytest

from mlflow_errata.guard import HEADERS, Guard, Names

REMEDY = "Name it."


async def inside(scope, receive, send):
    """An application that says yes and what it was asked."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"DENY")]})
    await send({"type": "http.response.body", "body": scope["method"].encode()})


def answer(door, method="GET", kind="http", **headers):
    """What the guard answers to a request: status, headers, text; or the first message to a socket."""
    sent = []
    headers = {"host": "localhost:8501"} | headers
    scope = {"type": kind, "method": method, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(inside, door, REMEDY)(scope, receive, send))
    if kind == "websocket":
        return sent[0]["type"]
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return SimpleNamespace(status=sent[0]["status"], headers=found, text=sent[1]["body"].decode())


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:1", "[::1]:8501", "localhost."])
def test_its_own_names_get_in(host):
    assert Names.of("127.0.0.1").host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "localhost@evil.example",
        "evil@localhost",
        "localhost:port",
        "10.0.0.1",
        "[::1",
        "127.0.0.1.evil.example",
        "localhost,evil.example",
        "2130706433",
    ],
)
def test_foreign_names_do_not(host):
    assert not Names.of("127.0.0.1", ("errata.example.org",)).host(host)


def test_listening_everywhere_it_answers_to_addresses_and_its_own_name_but_to_no_other_name():
    door = Names.of("0.0.0.0")
    assert door.host("10.1.2.3:8501")
    assert door.host("[fd00::1]:8501")
    assert door.host(f"{socket.gethostname()}:8501")
    assert not door.host("evil.example")
    assert not door.origin("http://10.1.2.3"), "an address of a host is no leave for pages from it"


def test_a_star_stands_for_what_is_below():
    door = Names(("*.example.org",))
    assert door.host("errata.example.org")
    assert not door.host("example.org")
    assert not door.host("badexample.org")
    assert Names(("*",)).host("whatever")


def test_a_foreign_host_is_told_why():
    refused = answer(Names.of("127.0.0.1"), host="evil.example")
    assert refused.status == 403
    assert refused.text == "errata: this server does not answer to the name 'evil.example'. Name it.\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://"])
def test_a_foreign_origin_is_refused(method, origin):
    refused = answer(Names.of("127.0.0.1"), method, origin=origin)
    assert refused.status == 403
    assert "may not reach this server" in refused.text


@pytest.mark.parametrize("origin", ["http://localhost:8501", "https://errata.example.org", "http://127.0.0.1:3000"])
def test_its_own_origin_and_that_of_its_proxy_get_in(origin):
    door = Names.of("127.0.0.1", ("errata.example.org",))
    assert answer(door, "POST", origin=origin).text == "POST"


def test_the_same_origin_gets_in_by_an_address():
    door = Names.of("0.0.0.0")
    assert answer(door, "POST", host="10.1.2.3:8501", origin="http://10.1.2.3:8501").status == 200
    assert answer(door, "POST", host="10.1.2.3:8501", origin="http://10.6.6.6").status == 403


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"origin": "http://localhost:8501"}, "websocket.accept"),
        ({"origin": "http://evil.example"}, "websocket.close"),
        ({"host": "evil.example", "origin": "http://evil.example"}, "websocket.close"),
    ],
)
def test_sockets_too(headers, said):
    assert answer(Names.of("127.0.0.1"), kind="websocket", **headers) == said


def test_every_answer_carries_the_headers_and_keeps_its_own():
    given = answer(Names.of("127.0.0.1")).headers
    assert given["x-frame-options"] == "DENY"
    for name, value in HEADERS.items():
        if name != b"x-frame-options":
            assert given[name.decode()] == value.decode()
    assert answer(Names.of("127.0.0.1"), host="evil.example").headers["x-frame-options"] == "SAMEORIGIN"
