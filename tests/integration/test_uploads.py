"""A member records or picks a video in the widget: tus, the work on it, and the message that they send."""

import asyncio
import base64
import contextlib
import io
import math
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
from aiohttp import web

from appservice.demo.client import MatrixClient
from tests.integration.transcode.test_audio_left_out import AAC, NOISE
from tests.integration.transcode.test_recordings import recorded
from tests.support.commands import CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.video.sync_pattern import X264, audio, made, video
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

PATH = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BODY = {"Content-Type": "application/offset+octet-stream"}


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Uploader:
    """What tus-js-client does, step by step."""

    viewer: Viewer
    url: str = ""
    more: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, url: str, *, data: object = None, json: object = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.viewer.token}", **TUS, **self.more}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        url = urljoin(self.viewer.base_url, url)
        async with self.viewer.http.request(method, url, data=data, json=json, headers=sent) as response:
            body = await response.json() if response.content_type == "application/json" and method != "HEAD" else None
            return Answer(response.status, response.headers, body)

    async def create(self, length: int | None, name: str = "recording.webm") -> Answer:
        size = {"Upload_Defer_Length": "1"} if length is None else {"Upload_Length": str(length)}
        metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8vd2VibQ=="
        answer = await self.call("POST", PATH, Upload_Metadata=metadata, **size)
        if answer.status == 201:
            self.url = urljoin(f"{self.viewer.base_url}{PATH}", answer.headers["Location"])
        return answer

    async def patch(self, offset: int, data: object, **headers: str) -> Answer:
        data = io.BytesIO(data) if isinstance(data, bytes) else data
        return await self.call("PATCH", self.url, data=data, **{"Upload_Offset": str(offset), **BODY, **headers})

    async def head(self) -> Answer:
        return await self.call("HEAD", self.url)

    async def offset(self) -> int:
        answer = await self.head()
        assert answer.status == 200
        return int(answer.headers["Upload-Offset"])

    async def send(self, file: Path) -> None:
        data = file.read_bytes()
        assert (await self.create(len(data), file.name)).status == 201
        assert (await self.patch(0, data)).status == 204

    async def finish(self, **asked: object) -> Answer:
        return await self.call("POST", f"{self.url}/finish", json=asked, Tus_Resumable="")

    async def state(self) -> dict[str, Any]:
        answer = await self.call("GET", self.url, Tus_Resumable="")
        assert answer.status == 200, answer
        return dict(answer.body)

    async def outcome(self, *states: str) -> dict[str, Any]:
        async def ask() -> dict[str, Any] | None:
            state = await self.state()
            return state if state["state"] in (states or ("ready", "failed")) else None

        found = await eventually(ask, what="the end of the work on an upload")
        assert found
        return found

    def id(self) -> str:
        return self.url.rpartition("/")[2]

    def bytes_of(self, installation: Installation) -> Path:
        return installation.folder / "data" / "uploads" / self.id()

    async def wait_for_deletion(self, installation: Installation) -> None:
        """Wait until the bytes are gone, which they are just after the row says how it ended."""

        async def gone() -> bool:
            return not self.bytes_of(installation).exists()

        await eventually(gone, what="the bytes being deleted")


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
    for begin in range(0, len(data), 50_000):  # a piece a second, as a recorder gives them
        answer = await uploader.patch(offset, data[begin : begin + 50_000])
        assert answer.status == 204
        offset = int(answer.headers["Upload-Offset"])
    assert offset == len(data)
    assert (await uploader.finish(convert=True)).status == 409, "nobody knows whether that is all"
    assert (await uploader.patch(offset, b"", Upload_Length=str(offset))).status == 204
    assert uploader.bytes_of(reel).read_bytes() == data
    assert (await uploader.state()) == {
        "id": uploader.id(), "state": "uploading", "percent": None, "failure": None, "content": None,
        "audio_left_out": None,
    }  # fmt: skip
    taken = await uploader.finish(start=0.5, end=2.5, convert=True)
    assert (taken.status, taken.body["state"]) == (202, "preparing")
    assert (await uploader.finish(convert=True)).status == 202, "asked again, since the answer was lost"
    content = (await uploader.outcome())["content"]
    await uploader.wait_for_deletion(reel)
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


async def _cut_off(uploader: Uploader, offset: int, head: bytes, announced: int) -> None:
    """Send the beginning of a PATCH, and go away."""
    parts = urlsplit(uploader.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    headers = {
        "Host": parts.netloc, "Authorization": f"Bearer {uploader.viewer.token}", **TUS, **BODY,
        "Upload-Offset": str(offset), "Content-Length": str(announced),
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"PATCH {parts.path} HTTP/1.1\r\n{lines}\r\n".encode() + head)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    assert reader


async def test_broken_connections_lose_nothing(reel: Installation, uploader: Uploader) -> None:
    data = os.urandom(3_000_000)
    await uploader.create(len(data))
    for _ in range(3):
        offset = await uploader.offset()
        await _cut_off(uploader, offset, data[offset : offset + 700_001], len(data) - offset)

        async def arrived(least: int = offset + 1) -> bool:
            return await uploader.offset() >= least

        await eventually(arrived, seconds=5, what="what came before the end")
    offset = await uploader.offset()
    assert 0 < offset < len(data)
    assert (await uploader.patch(offset, data[offset:])).status == 204
    assert uploader.bytes_of(reel).read_bytes() == data
    assert not [entry for entry in reel.log_entries() if "ConnectionResetError" in str(entry)]


async def test_a_newer_request_takes_over_from_one_that_hangs(reel: Installation, uploader: Uploader) -> None:
    await uploader.create(1000)
    going = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a" * 100
        await going.wait()
        yield b"a" * 900

    older = asyncio.create_task(uploader.patch(0, slow()))
    await asyncio.sleep(1)  # what arrived is only known by asking, which ends that request
    offset = await uploader.offset()
    assert offset in {0, 100}
    assert (await uploader.patch(offset, b"b" * (1000 - offset))).status == 204
    going.set()
    with contextlib.suppress(aiohttp.ClientError):  # its connection may be closed before it has sent all
        assert (await older).status == 408
    assert uploader.bytes_of(reel).read_bytes() == b"a" * offset + b"b" * (1000 - offset)
    assert not reel.log_entries("Unhandled exception"), "what a client does is no error of ours"


async def test_the_rules_of_tus(reel: Installation, uploader: Uploader) -> None:
    options = await uploader.call("OPTIONS", PATH, Tus_Resumable="", Authorization="")
    assert options.status == 204
    assert options.headers["Tus-Version"] == "1.0.0"
    assert options.headers["Tus-Extension"] == "creation,creation-defer-length,termination,expiration"
    assert int(options.headers["Tus-Max-Size"]) == 1024**3
    assert options.headers["Upload-Max-Duration"] == "7200"
    old = await uploader.call("POST", PATH, Tus_Resumable="0.2.2", Upload_Length="5")
    assert (old.status, old.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await uploader.call("POST", PATH)).status == 400
    too_large = await uploader.create(1024**3 + 1)
    assert (too_large.status, too_large.body["errcode"]) == (413, "M_TOO_LARGE")
    assert too_large.headers["Tus-Resumable"] == "1.0.0"

    await uploader.create(10)
    assert (await uploader.patch(1, b"x")).status == 409
    assert (await uploader.patch(0, b"x", Content_Type="video/webm")).status == 415
    assert (await uploader.patch(0, b"x", Upload_Offset="")).status == 400
    assert (await uploader.patch(0, b"x" * 11)).status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 9

    with contextlib.suppress(aiohttp.ClientError):
        assert (await uploader.patch(0, endless())).status == 413
    offset = await uploader.offset()
    assert offset <= 10
    head = await uploader.head()
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Upload-Length"] == "10"
    assert head.headers["Upload-Metadata"].startswith("filename ")
    rest = {"Upload_Offset": str(offset), "X_HTTP_Method_Override": "PATCH", **BODY}
    override = await uploader.call("POST", uploader.url, data=b"x" * (10 - offset), **rest)
    assert (override.status, override.headers["Upload-Offset"]) == (204, "10")
    assert (await uploader.call("PUT", uploader.url)).status == 405
    assert (await uploader.call("DELETE", uploader.url)).status == 204
    assert (await uploader.head()).status == 404
    assert not uploader.bytes_of(reel).exists()

    await uploader.create(None)
    assert (await uploader.patch(0, b"12345", Upload_Length="4")).status == 413
    assert (await uploader.patch(0, b"", Upload_Length="6")).status == 409, "it is declared once"
    assert (await uploader.patch(0, b"", Upload_Length=str(1024**3 + 1))).status == 413


@pytest.mark.parametrize(
    "body",
    [
        {"start": -1}, {"start": 2, "end": 1}, {"end": 0}, {"end": "x"}, {"convert": 3}, {"unknown": 1},
        {"end": 1e308}, {"start": 1e308}, {"end": 7 * 24 * 3600 + 1}, {"end": 10**400}, {"start": -(10**400)},
        {"end": math.nan}, {"start": math.nan}, {"end": math.inf}, {"start": -math.inf}, {"end": True}, {"end": "5"},
    ],
)  # fmt: skip
async def test_nonsense_at_the_finish(uploader: Uploader, body: dict[str, object]) -> None:
    await uploader.create(0)
    answer = await uploader.finish(**body)
    assert (answer.status, answer.body["errcode"]) == (400, "M_BAD_JSON")


async def test_an_upload_is_its_owners_alone(
    reel: Installation, uploader: Uploader, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    room_id: str,
) -> None:  # fmt: skip
    await uploader.create(10)
    other_room = await make_room(alice, reel)
    for viewer in (await reel.viewer(http, bob, room_id), await reel.viewer(http, alice, other_room)):
        foreign = Uploader(viewer, uploader.url)
        assert (await foreign.head()).status == 404
        assert (await foreign.patch(0, b"x")).status == 404
        assert (await foreign.call("DELETE", uploader.url)).status == 404
        assert (await foreign.finish()).status == 404
        assert (await foreign.call("GET", uploader.url)).status == 404
    nobody = await uploader.call("POST", PATH, Upload_Length="5", Authorization="")
    assert (nobody.status, nobody.body["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert await uploader.offset() == 0


async def test_three_at_a_time(reel: Installation, uploader: Uploader) -> None:
    urls = []
    for _ in range(3):
        assert (await uploader.create(10)).status == 201
        urls.append(uploader.url)
    refused = await uploader.create(10)
    assert (refused.status, refused.body["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    idle = "UPDATE uploads SET touched_at = now() - interval '1 hour' WHERE id = $1"
    await reel.rows(idle, urls[1].rpartition("/")[2])
    assert (await uploader.create(10)).status == 201, "one that was left behind gives way"
    assert (await uploader.call("HEAD", urls[1])).status == 404
    assert (await uploader.call("DELETE", urls[0])).status == 204
    assert (await uploader.create(10)).status == 201


async def test_what_would_be_refused_as_a_video_is_not_sent_first(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    spare.write_config(limits={scope: {"videos": 1} for scope in ("user", "room", "server")})
    async with spare.running():
        room_id, elsewhere = await make_room(alice, spare, bob), await make_room(alice, spare, bob)
        hers, his = [Uploader(await spare.viewer(http, user, room_id)) for user in (alice, bob)]

        async def outcome(uploader: Uploader) -> tuple[int, str]:
            answer = await uploader.create(10)
            return answer.status, answer.body["errcode"] if answer.body else ""

        for who, wanted in (("moderators", (403, "M_FORBIDDEN")), ("members", (201, ""))):
            await alice.send_text(room_id, f"!reel room add {who}")

            async def chosen(wanted: tuple[int, str] = wanted) -> bool:
                return await outcome(his) == wanted

            await eventually(chosen, what=f"{who} being those who add videos")
            assert await outcome(hers) == (201, "")
        await hers.viewer.video_in(await alice.send_video(room_id, clip), "ready")
        assert await outcome(hers) == (403, "M_USER_LIMIT_EXCEEDED")
        assert await outcome(his) == (403, "M_RESOURCE_LIMIT_EXCEEDED")
        in_another_room = Uploader(await spare.viewer(http, bob, elsewhere))
        assert await outcome(in_another_room) == (507, "M_RESOURCE_LIMIT_EXCEEDED")


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
        told = await uploader.call("OPTIONS", PATH, Authorization=anybody)
        assert told.headers.get("Upload-Max-Duration") == (None if anybody else "7200")
    for asked in ({}, {"convert": True}, {"start": 0.5, "convert": True}):
        await uploader.send(recording)
        await uploader.finish(**asked)
        assert (await uploader.outcome())["failure"] == {"code": "too-long"}, asked
    await uploader.send(recording)
    await uploader.finish(start=0.9, end=2.9, convert=True)
    content = (await uploader.outcome("ready"))["content"]
    assert content["info"]["duration"] == 2000
    event_id = await alice.send_event(room_id, "m.room.message", content)
    assert (await uploader.viewer.video_in(event_id, "ready"))["duration"] <= 2


async def test_audio_that_is_lost_in_a_recording_is_told_like_that_of_other_videos(
    uploader: Uploader, alice: MatrixClient, room_id: str, tools: Tools, tmp_path: Path
) -> None:
    source = made(tools, tmp_path / "lake.mkv", *video(2), *audio(2), *X264, *AAC, *NOISE)
    await uploader.send(source)
    await uploader.finish(convert=True)
    prepared = await uploader.outcome("ready")
    assert prepared["audio_left_out"] == "damaged"
    assert set(prepared["content"]) == {"msgtype", "body", "filename", "url", "info"}, "it is of nobody else's concern"
    event_id = await alice.send_event(room_id, "m.room.message", prepared["content"])
    # What is made of it is a film without sound, of which nothing is missing.
    assert (await uploader.viewer.video_in(event_id, "ready"))["audio_left_out"] == "damaged"
    told = await wait_for_notice(alice, room_id, "Plays without sound", thread=event_id)
    assert told.startswith("“lake”: Plays without sound: it is damaged.")


async def test_what_expired_is_gone(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tmp_path: Path
) -> None:
    await spare.start()
    uploader = Uploader(await spare.viewer(http, alice, await make_room(alice, spare)))
    await uploader.create(10)
    expired = uploader.bytes_of(spare)
    await spare.rows("UPDATE uploads SET expires_at = now()")
    assert (await uploader.head()).status == 404
    assert (await uploader.patch(0, b"x")).status == 404
    await uploader.create(10)
    lost = uploader.bytes_of(spare)
    lost.unlink()
    await spare.rows("UPDATE uploads SET touched_at = now() - interval '1 hour'")
    stray = lost.parent / "00000000-0000-4000-8000-000000000000"
    stray.write_bytes(b"x")
    await uploader.create(10)
    kept = uploader.bytes_of(spare)
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

    async def converting() -> bool:  # or even done, which takes less than a moment
        return bool(spare.ffmpegs()) or (await uploader.state())["state"] != "preparing"

    await eventually(converting, what="another attempt")
    await spare.kill()
    await spare.start()
    outcome = await uploader.outcome()
    assert outcome["state"] == "ready"
    await uploader.wait_for_deletion(spare)


async def test_the_homeserver_has_a_limit(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tools: Tools, tmp_path: Path
) -> None:
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
        data = io.BytesIO(await request.read())
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with http.request(request.method, real + request.raw_path, data=data, headers=headers) as response:
            return web.Response(body=await response.read(), status=response.status, content_type=response.content_type)

    app.router.add_get("/_matrix/client/v1/media/config", config)
    app.router.add_route("*", "/{path:.*}", others)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        spare.write_config(homeserver={"url": f"http://127.0.0.1:{runner.addresses[0][1]}"})
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
    finally:
        await runner.cleanup()
