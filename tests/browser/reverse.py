"""A reverse proxy for HTTP and sockets: it passes one path on to a server, as nginx and its like do."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Event, Thread

import aiohttp
from aiohttp import web

SESSION = web.AppKey("session", aiohttp.ClientSession)
HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "content-length"}
SOCKET = {*HOP, "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol"}


class Reverse:
    """Everything below a path goes on to a server; anything else is not found, and noted.

    `keeps_host` passes the name on that people typed; without it the server is asked by its own, as nginx does unless
    it is told otherwise.
    """

    def __init__(self, target, path, *, keeps_host):
        self.target, self.path, self.keeps_host = target, path, keeps_host
        self.missed = []

    async def answer(self, asked):
        if not asked.path.startswith(self.path):
            self.missed.append(asked.path)
            raise web.HTTPNotFound
        if asked.headers.get("Upgrade", "").lower() == "websocket":
            return await self.socket(asked)
        return await self.page(asked)

    def headers(self, asked, without):
        kept = [(name, value) for name, value in asked.headers.items() if name.lower() not in without]
        return [*kept, ("Host", asked.headers["Host"])] if self.keeps_host else kept

    async def page(self, asked):
        async with asked.app[SESSION].request(
            asked.method,
            f"{self.target}{asked.rel_url}",
            headers=self.headers(asked, HOP),
            data=await asked.read(),
            allow_redirects=False,
        ) as told:
            headers = [(name, value) for name, value in told.headers.items() if name.lower() not in HOP]
            return web.Response(status=told.status, headers=headers, body=await told.read())

    async def socket(self, asked):
        wanted = [item.strip() for item in asked.headers.get("Sec-WebSocket-Protocol", "").split(",") if item.strip()]
        way = asked.app[SESSION].ws_connect(
            f"{self.target}{asked.rel_url}", protocols=wanted, headers=self.headers(asked, SOCKET), max_msg_size=0
        )
        async with way as far:
            near = web.WebSocketResponse(protocols=[far.protocol] if far.protocol else [], max_msg_size=0)
            await near.prepare(asked)
            both = [asyncio.ensure_future(carry(near, far)), asyncio.ensure_future(carry(far, near))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for end in both:
                end.cancel()
            return near


async def carry(source, target):
    async for message in source:
        if message.type == aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type == aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)


@contextmanager
def reverse(target, path, *, keeps_host):
    """A proxy that runs, and the port that it listens on."""
    made, ready = Reverse(target, path, keeps_host=keeps_host), Event()
    loop = asyncio.new_event_loop()
    ports = []

    async def begin():
        app = web.Application(client_max_size=2**26)
        # its own compression is left as it comes
        app[SESSION] = aiohttp.ClientSession(auto_decompress=False)
        app.router.add_route("*", "/{path:.*}", made.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(site._server.sockets[0].getsockname()[1])
        ready.set()
        return app, runner

    def run():
        asyncio.set_event_loop(loop)
        app, runner = loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(app[SESSION].close())
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = Thread(target=run, daemon=True)
    thread.start()
    ready.wait(20)
    try:
        yield made, ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
