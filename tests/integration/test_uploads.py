"""A member records or picks a video in the widget: tus, the work on it, and the message that they send."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from appservice.demo.client import MatrixClient
from tests.integration.transcode.test_audio_left_out import AAC, NOISE
from tests.integration.transcode.test_recordings import recorded
from tests.support.commands import CommandSender
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.rooms import make_room, wait_for_notice
from tests.support.uploads import PATH, Uploader
from tests.support.video.sync_pattern import X264, audio, made, video
from tests.support.waiting import eventually
from transcode import Tools


@pytest.fixture(scope="session")
def recording(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tools, tmp_path_factory.mktemp("recorded") / "recording.webm", seconds=3, size="320x180")


@pytest.fixture
async def room_id(reel: Installation, alice: MatrixClient, bob: MatrixClient) -> str:
    return await make_room(alice, reel, bob)


@pytest.fixture
async def uploader(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, room_id: str) -> Uploader:
    await reel.rows("DELETE FROM uploads")
    return Uploader(await reel.viewer(http, alice, room_id))


async def test_a_recording_is_sent_while_it_is_made_and_plays_in_the_room(
    reel: Installation, uploader: Uploader, alice: MatrixClient, room_id: str, recording: Path
) -> None:
    data = recording.read_bytes()
    created = await uploader.create(None, "海边.webm")
    assert created.status == 201
    assert created.headers["Tus-Resumable"] == "1.0.0"
    assert created.headers["Upload-Expires"].endswith("GMT")
    assert (await uploader.head()).headers["Upload-Defer-Length"] == "1"
    offset = 0
    for position in range(0, len(data), 50_000):  # a piece a second, as a recorder gives them
        response = await uploader.patch(offset, data[position : position + 50_000])
        assert response.status == 204
        offset = int(response.headers["Upload-Offset"])
    assert offset == len(data)
    assert (await uploader.finish(convert=True)).status == 409, "nobody knows whether that is all"
    assert (await uploader.patch(offset, b"", Upload_Length=str(offset))).status == 204
    assert uploader.bytes_in(reel.uploads).read_bytes() == data
    assert (await uploader.state()) == {
        "id": uploader.id(), "state": "uploading", "percent": None, "failure": None, "content": None,
        "audio_left_out": None,
    }  # fmt: skip
    taken = await uploader.finish(start=0.5, end=2.5, convert=True)
    assert (taken.status, taken.body["state"]) == (202, "preparing")
    assert (await uploader.finish(convert=True)).status == 202, "requested again, since the response was lost"
    content = (await uploader.outcome())["content"]
    await uploader.wait_for_deletion(reel.uploads)
    assert (content["msgtype"], content["body"], content["filename"]) == ("m.video", "海边.mp4", "海边.mp4")
    info = content["info"]
    assert (info["mimetype"], info["w"], info["h"]) == ("video/mp4", 320, 180)
    assert info["duration"] == pytest.approx(2000, abs=34)
    assert info["thumbnail_url"].startswith("mxc://")
    assert (info["thumbnail_info"]["mimetype"], info["thumbnail_info"]["w"]) == ("image/jpeg", 320)

    event_id = await alice.send_event(room_id, "m.room.message", content)
    video = await uploader.viewer.video_in(event_id, "playable", "ready")
    assert video["duration"] == pytest.approx(2, abs=0.05)
    members = (await uploader.viewer.room())["members"]
    (sender,) = [m["user_id"] for m in members for v in m["videos"] if v["event_id"] == event_id]
    assert sender == alice.user_id


async def test_a_picked_file_goes_as_it_is(uploader: Uploader, alice: MatrixClient, clip: Path) -> None:
    await uploader.send(clip)
    assert (await uploader.finish()).status == 202
    content = (await uploader.outcome())["content"]
    assert (content["body"], content["info"]["mimetype"], content["info"]["size"]) == (
        "clip.mp4", "video/mp4", clip.stat().st_size,
    )  # fmt: skip
    path = f"/_matrix/client/v1/media/download/{content['url'].removeprefix('mxc://')}"
    headers = {"Authorization": f"Bearer {alice.access_token}"}
    async with uploader.viewer.http.get(alice.base_url + path, headers=headers) as response:
        assert response.content_type == "video/mp4"
        assert await response.read() == clip.read_bytes()


async def test_bad_files_have_the_codes_of_videos(uploader: Uploader, clip: Path) -> None:
    data = clip.read_bytes()
    bad = {
        "empty-file": b"",
        "not-a-video": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "broken-file": data[: len(data) // 2],
    }
    for code, body in bad.items():
        for convert in (False, True):
            await uploader.create(len(body), "holiday.mp4")
            await uploader.patch(0, body)
            await uploader.finish(convert=convert)
            outcome = await uploader.outcome()
            assert (outcome["state"], outcome["failure"], outcome["content"]) == ("failed", {"code": code}, None)


async def test_what_is_longer_than_the_room_takes_can_be_cut_below_that(
    reel: Installation, uploader: Uploader, alice: MatrixClient, room_id: str, recording: Path
) -> None:
    await CommandSender(alice, room_id)("!reel room max-length 2")
    assert (await uploader.call("OPTIONS", PATH)).headers["Upload-Max-Duration"] == "2"
    for anybody in ("", "Bearer nobody"):
        options = await uploader.call("OPTIONS", PATH, Authorization=anybody)
        assert options.headers.get("Upload-Max-Duration") == (None if anybody else "7200")
    for finish in ({}, {"convert": True}, {"start": 0.5, "convert": True}):
        await uploader.send(recording)
        await uploader.finish(**finish)
        assert (await uploader.outcome())["failure"] == {"code": "too-long"}, finish
    await uploader.send(recording)
    await uploader.finish(start=0.9, end=2.9, convert=True)
    content = (await uploader.outcome("ready"))["content"]
    assert content["info"]["duration"] == 2000
    event_id = await alice.send_event(room_id, "m.room.message", content)
    assert (await uploader.viewer.video_in(event_id, "ready"))["duration"] <= 2


async def test_audio_that_is_lost_in_a_recording_is_reported_like_that_of_other_videos(
    uploader: Uploader, alice: MatrixClient, room_id: str, tools: Tools, tmp_path: Path
) -> None:
    source = made(tools, tmp_path / "lake.mkv", *video(2), *audio(2), *X264, *AAC, *NOISE)
    await uploader.send(source)
    await uploader.finish(convert=True)
    prepared = await uploader.outcome("ready")
    assert prepared["audio_left_out"] == "damaged"
    assert set(prepared["content"]) == {"msgtype", "body", "filename", "url", "info"}, "it is of nobody else's concern"
    event_id = await alice.send_event(room_id, "m.room.message", prepared["content"])
    # What is made of it is a video without audio, of which nothing is missing.
    assert (await uploader.viewer.video_in(event_id, "ready"))["audio_left_out"] == "damaged"
    notice = await wait_for_notice(alice, room_id, "Plays without sound", thread=event_id)
    assert notice.startswith("“lake”: Plays without sound: it is damaged.")


async def test_what_expired_is_gone(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tmp_path: Path
) -> None:
    await spare.start()
    uploader = Uploader(await spare.viewer(http, alice, await make_room(alice, spare)))
    await uploader.create(10)
    expired = uploader.bytes_in(spare.uploads)
    await spare.rows("UPDATE uploads SET expires_at = now()")
    assert (await uploader.head()).status == 404
    assert (await uploader.patch(0, b"x")).status == 404
    await uploader.create(10)
    lost = uploader.bytes_in(spare.uploads)
    lost.unlink()
    await spare.rows("UPDATE uploads SET touched_at = now() - interval '1 hour'")
    stray = lost.parent / "00000000-0000-4000-8000-000000000000"
    stray.write_bytes(b"x")
    await uploader.create(10)
    kept = uploader.bytes_in(spare.uploads)
    await spare.stop()
    await spare.start()  # a worker sweeps at its start, and every minute

    async def swept() -> bool:
        return not expired.exists() and not stray.exists() and len(await spare.rows("SELECT FROM uploads")) == 1

    await eventually(swept, what="the sweep")
    assert kept.exists()


async def test_a_crash_and_a_homeserver_that_is_away(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, recording: Path
) -> None:
    await spare.start()
    uploader = Uploader(await spare.viewer(http, alice, await make_room(alice, spare)))
    await uploader.send(recording)
    real = spare.settings["homeserver"]["url"]
    await spare.stop()
    spare.write_config(homeserver={"url": "http://127.0.0.1:9"})
    await spare.start()
    assert (await uploader.finish(convert=True)).status == 202

    async def postponed() -> bool:
        return any(entry.get("job") == "upload" for entry in spare.log_entries("job_postponed"))

    await eventually(postponed, what="the wait for the homeserver")
    assert (await uploader.state())["state"] == "preparing"
    await spare.kill()
    spare.write_config(homeserver={"url": real})
    await spare.start()

    async def converting() -> bool:  # or even done, which takes less than a poll
        return bool(spare.ffmpegs()) or (await uploader.state())["state"] != "preparing"

    await eventually(converting, what="another attempt")
    await spare.kill()
    await spare.start()
    outcome = await uploader.outcome()
    assert outcome["state"] == "ready"
    await uploader.wait_for_deletion(spare.uploads)


async def test_the_homeserver_has_a_limit(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tools: Tools, tmp_path: Path,
    aiohttp_server: AiohttpServer,
) -> None:  # fmt: skip
    large, limit = tmp_path / "noise.mp4", 1_500_000
    noise = "nullsrc=s=640x360:r=25,format=yuv420p,noise=alls=100:allf=t"
    made = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-t", "3", "-preset", "ultrafast", "-b:v", "9M", large
    )  # fmt: skip
    assert await made.wait() == 0
    assert large.stat().st_size > limit
    app = web.Application()
    real = str(spare.settings["homeserver"]["url"])

    async def config(_: web.Request) -> web.Response:
        return web.json_response({"m.upload.size": limit})

    async def others(request: web.Request) -> web.Response:
        return await pass_on(http, real, request)

    app.router.add_get("/_matrix/client/v1/media/config", config)
    app.router.add_route("*", "/{path:.*}", others)
    limited = await aiohttp_server(app)
    spare.write_config(homeserver={"url": str(limited.make_url("")).rstrip("/")})
    await spare.start()
    uploader = Uploader(await spare.viewer(http, alice, await make_room(alice, spare)))
    await uploader.send(large)
    await uploader.finish()
    assert (await uploader.outcome())["failure"] == {"code": "media-too-large"}
    await uploader.send(large)
    await uploader.finish(convert=True)
    outcome = await uploader.outcome()
    assert outcome["state"] == "ready", outcome["failure"]
    assert outcome["content"]["info"]["size"] <= limit
    await spare.stop()
