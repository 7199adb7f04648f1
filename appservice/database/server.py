"""What server the database is: its version and its clock."""

from dataclasses import dataclass

from appservice.database.opening import connect

OLDEST = 15
"""The oldest PostgreSQL that the migrations run on: `UNIQUE NULLS NOT DISTINCT` (0010) came with it."""

_LOOK = """
    SELECT current_setting('server_version_num')::integer / 10000 AS version,
           extract(epoch FROM clock_timestamp())::float8 AS now
"""

_IS_EMPTY = """
    SELECT NOT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema'
            AND n.nspname NOT LIKE 'pg\\_%'
            -- What an extension brought is not somebody's data.
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    )
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL: its major version, and its clock in seconds since the epoch."""

    version: int
    now: float


async def look_at(dsn: str) -> Server:
    """Return what the server says of itself. Raises UnavailableError."""
    connection = await connect(dsn)
    try:
        row = await connection.fetchrow(_LOOK)
    finally:
        await connection.close()
    if row is None:
        raise AssertionError("a row without a table")
    return Server(row["version"], row["now"])


async def is_empty(dsn: str) -> bool:
    """Return whether there is nothing in a database that a dump could collide with."""
    connection = await connect(dsn)
    try:
        return bool(await connection.fetchval(_IS_EMPTY))
    finally:
        await connection.close()
