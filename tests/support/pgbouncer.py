"""A real PgBouncer in transaction mode before a test's PostgreSQL."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from appservice.demo.synapse import free_port
from tests.support.waiting import eventually

_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
"""


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def _relayed(dsn: str) -> AsyncIterator[int]:
    """Yield a port that leads to the socket of a test's server, which PgBouncer's user may not open."""
    options = parse_qs(urlsplit(dsn).query)
    socket = f"{options['host'][0]}/.s.PGSQL.{options['port'][0]}"
    relays = set[asyncio.Task[Any]]()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            relays.add(task)
            task.add_done_callback(relays.discard)
        there, back = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        server.close()
        if relays:
            await asyncio.wait(relays)


@contextlib.asynccontextmanager
async def pgbouncer(dsn: str, folder: Path, *, size: int, listen: int | None = None) -> AsyncIterator[str]:
    """Run one that has `size` connections to a server; yield the address of the database through it, at `listen`."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "PgBouncer must be installed; ./run test does so"
    # It refuses to be root; its file is handed over open, for it may not read what is in root's folders.
    other: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    user, listen = urlsplit(dsn).username or "postgres", listen or free_port()
    address = f"postgresql://{user}@127.0.0.1:{listen}{urlsplit(dsn).path}"
    file, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    async with _relayed(dsn) as port:
        file.write_text(_CONFIGURATION.format(port=port, user=user, listen=listen, size=size))
        with file.open("rb") as opened, log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                program, f"/proc/self/fd/{opened.fileno()}", pass_fds=(opened.fileno(),),
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, **other,
            )  # fmt: skip

        async def responds() -> bool:
            assert process.returncode is None, log.read_text()
            try:
                await (await asyncpg.connect(address, timeout=5, statement_cache_size=0)).close()
            except OSError:
                return False
            return True

        try:
            await eventually(responds, what="PgBouncer")
            yield address
        finally:
            process.terminate()
            await process.wait()
