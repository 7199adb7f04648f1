"""Backup while everything runs, all lost, restore: what was there before plays; and what is refused."""

import asyncio
import fcntl
import json
import os
import shutil
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest

from appservice.demo.synapse import Synapse
from tests.support.command_line import roomreel
from tests.support.databases import CreateDatabase
from tests.support.installation import Installation
from tests.support.playing import fetch_all
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

TUS = {"Tus-Resumable": "1.0.0"}
BEFORE = 3


def block(file: Path) -> Callable[[], Awaitable[None]]:
    """Let whoever reads a file wait; return what then gives them its content."""
    content = file.read_bytes()
    file.unlink()
    os.mkfifo(file)

    async def feed() -> None:
        # Opened for both ways, it waits for no reader (fifo(7)); the content of ours fits into the pipe.
        descriptor = os.open(file, os.O_RDWR)
        os.write(descriptor, content)

        async def is_read() -> bool:
            left = bytearray(4)
            fcntl.ioctl(descriptor, termios.FIONREAD, left)
            return not any(left)

        await eventually(is_read, what="the file being read")
        os.close(descriptor)

    return feed


async def test_what_was_there_before_a_backup_under_load_plays_after_all_is_lost(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path, tmp_path: Path,
    create_database: CreateDatabase,
) -> None:  # fmt: skip
    copy = tmp_path / "copy"
    await spare.start()
    async with await synapse.user("saver") as owner:
        room_id = await make_room(owner, spare)
        viewer = await spare.viewer(http, owner, room_id)
        sent = [await owner.send_video(room_id, clip) for _ in range(BEFORE)]
        for event_id in sent:
            await viewer.video_in(event_id, "ready", seconds=120)
        upload = await _upload_half(spare, viewer)
        rows = await spare.rows("SELECT id::text, event_id, stage FROM videos WHERE stage IS NOT NULL ORDER BY id")
        first, *_, last = rows
        (init, *_) = sorted((spare.media / first["id"] / first["stage"]).glob("*/init.mp4"))
        go_on = block(init)
        making = asyncio.create_task(spare.command("admin", "-c", str(spare.config), "backup", str(copy)))
        await eventually(lambda: _begun(tmp_path, making), what="the dump being written")
        # Its snapshot was taken: what is deleted and what comes from here on is not in it.
        await owner.redact(room_id, last["event_id"])
        await eventually(lambda: _is_held_back(spare), what="the deletion being held back")
        later = await owner.send_video(room_id, clip)
        await viewer.video_in(later, "playable", "ready", seconds=120)
        assert (spare.media / last["id"] / last["stage"]).is_dir()
        await go_on()
        code, said = await making
        assert code == 0, said
        assert f"{BEFORE} videos" in said
        assert "had lost files" not in said

        async def deleted() -> bool:
            return not (spare.media / last["id"]).exists()

        await eventually(deleted, what="the deletion after the backup")
        await spare.stop()

        shutil.rmtree(spare.folder / "data")
        spare.write_config(database=await create_database("restored"))
        code, said, errors = await roomreel("admin", "-c", spare.config, "restore", copy)
        assert (code, errors) == (0, "")
        assert f"Restored {BEFORE} videos" in said
        for row in rows:
            assert list((spare.media / row["id"] / row["stage"]).glob("*/*.m4s"))
        await spare.start()
        # The same session, for its key is in the database.
        for event_id in {row["event_id"] for row in rows} - {last["event_id"]}:
            assert await fetch_all(viewer, await viewer.video_in(event_id, "ready")) > 2
        async with http.head(spare.url + upload, headers=_authorized(viewer)) as response:
            assert (response.status, response.headers["Upload-Offset"]) == (200, "5")
        # What happened meanwhile is found in the room's timeline.
        await viewer.video_in(later, "ready", seconds=120)
        await eventually(lambda: _is_gone(viewer, last["event_id"]), what="the redaction being found")


async def _upload_half(spare: Installation, viewer: Viewer) -> str:
    headers = {**_authorized(viewer), "Upload-Length": "10"}
    async with viewer.http.post(f"{spare.url}/api/v1/uploads", headers=headers) as response:
        assert response.status == 201
        path = urljoin("/api/v1/uploads", response.headers["Location"])
    headers = {**_authorized(viewer), "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    async with viewer.http.patch(spare.url + path, headers=headers, data=b"12345") as response:
        assert response.status == 204
    return path


def _authorized(viewer: Viewer) -> dict[str, str]:
    return {"Authorization": f"Bearer {viewer.token}", **TUS}


async def _begun(folder: Path, making: "asyncio.Task[tuple[int, str]]") -> bool:
    assert not making.done(), making.result()
    return (folder / ".copy.part" / "SHA256SUMS").exists()


async def _is_held_back(spare: Installation) -> bool:
    return any("backup" in str(entry.get("reason")) for entry in spare.log_entries("job_postponed"))


async def _is_gone(viewer: Viewer, event_id: str) -> bool:
    return await viewer.video(event_id) is None


# What is refused


@pytest.fixture
async def made(spare: Installation, tmp_path: Path) -> Path:
    """A backup of an installation without videos."""
    copy = tmp_path / "copy"
    code, _, errors = await roomreel("admin", "-c", spare.config, "backup", copy)
    assert code == 0, errors
    return copy


async def refused(spare: Installation, *words: str | Path) -> str:
    code, output, errors = await roomreel("admin", "-c", spare.config, *words)
    assert (code, output) == (1, "")
    return errors


async def test_a_backup_is_for_its_owner_alone_and_overwrites_nothing(spare: Installation, made: Path) -> None:
    assert made.stat().st_mode & 0o077 == 0
    assert "is there already" in await refused(spare, "backup", made)
    (made.parent / ".other.part").mkdir()
    assert "delete it when none runs" in await refused(spare, "backup", made.parent / "other")
    assert not (made.parent / "other").exists()


async def test_it_can_be_verified_by_others(made: Path) -> None:
    process = await asyncio.create_subprocess_exec("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=made)
    assert await process.wait() == 0


async def test_a_backup_that_fails_leaves_nothing(spare: Installation, tmp_path: Path) -> None:
    spare.write_config(database="postgresql://u:pass-word@127.0.0.1:1/none")
    said = await refused(spare, "backup", tmp_path / "copy")
    assert "Check that PostgreSQL runs" in said
    assert "pass-word" not in said
    assert not list(tmp_path.glob("*copy*"))


async def test_nothing_is_restored_where_something_is(
    spare: Installation, made: Path, create_database: CreateDatabase
) -> None:
    assert "The database is not empty" in await refused(spare, "restore", made)
    spare.write_config(database=await create_database("restored"))
    (spare.media / "something").mkdir(parents=True)
    assert f"something in {spare.media}" in await refused(spare, "restore", made)


async def test_nothing_is_restored_into_folders_that_are_not_read(
    spare: Installation, made: Path, create_database: CreateDatabase, tmp_path: Path
) -> None:
    spare.write_config(database=await create_database("restored"), storage={"url": f"file://{tmp_path}/shared"})
    assert "leave `storage` out until it is restored" in await refused(spare, "restore", made)
    assert not (spare.folder / "data" / "media").exists()


async def test_what_is_damaged_or_of_another_server_is_not_restored(
    spare: Installation, made: Path, create_database: CreateDatabase
) -> None:
    spare.write_config(database=await create_database("restored"))
    about = json.loads((made / "backup.json").read_text())
    (made / "backup.json").write_text(json.dumps({**about, "server_name": "other.org"}))
    assert "It is of other.org" in await refused(spare, "restore", made)
    (made / "backup.json").write_text(json.dumps(about))
    dump = made / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "database.dump is damaged or missing" in await refused(spare, "restore", made)
    dump.write_bytes(whole)
    sums = made / "SHA256SUMS"
    lines = sums.read_text()
    sums.write_text(lines.replace("database.dump", "../database.dump"))
    assert "not the one that the backup was made with" in await refused(spare, "restore", made)
    sums.unlink()
    assert "is no whole backup" in await refused(spare, "restore", made)
    assert not (spare.folder / "data" / "media").exists()
    sums.write_text(lines)
    code, _, errors = await roomreel("admin", "-c", spare.config, "restore", made)
    assert (code, errors) == (0, "")


async def test_an_embedded_database_is_backed_up_and_restored(spare: Installation, tmp_path: Path) -> None:
    database = spare.settings["database"]
    try:
        spare.write_config(database="embedded")
        assert (await roomreel("migrate", "-c", spare.config))[0] == 0
        code, _, errors = await roomreel("admin", "-c", spare.config, "backup", tmp_path / "copy")
        assert (code, errors) == (0, "")
        shutil.rmtree(spare.folder / "data")
        code, _, errors = await roomreel("admin", "-c", spare.config, "restore", tmp_path / "copy")
        assert (code, errors) == (0, "")
        assert await roomreel("admin", "-c", spare.config, "status") == (0, "There are no videos yet.\n", "")
    finally:
        spare.write_config(database=database)
