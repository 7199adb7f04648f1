"""What was sent before somebody came is kept from them where the room's history visibility says so."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.core.events.changes import Backfilled, BotMembershipChanged, HistoryChanged, MemberChanged, NewVideo
from appservice.core.model import EventId, History, RoomId, UserId
from appservice.core.room import Membership
from appservice.core.web.reels import for_all
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.store import Stores, TimelineStore
from appservice.store.outbox import Pool
from tests.integration.test_timeline import swallowing
from tests.support.clips import with_padding
from tests.support.commands import CommandSender
from tests.support.databases import migrated_pool
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

ALICE, CAROL, BOT = UserId("@alice:example.org"), UserId("@carol:example.org"), UserId("@reel:example.org")
EARLY, LATE = 0, 2**52
"""What a sender's clock may say."""


# In the database


@pytest.fixture(scope="module")
async def pool(create_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("history"), size=3) as pool:
        yield pool


def _member(room_id: RoomId, user_id: UserId, membership: Membership) -> MemberChanged:
    return MemberChanged(room_id, user_id, membership, None, None, EventId(f"${secrets.token_hex(8)}"))


def _video(room_id: RoomId, title: str, sent_at: int, backfilled: Backfilled | None = None) -> NewVideo:
    event_id, mxc = EventId(f"${secrets.token_hex(8)}"), f"mxc://example.org/{secrets.token_hex(8)}"
    video = NewVideo(event_id, room_id, ALICE, title, mxc, None, None, certain=True, sent_at=sent_at)
    return replace(video, backfilled=backfilled)


async def _room(store: Stores, history: History) -> RoomId:
    room_id = RoomId(f"!{secrets.token_hex(8)}:example.org")
    await store.intake.apply([
        BotMembershipChanged(room_id, Membership.JOIN, ALICE), HistoryChanged(room_id, history),
        _member(room_id, ALICE, Membership.JOIN),
    ])  # fmt: skip
    return room_id


async def _seen(store: Stores, room_id: RoomId) -> set[str]:
    """Return what Carol sees."""
    return {video.title for video in await store.videos.readable(await store.videos.room_videos(room_id), CAROL)}


def _expected(steps: tuple[str, ...], history: History) -> set[str]:
    """Return the videos, by the places of their steps, of since Carol is there without a break."""
    there = {"join"} if history is History.JOINED else {"join", "invite"}
    since: int | None = None
    membership = "leave"
    for place, step in enumerate(steps):
        if step != "video":
            if step in there and membership not in there:
                since = place
            membership = step
    return {str(place) for place, step in enumerate(steps) if step == "video" and since is not None and place > since}


@pytest.mark.parametrize("history", [History.JOINED, History.INVITED])
@pytest.mark.parametrize("clock", [EARLY, LATE])
async def test_the_order_of_arrival_decides_and_no_senders_clock(pool: Pool, history: History, clock: int) -> None:
    store = Stores(pool)
    orders = [
        (*steps, "join", "video")
        for steps in product(["invite", "join", "leave", "video"], repeat=4)
        # Nobody invites who is there, and nothing is repeated in a row but videos.
        if not any(pair in {("join", "invite"), ("join", "join"), ("leave", "leave"), ("invite", "invite")}
                   for pair in pairwise(step for step in (*steps, "join") if step != "video"))
    ]  # fmt: skip
    assert len(orders) > 50
    for steps in orders:
        room_id = await _room(store, history)
        await store.intake.apply([
            _video(room_id, str(place), clock) if step == "video" else _member(room_id, CAROL, Membership(step))
            for place, step in enumerate(steps)
        ])  # fmt: skip
        assert await _seen(store, room_id) == _expected(steps, history), steps
        together = for_all(await store.videos.room_videos(room_id), await store.members.joined_members(room_id))
        # Since her own joining, whatever she was invited to.
        assert {video.title for video in together} <= _expected(steps, History.JOINED), steps


async def test_a_membership_that_was_queried_may_be_ahead_of_what_was_sent_before(pool: Pool) -> None:
    store = Stores(pool)
    room_id = await _room(store, History.JOINED)
    # She opened the widget before the transactions with all that arrived.
    assert await store.members.store_member_response(
        _member(room_id, CAROL, Membership.JOIN), await store.installation.now()
    )
    await store.intake.apply([_video(room_id, "before", LATE)])
    assert await _seen(store, room_id) == set()
    await store.intake.apply([_member(room_id, CAROL, Membership.JOIN), _video(room_id, "after", EARLY)])
    assert await _seen(store, room_id) == {"after"}
    # A new name is no new joining.
    await store.intake.apply([_member(room_id, CAROL, Membership.JOIN)])
    assert await _seen(store, room_id) == {"after"}


async def test_what_was_found_by_looking_back_is_shown_to_those_who_were_there_for_certain(pool: Pool) -> None:
    store, timeline = Stores(pool), TimelineStore(pool)

    async def found(room_id: RoomId, since: datetime | None, history: History, title: str) -> None:
        video = _video(room_id, title, LATE, Backfilled(since, history))
        await timeline.take(room_id, [video], newest=None, requested_at=await store.installation.now())

    room_id = await _room(store, History.JOINED)
    before = await store.installation.now()
    await store.intake.apply([_member(room_id, CAROL, Membership.JOIN)])
    after = await store.installation.now()
    await found(room_id, before, History.SHARED, "perhaps before she came")
    await found(room_id, None, History.SHARED, "at any time")
    await found(room_id, after, History.SHARED, "after she came")
    assert await _seen(store, room_id) == {"after she came"}
    # She went and came back meanwhile, as an event says that was lost.
    lost = [(CAROL, EventId("$lost"))]
    await timeline.take(room_id, [], newest=None, requested_at=await store.installation.now(), moved=lost)
    assert await _seen(store, room_id) == set()
    # What was heard of changes nothing.
    heard = _member(room_id, CAROL, Membership.JOIN)
    await store.intake.apply([heard, _video(room_id, "now", EARLY)])
    assert heard.event_id
    moved = [(CAROL, heard.event_id)]
    await timeline.take(room_id, [], newest=None, requested_at=await store.installation.now(), moved=moved)
    assert await _seen(store, room_id) == {"now"}
    # The visibility of then, where it was stricter.
    room_id = await _room(store, History.SHARED)
    await store.intake.apply([_member(room_id, CAROL, Membership.JOIN)])
    await found(room_id, None, History.SHARED, "shared")
    await found(room_id, None, History.JOINED, "joined")
    assert await _seen(store, room_id) == {"shared"}


# In the whole service


async def test_what_was_lost_keeps_the_visibility_that_the_room_had(
    spare: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, bob: MatrixClient,
    clip: Path,
) -> None:  # fmt: skip
    async with await synapse.user(f"newcomer-{secrets.token_hex(4)}") as carol:
        async with spare.running():
            room_id = await make_room(alice, spare, bob)

            async def looked() -> bool:
                query = (
                    "SELECT FROM rooms r JOIN members m USING (room_id) WHERE m.user_id = $1 AND last_event IS NOT NULL"
                )
                return bool(await spare.rows(query, bob.user_id))

            await eventually(looked, what="bob being known, and a first look back")
        async with swallowing(spare) as lost:
            await alice.send_state(room_id, "m.room.history_visibility", {"history_visibility": "joined"})
            video = await alice.send_video(room_id, clip)
            await alice.send_state(room_id, "m.room.history_visibility", {"history_visibility": "shared"})
            shared = await alice.send_video(room_id, clip, body="shared")
            await alice.invite(room_id, carol.user_id)
            await carol.join(room_id)

            async def swallowed() -> bool:
                return {video, shared} <= lost

            await eventually(swallowed, what="the homeserver delivering into nothing")
        async with spare.running():
            hers = await spare.viewer(http, alice, room_id)
            for event_id in (video, shared):
                await hers.video_in(event_id, "ready")
            sees = await spare.viewer(http, carol, room_id)
            assert await sees.video(video) is None


async def _set(user: MatrixClient, reel: Installation, room_id: str, visibility: str) -> None:
    """Set the history visibility of a room, and wait until the service knows."""
    await user.send_state(room_id, "m.room.history_visibility", {"history_visibility": visibility})

    async def known() -> bool:
        rows = await reel.rows("SELECT history FROM rooms WHERE room_id = $1", room_id)
        return [row["history"] for row in rows] == [visibility]

    await eventually(known, what=f"{visibility} being known")


async def _send(user: MatrixClient, room_id: str, sees: Viewer, clip: Path, folder: Path) -> dict[str, Any]:
    """Send a new file, and return the video once it is ready."""
    name = secrets.token_hex(4)
    event_id = await user.send_video(room_id, with_padding(clip, folder / f"{name}.mp4", name.encode()))
    return await sees.video_in(event_id, "ready")


@pytest.mark.parametrize("visibility", ["joined", "invited"])
async def test_newcomers_see_what_was_sent_while_they_were_there(
    reel: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, clip: Path, tmp_path: Path,
    visibility: str,
) -> None:  # fmt: skip
    async with await synapse.user(f"newcomer-{secrets.token_hex(4)}") as user:
        room_id = await make_room(alice, reel)
        hers = await reel.viewer(http, alice, room_id)
        shared = await _send(alice, room_id, hers, clip, tmp_path)
        await _set(alice, reel, room_id, visibility)
        before = await _send(alice, room_id, hers, clip, tmp_path)
        await alice.invite(room_id, user.user_id)

        async def invited() -> bool:
            return bool(await reel.rows(
                "SELECT FROM members WHERE room_id = $1 AND user_id = $2 AND membership = 'invite'",
                room_id, user.user_id,
            ))  # fmt: skip

        await eventually(invited, what="the invitation being known")
        meanwhile = await _send(alice, room_id, hers, clip, tmp_path)
        await user.join(room_id)
        sees = await reel.viewer(http, user, room_id)
        own = await _send(user, room_id, sees, clip, tmp_path)
        after = await _send(alice, room_id, hers, clip, tmp_path)

        kept = [before] if visibility == "invited" else [before, meanwhile]
        shown = [video for video in (shared, before, meanwhile, own, after) if video not in kept]
        assert {video["id"] for video in await sees.videos()} == {video["id"] for video in shown}
        assert len(await hers.videos()) == 5
        await _nothing_is_disclosed_of(reel, sees, CommandSender(user, room_id), hers, kept)
        # What may be seen plays, also in the reels.
        status, room = await sees.get(f"/api/v1/rooms/{room_id}?together=*")
        assert status == 200
        reels = [m["reel_url"] for m in room["members"]] + [room["channel"], room["together"]["reel_url"]]
        for url in reels:
            status, playlist = await sees.fetch(url)
            assert status == 200, url
            folder = url.rpartition("/")[0]
            status, playlist = await sees.fetch(f"{folder}/{_first_line(playlist)}")
            assert status == 200
            assert not [video["id"] for video in kept if video["id"].encode() in playlist], url
        assert {turn["id"] for turn in room["schedule"]["items"]} == {shared["id"], own["id"], after["id"]}

        # A change holds for what is sent from then on.
        await _set(alice, reel, room_id, "shared")
        assert {video["id"] for video in await sees.videos()} == {video["id"] for video in shown}

        # Whoever was away sees nothing of the time between.
        await _set(alice, reel, room_id, visibility)
        await user.leave(room_id)
        away = await _send(alice, room_id, hers, clip, tmp_path)
        await alice.invite(room_id, user.user_id)
        await user.join(room_id)
        again = await reel.viewer(http, user, room_id)
        seen = {video["id"] for video in await again.videos()}
        assert away["id"] not in seen
        assert {shared["id"], own["id"]} <= seen


def _first_line(playlist: bytes) -> str:
    return next(line for line in playlist.decode().splitlines() if line and not line.startswith("#"))


async def _nothing_is_disclosed_of(
    reel: Installation, sees: Viewer, commands: CommandSender, hers: Viewer, kept: list[dict[str, Any]]
) -> None:
    """Try every way to videos whose ids and addresses somebody gave away."""
    base = "/".join(str((await sees.videos())[0]["poster_url"]).split("/")[:4])
    for video in kept:
        for url in (video["poster_url"], video["playlist_url"], video["storyboard_url"], video["preview_url"]):
            if url is None:
                continue
            path = "/".join(url.split("/")[4:])
            assert (await hers.fetch(url))[0] == 200
            assert (await sees.fetch(f"{base}/{path}"))[0] == 404, path
        headers = {"Authorization": f"Bearer {sees.token}"}
        for method, path, body in (("PATCH", "", {"title": "x"}), ("DELETE", "", None), ("POST", "/report", {})):
            async with sees.http.request(
                method, f"{reel.url}/api/v1/videos/{video['id']}{path}", headers=headers, json=body
            ) as response:
                assert response.status == 404, (method, path)
        number = f"#{video['id'].replace('-', '')[:8]}"
        assert "no video" in (await commands(f"!reel play {number}")).text.lower()
