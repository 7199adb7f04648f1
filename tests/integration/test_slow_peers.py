"""Homeservers that never respond, and names that never resolve, hold up nobody else: a service and its peers."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.installation import Installation

# What a name server that says nothing does to `getaddrinfo` (glibc waits up to 30 s), and to queries of our own.
_SILENT = """
import socket, threading, time
import dns.asyncresolver

_ask = socket.getaddrinfo
_deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_deaf.bind(("127.0.0.1", 0))

def getaddrinfo(host, *args, **kwargs):
    if "silent" in str(host):
        time.sleep(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _ask(host, *args, **kwargs)

socket.getaddrinfo = getaddrinfo
resolver = dns.asyncresolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ["127.0.0.1"], _deaf.getsockname()[1]
dns.asyncresolver.default_resolver = resolver
"""
FLOOD = 120


@asynccontextmanager
async def _serving(handle: Any) -> AsyncIterator[str]:  # noqa: ANN401 - aiohttp's own type
    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@pytest.fixture
def silent_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "silent"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SILENT)
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.usefixtures("silent_names")
async def test_silent_peers_hold_up_nobody_else(spare: Installation) -> None:
    requested = asyncio.Event()

    async def never(_request: web.Request) -> web.Response:
        requested.set()
        await asyncio.sleep(60)
        return web.Response()

    async def at_once(_request: web.Request) -> web.Response:
        return web.json_response({"sub": "@carol:quick.test"})

    async with _serving(never) as dead, _serving(at_once) as quick:
        peers = {"dead.test": dead, "silent.test": "http://silent.test:8008", "quick.test": quick}
        spare.write_config(identity={"homeservers": peers, "federation": True})
        async with spare.running(), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            addresses = itertools.count()

            async def session(server: str) -> int:
                # Each from elsewhere, as a proxy in front of us would say: who floods is not one client.
                headers = {"X-Forwarded-For": f"2001:db8:{next(addresses):x}::1"}
                token = {"access_token": "token", "matrix_server_name": server}
                body = {"openid_token": token, "room_id": "!room:test.local"}
                async with http.post(f"{spare.url}/api/v1/session", json=body, headers=headers) as response:
                    return response.status

            flood = [
                asyncio.create_task(session(name))
                for n in range(FLOOD)
                for name in ("dead.test", "silent.test", f"x{n}.silent{n}.example")
            ]
            await asyncio.wait_for(requested.wait(), 30)
            async with asyncio.timeout(8):
                # A user of the quick one is known at once; that there is no such room is another matter.
                assert [await session("quick.test") for _ in range(10)] == [403] * 10
                for path in ("/live", "/ready", "/widget/"):
                    async with http.get(spare.url + path) as response:
                        assert response.status == 200
                # So large a transaction is read in a thread.
                events = [{"type": "org.example.nothing", "padding": "x" * 300_000}]
                assert (await spare.transaction(http, events))[0] == 200
            assert sum(not task.done() for task in flood) >= 30
            # Too many at once are refused; the others wait for their time-outs, which nobody else needs to.
            assert {task.result() for task in flood if task.done()} == {503}
            for task in flood:
                task.cancel()
            await asyncio.gather(*flood, return_exceptions=True)
