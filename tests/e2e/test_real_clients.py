"""What real clients do to a widget: prompt the viewer, restart its host at each visit, keep threads to themselves."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, FrameLocator, Locator, Page, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import drop_file
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(240)


@dataclass
class RoomInClient:
    """A room with one video of alice's, and the address of bob's client."""

    room_id: str
    event_id: str
    url: str


@dataclass
class Tab:
    """Bob's client, whose frames come and go."""

    page: Page

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe[data-testid=widget]")

    def get(self, test_id: str, rest: str = "") -> Locator:
        return self.frame.locator(f"[data-testid={test_id}]{rest}")

    def dialog(self, kind: str) -> Locator:
        return self.page.locator(f"[data-testid=dialog][data-kind={kind}]")

    async def decide(self, kind: str, *, allow: bool = True, remember: bool | None = None) -> None:
        dialog = self.dialog(kind)
        if remember is not None:
            await dialog.locator("[data-testid=dialog-remember]").set_checked(remember)
        await dialog.locator(f"[data-testid=dialog-{'continue' if allow else 'decline'}]").click()

    async def prompts(self) -> dict[str, int]:
        """Return how often the client prompted for what."""
        counts: dict[str, int] = json.loads(await self.page.locator("body").get_attribute("data-asked") or "{}")
        return {kind: count for kind, count in counts.items() if count}

    async def plays(self) -> None:
        await self.get("player", "[data-playing=true]").wait_for()

    async def reload_frame(self) -> None:
        ready = await self.page.locator("body[data-ready]").get_attribute("data-ready")
        await self.page.locator("[data-testid=reload-widget]").click()
        await self.page.locator(f'body[data-ready]:not([data-ready="{ready}"])').wait_for()

    async def visit_another_room_and_return(self) -> None:
        await self.page.locator("[data-testid=visit]").click()
        await self.page.locator("[data-testid=elsewhere]").wait_for()
        await self.page.locator("[data-testid=visit]").click()
        await self.page.locator("body[data-ready]").wait_for()
        await self.get("talk").wait_for()

    async def drop(self, file: Path) -> None:
        await drop_file(self.frame.locator("body"), file.read_bytes(), file.name)

    async def open_talk(self) -> None:
        await self.get("talk").click()
        await self.get("talk-view").wait_for()

    async def react(self, key: str) -> None:
        await self.get("talk-view").locator("[data-testid=react]").click()
        await self.get("emoji", f'[data-key="{key}"]').click()

    async def write(self, text: str) -> None:
        await self.get("reply-text").fill(text)
        await self.get("reply-text").press("Enter")


OpenTab = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def room_in_client(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    open_host: OpenHost,
) -> RoomInClient:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await alice.send_video(room_id, clip)
    await viewer.video_in(event_id, "ready")
    return RoomInClient(room_id, event_id, await open_host(room_id))


@pytest.fixture
async def open_tab(browser: Browser) -> AsyncIterator[OpenTab]:
    async with AsyncExitStack() as stack:

        async def open_it(url: str, query: str = "") -> Tab:
            context = await browser.new_context(viewport={"width": 1280, "height": 720})
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(30_000)
            await page.goto(f"{url}?user=bob{query}")
            return Tab(page)

        yield open_it


async def _comments(user: MatrixClient, room_in_client: RoomInClient, sender: MatrixClient) -> list[str]:
    events = await user.relations(room_in_client.room_id, room_in_client.event_id, "m.thread")
    return [event["content"]["body"] for event in events if event["sender"] == sender.user_id]


async def _commented(user: MatrixClient, room_in_client: RoomInClient, sender: MatrixClient, *texts: str) -> None:
    async def there() -> bool:
        return sorted(await _comments(user, room_in_client, sender)) == sorted(texts)

    await eventually(there, what=f"{texts} in the thread")


async def _after_a_comment(tab: Tab, room_in_client: RoomInClient, alice: MatrixClient, bob: MatrixClient) -> Tab:
    """Let bob write at the first visit, when one host obeys: it may send from then on."""
    await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.write("One host")
    await _commented(alice, room_in_client, bob, "One host")
    return tab


async def test_each_permission_is_requested_at_its_first_use_and_nothing_at_the_fourth_visit(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient
) -> None:
    await alice.reply(room_in_client.room_id, room_in_client.event_id, "Hello")
    tab = await open_tab(room_in_client.url, "&permissions=ask")
    # Two clicks until it plays.
    await tab.decide("load")
    await tab.decide("identity")
    await tab.plays()
    await tab.open_talk()
    assert await tab.prompts() == {"load": 1, "identity": 1}
    await expect(tab.get("missing", "[data-declined=false]")).to_contain_text("will ask you")
    await tab.get("ask").click()
    await expect(tab.dialog("capabilities").locator("[data-testid=dialog-detail]")).to_have_count(3)
    await tab.decide("capabilities")
    await expect(tab.get("reply")).to_contain_text("Hello")
    await tab.get("reply-text").fill("First")
    await expect(tab.get("will-ask")).to_be_visible()
    await tab.get("reply-text").press("Enter")
    await expect(tab.dialog("capabilities").locator("[data-testid=dialog-detail]")).to_have_text(
        ["org.matrix.msc2762.send.event:m.room.message#m.text"]
    )
    await tab.decide("capabilities")
    await _commented(alice, room_in_client, bob, "First")
    # Element stores its last prompt only: what is seen is prompted for once more, what is sent when something is.
    await tab.visit_another_room_and_return()
    await tab.open_talk()
    await tab.decide("capabilities")
    await expect(tab.get("reply")).to_have_count(2)
    # The client may keep what belonged to the frame of before.
    await tab.get("several-anyway").click()
    await tab.get("missing", "[data-missing=sendText]").locator("[data-testid=ask]").click()
    await expect(tab.dialog("capabilities").locator("[data-testid=dialog-detail]")).to_have_text(
        ["org.matrix.msc2762.send.event:m.room.message#m.text"]
    )
    await tab.decide("capabilities")
    # Back where the viewer was, and the word for one message still holds.
    await tab.write("Second")
    await _commented(alice, room_in_client, bob, "First", "Second")
    for _ in range(2):
        await tab.visit_another_room_and_return()
        await tab.open_talk()
        await expect(tab.get("reply")).to_have_count(3)
    assert await tab.prompts() == {"load": 1, "identity": 1, "capabilities": 4}


async def test_nothing_is_requested_in_an_empty_room(
    reel: Installation, open_host: OpenHost, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient
) -> None:
    tab = await open_tab(await open_host(await make_room(alice, reel, bob)), "&permissions=ask")
    await tab.decide("load")
    await tab.decide("identity")
    await tab.get("empty").wait_for()
    # With these the rest has started.
    await tab.get("record").wait_for()
    assert await tab.prompts() == {"load": 1, "identity": 1}


async def test_what_was_declined_is_not_requested_again_by_itself(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient
) -> None:
    await alice.reply(room_in_client.room_id, room_in_client.event_id, "Hello")
    tab = await open_tab(room_in_client.url, "&permissions=ask")
    await tab.decide("load")
    await tab.decide("identity", allow=False)
    await tab.get("app", "[data-trouble=declined]").wait_for()
    await tab.reload_frame()
    await tab.get("app", "[data-trouble=declined]").wait_for()
    assert await tab.prompts() == {"load": 1, "identity": 1}
    await tab.get("retry").click()
    await tab.decide("identity")
    await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.decide("capabilities", allow=False, remember=False)
    await tab.get("missing", "[data-declined=true]").wait_for()
    await tab.visit_another_room_and_return()
    await tab.open_talk()
    await tab.get("missing", "[data-declined=true]").wait_for()
    assert await tab.prompts() == {"load": 1, "identity": 2, "capabilities": 1}
    await tab.get("ask").click()
    await tab.decide("capabilities")
    await expect(tab.get("reply")).to_contain_text("Hello")


async def test_a_reloaded_frame_requests_nothing(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient
) -> None:
    tab = await open_tab(room_in_client.url, "&permissions=ask")
    await tab.decide("load")
    await tab.decide("identity", remember=False)
    await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.decide("capabilities")
    await tab.get("replies").wait_for()
    before = await tab.prompts()
    await tab.reload_frame()
    await tab.plays()
    await tab.open_talk()
    await tab.get("replies").wait_for()
    assert await tab.prompts() == before
    await tab.write("Still here")
    await tab.decide("capabilities")
    await _commented(alice, room_in_client, bob, "Still here")


async def test_where_hosts_pile_up_and_respond_nothing_is_sent_twice(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    tab = await _after_a_comment(await open_tab(room_in_client.url, "&hosts=pile"), room_in_client, alice, bob)
    for _ in range(2):
        await tab.visit_another_room_and_return()
    await tab.open_talk()
    # Known since the handshake, before anything is sent.
    await expect(tab.get("several-hosts", "[data-several=yes]")).to_contain_text("Reload the app")
    await expect(tab.get("composer")).to_have_count(0)
    await tab.get("talk-close").click()
    await tab.get("record").click()
    await tab.get("record-file").set_input_files(clip)
    await tab.get("record-send").click()
    await expect(tab.get("record-failed")).to_contain_text("was not sent")
    await tab.page.reload()
    await tab.plays()
    await tab.open_talk()
    await tab.write("One host again")
    await _commented(alice, room_in_client, bob, "One host", "One host again")
    videos = [event for event in await alice.messages(room_in_client.room_id) if event["sender"] == bob.user_id]
    assert [event for event in videos if event.get("content", {}).get("msgtype") == "m.video"] == []


async def test_where_hosts_pile_up_in_silence_nothing_is_sent_before_the_viewer_decides(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    tab = await _after_a_comment(await open_tab(room_in_client.url, "&hosts=leak"), room_in_client, alice, bob)
    await tab.visit_another_room_and_return()
    await tab.get("record").click()
    # The warning before anything is recorded or requested.
    await tab.get("record-permit").locator("[data-testid=several-hosts][data-several=perhaps]").wait_for()
    for test_id in ("record-ask", "record-file"):
        await expect(tab.get(test_id)).to_have_count(0)
    # Loaded again, the client has no hosts but one.
    await tab.page.reload()
    await tab.plays()
    await tab.get("record").click()
    await tab.get("record-file").set_input_files(clip)
    await tab.get("record-send").click()
    await tab.get("record-sent").wait_for(timeout=90_000)
    videos = [event for event in await alice.messages(room_in_client.room_id) if event["sender"] == bob.user_id]
    assert len([event for event in videos if event.get("content", {}).get("msgtype") == "m.video"]) == 1


async def test_who_sends_all_the_same_sees_it_once_and_learns_of_it(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient
) -> None:
    tab = await _after_a_comment(await open_tab(room_in_client.url, "&hosts=leak"), room_in_client, alice, bob)
    await tab.visit_another_room_and_return()
    await tab.open_talk()
    await tab.get("several-anyway").click()
    await tab.get("ask").click()
    await tab.write("Two hosts")
    await _commented(alice, room_in_client, bob, "One host", "Two hosts", "Two hosts")
    await tab.get("several-hosts", "[data-several=yes]").wait_for()
    await expect(tab.get("reply").locator(".reply-text")).to_have_text(["One host", "Two hosts"])


async def test_where_hosts_pile_up_each_permission_is_requested_once_and_the_others_cannot_send(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    tab = await open_tab(room_in_client.url, "&hosts=leak&permissions=ask")
    await tab.decide("load")
    await tab.decide("identity")
    await tab.plays()
    for _ in range(3):
        await tab.visit_another_room_and_return()
        await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.decide("capabilities")
    # The page has loaded itself anew, and is where it was.
    await tab.get("replies").wait_for()
    await expect(tab.get("talk-view")).to_have_attribute("data-event-id", room_in_client.event_id)
    await tab.plays()
    assert await tab.prompts() == {"load": 1, "identity": 1, "capabilities": 1}
    # Nobody wrote in the frames of before.
    await expect(tab.get("several-hosts")).to_have_count(0)
    await tab.get("missing", "[data-missing=sendText]").locator("[data-testid=ask]").click()
    await tab.decide("capabilities")
    await tab.write("One of four hosts")
    await _commented(alice, room_in_client, bob, "One of four hosts")
    await tab.get("talk-view").locator("[data-testid=react]").click()
    await expect(tab.get("emoji")).to_have_count(0)
    await tab.get("ask-react").click()
    await tab.decide("capabilities")
    await tab.get("talk-view").wait_for()
    await tab.react("🎉")
    await tab.get("talk-view").locator('[data-testid=reaction][data-key="🎉"]').wait_for()
    await tab.get("talk-close").click()
    # A file that is dropped would be lost by loading the page again: what comes first is said first.
    await tab.drop(clip)
    await tab.get("record-permit").locator("[data-problem=permission]").wait_for()
    await expect(tab.get("trimmer")).to_have_count(0)
    await tab.get("record-ask").click()
    await tab.decide("capabilities")
    await tab.drop(clip)
    await tab.get("trimmer").wait_for()
    await tab.get("record-send").click()
    await tab.get("record-sent").wait_for(timeout=90_000)
    assert await tab.prompts() == {"load": 1, "identity": 1, "capabilities": 4}
    sent = [event for event in await alice.messages(room_in_client.room_id) if event["sender"] == bob.user_id]
    assert len([event for event in sent if event.get("content", {}).get("msgtype") == "m.video"]) == 1
    assert await _comments(alice, room_in_client, bob) == ["One of four hosts"]


async def test_the_word_to_send_all_the_same_is_for_one_message_and_for_no_reaction(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient, bob: MatrixClient
) -> None:
    tab = await open_tab(room_in_client.url, "&hosts=leak")
    await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.get("replies").wait_for()
    await tab.react("🎉")
    mine = '[data-testid=reaction][data-key="🎉"][data-mine=true]'
    await tab.get("talk-view").locator(mine).wait_for()
    await tab.visit_another_room_and_return()
    await tab.open_talk()
    await tab.get("replies").wait_for()
    await tab.get("talk-view").locator("[data-testid=react]").click()
    picker = tab.get("picker", "[data-open=true]")
    await expect(picker.locator("[data-testid=several-hosts]")).to_contain_text("may have kept")
    for test_id in ("several-anyway", "emoji", "ask-react"):
        await expect(picker.locator(f"[data-testid={test_id}]")).to_have_count(0)
    await tab.page.keyboard.press("Escape")
    warning = tab.get("talk-view").locator(".talk-missing[data-testid=several-hosts]")
    # In a frame as low as Element's the comments stay in sight beside it.
    await tab.page.locator("iframe").evaluate(
        "frame => { frame.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 832px; height: 251px'; }"
    )
    await expect(tab.get("talk-close")).to_be_hidden()
    whole, part = [await box.bounding_box() for box in (tab.get("talk-view"), warning)]
    assert whole is not None
    assert part is not None
    assert part["height"] <= whole["height"] / 2
    await expect(warning.locator("[data-testid=several-anyway]")).to_be_in_viewport(ratio=1)
    await tab.page.locator("iframe").evaluate("frame => frame.removeAttribute('style')")
    await warning.locator("[data-testid=several-anyway]").click()
    await tab.get("ask").click()
    # The host of before may react, not write: a comment proves nothing, so each needs a word of its own.
    await tab.write("Once")
    await _commented(alice, room_in_client, bob, "Once")
    await warning.wait_for()
    await expect(tab.get("composer")).to_have_count(0)
    await warning.locator("[data-testid=several-anyway]").click()
    await tab.write("Once more")
    await _commented(alice, room_in_client, bob, "Once", "Once more")
    await warning.wait_for()


async def test_what_others_say_in_the_thread_shows_though_the_client_keeps_it_to_itself(
    room_in_client: RoomInClient, open_tab: OpenTab, alice: MatrixClient
) -> None:
    tab = await open_tab(room_in_client.url)
    await tab.plays()
    await tab.open_talk()
    await tab.get("ask").click()
    await tab.get("replies").wait_for()
    await tab.get("talk-close").click()
    reply = await alice.reply(room_in_client.room_id, room_in_client.event_id, "What a lake!")
    await expect(tab.get("unread")).to_have_text("1")
    await expect(tab.get("said")).to_contain_text("What a lake!")
    await tab.open_talk()
    await expect(tab.get("reply")).to_contain_text("What a lake!")
    await alice.edit(room_in_client.room_id, reply, "What a pond!")
    await expect(tab.get("reply")).to_contain_text("What a pond!")
    await alice.redact(room_in_client.room_id, reply)
    await expect(tab.get("reply")).to_have_count(0)


async def test_it_plays_on_in_another_room_where_the_viewer_wants_that(
    room_in_client: RoomInClient, open_tab: OpenTab
) -> None:
    tab = await open_tab(room_in_client.url, "&permissions=ask")
    await tab.decide("load")
    await tab.decide("identity")
    await tab.plays()
    away = tab.page.locator("[data-testid=visit]")
    await away.click()
    await expect(tab.page.locator("iframe")).to_have_count(0)
    await away.click()
    await tab.plays()
    for test_id in ("settings", "menu-elsewhere", "elsewhere-muted"):
        await tab.get(test_id).click()
    await expect(tab.dialog("capabilities").locator("[data-testid=dialog-detail]")).to_have_text(["m.always_on_screen"])
    await tab.decide("capabilities")
    await expect(tab.dialog("capabilities")).to_have_count(0)
    await tab.page.keyboard.press("Escape")
    await tab.page.locator("[data-testid=pane][data-floats=true]").wait_for()
    await away.click()
    tile = tab.page.locator("[data-testid=tile]")
    assert await tile.bounding_box() == {"x": 944, "y": 484, "width": 320, "height": 220}
    await tab.get("player", "[data-playing=true][data-muted=true]").wait_for()
    await tile.click()
    await expect(tab.page.locator("[data-testid=pane]")).to_have_attribute("data-place", "room")
    await tab.plays()
