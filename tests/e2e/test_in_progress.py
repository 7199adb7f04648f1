"""In Chromium: how far a video is; one that is still being made is watched on, and found again when it is made anew."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, Frame, Page, Response, Route, expect

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.browser import widget_frame
from tests.support.databases import CreateDatabase
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.processes import suspended
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

SECONDS = 60
FIRST_SEGMENT, SEGMENT = 1, 2
SIZES = ((320, 300), (280, 500), (1280, 720))
_PLAYING = "[data-testid=player][data-playing=true]:not([data-video-id=''])"
_CLOCK = "() => document.querySelector('video[data-active]')?.currentTime ?? -1"
_STARVED = "() => document.querySelector('video[data-active]')?.readyState === 2"
# Jumps of the clock that a viewer would notice; those that a test causes, it takes out. A busy machine looks seldom.
_RECORD = """() => {
    window.jumps = [];
    let last = null, then = 0;
    const look = () => {
        const time = document.querySelector('video[data-active]')?.currentTime, now = performance.now() / 1000;
        const jumped = last !== null && (time < last - 0.7 || time > last + (now - then) + 0.7);
        if (jumped) window.jumps.push([last, time]);
        [last, then] = [time ?? last, now];
        requestAnimationFrame(look);
    };
    look();
}"""
# Holds its clock at a time where only a machine that is late with frames lets it run; logs where it is sent.
_STAND_AT = """(time) => {
    const video = document.querySelector('video[data-active]');
    window.sent = [];
    const clock = {configurable: true, get: () => time, set: (to) => window.sent.push(to)};
    Object.defineProperty(video, 'currentTime', clock);
}"""
_SENT = "() => { delete document.querySelector('video[data-active]').currentTime; return window.sent; }"
_PAINTED = """() => {
    const canvas = document.querySelector('canvas.thumb-image');
    return !!canvas && canvas.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255;
}"""


_PROCESSING = "SELECT 1 FROM videos WHERE event_id = $1 AND state = 'processing'"


class PausableWorker:
    """The worker of a Roomreel, which can be suspended, as its ffmpeg can, so that what there is can be looked at."""

    def __init__(self, web: Installation) -> None:
        self._web = web
        self._worker = Installation(web.folder, web.synapse, web.settings, launch=fork)

    async def open(self) -> None:
        await self._worker.start(wait=False, command=("work",))

    async def close(self) -> None:
        if self._worker.process is not None:
            self._worker.process.send_signal(signal.SIGCONT)
        await self._worker.stop()

    async def kill(self) -> None:
        """Kill the worker, with all that it has started."""
        ffmpegs = self._worker.ffmpegs()
        await self._worker.kill()
        for process in ffmpegs:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    async def suspend_in_progress(self, event_id: str) -> None:
        """Wait until a video is processed, and suspend the worker in the middle of it."""

        async def is_processing() -> bool:
            return bool(await self._web.rows(_PROCESSING, event_id))

        await eventually(is_processing, what="work on the video")
        assert self._worker.process
        self._worker.process.send_signal(signal.SIGSTOP)
        assert await is_processing(), "the first frame came before the worker could be suspended"

    async def available(self, event_id: str) -> int:
        """Wait until a video in progress has segments and its poster; return the number of segments."""

        async def segments() -> int | None:
            rows = await self._web.rows("SELECT available FROM videos WHERE event_id = $1 AND has_poster", event_id)
            available: int | None = rows[0]["available"] if rows else None
            return available

        found = await eventually(segments, what="segments of a video in progress")
        assert found
        return found

    async def end(self, event_id: str) -> float:
        """Return where a video in progress ends so far, in seconds."""
        return max(FIRST_SEGMENT, SEGMENT * (await self.available(event_id) - 1))

    def held(self) -> AbstractContextManager[None]:
        return suspended(self._worker.ffmpegs())


@pytest.fixture(scope="module")
async def reel(
    homeserver: tuple[Synapse, dict[str, Installation]],
    create_database: CreateDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Installation]:
    """A Roomreel whose worker comes and goes; it makes one rendition on one thread: there is time to look."""
    shared = homeserver[1]["reel-b"]
    installation = Installation(
        tmp_path_factory.mktemp("in-progress"), shared.synapse, dict(shared.settings), launch=fork
    )
    installation.write_config(
        database=await create_database("in-progress"),
        transcode={"rungs": [360], "threads": 1},
        worker={"heartbeat_timeout": 1},
    )
    await installation.start(command=("serve", "--no-worker"))
    yield installation
    await installation.depart()


@pytest.fixture
async def worker(reel: Installation) -> AsyncIterator[PausableWorker]:
    worker = PausableWorker(reel)
    yield worker
    await worker.close()


@pytest.fixture
async def room_id(reel: Installation, worker: PausableWorker, alice: MatrixClient, bob: MatrixClient) -> str:
    """A room with the widget in it, after which the worker is stopped."""
    await worker.open()
    room_id = await make_room(alice, reel, bob)
    await worker.close()
    return room_id


@pytest.fixture
async def slow_clip(tmp_path: Path, tools: Tools, request: pytest.FixtureRequest) -> Path:
    """A video that must be encoded: its container is not one that is copied from. Its content is each test's own."""
    path = tmp_path / "slow.mkv"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=440", "-t", str(SECONDS),
        "-metadata", f"title={request.node.name}",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


@pytest.fixture
def fetched(page: Page) -> list[str]:
    """The list of what the page has fetched, as it becomes longer."""
    urls: list[str] = []
    page.on("response", lambda response: urls.append(response.url))
    return urls


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 320, "height": 300})
    page.set_default_timeout(30_000)
    yield page
    await page.close()


async def _open(page: Page, url: str) -> Frame:
    await page.goto(f"{url}?user=bob&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=app]:not([data-state=loading])").wait_for()
    return frame


async def _take_screenshots(page: Page, frame: Frame, folder: Path, name: str) -> None:
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await frame.locator("[data-testid=player], [data-testid=empty]").hover()
        await page.screenshot(path=folder / f"{name}-{width}x{height}.png")


def _is_the_playlist(response: Response) -> bool:
    return response.url.partition("?")[0].endswith("/360.m3u8")


async def _clock(frame: Frame) -> float:
    return float(await frame.evaluate(_CLOCK))


async def _plays_between(frame: Frame, least: float, most: float) -> None:
    async def is_between() -> bool:
        return least < await _clock(frame) < most

    await eventually(is_between, seconds=90, what=f"playing between {least} s and {most} s")


async def _waits(page: Page, frame: Frame, worker: PausableWorker, event_id: str) -> float:
    """Wait until the player stands at the end so far, see that it stays there and looks for more; return that end."""

    async def waits_at_end() -> float | None:
        end = await worker.end(event_id)
        return end if await frame.evaluate(_STARVED) and abs(await _clock(frame) - end) < 0.3 else None

    end = await eventually(waits_at_end, seconds=60, what="waiting at the end so far")
    for _ in range(3):
        await page.wait_for_event("response", _is_the_playlist)
    assert end
    assert await waits_at_end() == end
    await expect(frame.locator(".spinner")).to_be_visible()
    await expect(frame.locator("[data-testid=player]")).to_have_attribute("data-playing", "true")
    return end


async def _stays_behind_the_last_frame(page: Page, frame: Frame, end: float) -> None:
    """See that the player is not sent back from where a segment's audio, a bit longer than its frames, has led it."""
    await frame.evaluate(_STAND_AT, end + 0.005)
    for _ in range(3):
        await page.wait_for_event("response", _is_the_playlist)
    assert await frame.evaluate(_SENT) == []


async def _jumps(frame: Frame) -> list[Any]:
    return list(await frame.evaluate("() => window.jumps.splice(0)"))


async def test_a_video_is_watched_while_it_is_made(
    room_id: str, worker: PausableWorker, alice: MatrixClient, slow_clip: Path,
    page: Page, fetched: list[str], open_host: OpenHost, screenshots: Path,
) -> None:  # fmt: skip
    frame = await _open(page, await open_host(room_id))
    event_id = await alice.send_video(room_id, slow_clip)
    await frame.locator("[data-testid=empty][data-empty=waiting]").wait_for()
    await expect(frame.locator("[data-testid=progress]")).to_have_count(0)
    await _take_screenshots(page, frame, screenshots, "waiting")

    requested, given = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        requested.set()
        await given.wait()
        await route.continue_()

    await page.route("**/poster.jpg", hold)
    await worker.open()
    await worker.available(event_id)
    with worker.held():
        await frame.locator(_PLAYING).wait_for()
        # A blurred image until the poster is there.
        await requested.wait()
        await eventually(lambda: frame.evaluate(_PAINTED), what="the stand-in being painted")
        given.set()
        await expect(frame.locator("canvas.thumb-image")).to_have_count(0)
        # From its start, and as long as it will be.
        await expect(frame.locator("[data-testid=duration]")).to_have_text("1:00")
        await frame.evaluate(_RECORD)
        await _waits(page, frame, worker, event_id)
        await _take_screenshots(page, frame, screenshots, "at-the-end-so-far")
        assert await _jumps(frame) == []
        await _stays_behind_the_last_frame(page, frame, await worker.end(event_id))
        # Beyond what exists: the last position that does.
        await frame.locator("[data-testid=back]").click()
        await frame.locator("input.seek").fill("50")
        await _waits(page, frame, worker, event_id)
        await frame.locator("[data-testid=back]").click()
        await frame.locator("[data-testid=forward]").click()
        end = await _waits(page, frame, worker, event_id)
        await _jumps(frame)
    await _plays_between(frame, end + 1, SECONDS)
    words = frame.locator("[data-testid=video] .row-note").filter(has_text=re.compile(r"\d+.* %"))
    await words.filter(has_text=re.compile("about .* left")).wait_for()
    await _take_screenshots(page, frame, screenshots, "in-progress")

    # Something better takes over at its end, and nothing jumps before.
    await frame.locator("[data-testid=video][data-state=ready]").wait_for()
    await expect(frame.locator("[data-testid=progress]")).to_have_count(0)
    assert await _jumps(frame) == []
    await _take_screenshots(page, frame, screenshots, "ready")
    await frame.locator("input.seek").fill(str(SECONDS - 3))
    await _plays_between(frame, SECONDS - 3, SECONDS)
    await _plays_between(frame, 0, 4)
    assert any("-ready/360/1.m4s" in url for url in fetched)


async def test_work_on_the_first_frame_is_reported(
    room_id: str, worker: PausableWorker, alice: MatrixClient, slow_clip: Path,
    page: Page, open_host: OpenHost, screenshots: Path,
) -> None:  # fmt: skip
    frame = await _open(page, await open_host(room_id))
    await worker.open()
    await worker.suspend_in_progress(await alice.send_video(room_id, slow_clip))
    await frame.locator("[data-testid=empty][data-empty=preparing]").wait_for()
    bars = frame.get_by_role("progressbar", name=re.compile("Preparing .*slow"))
    await expect(bars).to_have_count(2)
    # Nothing that a screen reader reads out by itself.
    assert await frame.locator("[role=status] [role=progressbar], [aria-live] [role=progressbar]").count() == 0
    await _take_screenshots(page, frame, screenshots, "preparing")


async def test_the_same_position_in_a_video_that_is_made_anew(
    room_id: str, worker: PausableWorker, alice: MatrixClient, slow_clip: Path,
    page: Page, fetched: list[str], open_host: OpenHost,
) -> None:  # fmt: skip
    frame = await _open(page, await open_host(room_id))
    await worker.open()
    event_id = await alice.send_video(room_id, slow_clip)
    await worker.available(event_id)
    with worker.held():
        await frame.locator(_PLAYING).wait_for()
        end = await _waits(page, frame, worker, event_id)
        await frame.evaluate(_RECORD)
        await worker.kill()
    await worker.open()
    await _plays_between(frame, end + 1, SECONDS)
    assert any(re.search("/2-[^/]*playable/360/", url) for url in fetched)
    assert await _jumps(frame) == []
