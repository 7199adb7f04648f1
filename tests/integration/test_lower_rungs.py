"""With `transcode.ladder: watched`, rungs below a stream copy are made once a viewer's line needs them."""

import secrets
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import make_noisy_clip, with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools


@pytest.fixture
async def noisy(tmp_path: Path, tools: Tools) -> Path:
    return await make_noisy_clip(tools, tmp_path / "noisy.mp4", 5)


@pytest.fixture
def watched(spare: Installation) -> Installation:
    spare.write_config(transcode={"ladder": "watched"})
    return spare


async def _rungs(viewer: Viewer, video: dict[str, Any]) -> list[str]:
    status, body = await viewer.fetch(video["playlist_url"])
    assert status == 200
    return [line.removesuffix(".m3u8") for line in body.decode().splitlines() if line.endswith(".m3u8")]


async def _report(viewer: Viewer, video: dict[str, Any], grant: str | None = None) -> int:
    path = video["playlist_url"].rsplit("/", 2)[0] + "/slow"
    if grant:
        path = "/".join([*path.split("/")[:2], grant, *path.split("/")[3:]])
    async with viewer.http.post(viewer.base_url + path) as response:
        return response.status


async def _with_rungs(viewer: Viewer, event_id: str, before: dict[str, Any]) -> dict[str, Any]:
    async def other() -> dict[str, Any] | None:
        video = await viewer.video(event_id)
        return video if video and video["playlist_url"] != before["playlist_url"] else None

    found = await eventually(other, what="a stage with all rungs")
    assert found
    return found


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted on disk"])
async def test_a_viewer_on_a_slow_line_gets_lower_rungs(
    watched: Installation, http: aiohttp.ClientSession, alice: MatrixClient, noisy: Path, *, encrypted: bool
) -> None:
    if encrypted:
        watched.write_config(encryption={"key": secrets.token_urlsafe(32), "all_rooms": True})
    async with watched.running():
        room_id = await make_room(alice, watched)
        viewer = await watched.viewer(http, alice, room_id)
        event_id = await alice.send_video(room_id, noisy)
        alone = await viewer.video_in(event_id, "ready")
        assert await _rungs(viewer, alone) == ["360"]
        segment = alone["playlist_url"].replace("index.m3u8", "360/0.m4s")
        played = await viewer.fetch(segment)
        # What is to be swept of the first stage, by now.
        early = [row["id"] for row in await watched.rows("SELECT id FROM pgqueuer WHERE entrypoint LIKE 'sweep%'")]
        assert early
        assert await _report(viewer, alone, "1.0123456789") == 403
        assert await _report(viewer, alone) == 204
        assert await _report(viewer, alone) == 204
        whole = await _with_rungs(viewer, event_id, alone)
        assert whole["state"] == "ready"
        assert await _rungs(viewer, whole) == ["360", "240"]
        assert (whole["duration"], whole["width"]) == (alone["duration"], alone["width"])
        for rung in ("360", "240"):
            assert (await viewer.fetch(whole["playlist_url"].replace("index.m3u8", f"{rung}/1.m4s")))[0] == 200
        # The copy takes no second place on the disk.
        copies = [
            watched.media / each["id"] / each["playlist_url"].split("/")[-2] / "360" / "1.m4s"
            for each in (alone, whole)
        ]
        assert (len({path.stat().st_ino for path in copies}) == 1) is not encrypted
        # Whoever plays goes on in the stage that they have, with its key; also once the first stage is swept.
        assert await viewer.fetch(segment) == played
        await watched.rows("UPDATE pgqueuer SET execute_after = now() WHERE id = ANY ($1)", early)

        async def swept() -> bool:
            return not await watched.rows("SELECT FROM pgqueuer WHERE id = ANY ($1)", early)

        await eventually(swept, what="the sweep of the first stage")
        assert await viewer.fetch(segment) == played
        keys = [(await viewer.fetch(each["playlist_url"].replace("index.m3u8", "key"))) for each in (alone, whole)]
        assert [status for status, _ in keys] == [200 if encrypted else 404] * 2
        assert not encrypted or len({key for _, key in keys}) == 2

        async def settled() -> bool:
            (row,) = await watched.rows(
                "SELECT lower_rungs, finishing, bytes FROM videos WHERE event_id = $1", event_id
            )
            stage = watched.media / whole["id"] / whole["playlist_url"].split("/")[-2]
            size = sum(file.stat().st_size for file in stage.rglob("*") if file.is_file())
            return (row["lower_rungs"], row["finishing"], row["bytes"]) == (None, None, size)

        await eventually(settled, what="the end of the work")
        assert await _report(viewer, whole) == 204
        assert len(watched.log_entries("lower_rungs_made")) == 1


@pytest.mark.parametrize("end", ["killed", "stopped"])
async def test_lower_rungs_are_made_after_their_worker_ended(
    watched: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tmp_path: Path, tools: Tools, end: str
) -> None:
    # Long enough to be seen while it is worked on.
    noisy = await make_noisy_clip(tools, tmp_path / "long.mp4", 40)
    watched.write_config(worker={"heartbeat_timeout": 1})
    await watched.start()
    room_id = await make_room(alice, watched)
    viewer = await watched.viewer(http, alice, room_id)
    event_id = await alice.send_video(room_id, noisy)
    alone = await viewer.video_in(event_id, "ready")
    (row,) = await watched.rows("SELECT id, attempts FROM videos WHERE event_id = $1", event_id)

    async def begun() -> bool:
        return bool(
            await watched.rows(
                "SELECT FROM videos WHERE id = $1 AND lower_rungs = 'wanted' AND finishing > 0", row["id"]
            )
        )

    assert await _report(viewer, alone) == 204
    await eventually(begun, what="the lower rungs being begun")
    await (watched.kill() if end == "killed" else watched.stop())
    await watched.start()
    viewer = await watched.viewer(http, alice, room_id)
    assert await _rungs(viewer, await _with_rungs(viewer, event_id, alone)) == ["360", "240"]
    await watched.stop()
    assert not list((watched.folder / "data" / "scratch").iterdir())


async def test_a_video_that_is_deleted_meanwhile_leaves_nothing(
    watched: Installation, http: aiohttp.ClientSession, alice: MatrixClient, noisy: Path
) -> None:
    async with watched.running():
        room_id = await make_room(alice, watched)
        viewer = await watched.viewer(http, alice, room_id)
        event_id = await alice.send_video(room_id, noisy)
        alone = await viewer.video_in(event_id, "ready")
        assert await _report(viewer, alone) == 204
        await alice.redact(room_id, event_id)

        async def gone() -> bool:
            return not (watched.media / alone["id"]).exists() and not await watched.rows(
                "SELECT FROM pgqueuer WHERE entrypoint IN ('video', 'sweep') AND execute_after <= now()"
            )

        await eventually(gone, what="the end of all work")
        assert await watched.rows("SELECT FROM videos WHERE id = $1 AND bytes <> 0", alone["id"]) == []


async def test_the_same_file_shares_what_is_left_out_and_what_is_made(
    watched: Installation, http: aiohttp.ClientSession, alice: MatrixClient, noisy: Path
) -> None:
    async with watched.running():
        room_id = await make_room(alice, watched)
        viewer = await watched.viewer(http, alice, room_id)
        events = [await alice.send_video(room_id, noisy) for _ in range(1)]
        first = await viewer.video_in(events[0], "ready")
        events.append(await alice.send_video(room_id, noisy))
        second = await viewer.video_in(events[1], "ready")
        assert await _rungs(viewer, second) == ["360"]
        for event_id, video in zip(events, (first, second), strict=True):
            await _report(viewer, video)
            assert await _rungs(viewer, await _with_rungs(viewer, event_id, video)) == ["360", "240"]
        paths = [
            watched.media / video["id"] / video["playlist_url"].split("/")[-2] / "240" / "0.m4s"
            for video in await viewer.videos()
        ]
        assert len({path.stat().st_ino for path in paths}) == 1


async def test_a_file_that_is_another_by_now_changes_nothing(
    watched: Installation, http: aiohttp.ClientSession, alice: MatrixClient, noisy: Path, tmp_path: Path
) -> None:
    async with watched.running():
        room_id = await make_room(alice, watched)
        viewer = await watched.viewer(http, alice, room_id)
        event_id = await alice.send_video(room_id, noisy)
        alone = await viewer.video_in(event_id, "ready")
        other = with_padding(noisy, tmp_path / "other.mp4", b"other")
        mxc = await alice.upload(other, "video/mp4", "other.mp4")
        await watched.rows("UPDATE videos SET mxc = $2 WHERE event_id = $1", event_id, mxc)
        assert await _report(viewer, alone) == 204

        async def given_up() -> bool:
            (row,) = await watched.rows("SELECT lower_rungs, finishing FROM videos WHERE event_id = $1", event_id)
            return (row["lower_rungs"], row["finishing"]) == ("given_up", None)

        await eventually(given_up, what="the lower rungs being given up")
        assert [entry["code"] for entry in watched.log_entries("video_not_finished")] == ["media-gone"]
        assert await _rungs(viewer, alone) == ["360"]
