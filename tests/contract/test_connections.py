"""Slow, silent and many connections do not keep anybody else from a response."""

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from appservice.web.connections import ConnectionBounds, ConnectionLimits, Deadlines
from tests.support.installation import Installation
from tests.support.service import Service
from tests.support.waiting import eventually

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

SHORT = Deadlines(head=0.5, idle=0.5, body=0.5, body_least=64, send=1.0)
PATIENT = Deadlines(head=600, idle=600, body=600)
ROOMY = ConnectionLimits(total=100, per_address=100)
HALF_OPEN = b"GET /live HTTP/1.1\r\nHost: x\r\nX-Slow: "
CHUNKED = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
ENDLESS = 64 * 1024 * 1024


async def _live(_: web.Request) -> web.Response:
    return web.json_response({"status": "live"})


async def _body(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def _long(_: web.Request) -> web.Response:
    return web.Response(body=bytes(ENDLESS))


@asynccontextmanager
async def served(bounds: ConnectionBounds, enough: asyncio.Event | None = None) -> AsyncIterator[tuple[str, int]]:
    async def late(_: web.Request) -> web.Response:
        if enough:
            await enough.wait()
        return web.Response(text="late")

    app = web.Application()
    app.add_routes([web.get("/late", late), web.get("/live", _live), web.post("/body", _body), web.get("/long", _long)])
    async with bounds.listening(app, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield host, port


@asynccontextmanager
async def connected(address: tuple[str, int], *sent: bytes) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        for data in sent:
            writer.write(data)
            await writer.drain()
        yield reader, writer
    finally:
        writer.transport.abort()


def _polled(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def poll() -> bool:
        return condition()

    return poll


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what comes before the connection's end, however it ends."""
    got = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            while data := await reader.read(65536):
                got += data
    return got


async def alive(address: tuple[str, int]) -> bool:
    async with connected(address, b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as (reader, _):
        return b" 200 " in await ended(reader)


@pytest.mark.parametrize("sent", [b"", b"GET", HALF_OPEN, POST, POST + b"x" * 20, CHUNKED])
async def test_a_connection_that_stalls_is_closed(sent: bytes) -> None:
    async with served(ConnectionBounds(ROOMY, deadlines=SHORT)) as address, connected(address, sent) as (reader, _):
        assert await ended(reader) == b""


async def test_a_head_after_another_request_has_its_deadline() -> None:
    whole = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
    deadlines = Deadlines(head=0.5, idle=600)
    async with (
        served(ConnectionBounds(ROOMY, deadlines=deadlines)) as address,
        connected(address, whole) as (reader, writer),
    ):
        assert b" 200 " in await reader.readuntil(b"}")
        writer.write(HALF_OPEN)
        assert await ended(reader) == b""


async def test_a_head_that_drips_has_no_more_time() -> None:
    async with (
        served(ConnectionBounds(ROOMY, deadlines=SHORT)) as address,
        connected(address, HALF_OPEN) as (reader, w),
    ):

        async def drip() -> None:
            while True:
                w.write(b"x")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await ended(reader) == b""
        dripping.cancel()


async def test_a_body_that_goes_on_has_all_the_time_it_needs() -> None:
    """Ten deadlines long, and always a little more than the least."""
    slowly = Deadlines(head=0.5, idle=0.5, body=0.5, body_least=64)
    head = POST.replace(b"100000", b"12800")
    async with (
        served(ConnectionBounds(ROOMY, deadlines=slowly)) as address,
        connected(address, head) as (reader, writer),
    ):
        for _ in range(50):
            writer.write(b"x" * 256)
            await asyncio.sleep(0.1)
        assert b" 200 " in await reader.readuntil(b"12800")


async def test_who_never_reads_is_left() -> None:
    bounds = ConnectionBounds(ROOMY, deadlines=SHORT)
    async with served(bounds) as address, connected(address) as (reader, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(_polled(lambda: bounds.count == 1))
        await eventually(_polled(lambda: bounds.count == 0))
        assert len(await ended(reader)) < ENDLESS


async def test_who_reads_slowly_but_steadily_is_not_left() -> None:
    bounds = ConnectionBounds(ROOMY, deadlines=replace(SHORT, send=2.0))
    async with served(bounds) as address, connected(address, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n") as (reader, _):
        loop = asyncio.get_running_loop()
        started, got = loop.time(), 0
        while loop.time() < started + 4 * bounds.deadlines.send:
            got += len(await reader.readexactly(32 * 1024))
            await asyncio.sleep(0.05)
        assert got < ENDLESS
        assert bounds.count == 1


async def test_slow_readers_make_room() -> None:
    bounds = ConnectionBounds(ConnectionLimits(total=3, per_address=3), (), PATIENT)
    async with served(bounds) as address, contextlib.AsyncExitStack() as stack:
        request = b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"
        for _ in range(3):
            await stack.enter_async_context(connected(address, request))
        await eventually(_polled(lambda: bounds.waiting == 0))

        async def has_room() -> bool:
            return await alive(address)

        await eventually(has_room, what="room for one more")


@pytest.mark.parametrize(
    ("limits", "trusted"),
    [
        (ConnectionLimits(total=20, per_address=20), ()),
        (ConnectionLimits(total=20, per_address=5), (IPv4Network("127.0.0.0/8"),)),
        (ConnectionLimits(total=1000, per_address=20), ()),
    ],
    ids=["in all", "in all, by a proxy", "from one address"],
)
async def test_waiting_connections_make_room(limits: ConnectionLimits, trusted: tuple[IPv4Network, ...]) -> None:
    bounds = ConnectionBounds(limits, trusted, PATIENT)
    async with served(bounds) as address, contextlib.AsyncExitStack() as stack:
        readers = [(await stack.enter_async_context(connected(address, HALF_OPEN)))[0] for _ in range(60)]
        assert await alive(address)
        assert bounds.count <= 20
        assert await ended(readers[0]) == b"", "the one that was silent longest is closed first"


async def test_unfinished_bodies_make_room_before_one_that_comes() -> None:
    bounds = ConnectionBounds(ConnectionLimits(total=20, per_address=20), (), PATIENT)
    async with (
        served(bounds) as address,
        contextlib.AsyncExitStack() as stack,
        connected(address, POST) as (reader, writer),
    ):
        for _ in range(60):
            await stack.enter_async_context(connected(address, POST))
            writer.write(bytes(1000))
            assert await alive(address)
        writer.write(bytes(40_000))
        assert b" 200 " in await reader.readuntil(b"100000")


async def test_connections_at_work_are_not_closed_for_others() -> None:
    bounds = ConnectionBounds(ConnectionLimits(total=3, per_address=3), (), PATIENT)
    enough = asyncio.Event()
    async with served(bounds, enough) as address, contextlib.AsyncExitStack() as stack:
        request = b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
        working = [await stack.enter_async_context(connected(address, request)) for _ in range(3)]
        await eventually(_polled(lambda: bounds.waiting == 0))
        async with connected(address, HALF_OPEN) as (reader, _):
            assert await ended(reader) == b"", "there is no room for one more"
        enough.set()
        for reader, _ in working:
            assert b" 200 " in await reader.readuntil(b"late")
        assert await alive(address), "they have become waiting ones"


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /live HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_is_not_http_gets_a_json_response(service: Service, sent: bytes) -> None:
    parts = urlsplit(service.url)
    async with connected((str(parts.hostname), parts.port or 0), sent) as (reader, _):
        head, _, body = (await ended(reader)).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"\r\ncontent-type: application/json" in head.lower()
    assert set(json.loads(body)) == {"errcode", "error"}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", b"400"),
        (b"Transfer-Encoding: gzip\r\n\r\nabc", b"400"),
        (b"Transfer-Encoding: nonsense\r\n\r\nabc", b"400"),
        (b"Transfer-Encoding: chunked, gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"Content-Length: -1\r\n\r\nabc", b"400"),
        (b"Content-Length: 3, 3\r\n\r\nabc", b"400"),
        (b"Content-Length: 99999999999999999999999\r\n\r\nabc", b"400"),
        (b"Content-Length: 3\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\nabc", b"400"),
        (b"Content-Length: 3\r\nContent-Encoding: br\r\n\r\nabc", b"400"),
        (b"Content-Length: 3\r\nExpect: the-impossible\r\n\r\nabc", b"417"),
    ],
)
async def test_a_body_that_is_not_http_gets_a_json_response(service: Service, sent: bytes, status: bytes) -> None:
    parts = urlsplit(service.url)
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
    async with connected((str(parts.hostname), parts.port or 0), head + sent) as (reader, _):
        headers, _, body = (await ended(reader)).partition(b"\r\n\r\n")
    assert headers.split()[1] == status
    assert b"\r\ncontent-type: application/json" in headers.lower()
    assert set(json.loads(body)) == {"errcode", "error"}


async def test_the_service_lives_under_a_thousand_slow_connections(
    reel: Installation, http: aiohttp.ClientSession
) -> None:
    parts = urlsplit(reel.url)
    address = (str(parts.hostname), parts.port or 0)
    slow = [HALF_OPEN] * 50 + [POST.replace(b"/body", b"/api/v1/session")] * 50
    took = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await asyncio.gather(*(stack.enter_async_context(connected(address, sent)) for sent in slow))
        for _ in range(100):
            started = time.monotonic()
            async with http.get(f"{reel.url}/live") as response:
                assert response.status == 200
            took.append(time.monotonic() - started)
    assert statistics.quantiles(took, n=100)[98] < 5
