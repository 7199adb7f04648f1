"""In Chromium, through a Matrix client's widget frame: reels play in order and start over, and follow the room."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Page, Request, Route

from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, Clip, make_clip
from tests.support.browser import over_frames, widget_frame
from tests.support.host import OpenHost, hosts
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

SIZES = pytest.mark.parametrize(("width", "height"), [(320, 300), (1280, 720)])

# Whatever plays is noted as it happens; the colour of frames that are in time proves that the page speaks of them.
_RECORD = """() => {
    const player = document.querySelector('[data-testid=player]');
    const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext('2d', {willReadFrequently: true});
    window.seen = [];
    const shown = new WeakMap();
    const follow = (video) => {
        const next = (_, {mediaTime}) => { shown.set(video, mediaTime); video.requestVideoFrameCallback(next); };
        shown.set(video, NaN);
        video.requestVideoFrameCallback(next);
    };
    // Sped up, an item takes half a second: on a busy machine one may pass between two looks.
    let lookedAt = performance.now(), late = false;
    const look = () => {
        const now = performance.now();
        late ||= now - lookedAt > 250;
        lookedAt = now;
        const id = player.dataset.videoId, video = document.querySelector('video[data-active]');
        if (!id || !video || video.readyState < 2 || video.seeking) return;
        if (window.seen.at(-1)?.id !== id) window.seen.push({id, colours: [], late});
        late = false;
        // Where frames are late, what is painted is not what the clock, and thus the page, speaks of.
        if (!shown.has(video)) follow(video);
        if (!(Math.abs(video.currentTime - shown.get(video)) < 0.3)) return;
        const w = video.videoWidth, h = video.videoHeight;
        context.drawImage(video, 0.02 * w, 0.96 * h, 0.03 * w, 0.02 * h, 0, 0, 1, 1);
        window.seen.at(-1).colours.push([...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]);
    };
    setInterval(look, 40);
}"""
_SEEN = "() => window.seen"
# Looks at an item whose content is recognised when it is sped up: a busy machine draws few of its frames.
_ENOUGH = 8


def _short(clip: Clip) -> Clip:
    return replace(clip, seconds=2.0, width=clip.width // 2, height=clip.height // 2)


@pytest.fixture(scope="session")
async def clips(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> dict[str, tuple[Clip, Path]]:
    folder = tmp_path_factory.mktemp("clips")
    short = [_short(clip) for clip in (*ALICE_CLIPS, *BOB_CLIPS)]
    return {clip.caption: (clip, await make_clip(clip, folder, tools.ffmpeg)) for clip in short}


async def _send(user: MatrixClient, room_id: str, viewer: Viewer, clip: tuple[Clip, Path]) -> str:
    event_id = await user.send_video(room_id, clip[1], info=clip[0].info)
    return str((await viewer.video_in(event_id, "ready"))["id"])


async def _open(browser: Browser, url: str, width: int, height: int) -> tuple[Page, Frame]:
    page = await browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(30_000)
    await page.goto(url)
    frame = await widget_frame(page)
    return page, frame


async def _seen(frame: Frame) -> list[dict[str, Any]]:
    return list(await frame.evaluate(_SEEN))


def _is_colour(colours: list[list[int]], wanted: tuple[int, int, int]) -> bool:
    # Only the middle of what was seen: at a seam the image may be a frame behind the name.
    middle = colours[len(colours) // 4 : -len(colours) // 4 or None] or colours
    return all(abs(a - b) < 30 for colour in middle for a, b in zip(colour, wanted, strict=True))


async def _plays_in_order(frame: Frame, ids: dict[str, Clip], least: int, looks: int = 0) -> None:
    """Wait until `least` items were seen whole, and check that they came in order, over and over.

    Those that were looked at at least `looks` times must have shown what they are.
    """

    async def enough() -> bool:
        return len(await _seen(frame)) > least

    await eventually(enough, seconds=90, what=f"{least} items being played")
    seen = (await _seen(frame))[:-1]
    order = list(ids)
    for before, item in pairwise(seen):
        follows = order[(order.index(before["id"]) + 1) % len(order)]
        assert item["id"] == follows or item["late"], [each["id"] for each in seen]
    assert sum(item["late"] for item in seen) < len(seen) / 2
    for item in (item for item in seen if len(item["colours"]) >= looks):
        assert item["colours"], ids[item["id"]].caption
        assert _is_colour(item["colours"], ids[item["id"]].rgb), (ids[item["id"]].caption, item["colours"])


@SIZES
@pytest.mark.timeout(240)
async def test_reels_play_in_order_and_start_over(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clips: dict[str, tuple[Clip, Path]], screenshots: Path, width: int, height: int,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    reels: dict[str, dict[str, Clip]] = {alice.user_id: {}, bob.user_id: {}}
    for user, own in ((alice, ALICE_CLIPS), (bob, BOB_CLIPS)):
        for clip in own:
            sent = clips[clip.caption]
            reels[user.user_id][await _send(user, room_id, viewer, sent)] = sent[0]

    url = await open_host(room_id)
    page, frame = await _open(browser, f"{url}?user=bob&layout=widget", width, height)
    await frame.locator("[data-testid=app][data-state=ready]").wait_for()
    await frame.evaluate(_RECORD)
    for user_id, ids in reels.items():
        name = user_id[1:].partition(":")[0]
        await frame.locator(f'[data-testid=member][data-member="{user_id}"]').click()
        await frame.locator(f'[data-testid=player][data-reel="{user_id}"][data-playing=true]').wait_for()
        await frame.evaluate("() => { window.seen.length = 0; }")
        await _plays_in_order(frame, ids, least=len(ids) + 1)
        await page.screenshot(path=screenshots / f"{name}-{width}x{height}.png")
        if width < 1280 or user_id != alice.user_id:
            continue  # what comes is the same at every size, and in every reel
        # Faster, over the end of the playlist itself, which repeats a short list for a minute.
        await frame.evaluate("() => document.querySelectorAll('video').forEach(v => { v.playbackRate = 4; })")
        await frame.evaluate("() => { window.seen.length = 0; }")
        await _plays_in_order(frame, ids, least=34, looks=_ENOUGH)
        await frame.evaluate("() => document.querySelectorAll('video').forEach(v => { v.playbackRate = 1; })")
    await page.close()


async def test_a_new_video_appears_and_a_redacted_one_goes(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clips: dict[str, tuple[Clip, Path]], screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    page, frame = await _open(browser, f"{await open_host(room_id)}?user=bob&layout=widget", 320, 600)
    await frame.locator("[data-testid=app][data-state=empty]").wait_for()
    await page.screenshot(path=screenshots / "empty-320x600.png")
    event_id = await alice.send_video(room_id, clips["SUNRISE"][1])
    await frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
    viewer = await reel.viewer(http, alice, room_id)
    second = await _send(alice, room_id, viewer, clips["GARDEN"])
    await frame.locator(f'[data-testid=video][data-video-id="{second}"]').wait_for()
    await frame.locator(f'[data-testid=player][data-video-id="{second}"]').wait_for()
    await alice.redact(room_id, event_id)
    await frame.locator("[data-testid=video]").nth(1).wait_for(state="detached")
    await frame.locator(f'[data-testid=player][data-video-id="{second}"][data-playing=true]').wait_for()
    await page.close()


async def test_controls(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clips: dict[str, tuple[Clip, Path]],
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    ids = [await _send(alice, room_id, viewer, clips[clip.caption]) for clip in ALICE_CLIPS]
    page, frame = await _open(browser, f"{await open_host(room_id)}?user=bob&layout=widget", 1280, 720)
    player = frame.locator("[data-testid=player]")
    await frame.locator(f'[data-testid=member][data-member="{alice.user_id}"]').click()
    # Picked from the list, it plays; paused, it stays where it is.
    await frame.locator(f'[data-testid=video][data-video-id="{ids[2]}"] button').first.click()
    await frame.locator(f'[data-testid=player][data-video-id="{ids[2]}"][data-playing=true]').wait_for()
    await frame.locator("[data-testid=play]").click()
    await frame.locator("[data-testid=player][data-playing=false]").wait_for()
    assert len(await over_frames(frame, "document.querySelector('video[data-active]').currentTime")) == 1
    # Previous and next, also over the ends of the list.
    await frame.locator("[data-testid=next]").click()
    await frame.locator(f'[data-testid=player][data-video-id="{ids[0]}"]').wait_for()
    await frame.locator("[data-testid=next]").click()
    await frame.locator(f'[data-testid=player][data-video-id="{ids[1]}"]').wait_for()
    # Audio: muted and back, by button and by key.
    muted = await player.get_attribute("data-muted")
    await frame.locator("[data-testid=mute]").click()
    assert await player.get_attribute("data-muted") != muted
    await player.press("m")
    assert await player.get_attribute("data-muted") == muted
    await player.press("k")
    await frame.locator("[data-testid=player][data-playing=true]").wait_for()
    await page.close()


@pytest.mark.timeout(240)
async def test_a_reel_of_encrypted_videos_and_a_plain_one(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clips: dict[str, tuple[Clip, Path]],
) -> None:  # fmt: skip
    await spare.start()
    room_id = await make_room(alice, spare, bob)
    first, *others = ALICE_CLIPS
    viewer = await spare.viewer(http, bob, room_id)
    ids = {await _send(alice, room_id, viewer, clips[first.caption]): clips[first.caption][0]}
    await spare.stop()
    spare.write_config(encryption={"key": "a key of the tests, which is long enough", "all_rooms": True})
    await spare.start()
    viewer = await spare.viewer(http, bob, room_id)
    for clip in others:
        ids[await _send(alice, room_id, viewer, clips[clip.caption])] = clips[clip.caption][0]
    async with hosts(spare, alice, bob) as serve:
        page, frame = await _open(browser, f"{await serve(room_id)}?user=bob&layout=widget", 1280, 720)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        await frame.locator(f'[data-testid=member][data-member="{alice.user_id}"]').click()
        await frame.locator(f'[data-testid=player][data-reel="{alice.user_id}"][data-playing=true]').wait_for()
        await frame.evaluate(_RECORD)
        # From the plain one to encrypted ones, from one of these to the next, and back.
        await _plays_in_order(frame, ids, least=len(ids) + 1)
        second = list(ids)[1]
        await frame.locator(f'[data-testid=video][data-video-id="{second}"] button').first.click()
        await frame.locator(f'[data-testid=player][data-video-id="{second}"][data-playing=true]').wait_for()
        await frame.locator("input.seek").fill("1")
        assert await over_frames(frame, "document.querySelector('video[data-active]').currentTime")
        await frame.locator("[data-testid=next]").click()
        await frame.locator(f'[data-testid=player][data-video-id="{list(ids)[2]}"][data-playing=true]').wait_for()
        assert problems == []
        # By the page's own record: the first key may be fetched before a listener here could be added.
        fetched = await frame.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
        keys = [url for url in fetched if url.endswith("/key")]
        assert {url.split("/v/")[1].partition("/")[0] for url in keys} == {*list(ids)[1:]}
        await _fetches_the_room_again(page)
        await page.close()


async def _fetches_the_room_again(page: Page) -> None:
    """Reload, refuse keys until the room is fetched once more, and check that this is soon."""
    refused: list[str] = []
    fetched = asyncio.Event()

    async def answer(route: Route) -> None:
        if fetched.is_set():
            return await route.continue_()
        refused.append(route.request.url)
        return await route.fulfill(status=404, json={"errcode": "M_NOT_FOUND", "error": "There is no such key."})

    def follow(request: Request) -> None:
        if refused and "/api/v1/rooms/" in request.url and request.method == "GET":
            fetched.set()

    await page.route("**/v/*/*/key", answer)
    page.on("request", follow)
    await page.reload()
    widget = page.frame_locator("iframe[data-testid=widget]")
    async with asyncio.timeout(60):
        await fetched.wait()
    # hls.js alone asks for it again each second, nine times.
    assert len(refused) < 4
    await widget.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_themes_and_languages(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clips: dict[str, tuple[Clip, Path]], screenshots: Path, theme: str, language: str,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    await _send(alice, room_id, viewer, clips["DEEP DIVE"])
    url = f"{await open_host(room_id)}?user=bob&layout=widget&theme={theme}&lang={language}"
    page, frame = await _open(browser, url, 800, 300)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await frame.locator("[data-testid=player][data-playing=true]").wait_for()
    assert (await frame.locator("html").get_attribute("lang") or "").startswith(language)
    await page.screenshot(path=screenshots / f"{theme}-{language}-800x300.png")
    assert problems == []
    await page.close()


async def test_a_stranger_sees_why(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, browser: Browser, screenshots: Path
) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 300})
    await page.goto(f"{reel.url}/widget/")
    await page.locator("[data-testid=app][data-state=error][data-trouble=outside]").wait_for()
    await page.screenshot(path=screenshots / "outside-320x300.png")
    await page.close()
