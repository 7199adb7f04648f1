"""Databases that have the schema of today."""

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
    """Bring an empty database to the schema of today."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection, load_migrations(resources.migrations()))
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def migrated_pool(dsn: str, *, size: int) -> AsyncIterator[Pool]:
    """Yield connections to an empty database that got the schema of today."""
    await apply_migrations(dsn)
    async with await open_pool(dsn, size=size) as pool:
        yield pool
