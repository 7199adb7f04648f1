"""The command line: exit codes, and what it says when something is wrong."""

import re
import socket
import stat
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from appservice.config import load_config
from appservice.registration import render_registration
from tests.support.command_line import roomreel
from tests.support.installation import Installation
from tests.support.launch import execute
from tests.support.waiting import eventually

LEAST: dict[str, Any] = {
    "homeserver": {"url": "http://127.0.0.1:1", "server_name": "example.org"},
    "appservice": {"url": "http://127.0.0.1:2", "as_token": "a" * 20, "hs_token": "h" * 20},
    "web": {"public_url": "http://127.0.0.1:2", "port": 0},
    "metrics": {"port": 0},
}
COMMANDS = ("demo", "init", "serve", "work", "runner", "migrate", "generate-registration", "check", "admin")


# Each by itself, where nothing was imported for it: the other tests fork from a process that has imported all.


@pytest.mark.parametrize("command", ["serve", "work"])
async def test_what_runs_until_it_is_stopped_runs_as_a_command(spare: Installation, command: str) -> None:
    spare.launch = execute
    await spare.start(wait=command == "serve", command=(command,))

    async def at_work() -> bool:
        assert spare.process
        assert spare.process.returncode is None, spare.log_file.read_text()
        # The server has other databases, of services that listen as well.
        listening = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        return bool(await spare.rows(listening))

    await eventually(at_work, what="its worker")
    assert await spare.stop() == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("check",), 0),
        (("migrate",), 0),
        (("generate-registration", "-r", "{folder}/new.yaml"), 0),
        (("admin", "status"), 0),
        (("admin", "requeue", str(uuid.UUID(int=1))), 1),
        (("admin", "audit"), 0),
        (("admin", "erase", "!none:test.local"), 0),
        (("admin", "remains", "!none:test.local"), 0),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else None,
)
async def test_a_command_is_what_a_fork_does(spare: Installation, command: tuple[str, ...], code: int) -> None:
    words = [command[0], "-c", str(spare.config), *(word.format(folder=spare.folder) for word in command[1:])]
    by_itself, *said = await roomreel(*words, launch=execute)
    assert by_itself == code
    forked, *said_by_fork = await roomreel(*words)
    assert (forked, *map(_untimed, said_by_fork)) == (code, *map(_untimed, said))


def _untimed(said: str) -> str:
    return re.sub(r'"timestamp": "[^"]+"', '"timestamp": "then"', re.sub(r"\d+ ms", "some ms", said))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(LEAST))
    return path


# Usage and configuration: 2


async def test_help_lists_the_commands() -> None:
    code, output, _ = await roomreel("--help")
    assert code == 0
    assert output.startswith("usage: roomreel")
    assert [command for command in COMMANDS if not re.search(rf"^    {command}\s", output, re.MULTILINE)] == []


async def test_the_version() -> None:
    code, output, _ = await roomreel("--version")
    assert (code, output.split()[0]) == (0, "roomreel")


@pytest.mark.parametrize(
    "args",
    [(), ("dance",), ("serve",), ("admin", "-c", "x"), ("migrate", "-c", "x", "--phase", "never"), ("check", "--fast")],
)
async def test_wrong_usage_is_2(args: tuple[str, ...]) -> None:
    code, output, errors = await roomreel(*args)
    assert (code, output) == (2, "")
    assert "usage: roomreel" in errors


@pytest.mark.parametrize("command", [("check",), ("migrate",), ("serve",), ("admin", "status")])
async def test_an_unknown_key_is_named_by_every_command(config: Path, command: tuple[str, ...]) -> None:
    config.write_text(yaml.safe_dump({**LEAST, "web": {**LEAST["web"], "prot": 1}}))
    code, output, errors = await roomreel(command[0], "-c", config, *command[1:])
    assert (code, output) == (2, "")
    assert errors.startswith("roomreel: ")
    assert "unknown key `web.prot`" in errors


async def test_a_missing_configuration_is_2(tmp_path: Path) -> None:
    code, _, errors = await roomreel("check", "-c", tmp_path / "none.yaml")
    assert code == 2
    assert "Start from config.yaml.example" in errors


async def test_the_environment_counts(config: Path) -> None:
    code, _, errors = await roomreel("check", "-c", config, env={"ROOMREEL_LOG__LEVEL": "loud"})
    assert code == 2
    assert "`log.level`" in errors


async def test_a_worker_of_its_own_needs_a_shared_database(config: Path) -> None:
    code, _, errors = await roomreel("work", "-c", config)
    assert code == 2
    assert "set `database` to a PostgreSQL address" in errors


# The registration


async def test_a_registration_is_for_its_owner_alone(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "registration.yaml"
    code, output, _ = await roomreel("generate-registration", "-c", config, "-r", target)
    assert code == 0
    assert str(target) in output
    assert "h" * 20 not in output
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text() == render_registration(load_config(config, {}))


async def test_an_existing_registration_keeps_its_mode(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "registration.yaml"
    target.write_text("old: " + "x" * 5000)
    target.chmod(0o640)
    assert (await roomreel("generate-registration", "-c", config, "-r", target))[0] == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert yaml.safe_load(target.read_text())["as_token"] == "a" * 20


async def test_a_registration_that_cannot_be_written_is_2(config: Path, tmp_path: Path) -> None:
    code, _, errors = await roomreel("generate-registration", "-c", config, "-r", tmp_path / "none" / "r.yaml")
    assert code == 2
    assert "cannot be written" in errors


# The database


@pytest.fixture
async def database(create_database: Callable[[str], Awaitable[str]], config: Path) -> str:
    dsn = await create_database("cli")
    config.write_text(yaml.safe_dump({**LEAST, "database": dsn}))
    return dsn


async def test_migrate_admin_status_and_requeue(database: str, config: Path) -> None:
    code, output, errors = await roomreel("admin", "-c", config, "status")
    assert (code, output) == (1, "")
    assert "run `roomreel migrate -c FILE` first" in errors

    code, output, errors = await roomreel("migrate", "-c", config, "--phase", "before")
    assert (code, errors) == (0, "")
    assert "Applied 0001_before_job_queue." in output
    # No old release serves with a new database: it needs no second phase.
    assert "Applied 0020_after_gallery_items." in output
    assert await roomreel("migrate", "-c", config, "--phase", "after") == (0, "The database is up to date.\n", "")
    assert await roomreel("migrate", "-c", config) == (0, "The database is up to date.\n", "")
    assert await roomreel("admin", "-c", config, "status") == (0, "There are no videos yet.\n", "")

    failed, ready = uuid.uuid4(), uuid.uuid4()
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("INSERT INTO rooms (room_id) VALUES ('!r')")
        for video_id, state, failure in ((failed, "failed", "internal"), (ready, "ready", None)):
            await connection.execute(
                "INSERT INTO videos"
                " (id, event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at, state, failure)"
                " VALUES ($1, $2, '!r', '!r', '@a:x', 't', 'mxc://x/y', true, 1, 1, $3, $4)",
                video_id, f"${video_id}", state, failure,
            )  # fmt: skip
        code, output, _ = await roomreel("admin", "-c", config, "status")
        assert code == 0
        assert [line.split() for line in output.splitlines()] == [["failed", "1"], ["ready", "1"]]

        code, output, _ = await roomreel("admin", "-c", config, "requeue", str(failed).upper())
        assert (code, output) == (0, f"Queued {failed} again.\n")
        assert await connection.fetchval("SELECT state FROM videos WHERE id = $1", failed) == "queued"
        assert (
            await connection.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = 'video'") == str(failed).encode()
        )
    finally:
        await connection.close()
    for other in (failed, ready, uuid.uuid4()):
        code, output, errors = await roomreel("admin", "-c", config, "requeue", str(other))
        assert (code, output) == (1, "")
        assert f"There is no failed video {other}." in errors
    code, _, errors = await roomreel("admin", "-c", config, "requeue", "the-last-one")
    assert code == 2
    assert "is not a video's id" in errors


async def test_a_port_that_is_taken_is_2(
    reel: Installation, tmp_path: Path, create_database: Callable[[str], Awaitable[str]]
) -> None:
    other = Installation(tmp_path, reel.synapse, dict(reel.settings))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other.write_config(database=await create_database("cli-port"), web={"port": port}, metrics={"port": 0})
        code, _, errors = await roomreel("serve", "-c", other.config)
    assert code == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in errors
