"""In Chromium: an encrypted room asks for consent, says who gave it, and erases everything once it is taken back."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient, open_device
from tests.support.browser import SMALL_TARGETS
from tests.support.host import OpenHost, hosts
from tests.support.installation import Installation
from tests.support.member_widget import MemberWidget, member_widget
from tests.support.rooms import make_room, wait_for_notice, wait_for_widget
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": MEGOLM}
SOON_MS = 15_000
WITHIN_S = 10
_HIDDEN = "(element) => element.scrollHeight - element.clientHeight"
_FOCUS = "() => document.activeElement?.dataset.testid ?? ''"
_INSIDE = """(element) => {
    const {left, right, top, bottom} = element.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}"""


@dataclass
class EncryptedRoom:
    """An encrypted room of alice's with bob in it."""

    reel: Installation
    alice: MatrixClient
    bob: MatrixClient
    room_id: str
    viewer: Viewer
    host: str
    open_host: OpenHost
    reader: EncryptedClient
    """Alice on a device that reads what the bot says."""


@pytest.fixture
async def room(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> AsyncIterator[EncryptedRoom]:
    spare.write_config(encryption={"key": "k" * 32})
    async with (
        spare.running(), hosts(spare, alice, bob) as serve,
        open_device(spare.synapse.base_url, alice.user_id, "secret") as reader,
    ):  # fmt: skip
        room_id = await alice.create_room(
            version="12", invite=[spare.bot, bob.user_id], initial_state=[ENCRYPTION], user_levels={spare.bot: 50}
        )
        await bob.join(room_id)
        await wait_for_widget(alice, room_id)
        viewer = await spare.viewer(http, alice, room_id)
        yield EncryptedRoom(spare, alice, bob, room_id, viewer, await serve(room_id), serve, reader)


OpenWidget = Callable[..., Awaitable[MemberWidget]]


@pytest.fixture
async def open_widget(browser: Browser, room: EncryptedRoom) -> AsyncIterator[OpenWidget]:
    async with AsyncExitStack() as stack:

        async def open_as(name: str, width: int, height: int, *, language: str = "en", host: str = "") -> MemberWidget:
            url = f"{host or room.host}?user={name}&layout=widget&lang={language}"
            widget = await stack.enter_async_context(member_widget(browser, url, width, height, has_touch=True))
            await widget.part("app").wait_for()
            return widget

        yield open_as


async def test_a_moderator_turns_videos_on_and_off_again(
    room: EncryptedRoom, open_widget: OpenWidget, clip: Path, screenshots: Path
) -> None:
    alice, bob = await open_widget("alice", 390, 844), await open_widget("bob", 320, 568)
    for each in (alice, bob):
        await expect(each.part("empty")).to_have_attribute("data-empty", "consent")
        await expect(each.part("notice")).to_contain_text("whoever operates this server can watch it")
        # Nobody records what is not taken.
        await each.part("talk").wait_for()
        await expect(each.part("record")).to_have_count(0)
    await expect(bob.part("encryption-others")).to_contain_text("moderators")
    await expect(bob.part("encryption-on")).to_have_count(0)
    await alice.looks_right(screenshots / "consent-moderator-390x844.png")
    await bob.looks_right(screenshots / "consent-member-320x568.png")

    # By keys alone: a question before, which can be left.
    await alice.part("encryption-on").focus()
    await alice.page.keyboard.press("Enter")
    await expect(alice.part("encryption-question")).to_be_visible()
    await expect(alice.part("encryption-cancel")).to_be_focused()
    await alice.looks_right(screenshots / "consent-question-390x844.png")
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("encryption-on")).to_be_focused()
    await alice.page.keyboard.press("Enter")
    await expect(alice.part("encryption-cancel")).to_be_focused()
    await alice.page.keyboard.press("Tab")
    await expect(alice.part("encryption-confirm")).to_be_focused()
    await alice.page.keyboard.press("Enter")
    for each in (alice, bob):
        await expect(each.part("empty")).to_have_attribute("data-empty", "room", timeout=SOON_MS)
        await expect(each.part("encryption")).to_contain_text("this server keeps playable copies")
        await expect(each.part("encryption")).to_contain_text(room.alice.user_id)
        await each.part("record").wait_for()
    await wait_for_notice(room.reader, room.room_id, "turned on videos in this encrypted room")
    assert await alice.frame.evaluate(_FOCUS) == "encryption"
    await expect(bob.part("encryption-off")).to_have_count(0)

    video = await room.viewer.video_in(await room.bob.send_video(room.room_id, clip), "ready")
    for each in (alice, bob):
        await expect(each.part("video")).to_have_count(1)
        await each.part("player").wait_for()
    await alice.looks_right(screenshots / "consent-kept-390x844.png")
    await bob.looks_right(screenshots / "consent-kept-320x568.png")
    for width, height in ((700, 400), (320, 568)):
        await alice.page.set_viewport_size({"width": width, "height": height})
        await alice.looks_right(screenshots / f"consent-kept-{width}x{height}-moderator.png")
    await alice.page.set_viewport_size({"width": 390, "height": 844})

    await alice.part("encryption-off").click()
    question = alice.part("encryption-question")
    await expect(question).to_contain_text("cannot be undone")
    assert await question.evaluate(_INSIDE)
    await alice.looks_right(screenshots / "consent-erase-390x844.png")
    assert await alice.frame.evaluate(SMALL_TARGETS, 24) == []
    await alice.part("encryption-confirm").click()
    for each in (alice, bob):
        await expect(each.part("empty")).to_have_attribute("data-empty", "consent", timeout=SOON_MS)
        await expect(each.part("video")).to_have_count(0)

    async def gone() -> bool:
        return not (room.reel.media / video["id"]).exists()

    await eventually(gone, seconds=WITHIN_S, what="the video's files being gone")
    await wait_for_notice(room.reader, room.room_id, "turned off videos in this encrypted room")


@pytest.mark.parametrize(("language", "words"), [("zh", "加密房间没有开启视频"), ("zh-TW", "加密聊天室沒有開啟影片")])
async def test_it_is_said_in_other_languages_on_a_narrow_screen(
    open_widget: OpenWidget, screenshots: Path, language: str, words: str
) -> None:
    alice = await open_widget("alice", 320, 568, language=language)
    await expect(alice.part("notice")).to_contain_text(words)
    await alice.part("encryption-on").click()
    question = alice.part("encryption-question")
    await alice.part("encryption-confirm").scroll_into_view_if_needed()
    assert await alice.part("encryption-confirm").evaluate(_INSIDE)
    await expect(question).not_to_contain_text(re.compile("widget-"))
    await alice.looks_right(screenshots / f"consent-question-{language}-320x568.png")


@pytest.mark.parametrize("language", ["en", "zh", "zh-TW"])
async def test_on_a_small_screen_nothing_is_out_of_sight(
    open_widget: OpenWidget, screenshots: Path, language: str
) -> None:
    alice, bob = [await open_widget(name, 390, 844, language=language) for name in ("alice", "bob")]
    scrolled = {}
    for prompted in (False, True):
        if prompted:
            await alice.part("encryption-on").click()
            await alice.part("encryption-question").wait_for()
        for width, height in ((280, 300), (320, 400), (390, 844)):
            for name, each in (("moderator", alice), ("member", bob)):
                await each.page.set_viewport_size({"width": width, "height": height})
                await each.looks_right(screenshots / f"consent-small-{language}-{name}-{prompted}-{width}x{height}.png")
                if (hidden := await each.part("notice").evaluate(_HIDDEN)) > 0:
                    scrolled[f"{name}, {width}×{height}, {prompted}"] = hidden
    assert scrolled == {}


async def test_beside_videos_of_before_the_prompt_is_in_sight(
    room: EncryptedRoom, open_widget: OpenWidget, http: aiohttp.ClientSession, clip: Path, screenshots: Path
) -> None:
    room_id = await make_room(room.alice, room.reel, room.bob)
    viewer = await room.reel.viewer(http, room.alice, room_id)
    await viewer.video_in(await room.bob.send_video(room_id, clip), "ready")
    await room.alice.send_state(room_id, "m.room.encryption", MEGOLM)
    alice = await open_widget("alice", 390, 844, host=await room.open_host(room_id))
    await expect(alice.part("encryption")).to_contain_text("Videos are off in this encrypted room")
    await alice.looks_right(screenshots / "consent-since-390x844.png")
    # What bob sent plays on; alice, who sent nothing, is prompted above the strip.
    await alice.frame.locator(f'[data-testid=member][data-member="{room.alice.user_id}"]').click()
    await expect(alice.part("empty")).to_have_attribute("data-empty", "consent")
    for prompted in (False, True):
        if prompted:
            await alice.part("encryption-on").click()
            await alice.part("encryption-question").wait_for()
        for width, height in ((320, 568), (390, 844)):
            await alice.page.set_viewport_size({"width": width, "height": height})
            assert await alice.part("notice").evaluate(_HIDDEN) <= 0, f"{width}, {prompted}"
            await alice.looks_right(screenshots / f"consent-since-own-{prompted}-{width}x{height}.png")


async def test_an_unsent_video_outlives_the_opt_in(room: EncryptedRoom, open_widget: OpenWidget, clip: Path) -> None:
    opt_in = f"/api/v1/rooms/{room.room_id}/opt-in"
    assert (await room.viewer.request("PUT", opt_in))[0] < 300
    alice = await open_widget("alice", 390, 844)
    await alice.part("record").click()
    await alice.part("record-camera").wait_for()
    await alice.frame.locator("input[type=file]").first.set_input_files(clip)
    await alice.part("record-send").wait_for()
    await alice.part("record-close").click()
    await expect(alice.part("record")).to_have_attribute("data-mark", "draft")
    assert (await room.viewer.request("DELETE", opt_in))[0] < 300
    await expect(alice.part("empty")).to_have_attribute("data-empty", "consent", timeout=SOON_MS)
    await alice.part("record").click()
    await expect(alice.part("record-send")).to_be_visible()


async def test_what_fails_can_be_tried_again(room: EncryptedRoom, open_widget: OpenWidget, screenshots: Path) -> None:
    alice = await open_widget("alice", 390, 844)
    await alice.page.route("**/opt-in", lambda route: route.fulfill(status=503, json={"errcode": "M_UNKNOWN"}))
    await alice.part("encryption-on").click()
    await alice.part("encryption-confirm").click()
    await expect(alice.part("encryption-failed")).to_be_visible()
    await alice.page.set_viewport_size({"width": 280, "height": 300})
    await alice.looks_right(screenshots / "consent-failed-280x300.png")
    assert await alice.part("notice").evaluate(_HIDDEN) <= 0
    assert (await room.viewer.room())["encryption"]["opted_in_at"] is None
    await alice.page.unroute("**/opt-in")
    await alice.part("encryption-confirm").click()
    await expect(alice.part("encryption")).to_be_visible()
