"""A phone without a Matrix client: a signed-in viewer comments, reacts and sends videos, and the bot posts them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from tests.support.browser import SMALL_TARGETS, ObservedPage, observed_page, sign_in
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
_PROFILE = "com.beeper.per_message_profile"
_CALLS = 120
# Of the window.
_STAGE = "() => document.querySelector('.stage').getBoundingClientRect().height / innerHeight"


@pytest.fixture(scope="module")
async def studio() -> AsyncIterator[Browser]:
    async with open_browser(*_DEVICES) as chromium:
        yield chromium


class PhonePage:
    """The widget, signed in or not, on a phone."""

    def __init__(self, look: ObservedPage) -> None:
        self.look = look
        self.page: Page = look.page

    def get(self, test_id: str, rest: str = "") -> Locator:
        return self.page.locator(f"[data-testid={test_id}]{rest}")

    def chip(self, key: str, rest: str = "") -> Locator:
        return self.get("talk-view").locator(f'[data-testid=reaction][data-key="{key}"]{rest}')

    async def tap(self, *test_ids: str) -> None:
        for test_id in test_ids:
            await self.get(test_id).tap()

    async def write(self, text: str) -> None:
        await self.get("reply-text").fill(text)
        await self.tap("reply-send")

    async def check(self, screenshot: Path) -> None:
        """Take a screenshot; a finger can hit everything, and axe finds nothing, on this phone and a narrow one."""
        await self.page.screenshot(path=screenshot)
        assert await self.page.evaluate(SMALL_TARGETS, 44) == []
        await self.look.axe(320, 390, height=844)


@asynccontextmanager
async def _open_phone(
    browser: Browser,
    reel: Installation,
    user: MatrixClient,
    room_id: str,
    **options: Any,  # noqa: ANN401 - the browser's
) -> AsyncIterator[PhonePage]:
    async with observed_page(browser, **PHONE, **options) as (look, _):
        await sign_in(look.page, reel, user, room_id)
        yield PhonePage(look)


async def _room_with_video(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> tuple[str, str]:
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await alice.send_video(room_id, clip)
    await viewer.video_in(event_id, "playable", "ready")
    return room_id, event_id


async def _by_bot(reel: Installation, user: MatrixClient, room_id: str, kind: str) -> list[dict[str, Any]]:
    """Return the events that the bot sent on somebody's behalf and that were not redacted, oldest first."""
    events = await user.messages(room_id)
    return [
        event
        for event in events
        if event["type"] == kind and event["sender"] == reel.bot and "chat.roomreel.nonce" in event["content"]
    ]


async def test_comments_and_reactions(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    open_host: OpenHost, clip: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id, event_id = await _room_with_video(reel, http, alice, bob, clip)
    before = await alice.reply(room_id, event_id, "Who is there?")
    async with _open_phone(browser, reel, bob, room_id) as phone:
        await phone.tap("talk")
        await expect(phone.get("reply", f'[data-event-id="{before}"]')).to_contain_text("Who is there?")
        await expect(phone.get("by-bot")).to_be_visible()
        await phone.check(screenshots / "behalf-talk-390x844.png")
        await phone.write("two\nlines")
        mine = phone.get("reply", "[data-own=true]")
        await expect(mine).to_contain_text("two\nlines")
        await expect(mine).to_contain_text("You")
        await expect(phone.get("reply-text")).to_have_value("")
        # BotResponse once.
        await expect(phone.get("by-bot")).to_have_count(0)
        (sent,) = await _by_bot(reel, alice, room_id, "m.room.message")
        assert sent["content"]["body"].endswith("bob: \u2060two\nlines")
        assert sent["content"][_PROFILE]["id"] == bob.user_id
        assert sent["content"]["m.relates_to"]["event_id"] == event_id

        await alice.reply(room_id, event_id, "Hello, bob")
        await expect(phone.get("reply")).to_have_count(3)
        await expect(phone.get("reply").last).to_contain_text("Hello, bob")

        # Every client counts hers with his.
        hearts = await alice.react(room_id, event_id, "❤️")
        await expect(phone.chip("❤️", "[data-count='1'][data-mine=false]")).to_be_visible()
        await phone.get("talk-view").locator("[data-testid=react]").tap()
        await phone.check(screenshots / "behalf-picker-390x844.png")
        await phone.get("emoji", "[data-key='🎉']").tap()
        await expect(phone.chip("🎉", "[aria-pressed=true][data-count='1']")).to_be_visible()
        await phone.chip("❤️").tap()
        await expect(phone.chip("❤️", "[aria-pressed=true][data-count='2']")).to_be_visible()

        async def until(*wanted: str) -> None:
            async def there() -> bool:
                events = await alice.relations(room_id, event_id, "m.annotation")
                ours = [e for e in events if e["sender"] == reel.bot and "chat.roomreel.nonce" in e["content"]]
                return sorted(e["content"]["m.relates_to"]["key"] for e in ours) == sorted(wanted)

            await eventually(there, what=f"the bot's reactions being {wanted}")

        await until("🎉", "❤️")
        await phone.chip("❤️").tap()
        await expect(phone.chip("❤️", "[aria-pressed=false][data-count='1']")).to_be_visible()
        await until("🎉")
        # And again, although it was taken back before.
        await phone.chip("❤️").tap()
        await expect(phone.chip("❤️", "[aria-pressed=true][data-count='2']")).to_be_visible()

        await alice.redact(room_id, hearts)
        await expect(phone.chip("❤️", "[aria-pressed=true][data-count='1']")).to_be_visible()

        await _shows_in_a_client(browser, await open_host(room_id), bob)

        await mine.locator("[data-testid=reply-delete]").tap()
        await phone.check(screenshots / "behalf-delete-390x844.png")
        await phone.tap("reply-keep")
        await mine.locator("[data-testid=reply-delete]").tap()
        await phone.tap("reply-confirm-delete")
        await expect(mine).to_have_count(0)
        await expect(phone.get("reply")).to_have_count(2)

        async def redacted() -> bool:
            return await _by_bot(reel, alice, room_id, "m.room.message") == []

        await eventually(redacted, what="the comment being taken back in the room")
        # What he says in a client of his own is not the bot's to take back.
        await bob.reply(room_id, event_id, "From home")
        await expect(phone.get("reply", "[data-own=true]")).to_contain_text("From home")
        await expect(phone.get("reply-delete")).to_have_count(0)
        await bob.react(room_id, event_id, "👀")
        await expect(phone.chip("👀", "[data-mine=true]")).to_be_visible()
        assert await phone.chip("👀").evaluate("(chip) => chip.tagName") == "SPAN"
        assert phone.look.problems == []


async def _shows_in_a_client(browser: Browser, url: str, bob: MatrixClient) -> None:
    """The widget in alice's client knows whose it is."""
    async with observed_page(browser, viewport={"width": 1280, "height": 720}) as (look, _):
        await look.page.goto(f"{url}?user=alice")
        widget = look.page.frame_locator("iframe[data-testid=widget]")
        await widget.locator("[data-testid=talk]").click()
        await widget.locator("[data-testid=ask]").click()
        said = widget.locator("[data-testid=reply]").filter(has_text="two\nlines")
        await expect(said.locator(".person-name")).to_have_text("bob")
        await expect(said.locator(".person-name")).to_have_attribute("title", bob.user_id)
        await expect(said.locator(".reply-text")).to_have_text("two\nlines")
        party = '[data-testid=talk-view] [data-testid=reaction][data-key="🎉"][data-count="1"]'
        await expect(widget.locator(party)).to_be_visible()


async def test_comments_from_another_phone_show_live(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clip: Path,
) -> None:  # fmt: skip
    room_id, _ = await _room_with_video(reel, http, alice, bob, clip)
    async with _open_phone(browser, reel, bob, room_id) as phone, _open_phone(browser, reel, alice, room_id) as other:
        await phone.tap("talk")
        await other.tap("talk")
        await phone.write("Hello, alice")
        theirs = other.get("reply", "[data-own=false]")
        await expect(theirs).to_contain_text("Hello, alice")
        await expect(theirs.locator(".person-name")).to_have_text("bob")
        await expect(other.get("reply-delete")).to_have_count(0)
        # One event for both.
        await phone.get("talk-view").locator("[data-testid=react]").tap()
        await phone.get("emoji", "[data-key='🔥']").tap()
        await expect(other.chip("🔥", "[data-count='1'][aria-pressed=false]")).to_be_visible()
        await other.chip("🔥").tap()
        await expect(other.chip("🔥", "[data-count='2'][aria-pressed=true]")).to_be_visible()
        await expect(phone.chip("🔥", "[data-count='2'][aria-pressed=true]")).to_be_visible()
        assert len(await _by_bot(reel, alice, room_id, "m.reaction")) == 1
        await phone.chip("🔥").tap()
        await expect(other.chip("🔥", "[data-count='1'][aria-pressed=true]")).to_be_visible()
        await expect(phone.chip("🔥", "[data-count='1'][aria-pressed=false]")).to_be_visible()
        await other.chip("🔥").tap()
        await expect(phone.chip("🔥")).to_have_count(0)

        async def none() -> bool:
            return await _by_bot(reel, alice, room_id, "m.reaction") == []

        await eventually(none, what="the last one taking the reaction back")
        # Over the video, while the list is open.
        await phone.tap("talk-close")
        await other.write("And again")
        await expect(phone.get("said")).to_contain_text("And again")
        await expect(phone.get("unread")).to_have_text("1")
        assert phone.look.problems == []
        assert other.look.problems == []


@pytest.mark.parametrize("way", ["camera", "file"])
async def test_the_first_video_of_an_empty_room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, studio: Browser,
    clip: Path, screenshots: Path, way: str,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    async with _open_phone(studio, reel, bob, room_id) as phone:
        await phone.get("send-first").wait_for()
        assert await phone.page.evaluate(_STAGE) > 0.8
        await phone.check(screenshots / "behalf-empty-390x844.png")
        await phone.tap("send-first")
        if way == "camera":
            await phone.tap("record-camera", "record-start", "record-skip")
            await expect(phone.get("record-clock")).to_contain_text("0:02")
            await phone.tap("record-stop")
        else:
            await phone.get("record-file").set_input_files(clip)
        await phone.get("trimmer").wait_for()
        await expect(phone.get("by-bot")).to_be_visible()
        await expect(phone.get("record-will-ask")).to_have_count(0)
        await phone.check(screenshots / f"behalf-review-{way}-390x844.png")
        await phone.get("record-caption").fill("From my phone")
        await phone.tap("record-send")
        await phone.get("record-sent").wait_for(timeout=90_000)
        event_id = await phone.get("record-sent").get_attribute("data-event-id")
        (sent,) = await _by_bot(reel, alice, room_id, "m.room.message")
        assert sent["event_id"] == event_id
        assert sent["content"]["body"].endswith("bob: \u2060From my phone")
        assert sent["content"][_PROFILE]["id"] == bob.user_id
        video = await viewer.video_in(sent["event_id"], "playable", "ready")
        assert video["title"] == "From my phone"
        members = (await viewer.room())["members"]
        assert [each["user_id"] for each in members if each["videos"]] == [bob.user_id]
        await phone.tap("record-watch")
        await phone.get("player", f'[data-video-id="{video["id"]}"][data-playing=true]').wait_for()
        # It is his: he may delete it where he may delete what he sends from a client.
        await expect(phone.get("video").first.locator("[data-testid=more]")).to_be_visible()
        assert phone.look.problems == []


async def test_what_is_refused_says_why(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clip: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id, _ = await _room_with_video(reel, http, alice, bob, clip)
    async with _open_phone(browser, reel, bob, room_id) as phone:
        await phone.tap("talk")
        await phone.get("reply-text").fill("Too much")
        # As many calls as nobody makes by hand, with his own session.
        headers: list[dict[str, str]] = []

        async def listen(route: Route) -> None:
            headers.append(await route.request.all_headers())
            await route.continue_()

        await phone.page.route("**/comments", listen)
        await phone.tap("reply-send")
        await expect(phone.get("reply", "[data-own=true]")).to_have_count(1)
        url = phone.page.url.partition("/widget/")[0]
        authorization = {"Authorization": headers[0]["authorization"]}
        video = (await (await reel.viewer(http, alice, room_id)).videos())[0]
        path = f"{url}/api/v1/videos/{video['id']}/comments"

        async def limited() -> bool:
            async with http.post(path, json={}, headers=authorization) as response:
                return response.status == 429

        failed = phone.page.locator(".composer-failed")

        async def busy() -> bool:
            for _ in range(_CALLS):
                if await limited():
                    break
            await phone.get("reply-text").fill("Still too much")
            await phone.tap("reply-send")
            await expect(phone.get("composer")).not_to_have_attribute("data-state", "sending")
            return await failed.count() > 0 and "a lot at once" in await failed.inner_text()

        await eventually(busy, what="the server's request to wait")
        await expect(phone.get("reply-text")).to_have_value("Still too much")
        await phone.check(screenshots / "behalf-busy-390x844.png")


async def test_who_may_not_speak_in_the_room_only_reads(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clip: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id, event_id = await _room_with_video(reel, http, alice, bob, clip)
    async with _open_phone(browser, reel, bob, room_id) as phone:
        await phone.tap("talk")
        await phone.get("reply-text").fill("May I?")
        # The page hears nothing of it.
        await phone.page.route("**/api/v1/rooms/**", lambda route: route.abort())
        levels = await alice.get_state(room_id, "m.room.power_levels")
        await alice.send_state(room_id, "m.room.power_levels", {**levels, "events_default": 40})
        failed = phone.page.locator(".composer-failed")

        async def refused() -> bool:
            await phone.tap("reply-send")
            await expect(phone.get("composer")).not_to_have_attribute("data-state", "sending")
            return await failed.count() > 0 and "you may not write" in await failed.inner_text()

        await phone.get("reply-text").fill("May I still?")
        await eventually(refused, what="the server's refusal")
        await phone.page.unroute("**/api/v1/rooms/**")
        await phone.page.reload()
        await phone.tap("talk")
        await expect(phone.get("read-only")).to_be_visible()
        await alice.reply(room_id, event_id, "Only reading")
        await expect(phone.get("reply").last).to_contain_text("Only reading")
        for nothing in ("composer", "record", "react", "send-first"):
            await expect(phone.get(nothing)).to_have_count(0)
        await phone.check(screenshots / "behalf-read-only-390x844.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_in_another_language(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, browser: Browser,
    clip: Path, screenshots: Path, theme: str,
) -> None:  # fmt: skip
    room_id, _ = await _room_with_video(reel, http, alice, bob, clip)
    async with _open_phone(browser, reel, bob, room_id, locale="zh-CN", color_scheme=theme) as phone:
        await phone.tap("talk")
        await expect(phone.get("by-bot")).to_contain_text("机器人")
        await phone.check(screenshots / f"behalf-talk-{theme}-zh-390x844.png")
        # On a desk the comments are beside the video, which stays as high as it was.
        await phone.page.set_viewport_size({"width": 1280, "height": 720})
        assert await phone.page.evaluate(_STAGE) > 0.9
        await phone.page.screenshot(path=screenshots / f"behalf-talk-{theme}-zh-1280x720.png")
        assert phone.look.problems == []
