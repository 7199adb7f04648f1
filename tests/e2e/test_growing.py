"""In Chromium: how far a video is; one that is still being made is watched on, and found again when it is made anew."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, Frame, Page, Route, expect

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse, free_port
from tests.conftest import CreateDatabase
from tests.e2e.conftest import OpenHost
from tests.support import Installation, eventually, make_room
from transcode import Tools

SECONDS = 64  # as long as a reel must be to be written once
SIZES = ((320, 300), (280, 500), (1280, 720))
_PLAYING = "[data-testid=player][data-playing=true]:not([data-video-id=''])"
_CLOCK = "() => document.querySelector('video[data-active]')?.currentTime ?? -1"
_STARVED = "() => document.querySelector('video[data-active]')?.readyState === 2"
# Jumps of the clock that a viewer would notice; those that a test asks for, it takes out.
_RECORD = """() => {
    window.jumps = [];
    let last = null;
    const look = () => {
        const time = document.querySelector('video[data-active]')?.currentTime;
        if (time !== undefined && last !== null && Math.abs(time - last) > 0.7) window.jumps.push([last, time]);
        last = time ?? last;
        requestAnimationFrame(look);
    };
    look();
}"""
_PAINTED = """() => {
    const canvas = document.querySelector('canvas.thumb-image');
    return !!canvas && canvas.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255;
}"""


@dataclass
class Unfinished:
    """Stands in front of a Roomreel and shows its finished video as if it were still being made."""

    url: str
    upstream: str
    video: dict[str, Any] = field(default_factory=dict)  # what the room's JSON says instead
    available: int | None = None  # segments of the newest attempt; None: all
    attempt: int = 0
    stuck: dict[int, int] = field(default_factory=dict)  # what older attempts still have; the others are gone
    streams: set[web.StreamResponse] = field(default_factory=set)
    rooms: int = 0
    playlists: int = 0

    async def tell(self, event: str, **data: object) -> None:
        for stream in list(self.streams):
            with suppress(ConnectionError):
                await stream.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())

    async def change(self, **video: object) -> None:
        self.video = video
        await self.tell("changed")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path, available = request.raw_path, self.available
        if reel := re.search(r"(?<=/reel/)(\w+/\w+)x(\d+)/", path):
            attempt = int(reel[2])
            if attempt != self.attempt:
                available = self.stuck.get(attempt)
                if available is None:
                    return web.json_response({"errcode": "M_GONE"}, status=410)
            path = path.replace(reel[0], f"{reel[1]}/")
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method, self.upstream + path, headers=headers, data=await request.read() or None
            ) as answer,
        ):
            kept = {name: answer.headers[name] for name in answer.headers if name not in _OF_THE_CONNECTION}
            if path.endswith("/events"):
                return await self._stream(request, answer, kept)
            body = await answer.read()
            if re.fullmatch(r"/api/v1/rooms/[^/]+", path) and answer.status == 200:
                self.rooms += 1
                body = self._room(body.decode())
            elif reel and not path.endswith("index.m3u8"):
                self.playlists += 1
                kept["Cache-Control"] = "no-cache"
                body = _grown(body.decode(), available)
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers=headers)
        await stream.prepare(request)
        self.streams.add(stream)
        with suppress(ConnectionError, aiohttp.ClientError):
            async for piece in answer.content.iter_any():
                await stream.write(piece)
        self.streams.discard(stream)
        return stream

    def _room(self, text: str) -> bytes:
        room = json.loads(re.sub(r"(?<=/reel/)(\w+/\w+)/", rf"\1x{self.attempt}/", text))
        for member in room["members"]:
            for video in member["videos"]:
                video.update(self.video)
                if video["state"] in {"queued", "processing"}:
                    member["reel_url"] = room["channel"] = None
        return json.dumps(room).encode()


_OF_THE_CONNECTION = {"Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection"}


def _grown(playlist: str, available: int | None) -> bytes:
    if available is None:
        return playlist.encode()
    head, *segments = re.split(r"(?=#EXTINF)", playlist)
    head = head.replace("PLAYLIST-TYPE:VOD", "PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0")
    return "".join([head, *segments[:available]]).replace("#EXT-X-ENDLIST", "").encode()


@pytest.fixture(scope="module")
async def front(homeserver: tuple[Synapse, dict[str, Installation]]) -> AsyncIterator[Unfinished]:
    behind = homeserver[1]["reel-b"].settings["web"]["port"]
    port = free_port()
    unfinished = Unfinished(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{behind}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", unfinished.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield unfinished
    await runner.cleanup()


@pytest.fixture(scope="module")
async def reel(
    homeserver: tuple[Synapse, dict[str, Installation]],
    create_database: CreateDatabase,
    front: Unfinished,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Installation]:
    """A Roomreel that is seen through `front`."""
    shared = homeserver[1]["reel-b"]
    installation = Installation(tmp_path_factory.mktemp("growing"), shared.synapse, dict(shared.settings))
    installation.write_config(database=await create_database("growing"), web={"public_url": front.url})
    await installation.start()
    yield installation
    await installation.stop()


@dataclass
class Sent:
    """A video that was sent by alice and is ready."""

    room_id: str
    video_id: str


@pytest.fixture(scope="module")
async def sent(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, tools: Tools,
    tmp_path_factory: pytest.TempPathFactory,
) -> Sent:  # fmt: skip
    clip = tmp_path_factory.mktemp("clips") / "long.mp4"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=440", "-t", str(SECONDS),
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", clip,
    )  # fmt: skip
    assert await process.wait() == 0
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    return Sent(room_id, video["id"])


@pytest.fixture
async def unfinished(front: Unfinished, sent: Sent) -> Unfinished:
    """The video, of which nothing is made yet."""
    front.video, front.available, front.attempt, front.stuck = {"state": "queued", "poster_url": None}, None, 0, {}
    return front


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 320, "height": 300})
    page.set_default_timeout(30_000)
    yield page
    await page.close()


async def _open(page: Page, url: str) -> Frame:
    await page.goto(f"{url}?user=bob&layout=widget")
    handle = await page.locator("iframe[data-testid=widget]").element_handle()
    frame = await handle.content_frame()
    assert frame
    await frame.locator("[data-testid=app]:not([data-state=loading])").wait_for()
    return frame


async def _take_pictures(page: Page, frame: Frame, folder: Path, name: str) -> None:
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await frame.locator("[data-testid=player], [data-testid=empty]").hover()
        await page.screenshot(path=folder / f"{name}-{width}x{height}.png")


async def _clock(frame: Frame) -> float:
    return float(await frame.evaluate(_CLOCK))


async def _plays_between(frame: Frame, least: float, most: float) -> None:
    async def ask() -> bool:
        return least < await _clock(frame) < most

    await eventually(ask, seconds=30, what=f"playing between {least} s and {most} s")


async def _waits_at(frame: Frame, unfinished: Unfinished, seconds: float) -> None:
    """Wait until the player stands at the end so far, and see that it stays there and keeps looking for more."""

    async def ask() -> bool:
        return bool(await frame.evaluate(_STARVED)) and abs(await _clock(frame) - seconds) < 0.3

    await eventually(ask, seconds=30, what=f"waiting at {seconds} s")
    before = unfinished.playlists
    await eventually(lambda: _asked(unfinished, before + 3), what="looking for more")
    assert await ask()
    await expect(frame.locator(".spinner")).to_be_visible()
    await expect(frame.locator("[data-testid=player]")).to_have_attribute("data-playing", "true")


async def _asked(unfinished: Unfinished, count: int) -> bool:
    return unfinished.playlists >= count


async def test_waiting_and_progress(
    unfinished: Unfinished, sent: Sent, page: Page, open_host: OpenHost, screenshots: Path
) -> None:
    frame = await _open(page, await open_host(sent.room_id))
    await frame.locator("[data-testid=empty][data-empty=waiting]").wait_for()
    await expect(frame.locator("[data-testid=progress]")).to_have_count(0)
    await _take_pictures(page, frame, screenshots, "waiting")

    await unfinished.change(state="processing", poster_url=None, progress=None)
    await frame.locator("[data-testid=empty][data-empty=preparing]").wait_for()
    bar = frame.locator("[data-testid=video]").get_by_role("progressbar", name=re.compile("Preparing .*long"))
    await expect(bar).to_have_attribute("data-known", "false")

    rooms = unfinished.rooms
    await unfinished.tell("progress", room_id=sent.room_id, video_id=sent.video_id, percent=42, remaining=17)
    await expect(bar).to_have_attribute("aria-valuenow", "42")
    await expect(bar).to_have_attribute("aria-valuetext", re.compile("42.* %, about .*20.* s left"))
    # Nothing that a screen reader reads out by itself.
    assert await frame.locator("[role=status] [role=progressbar], [aria-live] [role=progressbar]").count() == 0
    await _take_pictures(page, frame, screenshots, "working")
    assert unfinished.rooms == rooms


async def test_a_blurred_stand_in_until_the_poster_is_there(
    unfinished: Unfinished, sent: Sent, page: Page, open_host: OpenHost
) -> None:
    asked, given = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await given.wait()
        await route.continue_()

    await page.route("**/poster.jpg", hold)
    frame = await _open(page, await open_host(sent.room_id))
    await unfinished.change(blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj")
    await asked.wait()
    await eventually(lambda: frame.evaluate(_PAINTED), what="the stand-in being painted")
    given.set()
    await expect(frame.locator("canvas")).to_have_count(0)
    await expect(frame.locator("img.thumb-image")).to_be_visible()


async def test_a_video_is_watched_while_it_is_made(
    unfinished: Unfinished, sent: Sent, page: Page, open_host: OpenHost, screenshots: Path
) -> None:
    frame = await _open(page, await open_host(sent.room_id))
    unfinished.available = 2
    await unfinished.change(state="playable", progress={"percent": 45, "remaining": 16})
    await frame.locator(_PLAYING).wait_for()
    await frame.evaluate(_RECORD)
    # From its beginning, and as long as it will be.
    await expect(frame.locator("[data-testid=duration]")).to_have_text("1:04")
    await expect(frame.locator("input.seek")).to_have_attribute("max", str(SECONDS))
    await _waits_at(frame, unfinished, 4)
    await _take_pictures(page, frame, screenshots, "at-the-end-so-far")
    unfinished.available = 5
    await _waits_at(frame, unfinished, 10)
    assert await frame.evaluate("() => window.jumps") == []

    # Beyond what exists: the last moment that does.
    await frame.locator("[data-testid=back]").click()
    await _plays_between(frame, 0, 3)
    await frame.locator("input.seek").fill("50")
    await _waits_at(frame, unfinished, 10)
    await frame.locator("[data-testid=back]").click()
    await _plays_between(frame, 0, 3)
    await frame.locator("[data-testid=forward]").click()
    await _waits_at(frame, unfinished, 10)
    await frame.evaluate("() => { window.jumps.length = 0; }")
    unfinished.available = 25
    await _plays_between(frame, 11, 14)
    await _take_pictures(page, frame, screenshots, "growing")

    # Whole: now it has an end, and starts over.
    unfinished.available = None
    asked = unfinished.playlists
    await unfinished.change()
    await eventually(lambda: _asked(unfinished, asked + 1), what="the whole list being read")
    assert await frame.evaluate("() => window.jumps") == []
    await _take_pictures(page, frame, screenshots, "ready")
    await frame.locator("input.seek").fill(str(SECONDS - 3))
    await _plays_between(frame, SECONDS - 3, SECONDS)
    await _plays_between(frame, 0, 3)


@pytest.mark.parametrize("old", ["gone", "stuck", "taken away"])
async def test_the_same_moment_of_a_video_that_is_made_anew(
    unfinished: Unfinished, sent: Sent, page: Page, open_host: OpenHost, old: Literal["gone", "stuck", "taken away"]
) -> None:
    frame = await _open(page, await open_host(sent.room_id))
    unfinished.available = 3
    await unfinished.change(state="playable")
    await frame.locator(_PLAYING).wait_for()
    await _waits_at(frame, unfinished, 6)
    await frame.evaluate(_RECORD)
    # Less than before is there at first: that is no place to throw the viewer back to.
    unfinished.attempt, unfinished.available = 1, 1
    unfinished.stuck = {0: 3} if old == "stuck" else {}
    if old == "taken away":
        await unfinished.change(state="processing", poster_url=None)
        await frame.locator("[data-testid=empty][data-empty=preparing]").wait_for()
    if old != "gone":
        await unfinished.change(state="playable")
    before = unfinished.playlists
    await eventually(lambda: _asked(unfinished, before + 3), what="looking for the place in the new one")
    unfinished.available = 6
    await _plays_between(frame, 6.5, 12)
    assert await frame.evaluate("() => window.jumps") == []
