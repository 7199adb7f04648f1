"""What does a room of 200 members with 50 videos each cost: its first answer, a rename for 1,000 viewers, their memory?

Each against bare aiohttp handlers that answer, or send to as many event streams, the same bytes, in the same run.
`./run bench room`
"""

import asyncio
import contextlib
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import yaml

from appservice.core.model import RoomId, UserId
from appservice.core.tokens import Session, issue_session
from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.synapse import free_port
from bench._viewers import Viewers
from tests.support.factories import rendition

MEMBERS, VIDEOS, STREAMS, WARM = 200, 50, 1000, 50
REQUESTS, RENAMES = 300, 7
FIRST_MS, LAST_MS, FIRST_KB = 20, 50, 40
RENAME_BYTES, RENAME_MS, STREAM_KB = 1000, 150, 30
ROOM, EMPTY, SERVER = RoomId("!large:example.org"), RoomId("!empty:example.org"), "example.org"

_FILL_ROOM = """
INSERT INTO rooms (room_id, name, bot_membership, history, power_levels, bot_joined_at)
VALUES ($1, 'A large room', 'join', 'shared', '{"users": {"@member0:example.org": 100}}', 'epoch')
"""
_FILL_MEMBERS = """
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc)
SELECT $1, '@member' || n || ':example.org', 'join',
    initcap(substr(md5(n::text), 1, 4 + n % 7)) || ' ' || substr(md5('b' || n), 1, 6),
    'mxc://example.org/' || md5('avatar' || n)
FROM generate_series(0, $2::integer - 1) AS n
"""
_FILL_VIDEOS = """
INSERT INTO videos (
    event_id, room_id, sent_in, sender, title, mxc, certain, state, position, stage, has_poster, has_preview,
    duration, width, height, renditions, sent_at, blurhash, history, arrived_at, bytes, storyboard
)
SELECT '$' || translate(rtrim(encode(sha256(('event' || m || '.' || n)::bytea), 'base64'), '='), '+/', '-_'), $1, $1,
    '@member' || m || ':example.org',
    'VID_' || (m * 7919 + n * 104729) % 9999 || substr(md5(m || 't' || n), 1, 6) || '.mp4',
    'mxc://example.org/' || md5(m || 'file' || n), true, 'ready', 1750000000000 + n * 60000 + m, '1-ready', true, true,
    5 + (m + n) % 30, 1280, 720, $4::jsonb, 1750000000000 + (n * 7919 + m * 104729) % 10000000,
    'L' || substr(md5(m || 'hash' || n), 1, 27), 'shared', now(), 900000, $5::jsonb
FROM generate_series(0, $2::integer - 1) AS m, generate_series(0, $3::integer - 1) AS n
"""


@dataclass(frozen=True)
class Running:
    """A server on a port of this machine."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> int:
        """Return its own memory in bytes."""
        return int(self.process.memory_full_info().uss)


@asynccontextmanager
async def _running(ready: str, port: int, log: Path, *command: str) -> AsyncIterator[Running]:
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{port}{ready}"):
                        break
                await asyncio.sleep(0.1)
        yield Running(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        await process.wait()


def _serve(folder: Path, dsn: str) -> contextlib.AbstractAsyncContextManager[Running]:
    port = free_port()
    config = folder / "config.yaml"
    sections = {
        "homeserver": {"url": "http://127.0.0.1:9", "server_name": SERVER},
        "appservice": {"url": f"http://127.0.0.1:{port}", "as_token": "a" * 32, "hs_token": "h" * 32},
        "web": {"public_url": f"http://127.0.0.1:{port}", "port": port},
        "metrics": {"port": free_port()}, "database": dsn, "data_dir": str(folder / "data"),
        "permissions": {"*": "user"},
    }  # fmt: skip
    config.write_text(yaml.safe_dump(sections))
    return _running("/ready", port, folder / "log", "roomreel", "serve", "--no-worker", "-c", str(config))


async def _fill(dsn: str) -> bytes:
    """Make the room, and return the key by which sessions are signed."""
    connection = await asyncpg.connect(dsn)
    try:
        ladder = json.dumps([rendition(name, seconds=12.0).to_json() for name in ("720", "480", "360", "240")])
        board = json.dumps({"columns": 10, "count": 70, "width": 160, "height": 90, "interval": 1.0})
        for room_id in (ROOM, EMPTY):
            await connection.execute(_FILL_ROOM, room_id)
            await connection.execute(_FILL_MEMBERS, room_id, MEMBERS)
        await connection.execute(_FILL_VIDEOS, ROOM, MEMBERS, VIDEOS, ladder, board)
        await connection.execute("VACUUM ANALYZE")
        key: bytes = await connection.fetchval("SELECT value FROM secrets WHERE name = 'signing'")
        return key
    finally:
        await connection.close()


def _headers(key: bytes, member: int, number: int = 0, room_id: RoomId = ROOM) -> dict[str, str]:
    ends = int((time.time() + 3600) * 1000) + number
    token = issue_session(key, Session(UserId(f"@member{member}:{SERVER}"), room_id, ends))
    return {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}


async def _time(requests: Sequence[Callable[[], Awaitable[int]]]) -> tuple[float, float, int]:
    """Return p50 and p99 in ms, and the median of bytes."""
    times, sizes = [], []
    for request in requests:
        started = time.perf_counter()
        sizes.append(await request())
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))], round(statistics.median(sizes))


async def _first_answer(http: aiohttp.ClientSession, ours: Running, bare: Running, key: bytes) -> None:
    async def fetch(url: str, member: int) -> int:
        async with http.get(url, headers=_headers(key, member)) as response:
            body = await response.read()
            assert response.status == 200, body
            return len(body)

    room = f"{ours.url}/api/v1/rooms/{ROOM}"
    cold = await _time([lambda: fetch(f"{room}/overview", 1)])
    print(f"first answer right after the start: {cold[0]:.0f} ms")
    async with http.get(f"{room}/overview", headers=_headers(key, 1)) as response:
        answer = await response.read()
        assert response.headers["Content-Encoding"] == "gzip"
    async with http.put(f"{bare.url}/answer", data=answer):
        pass

    async def renamed(member: int) -> int:
        await _rename(http, ours, key, f"Another title {member}")
        return 0

    for name, what in (("overview", "/overview"), ("room, whole addresses", ""), ("mine", "/mine")):
        p50, p99, size = await _time([partial(fetch, room + what, n % MEMBERS) for n in range(REQUESTS)])
        floor = (await _time([partial(fetch, f"{bare.url}/answer", n % MEMBERS) for n in range(REQUESTS)]))[0]
        print(
            f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {size / 1000:.1f} kB; {p50 / floor:.1f} × a bare handler "
            f"(goals {FIRST_MS}, {LAST_MS}, {FIRST_KB} kB)"
        )
    times = []
    for n in range(20):
        await renamed(n)
        times.append((await _time([partial(fetch, f"{room}/overview", n)]))[0])
    print(f"overview right after a change: p50 {statistics.median(times):.1f} ms, worst of 20 {max(times):.1f} ms")
    print(f"  whole: {len(gzip.decompress(answer)) / 1000:.0f} kB before gzip")


async def _videos(http: aiohttp.ClientSession, ours: Running, key: bytes) -> list[dict[str, Any]]:
    url = f"{ours.url}/api/v1/rooms/{ROOM}/videos?of=@member3:{SERVER}"
    async with http.get(url, headers={**_headers(key, 3), "Accept-Encoding": "identity"}) as response:
        videos: list[dict[str, Any]] = (await response.json())["videos"]
        return videos


async def _rename(http: aiohttp.ClientSession, ours: Running, key: bytes, title: str) -> None:
    (video, *_) = await _videos(http, ours, key)
    url = f"{ours.url}/api/v1/videos/{video['id']}"
    async with http.patch(url, headers=_headers(key, 3), json={"title": title}) as response:
        assert response.status == 200, await response.text()


async def _spent(servers: Sequence[psutil.Process], work: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """Return the ms of processor that servers take for some work, and what it returns."""
    before = sum(map(_processor_ms, servers))
    result = await work()
    return sum(map(_processor_ms, servers)) - before, result


def _processor_ms(process: psutil.Process) -> float:
    """Return what a process, its threads and its children have run, in ms; finer than the ticks of `cpu_times`."""
    tasks = [path for each in (process, *process.children(True)) for path in Path(f"/proc/{each.pid}/task").iterdir()]
    return sum(int((path / "schedstat").read_text().split()[0]) for path in tasks) / 1e6


async def _stream_memory(ours: Running, bare: Running, key: bytes) -> None:
    """Print what an event stream takes, in a room without videos: memory that was used before would be used again."""
    taken = []
    headers = [_headers(key, n % MEMBERS, n, EMPTY) for n in range(STREAMS)]
    for server, path in ((ours, f"/api/v1/rooms/{EMPTY}/events?since=0"), (bare, "/events")):
        viewers = Viewers()
        await viewers.connect(server.port, path, headers.__getitem__, WARM)
        await asyncio.sleep(1)
        before = server.memory()
        await viewers.connect(server.port, path, headers.__getitem__, STREAMS)
        await asyncio.sleep(2)
        taken.append((server.memory() - before) / STREAMS / 1000)
        await viewers.close()
    print(f"memory of each event stream: {taken[0]:.1f} kB; bare {taken[1]:.1f} kB (goal {STREAM_KB} kB)")


async def _rename_with_viewers(
    http: aiohttp.ClientSession, ours: Running, bare: Running, database: psutil.Process, key: bytes
) -> None:
    async with http.get(f"{ours.url}/api/v1/rooms/{ROOM}/overview", headers=_headers(key, 1)) as response:
        revision = (await response.json())["revision"]
    viewers, floor = Viewers(), Viewers()
    path = f"/api/v1/rooms/{ROOM}/events?since={revision}"
    await viewers.connect(ours.port, path, lambda n: _headers(key, n % MEMBERS, n), STREAMS)
    await floor.connect(bare.port, "/events", lambda n: _headers(key, n % MEMBERS, n), STREAMS)
    ms, of_database, floors, sizes = [], [], [], []
    video = (await _videos(http, ours, key))[0]
    for number in range(RENAMES):
        title = f"Holiday {number}, the whole of it.mp4"

        async def rename(title: str = title) -> int:
            url = f"{ours.url}/api/v1/videos/{video['id']}"
            async with http.patch(url, headers=_headers(key, 3), json={"title": title}) as response:
                assert response.status == 200, await response.text()
            return await viewers.all_received()

        async def bare_send() -> int:
            async with http.post(f"{bare.url}/send", data=b"event: delta\ndata: " + b"x" * 120 + b"\n\n"):
                return await floor.all_received()

        database_before = _processor_ms(database)
        spent, size = await _spent([ours.process], rename)
        of_database.append(_processor_ms(database) - database_before)
        ms.append(spent)
        sizes.append(size)
        floors.append((await _spent([bare.process], bare_send))[0])
    own, least = statistics.median(ms), statistics.median(floors)
    print(
        f"a rename for {STREAMS} viewers: {own:.0f} ms of processor, {own / least:.1f} × bare streams of as much; "
        f"database {statistics.median(of_database):.0f} ms; {statistics.median(sizes):.0f} bytes to each "
        f"(goals {RENAME_MS} ms, {RENAME_BYTES} bytes)"
    )
    await viewers.close()
    await floor.close()


async def main() -> None:
    """Start everything, measure, and leave nothing."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        async with _serve(folder, postgres.dsn):
            pass  # it makes the schema and its keys
        key = await _fill(postgres.dsn)
        ours = await stack.enter_async_context(_serve(folder, postgres.dsn))
        port = free_port()
        command = (sys.executable, "-m", "bench._bare_room", str(port))
        bare = await stack.enter_async_context(_running("/answer", port, folder / "log", *command))
        http = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        decoding = await stack.enter_async_context(aiohttp.ClientSession())
        assert postgres.pid
        database = psutil.Process(postgres.pid)
        await _stream_memory(ours, bare, key)
        await _first_answer(http, ours, bare, key)
        await _rename_with_viewers(decoding, ours, bare, database, key)


if __name__ == "__main__":
    asyncio.run(main())
