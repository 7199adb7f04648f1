"""The real parts, started once for a run: PostgreSQL, Synapse with two Roomreels registered, users, clips."""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.clips import make_small_clip
from tests.support.databases import CreateDatabase, apply_migrations
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.object_storage import ObjectStorage, azurite, google_storage, s3_server
from tests.support.secrets import forms
from transcode import Tools, find_tools

# A busy machine is slower than Hypothesis takes for granted; and a run must not depend on chance.
settings.register_profile("roomreel", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("roomreel")

SLOTS = ("reel", "reel-b")
# Files that take longest, by what `./run test` tells at its end: begun first, they do not keep one worker busy when the
# others are done.
SLOW = (
    "test_crashes.py", "test_corpus.py", "test_matrix.py", "test_admin.py", "test_leading_bytes.py", "test_holding.py",
    "test_managing.py", "test_timeline.py", "test_erasing.py", "test_uploads.py", "test_copies.py", "test_hls_rules.py",
    "test_changes.py", "test_audio_kept.py", "test_fingerprint.py", "test_schema.py",
    "test_behalf.py",
    # in a browser
    "test_viewing_settings.py", "test_order_of_play.py", "test_views.py", "test_talk.py", "test_playing.py",
    "test_recording.py", "test_channel.py",
    "test_members.py", "test_member_page.py",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--storage", choices=["local", "proxy", "redirect"], default="local",
        help="where the services store everything: local folders, or S3 and how viewers get it",
    )  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: slow.get(item.path.name, len(slow)))


@pytest.fixture(scope="session")
async def s3() -> AsyncIterator[ObjectStorage]:
    """A real S3 server; each test has a prefix of its own in it."""
    async with s3_server() as storage:
        yield storage


@pytest.fixture(scope="session")
async def azure() -> AsyncIterator[ObjectStorage]:
    """A real emulator of Azure Blob Storage; each test has a prefix of its own in it."""
    async with azurite() as storage:
        yield storage


@pytest.fixture(scope="session")
async def google() -> AsyncIterator[ObjectStorage]:
    """A server of Google Cloud Storage's XML API; each test has a prefix of its own in it."""
    async with google_storage() as storage:
        yield storage


@pytest.fixture(scope="session")
def tools() -> Tools:
    return find_tools()


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        await _forgo_durability(server.dsn)
        yield server.dsn


async def _forgo_durability(dsn: str) -> None:
    """Write nothing through to the disk: this server's data end with the run, and no test takes its power away."""
    connection = await asyncpg.connect(dsn)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


def _on_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _create(postgres: str, name: str, template: str) -> str:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return _on_database(postgres, name)


@pytest.fixture(scope="session")
def create_database(postgres: str) -> CreateDatabase:
    """Create an empty database of the given name, and return its address."""
    return lambda name: _create(postgres, name, "template1")


@pytest.fixture(scope="session")
async def create_migrated(postgres: str, create_database: CreateDatabase) -> CreateDatabase:
    """Create a database that has the schema of today already: a copy of one that was migrated once."""
    await apply_migrations(await create_database("migrated"))
    return lambda name: _create(postgres, name, "migrated")


# What a homeserver works out at each event for people's notifications, its own statistics, its directory of users and
# other homeservers is needed by no test. Nor does it gain by collecting garbage often.
_UNUSED = {
    "push": {"enabled": False}, "stats": {"enabled": False}, "send_federation": False,
    "update_user_directory_from_worker": "nobody", "gc_thresholds": [50_000, 50, 50],
}  # fmt: skip


# What lies here is never written to a disk.
_MEMORY = Path("/dev/shm")
_MEMORY_BYTES = 2 * 2**30


@pytest.fixture(scope="session")
def in_memory() -> Iterator[Path | None]:
    """A folder in memory, where the machine has one with room for a run; containers often have 64 MB."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _MEMORY_BYTES:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="roomreel-tests-", dir=_MEMORY) as folder:
        yield Path(folder)


def _database_of_homeserver(in_memory: Path | None) -> dict[str, object]:
    # Synapse waits for the disk at each of the several transactions of every event: that is most of its time.
    if in_memory is None:
        return {}
    return {"database": {"name": "sqlite3", "args": {"database": str(in_memory / "homeserver.db")}}}


@pytest.fixture(scope="session")
def storage_section(request: pytest.FixtureRequest) -> Callable[[str], dict[str, Any]]:
    """Return the `storage` section of a service, by `--storage`."""
    serve = request.config.getoption("--storage")
    if serve == "local":
        return lambda _: {}
    server: ObjectStorage = request.getfixturevalue("s3")
    return lambda prefix: server.section(prefix, serve=serve)


@pytest.fixture(scope="session")
async def homeserver(
    tmp_path_factory: pytest.TempPathFactory, create_migrated: CreateDatabase, in_memory: Path | None,
    storage_section: Callable[[str], dict[str, Any]],
) -> AsyncIterator[tuple[Synapse, dict[str, Installation]]]:  # fmt: skip
    folder = tmp_path_factory.mktemp("homeserver")
    synapse = Synapse(folder / "synapse", extra=_UNUSED | _database_of_homeserver(in_memory))
    installations = {
        slot: Installation.prepare(folder / slot, synapse, slot=slot, database=await create_migrated(slot), launch=fork)
        for slot in SLOTS
    }
    for slot, installation in installations.items():
        if section := storage_section(slot):
            installation.write_config(storage=section)
    synapse.registrations = [installation.registration for installation in installations.values()]
    async with synapse:
        yield synapse, installations


@pytest.fixture(scope="session")
def synapse(homeserver: tuple[Synapse, dict[str, Installation]]) -> Synapse:
    return homeserver[0]


@pytest.fixture(scope="session")
async def reel(homeserver: tuple[Synapse, dict[str, Installation]]) -> AsyncIterator[Installation]:
    """A Roomreel that runs for the whole session; tests make rooms of their own in it."""
    async with homeserver[1]["reel"].running() as installation:
        yield installation
        stored = [row["value"] for row in await installation.rows("SELECT value FROM secrets")]
    assert installation.secrets_in_log(*forms(*stored)) == []


@pytest.fixture
async def spare(
    homeserver: tuple[Synapse, dict[str, Installation]], create_migrated: CreateDatabase, tmp_path: Path
) -> AsyncIterator[Installation]:
    """A Roomreel that a test may configure, stop and kill as it likes; not started, with an empty database."""
    shared = homeserver[1]["reel-b"]
    installation = Installation(tmp_path / "reel-b", shared.synapse, dict(shared.settings), launch=fork)
    installation.folder.mkdir()
    installation.write_config(database=await create_migrated("spare"))
    yield installation
    shown = installation.secrets_in_log()
    await installation.depart()
    assert shown == []


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
async def admin_token(synapse: Synapse) -> AsyncIterator[str]:
    """The access token of an administrator of the homeserver."""
    async with await synapse.user(f"admin-{secrets.token_hex(4)}", admin=True) as admin:
        yield admin.access_token


@pytest.fixture(scope="session")
async def alice(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    async with await synapse.user("alice") as client:
        yield client


@pytest.fixture(scope="session")
async def bob(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    async with await synapse.user("bob") as client:
        yield client


@pytest.fixture(scope="session")
async def mallory(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    async with await synapse.user("mallory") as client:
        yield client


@pytest.fixture(scope="session")
async def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """A small real video with sound: two seconds, 320×180."""
    return await make_small_clip(tools, tmp_path_factory.mktemp("clips") / "clip.mp4")
