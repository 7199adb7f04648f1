"""How a viewer likes to watch: speed, quality, captions, order, previews, keys, and going on where they were."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Locator, Page, Route, expect

from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, Clip, make_clip
from tests.support.browser import AXE, axe_finds
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

_CUES = "WEBVTT\n\n00:00.200 --> 01:00.000\nHello from {language}\n"
# What the client was asked, as it arrives in the page around the widget.
_HEAR = """window.asked = [];
window.addEventListener('message', ({data}) => {
    if (data?.action === 'set_always_on_screen' && data.api === 'fromWidget') window.asked.push(data.data.value);
});"""
# What screen readers are told of which reel.
_LISTEN = """window.spoken = [];
let said = '';
new MutationObserver(() => {
    const text = document.querySelector('[data-testid=announced]')?.textContent ?? '';
    if (text !== said && text !== '') {
        window.spoken.push([document.querySelector('[data-testid=player]')?.dataset.reel ?? '', text]);
    }
    said = text;
}).observe(document, {subtree: true, childList: true, characterData: true});"""
_PICTURE = """() => {
    const video = document.querySelector('video[data-active]');
    const {dataset} = document.querySelector('[data-testid=player]');
    const tracks = [...video.textTracks].filter(({mode}) => mode === 'showing');
    return {
        id: dataset.videoId, time: video.currentTime, rate: video.playbackRate,
        lines: Math.min(video.videoWidth, video.videoHeight),
        cues: tracks.flatMap(({activeCues}) => [...activeCues].map(({text}) => text)),
        floating: document.pictureInPictureElement === video, volume: video.volume,
        element: [...document.querySelectorAll('video')].indexOf(video),
    };
}"""
_RECORD = """() => {
    const {dataset} = document.querySelector('[data-testid=player]');
    window.shown = [dataset.videoId];
    window.clocks = [];
    setInterval(() => {
        if (dataset.videoId !== window.shown.at(-1)) window.shown.push(dataset.videoId);
        window.clocks.push(document.querySelector('video[data-active]').currentTime);
    }, 20);
}"""


@dataclass
class Cinema:
    """A room in which alice has three videos of some seconds."""

    url: str
    alice: str
    ids: list[str]


@dataclass
class Seen:
    """The widget in a client's page."""

    page: Page
    frame: Frame

    @property
    def player(self) -> Locator:
        return self.part("player")

    def part(self, name: str) -> Locator:
        return self.frame.locator(f'[data-testid="{name}"]')

    async def picture(self) -> dict[str, Any]:
        return dict(await self.frame.evaluate(_PICTURE))

    async def until(self, what: str, fits: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        async def ask() -> dict[str, Any] | None:
            picture = await self.picture()
            return picture if fits(picture) else None

        found = await eventually(ask, seconds=seconds, what=what)
        assert found
        return found

    async def choose(self, page: str, option: str) -> None:
        await self.part("settings").click()
        await self.part(f"menu-{page}").click()
        await self.part(f"{page}-{option}").click()
        await self.page.keyboard.press("Escape")
        await expect(self.part("menu")).to_have_count(0)

    async def focused(self) -> str:
        return str(await self.frame.evaluate("() => document.activeElement.dataset.testid ?? ''"))


@pytest.fixture(scope="module")
async def videos(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> list[tuple[Clip, Path]]:
    folder = tmp_path_factory.mktemp("clips")
    # Some qualities of few frames: a browser without a graphics card draws the whole page for each of them.
    clips = [
        replace(clip, seconds=4.0, width=clip.width // 2, height=clip.height // 2, rate=10) for clip in ALICE_CLIPS
    ]
    return [(clip, await make_clip(clip, folder, tools.ffmpeg)) for clip in clips]


@pytest.fixture
async def cinema(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, open_host: OpenHost,
    videos: list[tuple[Clip, Path]],
) -> Cinema:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    events = [await alice.send_video(room_id, path, info=clip.info) for clip, path in videos]
    ids = [str((await viewer.video_in(event_id, "ready"))["id"]) for event_id in events]
    return Cinema(f"{await open_host(room_id)}?user=bob&layout=widget", alice.user_id, ids)


async def _with_captions(route: Route) -> None:
    if route.request.method != "GET":
        return await route.continue_()
    response = await route.fetch()
    room = await response.json()
    for member in room["members"]:
        for video in member["videos"]:
            video["captions"] = [
                {"language": language, "label": label, "url": f"/media/captions/{video['id']}/{language}.vtt"}
                for language, label in (("en", "English"), ("zh-Hans", "简体中文"))
            ]
    return await route.fulfill(response=response, json=room)


async def _cues(route: Route) -> None:
    language = route.request.url.rpartition("/")[2].partition(".")[0]
    await route.fulfill(body=_CUES.format(language=language), content_type="text/vtt")


@asynccontextmanager
async def _watching(
    browser: Browser, cinema: Cinema, *, width: int = 1280, height: int = 720, captions: bool = False,
    select: bool = True, motion: Literal["reduce", "no-preference"] = "no-preference", touch: bool = False,
) -> AsyncIterator[Seen]:  # fmt: skip
    context = await browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion=motion, has_touch=touch
    )
    await context.add_init_script(_HEAR)
    await context.add_init_script(_LISTEN)
    if captions:
        await context.route("**/api/v1/rooms/*", _with_captions)
        await context.route("**/media/captions/**", _cues)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    try:
        yield await _open(page, cinema, select=select)
    finally:
        await context.close()


async def _open(page: Page, cinema: Cinema, *, select: bool) -> Seen:
    await page.goto(cinema.url)
    handle = await page.locator("iframe[data-testid=widget]").element_handle()
    frame = await handle.content_frame()
    assert frame
    seen = Seen(page, frame)
    if select:
        await frame.locator(f'[data-testid=member][data-member="{cinema.alice}"]').click()
        await frame.locator(f'[data-testid=player][data-reel="{cinema.alice}"]').wait_for()
    await frame.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
    return seen


async def test_speed_stays_over_items_and_reels(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.choose("speed", "1.5")
        await expect(seen.part("told")).to_contain_text("1.5")
        await seen.until("the speed", lambda picture: picture["rate"] == 1.5)
        await seen.part("next").click()
        await seen.until("the next item", lambda picture: picture["id"] == cinema.ids[1] and picture["rate"] == 1.5)
        # Its keys; they stop at the ends.
        for key, rate in ((">", 1.75), (">", 2), (">", 2), ("<", 1.75)):
            await seen.player.press(key)
            await seen.until(f"{key} giving {rate}", lambda picture, rate=rate: picture["rate"] == rate)  # type: ignore[misc]
        # The channel has its own; alone again, the viewer's is back, on whichever element plays.
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.frame.locator('[data-testid=player][data-reel="*"]').wait_for()
        await seen.until("the channel's speed", lambda picture: abs(picture["rate"] - 1) < 0.06)
        await seen.part("settings").click()
        await seen.part("menu-speed").click()
        await expect(seen.part("speed-2")).to_have_attribute("aria-disabled", "true")
        await expect(seen.part("menu")).to_contain_text("same moment")
        await seen.page.keyboard.press("Escape")
        await seen.page.keyboard.press("Escape")
        await seen.frame.locator(f'[data-testid=member][data-member="{cinema.alice}"]').click()
        await seen.frame.locator(f'[data-testid=player][data-reel="{cinema.alice}"]').wait_for()
        await seen.until("the viewer's speed", lambda picture: picture["rate"] == 1.75)


async def test_holding_is_quick_and_nothing_else(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        for part in (seen.part("forward"), seen.player.locator(".screen")):
            await part.hover()
            await seen.page.mouse.down()
            await seen.until("twice the speed", lambda picture: picture["rate"] == 2)
            await expect(seen.part("told")).to_contain_text("2")
            await seen.page.mouse.up()
            await seen.until("the usual speed", lambda picture: picture["rate"] == 1)
            await expect(seen.player).to_have_attribute("data-playing", "true")
        await seen.player.focus()
        await seen.page.keyboard.down("Space")
        await seen.page.keyboard.down("Space")  # as a held key repeats
        await seen.until("twice the speed", lambda picture: picture["rate"] == 2)
        await seen.page.keyboard.up("Space")
        await seen.until("the usual speed", lambda picture: picture["rate"] == 1)
        await expect(seen.player).to_have_attribute("data-playing", "true")
        # Held, the other one rewinds to the start of the item; pressed, both step.
        await seen.player.press("9")
        await seen.player.press("k")
        before = (await seen.picture())["time"]
        await seen.part("back").hover()
        await seen.page.mouse.down()
        await seen.until("the way back", lambda picture: picture["time"] <= before - 2)
        await seen.page.mouse.up()


async def test_the_seek_bar_shows_what_is_where(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        await seen.player.press("k")
        assert not [url for url in asked if "storyboard" in url], "fetched only when it is needed"
        bar = seen.frame.locator("input.seek")
        box = await bar.bounding_box()
        assert box
        await seen.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
        preview = seen.part("preview")
        await expect(preview).to_contain_text("0:03")
        await expect(preview).to_have_attribute("data-at", "3")
        await eventually(lambda: _drawn(seen), what="a picture in the preview")
        await seen.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
        await expect(preview).to_have_attribute("data-at", "0")
        await seen.page.mouse.move(box["x"], box["y"] - 300)
        await expect(preview).to_have_count(0)
        assert len([url for url in asked if url.endswith("storyboard.vtt")]) == 1
        assert len([url for url in asked if url.endswith("storyboard.jpg")]) == 1
        # By the keyboard, at the position itself.
        await seen.player.press("0")
        for _ in range(5):
            # The button over the picture may come before it, as long as that is there.
            await seen.page.keyboard.press("Tab")
            if await bar.evaluate("(bar) => bar === document.activeElement"):
                break
        await seen.page.keyboard.press("End")
        await expect(preview).to_have_attribute("data-at", "3")
        spoken = (await bar.get_attribute("aria-valuetext") or "").translate({0x2068: None, 0x2069: None})
        assert spoken == "3 seconds of 4 seconds"


async def _drawn(seen: Seen) -> bool:
    return bool(
        await seen.frame.evaluate("""() => {
            const canvas = document.querySelector('.preview-picture');
            const pixels = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data ?? [];
            return pixels.some((value, index) => index % 4 < 3 && value > 60);
        }""")
    )


async def test_quality(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu-quality")).to_contain_text("Automatic (")
        await seen.part("menu-quality").click()
        offered = await seen.frame.locator("[role=menuitemradio]").all_inner_texts()
        lines = [int("".join(filter(str.isdigit, text))) for text in offered[1:]]
        assert lines == sorted(lines, reverse=True)
        assert len(lines) > 1
        await seen.page.keyboard.press("Escape")
        await seen.page.keyboard.press("Escape")
        for level in (lines[-1], lines[0]):
            await seen.choose("quality", str(level))
            await seen.until(f"{level}p", lambda picture, level=level: picture["lines"] == level)  # type: ignore[misc]
        # Another list keeps to it.
        await seen.choose("quality", str(lines[-1]))
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.frame.locator('[data-testid=player][data-reel="*"]').wait_for()
        await seen.until("the same quality", lambda picture: picture["lines"] == lines[-1])


async def test_captions(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema, captions=True) as seen:
        await seen.choose("captions", "zh-Hans")
        await expect(seen.part("told")).to_contain_text("简体中文")
        first = await seen.until("captions", lambda picture: picture["cues"] == ["Hello from zh-Hans"])
        # They follow the item, and the element that takes over.
        await seen.until("the next one's", lambda p: p["id"] != first["id"] and p["cues"] == ["Hello from zh-Hans"])
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.until("the other element's", lambda p: p["element"] != first["element"] and len(p["cues"]) == 1)
        await seen.player.press("c")
        await seen.until("none", lambda picture: picture["cues"] == [])
        await seen.player.press("c")
        await seen.until("the first language", lambda picture: picture["cues"] == ["Hello from en"])
        await seen.part("captions").click()
        await seen.until("none", lambda picture: picture["cues"] == [])
        await expect(seen.part("captions")).to_have_attribute("aria-pressed", "false")


async def test_without_captions_there_is_nothing_to_choose(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu-speed")).to_be_visible()
        await expect(seen.part("menu-captions")).to_have_count(0)
        await expect(seen.part("captions")).to_have_count(0)


async def test_one_video_again_and_again(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.part("next").click()
        await seen.until("the second", lambda picture: picture["id"] == cinema.ids[1])
        await seen.choose("loop", "one")
        await expect(seen.part("told")).to_contain_text("Repeat this video")
        await seen.frame.evaluate(_RECORD)

        async def turns() -> bool:
            return await _jumps_back(seen) >= 2

        await eventually(turns, what="two turns")
        assert await seen.frame.evaluate("() => window.shown") == [cinema.ids[1]]
        # The viewer may go on, and stays there.
        await seen.part("next").click()
        await seen.until("the third", lambda picture: picture["id"] == cinema.ids[2])
        before = await _jumps_back(seen)

        async def turned() -> bool:
            return await _jumps_back(seen) > before

        await eventually(turned, what="another turn")
        assert await seen.frame.evaluate("() => window.shown") == cinema.ids[1:]
        assert (await seen.picture())["id"] == cinema.ids[2]


async def _jumps_back(seen: Seen) -> int:
    return int(await seen.frame.evaluate("() => window.clocks.filter((t, i) => t < window.clocks[i - 1] - 1).length"))


@pytest.mark.timeout(180)
async def test_each_video_of_a_loop_is_told_once_and_can_be_silent(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:

        async def spoken() -> list[str]:
            said = await seen.frame.evaluate("() => window.spoken")
            return [text.replace("\u2068", "").replace("\u2069", "") for reel, text in said if reel == cinema.alice]

        async def shown(count: int) -> bool:
            return len(await seen.frame.evaluate("() => window.shown")) >= count

        await seen.frame.evaluate(_RECORD)
        await eventually(lambda: shown(7), what="two turns of three videos")
        each = [f"Now playing: {Path(clip.filename).stem}, from alice" for clip in ALICE_CLIPS]
        assert sorted(await spoken()) == sorted(each)
        # Who asks for one is told of it again.
        await seen.part("next").click()

        async def again() -> bool:
            return len(await spoken()) == len(each) + 1

        await eventually(again, what="the one that was asked for")
        await seen.part("settings").click()
        await expect(seen.part("menu-announce")).to_have_attribute("aria-checked", "true")
        await seen.part("menu-announce").click()
        await seen.page.keyboard.press("Escape")
        before = await spoken()
        for _ in range(2):
            now = (await seen.picture())["id"]
            await seen.part("next").click()
            await seen.until("another one", lambda picture, now=now: picture["id"] != now)  # type: ignore[misc]
        await expect(seen.part("announced")).to_have_text("")
        assert await spoken() == before


@pytest.mark.timeout(180)
async def test_shuffle_shows_all_before_anything_again(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.choose("loop", "shuffle")
        await seen.frame.evaluate(_RECORD)

        async def shown(count: int) -> list[str]:
            ids = list(await seen.frame.evaluate("() => window.shown"))
            return ids if len(ids) >= count else []

        ids = await eventually(lambda: shown(7), what="seven items")
        assert {*ids[:3]} == {*ids[3:6]} == {*cinema.ids}
        # By hand as well; 'previous' goes the same way back.
        await seen.player.press("k")
        way = [(await seen.picture())["id"]]
        for _ in range(2):
            await seen.part("next").click()
            picture = await seen.until("another one", lambda picture: picture["id"] != way[-1])
            way.append(picture["id"])
        for earlier in reversed(way[:-1]):
            await seen.part("previous").click()
            await seen.until("the way back", lambda picture, earlier=earlier: picture["id"] == earlier)  # type: ignore[misc]


async def test_picture_in_picture_moves_along(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.part("float").click()
        before = await seen.until("picture-in-picture", lambda picture: picture["floating"])
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.until("the other element", lambda p: p["element"] != before["element"] and p["floating"])
        await seen.until("it playing", lambda picture: picture["time"] > before["time"] + 0.5)
        await seen.part("float").click()
        await seen.until("its end", lambda picture: not picture["floating"])


_PRESS_ELSEWHERE_AT_ONCE = """() => new Promise((pressed) => {
    new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-testid=menu]')) return;
        observer.disconnect();
        document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
        pressed();
    }).observe(document, {childList: true, subtree: true});
    document.querySelector('[data-testid=settings]').click();
})"""


async def test_the_menu_by_keyboard(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        menu, keyboard = seen.part("menu"), seen.page.keyboard
        await seen.part("settings").focus()
        await keyboard.press("Enter")
        await expect(menu).to_be_visible()
        assert await seen.focused() == "menu-speed"
        await keyboard.press("ArrowUp")
        assert await seen.focused() == "menu-help"
        await keyboard.press("Home")
        await keyboard.press("ArrowRight")
        await expect(menu).to_have_attribute("data-page", "speed")
        assert await seen.focused() == "speed-1"
        await keyboard.press("ArrowDown")
        await keyboard.press("Enter")
        await seen.until("the speed", lambda picture: picture["rate"] == 1.25)
        assert await seen.focused() == "menu-speed"
        await keyboard.press("Escape")
        await expect(menu).to_have_count(0)
        assert await seen.focused() == "settings"
        await keyboard.press("Enter")
        await expect(menu).to_be_visible()
        await seen.frame.locator("[data-testid=videos]").click(position={"x": 5, "y": 5}, force=True)
        await expect(menu).to_have_count(0)
        await seen.frame.evaluate(_PRESS_ELSEWHERE_AT_ONCE)
        await expect(menu).to_have_count(0)


async def test_keys_can_be_listed_and_switched_off(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        await seen.player.press("?")
        await expect(seen.part("keys")).to_be_visible()
        await expect(seen.part("keys")).to_contain_text("Slower or faster")
        await seen.page.keyboard.press("Escape")
        await expect(seen.part("keys")).to_have_count(0)
        await seen.part("settings").click()
        await expect(seen.part("menu-keys")).to_have_attribute("aria-checked", "true")
        await seen.part("menu-keys").click()
        await expect(seen.part("menu-keys")).to_have_attribute("aria-checked", "false")
        await seen.page.keyboard.press("Escape")
        muted = await seen.player.get_attribute("data-muted")
        for key in ("m", "k", ">", "?", "c", "9"):
            await seen.player.press(key)
        assert await seen.player.get_attribute("data-muted") == muted
        assert (await seen.picture())["rate"] == 1
        await expect(seen.player).to_have_attribute("data-playing", "true")
        await expect(seen.part("keys")).to_have_count(0)
        # What is no letter, digit or sign still works.
        await seen.player.press("Space")
        await expect(seen.player).to_have_attribute("data-playing", "false")


async def test_the_system_knows_what_plays(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:
        told = """() => {
            const {metadata, playbackState} = navigator.mediaSession;
            return [metadata?.title, metadata?.artist, playbackState];
        }"""

        async def knows(*wanted: str) -> bool:
            return bool(await seen.frame.evaluate(told) == list(wanted))

        await eventually(lambda: knows("sunrise", "alice", "playing"), what="title and artist")
        await seen.part("next").click()
        await seen.part("play").click()
        await eventually(lambda: knows("deep-dive", "alice", "paused"), what="the next title")


async def test_the_client_keeps_it_in_sight_while_it_plays(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema) as seen:

        async def asked(wanted: list[bool]) -> bool:
            return bool(await seen.page.evaluate("() => window.asked") == wanted)

        # At first it stops: nobody wants sound in other rooms that they cannot turn off there.
        await seen.frame.locator("[data-testid=record]").wait_for()
        assert await asked([])
        await seen.choose("elsewhere", "play")
        await eventually(lambda: asked([True]), what="asking to stay")
        await seen.part("play").click()
        await eventually(lambda: asked([True, False]), what="letting go")
        await seen.part("play").click()
        await eventually(lambda: asked([True, False, True]), what="asking again")
        await seen.part("next").click()
        await asyncio.sleep(1)
        assert await asked([True, False, True])


async def test_it_goes_on_where_the_viewer_was(browser: Browser, cinema: Cinema) -> None:
    # Where nothing plays by itself, the moment stands still to be looked at.
    async with _watching(browser, cinema, captions=True, motion="reduce") as seen:
        await seen.frame.locator(f'[data-testid=video][data-video-id="{cinema.ids[2]}"] button').first.click()
        await seen.until("the third", lambda picture: picture["id"] == cinema.ids[2])
        await seen.player.press("k")
        await seen.frame.locator("input.seek").fill("2.5")
        await seen.frame.locator("input.volume-slider").fill("0.4")
        await seen.choose("speed", "0.75")
        await seen.choose("loop", "one")
        await seen.choose("captions", "en")
        await seen.part("settings").click()
        await seen.part("menu-keys").click()
        # As a client does: the frame goes without a word, and comes back.
        again = await _open(seen.page, cinema, select=False)
        await expect(again.player).to_have_attribute("data-reel", cinema.alice)
        await again.until("the picture", lambda picture: picture["id"] == cinema.ids[2])
        await again.until("the sound and the speed", lambda p: p["rate"] == 0.75 and abs(p["volume"] - 0.4) < 0.01)
        await again.until("the captions", lambda picture: picture["cues"] == ["Hello from en"])
        assert float(await again.frame.locator("input.seek").input_value()) == pytest.approx(2.5, abs=0.15)
        await again.part("settings").click()
        await expect(again.part("menu-keys")).to_have_attribute("aria-checked", "false")
        await expect(again.part("menu-loop")).to_contain_text("Repeat this video")


async def test_nothing_plays_or_moves_unasked(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema, select=False, motion="reduce") as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu")).to_be_visible()
        moving = "() => document.getAnimations().filter(({playState}) => playState === 'running').length"
        assert await seen.frame.evaluate(moving) == 0
        await expect(seen.player).to_have_attribute("data-playing", "false")


async def test_a_finger_steps_and_points(browser: Browser, cinema: Cinema) -> None:
    async with _watching(browser, cinema, width=320, height=600, touch=True) as seen:
        await expect(seen.part("forward")).to_be_hidden()
        shown = (await seen.picture())["id"]
        for _ in range(2):
            await seen.page.touchscreen.tap(290, 70)
        await seen.until("the step over the end", lambda picture: picture["id"] != shown)
        # A finger on the seek bar takes the video along, and sees where it goes.
        await seen.page.touchscreen.tap(160, 70)
        bar = seen.frame.locator("input.seek")
        box = await bar.bounding_box()
        assert box
        length, y = float(str(await bar.get_attribute("max"))), box["y"] + box["height"] / 2
        session = await seen.page.context.new_cdp_session(seen.page)
        for share in (0.2, 0.4, 0.6, 0.8):
            at = {"x": box["x"] + share * box["width"], "y": y}
            kind = "touchStart" if share < 0.3 else "touchMove"
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        assert float(await bar.input_value()) == pytest.approx(0.8 * length, abs=0.1 * length)
        picture = seen.frame.locator(".preview-picture")
        await expect(picture).to_be_visible()
        shown_at = await picture.bounding_box()
        assert shown_at
        # Around the finger, and whole.
        assert shown_at["x"] < at["x"] < shown_at["x"] + shown_at["width"] <= 320
        await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await expect(picture).to_have_count(0)


@pytest.mark.parametrize(("width", "height", "listed"), [(304, 278, False), (280, 300, True)])
async def test_a_tile_has_room_for_the_picture(
    browser: Browser, cinema: Cinema, width: int, height: int, listed: bool
) -> None:
    async with _watching(browser, cinema, width=width, height=height, select=False) as seen:
        await seen.player.hover()
        box = await seen.player.bounding_box()
        assert box
        assert (box["width"], box["height"] == height) == (width, not listed)
        assert await seen.part("videos").is_visible() == listed
        for name in ("previous", "play", "next", "mute", "settings", "fullscreen"):
            button = await seen.part(name).bounding_box()
            assert button
            assert min(button["width"], button["height"]) >= 24
            assert 0 <= button["x"] <= button["x"] + button["width"] <= width


@pytest.mark.parametrize("width", [280, 1280])
async def test_axe_finds_nothing_in_menu_and_list(browser: Browser, cinema: Cinema, width: int) -> None:
    async with _watching(browser, cinema, width=width, height=600, captions=True) as seen:
        await seen.player.press("k")
        await seen.part("settings").click()
        await _axe(seen, "menu")
        for page in ("speed", "quality", "captions", "loop"):
            await seen.part(f"menu-{page}").click()
            await _axe(seen, page)
            await seen.page.keyboard.press("Escape")
        await seen.part("menu-help").click()
        await expect(seen.part("keys")).to_be_visible()
        await _axe(seen, "keys")


async def _axe(seen: Seen, view: str) -> None:
    await seen.frame.evaluate(AXE.read_text())
    assert await axe_finds(seen.frame) == [], view
