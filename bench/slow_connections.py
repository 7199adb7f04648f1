"""How quickly does the service respond while a thousand connections keep it waiting?

Half of them never finish a request's head, the other half never send the body that they announce; those that are closed
reconnect at once. Once with as many open files as the machine allows, and once with 1,024, as many systems have it.
The floor is the same without them. `./run bench slow_connections`
"""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.synapse import free_port

SLOW = 1000
LOOKS = 300
MOST_MS = 250
_HALF_OPEN = b"GET /live HTTP/1.1\r\nHost: x\r\nX-Slow: "
_NO_BODY = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"


@asynccontextmanager
async def _service(folder: Path, dsn: str, *limited: str) -> AsyncIterator[int]:
    port = free_port()
    config = folder / f"config-{port}.yaml"
    sections = {
        "homeserver": {"url": "http://127.0.0.1:9", "server_name": "example.org"},
        "appservice": {"url": f"http://127.0.0.1:{port}", "as_token": "a" * 32, "hs_token": "h" * 32},
        "web": {"public_url": f"http://127.0.0.1:{port}", "port": port},
        "metrics": {"port": free_port()},
        "database": dsn,
        "data_dir": str(folder / "data"),
    }
    config.write_text(yaml.safe_dump(sections))
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *limited, "roomreel", "serve", "--no-worker", "-c", config, stdout=log, stderr=log
        )
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{port}/ready") as response:
                        if response.status == 200:
                            break
                await asyncio.sleep(0.1)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _hold(port: int, sent: bytes) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(sent)
                await reader.read()
            finally:
                writer.transport.abort()
        await asyncio.sleep(1)


async def _p99(port: int) -> str:
    took = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(10):
                await (await http.get(f"http://127.0.0.1:{port}/live")).read()
        except (aiohttp.ClientError, TimeoutError):
            pass
        took.append((time.perf_counter() - started) * 1000)
    p99 = statistics.quantiles(took, n=100)[98]
    verdict = "" if p99 <= MOST_MS else f"  OVER {MOST_MS} ms"
    return f"p50 {statistics.median(took):.1f} ms, p99 {p99:.1f} ms, worst {max(took):.1f} ms{verdict}"


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with EmbeddedPostgres(folder / "pg") as postgres:
            for limited in ((), ("prlimit", "--nofile=1024:1024")):
                async with _service(folder, postgres.dsn, *limited) as port:
                    print(f"{'1,024 open files' if limited else 'as the machine allows'}")
                    print(f"  alone                 {await _p99(port)}")
                    slow = [asyncio.create_task(_hold(port, sent)) for sent in (_HALF_OPEN, _NO_BODY) * (SLOW // 2)]
                    await asyncio.sleep(3)
                    print(f"  {SLOW} slow connections {await _p99(port)}")
                    for task in slow:
                        task.cancel()
                    await asyncio.gather(*slow, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(_measure())
