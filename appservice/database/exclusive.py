"""Work that one process of all does at a time, by a lock of the database."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from appservice.core.errors import UnavailableError
from appservice.database.opening import BROKEN, connect

_CHECK_S = 2.0
_LEASE_S = 6.0
"""After so long without a check the database gives the lock away: a machine that is gone closes no connection.

Longer than a check and its time-out, so that the work is over by then.
"""
# PostgreSQL 13 has no such setting.
_LEND = "SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'"
_FENCES = 7431
"""Whoever takes a number locks it for all others; what is written under one is written with a share of that lock."""
_NEXT = """
    INSERT INTO fences (lock, fence) VALUES ($1, 1) ON CONFLICT (lock) DO UPDATE SET fence = fences.fence + 1
    RETURNING fence
"""


@dataclass(frozen=True, slots=True)
class Fence:
    """The number under which somebody has a lock; each has a higher one than who had it before."""

    lock: int
    number: int

    def settings(self) -> dict[str, str]:
        """Return PostgreSQL's settings of connections that write nothing once somebody else has the lock.

        That holds for tables with a trigger `check_fence`. Who is stopped within a transaction loses it with the lock:
        the next owner waits for no longer than that.
        """
        return {
            "roomreel.fence": f"{self.lock}:{self.number}",
            "idle_in_transaction_session_timeout": f"{round(_LEASE_S * 1000)}",
        }


async def do_alone(
    dsn: str,
    lock: int,
    work: Callable[[Fence], Coroutine[None, None, None]],
    channels: Mapping[str, Callable[[], None]],
) -> bool:
    """Do work while no other process does it; return False, and do nothing, where another one is at it.

    A process that was stopped finds out late that it lost the lock: what must not happen then is to be written by
    connections with the settings of the work's fence. Meanwhile the NOTIFYs of `channels` call their functions. Raises
    UnavailableError when the connection that holds the lock breaks: another process may have it then, and the work has
    been cancelled.
    """
    connection = await connect(dsn)
    broken = asyncio.Event()
    connection.add_termination_listener(lambda _: broken.set())
    try:
        await connection.execute(_LEND, f"{_LEASE_S}s")
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            return False
        fence = await _next_fence(connection, lock)
        for channel, wake in channels.items():
            await connection.add_listener(channel, lambda *_, wake=wake: wake())
        await _first_end(work(fence), _watch(connection, broken))
    except BROKEN as error:
        raise UnavailableError(str(error) or type(error).__name__) from error
    finally:
        connection.terminate()
    return True


async def _next_fence(connection: "asyncpg.Connection[asyncpg.Record]", lock: int) -> Fence:
    async with connection.transaction():
        # Transactions of who had the lock before end first: what they wrote is seen from here on.
        await connection.execute("SELECT pg_advisory_xact_lock($1::integer, $2::integer)", _FENCES, lock)
        return Fence(lock, await connection.fetchval(_NEXT, lock))


async def _watch(connection: "asyncpg.Connection[asyncpg.Record]", broken: asyncio.Event) -> None:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_S):
                await broken.wait()
        await connection.execute("SELECT 1", timeout=_CHECK_S)


async def _first_end(*works: Coroutine[None, None, None]) -> None:
    """Run works side by side until one of them ends; then the others have ended as well."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
