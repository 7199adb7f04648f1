"""What members and moderators do with videos, on the real service: who may, conflicts, undo, and the end."""

import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


class ModeratedRoom:
    """A room where alice is the moderator, and bob has two videos."""

    def __init__(self, alice: Viewer, bob: Viewer, mallory: Viewer, user: MatrixClient, events: list[str]) -> None:
        self.alice, self.bob, self.mallory, self.user, self.events = alice, bob, mallory, user, events

    async def bobs(self, viewer: Viewer) -> list[dict[str, Any]]:
        members = {member["user_id"]: member for member in (await viewer.room())["members"]}
        videos: list[dict[str, Any]] = members[self.user.user_id]["videos"]
        return videos

    async def member(self, viewer: Viewer) -> dict[str, Any]:
        return next(m for m in (await viewer.room())["members"] if m["user_id"] == self.user.user_id)


@pytest.fixture
async def moderated(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient,
    clip: Path, tmp_path: Path,
) -> ModeratedRoom:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory)
    viewers = [await reel.viewer(http, user, room_id) for user in (alice, bob, mallory)]
    events = [
        await bob.send_video(room_id, with_padding(clip, tmp_path / f"{number}.mp4", str(number).encode()))
        for number in range(2)
    ]
    for event_id in events:
        await viewers[1].video_in(event_id, "ready")
    return ModeratedRoom(viewers[0], viewers[1], viewers[2], bob, events)


def _path(video: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/videos/{video['id']}{rest}"


async def test_a_deletion_is_final_within_ten_seconds(reel: Installation, moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.alice))[0]
    folder = reel.media / video["id"]
    assert folder.is_dir()
    started = time.monotonic()
    assert (await moderated.alice.request("DELETE", _path(video)))[0] == 200

    async def gone() -> bool:
        return not folder.exists()

    await eventually(gone, seconds=30, what="the files' end")
    assert time.monotonic() - started > 7
    assert (await moderated.alice.request("POST", _path(video, "/restore")))[0] == 410
    assert (await moderated.bob.request("POST", _path(video, "/restore")))[0] == 403, "a moderator deleted it"


async def test_a_crash_does_not_keep_what_was_deleted(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    video = await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    folders = [path for path in (spare.folder / "data").rglob(video["id"]) if path.is_dir()]
    assert folders
    assert (await viewer.request("DELETE", _path(video)))[0] == 200
    await spare.kill()
    await spare.start()

    async def gone() -> bool:
        return not any(path.exists() for path in folders)

    await eventually(gone, seconds=40, what="the files' end")


async def test_what_was_unfinished_is_started_anew_when_it_is_back(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare)
    await spare.start(command=("serve", "--no-worker"))
    viewer = await spare.viewer(http, alice, room_id)
    video = await viewer.video_in(await alice.send_video(room_id, clip), "queued")
    # As its worker leaves it behind, which took its files away when the video was gone.
    await spare.rows("UPDATE videos SET state = 'playable', stage = '1-gone', attempts = 1, available = 1")
    await spare.rows("DELETE FROM pgqueuer WHERE entrypoint = 'video'")
    assert (await viewer.request("DELETE", _path(video)))[0] == 200
    await spare.keep_deletions_open()
    status, restored = await viewer.request("POST", _path(video, "/restore"))
    assert (status, restored["state"], restored["playlist_url"]) == (200, "processing", None)
    await spare.stop()
    async with spare.running():
        await viewer.video_in(video["event_id"], "ready")


async def test_a_redaction_cannot_be_undone(moderated: ModeratedRoom, reel: Installation) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    assert (await moderated.bob.request("DELETE", _path(video)))[0] == 200
    await reel.keep_deletions_open()
    await moderated.user.redact(moderated.bob.room_id, video["event_id"])

    async def gone() -> bool:
        return not (reel.media / video["id"]).exists()

    await eventually(gone, what="the files' end")
    assert (await moderated.bob.request("POST", _path(video, "/restore")))[0] == 410


async def test_what_is_deleted_lends_its_files_to_nobody_new(
    moderated: ModeratedRoom, reel: Installation, clip: Path, tmp_path: Path
) -> None:
    file = with_padding(clip, tmp_path / "same.mp4", str(tmp_path).encode())

    async def send() -> dict[str, Any]:
        return await moderated.bob.video_in(await moderated.user.send_video(moderated.bob.room_id, file), "ready")

    def links(video: dict[str, Any]) -> set[int]:
        stage = reel.media / video["id"] / video["playlist_url"].split("/")[-2]
        return {path.stat().st_nlink for path in stage.rglob("*") if path.is_file()}

    first, second = await send(), await send()
    assert links(second) == {2}
    for video in (first, second):
        assert (await moderated.bob.request("DELETE", _path(video)))[0] == 200
    await reel.keep_deletions_open(second["id"])
    assert links(await send()) == {1}
    assert (await moderated.bob.request("POST", _path(second, "/restore")))[0] == 200

    async def swept() -> bool:
        return not (reel.media / first["id"]).exists()

    await eventually(swept, seconds=20, what="the first one's files being deleted")
    assert links(second) == {1}
    assert (await moderated.mallory.fetch(second["poster_url"]))[0] == 200
