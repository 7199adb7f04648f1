"""Migrations against a real PostgreSQL: lock, checksum, phases, and the job queue's schema."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from pgqueuer.queries import Queries

from appservice import resources
from appservice.core.errors import MigrationError
from appservice.database.embedded import EmbeddedPostgres
from appservice.database.migrate import Migration, Phase, load_migrations, migrate, pending
from appservice.database.opening import bring_up_to_date


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(tmp_path_factory.mktemp("migrate") / "db") as running:
        yield running


@pytest.fixture
async def dsn(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """An empty database of its own."""
    admin = await asyncpg.connect(server.dsn)
    await admin.execute("CREATE DATABASE fresh")
    try:
        yield server.dsn.replace("@/postgres?", "@/fresh?")
    finally:
        await admin.execute("DROP DATABASE fresh WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def connection(dsn: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    opened = await asyncpg.connect(dsn)
    yield opened
    await opened.close()


def _files(folder: Path, **files: str) -> list[Migration]:
    """Write migrations given as `_0001_before_name="SQL"` and load the folder."""
    folder.mkdir(exist_ok=True)
    for name, sql in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(sql)
    return load_migrations(folder)


def _names(migrations: Sequence[Migration]) -> list[str]:
    return [str(migration) for migration in migrations]


ONE = {"_0001_before_a": "CREATE TABLE a (n int); INSERT INTO a VALUES (1)"}
THREE = {**ONE, "_0002_before_b": "CREATE TABLE b (n int)", "_0003_after_c": "DROP TABLE a"}


async def test_all_of_ours_apply_and_then_nothing_is_left(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    ours = load_migrations(resources.migrations())
    assert await pending(connection, ours) == ours
    assert await migrate(connection, ours) == ours
    assert await pending(connection, ours) == []
    assert await migrate(connection, ours) == []
    rows = await connection.fetch("SELECT version, name, kind, checksum, applied_at FROM schema_migrations")
    assert [(row["version"], row["name"], row["kind"], row["checksum"]) for row in rows] == [
        (migration.version, migration.name, migration.kind, migration.checksum) for migration in ours
    ]


async def test_the_job_queue_is_what_the_pinned_pgqueuer_declares(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    await migrate(connection, load_migrations(resources.migrations()))
    plan = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    assert plan.statements == ()
    assert plan.notes == ()


async def test_two_at_once_apply_each_once(dsn: str, tmp_path: Path) -> None:
    slow = {f"_{n:04}_before_m{n}": f"SELECT pg_sleep(0.05); CREATE TABLE m{n} (n int)" for n in range(1, 6)}
    migrations = _files(tmp_path / "m", **slow)

    async def run() -> list[Migration]:
        connection = await asyncpg.connect(dsn)
        try:
            return await migrate(connection, migrations)
        finally:
            await connection.close()

    done = await asyncio.gather(*(run() for _ in range(4)))
    assert sorted(_names([migration for part in done for migration in part])) == _names(migrations)


async def test_an_edited_file_is_refused(connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path) -> None:
    await migrate(connection, _files(tmp_path / "m", **ONE))
    edited = _files(tmp_path / "m", _0001_before_a="CREATE TABLE a (n bigint)")
    for check in (migrate, pending):
        with pytest.raises(MigrationError, match=r"0001_before_a.*restore the file"):
            await check(connection, edited)


async def test_a_failure_rolls_its_migration_back_and_keeps_those_before(
    connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    broken = _files(tmp_path / "m", **ONE, _0002_before_b="CREATE TABLE b (n int); SELECT 1/0")
    with pytest.raises(MigrationError, match=r"0002_before_b failed and was rolled back: division by zero"):
        await migrate(connection, broken)
    assert await connection.fetchval("SELECT to_regclass('b')") is None
    assert _names(await pending(connection, broken)) == ["0002_before_b"]
    mended = _files(tmp_path / "m", _0002_before_b="CREATE TABLE b (n int)")
    assert _names(await migrate(connection, mended)) == ["0002_before_b"]


async def test_a_killed_runner_leaves_neither_lock_nor_half_a_migration(
    connection: "asyncpg.Connection[asyncpg.Record]", dsn: str, tmp_path: Path
) -> None:
    slow = _files(tmp_path / "m", _0001_before_a="CREATE TABLE a (n int); SELECT pg_sleep(30)")
    other = await asyncpg.connect(dsn)
    running = asyncio.create_task(migrate(other, slow))
    sleeping = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    while not await connection.fetchval(f"SELECT count(*) {sleeping}"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await connection.execute(f"SELECT pg_terminate_backend(pid) {sleeping}")
    with pytest.raises(MigrationError, match="closed the connection"):
        await running
    assert _names(await migrate(connection, _files(tmp_path / "m", **ONE))) == ["0001_before_a"]


async def test_phases_around_a_deploy(connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path) -> None:
    await migrate(connection, _files(tmp_path / "old", **ONE))
    new = _files(tmp_path / "new", **THREE)
    with pytest.raises(MigrationError, match=r"0002_before_b is still to be applied: run the phase `before`"):
        await migrate(connection, new, Phase.AFTER)
    assert _names(await migrate(connection, new, Phase.BEFORE)) == ["0002_before_b"]
    assert await migrate(connection, new, Phase.BEFORE) == []
    assert _names(await pending(connection, new)) == ["0003_after_c"]
    assert _names(await migrate(connection, new, Phase.AFTER)) == ["0003_after_c"]


async def test_a_new_database_needs_no_second_phase(dsn: str, tmp_path: Path) -> None:
    old = {**THREE, "_0004_before_d": "CREATE TABLE d (n int)"}
    migrations = _files(tmp_path / "m", **old)
    with pytest.raises(MigrationError, match=r"0001_before_a is still to be applied: run the phase `before`"):
        await bring_up_to_date(dsn, Phase.AFTER, migrations=migrations)
    assert len(await bring_up_to_date(dsn, Phase.BEFORE, migrations=migrations)) == 4
    migrations = _files(tmp_path / "m", _0005_before_e="CREATE TABLE e (n int)", _0006_after_f="CREATE TABLE f (n int)")
    assert _names(await bring_up_to_date(dsn, Phase.BEFORE, migrations=migrations)) == ["0005_before_e"]
    assert _names(await bring_up_to_date(dsn, migrations=migrations)) == ["0006_after_f"]


async def test_an_old_release_starts_beside_a_new_one(dsn: str, tmp_path: Path) -> None:
    old, new = _files(tmp_path / "old", **ONE), _files(tmp_path / "new", **THREE)
    assert len(await bring_up_to_date(dsn, migrations=old)) == 1
    assert _names(await bring_up_to_date(dsn, Phase.BEFORE, migrations=new)) == ["0002_before_b"]
    assert await bring_up_to_date(dsn, Phase.BEFORE, migrations=old) == []
    assert _names(await bring_up_to_date(dsn, Phase.AFTER, migrations=new)) == ["0003_after_c"]
    with pytest.raises(MigrationError, match=r"newer than this release.*0003_after_c"):
        await bring_up_to_date(dsn, Phase.BEFORE, migrations=old)


async def test_two_releases_at_once_cannot_be_taken_in_phases(
    connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    migrations = _files(tmp_path / "m", **THREE, _0004_before_d="CREATE TABLE d (n int)")
    with pytest.raises(MigrationError, match=r"0003_after_c stands before 0004_before_d"):
        await migrate(connection, migrations, Phase.BEFORE)
    assert len(await migrate(connection, migrations)) == 4


async def test_the_old_release_lives_on_between_the_phases_and_not_after(
    connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    old, new = _files(tmp_path / "old", **ONE), _files(tmp_path / "new", **THREE)
    await migrate(connection, new, Phase.BEFORE)
    assert await pending(connection, old) == []
    with pytest.raises(MigrationError, match=r"newer than this release.*0002_before_b"):
        await migrate(connection, old)
    await migrate(connection, new, Phase.AFTER)
    with pytest.raises(MigrationError, match=r"newer than this release.*0003_after_c"):
        await pending(connection, old)


async def test_a_blocked_table_fails_the_migration_instead_of_everybody(
    connection: "asyncpg.Connection[asyncpg.Record]", dsn: str, tmp_path: Path
) -> None:
    await migrate(connection, _files(tmp_path / "m", **ONE))
    alter = "SET LOCAL lock_timeout = '50ms'; ALTER TABLE a ADD COLUMN m int"
    reader = await asyncpg.connect(dsn)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT * FROM a")
            with pytest.raises(MigrationError, match="lock timeout"):
                await migrate(connection, _files(tmp_path / "m", _0002_before_b=alter))
    finally:
        await reader.close()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "is empty"),
        (["0002_before_a"], "should have migration 0001 where 0002_before_a is"),
        (["0001_before_a", "0003_after_c"], "should have migration 0002 where 0003_after_c is"),
        (["0001_before_a", "0001_after_b"], "should have migration 0002 where 0001_"),
        (["0001_during_a"], "is not named like"),
        (["1_before_a"], "is not named like"),
    ],
)
def test_a_wrong_folder_is_explained(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match=message):
        load_migrations(tmp_path)


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="installation is not complete"):
        load_migrations(tmp_path / "nothing")
