"""Open the widget in a client's page, in a room with videos, and read its playback state."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from playwright.async_api import Browser, Frame, Locator, Page, Request, Route, expect

from tests.support.browser import widget_frame
from tests.support.waiting import eventually

_CUES = "WEBVTT\n\n00:00.200 --> 01:00.000\nHello from {language}\n"
# Values of the widget's `set_always_on_screen` requests, as they arrive in the page around it.
_LOG_REQUESTS = """window.requested = [];
window.addEventListener('message', ({data}) => {
    if (data?.action === 'set_always_on_screen' && data.api === 'fromWidget') window.requested.push(data.data.value);
});"""
# Announcements to screen readers, with the reel that they are about.
_LOG_ANNOUNCEMENTS = """window.spoken = [];
let said = '';
new MutationObserver(() => {
    const text = document.querySelector('[data-testid=announced]')?.textContent ?? '';
    if (text !== said && text !== '') {
        window.spoken.push([document.querySelector('[data-testid=player]')?.dataset.reel ?? '', text]);
    }
    said = text;
}).observe(document, {subtree: true, childList: true, characterData: true});"""
_PLAYBACK = """() => {
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
# The ids of the videos that were shown, and the media time, every 20 ms.
RECORD_PLAYBACK = """() => {
    const {dataset} = document.querySelector('[data-testid=player]');
    window.shown = [dataset.videoId];
    window.clocks = [];
    setInterval(() => {
        if (dataset.videoId !== window.shown.at(-1)) window.shown.push(dataset.videoId);
        window.clocks.push(document.querySelector('video[data-active]').currentTime);
    }, 20);
}"""


@dataclass
class RoomWithVideos:
    """A room in which alice has three videos of some seconds each; `url` is its host page."""

    url: str
    alice: str
    ids: list[str]
    titles: list[str]


@dataclass
class WidgetPage:
    """The widget in a client's page."""

    page: Page
    frame: Frame

    @property
    def player(self) -> Locator:
        return self.part("player")

    def part(self, name: str) -> Locator:
        return self.frame.locator(f'[data-testid="{name}"]')

    async def playback(self) -> dict[str, Any]:
        return dict(await self.frame.evaluate(_PLAYBACK))

    async def until(self, what: str, fits: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        async def state() -> dict[str, Any] | None:
            playback = await self.playback()
            return playback if fits(playback) else None

        found = await eventually(state, seconds=seconds, what=what)
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


async def _with_captions(route: Route) -> None:
    response = await route.fetch()
    brought = await response.json()
    # With a new session it comes, and by itself with a kept one.
    for video in brought.get("overview", brought)["page"]["videos"]:
        video["captions"] = [
            {"language": language, "label": label, "url": f"/media/captions/{video['id']}/{language}.vtt"}
            for language, label in (("en", "English"), ("zh-Hans", "简体中文"))
        ]
    return await route.fulfill(response=response, json=brought)


async def _cues(route: Route) -> None:
    language = route.request.url.rpartition("/")[2].partition(".")[0]
    await route.fulfill(body=_CUES.format(language=language), content_type="text/vtt")


@asynccontextmanager
async def open_widget_page(
    browser: Browser, room_with_videos: RoomWithVideos, *, width: int = 1280, height: int = 720, captions: bool = False,
    select: bool = True, motion: Literal["reduce", "no-preference"] = "no-preference", touch: bool = False,
) -> AsyncIterator[WidgetPage]:  # fmt: skip
    context = await browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion=motion, has_touch=touch
    )
    await context.add_init_script(_LOG_REQUESTS)
    await context.add_init_script(_LOG_ANNOUNCEMENTS)
    if captions:
        for path in ("session", "rooms/*/overview"):
            await context.route(f"**/api/v1/{path}", _with_captions)
        await context.route("**/media/captions/**", _cues)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    saving = _saves_in_flight(page)
    try:
        yield await load_widget(page, room_with_videos, select=select)
    finally:
        await _save_nothing_more(page, saving)
        await context.close()


def _saves_in_flight(page: Page) -> set[Request]:
    """Return the requests that save where the viewer is, as long as they have no response."""
    saving: set[Request] = set()
    page.on("request", lambda request: saving.add(request) if request.url.endswith("/place") else None)
    page.on("requestfinished", lambda request: saving.discard(request))
    page.on("requestfailed", lambda request: saving.discard(request))
    return saving


async def _save_nothing_more(page: Page, saving: set[Request]) -> None:
    """Let nothing arrive after the page is closed: the next test in the room would begin with what it says."""
    for frame in page.frames:
        await frame.evaluate("() => { window.fetch = () => new Promise(() => undefined); }")
    await eventually(lambda: _is_empty(saving), what="the viewer's place being saved")


async def _is_empty(requests: set[Request]) -> bool:
    return not requests


async def load_widget(page: Page, room_with_videos: RoomWithVideos, *, select: bool) -> WidgetPage:
    await page.goto(room_with_videos.url)
    frame = await widget_frame(page)
    opened = WidgetPage(page, frame)
    if select:
        await frame.locator(f'[data-testid=member][data-member="{room_with_videos.alice}"]').click()
        await frame.locator(f'[data-testid=player][data-reel="{room_with_videos.alice}"]').wait_for()
    await frame.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
    return opened
