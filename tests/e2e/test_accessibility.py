"""For everyone: axe finds nothing, the keyboard is enough, nothing moves unasked, the page's policy is never broken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import Browser, ConsoleMessage, Frame, Page, expect

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.browser import AXE, LOG_CSP_VIOLATIONS, axe_finds, over_frames, widget_frame
from tests.support.databases import CreateDatabase
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.rooms import make_room
from tests.support.waiting import eventually

WIDTHS = (280, 320, 1280)
THEMES = ("light", "dark")

_FOCUSED = """() => {
    const element = document.activeElement, {outlineStyle, outlineWidth} = getComputedStyle(element);
    const {left, top, right, bottom} = element.getBoundingClientRect();
    return {
        test: element.dataset.testid ?? '', member: element.dataset.member ?? '',
        strip: `${element.matches(".member")}`,
        row: `${element.closest('.row') !== null}`, current: element.closest('.row')?.dataset.current ?? '',
        video: element.closest('[data-testid=video]')?.dataset.videoId ?? '', name: element.className,
        ring: element.matches(':focus-visible') && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        inside: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight,
    };
}"""
_CLOCKS = "[...document.querySelectorAll('video')].map(({currentTime, paused}) => [currentTime, paused])"
# From the document's start.
_FIRST = """(body) => {
    document.activeElement?.blur();
    body.tabIndex = -1;
    body.focus();
    body.removeAttribute('tabindex');
}"""
_MOVING = "() => document.getAnimations().filter(({playState}) => playState === 'running').length"


@dataclass
class CheckedRooms:
    """A room where alice has two videos, one that failed and one that waits, and bob one; and a room without any."""

    reel: Installation
    room_id: str
    empty_room_id: str
    videos: dict[str, list[str]]  # user id → ids of what plays, in order


@dataclass
class CheckedPage:
    """A page, the widget's frame in it, and everything it complained about."""

    page: Page
    frame: Frame
    problems: list[str] = field(default_factory=list)

    async def focused(self) -> dict[str, Any]:
        return dict(await self.frame.evaluate(_FOCUSED))


@pytest.fixture(scope="module")
async def reel(
    homeserver: tuple[Synapse, dict[str, Installation]],
    create_database: CreateDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Installation]:
    """A Roomreel whose worker can be taken away, so that a video waits for as long as it is looked at."""
    shared = homeserver[1]["reel-b"]
    installation = Installation(tmp_path_factory.mktemp("theatre"), shared.synapse, dict(shared.settings), launch=fork)
    installation.write_config(database=await create_database("theatre"))
    await installation.start(command=("serve", "--no-worker"))
    yield installation
    await installation.depart()


@pytest.fixture(scope="module")
async def rooms(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> CheckedRooms:  # fmt: skip
    fake = tmp_path_factory.mktemp("fake") / "holiday.mp4"
    fake.write_bytes(b"This is not a video. " * 100)
    worker = Installation(reel.folder, reel.synapse, reel.settings, launch=fork)
    await worker.start(wait=False, command=("work",))
    room_id, empty_room_id = [await make_room(alice, reel, bob) for _ in range(2)]
    viewer = await reel.viewer(http, alice, room_id)
    videos: dict[str, list[str]] = {alice.user_id: [], bob.user_id: []}
    sent = [(user, await user.send_video(room_id, clip)) for user in (alice, alice, bob)]
    failed = await alice.send_video(room_id, fake)
    for user, event_id in sent:
        videos[user.user_id].append((await viewer.video_in(event_id, "ready"))["id"])
    await viewer.video_in(failed, "failed")
    await worker.stop()
    await viewer.video_in(await alice.send_video(room_id, clip), "queued")
    return CheckedRooms(reel, room_id, empty_room_id, videos)


@asynccontextmanager
async def _new_page(
    browser: Browser, width: int = 1280, motion: Literal["reduce", "no-preference"] = "no-preference"
) -> AsyncIterator[tuple[Page, list[str]]]:
    context = await browser.new_context(viewport={"width": width, "height": 600}, reduced_motion=motion)
    # Scripts of the browser's driver are not subject to the page's policy, which stays in force.
    await context.add_init_script(LOG_CSP_VIOLATIONS)
    await context.add_init_script(path=AXE)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"{message.text} {message.location['url']}")

    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        yield page, problems
    finally:
        await context.close()


async def _widget(page: Page, problems: list[str], url: str) -> CheckedPage:
    await page.goto(url)
    frame = await widget_frame(page)
    return CheckedPage(page, frame, problems)


async def _axe_at_all_widths(seen: CheckedPage, view: str) -> None:
    for width in WIDTHS:
        await seen.page.set_viewport_size({"width": width, "height": 600})
        if await seen.frame.locator("[data-testid=player]").count():
            await seen.frame.locator("[data-testid=player]").hover()  # or the controls step aside
        assert await axe_finds(seen.frame) == [], f"{view}, {width} px"


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing(
    rooms: CheckedRooms, browser: Browser, open_host: OpenHost, alice: MatrixClient, theme: str
) -> None:
    room, empty = await open_host(rooms.room_id), await open_host(rooms.empty_room_id)
    query = f"layout=widget&theme={theme}"
    async with _new_page(browser) as (page, problems):
        seen = await _widget(page, problems, f"{room}?user=bob&{query}")
        await seen.frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
        assert await seen.frame.locator("html").get_attribute("data-theme") == theme
        await _axe_at_all_widths(seen, f"playing, {theme}")

        seen = await _widget(page, problems, f"{room}?user=alice&{query}")
        await seen.frame.locator(f'[data-testid=member][data-member="{alice.user_id}"]').click()
        for state in ("failed", "queued"):
            await seen.frame.locator(f"[data-testid=video][data-state={state}]").wait_for()
        await _axe_at_all_widths(seen, f"failed and queued, {theme}")

        seen = await _widget(page, problems, f"{empty}?user=bob&{query}")
        await seen.frame.locator("[data-testid=app][data-state=empty]").wait_for()
        await _axe_at_all_widths(seen, f"empty room, {theme}")

        await page.goto(f"{rooms.reel.url}/widget/?theme={theme}")
        await page.locator("[data-testid=app][data-trouble=outside]").wait_for()
        await _axe_at_all_widths(CheckedPage(page, page.main_frame), f"outside, {theme}")
        assert problems == []


async def _tab_to(seen: CheckedPage, key: str, **wanted: str) -> int:
    """Press Tab (or Shift+Tab) until the focus is there; everything on the way must show that it has the focus.

    Returns how many presses it took.
    """
    for pressed in range(1, 31):
        await seen.page.keyboard.press(key)
        focused = await seen.focused()
        assert focused["ring"], f"no focus ring: {focused}"
        assert focused["inside"], f"focus out of sight: {focused}"
        if all(focused[name] == value for name, value in wanted.items()):
            return pressed
    raise AssertionError(f"{key} never reached {wanted}; last: {focused}")


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_keyboard_is_enough(
    rooms: CheckedRooms, browser: Browser, open_host: OpenHost, alice: MatrixClient, width: int
) -> None:
    url = f"{await open_host(rooms.room_id)}?user=bob&layout=widget"
    async with _new_page(browser, width) as (page, problems):
        seen = await _widget(page, problems, url)
        player = seen.frame.locator("[data-testid=player]")
        await seen.frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
        # All but the video comes after its first frame.
        await seen.frame.locator("[data-testid=member]").first.wait_for()
        # The strip is one stop, at what is chosen; arrows go along it.
        await _tab_to(seen, "Tab", strip="true")
        await page.keyboard.press("Home")
        for _ in range(5):
            if (await seen.focused())["member"] == alice.user_id:
                break
            await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await expect(player).to_have_attribute("data-reel", alice.user_id)
        second = rooms.videos[alice.user_id][1]
        await _tab_to(seen, "Tab", video=second)
        await page.keyboard.press("Enter")
        await expect(player).to_have_attribute("data-video-id", second)
        await _tab_to(seen, "Shift+Tab", test="player")
        for playing in ("false", "true"):
            await page.keyboard.press("Space")
            await expect(player).to_have_attribute("data-playing", playing)
        muted = await player.get_attribute("data-muted")
        for expected in ("false" if muted == "true" else "true", muted or ""):
            await page.keyboard.press("m")
            await expect(player).to_have_attribute("data-muted", expected)
        assert problems == []


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_list_is_near(rooms: CheckedRooms, browser: Browser, open_host: OpenHost, width: int) -> None:
    url = f"{await open_host(rooms.room_id)}?user=bob&layout=widget"
    async with _new_page(browser, width) as (page, problems):
        seen = await _widget(page, problems, url)
        await seen.frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
        current = seen.frame.locator("[data-testid=video][data-current=true]")
        await current.wait_for()
        # All the way: player, its bars, the strip and the tools are each a stop or two.
        await seen.frame.locator("body").evaluate(_FIRST)
        assert await _tab_to(seen, "Tab", row="true") <= 12
        # And the short one.
        await seen.frame.locator("body").evaluate(_FIRST)
        assert await _tab_to(seen, "Tab", test="skip") == 1
        await page.keyboard.press("Enter")
        await eventually(lambda: _at_current(seen), what="the focus on what plays")
        # Within a bar the arrows go from button to button, and nothing else happens.
        player = seen.frame.locator("[data-testid=player]")
        await _tab_to(seen, "Shift+Tab", test="previous")
        await page.keyboard.press("ArrowRight")
        # There is no room for the steps on a phone.
        assert (await seen.focused())["test"] == ("play" if width == 320 else "back")
        await page.keyboard.press("End")
        assert (await seen.focused())["test"] in {"fullscreen", "float", "settings"}
        await page.keyboard.press("Home")
        assert (await seen.focused())["test"] == "previous"
        await expect(player).to_have_attribute("data-playing", "true")
        assert problems == []


async def _at_current(seen: CheckedPage) -> bool:
    focused = await seen.focused()
    return bool(focused["row"] == "true" and focused["current"] == "true")


async def test_nothing_moves_under_reduced_motion(rooms: CheckedRooms, browser: Browser, open_host: OpenHost) -> None:
    url = f"{await open_host(rooms.room_id)}?user=bob&layout=widget"
    async with _new_page(browser, motion="reduce") as (page, problems):
        seen = await _widget(page, problems, url)
        player = seen.frame.locator("[data-testid=player]")
        # The first frame is there, and stands.
        await seen.frame.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
        (before,) = await over_frames(seen.frame, _CLOCKS)
        assert all(paused for _, paused in before)
        assert await seen.frame.evaluate(_MOVING) == 0
        assert await player.get_attribute("data-playing") == "false"
        await seen.frame.locator("[data-testid=big-play]").click()
        await expect(player).to_have_attribute("data-playing", "true")
        await eventually(lambda: _moved(seen.frame, before), what="the video playing once it was told to play")
        assert await seen.frame.evaluate(_MOVING) == 0
        assert problems == []


async def _moved(frame: Frame, before: object) -> bool:
    return bool(await frame.evaluate(_CLOCKS) != before)


async def test_the_policy_is_never_broken(
    rooms: CheckedRooms, browser: Browser, open_host: OpenHost, alice: MatrixClient
) -> None:
    url = f"{await open_host(rooms.room_id)}?user=alice&layout=widget&lang=zh"
    async with _new_page(browser) as (page, problems):
        seen = await _widget(page, problems, url)
        widget = seen.frame
        await widget.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
        await widget.locator(f'[data-testid=member][data-member="{alice.user_id}"]').click()
        await widget.locator("[data-testid=video] button").nth(1).click()
        for button in ("mute", "mute", "forward", "back", "next", "previous", "play", "big-play", "fullscreen"):
            await widget.locator(f"[data-testid={button}]").click()
        await widget.locator("input.seek").fill("1")
        await widget.locator("input.volume-slider").fill("0.5")
        await page.goto(f"{rooms.reel.url}/widget/")
        await page.locator("[data-testid=app][data-trouble=outside]").wait_for()
        assert problems == []
        # What this test would hear: both the browser's own complaint and the event.
        await page.evaluate("() => document.body.setAttribute('style', 'color: red')")
        await page.evaluate("() => { try { document.body.innerHTML = '<p>'; } catch { /* refused */ } }")
        for kind in ("style-src-attr", "require-trusted-types-for"):
            await eventually(lambda kind=kind: _heard(problems, f"policy: {kind}"), what=f"{kind} in {problems}")  # type: ignore[misc]


async def _heard(problems: list[str], prefix: str) -> bool:
    return any(problem.startswith(prefix) for problem in problems)
