"""Connections to PostgreSQL, and what all queries have in common."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from appservice.core.errors import DatabaseUnavailableError
from appservice.store.outbox import Connection, Pool
from appservice.store.sql import query

_UNREACHABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg makes of a connection that ends while it begins a query (its issue 784)
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.TransactionRollbackError,  # two transactions in each other's way: the loser may come again
)


_CACHED_STATEMENTS = 100  # asyncpg's own default


async def _set_up(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _reset(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Return a connection to the pool as it is.

    asyncpg would let it reset its session after every query, which is as many queries again. Ours change nothing that
    outlasts a transaction; one that is open is rolled back by asyncpg.
    """


async def open_pool(dsn: str, *, size: int = 10, through_pooler: bool = False) -> Pool:
    """Open connections that speak JSON; `through_pooler`: each transaction may get another one of PostgreSQL's.

    Raises UnavailableError when the database does not respond.
    """
    # Without its cache asyncpg names no prepared statement, and sends each again with what executes it.
    cached = 0 if through_pooler else _CACHED_STATEMENTS
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            init=_set_up,
            reset=_reset,
            timeout=10,
            command_timeout=60,
            statement_cache_size=cached,
        )
    except (*_UNREACHABLE, asyncpg.PostgresError, TimeoutError) as error:
        raise DatabaseUnavailableError(
            f"The database does not respond: {error}. Check `database` and that it runs."
        ) from error


class Database:
    """Named queries on a pool. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.acquire(timeout=10) as connection:
                yield connection
        except (*_UNREACHABLE, TimeoutError) as error:
            raise DatabaseUnavailableError(f"The database does not respond: {error}") from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        """Yield a connection whose queries all see the database as it was at the first of them."""
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def _fetch(self, name: str, /, **arguments: object) -> list[asyncpg.Record]:
        async with self._connection() as connection:
            return await connection.fetch(*query(name, **arguments))

    async def _fetchrow(self, name: str, /, **arguments: object) -> asyncpg.Record | None:
        async with self._connection() as connection:
            return await connection.fetchrow(*query(name, **arguments))

    async def now(self) -> datetime:
        """Return the database's clock."""
        now: datetime = (await self._fetch("clock"))[0]["now"]
        return now


class LockingDatabase(Database):
    """A store that holds locks for long, on connections of `direct`: those through a pooler are few, and for all.

    There, who waits for a lock could keep who has it from the connection that they need to let go of it.
    """

    def __init__(self, pool: Pool, direct: "Pool | None" = None) -> None:
        super().__init__(pool)
        self._locks = Database(direct or pool)

    @asynccontextmanager
    async def _holding(self, lock: str, /, **arguments: object) -> AsyncIterator[object]:
        """Hold the lock that a query takes until a transaction ends, which may be long; yield what the query returns.

        Nothing is read or written in that transaction, so that it holds up no VACUUM; and whoever dies loses the lock
        with their connection.
        """
        async with self._locks._transaction() as connection:  # noqa: SLF001 - ours
            # An operator's limit is meant for who forgets a transaction.
            await connection.execute(*query("wait_for_long"))
            yield await connection.fetchval(*query(lock, **arguments))
