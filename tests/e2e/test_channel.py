"""In Chromium: two people, each in a browser of their own, are at the same position of the room's channel."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from playwright.async_api import Browser, Frame, Page, Route, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from tests.support.browser import over_frames, widget_frame
from tests.support.clips import with_padding
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.processes import suspended
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

SECONDS = 6
# Together means: less than this apart. Much more than it should be, for the machine may be busy.
NEAR_S = 0.5
_PLAYING = "[data-testid=player][data-reel='*'][data-playing=true]:not([data-video-id=''])"
# When, and where on the playlist, in seconds; nothing while it is being sought.
_PLACE = """() => {
    const video = document.querySelector('video[data-active]');
    if (!video || video.seeking || video.readyState < 3) return null;
    return [(performance.timeOrigin + performance.now()) / 1000, video.currentTime];
}"""
_CURRENT_TIME = "document.querySelector('video[data-active]').currentTime"
# Each video that showed, and when it started, in seconds.
_TURNS = """() => {
    const player = document.querySelector('[data-testid=player]');
    window.turns = [];
    const look = () => window.turns.push([player.dataset.videoId, performance.now() / 1000]);
    new MutationObserver(look).observe(player, {attributeFilter: ['data-video-id']});
}"""


@pytest.fixture(scope="session")
async def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=440",
        "-t", str(SECONDS), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


@pytest.fixture(scope="session")
async def other_browser() -> AsyncIterator[Browser]:
    # A process of its own: two pages of one browser disturb each other.
    async with open_browser() as chromium:
        yield chromium


async def _room(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient) -> Viewer:
    return await reel.viewer(http, alice, await make_room(alice, reel, bob))


async def _send(user: MatrixClient, viewer: Viewer, clip: Path, tmp_path: Path, number: int) -> str:
    copy = with_padding(clip, tmp_path / f"{viewer.room_id[1:9]}-{number}.mp4", bytes([number]))
    return str((await viewer.video_in(await user.send_video(viewer.room_id, copy), "ready"))["id"])


async def _open(browser: Browser, url: str, user: str, *, slow_s: float = 0) -> tuple[Page, Frame]:
    """Open the channel; the first segments may be so many seconds late."""
    page = await browser.new_page(viewport={"width": 640, "height": 480})
    page.set_default_timeout(30_000)
    late = [slow_s] * 3

    async def hold(route: Route) -> None:
        await asyncio.sleep(late.pop() if late else 0)
        await route.continue_()

    if slow_s:
        await page.route("**/*.m4s", hold)
    await page.goto(f"{url}?user={user}&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=member][data-member='*']").click()  # a chat of two opens at the other's reel
    await frame.locator(_PLAYING).wait_for()
    return page, frame


async def _length(viewer: Viewer) -> float:
    return float(sum(item["duration"] for item in (await viewer.room())["schedule"]["items"]))


async def _apart(one: Frame, other: Frame, length: float) -> float | None:
    """Say by how many seconds two viewers differ; None while one of them is on the way."""
    places = await asyncio.gather(one.evaluate(_PLACE), other.evaluate(_PLACE))
    if None in places:
        return None
    (at, place), (other_at, other_place) = places
    return float(abs((place - at - other_place + other_at + length / 2) % length - length / 2))


async def _together(one: Frame, other: Frame, length: float) -> None:
    """Wait until two viewers are at the same position, and check that they stay so."""

    async def near() -> bool:
        apart = await _apart(one, other, length)
        return apart is not None and apart < NEAR_S

    await eventually(near, seconds=20, what="the two being at the same position")
    far = []
    for _ in range(10):
        await asyncio.sleep(0.4)
        apart = await _apart(one, other, length)
        if apart is not None and apart >= NEAR_S:
            far.append(apart)
    assert len(far) <= 1, far


async def _played(frame: Frame, seconds: float) -> bool:
    return bool(await frame.evaluate(_CURRENT_TIME) >= seconds)


async def _watching(frame: Frame, count: int) -> None:
    await expect(frame.locator("[data-testid=watching]")).to_have_attribute("data-count", str(count), timeout=15_000)


async def test_two_browsers_are_at_the_same_position(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    other_browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    viewer = await _room(reel, http, alice, bob)
    for number in range(2):
        await _send(alice, viewer, clip, tmp_path, number)
    url = await open_host(viewer.room_id)
    hers, frame = await _open(browser, url, "alice")
    await _watching(frame, 1)
    await eventually(lambda: _played(frame, 2), what="two seconds of it")
    # Whoever comes later comes into the middle, and catches up with what the network made them wait.
    his, other = await _open(other_browser, url, "bob", slow_s=1.5)
    await expect(other.locator("[data-testid=live-mark]")).to_be_visible()
    await _together(frame, other, await _length(viewer))
    await _watching(frame, 2)
    await _watching(other, 2)
    label = await other.locator("[data-testid=watching]").get_attribute("aria-label")
    assert label is not None
    assert label.replace("\u2068", "").replace("\u2069", "") == "2 watching: You and alice"
    await frame.locator("[data-testid=player]").hover()
    await hers.screenshot(path=screenshots / "channel-640x480.png")
    for width, height in ((280, 300), (304, 278), (1280, 720)):
        await hers.set_viewport_size({"width": width, "height": height})
        await frame.locator("[data-testid=player]").hover()
        await hers.screenshot(path=screenshots / f"channel-{width}x{height}.png")
    # Whoever goes is gone at once, not after some time of silence.
    await his.goto("about:blank")
    await _watching(frame, 1)
    await his.close()
    await hers.close()


async def test_whoever_slept_wakes_up_at_the_live_position(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clip: Path, tmp_path: Path,
) -> None:  # fmt: skip
    viewer = await _room(reel, http, alice, bob)
    for number in range(2):
        await _send(alice, viewer, clip, tmp_path, number)
    length, url = await _length(viewer), await open_host(viewer.room_id)
    hers, frame = await _open(browser, url, "alice")
    async with open_browser() as sleeper:
        _, other = await _open(sleeper, url, "bob")
        await _together(frame, other, length)
        session = await sleeper.new_browser_cdp_session()
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
        with suspended([psutil.Process(process["id"]) for process in processes]):
            await asyncio.sleep(4)
        await _together(frame, other, length)
        await expect(other.locator("[data-testid=live-mark]")).to_be_visible()
    await hers.close()


async def test_a_pause_is_ones_own_and_there_is_a_way_back(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    other_browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    viewer = await _room(reel, http, alice, bob)
    for number in range(2):
        await _send(alice, viewer, clip, tmp_path, number)
    length, url = await _length(viewer), await open_host(viewer.room_id)
    hers, frame = await _open(browser, url, "alice")
    his, other = await _open(other_browser, url, "bob")
    await _together(frame, other, length)
    await _watching(frame, 2)

    live, mark = other.locator("[data-testid=live]"), other.locator("[data-testid=live-mark]")
    assert await live.count() == 0
    await other.locator("[data-testid=play]").click()
    await other.locator("[data-testid=player][data-playing=false]").wait_for()
    await expect(live).to_be_visible()
    await expect(frame.locator("[data-testid=live-mark]")).to_be_visible()
    assert await frame.locator(_PLAYING).count() == 1, "she goes on"
    await _watching(frame, 1)
    before = await other.evaluate(_CURRENT_TIME)
    await his.screenshot(path=screenshots / "channel-away-640x480.png")
    assert len(await over_frames(other, _CURRENT_TIME, frames=90)) == 1, "he stands"
    # Playing on is not coming back.
    clock = asyncio.get_running_loop().time
    resumed = clock()
    await other.locator("[data-testid=play]").click()
    await other.locator(_PLAYING).wait_for()
    await eventually(lambda: _played(other, before + 0.6), what="him watching on")
    assert await other.evaluate(_CURRENT_TIME) < before + (clock() - resumed) + 0.5
    await expect(live).to_be_visible()
    await live.click()
    await expect(mark).to_be_visible()
    await expect(other.locator("[data-testid=player]")).to_be_focused()
    await _together(frame, other, length)
    await _watching(frame, 2)

    # Choosing the channel again is coming back, too.
    await other.locator("[data-testid=next]").click()
    await expect(live).to_be_visible()
    await other.locator('[data-testid=member][data-member="*"]').click()
    await expect(mark).to_be_visible()

    # By the keyboard: away by seeking and by the next video, back by the button.
    for key in ("l", "n", "ArrowLeft"):
        await other.locator("[data-testid=player]").press(key)
        await live.focus()
        await live.press("Enter")
        await expect(mark).to_be_visible()
    await _together(frame, other, length)

    # Another's reel has no live position; the channel is entered at it.
    await other.locator(f'[data-testid=member][data-member="{alice.user_id}"]').click()
    await other.locator(f'[data-testid=player][data-reel="{alice.user_id}"]').wait_for()
    await expect(other.locator(".live-bar")).to_have_count(0)
    await _watching(frame, 1)
    await other.locator('[data-testid=member][data-member="*"]').click()
    await other.locator(_PLAYING).wait_for()
    await _together(frame, other, length)
    await hers.close()
    await his.close()


async def test_a_change_of_the_list_comes_at_the_end_of_what_plays(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    other_browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path,
) -> None:  # fmt: skip
    # The work on it would take from the two browsers the time that they need: what is known is ready at once.
    await _send(bob, await _room(reel, http, alice, bob), clip, tmp_path, 2)
    viewer = await _room(reel, http, alice, bob)
    ids = [await _send(alice, viewer, clip, tmp_path, number) for number in range(2)]
    url = await open_host(viewer.room_id)
    pages = [await _open(browser, url, "alice"), await _open(other_browser, url, "bob")]
    frames = [frame for _, frame in pages]
    await _together(frames[0], frames[1], await _length(viewer))
    for frame in frames:
        await frame.evaluate(_TURNS)

    async def turns(frame: Frame) -> list[list[Any]]:
        return list(await frame.evaluate("() => window.turns"))

    async def turned() -> bool:
        return all([await turns(frame) for frame in frames])

    await eventually(turned, what="a turn before the change")
    ids.append(await _send(bob, viewer, clip, tmp_path, 2))

    async def went_round() -> bool:
        # It was shown, and what came after it as well.
        return all(ids[2] in [video for video, _ in each[:-2]] for each in [await turns(frame) for frame in frames])

    await eventually(went_round, seconds=60, what="the new video having its turn")
    for frame in frames:
        shown = await turns(frame)
        assert all(before != after for (before, _), (after, _) in pairwise(shown))
        # What plays at the change goes on to its end: cut short, it would bring all that follow forward. A busy
        # machine may have the new list a little later than it starts, and turn to it in the middle of a video.
        off = [(started - shown[0][1] + SECONDS / 2) % SECONDS - SECONDS / 2 for _, started in shown]
        assert sum(abs(each) >= 2 * NEAR_S for each in off) <= 1, shown
    await _together(frames[0], frames[1], await _length(viewer))
    for page, _ in pages:
        await page.close()
