"""An upload of what is there already is ready at once, with links to its files; each lives on without the other."""

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


@pytest.fixture
def own_clip(clip: Path, tmp_path: Path) -> Path:
    """A file that no other test sends."""
    return with_padding(clip, tmp_path / "own.mp4", str(tmp_path).encode())


def _files(installation: Installation, video: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the files that are served of a video: their inodes, and how many links those have."""
    stage = installation.media / video["id"] / video["playlist_url"].split("/")[-2]
    stats = {str(path.relative_to(stage)): path.stat() for path in stage.rglob("*") if path.is_file()}
    return {name: (stat.st_ino, stat.st_nlink) for name, stat in stats.items()}


async def _plays(viewer: Viewer, url: str) -> bool:
    for _ in range(2):
        status, body = await viewer.fetch(url)
        assert status == 200
        url = urljoin(url, next(line for line in body.decode().splitlines() if line and not line.startswith("#")))
    return (await viewer.fetch(url))[0] == 200


async def test_the_same_file_in_two_rooms(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, own_clip: Path
) -> None:
    here, there = await make_room(alice, reel), await make_room(bob, reel)
    first_event = await alice.send_video(here, own_clip)
    alices, bobs = await reel.viewer(http, alice, here), await reel.viewer(http, bob, there)
    first = await alices.video_in(first_event, "ready")
    second = await bobs.video_in(await bob.send_video(there, own_clip), "ready")
    different = ("id", "event_id", "poster_url", "playlist_url", "storyboard_url", "preview_url", "created_at", "title")
    assert {k: v for k, v in first.items() if k not in different} == {
        k: v for k, v in second.items() if k not in different
    }
    assert _files(reel, first) == _files(reel, second)
    assert {links for _, links in _files(reel, second).values()} == {2}

    await alice.redact(here, first_event)

    async def swept() -> bool:
        return not (reel.media / first["id"]).exists()

    await eventually(swept, what="the first one's files being deleted")
    assert await alices.video(first_event) is None
    assert await _plays(bobs, second["playlist_url"])
    assert {links for _, links in _files(reel, second).values()} == {1}


async def test_files_that_are_gone_are_made_anew(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, own_clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    first = await viewer.video_in(await alice.send_video(room_id, own_clip), "ready")
    names = _files(reel, first)
    stage = reel.media / first["id"] / first["playlist_url"].split("/")[-2]
    (stage / next(name for name in names if name.endswith("/0.m4s"))).unlink()
    second = await viewer.video_in(await alice.send_video(room_id, own_clip), "ready")
    assert set(_files(reel, second)) == set(names)
    assert {links for _, links in _files(reel, second).values()} == {1}
    assert await _plays(viewer, second["playlist_url"])


async def test_other_settings_make_other_files(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    videos: list[dict[str, Any]] = []
    for copy in (True, False):
        # No machine that tests run on has such hardware: the encoder of all machines takes its place.
        spare.write_config(transcode={"copy": copy, "encoder": "h264_nvenc"})
        async with spare.running():
            if not videos:
                room_id = await make_room(alice, spare)
            viewer = await spare.viewer(http, alice, room_id)
            videos.append(await viewer.video_in(await alice.send_video(room_id, clip), "ready"))
    assert [entry["used"] for entry in spare.log_entries("encoder_replaced")] == ["libx264", "libx264"]
    for video in videos:
        assert {links for _, links in _files(spare, video).values()} == {1}
