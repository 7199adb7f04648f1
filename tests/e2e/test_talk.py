"""Talking about what plays: what any client says shows on the player, and what is said there is in the timeline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Locator, Page, Route, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import AXE, axe_finds, widget_frame
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

# "Within a second or so", on a busy machine.
SOON_MS = 4_000


@dataclass
class RoomWithVideo:
    """A room where one video of alice's plays over and over."""

    room_id: str
    event_id: str


@dataclass
class MemberWidget:
    """Bob's widget: the client's page, and the frame in it."""

    page: Page
    frame: Frame

    def get(self, test_id: str, rest: str = "") -> Locator:
        return self.frame.locator(f"[data-testid={test_id}]{rest}")

    def chip(self, key: str, rest: str = "") -> Locator:
        return self.get("player").locator(f'[data-testid=reaction][data-key="{key}"]{rest}')

    async def open_talk(self) -> None:
        await self.get("talk").click()
        await self.get("replies").wait_for()

    async def allow(self) -> None:
        """Let the widget see what people say; the client prompts nobody."""
        await self.get("talk").click()
        await self.get("ask").click()
        await self.get("replies").wait_for()
        await self.get("talk-close").click()

    async def write(self, text: str) -> None:
        await self.get("reply-text").fill(text)
        await self.get("reply-text").press("Enter")


OpenWidget = Callable[..., Awaitable[MemberWidget]]


@pytest.fixture
async def room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> RoomWithVideo:
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await alice.send_video(room_id, clip)
    await viewer.video_in(event_id, "playable", "ready")
    return RoomWithVideo(room_id, event_id)


@pytest.fixture
async def open_widget(browser: Browser, open_host: OpenHost, room: RoomWithVideo) -> AsyncIterator[OpenWidget]:
    """Open the room as bob, and wait until the video plays and can be talked about."""
    async with AsyncExitStack() as stack:

        async def open_as_bob(
            query: str = "",
            *,
            talks: bool = True,
            size: tuple[int, int] = (1280, 720),
            motion: Literal["reduce", "no-preference"] = "no-preference",
            route: Callable[[Page], Awaitable[None]] | None = None,
        ) -> MemberWidget:
            viewport: Any = {"width": size[0], "height": size[1]}
            context = await browser.new_context(viewport=viewport, reduced_motion=motion)
            stack.push_async_callback(context.close)
            await context.add_init_script(path=AXE)
            page = await context.new_page()
            page.set_default_timeout(30_000)
            if route is not None:
                await route(page)
            await page.goto(f"{await open_host(room.room_id)}?user=bob{query}")
            frame = await widget_frame(page)
            widget = MemberWidget(page, frame)
            await frame.locator("[data-testid=player]:not([data-video-id=''])").wait_for()
            if talks:
                await widget.allow()
            return widget

        yield open_as_bob


async def test_what_is_said_in_the_chat_shows_on_the_player(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient
) -> None:
    widget = await open_widget()
    reaction = await alice.react(room.room_id, room.event_id, "🎉")
    await expect(widget.get("bursts").locator(".burst")).to_have_count(1, timeout=SOON_MS)
    await expect(widget.chip("🎉", "[data-count='1'][data-mine=false]")).to_be_attached(timeout=SOON_MS)
    await alice.redact(room.room_id, reaction)
    await expect(widget.chip("🎉")).to_have_count(0, timeout=SOON_MS)

    reply = await alice.reply(room.room_id, room.event_id, "What a <b>lake</b>!")
    await expect(widget.get("said")).to_contain_text("What a <b>lake</b>!", timeout=SOON_MS)
    await expect(widget.get("unread")).to_have_text("1")
    await widget.open_talk()
    await expect(widget.get("unread")).to_have_count(0)
    mine = widget.get("reply", f'[data-event-id="{reply}"]')
    await expect(mine).to_contain_text("alice")
    await expect(mine).to_contain_text("What a <b>lake</b>!")
    await alice.edit(room.room_id, reply, "What a pond!")
    await expect(mine).to_contain_text("What a pond!", timeout=SOON_MS)
    await expect(mine.locator("[data-testid=edited]")).to_be_visible()

    plain = await alice.reply(room.room_id, room.event_id, "Nice", thread=False)
    await expect(widget.get("reply", f'[data-event-id="{plain}"]')).to_contain_text("Nice", timeout=SOON_MS)
    await alice.redact(room.room_id, reply)
    await expect(mine).to_have_count(0, timeout=SOON_MS)
    await expect(widget.get("reply")).to_have_count(1)


async def test_what_was_said_before_is_there(room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient) -> None:
    reply = await alice.reply(room.room_id, room.event_id, "first")
    await alice.edit(room.room_id, reply, "second")
    await alice.reply(room.room_id, room.event_id, "plain", thread=False)
    gone = await alice.react(room.room_id, room.event_id, "😢")
    await alice.react(room.room_id, room.event_id, "👍")
    await alice.redact(room.room_id, gone)
    widget = await open_widget()
    await expect(widget.chip("👍")).to_be_attached()
    await expect(widget.chip("😢")).to_have_count(0)
    await widget.open_talk()
    await expect(widget.get("reply").locator(".reply-text")).to_have_text(["second", "plain"])


async def test_a_reaction_is_sent_and_taken_back(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient, bob: MatrixClient
) -> None:
    widget = await open_widget()

    async def keys() -> list[tuple[str, str]]:
        events = await alice.relations(room.room_id, room.event_id, "m.annotation")
        people = (alice.user_id, bob.user_id)  # the bot has its mark there, too
        return [(e["sender"], e["content"]["m.relates_to"]["key"]) for e in events if e["sender"] in people]

    async def until(wanted: list[tuple[str, str]]) -> None:
        async def there() -> bool:
            return await keys() == wanted

        await eventually(there, what=f"{wanted} in the room")

    react = widget.get("player").locator("[data-testid=react]")
    await react.focus()
    await react.press("Enter")
    await expect(widget.get("emoji").first).to_be_focused()
    await widget.page.keyboard.press("ArrowRight")
    await widget.page.keyboard.press("Enter")
    await expect(widget.chip("❤️", "[aria-pressed=true][data-count='1']")).to_be_attached(timeout=SOON_MS)
    await expect(react).to_be_focused()
    await until([(bob.user_id, "❤️")])
    # The client's own timeline shows it as well.
    await expect(widget.page.locator('[data-testid=timeline] [data-testid=reaction][data-key="❤️"]')).to_be_visible()
    await alice.react(room.room_id, room.event_id, "❤")
    await expect(widget.chip("❤️", "[data-count='2']")).to_be_attached(timeout=SOON_MS)
    await widget.get("player").hover()
    await widget.chip("❤️").click()
    await expect(widget.chip("❤", "[data-count='1'][aria-pressed=false]")).to_be_attached(timeout=SOON_MS)
    await until([(alice.user_id, "❤")])


async def test_a_reply_is_sent_into_the_thread(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient, bob: MatrixClient
) -> None:
    before = await alice.reply(room.room_id, room.event_id, "before")
    widget = await open_widget()
    await widget.open_talk()
    await expect(widget.get("reply")).to_have_count(1)
    text = widget.get("reply-text")
    await text.fill("two")
    await text.press("Shift+Enter")
    await text.press_sequentially("lines")
    await text.press("Enter")
    await expect(widget.get("reply", "[data-own=true]")).to_contain_text("two\nlines", timeout=SOON_MS)
    await expect(text).to_have_value("")

    async def sent() -> dict[str, Any] | None:
        events = await alice.relations(room.room_id, room.event_id, "m.thread")
        return next((event for event in events if event["sender"] == bob.user_id), None)

    event = await eventually(sent, what="bob's reply")
    assert event
    assert event["content"] == {
        "msgtype": "m.text",
        "body": "two\nlines",
        "m.mentions": {},
        "chat.roomreel.nonce": event["content"]["chat.roomreel.nonce"],
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": room.event_id,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": before},
        },
    }
    message = widget.page.locator(f'[data-testid=message][data-event-id="{event["event_id"]}"]')
    await expect(message).to_contain_text("In the thread of")
    # Its own echo brings nothing twice, and nothing new to read.
    await expect(widget.get("reply")).to_have_count(2)
    await expect(widget.get("said")).to_have_count(0)


async def test_what_could_not_be_sent_stays(room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient) -> None:
    widget = await open_widget()
    await widget.open_talk()
    refused = "**/send/m.room.message/**"
    await widget.page.route(refused, _refuse(403))
    await widget.write("Do not lose me")
    await expect(widget.get("composer", "[data-state=failed]")).to_be_visible(timeout=SOON_MS)
    await expect(widget.get("reply-text")).to_have_value("Do not lose me")
    await widget.page.unroute(refused)
    await widget.get("reply-send").click()
    await expect(widget.get("reply")).to_contain_text("Do not lose me", timeout=SOON_MS)

    await widget.page.route("**/send/m.reaction/**", _refuse(403))
    await widget.get("player").hover()
    await widget.get("player").locator("[data-testid=react]").click()
    await widget.get("emoji", '[data-key="🎉"]').first.click()
    await expect(widget.get("not-sent")).to_be_visible(timeout=SOON_MS)
    await expect(widget.chip("🎉")).to_have_count(0)


def _refuse(status: int) -> Callable[[Route], Awaitable[None]]:
    async def refuse(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        body = {"errcode": "M_TEST", "error": "Refused by the test."}
        await route.fulfill(status=status if route.request.method != "OPTIONS" else 200, headers=headers, json=body)

    return refuse


async def test_who_allowed_nothing_sees_why_and_is_prompted_again(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient
) -> None:
    await alice.reply(room.room_id, room.event_id, "Hello")
    widget = await open_widget("&refuse=once", talks=False)
    await widget.get("talk").click()
    await expect(widget.get("missing", "[data-missing=seeMessages][data-declined=false]")).to_be_visible()
    await widget.get("ask").click()
    await expect(widget.get("missing", "[data-missing=seeMessages][data-declined=true]")).to_be_visible()
    await expect(widget.get("react")).to_have_count(0)
    await expect(widget.get("composer")).to_have_count(0)
    await widget.get("ask").click()
    await expect(widget.get("reply")).to_contain_text("Hello", timeout=SOON_MS)
    await expect(widget.get("missing")).to_have_count(0)
    await expect(widget.get("composer")).to_be_visible()


async def test_a_part_may_be_refused(room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient) -> None:
    await alice.react(room.room_id, room.event_id, "🔥")
    widget = await open_widget("&refuse=send.event")
    await widget.get("player").hover()
    await widget.chip("🔥").click()
    await expect(widget.get("player").locator("span[data-testid=reaction]")).to_have_count(1)
    await expect(widget.get("react")).to_have_count(0)
    await widget.open_talk()
    await expect(widget.get("missing", "[data-missing=seeReactions]")).to_be_visible()
    await widget.write("Kept for later")
    await expect(widget.get("missing", "[data-missing=sendText]")).to_be_visible()
    await expect(widget.get("composer")).to_have_count(0)


async def test_a_video_from_a_former_room_is_not_talked_about(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient
) -> None:
    async def route(page: Page) -> None:
        await page.route("**/relations/**", _refuse(404))

    widget = await open_widget(route=route, talks=False)
    await widget.get("talk").click()
    await widget.get("ask").click()
    await expect(widget.get("talk-view")).to_contain_text("the room that this one replaces")
    await expect(widget.get("composer")).to_have_count(0)
    await expect(widget.get("react")).to_have_count(0)


async def test_nothing_is_said_to_the_message_of_a_room_before(
    room: RoomWithVideo, open_widget: OpenWidget, reel: Installation, screenshots: Path
) -> None:
    await reel.rows("UPDATE videos SET sent_in = '!before:test.local' WHERE event_id = $1", room.event_id)
    requested: list[str] = []
    # Who allowed only to send is not offered it either: no response to a request would show it.
    widget = await open_widget("&refuse=receive", talks=False, route=_noting(requested))
    await widget.get("talk").click()
    await expect(widget.get("talk-elsewhere")).to_contain_text("the room that this one replaces")
    await expect(widget.get("composer")).to_have_count(0)
    await expect(widget.get("react")).to_have_count(0)
    await widget.page.screenshot(path=screenshots / "talk-elsewhere.png")
    assert requested == []


def _noting(requested: list[str]) -> Callable[[Page], Awaitable[None]]:
    async def route(page: Page) -> None:
        page.on("request", lambda request: requested.append(request.url) if "/relations/" in request.url else None)

    return route


async def test_nothing_rises_under_reduced_motion(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient
) -> None:
    widget = await open_widget(motion="reduce")
    await alice.react(room.room_id, room.event_id, "🎉")
    await expect(widget.chip("🎉")).to_be_attached(timeout=SOON_MS)
    assert await widget.frame.locator(".burst").count() == 0


async def test_new_replies_over_the_video_can_be_turned_off(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient
) -> None:
    widget = await open_widget()
    await widget.open_talk()
    await widget.get("over-picture").click()
    await widget.get("talk-close").click()
    await alice.reply(room.room_id, room.event_id, "quietly")
    await expect(widget.get("unread")).to_have_text("1", timeout=SOON_MS)
    await expect(widget.get("said")).to_have_count(0)


@pytest.mark.timeout(240)
async def test_many_stay_bounded_and_quick(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient, bob: MatrixClient
) -> None:
    busy = asyncio.Semaphore(8)

    async def one(sending: Awaitable[str]) -> None:
        async with busy:
            await sending

    replies = [alice.reply(room.room_id, room.event_id, f"reply {number}") for number in range(500)]
    reactions = [
        user.react(room.room_id, room.event_id, f"word {number}") for number in range(150) for user in (alice, bob)
    ]
    await asyncio.gather(*(one(sending) for sending in (*replies, *reactions)))
    widget = await open_widget()
    # Shown within the player: eight kinds, each with both people.
    await expect(widget.get("player").locator("[data-testid=reaction][data-count='2']")).to_have_count(8)
    await widget.open_talk()
    await expect(widget.get("reply")).to_have_count(50)
    for shown in range(100, 501, 50):
        await widget.get("earlier").click()
        await expect(widget.get("reply")).to_have_count(shown)
    await expect(widget.get("earlier")).to_have_count(0)
    # A further one comes at once, and the oldest makes room for it.
    await alice.reply(room.room_id, room.event_id, "one more")
    await expect(widget.get("reply").last).to_contain_text("one more", timeout=SOON_MS)
    await expect(widget.get("reply")).to_have_count(500)
    # How long the page is busy with one more reply while it shows them all.
    longest = await widget.frame.evaluate(
        """() => new Promise((resolve) => {
            let last = performance.now(), longest = 0;
            const tick = (now) => {
                longest = Math.max(longest, now - last);
                last = now;
                if (now - start < 3000) requestAnimationFrame(tick); else resolve(longest);
            };
            const start = last;
            requestAnimationFrame(tick);
        })"""
    )
    assert longest < 1_000


async def test_theme_and_language_follow_the_client(room: RoomWithVideo, open_widget: OpenWidget) -> None:
    widget = await open_widget("&theme=light&contrast=more")
    html = widget.frame.locator("html")
    await expect(html).to_have_attribute("data-contrast", "more")
    await widget.open_talk()
    await widget.get("reply-text").fill("half a sentence")
    await widget.page.locator("[data-testid=theme]").click()
    await expect(html).to_have_attribute("data-theme", "dark")
    await expect(html).to_have_attribute("data-contrast", "more")
    await widget.page.locator("[data-testid=language]").select_option("zh")
    await expect(html).to_have_attribute("lang", "zh")
    await expect(widget.get("talk-view")).to_have_attribute("aria-label", "评论")
    # Nothing was loaded anew.
    await expect(widget.get("reply-text")).to_have_value("half a sentence")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_talk(
    room: RoomWithVideo, open_widget: OpenWidget, alice: MatrixClient, bob: MatrixClient, theme: str
) -> None:
    reply = await alice.reply(room.room_id, room.event_id, "Hello")
    await alice.edit(room.room_id, reply, "Hello there")
    await bob.reply(room.room_id, room.event_id, "Hi")
    for user, key in ((alice, "👍"), (bob, "👍"), (alice, "so good")):
        await user.react(room.room_id, room.event_id, key)
    widget = await open_widget(f"&layout=widget&theme={theme}")
    await widget.open_talk()
    for width, height in ((280, 600), (320, 600), (1280, 720)):
        await widget.page.set_viewport_size({"width": width, "height": height})
        await widget.get("player").hover()
        assert await axe_finds(widget.frame) == [], f"{width} px"
        await widget.get("react").first.click()
        await expect(widget.get("emoji").first).to_be_visible()
        assert await axe_finds(widget.frame) == [], f"{width} px, choosing"
        await widget.page.keyboard.press("Escape")
