"""In Chromium: moderators watch what they judge before they do, and members see none of it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.member_widget import MemberWidget, member_widget
from tests.support.rooms import make_room, wait_for_notice
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

SOON_MS = 15_000
_PLAYS = "(video) => !video.paused && video.currentTime > 0.2 && video.videoWidth > 0"
_HEIGHTS = "(all) => all.map((each) => each.getBoundingClientRect().height)"


def _counted(count: int, words: str) -> re.Pattern[str]:
    """Match a count, which stands in bidirectional isolates, and what it counts."""
    return re.compile(f"^\u2068?{count}\u2069? {words}$")


@dataclass
class RoomWithHeldVideos:
    """A room in which alice decides on what bob sends: two videos of his wait."""

    reel: Installation
    alice: MatrixClient
    bob: MatrixClient
    room_id: str
    host: str
    judge: Viewer
    sender: Viewer
    events: list[str]


@pytest.fixture
async def held_room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    tmp_path: Path, open_host: OpenHost,
) -> RoomWithHeldVideos:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    await alice.send_text(room_id, "!reel room hold all")
    await wait_for_notice(alice, room_id, "hold is all now")
    judge, sender = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    files = [with_padding(clip, tmp_path / f"{name}.mp4", f"{room_id}{name}".encode()) for name in ("lake", "sea")]
    events = [await bob.send_video(room_id, file) for file in files]
    for event_id in events:
        assert (await judge.video_in(event_id, "ready"))["visibility"] == "held"
    return RoomWithHeldVideos(reel, alice, bob, room_id, await open_host(room_id), judge, sender, events)


OpenWidget = Callable[..., Awaitable[MemberWidget]]


@pytest.fixture
async def open_widget(browser: Browser, held_room: RoomWithHeldVideos) -> AsyncIterator[OpenWidget]:
    async with AsyncExitStack() as stack:

        async def open_as(name: str, *, touch: bool = False, language: str = "en") -> MemberWidget:
            url = f"{held_room.host}?user={name}&layout=widget&lang={language}"
            opened = member_widget(browser, url, 320, 640, has_touch=touch, is_mobile=touch)
            widget = await stack.enter_async_context(opened)
            await widget.frame.locator(f'[data-testid=member][data-member="{held_room.bob.user_id}"]').click()
            await widget.frame.locator(".toasts").wait_for(state="attached")
            return widget

        yield open_as


async def test_a_moderator_watches_and_decides(
    held_room: RoomWithHeldVideos, open_widget: OpenWidget, screenshots: Path
) -> None:
    alice, bob = await open_widget("alice"), await open_widget("bob")
    # The sender sees that it waits, and has neither its poster nor what decides on it.
    await expect(bob.row("lake").locator(".row-state")).to_have_text("Waiting for approval by a moderator")
    await expect(bob.frame.locator(".thumb img")).to_have_count(0)
    await expect(bob.frame.locator(".queue-button")).to_have_count(0)
    await bob.row("lake").locator("[data-testid=more]").click()
    await expect(bob.frame.locator("[data-testid=menu] [role=menuitem]").first).to_be_visible()
    items = await bob.frame.locator("[data-testid=menu] [role=menuitem]").all_inner_texts()
    assert not {"Review…", "Approve", "Block…"} & set(items), items
    await expect(bob.part("empty")).to_have_attribute("data-empty", "withheld")

    queue = alice.part("queue-waiting")
    await expect(queue).to_have_text(_counted(2, "wait for approval"))
    await expect(alice.row("lake").locator(".thumb img")).to_be_visible()
    await alice.looks_right(screenshots / "moderating-queue-320x640.png")
    await queue.click()
    review = alice.part("review")
    video = alice.part("review-video")
    await expect(review).to_contain_text("lake")
    assert "/poster.jpg" in (await video.get_attribute("poster") or "")
    await video.evaluate("(video) => void video.play()")

    async def plays() -> bool:
        return bool(await video.evaluate(_PLAYS))

    await eventually(plays, what="the held video playing to the moderator")
    await alice.looks_right(screenshots / "moderating-review-320x640.png")
    await alice.part("review-approve").click()
    await expect(bob.row("lake")).to_have_attribute("data-visibility", "shown", timeout=SOON_MS)
    await expect(queue).to_have_text(_counted(1, "waits for approval"), timeout=SOON_MS)

    # The other one by keys alone: rejected by mistake, undone, and rejected with a reason.
    await queue.focus()
    for reason in ("the wrong one", "much too dark"):
        await alice.page.keyboard.press("Enter")
        await expect(review).to_contain_text("sea")
        await alice.part("review-reject").focus()
        await alice.page.keyboard.press("Enter")
        await expect(alice.part("reason")).to_be_focused()
        await alice.page.keyboard.type(reason)
        await alice.page.keyboard.press("Tab")
        await alice.page.keyboard.press("Tab")
        await alice.page.keyboard.press("Enter")
        await expect(review).to_have_count(0)
        await expect(bob.row("sea")).to_have_count(0, timeout=SOON_MS)
        if reason == "the wrong one":
            await alice.page.keyboard.press("Control+z")
            await expect(bob.row("sea")).to_have_attribute("data-visibility", "held", timeout=SOON_MS)
            await queue.focus()
    await expect(queue).to_have_count(0)
    notice = await wait_for_notice(held_room.bob, held_room.room_id, "did not accept", thread=held_room.events[1])
    assert notice == "A moderator did not accept your video “sea”. The reason: much too dark"


async def test_members_are_refused_what_moderators_do(held_room: RoomWithHeldVideos) -> None:
    held = await held_room.judge.video(held_room.events[0])
    own = await held_room.sender.video(held_room.events[0])
    assert held
    assert own
    assert (own["poster_url"], own["playlist_url"], own["preview_url"]) == (None, None, None)
    path = f"/api/v1/videos/{own['id']}"
    for action in ("reject", "block"):
        assert (await held_room.sender.request("POST", f"{path}/{action}", {"reason": ""}))[0] == 403
    assert (await held_room.sender.request("PATCH", path, {"visibility": "shown"}))[0] == 403
    assert (await held_room.sender.get(f"{path}/reports"))[0] == 403
    assert (await held_room.judge.video(held_room.events[0]) or {})["visibility"] == "held"


async def test_reports_are_read_and_what_is_blocked_goes(
    held_room: RoomWithHeldVideos, open_widget: OpenWidget, screenshots: Path
) -> None:
    lake, sea = [(await held_room.judge.video(event_id) or {})["id"] for event_id in held_room.events]
    for video_id in (lake, sea):
        assert (await held_room.judge.request("PATCH", f"/api/v1/videos/{video_id}", {"visibility": "shown"}))[0] == 200
    # A moderator's report is one as well, and the only other member sent it.
    for video_id, reason in ((lake, "Far too loud"), (sea, "")):
        assert (await held_room.judge.request("POST", f"/api/v1/videos/{video_id}/report", {"reason": reason}))[
            0
        ] == 200
    alice = await open_widget("alice", touch=True, language="zh")
    queue = alice.part("queue-reported")
    await expect(queue).to_have_text(_counted(2, "个被举报"))
    await queue.tap()
    reports = alice.part("review-reports")
    await expect(reports.locator("li")).to_have_text(["Far too loud"])
    assert held_room.alice.user_id not in await alice.part("review").inner_text()
    assert min(await alice.frame.locator(".verdict .pill, .queue-button").evaluate_all(_HEIGHTS)) >= 44
    await alice.looks_right(screenshots / "moderating-reports-zh-320x640.png")
    await alice.part("review-dismiss").tap()
    await expect(queue).to_have_text(_counted(1, "个被举报"), timeout=SOON_MS)
    await queue.tap()
    await expect(reports.locator("li")).to_have_text(["未说明原因"])
    await alice.part("review-block").tap()
    await alice.part("reason").fill("spam")
    await alice.part("confirm").tap()
    # The other one shows the same frames: it goes as a copy, as soon as both fingerprints are known.
    await expect(alice.row("sea")).to_have_count(0, timeout=SOON_MS)

    async def blocked() -> bool:
        rows = await held_room.reel.rows("SELECT reason FROM blocks WHERE room_id = $1", held_room.room_id)
        return [row["reason"] for row in rows] == ["spam"]

    await eventually(blocked, what="the file being blocked")


async def test_each_sees_who_hid_it(held_room: RoomWithHeldVideos, open_widget: OpenWidget) -> None:
    lake, sea = [(await held_room.judge.video(event_id) or {})["id"] for event_id in held_room.events]
    for video_id in (lake, sea):
        assert (await held_room.judge.request("PATCH", f"/api/v1/videos/{video_id}", {"visibility": "shown"}))[0] == 200
    assert (await held_room.judge.request("PATCH", f"/api/v1/videos/{lake}", {"visibility": "hidden"}))[0] == 200
    assert (await held_room.sender.request("PATCH", f"/api/v1/videos/{sea}", {"visibility": "hidden"}))[0] == 200
    alice, bob = await open_widget("alice"), await open_widget("bob")
    for widget, title, words, watches in (
        (alice, "lake", "Hidden by you", True),
        (alice, "sea", "Hidden by its sender", False),
        (bob, "lake", "Hidden by a moderator", False),
        (bob, "sea", "Hidden by you", True),
    ):
        await expect(widget.row(title).locator(".row-state")).to_have_text(words)
        await expect(widget.row(title).locator("button.row-body")).to_have_count(int(watches))
        await expect(widget.row(title).locator(".thumb img")).to_have_count(int(watches))
    await bob.row("sea").locator("button.row-body").click()
    await bob.part("review-show").click()
    await expect(alice.row("sea")).to_have_attribute("data-visibility", "shown", timeout=SOON_MS)
    await expect(bob.part("review")).to_have_count(0)
