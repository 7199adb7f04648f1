"""A member's public page in Chromium: one player with a script, plain videos without one; private until published."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from appservice.demo.synapse import Synapse
from tests.support.browser import observed_page, over_frames
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.video.subtitles import CHINESE, with_subtitles
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

WIDTHS = (280, 320, 768, 1280, 3840)
PLAYING = "[data-testid=player][data-playing=true]:not([data-video-id=''])"
_SEEK = """(video, seconds) => new Promise((done) => {
    video.pause();
    video.onseeked = done;
    video.currentTime = seconds;
})"""
_CLOCK = "video => [video.currentTime, video.duration, video.error && video.error.message]"

_CUE = """text => [...document.querySelectorAll('video')].some(({textTracks}) => [...textTracks].some(
    ({mode, activeCues}) => mode === 'showing' && [...activeCues ?? []].some((cue) => cue.text.includes(text))))"""


@dataclass
class PublicPages:
    """A member with two published videos, and one who has a video that is not."""

    reel: Installation
    viewer: Viewer
    url: str
    videos: list[str]
    unpublished: str


async def _change(viewer: Viewer, video_id: str, **changes: object) -> None:
    url = f"{viewer.base_url}/api/v1/videos/{video_id}"
    headers = {"Authorization": f"Bearer {viewer.token}"}
    async with viewer.http.patch(url, json=changes, headers=headers) as response:
        assert response.status == 200, await response.text()


@pytest.fixture
async def public_pages(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path
) -> AsyncIterator[PublicPages]:
    async with (
        await synapse.user(f"shown-{secrets.token_hex(4)}") as member,
        await synapse.user(f"shy-{secrets.token_hex(4)}") as shy,
    ):
        room_id = await make_room(member, reel, shy)
        viewer, other = [await reel.viewer(http, user, room_id) for user in (member, shy)]
        sent = [await member.send_video(room_id, clip) for _ in range(2)]
        unpublished = await shy.send_video(room_id, clip)
        videos = [str((await viewer.video_in(event_id, "ready"))["id"]) for event_id in sent]
        for number, video_id in enumerate(videos):
            await _change(viewer, video_id, published=True, title=f"Film {number + 1}")
        await other.video_in(unpublished, "ready")
        yield PublicPages(reel, viewer, f"{reel.url}/u/{member.user_id}", videos, f"{reel.url}/u/{shy.user_id}")


_COPIES = """INSERT INTO videos SELECT (jsonb_populate_record(v, jsonb_build_object(
    'id', gen_random_uuid(), 'event_id', '$page' || n, 'position', n))).* FROM videos v, generate_series(1, 150) n
WHERE v.id = $1::uuid RETURNING id"""


async def test_many_videos_come_piece_by_piece(public_pages: PublicPages, browser: Browser, screenshots: Path) -> None:
    copies = [str(row["id"]) for row in await public_pages.reel.rows(_COPIES, public_pages.videos[0])]
    cards = "[data-testid=card]"
    try:
        for copy in copies:
            await asyncio.to_thread(
                shutil.copytree,
                public_pages.reel.media / public_pages.videos[0],
                public_pages.reel.media / copy,
                copy_function=os.link,
            )
        for width, height in ((1280, 800), (390, 844), (320, 600)):
            async with observed_page(browser, viewport={"width": width, "height": height}) as (look, _):
                await look.page.goto(public_pages.url)
                await look.page.locator(PLAYING).wait_for()
                await expect(look.page.locator(cards)).to_have_count(60)
                await look.page.locator("[data-testid=more]").scroll_into_view_if_needed()
                await expect(look.page.locator(cards)).not_to_have_count(60)
                while await look.page.locator("[data-testid=more]").count():
                    await look.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
                    await asyncio.sleep(0.05)
                await expect(look.page.locator(cards)).to_have_count(152)
                assert look.problems == []
            async with observed_page(
                browser, viewport={"width": width, "height": height}, java_script_enabled=False
            ) as (
                look,
                _,
            ):
                await look.page.goto(public_pages.url)
                seen = await _shown(look.page)
                await look.page.locator("[data-testid=pages]").scroll_into_view_if_needed()
                await look.page.screenshot(path=screenshots / f"pages-{width}x{height}.png")
                for count in (60, 32):
                    await look.page.locator("[rel=next]").click()
                    await expect(look.page.locator(cards)).to_have_count(count)
                    seen += await _shown(look.page)
                assert len(set(seen)) == len(seen) == 152
                assert await look.page.locator("[rel=next]").count() == 0
                box = await look.page.locator("[rel=prev]").bounding_box()
                assert box
                assert box["height"] >= 44
                scrolls = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                # A page without scripts is queried from outside.
                assert not await look.page.evaluate(scrolls)
    finally:
        await public_pages.reel.rows("DELETE FROM videos WHERE event_id LIKE '$page%'")


async def _shown(page: Page) -> list[Any]:
    return [await card.get_attribute("data-video-id") for card in await page.locator("[data-testid=card]").all()]


async def test_one_player_with_a_script(public_pages: PublicPages, browser: Browser, screenshots: Path) -> None:
    async with observed_page(browser, viewport={"width": 1280, "height": 800}) as (look, _):
        page = look.page
        await page.goto(public_pages.url)
        await page.locator(PLAYING).wait_for()
        assert await _shown(page) == public_pages.videos
        assert await page.locator("video[controls]").count() == 0
        # In order, and from the last one back to the first.
        for video_id in (*public_pages.videos, public_pages.videos[0]):
            await page.locator(f'[data-testid=player][data-video-id="{video_id}"]').wait_for()
        await page.screenshot(path=screenshots / "member-1280x800.png", full_page=True)
        second = page.locator(f'[data-testid=card][data-video-id="{public_pages.videos[1]}"]')
        await second.locator("button").click()
        await page.locator(f'[data-testid=player][data-video-id="{public_pages.videos[1]}"]').wait_for()
        await expect(second).to_have_attribute("data-current", "true")
        await page.keyboard.press("Shift+Tab")
        assert look.problems == []
        # A link to one of them starts there.
        await page.goto(f"{public_pages.url}#{public_pages.videos[1]}")
        await page.reload()
        await page.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
        await expect(page.locator("[data-testid=player]")).to_have_attribute("data-video-id", public_pages.videos[1])


async def test_a_picked_video_scrolls_to_the_player(public_pages: PublicPages, browser: Browser) -> None:
    async with observed_page(browser, viewport={"width": 390, "height": 500}, has_touch=True, is_mobile=True) as (
        look,
        _,
    ):
        page = look.page
        await page.goto(public_pages.url)
        await page.locator(PLAYING).wait_for()
        last = page.locator("[data-testid=card] button").last
        await last.scroll_into_view_if_needed()
        player_top = "() => document.querySelector('.theatre').getBoundingClientRect().top"
        assert await page.evaluate(player_top) < 0
        await last.tap()

        async def in_sight() -> bool:
            return bool(await page.evaluate(player_top) >= 0)

        await eventually(in_sight, what="the player in sight")
        await page.locator(f'[data-testid=player][data-video-id="{public_pages.videos[1]}"]').wait_for()
        assert look.problems == []


async def test_plain_videos_without_a_script(public_pages: PublicPages, browser: Browser, screenshots: Path) -> None:
    async with observed_page(browser, java_script_enabled=False, viewport={"width": 360, "height": 740}) as (look, _):
        page = look.page
        await page.goto(public_pages.url)
        assert await _shown(page) == public_pages.videos
        assert await page.locator(".theatre").is_hidden()
        first = page.locator("video[controls]").first
        await expect(first).to_be_visible()
        await page.screenshot(path=screenshots / "member-plain-360x740.png", full_page=True)
        # The page cannot be queried without a script, but it can be used: the browser's own controls play it.
        before = _videos_fetched(public_pages.reel)
        await first.focus()
        await page.keyboard.press("Space")

        async def plays() -> bool:
            return _videos_fetched(public_pages.reel) > before

        await eventually(plays, seconds=15, what="the browser fetching the video")
    # What the browser makes of the file.
    async with observed_page(browser) as (look, _):
        url = (await _video_urls(public_pages))[0]
        await look.page.goto(url)
        video = look.page.locator("video")
        await look.page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
        _, duration, error = await video.evaluate(_CLOCK)
        assert error is None
        assert abs(duration - 2) < 0.1
        # A browser plays what it opens by itself: held, its clock is where it was sent.
        await video.evaluate(_SEEK, 1.5)
        assert (await video.evaluate(_CLOCK))[0] == pytest.approx(1.5, abs=0.1)


def _videos_fetched(reel: Installation) -> int:
    done = [entry["route"] for entry in reel.log_entries("request") if entry["status"] in {200, 206}]
    return sum(route.endswith("/video.mp4") for route in done)


async def _video_urls(public_pages: PublicPages) -> list[str]:
    async with public_pages.viewer.http.get(f"{public_pages.url}/reel.json") as response:
        return [f"{public_pages.reel.url}{video['video_url']}" for video in (await response.json())["videos"]]


async def test_captions_with_a_script_and_without(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, browser: Browser, tools: Tools, tmp_path: Path,
    screenshots: Path,
) -> None:  # fmt: skip
    source = with_subtitles(tools, tmp_path / "zh.mkv", {"中文.srt": ("chi", CHINESE)}, "srt", seconds=4)
    async with await synapse.user(f"spoken-{secrets.token_hex(4)}") as member:
        room_id = await make_room(member, reel)
        viewer = await reel.viewer(http, member, room_id)
        video = await viewer.video_in(await member.send_video(room_id, source), "ready")
        await _change(viewer, str(video["id"]), published=True)
        url = f"{reel.url}/u/{member.user_id}"
        async with observed_page(browser, viewport={"width": 800, "height": 700}) as (look, _):
            page = look.page
            await page.goto(url)
            await page.locator(PLAYING).wait_for()
            await page.locator("[data-testid=settings]").click()
            await page.locator("[data-testid=menu-captions]").click()
            await page.get_by_role("menuitemradio", name="中文").click()
            await page.wait_for_function(_CUE, arg="你好，世界")
            await page.screenshot(path=screenshots / "member-captions-800x700.png")
            assert look.problems == []
        async with observed_page(browser, java_script_enabled=False) as (look, _):
            await look.page.goto(url)
            track = look.page.locator("video[controls] track[kind=captions]")
            assert (await track.get_attribute("srclang"), await track.get_attribute("label")) == ("zh", "中文")
            async with http.get(f"{reel.url}{await track.get_attribute('src')}") as response:
                assert (response.status, response.content_type) == (200, "text/vtt")
                assert "你好，世界" in await response.text("utf-8")


async def test_taking_back_works_at_once(public_pages: PublicPages, browser: Browser, screenshots: Path) -> None:
    async with observed_page(browser) as (look, _):
        page = look.page
        await page.goto(public_pages.unpublished)
        await page.locator("[data-testid=missing]").wait_for()
        await page.screenshot(path=screenshots / "member-missing.png")
        private = await page.content()
        await page.goto(public_pages.url)
        await page.locator(PLAYING).wait_for()
        urls = await _video_urls(public_pages)
        await _change(public_pages.viewer, public_pages.videos[0], published=False)
        async with public_pages.viewer.http.get(urls[0]) as removed:
            assert removed.status == 404
        assert (await page.request.get(urls[0])).status == 404
        # The page that is open follows, and so does its player.
        await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("[data-testid=card]")).to_have_count(1)
        await page.locator(f'{PLAYING}[data-video-id="{public_pages.videos[1]}"]').wait_for()
        await _change(public_pages.viewer, public_pages.videos[1], visibility="hidden")
        response = await page.reload()
        assert response
        assert response.status == 404
        assert (await page.content()) == private


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_for_everyone(
    public_pages: PublicPages, browser: Browser, screenshots: Path, theme: Literal["light", "dark"], script: bool
) -> None:
    locale = "en-GB" if theme == "light" else "zh-CN"
    async with observed_page(browser, locale=locale, color_scheme=theme) as (look, _):
        if not script:  # axe needs one
            await look.page.route("**/widget/assets/*.js", lambda route: route.abort())
        await look.page.goto(public_pages.url)
        if script:
            await look.page.locator(PLAYING).wait_for()
            await look.page.locator("[data-testid=player]").hover()
        assert await look.page.locator("html").get_attribute("lang") == locale[:2]
        await look.axe(*WIDTHS)
        name = f"member-{theme}-{'script' if script else 'plain'}"
        for width, height in ((280, 500), (1280, 720), (3840, 2160)):
            await look.page.set_viewport_size({"width": width, "height": height})
            await look.page.screenshot(path=screenshots / f"{name}-{width}.png")
        assert [problem for problem in look.problems if "ERR_FAILED" not in problem] == []
        await look.page.goto(public_pages.unpublished)
        await look.axe(280, 1280)


async def test_nothing_moves_under_reduced_motion(public_pages: PublicPages, browser: Browser) -> None:
    async with observed_page(browser, reduced_motion="reduce") as (look, _):
        await look.page.goto(public_pages.url)
        await look.page.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
        playing = "document.querySelector('[data-testid=player]').dataset.playing"
        assert await over_frames(look.page, playing) == ["false"]


async def test_nobody_frames_it(public_pages: PublicPages, browser: Browser) -> None:
    async with observed_page(browser) as (look, _):
        frame = f"<iframe src='{public_pages.url}'></iframe>"
        await look.page.route("**/elsewhere", lambda route: route.fulfill(body=frame, content_type="text/html"))
        await look.page.goto(f"{public_pages.reel.url}/elsewhere")

        async def refused() -> bool:
            return any("frame-ancestors" in problem for problem in look.problems)

        await eventually(refused, seconds=10, what="the browser refusing the frame")
