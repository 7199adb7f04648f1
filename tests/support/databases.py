"""Create databases with the current schema."""

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg

from appservice import resources
from appservice.database.migrate import load_migrations, migrate
from appservice.store import open_pool
from appservice.store.outbox import Pool

CreateDatabase = Callable[[str], Coroutine[Any, Any, str]]


async def apply_migrations(dsn: str) -> None:
    """Apply all migrations to a database."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection, load_migrations(resources.migrations()))
    finally:
        await connection.close()


async def waits_for_lock(pool: Pool) -> bool:
    """Tell whether somebody waits for a lock in the database of `pool`."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    return bool(await pool.fetchval(query))


@contextlib.asynccontextmanager
async def migrated_pool(dsn: str, *, size: int) -> AsyncIterator[Pool]:
    """Migrate an empty database and yield a pool of connections to it."""
    await apply_migrations(dsn)
    async with await open_pool(dsn, size=size) as pool:
        yield pool
