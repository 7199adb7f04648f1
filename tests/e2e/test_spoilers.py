"""A spoiler in Chromium: nothing of it is fetched or shown before it is requested, and then it plays alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Page, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import widget_frame
from tests.support.clips import with_padding
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

MARK = "page.codeberg.everypizza.msc4193.spoiler"
_WHOLE = """(selector) => {
    const way = document.querySelector(selector).getBoundingClientRect();
    const stage = document.querySelector('[data-testid=spoiler]').getBoundingClientRect();
    return way.top >= stage.top && way.bottom <= stage.bottom && way.left >= stage.left && way.right <= stage.right;
}"""
CLIP_S = 2
REASON = "the ending, and rather a lot of ketchup"


@dataclass
class RoomWithSpoiler:
    url: str
    room_id: str
    plain: str
    hidden: str
    """The ids of the two videos."""


@pytest.fixture
async def room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, open_host: OpenHost,
    clip: Path, tmp_path: Path,
) -> RoomWithSpoiler:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    ids = []
    for name, marks in (("plain", {}), ("hidden", {MARK: True, f"{MARK}.reason": REASON})):
        file = with_padding(clip, tmp_path / f"{name}.mp4", name.encode())
        content: dict[str, Any] = {"msgtype": "m.video", "body": f"{name}.mp4", "info": {"mimetype": "video/mp4"}}
        uri = await alice.upload(file.read_bytes(), "video/mp4")
        event_id = await alice.send_event(room_id, "m.room.message", {**content, "url": uri, **marks})
        ids.append(str((await viewer.video_in(event_id, "ready"))["id"]))
    return RoomWithSpoiler(await open_host(room_id), room_id, *ids)


async def _open(browser: Browser, url: str, width: int, height: int) -> tuple[Page, Frame, list[str]]:
    """Open the room as bob; return the paths of all that is fetched, too."""
    page = await browser.new_page(viewport={"width": width, "height": height})
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_default_timeout(30_000)
    await page.goto(f"{url}?user=bob&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=app][data-state=ready]").wait_for()
    return page, frame, fetched


def _of(fetched: list[str], video_id: str) -> list[str]:
    return [url for url in fetched if f"/v/{video_id}/" in url]


async def _plays(frame: Frame, video_id: str) -> None:
    moves = """() => {
        const player = document.querySelector('[data-testid=player]');
        const video = document.querySelector('video[data-active]');
        return player && video && !video.paused && video.currentTime > 0.2 ? player.dataset.videoId : null;
    }"""

    async def it() -> bool:
        return bool(await frame.evaluate(moves) == video_id)

    await eventually(it, what=f"{video_id} playing")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568), (1000, 700)])
async def test_it_plays_once_it_is_requested(
    browser: Browser, room: RoomWithSpoiler, screenshots: Path, width: int, height: int
) -> None:
    page, frame, fetched = await _open(browser, room.url, width, height)
    await _plays(frame, room.plain)
    row = frame.locator(f"[data-testid=video][data-video-id='{room.hidden}']")
    await expect(row.locator("[data-mark=spoiler]")).to_contain_text(REASON)
    await page.screenshot(path=screenshots / f"spoiler-list-{width}.png")
    # Twice around the list and more, also by its button: its turn does not come.
    watch = """() => {
        window.shown = [];
        window.played = 0;
        let last = Infinity;
        setInterval(() => {
            const id = document.querySelector('[data-testid=player]')?.dataset.videoId;
            if (id && window.shown.at(-1) !== id) window.shown.push(id);
            const now = document.querySelector('video[data-active]')?.currentTime ?? Infinity;
            if (now > last && now - last < 1) window.played += now - last;
            last = now;
        }, 40);
    }"""
    await frame.evaluate(watch)
    await frame.locator("[data-testid=next]").click(force=True)
    await frame.wait_for_function(f"() => window.played > {2.5 * CLIP_S}")
    assert await frame.evaluate("() => window.shown") == [room.plain]
    assert _of(fetched, room.hidden) == []

    await row.locator("button.row-body").click()
    veil = frame.locator("[data-testid=spoiler]")
    await expect(veil).to_contain_text(REASON)
    await page.screenshot(path=screenshots / f"spoiler-veil-{width}.png")
    assert await frame.locator("video").count() == 0
    # Nothing of the two ways is cut off, however small the stage is.
    for way in ("reveal", "keep-hidden"):
        assert await frame.evaluate(_WHOLE, f"[data-testid={way}]"), way
    await veil.locator("[data-testid=keep-hidden]").click()
    await _plays(frame, room.plain)
    assert _of(fetched, room.hidden) == []

    await row.locator("button.row-body").click()
    reveal = veil.locator("[data-testid=reveal]")

    async def revealed() -> bool:
        # What comes too soon after the pick does not count.
        if await veil.count():
            await reveal.click()
        return await veil.count() == 0

    await eventually(revealed, what="the spoiler to be shown")
    await _plays(frame, room.hidden)
    await expect(row).to_have_attribute("data-current", "true")
    assert _of(fetched, room.hidden)
    assert not [url for url in _of(fetched, room.hidden) if "poster" in url], "the list stays as it is"
    await page.screenshot(path=screenshots / f"spoiler-shown-{width}.png")
    await frame.locator(f"[data-testid=video][data-video-id='{room.plain}'] button.row-body").click()
    await _plays(frame, room.plain)
    await row.locator("button.row-body").click()
    await expect(veil).to_be_visible()
    await page.close()


async def test_a_room_of_spoilers_says_so(
    browser: Browser, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    open_host: OpenHost, clip: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    uri = await alice.upload(clip.read_bytes(), "video/mp4")
    content = {"msgtype": "m.video", "body": "a.mp4", "url": uri, "m.spoiler": True}
    event_id = await alice.send_event(room_id, "m.room.message", content)
    video_id = str((await viewer.video_in(event_id, "ready"))["id"])
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(30_000)
    await page.goto(f"{await open_host(room_id)}?user=bob&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=empty][data-empty=spoilers]").wait_for()
    await page.screenshot(path=screenshots / "spoiler-only-390.png")
    await frame.locator(f"[data-testid=video][data-video-id='{video_id}'] button.row-body").click()
    veil = frame.locator("[data-testid=spoiler]")
    await expect(veil).to_contain_text("Spoiler")

    async def revealed() -> bool:
        if await veil.count():
            await veil.locator("[data-testid=reveal]").click()
        return await veil.count() == 0

    await eventually(revealed, what="the spoiler to be shown")
    await _plays(frame, video_id)
    await page.close()
