"""A browser without a Matrix client around the page: it is signed in by a message, stays so, and is signed out."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Route, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import observed_page, shown_command, widget_link
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice

PLAYING = "[data-testid=player][data-playing=true]:not([data-video-id=''])"


async def test_a_message_signs_in_until_the_button_signs_out(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clip: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    async with observed_page(browser, **phone) as (look, context):
        page = look.page
        await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=reel.url)
        await page.goto(widget_link(reel, room_id))
        command = await shown_command(page)
        await page.screenshot(path=screenshots / "sign-in-360x640.png")
        await page.locator("[data-testid=copy]").click()
        await expect(page.locator("[data-testid=copy]")).to_have_text("Copied")
        assert await page.evaluate("() => navigator.clipboard.readText()") == command
        await bob.send_text(room_id, command)
        await page.locator(PLAYING).wait_for()
        # It is bob who watches, also after the page was loaded anew.
        await expect(page.locator(f'[data-testid=member][data-member="{bob.user_id}"]')).to_be_visible()
        await page.reload()
        await page.locator(PLAYING).wait_for()
        assert look.problems == []
        await page.locator("[data-testid=sign-out]").click()
        assert await shown_command(page) != command
        await page.reload()
        await page.locator("[data-testid=command]").wait_for()


async def test_a_message_signs_out(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, browser: Browser, screenshots: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with observed_page(browser, viewport={"width": 1280, "height": 720}) as (look, _):
        await look.page.goto(widget_link(reel, room_id))
        event_id = await alice.send_text(room_id, await shown_command(look.page))
        await look.page.locator("[data-testid=app][data-state=empty]").wait_for()
        await wait_for_notice(alice, room_id, "Signed in", thread=event_id)
        await look.page.screenshot(path=screenshots / "signed-in-1280x720.png")
        await alice.send_text(room_id, "!reel sign-out")
        await look.page.locator("[data-testid=app][data-state=sign-in]").wait_for()
        command = await shown_command(look.page)
        assert command.startswith("!reel sign-in ")
        # Nothing of hers is left in the page for who comes next.
        await look.page.evaluate("window.hers = true")
        await bob.send_text(room_id, command)
        await look.page.locator("[data-testid=app][data-state=empty]").wait_for()
        await look.page.wait_for_function("window.hers === undefined")
        await look.page.locator("[data-testid=app][data-state=empty]").wait_for()


async def test_a_code_that_is_too_old_is_renewed(reel: Installation, alice: MatrixClient, browser: Browser) -> None:
    room_id = await make_room(alice, reel)
    async with observed_page(browser) as (look, _):
        await look.page.clock.install()
        await look.page.goto(widget_link(reel, room_id))
        first = await shown_command(look.page)
        await look.page.clock.fast_forward("11:00")
        await expect(look.page.locator("[data-testid=command]")).not_to_have_text(first)
        await expect(look.page.locator("[data-testid=sign-in-state]")).to_contain_text("new code")
        await alice.send_text(room_id, await shown_command(look.page))
        await look.page.clock.run_for(5000)
        await look.page.locator("[data-testid=app][data-state=empty]").wait_for()
        assert look.problems == []


async def test_it_says_what_is_the_matter(reel: Installation, alice: MatrixClient, browser: Browser) -> None:
    room_id = await make_room(alice, reel)
    async with observed_page(browser) as (look, context):
        await look.page.goto(widget_link(reel, room_id))
        await shown_command(look.page)
        await context.set_offline(True)
        await look.page.locator("[data-testid=sign-in-state][data-trouble=offline]").wait_for()
        await context.set_offline(False)
        await look.page.locator("[data-testid=sign-in-state][data-trouble='']").wait_for()
        requested_at: list[float] = []

        async def limited(route: Route) -> None:
            requested_at.append(asyncio.get_running_loop().time())
            body = {"errcode": "M_LIMIT_EXCEEDED", "error": "…"}
            await route.fulfill(status=429, json=body, headers={"Retry-After": "5"})

        await context.route("**/api/v1/session", limited)
        await look.page.locator("[data-testid=sign-in-state][data-trouble=busy]").wait_for()
        await expect(look.page.locator("[data-testid=sign-in-state]")).to_contain_text("The server is busy")
        async with asyncio.timeout(30):
            while len(requested_at) < 2:  # noqa: ASYNC110 - it is in the page
                await asyncio.sleep(0.1)
        assert requested_at[1] - requested_at[0] > 4.5, "it did not wait as long as the response said"
        await context.unroute("**/api/v1/session", limited)
        await look.page.locator("[data-testid=sign-in-state][data-trouble='']").wait_for()


async def test_where_nothing_can_be_stored(reel: Installation, alice: MatrixClient, browser: Browser) -> None:
    room_id = await make_room(alice, reel)
    async with observed_page(browser) as (look, context):
        await context.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
        )
        await look.page.goto(widget_link(reel, room_id))
        await alice.send_text(room_id, await shown_command(look.page))
        await look.page.locator("[data-testid=app][data-state=empty]").wait_for()
        assert look.problems == []


async def test_nobody_is_prompted_inside_of_a_foreign_frame(
    reel: Installation, alice: MatrixClient, browser: Browser
) -> None:
    room_id = await make_room(alice, reel)
    async with observed_page(browser) as (look, _):
        page = f"<iframe src='{widget_link(reel, room_id)}'></iframe>"
        await look.page.route("**/elsewhere", lambda route: route.fulfill(body=page, content_type="text/html"))
        await look.page.goto(f"{reel.url}/elsewhere")
        frame = look.page.frame_locator("iframe")
        await frame.locator("[data-testid=app][data-trouble=outside]").wait_for()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_for_everyone(
    reel: Installation, alice: MatrixClient, browser: Browser, screenshots: Path, language: str, theme: str
) -> None:
    room_id = await make_room(alice, reel)
    async with observed_page(browser, locale=language, color_scheme=theme) as (look, _):
        page = look.page
        await page.goto(widget_link(reel, room_id))
        await shown_command(page)
        await look.axe(280, 320, 1280)
        assert await page.locator("html").get_attribute("lang") == language[:2]
        await page.set_viewport_size({"width": 280, "height": 300})
        await page.screenshot(path=screenshots / f"sign-in-{theme}-{language[:2]}-280x300.png")
        await page.keyboard.press("Tab")
        await expect(page.locator("[data-testid=copy]:focus-visible")).to_be_visible()
        assert look.problems == []
