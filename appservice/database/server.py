"""What server the database is: its version and its clock."""

from dataclasses import dataclass

from appservice.database.opening import connect

OLDEST = 15
"""The oldest PostgreSQL that the migrations run on: `UNIQUE NULLS NOT DISTINCT` (0010) came with it."""

_LOOK = """
    SELECT current_setting('server_version_num')::integer / 10000 AS version,
           extract(epoch FROM clock_timestamp())::float8 AS now
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
