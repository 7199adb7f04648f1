"""The disk is full, at any time of any work: it is reported, nothing half-made remains, and there is a next try.

The service runs with its data on a small file system of its own, a tmpfs in a mount namespace.
"""

import asyncio
import contextlib
import io
import os
import secrets
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.launch import execute
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually
from transcode import Tools

DISK_MIB = 96
KIB = 1024


class SmallDisk:
    """The file system of a running installation's data, as only its own processes see it."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    @property
    def data(self) -> Path:
        assert self._installation.process
        return Path(f"/proc/{self._installation.process.pid}/root{self._installation.folder}/data")

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.data).free

    def leave(self, size: int) -> None:
        """Fill it, but for so many bytes."""
        while True:
            self.make_room()
            with (self.data / "filler").open("wb") as file, contextlib.suppress(OSError):
                # The service may write a file just then: again.
                os.posix_fallocate(file.fileno(), 0, self.free - size)
                return

    def make_room(self) -> None:
        (self.data / "filler").unlink(missing_ok=True)

    def files(self, *folders: str) -> list[str]:
        return sorted(
            str(each.relative_to(self.data))
            for folder in folders
            for each in (self.data / folder).rglob("*")
            if each.is_file()
        )


@pytest.fixture
async def small(spare: Installation) -> Installation:
    """An installation, not started, whose data will lie on a disk of `DISK_MIB`."""
    data = spare.folder / "data"
    data.mkdir()
    mount = f'mount -t tmpfs -o size={DISK_MIB}m,mode=700 tmpfs "$0" && exec "$@"'
    # Root needs no user namespace; in one, it could not reach the database of another user.
    alone = () if os.geteuid() == 0 else ("--map-root-user",)
    runs_in = ("unshare", *alone, "--mount", "sh", "-c", mount, str(data))
    spare.launch = partial(execute, runs_in=(*runs_in, sys.executable))
    trial = await asyncio.create_subprocess_exec(*runs_in, "true", stderr=asyncio.subprocess.PIPE)
    _, said = await trial.communicate()
    if trial.returncode:
        pytest.skip(f"this machine gives nobody a file system of their own: {said.decode().strip()}")
    return spare


async def _encoded_clip(tools: Tools, path: Path, *codec: str) -> Path:
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=440",
        "-t", "5", "-pix_fmt", "yuv420p", *codec, path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


async def _sent(small: Installation, http: aiohttp.ClientSession, user: MatrixClient, room_id: str, file: Path) -> str:
    event_id = f"$video-{secrets.token_hex(6)}"
    event: dict[str, Any] = {
        "type": "m.room.message", "event_id": event_id, "room_id": room_id, "sender": user.user_id,
        "origin_server_ts": 1_700_000_000_000,
        "content": {"msgtype": "m.video", "body": file.name, "url": await user.upload(file, "video/mp4", file.name)},
    }  # fmt: skip
    status, response = await small.transaction(http, [event], txn_id=event_id)
    assert status == 200, response
    return event_id


async def _ended(small: Installation, event_id: str) -> tuple[str, str | None, str]:
    async def outcome() -> tuple[str, str | None, str] | None:
        rows = await small.rows("SELECT id, state, failure FROM videos WHERE event_id = $1", event_id)
        row = rows[0]
        return (row["state"], row["failure"], str(row["id"])) if row["state"] in {"ready", "failed"} else None

    found = await eventually(outcome, what="the end of the work")
    assert found
    return found


COPIED = ("copied.mp4", ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"))
ENCODED = ("encoded.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-c:a", "libopus"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "codec"), [COPIED, ENCODED])
async def test_a_disk_that_is_full_at_any_time_of_the_work_on_a_video(
    small: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tools: Tools, tmp_path: Path,
    name: str, codec: tuple[str, ...],
) -> None:  # fmt: skip
    """With a little more room each time: while it is downloaded, in the first stage, in the ladder, at a poster."""
    small.write_config(worker={"attempts": 1})
    async with small.running():
        disk = SmallDisk(small)
        room_id = await make_room(alice, small)
        encoded = await _encoded_clip(tools, tmp_path / name, *codec)
        size, seen, share = encoded.stat().st_size, list[tuple[str, str | None]](), 0.25
        while ("ready", None) not in seen:
            disk.leave(int(size * share))
            file = with_padding(encoded, tmp_path / f"{len(seen)}-{name}", secrets.token_bytes(8))
            state, failure, video_id = await _ended(small, await _sent(small, http, alice, room_id, file))
            seen.append((state, failure))
            share *= 1.3
            if state == "failed":
                await eventually(partial(_nothing_of, disk, video_id), what="the end of what was made")
        assert set(seen) == {("failed", "disk-full"), ("ready", None)}
        assert len(seen) > 4


async def _nothing_of(disk: SmallDisk, video_id: str) -> bool:
    return not disk.files("scratch", f"media/{video_id}")


async def test_what_found_no_room_is_tried_again_while_the_reel_goes_on(
    small: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tools: Tools, clip: Path, tmp_path: Path
) -> None:
    async with small.running():
        disk = SmallDisk(small)
        room_id = await make_room(alice, small)
        viewer = await small.viewer(http, alice, room_id)
        first = await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        encoded = await _encoded_clip(tools, tmp_path / ENCODED[0], *ENCODED[1])
        disk.leave(encoded.stat().st_size * 3 // 2)
        event_id = await alice.send_video(room_id, encoded)

        async def refused() -> list[dict[str, Any]]:
            return small.log_entries("video_failed")

        (entry, *_) = await eventually(refused, what="the disk being full")
        assert (entry["code"], entry["cause"]) == ("disk-full", "transient")
        video = await viewer.video_in(event_id, "processing", "queued")
        await eventually(partial(_nothing_of, disk, video["id"]), what="the end of what was half made")
        (member,) = (await viewer.room())["members"]
        status, _ = await viewer.fetch(member["reel_url"])
        assert status == 200
        assert (await viewer.fetch(first["playlist_url"]))[0] == 200
        disk.make_room()
        await viewer.video_in(event_id, "ready")


async def test_an_upload_that_finds_no_room(
    small: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tmp_path: Path
) -> None:
    async with small.running():
        disk = SmallDisk(small)
        room_id = await make_room(alice, small)
        viewer = await small.viewer(http, alice, room_id)
        headers = {"Authorization": f"Bearer {viewer.token}", "Tus-Resumable": "1.0.0"}
        uploads, body = f"{small.url}/api/v1/uploads", secrets.token_bytes(2 * 1024 * KIB)
        async with http.post(uploads, headers={**headers, "Upload-Length": str(len(body))}) as response:
            assert response.status == 201
            place = f"{small.url}/api/v1/{response.headers['Location']}"
        disk.leave(600 * KIB)

        async def append(offset: int) -> tuple[int, dict[str, Any]]:
            about = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            async with http.patch(place, data=io.BytesIO(body[offset:]), headers={**headers, **about}) as response:
                return response.status, {} if response.status == 204 else await response.json()

        status, error = await append(0)
        assert (status, error) == (
            507, {"errcode": "M_RESOURCE_LIMIT_EXCEEDED", "error": "The server has no room for it at the moment."},
        )  # fmt: skip
        # What has come is kept for who goes on later, and goes with who gives up.
        async with http.head(place, headers=headers) as response:
            offset = int(response.headers["Upload-Offset"])
        assert 0 < offset <= 600 * KIB
        disk.make_room()
        assert (await append(offset))[0] == 204
        assert len(disk.files("uploads")) == 1
        async with http.delete(place, headers=headers) as response:
            assert response.status == 204
        assert disk.files("uploads") == []


async def test_an_export_that_finds_no_room(
    small: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    async with small.running():
        disk = SmallDisk(small)
        room_id = await make_room(alice, small)
        viewer = await small.viewer(http, alice, room_id)
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        disk.leave(100 * KIB)
        commands = CommandSender(alice, await open_direct(alice, small))
        await commands("export")
        alone = await _room_with(small, alice)
        await wait_for_notice(alice, alone, "The server’s disk is too full to put your videos and data together.")
        assert disk.files("exports", "scratch") == []
        assert await small.rows("SELECT FROM exports") == []
        disk.make_room()
        await commands("export")
        await wait_for_notice(alice, alone, "/export/")
        assert len(disk.files("exports")) == 1


async def _room_with(small: Installation, user: MatrixClient) -> str:
    """Wait for the room that the bot makes to notify somebody alone, and join it."""

    async def made() -> str:
        rows = await small.rows("SELECT room_id FROM rooms WHERE made_for = $1", user.user_id)
        return str(rows[0]["room_id"]) if rows else ""

    room_id = await eventually(made, what="a room for one")
    await user.join(room_id)
    return room_id


async def test_a_full_disk_is_no_reason_to_serve_nothing(small: Installation, http: aiohttp.ClientSession) -> None:
    await small.start()
    disk = SmallDisk(small)
    disk.leave(0)
    async with http.get(f"{small.url}/ready") as response:
        assert (response.status, await response.json()) == (200, {"status": "ready"})
    async with http.get(f"http://127.0.0.1:{small.settings['metrics']['port']}/metrics") as response:
        assert "\nroomreel_disk_free_bytes 0.0\n" in await response.text()
    disk.make_room()
