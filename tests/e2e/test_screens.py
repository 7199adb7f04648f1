"""The widget on real screens: phones, a client's floating tile, low strips, large windows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Locator, Page, expect

from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, make_clip
from appservice.demo.synapse import Synapse
from tests.support.browser import SMALL_TARGETS, widget_frame
from tests.support.clips import with_padding
from tests.support.host import hosts
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

PHONE = (390, 844)
TILE = (320, 220)
LONG_TITLE = "A quiet morning at the lake house"
_MEMBERS = 9

# Shares of the window: of the frame as it is fitted into its element.
_COVERS = """() => {
    const video = document.querySelector('video[data-active]');
    const {width, height} = video.getBoundingClientRect();
    const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
    return scale * scale * video.videoWidth * video.videoHeight / (innerWidth * innerHeight);
}"""
# Once it has come to rest: menus rise from the edge.
_INSIDE = """async (element) => {
    await Promise.all(element.getAnimations().map(({finished}) => finished));
    const {left, right, top, bottom} = element.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}"""
_HEIGHT = "() => Math.round(document.querySelector('.stage').getBoundingClientRect().height)"
# What plays shows whole in the list, and so does the row after it where there is room for two.
_FOLLOWED = """() => {
    const scroller = document.querySelector('.videos-scroll').getBoundingClientRect();
    const row = document.querySelector('.row[data-current=true]')?.getBoundingClientRect();
    if (!row) return false;
    const last = document.querySelector('.row[data-current=true]').ariaPosInSet === '7';
    const wanted = last || scroller.height < 2 * row.height ? row.bottom : row.bottom + row.height;
    return row.top >= scroller.top - 1 && wanted <= scroller.bottom + 1;
}"""
_SEEN_CONTROLS = """() => [...document.querySelectorAll('button, input, select, textarea, a[href]')]
    .filter((element) => element.checkVisibility({visibilityProperty: true}))
    .map(({dataset, className}) => dataset.testid ?? className)"""
_LOG_REQUESTS = """window.requested = [];
window.addEventListener('message', ({data}) => {
    if (data?.action === 'set_always_on_screen' && data.api === 'fromWidget') window.requested.push(data.data.value);
});"""
# As an iPhone has it: no way for pages, one for videos.
_IPHONE = """Object.defineProperty(Document.prototype, 'fullscreenEnabled', {get: () => false});
HTMLVideoElement.prototype.webkitEnterFullscreen = function () {
    window.filled = this.dataset.active !== undefined;
};"""
_COUNT_PAUSES = """() => {
    window.pauses = 0;
    const count = () => { window.pauses += 1; };
    for (const video of document.querySelectorAll('video')) video.addEventListener('pause', count);
}"""


@dataclass(frozen=True)
class RoomWithFormats:
    """A room in which alice has a portrait video and six wide ones, the last of a long title, bob a wide one, a third
    member a portrait one; an empty room.
    """

    url: str
    empty: str
    alice: str
    bob: str
    upright: str
    portrait: str


@dataclass
class Screen:
    page: Page
    frame: Frame

    def part(self, name: str) -> Locator:
        return self.frame.locator(f'[data-testid="{name}"]')

    @property
    def player(self) -> Locator:
        return self.part("player")

    async def select(self, key: str) -> None:
        await self.frame.locator(f'[data-testid=member][data-member="{key}"]').click()
        await self.frame.locator(f'[data-testid=player][data-reel="{key}"][data-playing=true]').wait_for()

    async def play(self, video_id: str) -> None:
        await self.frame.locator(f'[data-testid=video][data-video-id="{video_id}"] button').first.click()
        await self.frame.locator(f'[data-testid=player][data-video-id="{video_id}"]').wait_for()

    async def until(self, script: str, what: str, wanted: Callable[[Any], bool] = bool) -> None:
        # Not by the browser's driver: its waiting needs `eval`, which the page's policy forbids.
        async def fits() -> bool:
            return wanted(await self.frame.evaluate(script))

        await eventually(fits, what=what)


Show = Callable[..., Awaitable[Screen]]


@pytest.fixture(scope="module")
async def formats(
    reel: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, bob: MatrixClient,
    tools: Tools, clip: Path, tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RoomWithFormats]:  # fmt: skip
    folder = tmp_path_factory.mktemp("screens")
    upright = await make_clip(replace(ALICE_CLIPS[0], width=180, height=320), folder, tools.ffmpeg)
    wide = [with_padding(clip, folder / f"wide-{n}.mp4", f"wide {n}".encode()) for n in range(5)]
    wide.append(with_padding(clip, folder / f"{LONG_TITLE}.mp4", b"long"))
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(await synapse.user(f"screen-{n}")) for n in range(_MEMBERS)]
        room_id = await make_room(alice, reel, bob, *others)
        empty_id = await make_room(alice, reel, bob)
        viewer = await reel.viewer(http, alice, room_id)
        events = [await alice.send_video(room_id, path) for path in (upright, *wide)]
        events.append(await bob.send_video(room_id, with_padding(clip, folder / "bobs.mp4", b"bob")))
        events.append(await others[0].send_video(room_id, with_padding(upright, folder / "upright.mp4", b"upright")))
        videos = [await viewer.video_in(event_id, "ready") for event_id in events]
        serve = await stack.enter_async_context(hosts(reel, alice, bob))
        yield RoomWithFormats(
            await serve(room_id),
            await serve(empty_id),
            alice.user_id,
            bob.user_id,
            others[0].user_id,
            str(videos[0]["id"]),
        )


@pytest.fixture
async def show(browser: Browser, formats: RoomWithFormats) -> AsyncIterator[Show]:
    """Open the widget as bob on a screen."""
    async with AsyncExitStack() as stack:

        async def open_on(
            size: tuple[int, int], *, touch: bool = False, script: str = "", url: str = formats.url, user: str = "bob"
        ) -> Screen:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]}, has_touch=touch, is_mobile=touch
            )
            stack.push_async_callback(context.close)
            if script:
                await context.add_init_script(script)
            page = await context.new_page()
            page.set_default_timeout(30_000)
            await page.goto(f"{url}?user={user}&layout=widget")
            frame = await widget_frame(page)
            return Screen(page, frame)

        yield open_on


async def test_the_first_tap_on_a_phone_shows_the_controls(show: Show, formats: RoomWithFormats) -> None:
    screen = await show(PHONE, touch=True)
    await screen.select(formats.alice)
    for hidden in ("false", "true", "false"):
        if hidden == "false":
            # They step aside by themselves.
            await expect(screen.player).to_have_attribute("data-idle", "true")
        await screen.page.touchscreen.tap(195, 100)
        await expect(screen.player).to_have_attribute("data-idle", hidden)
        await expect(screen.player).to_have_attribute("data-playing", "true")


async def test_a_portrait_video_fills_a_phone(show: Show, formats: RoomWithFormats) -> None:
    screen = await show(PHONE, touch=True)
    await screen.select(formats.alice)
    await screen.play(formats.portrait)
    await screen.until(_COVERS, "most of the screen", lambda share: share >= 0.6)
    for part in ("members", "controls"):
        assert await screen.part(part).evaluate(_INSIDE), part
    await screen.until(_FOLLOWED, "the playing row in sight")
    high = await screen.frame.evaluate(_HEIGHT)
    # While somebody scrolls, nothing moves away from under them.
    await screen.frame.evaluate(
        "() => { const move = () => window.dispatchEvent(new Event('touchmove')); move();"
        " window.scrolling = setInterval(move, 50); }"  # the next video may come before the first interval is over
    )
    await screen.part("next").evaluate("(button) => button.click()")
    await expect(screen.player).not_to_have_attribute("data-video-id", formats.portrait)
    await screen.frame.evaluate(
        "async () => { for (let n = 0; n < 30; n += 1) await new Promise(requestAnimationFrame); }"
    )
    assert await screen.frame.evaluate(_HEIGHT) == high
    await screen.frame.evaluate("() => clearInterval(window.scrolling)")
    await screen.until(_HEIGHT, "a wide video's place", lambda height: 215 <= height <= 225)


async def test_a_phone_on_its_side_leaves_the_list_what_a_portrait_video_does_not_need(
    show: Show, formats: RoomWithFormats
) -> None:
    screen = await show((PHONE[1], PHONE[0]), touch=True)
    await screen.select(formats.upright)
    width = "() => document.querySelector('.panel').getBoundingClientRect().width / innerWidth"
    await screen.until(width, "a wide list", lambda share: share > 0.5)
    assert await screen.frame.evaluate("() => document.querySelector('.stage').clientWidth") >= 320


@pytest.mark.parametrize("size", [PHONE, (800, 300), (1280, 720)])
async def test_the_strip_is_one_row_with_the_channel_in_it(
    show: Show, formats: RoomWithFormats, size: tuple[int, int]
) -> None:
    screen = await show(size)
    await screen.part("several").wait_for()
    rows = """() => new Set([...document.querySelectorAll('[data-testid=member]')]
        .map((face) => Math.round(face.getBoundingClientRect().top))).size"""
    assert await screen.part("member").count() > _MEMBERS
    assert await screen.frame.evaluate(rows) == 1
    await screen.part("several").click()
    assert await screen.frame.evaluate(rows) == 1
    # Everybody in turn is one more choice: the channel stays.
    keys = [await face.get_attribute("data-member") for face in await screen.part("member").all()]
    assert keys[:2] == ["*", "+"]
    await screen.select("*")


@pytest.mark.parametrize("size", [PHONE, (320, 600), (800, 300), (1280, 500)])
async def test_what_plays_is_in_sight_with_what_comes_next(
    show: Show, formats: RoomWithFormats, size: tuple[int, int]
) -> None:
    screen = await show(size)
    await screen.select(formats.alice)
    for _ in range(7):
        await screen.until(_FOLLOWED, "the playing row with the next one")
        before = await screen.player.get_attribute("data-video-id")
        await screen.part("next").evaluate("(button) => button.click()")
        await expect(screen.player).not_to_have_attribute("data-video-id", before or "")


async def test_titles_are_readable_in_a_low_strip(show: Show, formats: RoomWithFormats) -> None:
    screen = await show((800, 300), user="alice")
    await screen.select(formats.alice)
    title = screen.frame.locator(".row-title", has_text=LONG_TITLE)
    await title.wait_for(state="attached")
    assert await title.evaluate("(e) => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth"), "whole"
    assert await title.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)") >= 13


async def _settings(screen: Screen) -> None:
    await screen.part("settings").evaluate("(button) => button.click()")
    await screen.part("menu").wait_for()


async def _speeds(screen: Screen) -> None:
    await screen.part("menu-speed").click()
    await screen.part("speed-2").wait_for()
    await screen.page.keyboard.press("Escape")
    await screen.page.keyboard.press("Escape")


async def _row_menu(screen: Screen) -> None:
    await screen.part("more").first.evaluate("(button) => button.click()")
    await screen.part("menu-copy-link").wait_for()


async def _comments(screen: Screen) -> None:
    await screen.page.keyboard.press("Escape")
    await screen.part("talk").click()
    # The first time it says what will be requested of the client.
    await screen.part("ask").or_(screen.frame.locator(".composer")).first.wait_for()
    if await screen.part("ask").count():
        await screen.part("ask").click()
    await screen.frame.locator(".composer").wait_for()


async def _recording(screen: Screen) -> None:
    await screen.part("record").click()
    await screen.part("record-camera").wait_for()


async def _list(screen: Screen) -> None:
    await screen.part("video").first.wait_for()


_STEPS = (_list, _settings, _speeds, _row_menu, _comments, _recording)


@pytest.mark.parametrize(
    ("size", "touch"), [(PHONE, True), ((360, 740), True), ((320, 300), True), ((844, 390), True), ((320, 600), False)]
)
async def test_targets_are_large_enough(
    show: Show, formats: RoomWithFormats, size: tuple[int, int], touch: bool
) -> None:
    screen = await show(size, touch=touch)
    await screen.select(formats.bob)
    await screen.part("record").wait_for()
    for step in _STEPS:
        await step(screen)
        assert await screen.frame.evaluate(SMALL_TARGETS, 44 if touch else 24) == [], step.__name__
        if step in (_settings, _row_menu):
            assert await screen.part("menu").evaluate(_INSIDE), step.__name__
        if touch and step is _settings:
            await expect(screen.part("menu-keys")).to_have_count(0)
            await expect(screen.part("menu-help")).to_have_count(0)
        if touch and step is _row_menu:
            assert await screen.frame.locator("kbd:visible").count() == 0


async def test_two_clicks_are_full_screen_and_leave_the_channel_alone(show: Show, formats: RoomWithFormats) -> None:
    screen = await show((1280, 720))
    await screen.select("*")
    await screen.part("live-mark").wait_for()
    await screen.frame.evaluate(_COUNT_PAUSES)
    for filled in (True, False):
        await screen.frame.locator(".screen").dblclick(position={"x": 300, "y": 200})
        await screen.until("() => document.fullscreenElement !== null", "full screen", lambda on, is_=filled: on is is_)  # type: ignore[misc]
    assert await screen.frame.evaluate("() => window.pauses") == 0
    await expect(screen.part("live-mark")).to_have_count(1)
    # One alone pauses.
    await screen.frame.locator(".screen").click(position={"x": 300, "y": 200})
    await expect(screen.player).to_have_attribute("data-playing", "false")


async def test_an_iphone_fills_its_screen_with_the_video(show: Show, formats: RoomWithFormats) -> None:
    screen = await show(PHONE, touch=True, script=_IPHONE)
    await screen.select(formats.alice)
    await screen.part("fullscreen").evaluate("(button) => button.click()")
    assert await screen.frame.evaluate("() => window.filled") is True


async def test_an_empty_room_offers_the_first_video(show: Show, formats: RoomWithFormats) -> None:
    screen = await show((320, 600), url=formats.empty)
    await screen.part("send-first").click()
    await expect(screen.part("record-view")).to_be_visible()


async def test_a_tile_has_no_dead_controls(show: Show, formats: RoomWithFormats) -> None:
    screen = await show((800, 600))
    await screen.select(formats.alice)
    await screen.page.set_viewport_size({"width": TILE[0], "height": TILE[1]})
    await screen.until(_SEEN_CONTROLS, "nothing to press", lambda seen: seen == [])
    assert await screen.frame.evaluate(_HEIGHT) == TILE[1]
    await expect(screen.player).to_have_attribute("data-playing", "true")
    # A frame of that size whose presses do arrive is one to use.
    await screen.page.mouse.move(100, 100)
    await screen.until(_SEEN_CONTROLS, "the controls", lambda seen: "play" in seen)


async def test_in_other_rooms_it_stops_or_goes_on_as_the_viewer_chose(show: Show, formats: RoomWithFormats) -> None:
    screen = await show((800, 600), script=_LOG_REQUESTS)
    await screen.select(formats.alice)
    await screen.part("record").wait_for()  # the client has sent what is allowed
    requests = "() => window.requested"
    assert await screen.page.evaluate(requests) == []
    await screen.player.press("m")
    if await screen.player.get_attribute("data-muted") == "true":
        await screen.player.press("m")
    await expect(screen.player).to_have_attribute("data-muted", "false")

    async def choose(option: str) -> None:
        await screen.part("settings").click()
        await screen.part("menu-elsewhere").click()
        await screen.part(f"elsewhere-{option}").click()
        await screen.page.keyboard.press("Escape")

    async def heard(muted: str) -> None:
        for size, expected in ((TILE, muted), ((800, 600), "false")):
            await screen.page.set_viewport_size({"width": size[0], "height": size[1]})
            await expect(screen.player).to_have_attribute("data-muted", expected)

    async def requested(*wanted: bool) -> None:
        async def same() -> bool:
            return bool(await screen.page.evaluate(requests) == [*wanted])

        await eventually(same, what=f"the client getting {wanted}")

    await choose("muted")
    await requested(True)
    await heard("true")
    await choose("play")
    await heard("false")
    # Stored.
    await screen.page.reload()
    screen.frame = await widget_frame(screen.page)
    await screen.frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
    await requested(True)
    await choose("stop")
    await requested(True, False)
