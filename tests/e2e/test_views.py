"""Every view of the widget, at each size, in both themes and languages: axe finds nothing, and images to look at.

The screenshots are combined, one sheet for each view, in `.run/screenshots/views/`. `docs/views/` keeps a smaller set,
of all sizes only for a room that plays: `cp .run/screenshots/views/*.jpg docs/views/`.
"""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from PIL import Image
from playwright.async_api import Browser, Frame, Page

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, make_clip
from tests.support.browser import axe_finds, observed_page, sign_in, widget_frame
from tests.support.host import hosts
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from transcode import Tools

pytestmark = pytest.mark.timeout(300)

SIZES = ((280, 300), (390, 844), (800, 300), (1280, 720))
MORE_SIZES = ((360, 740), (1920, 1080))
_SEEN_MOST = ("reel", "talk", "review", "settings", "empty", "behalf", "member-page")
LOOKS = (("light", "en"), ("dark", "zh"))
_DEVICES = ("--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream")
_GAP = 8
# After a new layout, short animations are awaited; what plays goes on.
_COME_TO_REST = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const short = document.getAnimations().filter(({effect}) => effect.getComputedTiming().endTime < 1000);
    await Promise.allSettled(short.map(({finished}) => finished));
    await frame();
}"""
# The client's library starts this wait when the frame has loaded, though the widget may have spoken before.
_CLIENT_WAITS = "timed out waiting for contentLoaded"


@dataclass(frozen=True)
class RoomsInView:
    """A room where alice and bob have sent videos, an empty one, and one where bob's waits for alice's approval: the
    addresses of their host pages; the first room's own address for browsers without a client, and that of alice's
    public page.
    """

    reel: Installation
    member: MatrixClient
    room_id: str
    room: str
    empty: str
    held: str
    alice: str
    bob: str
    alone: str
    page: str


@dataclass(frozen=True)
class HostPage:
    """A host page with the widget's frame in it."""

    page: Page
    frame: Frame
    rooms: RoomsInView

    async def press(self, *test_ids: str) -> None:
        for test_id in test_ids:
            await self.frame.locator(f"[data-testid={test_id}]").first.click()

    async def shows(self, selector: str) -> None:
        await self.frame.locator(selector).first.wait_for()


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with open_browser(*_DEVICES) as browser:
        yield browser


@pytest.fixture(scope="module")
async def rooms(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    clips: list[tuple[str, Path, dict[str, Any]]],
) -> AsyncIterator[RoomsInView]:  # fmt: skip
    room_id, empty_id, held_id = [await make_room(alice, reel, bob) for _ in range(3)]
    await alice.send_text(held_id, "!reel room hold all")
    await wait_for_notice(alice, held_id, "hold is all now")
    viewer = await reel.viewer(http, alice, room_id)
    events = []
    for name, path, info in clips:
        user = alice if name == "alice" else bob
        events.append(await user.send_video(room_id, path, info=info))
    videos = [await viewer.video_in(event_id, "ready") for event_id in events]
    assert (await viewer.request("PATCH", f"/api/v1/videos/{videos[0]['id']}", {"published": True}))[0] == 200
    await bob.send_event(
        room_id, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": events[0], "key": "👍"}}
    )
    await bob.send_event(
        room_id,
        "m.room.message",
        {
            "msgtype": "m.text",
            "body": "What a morning! Where was that?",
            "m.relates_to": {
                "rel_type": "m.thread", "event_id": events[0], "is_falling_back": True,
                "m.in_reply_to": {"event_id": events[0]},
            },
        },
    )  # fmt: skip
    _, path, info = clips[-1]
    judge = await reel.viewer(http, alice, held_id)
    await judge.video_in(await bob.send_video(held_id, path, info=info), "ready")
    async with hosts(reel, alice, bob) as serve:
        yield RoomsInView(
            reel, bob, room_id, await serve(room_id), await serve(empty_id), await serve(held_id),
            alice.user_id, bob.user_id,
            f"{reel.url}/widget/?room_id={quote(room_id)}", f"{reel.url}/u/{alice.user_id}",
        )  # fmt: skip


@pytest.fixture(scope="module")
async def clips(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> list[tuple[str, Path, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("films")
    named_clips = [("alice", clip) for clip in ALICE_CLIPS] + [("bob", clip) for clip in BOB_CLIPS]
    # A browser without a graphics card draws the whole page for each of their frames.
    smaller = [
        (who, replace(clip, width=clip.width // 2, height=clip.height // 2, rate=5)) for who, clip in named_clips
    ]
    return [(who, await make_clip(clip, folder, tools.ffmpeg), clip.info) for who, clip in smaller]


async def _select(host_page: HostPage, user_id: str) -> None:
    face = host_page.frame.locator(f'[data-testid=member][data-member="{user_id}"]')
    await face.wait_for()
    # Where several were chosen at the last visit, a face adds to them or takes away.
    if await host_page.frame.locator("[data-testid=several][aria-pressed=true]").count():
        await host_page.press("several")
    await face.click()


async def _reel(host_page: HostPage) -> None:
    await _select(host_page, host_page.rooms.alice)
    await host_page.shows(f'[data-testid=player][data-reel="{host_page.rooms.alice}"][data-playing=true]')
    await host_page.shows("[data-testid=record]")


async def _channel(host_page: HostPage) -> None:
    await host_page.frame.locator("[data-testid=member][data-member='*']").click()
    await host_page.shows("[data-testid=player][data-reel='*'][data-playing=true]:not([data-video-id=''])")
    await host_page.shows("[data-testid=watching]")


async def _settings(host_page: HostPage) -> None:
    await _reel(host_page)
    await host_page.press("settings")
    await host_page.shows("[data-testid=menu]")


async def _keys(host_page: HostPage) -> None:
    await _settings(host_page)
    await host_page.press("menu-help")
    await host_page.shows("[data-testid=keys]")


async def _talk(host_page: HostPage) -> None:
    await _reel(host_page)
    await host_page.press("talk", "ask")
    await host_page.shows("[data-testid=reply]")


async def _choose_recording(host_page: HostPage) -> None:
    await _reel(host_page)
    await host_page.press("record")
    await host_page.shows("[data-testid=record-view]")


async def _recorded(host_page: HostPage) -> None:
    await _choose_recording(host_page)
    await host_page.press("record-camera", "record-start", "record-skip")
    await host_page.shows("[data-testid=record-view][data-phase=recording]")
    await host_page.page.wait_for_timeout(1500)
    await host_page.press("record-stop")
    await host_page.shows("[data-testid=record-view][data-phase=review]")


async def _own(host_page: HostPage) -> None:
    await _select(host_page, host_page.rooms.bob)
    await host_page.shows(f'[data-testid=player][data-reel="{host_page.rooms.bob}"][data-playing=true]')


async def _row_menu(host_page: HostPage) -> None:
    await _own(host_page)
    await host_page.press("more")
    await host_page.shows("[data-testid=menu-rename]")


async def _publish(host_page: HostPage) -> None:
    await _row_menu(host_page)
    await host_page.press("menu-publish")
    await host_page.shows("[data-testid=publish-dialog]")


async def _report(host_page: HostPage) -> None:
    await _reel(host_page)
    await host_page.press("more", "menu-report")
    await host_page.shows("[data-testid=report-dialog]")


async def _several(host_page: HostPage) -> None:
    await _own(host_page)
    await host_page.press("several")
    await host_page.frame.locator(f'[data-testid=member][data-member="{host_page.rooms.alice}"]').click()
    await host_page.shows(
        f'[data-testid=player][data-reel*="{host_page.rooms.alice}"][data-reel*="{host_page.rooms.bob}"]'
    )


async def _sign_in(host_page: HostPage) -> None:
    await host_page.shows("[data-testid=app][data-state=sign-in]")


async def _member_page(host_page: HostPage) -> None:
    await host_page.shows("video")


async def _empty(host_page: HostPage) -> None:
    await host_page.shows("[data-testid=app][data-state=empty]")
    await host_page.shows("[data-testid=send-first]")


async def _behalf(host_page: HostPage) -> None:
    await _reel(host_page)
    await host_page.press("talk")
    await host_page.shows("[data-testid=by-bot]")


async def _review(host_page: HostPage) -> None:
    await _select(host_page, host_page.rooms.bob)
    await host_page.press("queue-waiting")
    await host_page.shows("[data-testid=review-video]")


VIEWS: dict[str, Callable[[HostPage], Awaitable[None]]] = {
    "reel": _reel,
    "channel": _channel,
    "settings": _settings,
    "keys": _keys,
    "talk": _talk,
    "record": _choose_recording,
    "recorded": _recorded,
    "row-menu": _row_menu,
    "publish": _publish,
    "report": _report,
    "several": _several,
    "review": _review,
    "empty": _empty,
    "behalf": _behalf,
    "sign-in": _sign_in,
    "member-page": _member_page,
}


@pytest.mark.parametrize("view", VIEWS)
async def test_view(rooms: RoomsInView, chromium: Browser, screenshots: Path, view: str) -> None:
    shots: dict[tuple[str, int, int], bytes] = {}
    for theme, language in LOOKS:
        options = {"viewport": {"width": 800, "height": 600}, "color_scheme": theme, "locale": language}
        async with observed_page(chromium, **options) as (look, context):
            page = look.page
            frame = await _open(page, rooms, view, language)
            host_page = HostPage(page, frame, rooms)
            await VIEWS[view](host_page)
            await frame.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            session = await context.new_cdp_session(page)
            # A finger's sizes first: what is open by then was opened by one.
            for width, height in sorted((*SIZES, *MORE_SIZES) if view in _SEEN_MOST else SIZES):
                touch = {"enabled": width < 400}
                await session.send("Emulation.setTouchEmulationEnabled", touch)
                await page.set_viewport_size({"width": width, "height": height})
                if await frame.locator("[data-testid=player]").count() and not await frame.locator("dialog").count():
                    await frame.locator("[data-testid=player]").hover(position={"x": 20, "y": 20})
                if view == "row-menu" and not await frame.locator("[data-testid=menu]").count():
                    await host_page.press("more")  # a menu goes when its place does
                await frame.evaluate(_COME_TO_REST)
                assert await axe_finds(frame) == [], f"{view}, {theme}, {width}×{height}"
                shots[theme, width, height] = await page.screenshot()
            assert [problem for problem in look.problems if _CLIENT_WAITS not in problem] == []
    _write_sheet(shots, screenshots / "views", view)


async def _open(page: Page, rooms: RoomsInView, view: str, language: str) -> Frame:
    """Open a view's page, and return the frame that is looked at."""
    if view == "behalf":
        await sign_in(page, rooms.reel, rooms.member, rooms.room_id)
        return page.main_frame
    alone = {"sign-in": rooms.alone, "member-page": rooms.page}
    if view in alone:
        await page.goto(alone[view])
        return page.main_frame
    user = "alice" if view == "review" else "bob"
    host = {"empty": rooms.empty, "review": rooms.held}.get(view, rooms.room)
    await page.goto(f"{host}?user={user}&layout=widget&theme=light&lang={language}")
    return await widget_frame(page)


def _write_sheet(shots: dict[tuple[str, int, int], bytes], folder: Path, view: str) -> None:
    """Put the images of one view together: light above dark, small ones beside large ones, `MORE_SIZES` last."""
    images = {key: Image.open(io.BytesIO(data)).convert("RGB") for key, data in shots.items()}
    left = 2 * _GAP + SIZES[1][0]
    usual, height = left + SIZES[3][0] + _GAP, SIZES[0][1] + SIZES[1][1] + 3 * _GAP
    places = {
        SIZES[0]: (_GAP, _GAP),
        SIZES[1]: (_GAP, SIZES[0][1] + 2 * _GAP),
        SIZES[2]: (left, SIZES[3][1] + 2 * _GAP),
        SIZES[3]: (left, _GAP),
    }
    width = usual
    for size in MORE_SIZES:
        if (LOOKS[0][0], *size) in images:
            places[size] = (width, _GAP)
            width += size[0] + _GAP
    sheet = Image.new("RGB", (width, 2 * height), "#8a8f9c")
    for row, (theme, _) in enumerate(LOOKS):
        for size, (x, y) in places.items():
            sheet.paste(images[theme, *size], (x, row * height + y))
    folder.mkdir(exist_ok=True)
    sheet.save(folder / f"{view}.png")
    kept = sheet if view == "reel" else sheet.crop((0, 0, usual, 2 * height))
    kept.resize((kept.width // 2, height)).save(folder / f"{view}.jpg", quality=55, progressive=True)
