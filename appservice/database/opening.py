"""Opens the configured database, or starts our own, and brings its schema up to date."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import structlog

from appservice import resources
from appservice.config import EMBEDDED, Config
from appservice.core.errors import ConfigError, MigrationError, UnavailableError
from appservice.database.embedded import EmbeddedPostgres, running_dsn
from appservice.database.migrate import Migration, Phase, load_migrations, migrate, pending

log = structlog.get_logger()

_PATIENCE_S = 60.0
_RETRY_S = 2.0
_LISTEN_CHECK_S = 10.0
_POOLER_TRIES = 3
BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""What a connection that does not work raises."""
OF_ONE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
    asyncpg.DataError, asyncpg.IntegrityConstraintViolationError,
)  # fmt: skip
"""What one thing that is worked on, or stored, can be to blame for: others of its kind may go on."""


@asynccontextmanager
async def open_database(config: Config, *, attach: bool = False, patience_s: float = _PATIENCE_S) -> AsyncIterator[str]:
    """Yield the address of a database that responds, without a pooler; the embedded one stops when the block ends.

    With `attach`, an embedded one that another process runs is shared. A configured one that starts
    together with us is waited for. Raises UnavailableError when it stays away for `patience_s` seconds.
    """
    if config.database == EMBEDDED:
        if attach and (dsn := running_dsn(config.data_dir / "postgres")):
            yield dsn
            return
        async with EmbeddedPostgres(config.data_dir / "postgres") as postgres:
            yield postgres.dsn
        return
    await _wait_for(config.database, patience_s)
    if config.database_direct:
        await _wait_for(config.database_direct, patience_s)
    yield config.database_direct or config.database


async def is_pooled_by_transaction(dsn: str) -> bool:
    """Say whether an address is a pooler's that gives each transaction another connection. Raises UnavailableError.

    There, the connection of who does nothing is given to the next.
    """
    first = await connect(dsn)
    try:
        for _ in range(_POOLER_TRIES):
            process = await _server_process(first)
            second = await connect(dsn)
            try:
                if process == await _server_process(second) or process != await _server_process(first):
                    return True
            finally:
                await second.close()
    except BROKEN as error:
        raise UnavailableError(str(error) or type(error).__name__) from error
    finally:
        first.terminate()
    return False


async def refuse_pooler(config: Config) -> None:
    """Raise ConfigError where there is no way to PostgreSQL but by a pooler that connects for a transaction."""
    if config.database != EMBEDDED and await is_pooled_by_transaction(config.database_direct or config.database):
        name = "database_direct" if config.database_direct else "database"
        raise ConfigError(
            f"`{name}` is the address of a pooler (PgBouncer) in transaction mode. Notifications and locks need "
            "PostgreSQL itself: put its own address into `database_direct`, and leave the pooler's in `database`."
        )
    await _refuse_another_database(config)


async def _refuse_another_database(config: Config) -> None:
    """Raise ConfigError where the pooler leads to another database than `database_direct`.

    Its locks would keep nobody out, and nobody would hear its notifications.
    """
    if config.database_direct is None:
        return
    direct, lock = await connect(config.database_direct), secrets.randbits(62)
    try:
        async with direct.transaction():
            await direct.execute("SELECT pg_advisory_xact_lock($1)", lock)
            pooled = await connect(config.database)
            try:
                is_another = await pooled.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock)
            finally:
                await pooled.close()
    except BROKEN as error:
        raise UnavailableError(str(error) or type(error).__name__) from error
    finally:
        direct.terminate()
    if is_another:
        raise ConfigError(
            "`database_direct` is another database than `database` leads to: it has to be the same one, only without "
            "the pooler. Check host, port and name of both."
        )


async def _server_process(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Open one plain connection. Raises UnavailableError."""
    try:
        return await asyncpg.connect(dsn, timeout=10, statement_cache_size=0)
    except ValueError:
        # Not chained: the address holds the password.
        raise ConfigError(
            "`database` is not a PostgreSQL address such as postgresql://user:password@host/name."
        ) from None
    except BROKEN as error:
        parts = urlsplit(dsn)
        where = f"{parts.hostname or 'a local socket'}{parts.path}"  # never the password
        raise UnavailableError(
            f"The database ({where}) does not respond: {error or type(error).__name__}. "
            "Check that PostgreSQL runs and that `database` in the configuration is right."
        ) from error


async def listen(dsn: str, channels: Mapping[str, Callable[[str], None]], *, on_ready: Callable[[], None]) -> None:
    """Hand over the payloads of NOTIFY, by channel, until the connection breaks. Raises UnavailableError then."""
    connection = await connect(dsn)
    try:
        for channel in channels:
            await connection.add_listener(
                channel, lambda _connection, _pid, name, payload: channels[name](str(payload))
            )
        on_ready()
        while True:
            await asyncio.sleep(_LISTEN_CHECK_S)
            await connection.execute("SELECT 1", timeout=_LISTEN_CHECK_S)
    except BROKEN as error:
        raise UnavailableError(str(error) or type(error).__name__) from error
    finally:
        connection.terminate()


async def _wait_for(dsn: str, patience_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_s
    while True:
        try:
            await (await connect(dsn)).close()
        except UnavailableError as error:
            if loop.time() >= deadline:
                raise
            log.error("database_down", reason=str(error), retry_seconds=_RETRY_S)  # noqa: TRY400 - the reason says all
            await asyncio.sleep(_RETRY_S)
        else:
            return


async def bring_up_to_date(
    dsn: str, phase: Phase | None = None, *, migrations: Sequence[Migration] | None = None
) -> list[Migration]:
    """Apply what is missing of our migrations (or of the given ones), of both kinds or of one phase, and return it.

    A new database gets all in the phase `before`: no old release serves with it. One that a newer release has prepared
    for itself (`before`) stays as it is: the old one starts beside it. Raises MigrationError.
    """
    if migrations is None:
        migrations = load_migrations(resources.migrations())
    connection = await connect(dsn)
    try:
        missing = await pending(connection, migrations)
        if not missing:
            return []
        fresh = len(missing) == len(migrations)
        return await migrate(connection, migrations, None if fresh and phase is Phase.BEFORE else phase)
    finally:
        await connection.close()


async def check_up_to_date(dsn: str) -> None:
    """Raise MigrationError when the code needs something that the database does not have yet."""
    connection = await connect(dsn)
    try:
        missing = [
            m for m in await pending(connection, load_migrations(resources.migrations())) if m.kind is Phase.BEFORE
        ]
    finally:
        await connection.close()
    if missing:
        raise MigrationError(
            f"The database lacks {', '.join(map(str, missing))}: run `roomreel migrate -c FILE` first."
        )
