"""In Chromium: a viewer whose line is too slow for a stream copy reports that, and goes on in a lower rendition."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, Route

from appservice.demo.client import MatrixClient
from tests.support.browser import widget_frame
from tests.support.clips import make_noisy_clip
from tests.support.host import hosts
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

SECONDS = 30
# Of each segment of the copy, which plays two.
_DELAY_S = 3.0
_CLOCK = "() => document.querySelector('video[data-active]')?.currentTime ?? 0"


@pytest.fixture
async def noisy(tmp_path: Path, tools: Tools) -> Path:
    """A clip that is stream-copied, with enough bits for a lower rung."""
    return await make_noisy_clip(tools, tmp_path / "noisy.mp4", SECONDS, "2M", key_frames=60)


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 900, "height": 700})
    page.set_default_timeout(30_000)
    yield page
    await page.close()


@pytest.mark.timeout(240)
async def test_a_slow_line_gets_a_lower_rendition_without_a_new_start(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, noisy: Path, page: Page
) -> None:
    spare.write_config(transcode={"ladder": "watched"})
    async with spare.running(), hosts(spare, alice, bob) as serve:
        room_id = await make_room(alice, spare, bob)
        viewer = await spare.viewer(http, bob, room_id)
        event_id = await alice.send_video(room_id, noisy)
        alone = await viewer.video_in(event_id, "ready")
        reported, lower = list[int](), list[str]()
        page.on("response", lambda it: reported.append(it.status) if it.url.endswith("/slow") else None)
        page.on("response", lambda it: lower.append(it.url) if "/240/" in it.url else None)

        async def delayed(route: Route) -> None:
            await asyncio.sleep(_DELAY_S)
            await route.continue_()

        await page.route("**/360/*.m4s", delayed)
        await page.goto(f"{await serve(room_id)}?user=bob&layout=widget")
        frame = await widget_frame(page)

        async def plays() -> bool:
            return bool(await frame.evaluate(_CLOCK) > 1)

        await eventually(plays, seconds=60, what="the copy playing")
        clocks = list[float]()

        async def goes_on_lower() -> bool:
            clocks.append(await frame.evaluate(_CLOCK))
            return len(lower) > 3 and clocks[-1] > SECONDS * 0.7

        await eventually(goes_on_lower, seconds=120, what="playing on in the lower rendition")
        assert reported == [204]
        assert (await viewer.video(event_id) or {})["playlist_url"] != alone["playlist_url"]
        # It never went back by more than what was shown while the other version was opened.
        assert all(after > before - 4 for before, after in pairwise(clocks))
