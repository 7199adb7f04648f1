"""Brings the database to the schema that the code expects: numbered SQL files, each applied once, in order.

A file is `NNNN_before_name.sql` or `NNNN_after_name.sql`. A `before` migration may run while the last release still
serves (it only adds what that release does not mind); an `after` one runs once no process of the last release is left.
What was applied is always the beginning of the list, so a database's state is one number.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

import asyncpg

from appservice.core.errors import MigrationError

_NAME = re.compile(r"(?P<version>\d{4})_(?P<kind>before|after)_(?P<name>[a-z0-9_]+)\.sql")
# Any number, the same for all releases: two runners on one database meet here (PostgreSQL, "Advisory Locks").
_LOCK = 7_331_665_500_231_004_271
# Rather fail and be run again than queue behind a long query and hold up everybody's after it.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('before', 'after')),
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_EXISTS = "SELECT to_regclass('schema_migrations') IS NOT NULL"
_APPLIED = "SELECT version, name, kind, checksum FROM schema_migrations ORDER BY version"
_INSERT = "INSERT INTO schema_migrations (version, name, kind, checksum) VALUES ($1, $2, $3, $4)"

# In quotes: only the stubs know the classes as generic.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Phase(StrEnum):
    """When a migration runs, seen from the deploy of the release that brings it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file; `checksum` is the SHA-256 of its bytes, in hexadecimal."""

    version: int
    kind: Phase
    name: str
    sql: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.version:04}_{self.kind}_{self.name}"


@dataclass(frozen=True, slots=True)
class _Applied:
    version: int
    name: str
    kind: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.version:04}_{self.kind}_{self.name}"


def load_migrations(folder: Path) -> list[Migration]:
    """Read the migrations of a folder, in order (blocking: a few small files).

    Raises MigrationError for a file that is not named as above, a missing or a repeated number, or no file at all.
    """
    if not folder.is_dir():
        raise MigrationError(f"The folder of migrations {folder} is missing: the installation is not complete.")
    migrations = sorted((_read(file) for file in folder.iterdir()), key=lambda migration: migration.version)
    for expected, migration in enumerate(migrations, start=1):
        if migration.version != expected:
            raise MigrationError(
                f"{folder} should have migration {expected:04} where {migration} is: "
                "numbers run from 0001 without gaps, each once."
            )
    if not migrations:
        raise MigrationError(f"The folder of migrations {folder} is empty: the installation is not complete.")
    return migrations


async def migrate(
    connection: Connection, migrations: Sequence[Migration], phase: Phase | None = None
) -> list[Migration]:
    """Apply what is missing (of both kinds, or of one phase) and return it in the order applied.

    Each migration commits alone together with its row, so that a failure leaves the ones before it in place. Several
    runners may start at once: one works, the others wait and then find nothing to do. Raises MigrationError when a
    migration fails, when an applied file was changed, when the database is newer than `migrations`, and when the
    phases are run out of order.
    """
    done: list[Migration] = []
    try:
        while migration := await _step(connection, migrations, phase):
            done.append(migration)
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if connection.is_closed():
            raise MigrationError("The database closed the connection during a migration: migrate again.") from error
        raise
    return done


async def pending(connection: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Return what is still to be applied, changing nothing.

    A release that is being replaced may find `before` migrations of its successor applied: that is what they are for.
    Raises MigrationError when an `after` one of a newer release is applied or an applied file was changed.
    """
    applied = await _applied(connection) if await connection.fetchval(_EXISTS) else []
    _refuse_changed(applied, migrations)
    _refuse_newer([row for row in applied[len(migrations) :] if row.kind == Phase.AFTER])
    return list(migrations[len(applied) :])


async def _step(connection: Connection, migrations: Sequence[Migration], phase: Phase | None) -> Migration | None:
    """Apply the next migration; None when there is none. The lock is the transaction's: a crash frees it."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(_LOCK_TIMEOUT)
        await connection.execute(_TABLE)
        applied = await _applied(connection)
        _refuse_changed(applied, migrations)
        _refuse_newer(applied[len(migrations) :])
        todo = _of_phase(migrations[len(applied) :], phase)
        if not todo:
            return None
        await _apply(connection, todo[0])
        return todo[0]


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.PostgresError as error:
        raise MigrationError(f"Migration {migration} failed and was rolled back: {error}") from error
    row = (migration.version, migration.name, migration.kind.value, migration.checksum)
    await connection.execute(_INSERT, *row)


async def _applied(connection: Connection) -> list[_Applied]:
    return [_Applied(**row) for row in await connection.fetch(_APPLIED)]


def _refuse_changed(applied: Sequence[_Applied], migrations: Sequence[Migration]) -> None:
    for row, migration in zip(applied, migrations, strict=False):
        if (row.version, row.checksum) != (migration.version, migration.checksum):
            raise MigrationError(
                f"The database was built with another {row} than the file {migration}.sql of this release. "
                "An applied migration must not be edited: restore the file, and put the change into a new one."
            )


def _refuse_newer(unknown: Sequence[_Applied]) -> None:
    if unknown:
        raise MigrationError(
            f"The database is newer than this release, which does not know {', '.join(map(str, unknown))}. "
            "Start the newer release, or restore a backup from before its migrations."
        )


def _of_phase(todo: Sequence[Migration], phase: Phase | None) -> Sequence[Migration]:
    if phase is None:
        return todo
    first = list(takewhile(lambda migration: migration.kind == phase, todo))
    skipped = next((migration for migration in todo[len(first) :] if migration.kind == Phase.BEFORE), None)
    if skipped and phase == Phase.AFTER:
        raise MigrationError(f"Migration {skipped} is still to be applied: run the phase `before` first.")
    if skipped:
        raise MigrationError(
            f"Migration {todo[len(first)]} stands before {skipped} and must not run while an old release serves. "
            "Upgrade one release at a time, or stop all of Roomreel and migrate without a phase."
        )
    return first


def _read(file: Path) -> Migration:
    match = _NAME.fullmatch(file.name)
    if match is None:
        raise MigrationError(
            f"{file} is not named like 0001_before_name.sql or 0002_after_name.sql: rename or move it."
        )
    content = file.read_bytes()
    return Migration(
        version=int(match["version"]),
        kind=Phase(match["kind"]),
        name=match["name"],
        sql=content.decode(),
        checksum=hashlib.sha256(content).hexdigest(),
    )
