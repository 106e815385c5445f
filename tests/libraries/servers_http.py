"""An HTTP server that answers with what keeps a client waiting; runs in the child."""

from __future__ import annotations

import asyncio

from aiohttp import web


class Server:
    """Serves on a port of its own as long as the program runs."""

    def __init__(self):
        self.over = asyncio.Event()

    async def start(self):
        """Begin to serve; gives the address to ask."""
        app = web.Application()
        app.router.add_get("/short", self.short)
        app.router.add_get("/never", self.never)
        app.router.add_get("/body", self.body)
        app.router.add_get("/ws", self.socket)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def short(self, request):
        return web.Response(text="short")

    async def never(self, request):
        """No answer."""
        await self.over.wait()
        return web.Response()

    async def body(self, request):
        """Headers and a first piece of the body; no more."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await self.over.wait()
        return response

    async def socket(self, request):
        response = web.WebSocketResponse()
        await response.prepare(request)
        await self.over.wait()
        return response
