"""In Chromium: of a large room what shows is loaded, and the rest where somebody scrolls or looks for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Route, expect

from appservice.demo.client import MatrixClient
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.large_room import copy_video
from tests.support.member_widget import MemberWidget, member_widget
from tests.support.rooms import make_room
from tests.support.waiting import eventually

BOBS, ALICES = 130, 60
SOON_MS = 30_000
_SCROLL = """async () => {
    const list = document.querySelector('.videos-scroll');
    const frame = () => new Promise(requestAnimationFrame);
    for (let still = 0; still < 60; still += 1) {
        const before = list.scrollTop;
        list.scrollTop += 400;
        await frame();
        if (list.scrollTop !== before || document.querySelector('[data-testid=rows-more]')) still = 0;
    }
}"""
_WATCHED = """() => {
    window.stops = [];
    for (const event of ['pause', 'emptied', 'error'])
        document.addEventListener(event, ({target}) => window.stops.push(`${event} at ${target.currentTime}`), true);
}"""
_PLACES = """() => [...document.querySelectorAll('[data-testid=video]')].map((row) => Number(row.ariaPosInSet))"""


@dataclass
class LargeRoom:
    """A room where bob sent more than the room's first response holds, and alice some more."""

    reel: Installation
    alice: MatrixClient
    bob: MatrixClient
    room_id: str
    host: str

    async def bobs(self) -> list[str]:
        """Return the titles of bob's videos in their order."""
        rows = await self.reel.rows(
            "SELECT title FROM videos WHERE room_id = $1 AND sender = $2 ORDER BY position, sent_at, id",
            self.room_id, self.bob.user_id,
        )  # fmt: skip
        return [row["title"] for row in rows]


@pytest.fixture
async def large_room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    open_host: OpenHost,
) -> LargeRoom:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    video = await viewer.video_in(await bob.send_video(room_id, clip), "ready")
    await copy_video(reel, video["id"], [bob.user_id], BOBS - 1)
    await copy_video(reel, video["id"], [alice.user_id], ALICES)
    return LargeRoom(reel, alice, bob, room_id, await open_host(room_id))


@pytest.fixture
async def widget(browser: Browser, large_room: LargeRoom) -> AsyncIterator[MemberWidget]:
    async with member_widget(browser, f"{large_room.host}?user=bob&layout=widget", 390, 844) as opened:
        yield opened


async def _select(widget: MemberWidget, user_id: str) -> None:
    await widget.frame.locator(f'[data-testid=member][data-member="{user_id}"]').click()
    await widget.frame.locator(f'[data-testid=player][data-reel="{user_id}"]:not([data-video-id=""])').wait_for()
    # What manages videos is loaded last.
    await widget.frame.locator(".toasts").wait_for(state="attached")


def _at(widget: MemberWidget, place: int) -> str:
    return f'[data-testid=video][aria-posinset="{place}"]'


async def test_a_list_is_loaded_where_it_is_scrolled_to(
    widget: MemberWidget, large_room: LargeRoom, screenshots: Path
) -> None:
    bob, frame = large_room.bob.user_id, widget.frame
    await expect(frame.locator(f'[data-member="{bob}"] .badge')).to_have_text(str(BOBS))
    await expect(frame.locator('[data-member="*"] .badge')).to_have_text(str(BOBS + ALICES))
    await _select(widget, bob)
    await expect(frame.locator(_at(widget, 1))).to_have_attribute("aria-setsize", str(BOBS))
    assert max(await frame.evaluate(_PLACES)) <= 50
    await widget.looks_right(screenshots / "large-390x844.png")
    await frame.evaluate(_SCROLL)
    last = frame.locator(_at(widget, BOBS))
    await expect(last).to_contain_text(f"Video {BOBS - 1}")
    places = await frame.evaluate(_PLACES)
    assert places == list(range(places[0], BOBS + 1))
    await last.locator(".row-body").click()
    await expect(last).to_have_attribute("data-current", "true")
    # A bookmark leads back to it, without the pages before it.
    await expect(frame.locator("[data-testid=player][data-playing=true]")).to_be_visible()


async def test_keys_lead_to_both_ends_and_an_order_is_of_the_whole_list(
    widget: MemberWidget, large_room: LargeRoom
) -> None:
    frame, keys, pressed = widget.frame, widget.page.keyboard, asyncio.Event()

    async def hold(route: Route) -> None:
        await pressed.wait()
        await asyncio.sleep(0.5)
        await route.continue_()

    await _select(widget, large_room.bob.user_id)
    await frame.locator(_at(widget, 2)).locator(".row-body").focus()
    await keys.press("End")
    await expect(frame.locator(_at(widget, BOBS)).locator(".row-body")).to_be_focused()
    # All are known by now, and what shows from the begin on is only a part of the list until its next page is there.
    await widget.page.route("**/videos?*&after=*", hold)
    await keys.press("ArrowUp")
    await expect(frame.locator(_at(widget, BOBS - 1)).locator(".row-body")).to_be_focused()
    await keys.press("Home")
    await expect(frame.locator(_at(widget, 1)).locator(".row-body")).to_be_focused()
    await frame.locator(_at(widget, 2)).locator(".row-body").focus()
    await keys.press("Alt+End")
    pressed.set()

    async def moved() -> bool:
        titles = await large_room.bobs()
        return titles[-1] == "Video 1" and titles[1:3] == ["Video 2", "Video 3"] and len(titles) == BOBS

    await eventually(moved, what="the first video being the last")
    last = frame.locator(_at(widget, BOBS))
    await expect(last).to_contain_text("Video 1")
    await expect(last.locator(".row-body")).to_be_focused()
    # The list follows what plays, but not away from where the keyboard is.
    for _ in range(2):
        playing = await widget.part("player").get_attribute("data-video-id")
        await expect(widget.part("player")).not_to_have_attribute("data-video-id", str(playing))
    await expect(last.locator(".row-body")).to_be_focused()
    await expect(last).to_be_in_viewport()


async def test_a_row_that_goes_leaves_the_focus_to_its_neighbour(
    widget: MemberWidget, large_room: LargeRoom, http: aiohttp.ClientSession
) -> None:
    frame = widget.frame
    moderator = await large_room.reel.viewer(http, large_room.alice, large_room.room_id)
    await _select(widget, large_room.bob.user_id)
    row = frame.locator(_at(widget, 9))
    await expect(row).to_contain_text("Video 8")
    video_id = await row.get_attribute("data-video-id")
    await row.locator(".row-body").focus()
    assert (await moderator.request("DELETE", f"/api/v1/videos/{video_id}"))[0] == 200
    await expect(row).to_contain_text("Video 9")
    await expect(row.locator(".row-body")).to_be_focused()


async def test_what_is_searched_for_is_found_wherever_it_is(widget: MemberWidget, large_room: LargeRoom) -> None:
    frame = widget.frame
    await _select(widget, large_room.bob.user_id)
    await widget.part("find").fill("video 12")
    # 12, 112, and 120 to 129
    await expect(widget.part("video")).to_have_count(12, timeout=SOON_MS)
    await widget.part("find").fill("")
    await expect(frame.locator(_at(widget, 1))).to_have_attribute("aria-setsize", str(BOBS))


async def test_what_others_change_is_seen(
    widget: MemberWidget, large_room: LargeRoom, http: aiohttp.ClientSession
) -> None:
    frame, reel = widget.frame, large_room.reel
    moderator = await reel.viewer(http, large_room.alice, large_room.room_id)
    await _select(widget, large_room.bob.user_id)
    row = frame.locator(_at(widget, 3))
    await expect(row).to_contain_text("Video 2")
    video_id = await row.get_attribute("data-video-id")
    # One that this widget does not know is moved in front of it.
    (last,) = await reel.rows(
        "SELECT id::text FROM videos WHERE room_id = $1 AND sender = $2 ORDER BY position DESC LIMIT 1",
        large_room.room_id, large_room.bob.user_id,
    )  # fmt: skip
    status, _ = await moderator.request("PATCH", f"/api/v1/videos/{video_id}", {"title": "Renamed"})
    assert status == 200
    await expect(row).to_contain_text("Renamed")
    path = f"/api/v1/rooms/{large_room.room_id}/members/{large_room.bob.user_id}/order"
    status, _ = await moderator.request("PUT", path, {"videos": [last["id"]]})
    assert status == 200
    await expect(frame.locator(_at(widget, 1))).to_contain_text(f"Video {BOBS - 1}")
    await expect(frame.locator(_at(widget, 4))).to_contain_text("Renamed")
    # What goes is gone, here and in the counts.
    status, _ = await moderator.request("DELETE", f"/api/v1/videos/{video_id}")
    assert status == 200
    await expect(frame.locator(_at(widget, 1))).to_have_attribute("aria-setsize", str(BOBS - 1))
    await expect(frame.get_by_text("Renamed")).to_have_count(0)


async def test_who_comes_back_is_where_they_were(widget: MemberWidget, large_room: LargeRoom) -> None:
    frame = widget.frame
    await _select(widget, large_room.bob.user_id)
    await frame.locator(_at(widget, 2)).locator(".row-body").focus()
    await widget.page.keyboard.press("End")
    row = frame.locator(_at(widget, BOBS))
    await row.locator(".row-body").click()
    await expect(row).to_have_attribute("data-current", "true")
    await frame.locator("[data-testid=player]").press("k")
    video_id = await row.get_attribute("data-video-id")

    async def saved() -> bool:
        places = await large_room.reel.rows("SELECT place FROM places WHERE user_id = $1", large_room.bob.user_id)
        return any(str(video_id) in str(place["place"]) for place in places)

    await eventually(saved, what="the place being saved")
    # Where nothing plays by itself, what is current stays so to be looked at.
    await widget.page.emulate_media(reduced_motion="reduce")
    await widget.page.reload()
    frame_locator = widget.page.frame_locator("iframe[data-testid=widget]")
    again = frame_locator.locator(_at(widget, BOBS))
    await expect(again).to_have_attribute("data-current", "true")
    await expect(again).to_be_in_viewport()


async def test_who_has_other_rights_stays_where_they_are(widget: MemberWidget, large_room: LargeRoom) -> None:
    bob, frame, reel = large_room.bob.user_id, widget.frame, large_room.reel
    await _select(widget, bob)
    await frame.locator(_at(widget, 2)).locator(".row-body").focus()
    await widget.page.keyboard.press("End")
    row = frame.locator(_at(widget, 120))
    await row.locator(".row-body").click()
    await expect(row).to_have_attribute("data-current", "true")
    await frame.locator(_at(widget, 110)).locator("[data-testid=more]").click()
    await frame.evaluate(_WATCHED)
    title = await frame.locator(_at(widget, 112)).inner_text()
    # Everything begins anew: bob may not order his videos any more, while his menu is open.
    async with widget.page.expect_response("**/videos?of=*&around=*"):
        await reel.rows(
            """UPDATE rooms SET power_levels = power_levels || '{"ban": 99}' WHERE room_id = $1""", large_room.room_id
        )
    await expect(frame.locator("[role=menu]")).to_be_visible()
    await expect(frame.locator(_at(widget, 112))).to_have_text(title, use_inner_text=True)
    await expect(frame.locator(_at(widget, 112))).to_be_in_viewport()
    assert await frame.evaluate("() => window.stops") == []
    await expect(frame.locator("[data-testid=player]")).to_have_attribute("data-reel", bob)


async def test_a_page_that_does_not_come_is_requested_again(widget: MemberWidget, large_room: LargeRoom) -> None:
    frame, context = widget.frame, widget.page.context
    await _select(widget, large_room.bob.user_id)

    async def fail(route: Route) -> None:
        await route.abort()

    await context.route("**/videos?*", fail)
    await frame.locator(".videos-scroll").evaluate("list => list.scrollTop = list.scrollHeight")
    await expect(widget.part("rows-failed")).to_be_visible()
    await context.unroute("**/videos?*", fail)
    await widget.part("rows-retry").click()
    await expect(widget.part("rows-failed")).to_have_count(0)
    await frame.evaluate(_SCROLL)
    await expect(frame.locator(_at(widget, BOBS))).to_be_visible()


async def test_whose_list_shows_leaves(widget: MemberWidget, large_room: LargeRoom) -> None:
    alice, frame = large_room.alice.user_id, widget.frame
    await _select(widget, alice)
    await large_room.alice.leave(large_room.room_id)
    await expect(frame.locator(f'[data-member="{alice}"]')).to_have_count(0)
    await expect(frame.locator('[data-member="*"] .badge')).to_have_text(str(BOBS))
    await frame.locator(f'[data-testid=player][data-playing=true]:not([data-reel="{alice}"])').wait_for()
