"""What stands before an S3 server: it can keep requests back, and send them when their senders are long gone."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

_OF_A_CONNECTION = frozenset({"connection", "transfer-encoding", "content-encoding"})


class LateStorage:
    """Sends requests on as they are, their signatures too; those of a kept method once `let_go` is called."""

    def __init__(self, target: str, http: aiohttp.ClientSession) -> None:
        self.url = ""
        self.keeps = ""
        """A method whose requests are kept back."""
        self.kept = asyncio.Event()
        self.refuses = 0
        """So many requests that write are refused, as by storage that is overloaded."""
        self._target, self._http = target, http
        self.waiting = 0
        """How many there are."""
        self._waiting = list[tuple[web.Request, bytes, asyncio.Future[web.Response]]]()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.method in {"PUT", "POST"} and self.refuses > 0:
            self.refuses -= 1
            return web.Response(status=503)
        if request.method == self.keeps:
            response: asyncio.Future[web.Response] = asyncio.get_running_loop().create_future()
            self._waiting.append((request, body, response))
            self.waiting = len(self._waiting)
            self.kept.set()
            return await response
        return await self._send(request, body)

    async def let_go(self) -> list[int]:
        """Send what was kept back, and return how storage responded."""
        self.keeps, self.waiting = "", 0
        waiting, self._waiting = self._waiting, []
        statuses = []
        for request, body, response in waiting:
            sent = await self._send(request, body)
            statuses.append(sent.status)
            if not response.done():
                response.set_result(sent)
        return statuses

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        url = URL(self._target + request.raw_path, encoded=True)
        async with self._http.request(request.method, url, data=io.BytesIO(body), headers=request.headers) as response:
            headers = {name: value for name, value in response.headers.items() if name.lower() not in _OF_A_CONNECTION}
            return web.Response(status=response.status, headers=headers, body=await response.read())


@asynccontextmanager
async def late_storage(target: str) -> AsyncIterator[LateStorage]:
    """Stand before a server until the context ends."""
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        late = LateStorage(target, http)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", late.handle)
        async with TestServer(app, shutdown_timeout=0) as server:
            late.url = str(server.make_url("")).rstrip("/")
            yield late
