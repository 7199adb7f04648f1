"""The store on a real PostgreSQL: what is written together, what wins a race, what a late worker may not do."""

import asyncio
import dataclasses
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from appservice.core.errors import UnavailableError
from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    MemberChanged,
    NewVideo,
    PowerChanged,
    Redacted,
    RoomEncrypted,
    RoomNamed,
    RoomReplaced,
    VideoEdited,
)
from appservice.core.model import (
    EncryptedFile,
    EventId,
    HeldFor,
    LowerRungs,
    RoomId,
    State,
    UserId,
    Video,
    VideoId,
    Visibility,
    Work,
)
from appservice.core.room import Membership, Snapshot
from appservice.core.rules.video_permissions import VideoChange, Viewer
from appservice.core.tokens import GrantScope
from appservice.service.videos import VideoService
from appservice.store import AdminStore, Published, Stores, UnderWay, open_pool
from appservice.store.outbox import CHANNEL, PROGRESS_CHANNEL, Pool
from appservice.store.sql import BoundQuery, query
from tests.support.databases import apply_migrations, waits_for_lock
from tests.support.factories import ALICE, BOB, ROOM, rendition
from tests.support.waiting import eventually
from transcode.hls.captions import Captions
from transcode.storyboard import Storyboard

BOT = UserId("@reel:example.org")
OTHER = RoomId("!other:example.org")
FILE = EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"h" * 32)


@pytest.fixture(scope="module")
async def dsn(create_database: Callable[[str], Awaitable[str]]) -> str:
    dsn = await create_database("store")
    await apply_migrations(dsn)
    return dsn


@pytest.fixture(scope="module")
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await open_pool(dsn, size=5) as pool:
        yield pool


@pytest.fixture
async def store(pool: Pool) -> Stores:
    await pool.execute("TRUNCATE seen_events, rooms, members, videos, secrets, pgqueuer, pgqueuer_log CASCADE")
    return Stores(pool)


def new_video(number: int = 1, **changes: object) -> NewVideo:
    change = NewVideo(
        event_id=EventId(f"$event{number}"), room_id=ROOM, sender=ALICE, title=f"Video {number}",
        mxc="mxc://example.org/a", encrypted_file=None, claimed_size=5, certain=True, sent_at=number,
    )  # fmt: skip
    return dataclasses.replace(change, **changes)  # type: ignore[arg-type] # the fields' own types


def member(user_id: UserId, membership: Membership = Membership.JOIN, name: str | None = None) -> MemberChanged:
    return MemberChanged(ROOM, user_id, membership, name, None)


async def jobs(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    return [(row["entrypoint"], row["payload"].decode()) for row in rows]


async def one_video(store: Stores, number: int = 1, **changes: object) -> Video:
    await store.intake.apply([member(ALICE), new_video(number, **changes)])
    (video,) = [v for v in await store.videos.room_videos(ROOM) if v.event_id == f"$event{number}"]
    return video


async def started(store: Stores, video: Video) -> Video:
    attempt = await store.attempts.begin_attempt(video.id)
    assert attempt
    return attempt


def published(state: State = State.READY, stage: str = "1-ready") -> Published:
    return Published(state, stage, 5.0, 854, 480, True, [rendition(), rendition("240", width=426, height=240)])


async def again(store: Stores, video: Video) -> Video:
    found = await store.videos.video(video.id)
    assert found
    return found


# Transactions from the homeserver


async def test_every_change_is_stored_with_its_job(store: Stores, pool: Pool) -> None:
    changes: list[Change] = [
        BotMembershipChanged(ROOM, Membership.INVITE, ALICE),
        member(ALICE, name="Alice"),
        RoomNamed(ROOM, "The den"),
        PowerChanged(ROOM, {"users": {ALICE: 100}}),
        RoomReplaced(ROOM, OTHER),
        new_video(encrypted_file=FILE, claimed_size=None, certain=False),
        RoomEncrypted(ROOM),
    ]
    assert await store.intake.apply(changes) == 0
    room = await store.rooms.room(ROOM)
    assert room
    assert (room.name, room.bot_membership, room.inviter) == ("The den", Membership.INVITE, ALICE)
    assert (room.power_levels, room.encrypted, room.replaced_by) == ({"users": {ALICE: 100}}, True, OTHER)
    assert [(m.user_id, m.display_name) for m in await store.members.joined_members(ROOM)] == [(ALICE, "Alice")]
    (video,) = await store.videos.room_videos(ROOM)
    assert (video.file.encrypted_file, video.file.claimed_size, video.file.certain) == (FILE, None, False)
    assert (video.state, video.visibility, video.work.attempts, video.created_at) == (
        State.QUEUED,
        Visibility.SHOWN,
        0,
        1,
    )
    assert await jobs(pool) == [*[("room", ROOM)] * 3, ("video", video.id), ("room", ROOM)]


async def test_a_transaction_that_breaks_in_the_middle_leaves_nothing(store: Stores, pool: Pool) -> None:
    # The connection ends as the second of three changes is written.
    await pool.execute(
        "CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
    )
    try:
        await pool.execute(
            "CREATE TRIGGER naming BEFORE UPDATE OF name ON rooms FOR EACH ROW EXECUTE FUNCTION end_connection()"
        )
        with pytest.raises(UnavailableError):
            await store.intake.apply([new_video(1), RoomNamed(ROOM, "x"), new_video(2)])
        assert await store.rooms.room(ROOM) is None
        assert await jobs(pool) == []
    finally:
        await pool.execute("DROP FUNCTION end_connection CASCADE")
    await store.intake.apply([new_video(1), RoomNamed(ROOM, "x"), new_video(2)])
    assert len(await store.videos.room_videos(ROOM)) == 2


async def test_an_event_is_taken_once_however_often_it_comes(store: Stores, pool: Pool) -> None:
    await store.intake.apply([new_video(), new_video()])
    await store.intake.apply([new_video(title="Another text")])
    await asyncio.gather(*(store.intake.apply([new_video(), new_video(2)]) for _ in range(4)))
    assert [video.title for video in await store.videos.room_videos(ROOM)] == ["Video 1", "Video 2"]
    assert [job for job, _ in await jobs(pool)] == ["video", "video"]


async def test_transactions_in_each_others_way_may_come_again(store: Stores) -> None:
    forth: list[Change] = [new_video(1), new_video(2, room_id=OTHER), *(member(UserId(f"@{n}:x")) for n in range(20))]
    for _ in range(3):
        # PostgreSQL ends one of two that wait for each other; the homeserver sends it again.
        results = await asyncio.gather(
            store.intake.apply(forth), store.intake.apply(forth[::-1]), return_exceptions=True
        )
        assert 0 in results
        assert all(result == 0 or isinstance(result, UnavailableError) for result in results), results
    assert await store.intake.apply(forth) == 0
    assert len(await store.members.joined_members(ROOM)) == 20


@pytest.mark.parametrize(
    "poison",
    [
        new_video(9, title="nul \x00"),
        new_video(9, title="half \ud800 a character"),
        new_video(9, claimed_size=2**63),
        new_video(9, sent_at=2**63),
        RoomNamed(ROOM, "\x00"),
        PowerChanged(ROOM, {"a": "\x00"}),
        PowerChanged(ROOM, {"a": float("nan")}),
        PowerChanged(ROOM, {"a": "\ud800"}),
        MemberChanged(ROOM, UserId("@\x00:x"), Membership.JOIN, None, None),
        RoomNamed(RoomId("!" + "x" * 8100), "too long for an announcement"),
    ],
    ids=repr,
)
async def test_a_poisonous_change_does_not_block_the_others(store: Stores, pool: Pool, poison: Change) -> None:
    assert await store.intake.apply([new_video(1), poison, new_video(2)]) == 1
    assert [video.event_id for video in await store.videos.room_videos(ROOM)] == ["$event1", "$event2"]
    assert [job for job, _ in await jobs(pool)] == ["video", "video"]


async def test_what_was_refused_leaves_no_room_behind(store: Stores) -> None:
    assert await store.intake.apply([RoomNamed(OTHER, "\x00")]) == 1
    assert await store.rooms.room(OTHER) is None


async def test_a_time_in_the_future_becomes_now(store: Stores) -> None:
    now_ms = (await store.installation.now()).timestamp() * 1000
    late = await one_video(store, 1, sent_at=2**53 - 1)
    assert abs(late.created_at - now_ms) < 60_000
    await one_video(store, 2, sent_at=1000)
    assert [video.event_id for video in await store.videos.room_videos(ROOM)] == ["$event2", "$event1"]


async def test_listeners_hear_of_a_change_once_it_is_there(store: Stores, dsn: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.add_listener(CHANNEL, lambda *call: heard.put_nowait(str(call[3])))
        await store.intake.apply([new_video(), RoomNamed(OTHER, "x")])
        async with asyncio.timeout(5):
            assert {await heard.get(), await heard.get()} == {ROOM, OTHER}
    finally:
        await connection.close()


# Rooms and members


async def _tended(store: Stores) -> Stores:
    await store.intake.apply([BotMembershipChanged(ROOM, Membership.JOIN, ALICE), member(ALICE), member(BOB)])
    return store


async def _snapshot(store: Stores, *members: UserId, name: str = "From the snapshot", seconds: float = 0) -> Snapshot:
    return Snapshot(
        room_id=ROOM, name=name, power_levels={"users": {BOT: 50}}, creators=[ALICE], encrypted=None,
        members=[(user_id, "Snapshot name", None) for user_id in members],
        banned=frozenset(),
        read_at=await store.installation.now() + timedelta(seconds=seconds),
    )  # fmt: skip


async def test_a_snapshot_is_taken_over(store: Stores) -> None:
    await _tended(store)
    await store.rooms.save_snapshot(await _snapshot(store, ALICE, UserId("@new:example.org")))
    room = await store.rooms.room(ROOM)
    assert room
    wanted: tuple[object, ...] = ("From the snapshot", {"users": {BOT: 50}}, frozenset({ALICE}))
    assert (room.name, room.power_levels, room.creators) == wanted
    assert {m.user_id: m.display_name for m in await store.members.joined_members(ROOM)} == {
        ALICE: "Snapshot name", "@new:example.org": "Snapshot name",
    }  # fmt: skip
    assert await store.members.member_key(ROOM, BOB) is None


async def test_events_after_a_snapshot_was_read_win(store: Stores) -> None:
    await _tended(store)
    carol = UserId("@carol:example.org")
    snapshot = await _snapshot(store, ALICE, BOB)
    await store.intake.apply([
        RoomNamed(ROOM, "Newer"), member(ALICE, Membership.LEAVE), member(BOB, name="Newer"), member(carol),
    ])  # fmt: skip
    await store.rooms.save_snapshot(snapshot)
    room = await store.rooms.room(ROOM)
    assert room
    assert room.name == "Newer"
    # What no event changed since is taken over all the same.
    assert room.power_levels == {"users": {BOT: 50}}
    assert {m.user_id: m.display_name for m in await store.members.joined_members(ROOM)} == {BOB: "Newer", carol: None}


async def test_a_newer_snapshot_lets_nobody_in_that_left_meanwhile(store: Stores) -> None:
    await _tended(store)
    old, new = await _snapshot(store, ALICE, BOB), await _snapshot(store, BOB, seconds=0.001)
    await asyncio.sleep(0.01)
    await store.rooms.save_snapshot(new)
    await store.rooms.save_snapshot(old)
    assert [m.user_id for m in await store.members.joined_members(ROOM)] == [BOB]


async def test_encryption_cannot_be_turned_off(store: Stores) -> None:
    await store.intake.apply([RoomEncrypted(ROOM)])
    await store.rooms.save_snapshot(await _snapshot(store, ALICE))
    room = await store.rooms.room(ROOM)
    assert room
    assert room.encrypted


async def test_only_who_is_in_the_room_with_the_bot_may_look(store: Stores) -> None:
    await _tended(store)
    key = await store.members.member_key(ROOM, ALICE)
    room = await store.rooms.room(ROOM)
    assert room
    assert key
    assert await store.members.viewer(GrantScope(room.key, key)) == (ROOM, ALICE)
    assert await store.members.viewer(GrantScope(room.key + 1, key)) is None
    assert await store.members.viewer(GrantScope(room.key, key + 1000)) is None
    await store.intake.apply([member(ALICE, Membership.BAN)])
    assert await store.members.viewer(GrantScope(room.key, key)) is None
    assert await store.members.member_key(ROOM, ALICE) is None
    await store.intake.apply([member(ALICE)])
    assert await store.members.member_key(ROOM, ALICE) == key
    await store.intake.apply([BotMembershipChanged(ROOM, Membership.LEAVE, ALICE)])
    assert await store.members.viewer(GrantScope(room.key, key)) is None
    assert await store.members.member_key(ROOM, ALICE) is None


async def test_whom_a_policy_list_bans_may_look_no_longer(store: Stores, pool: Pool) -> None:
    await _tended(store)
    key = await store.members.member_key(ROOM, ALICE)
    room = await store.rooms.room(ROOM)
    assert room
    assert key
    assert await store.members.viewer(GrantScope(room.key, key))
    await pool.execute("INSERT INTO policy_lists (room_id, added_by) VALUES ('!bans', 'x')")
    await pool.execute(
        "INSERT INTO policy_rules (room_id, event_type, state_key, subject, entity)"
        " VALUES ('!bans', 'm.policy.rule.user', 'r', 'user', $1)",
        ALICE,
    )
    try:
        assert await store.members.viewer(GrantScope(room.key, key)) is None
        assert await store.members.member_key(ROOM, ALICE) is None
    finally:
        await pool.execute("TRUNCATE policy_lists, policy_rules CASCADE")


async def test_a_key_of_one_room_does_not_open_another(store: Stores) -> None:
    await _tended(store)
    await store.intake.apply([
        BotMembershipChanged(OTHER, Membership.JOIN, ALICE),
        MemberChanged(OTHER, BOB, Membership.JOIN, None, "mxc://example.org/bob"),
    ])  # fmt: skip
    here, there = await store.rooms.room(ROOM), await store.rooms.room(OTHER)
    alice, bob_there = await store.members.member_key(ROOM, ALICE), await store.members.member_key(OTHER, BOB)
    assert here
    assert there
    assert alice
    assert bob_there
    assert await store.members.viewer(GrantScope(there.key, alice)) is None
    assert await store.members.avatar(GrantScope(there.key, bob_there), bob_there) == "mxc://example.org/bob"
    assert await store.members.avatar(GrantScope(here.key, alice), bob_there) is None


async def test_notices_are_repeated_after_the_bot_was_sent_away(store: Stores) -> None:
    await _tended(store)
    await store.rooms.mark_widget_placed(ROOM)
    for _ in range(2):
        await store.rooms.mark_notified(ROOM, "welcome")
    await store.rooms.mark_notified(ROOM, "power")
    await store.rooms.clear_notified(ROOM, "power")
    await store.intake.apply([BotMembershipChanged(ROOM, Membership.JOIN, BOT)])
    room = await store.rooms.room(ROOM)
    assert room
    assert room.notified == {"welcome"}
    assert room.widget_placed
    await store.intake.apply([BotMembershipChanged(ROOM, Membership.LEAVE, ALICE)])
    room = await store.rooms.room(ROOM)
    assert room
    assert room.notified == frozenset()
    assert not room.widget_placed
    assert await store.rooms.tended_rooms() == []


async def test_one_worker_at_a_time_tends_a_room(store: Stores, pool: Pool) -> None:
    inside = asyncio.Event()

    async def second() -> None:
        async with store.rooms.tending(ROOM):
            inside.set()

    async with store.rooms.tending(ROOM):
        task = asyncio.create_task(second())
        async with store.rooms.tending(OTHER):
            await eventually(lambda: waits_for_lock(pool), what="the second worker waiting")
        assert not inside.is_set()
    await asyncio.wait_for(task, 5)


async def test_processes_share_one_secret(store: Stores) -> None:
    found = await asyncio.gather(*(store.installation.secret("signing", bytes([n]) * 32) for n in range(8)))
    assert len(set(found)) == 1
    assert await store.installation.secret("signing", b"later") == found[0]
    assert await store.installation.secret("other", b"another") == b"another"


# Attempts


async def test_a_video_goes_through_its_states(store: Stores) -> None:
    video = await started(store, await one_video(store))
    assert (video.state, video.work.attempts) == (State.PROCESSING, 1)

    async def served(room_id: RoomId) -> str | None:
        return await store.videos.served_stage_to(video.id, room_id, video.sender)

    assert await served(ROOM) is None
    assert await store.attempts.publish(video, published(State.PLAYABLE, "1-playable"))
    assert await served(ROOM) == "1-playable"
    assert await store.videos.served_stage(video.id, ROOM) is None, "not to all, before the room's state is known"
    assert await store.attempts.publish(video, published())
    assert await served(ROOM) == "1-ready"
    assert await served(OTHER) is None
    ready = await again(store, video)
    assert ready.is_playable
    assert (ready.media.duration, ready.media.width, ready.media.height, ready.media.has_poster) == (
        5.0,
        854,
        480,
        True,
    )
    assert ready.media.renditions == tuple(published().renditions)
    assert await store.attempts.begin_attempt(video.id) is None
    assert await store.videos.counts() == {"ready": 1}


STORYBOARD = Storyboard(columns=2, count=3, width=160, height=90, interval=2.0)
IN_PROGRESS = replace(published(State.PLAYABLE, "1-playable"), available=1, blurhash="LEHV6nWB2yk8")
WHOLE = replace(published(), blurhash="LEHV6nWB2yk8", storyboard=STORYBOARD, has_preview=True, content_hash=b"same")
CAPTIONS = (Captions("captions0.vtt", "zh", "中文"), Captions("captions1.vtt", None, "2"))


async def test_a_stage_in_progress_is_not_announced_and_then_is_whole(store: Stores, dsn: str) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, IN_PROGRESS)
    playable = await again(store, video)
    assert (playable.media.available, playable.is_in_progress, playable.media.blurhash) == (1, True, "LEHV6nWB2yk8")
    async with announcements(dsn) as heard:
        assert await store.attempts.append_segments(video, "1-playable", 2)
        assert (await again(store, video)).media.available == 2
        assert not await store.attempts.append_segments(video, "1-other", 3)
        assert not await store.attempts.append_segments(replace(video, work=Work(attempts=2)), "1-playable", 3)
        assert (await again(store, video)).media.available == 2
        assert heard.empty()
        assert await store.attempts.publish(video, replace(WHOLE, captions=CAPTIONS))
        assert await heard.get() == ROOM
    ready = await again(store, video)
    assert ready.media.captions == CAPTIONS
    assert (ready.is_in_progress, ready.media.storyboard, ready.media.has_preview) == (False, STORYBOARD, True)
    assert not await store.attempts.append_segments(video, "1-ready", 3)


async def test_a_number_that_an_older_worker_leaves_behind_does_not_cut_what_is_ready(
    store: Stores, pool: Pool
) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, published())
    await pool.execute("UPDATE videos SET available = 1")
    assert not (await again(store, video)).is_in_progress


async def test_the_same_content_is_found_while_it_is_served(store: Stores, pool: Pool) -> None:
    one, other = await started(store, await one_video(store, 1)), await one_video(store, 2)
    await pool.execute("UPDATE videos SET source_hash = 'the same file'")
    await store.attempts.publish(one, replace(IN_PROGRESS, content_hash=b"same"))
    assert await store.attempts.same_content(other.id, b"same") is None, "it is not complete"
    await store.attempts.publish(one, WHOLE)
    found = await store.attempts.same_content(other.id, b"same")
    assert found
    assert (found.id, found.media.stage) == (one.id, "1-ready")
    assert await store.attempts.same_content(one.id, b"same") is None, "it is the asker itself"
    assert await store.attempts.same_content(other.id, b"another") is None
    await store.intake.apply([Redacted(ROOM, one.event_id, ALICE)])
    assert await store.attempts.same_content(other.id, b"same") is None


@pytest.mark.parametrize("visibility", ["hidden", "held"])
async def test_what_viewers_may_not_see_is_not_handed_on(store: Stores, pool: Pool, visibility: str) -> None:
    one, other = await started(store, await one_video(store, 1)), await one_video(store, 2)
    await pool.execute("UPDATE videos SET source_hash = 'the same file'")
    await store.attempts.publish(one, WHOLE)
    assert await store.attempts.same_content(other.id, b"same")
    await pool.execute("UPDATE videos SET visibility = $2 WHERE id = $1", one.id, visibility)
    assert await store.attempts.same_content(other.id, b"same") is None


# Progress


@asynccontextmanager
async def announcements(dsn: str, channel: str = CHANNEL) -> AsyncIterator["asyncio.Queue[str]"]:
    heard: asyncio.Queue[str] = asyncio.Queue()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.add_listener(channel, lambda *call: heard.put_nowait(str(call[3])))
        async with asyncio.timeout(10):
            yield heard
    finally:
        await connection.close()


async def _progress(store: Stores, video: Video) -> tuple[int | None, int | None]:
    found = await again(store, video)
    return found.work.percent, found.work.remaining


async def test_progress_is_stored_and_notified(store: Stores, dsn: str) -> None:
    video = await started(store, await one_video(store))
    assert await _progress(store, video) == (0, None)
    async with announcements(dsn, PROGRESS_CHANNEL) as heard:
        await store.attempts.progress(video, 40, None)
        assert await _progress(store, video) == (40, None)
        await store.attempts.progress(video, 41, 7)
        assert await _progress(store, video) == (41, 7)
        news = [json.loads(await heard.get()) for _ in range(2)]
    about = {"room_id": ROOM, "video_id": video.id}
    assert news == [{**about, "percent": 40, "remaining": None}, {**about, "percent": 41, "remaining": 7}]
    await store.attempts.publish(video, IN_PROGRESS)
    assert await _progress(store, video) == (41, 7)
    await store.attempts.publish(video, published())
    assert await _progress(store, video) == (None, None)
    await store.attempts.progress(video, 50, 5)
    assert await _progress(store, video) == (None, None), "the work is over"


async def test_only_the_newest_attempt_reports_its_progress(store: Stores, dsn: str) -> None:
    late = await started(store, await one_video(store))
    await store.attempts.progress(late, 40, 9)
    newer = await started(store, late)
    assert await _progress(store, newer) == (0, None)
    await store.attempts.progress(late, 41, 8)
    assert await _progress(store, newer) == (0, None)


async def test_the_progress_of_a_hidden_video_is_nobodys_business(store: Stores, pool: Pool, dsn: str) -> None:
    hidden, shown = await started(store, await one_video(store, 1)), await started(store, await one_video(store, 2))
    await pool.execute("UPDATE videos SET visibility = 'hidden' WHERE id = $1", hidden.id)
    async with announcements(dsn, PROGRESS_CHANNEL) as heard:
        await store.attempts.progress(hidden, 40, 9)
        await store.attempts.progress(shown, 50, 9)
        assert json.loads(await heard.get())["video_id"] == shown.id


@pytest.mark.parametrize("end", ["fail", "pause", "give back"])
async def test_an_attempt_that_ends_has_no_progress(store: Stores, end: str) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, IN_PROGRESS)
    await store.attempts.progress(video, 40, 9)
    match end:
        case "fail":
            await store.attempts.fail(video, "internal")
        case "pause":
            await store.attempts.pause(video)
        case _:
            await store.attempts.give_back_attempt(video)
    assert await _progress(store, video) == (None, None)


@pytest.mark.parametrize("end", ["pause", "give back"])
async def test_a_first_stage_that_an_attempt_leaves_unfinished_is_out_of_the_reel(
    store: Stores, pool: Pool, dsn: str, end: str
) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, IN_PROGRESS)
    async with announcements(dsn, CHANNEL) as heard:
        withdrawn = await (store.attempts.pause(video) if end == "pause" else store.attempts.give_back_attempt(video))
        assert withdrawn == IN_PROGRESS.stage, "its files are to go"
        assert await heard.get() == ROOM, "those who wait for its next segment hear of it"
    left = await again(store, video)
    assert (left.state, left.is_playable, left.is_in_progress, left.media.stage) == (
        State.PROCESSING,
        False,
        False,
        None,
    )
    # Another attempt goes on from there.
    new = await started(store, video)
    assert await store.attempts.publish(new, replace(published(State.PLAYABLE, "2-playable"), available=None))
    assert await store.attempts.pause(new) is None
    assert (await again(store, video)).is_playable, "what is whole plays on"


async def test_what_is_under_way_is_what_a_living_worker_is_at(store: Stores, pool: Pool) -> None:
    video, waiting = await started(store, await one_video(store, 1)), await started(store, await one_video(store, 2))
    await pool.execute("UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '5 seconds'")
    await store.attempts.progress(video, 40, 9)
    await store.attempts.pause(waiting)
    assert await store.videos.under_way(10) == [UnderWay(video.id, ROOM, ALICE, 1, 40, 9)]
    assert await store.videos.under_way(4) == []
    await pool.execute("UPDATE pgqueuer SET status = 'queued'")
    assert await store.videos.under_way(10) == []


async def test_a_worker_that_was_overtaken_changes_nothing(store: Stores, pool: Pool) -> None:
    late = await started(store, await one_video(store))
    newer = await started(store, late)
    assert (late.work.attempts, newer.work.attempts) == (1, 2)
    assert not await store.attempts.publish(late, published(State.PLAYABLE, "1-playable"))
    await store.attempts.fail(late, "internal")
    await store.attempts.give_back_attempt(late)
    found = await again(store, late)
    assert (found.state, found.work.attempts, found.failure, found.media.stage) == (State.PROCESSING, 2, None, None)
    assert ("notice", late.id) not in await jobs(pool)
    assert await store.attempts.publish(newer, published(stage="2-ready"))
    await store.attempts.fail(newer, "internal")
    assert (await again(store, late)).state is State.READY


async def test_a_playable_video_plays_on_during_the_next_attempt(store: Stores) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, published(State.PLAYABLE, "1-playable"))
    second = await started(store, video)
    assert (second.state, second.work.attempts, second.media.stage) == (State.PLAYABLE, 2, "1-playable")


async def test_an_attempt_that_was_stopped_from_outside_does_not_count(store: Stores) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.give_back_attempt(video)
    assert (await started(store, video)).work.attempts == 1


async def test_a_failure_after_the_first_stage_leaves_nothing_to_serve(store: Stores, pool: Pool) -> None:
    video = await started(store, await one_video(store))
    assert await store.attempts.publish(video, published(State.PLAYABLE))
    assert await store.videos.served_stage_to(video.id, ROOM, video.sender) is not None
    await store.attempts.fail(video, "failed")
    failed = await again(store, video)
    assert (failed.media.stage, failed.media.has_poster, failed.media.renditions) == (None, False, ())
    assert ("sweep", video.id) in await jobs(pool)


async def test_a_failure_is_reported_once_and_may_be_started_anew(store: Stores, pool: Pool) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.fail(video, "too-long")
    await store.attempts.fail(video, "internal")
    failed = await again(store, video)
    assert (failed.state, failed.failure) == (State.FAILED, "too-long")
    # One for the start, one for the failure.
    assert (await jobs(pool)).count(("status", video.id)) == 2
    assert await store.attempts.begin_attempt(video.id) is None

    assert await store.attempts.requeue(video.id)
    assert not await store.attempts.requeue(video.id)
    assert not await store.attempts.requeue(VideoId(str(uuid.uuid4())))
    assert (await jobs(pool)).count(("video", video.id)) == 2
    anew = await started(store, video)
    assert (anew.work.attempts, anew.failure, anew.state) == (1, None, State.PROCESSING)


async def test_a_file_that_is_no_video_is_erased(store: Stores) -> None:
    video = await one_video(store, certain=False)
    await store.attempts.discard(replace(video, work=Work(attempts=7)))
    assert await store.videos.video(video.id)
    await store.attempts.discard(video)
    await store.attempts.discard(video)
    assert await store.videos.video(video.id) is None


async def test_what_was_ready_plays_while_one_edit_follows_another(store: Stores) -> None:
    def edited(number: int) -> VideoEdited:
        new = new_video(number, event_id=EventId(f"$edit{number}"), mxc=f"mxc://example.org/{number}")
        return VideoEdited(ROOM, EventId("$event1"), new)

    video = await started(store, await one_video(store))
    await store.attempts.publish(video, published(State.READY, "1-ready"))
    await store.intake.apply([edited(2)])
    second = await started(store, video)
    await store.intake.apply([edited(3), edited(2)])  # an older one comes late
    third = await started(store, video)
    assert (third.state, third.media.stage, third.file.mxc, third.tries) == (
        State.PLAYABLE,
        "1-ready",
        "mxc://example.org/3",
        1,
    )
    assert third.title == "Video 3"
    assert not await store.attempts.publish(second, published(State.READY, "3-ready"))
    await store.attempts.discard(second)
    # What is half-made of one edit goes with the next one's coming.
    assert await store.attempts.publish(third, published(State.PLAYABLE, f"{third.work.attempts}-playable"))
    await store.intake.apply([edited(4)])
    now = await again(store, video)
    assert (now.state, now.media.stage, now.media.has_poster) == (State.QUEUED, None, False)


@pytest.mark.parametrize("half_made", [False, True])
async def test_what_played_comes_back_when_the_media_of_an_edit_fail(
    store: Stores, pool: Pool, half_made: bool
) -> None:
    def edited(number: int) -> VideoEdited:
        new = new_video(number, event_id=EventId(f"$edit{number}"), mxc=f"mxc://example.org/{number}", claimed_size=9)
        return VideoEdited(ROOM, EventId("$event1"), new)

    first = await started(store, await one_video(store, encrypted_file=FILE))
    await store.attempts.publish(first, replace(WHOLE, stage="1-ready", bytes=7, sealed_key=b"sealed"))
    await store.attempts.finished(first)
    await pool.execute("UPDATE videos SET source_hash = 'a', fingerprint = 'b', sealed_content = 'c'")
    before = dict(await pool.fetchrow("SELECT * FROM videos") or {})
    await store.intake.apply([edited(2), edited(3)])
    now = await started(store, first)
    if half_made:
        assert await store.attempts.publish(now, replace(WHOLE, state=State.PLAYABLE, stage="9-playable", available=1))
        assert (await again(store, now)).media.replaced_stage == "1-ready", "its files are needed"
        await store.attempts.pause(now)
        now = await started(store, now)
    await store.attempts.fail(now, "broken-file")
    after = dict(await pool.fetchrow("SELECT * FROM videos") or {})
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed <= {
        "title",
        "attempts",
        "attempts_before",
        "edits",
        "edited_at",
        "version",
        "changed_at",
        "arrived_at",
        "admitted_at",
    }
    assert (after["state"], after["stage"], after["title"]) == ("ready", "1-ready", "Video 3")
    # All that is to be deleted with it.
    assert {each["mxc"] for each in after["edits"]} == {f"mxc://example.org/{name}" for name in "a23"}
    (said,) = [json.loads(payload) for job, payload in await jobs(pool) if job == "tell"]
    assert (said["message"], said["user_id"], said["arguments"]["failure"]) == ("bot-edit-failed", ALICE, "broken-file")
    # A late worker changes nothing, and the next edit is one like any other.
    await store.attempts.fail(now, "internal")
    await store.intake.apply([edited(4)])
    await store.attempts.publish(await started(store, first), replace(WHOLE, stage="12-ready"))
    assert (await again(store, first)).media.replaced_stage is None


@pytest.mark.parametrize("quarantined", [False, True])
async def test_an_edit_leaves_a_hidden_video_hidden_and_waits_once_it_is_shown(
    store: Stores, pool: Pool, quarantined: bool
) -> None:
    first = await started(store, await one_video(store))
    await store.attempts.publish(first, replace(WHOLE, stage="1-ready"))
    people, admin, owner = VideoService(Stores(pool), lambda: None), AdminStore(pool), Viewer(ALICE, moderates=False)

    async def change(change: VideoChange) -> Video:
        return await people.change(first, change, owner)

    await change(VideoChange(visibility=Visibility.HIDDEN))
    if quarantined:
        assert await admin.quarantine_video(await again(store, first), by=BOB)
    await pool.execute("""UPDATE rooms SET settings = '{"hold": "all"}'""")
    new = new_video(2, event_id=EventId("$edit2"), mxc="mxc://example.org/2")
    await store.intake.apply([VideoEdited(ROOM, EventId("$event1"), new)])
    await store.attempts.publish(await started(store, first), replace(WHOLE, stage="2-ready"))
    if quarantined:
        assert await admin.release_video(await again(store, first), by=BOB)
    now = await again(store, first)
    assert (now.visibility, now.withheld.hidden_by, now.withheld.held_for) == (
        Visibility.HIDDEN,
        ALICE,
        HeldFor.APPROVAL,
    )
    await change(VideoChange(title="Still hidden"))
    assert (await again(store, first)).withheld.held_for is HeldFor.APPROVAL
    shown = await change(VideoChange(visibility=Visibility.SHOWN))
    assert (shown.visibility, shown.withheld.hidden_by, shown.withheld.held_for) == (
        Visibility.HELD,
        None,
        HeldFor.APPROVAL,
    )
    # What is edited while nobody's videos wait plays as soon as it is shown.
    await pool.execute("UPDATE videos SET visibility = 'hidden', hidden_by = $1", ALICE)
    await pool.execute("UPDATE rooms SET settings = '{}'")
    other = new_video(3, event_id=EventId("$edit3"), mxc="mxc://example.org/3")
    await store.intake.apply([VideoEdited(ROOM, EventId("$event1"), other)])
    assert (await change(VideoChange(visibility=Visibility.SHOWN))).visibility is Visibility.SHOWN


@pytest.mark.parametrize("upgraded", [False, True])
async def test_a_failed_edit_is_reported_in_a_thread_of_the_same_room_alone(
    store: Stores, pool: Pool, upgraded: bool
) -> None:
    first = await started(store, await one_video(store))
    await store.attempts.publish(first, replace(WHOLE, stage="1-ready"))
    new = new_video(2, event_id=EventId("$edit2"), mxc="mxc://example.org/2")
    await store.intake.apply([VideoEdited(ROOM, EventId("$event1"), new)])
    if upgraded:
        await pool.execute("UPDATE videos SET sent_in = '!old:example.org'")
    await store.attempts.fail(await started(store, first), "broken-file")
    (said,) = [json.loads(payload) for job, payload in await jobs(pool) if job == "tell"]
    assert said["thread"] == (None if upgraded else "$event1")


async def test_what_played_stays_away_when_it_was_blocked_meanwhile(store: Stores, pool: Pool) -> None:
    first = await started(store, await one_video(store))
    await store.attempts.publish(first, replace(WHOLE, stage="1-ready"))
    await pool.execute("UPDATE videos SET source_hash = 'a'")
    new = new_video(2, event_id=EventId("$edit"), mxc="mxc://example.org/2")
    await store.intake.apply([VideoEdited(ROOM, EventId("$event1"), new)])
    await pool.execute("INSERT INTO blocks (room_id, source_hash, blocked_by) VALUES (NULL, 'a', 'roomreel')")
    await store.attempts.fail(await started(store, first), "broken-file")
    assert (await again(store, first)).state is State.FAILED
    await pool.execute("DELETE FROM blocks")


async def test_unfinished_videos_without_a_job_get_one(store: Stores, pool: Pool) -> None:
    videos = [await one_video(store, number) for number in range(1, 7)]
    lost = videos[:3]
    await started(store, videos[1])
    await store.attempts.publish(await started(store, videos[2]), published(State.PLAYABLE, "1-playable"))
    await store.attempts.fail(await started(store, videos[3]), "internal")
    await store.attempts.publish(await started(store, videos[4]), published())
    await store.attempts.finished(await again(store, videos[4]))
    await store.intake.apply([Redacted(ROOM, videos[5].event_id, ALICE)])
    assert await store.attempts.recover_lost_jobs() == 0
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 3
    assert sorted(await jobs(pool)) == sorted(("video", video.id) for video in lost)
    assert await store.attempts.recover_lost_jobs() == 0


async def test_what_follows_from_being_ready_is_found_and_started_a_few_times(store: Stores, pool: Pool) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, published())
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 1
    assert await jobs(pool) == [("video", video.id)]
    started_again = [await store.attempts.begin_finishing(video.id, 2) for _ in range(4)]
    assert [each is not None for each in started_again] == [True, True, False, False], "it may kill workers"
    assert await store.attempts.recover_lost_jobs() == 0


# Rungs that are left out


async def left_out(store: Stores, pool: Pool, number: int = 1) -> Video:
    """A video that is ready without its lower rungs, and without a job."""
    video = await started(store, await one_video(store, number))
    await store.attempts.publish(video, replace(WHOLE, left_out=True))
    await store.attempts.finished(video)
    await pool.execute("DELETE FROM pgqueuer")
    return await again(store, video)


async def test_rungs_that_are_wanted_are_made_once(store: Stores, pool: Pool) -> None:
    video = await left_out(store, pool)
    assert video.media.lower_rungs is LowerRungs.LEFT_OUT
    assert await store.attempts.recover_lost_jobs() == 0
    assert [await store.lower_rungs.want(video.id) for _ in range(2)] == [True, False]
    assert await jobs(pool) == [("video", video.id)]
    assert await pool.fetchval("SELECT priority FROM pgqueuer") < 0
    wanted = await again(store, video)
    more = replace(WHOLE, stage="1-more", bytes=7)
    assert not await store.attempts.publish(replace(wanted, media=replace(wanted.media, stage="1-gone")), more)
    assert await store.attempts.publish(wanted, more)
    assert not await store.attempts.publish(wanted, replace(more, stage="1-late")), "another worker was faster"
    made = await again(store, video)
    assert (made.media.stage, made.media.lower_rungs, made.state) == ("1-more", None, State.READY)
    assert not await store.lower_rungs.want(video.id)


async def test_rungs_that_are_wanted_while_the_rest_is_finished_have_a_job_all_the_same(
    store: Stores, pool: Pool
) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, replace(WHOLE, left_out=True))
    assert await store.lower_rungs.want(video.id)
    await store.attempts.finished(video)
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 1


async def test_rungs_that_kill_workers_are_given_up(store: Stores, pool: Pool) -> None:
    video = await left_out(store, pool)
    await store.lower_rungs.want(video.id)
    begun = [await store.attempts.begin_finishing(video.id, 2) for _ in range(3)]
    assert [each is not None for each in begun] == [True, True, False]
    assert (await again(store, video)).media.lower_rungs is LowerRungs.GIVEN_UP
    assert await store.attempts.recover_lost_jobs() == 0
    assert not await store.lower_rungs.want(video.id)
    # Another time, for it may have been somebody else's fault.
    await pool.execute("DELETE FROM pgqueuer")
    await pool.execute("UPDATE videos SET rungs_after = rungs_after - interval '7 days'")
    assert await store.lower_rungs.want(video.id)
    assert await jobs(pool) == [("video", video.id)]
    assert await store.attempts.begin_finishing(video.id, 1)
    assert await store.attempts.begin_finishing(video.id, 1) is None
    # Nobody takes them for all that there are.
    other = await one_video(store, 2)
    await pool.execute("UPDATE videos SET source_hash = 'the same file'")
    assert await store.attempts.same_content(other.id, b"same", whole=True) is None
    assert await store.attempts.same_content(other.id, b"same")


async def test_what_ends_the_work_on_rungs_in_passing_does_not_count(store: Stores, pool: Pool) -> None:
    video = await left_out(store, pool)
    await store.lower_rungs.want(video.id)
    for _ in range(9):
        begun = await store.attempts.begin_finishing(video.id, 2)
        assert begun
        await store.attempts.uncount_finishing(begun)
    begun = await store.attempts.begin_finishing(video.id, 2)
    assert begun
    # Else they would never be given up.
    await store.attempts.finished(begun)
    assert [await store.attempts.begin_finishing(video.id, 2) is not None for _ in range(2)] == [True, False]


async def test_rungs_that_were_wanted_of_a_worker_that_does_not_know_them_are_made(store: Stores, pool: Pool) -> None:
    video = await left_out(store, pool)
    await store.lower_rungs.want(video.id)
    await pool.execute("UPDATE videos SET finishing = NULL")  # as the release before ends its work
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 1
    assert await store.attempts.begin_finishing(video.id, 2)


@pytest.mark.parametrize("left_out_then", [True, False])
async def test_a_viewer_of_the_first_stage_may_want_rungs(store: Stores, pool: Pool, *, left_out_then: bool) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, published(State.PLAYABLE, "1-playable"))
    await pool.execute("DELETE FROM pgqueuer")
    assert not await store.lower_rungs.is_wanted(video)
    assert [await store.lower_rungs.want(video.id) for _ in range(2)] == [True, False]
    assert await store.lower_rungs.is_wanted(video)
    assert await jobs(pool) == [], "it has one"
    await store.attempts.publish(video, replace(published(State.PLAYABLE, "1-playable"), has_poster=True))
    await pool.execute("DELETE FROM pgqueuer")
    await store.attempts.publish(video, replace(WHOLE, left_out=left_out_then))
    await store.attempts.finished(video)
    made = await again(store, video)
    assert made.media.lower_rungs is (LowerRungs.WANTED if left_out_then else None)
    assert ("video", video.id) in await jobs(pool) or not left_out_then
    assert (await store.attempts.begin_finishing(video.id, 2) is not None) is left_out_then


async def test_rungs_in_spare_time_make_way_unless_a_viewer_wants_them(store: Stores, pool: Pool) -> None:
    video = await left_out(store, pool)
    assert await store.lower_rungs.want_when_idle() == video.id
    begun = await store.attempts.begin_finishing(video.id, 2)
    assert begun
    assert await store.lower_rungs.leave_out_again(begun)
    await store.attempts.finished(begun)
    assert (await again(store, video)).media.lower_rungs is LowerRungs.LEFT_OUT
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 0
    assert await store.lower_rungs.want_when_idle() is None, "it is another one's turn"
    await pool.execute("UPDATE videos SET rungs_after = rungs_after - interval '1 day'")
    assert await store.lower_rungs.want_when_idle() == video.id
    assert await store.lower_rungs.want(video.id)
    assert await jobs(pool) == [("video", video.id)], "one job does"
    assert not await store.lower_rungs.leave_out_again(begun)
    assert await store.attempts.publish(await again(store, video), replace(WHOLE, stage="1-more"))


async def test_rungs_are_made_while_nothing_else_is_to_be_done_those_that_are_watched_first(
    store: Stores, pool: Pool
) -> None:
    assert await store.lower_rungs.want_when_idle() is None
    watched, newer, *hidden = [await left_out(store, pool, number) for number in range(1, 5)]
    await pool.execute("UPDATE videos SET visibility = 'hidden' WHERE id = $1", hidden[0].id)
    await pool.execute("UPDATE videos SET visibility = 'removed' WHERE id = $1", hidden[1].id)
    await store.intake.apply([member(BOB)])
    place = {"video_id": watched.id}
    await pool.execute("INSERT INTO places (room_id, user_id, place) VALUES ($1, $2, $3)", ROOM, BOB, place)
    assert await store.lower_rungs.want_when_idle() == watched.id
    assert await store.lower_rungs.want_when_idle() is None, "that one is to be made first"
    # Also while it is only due later.
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.lower_rungs.want_when_idle() is None
    await pool.execute("UPDATE videos SET lower_rungs = NULL WHERE id = $1", watched.id)
    assert await store.lower_rungs.want_when_idle() == newer.id
    await pool.execute("DELETE FROM pgqueuer")
    await pool.execute("UPDATE videos SET lower_rungs = NULL WHERE id = $1", newer.id)
    assert await store.lower_rungs.want_when_idle() is None


@pytest.mark.parametrize(("passing", "left"), [(True, LowerRungs.LEFT_OUT), (False, LowerRungs.GIVEN_UP)])
async def test_work_that_is_stopped_leaves_rungs_for_another_time(
    store: Stores, pool: Pool, left: LowerRungs, *, passing: bool
) -> None:
    video = await left_out(store, pool)
    await store.lower_rungs.want(video.id)
    begun = await store.attempts.begin_finishing(video.id, 5)
    assert begun
    assert await store.attempts.finishing_tries(begun) == 1
    await store.attempts.stop_finishing(begun, passing=passing)
    assert (await again(store, video)).media.lower_rungs is left
    await pool.execute("DELETE FROM pgqueuer")
    assert await store.attempts.recover_lost_jobs() == 0
    assert await store.lower_rungs.want_when_idle() is None
    assert await store.lower_rungs.want(video.id) is passing, "a next report begins again"
    # From the beginning.
    if passing:
        assert await store.attempts.begin_finishing(video.id, 1)


async def test_work_that_is_stopped_on_a_whole_video_leaves_it_whole(store: Stores) -> None:
    video = await started(store, await one_video(store))
    await store.attempts.publish(video, WHOLE)
    await store.attempts.stop_finishing(video, passing=True)
    assert (await again(store, video)).media.lower_rungs is None
    assert await store.attempts.recover_lost_jobs() == 0


async def test_the_same_content_without_its_lower_rungs_is_found_last(store: Stores, pool: Pool) -> None:
    first = await left_out(store, pool, 1)
    other = await one_video(store, 2)
    await pool.execute("UPDATE videos SET source_hash = 'the same file'")
    found = await store.attempts.same_content(other.id, b"same")
    assert found
    assert found.media.lower_rungs is LowerRungs.LEFT_OUT
    assert await store.attempts.same_content(other.id, b"same", whole=True) is None
    whole = await started(store, await one_video(store, 3))
    await store.attempts.publish(whole, WHOLE)
    await pool.execute("UPDATE videos SET source_hash = 'the same file'")
    await pool.execute("UPDATE videos SET changed_at = now() + interval '1 hour' WHERE id = $1", first.id)
    for only in (False, True):
        found = await store.attempts.same_content(other.id, b"same", whole=only)
        assert found
        assert found.id == whole.id


# Redaction and upgrades


async def test_a_redacted_video_is_gone_with_all_that_was_known_of_it(store: Stores, pool: Pool) -> None:
    video = await started(store, await one_video(store, encrypted_file=FILE))
    await store.attempts.publish(video, WHOLE)
    await store.intake.apply([Redacted(ROOM, video.event_id, ALICE)])
    assert await store.videos.room_videos(ROOM) == []
    assert await store.videos.served_stage(video.id, ROOM) is None
    row = await pool.fetchrow("SELECT * FROM videos WHERE id = $1", video.id)
    assert row
    assert (row["title"], row["mxc"], row["encrypted_file"], row["stage"]) == ("", "", None, None)
    for name in ("blurhash", "storyboard", "content_hash", "available", "percent", "remaining"):
        assert row[name] is None, name
    assert not row["has_preview"]
    assert ("sweep", video.id) in await jobs(pool)
    await store.intake.apply([new_video(), Redacted(ROOM, video.event_id, ALICE)])
    assert await store.videos.room_videos(ROOM) == []
    assert (await jobs(pool)).count(("sweep", video.id)) == 1
    assert await store.videos.counts() == {}


async def test_work_on_a_redacted_video_comes_to_nothing(store: Stores, pool: Pool) -> None:
    video = await started(store, await one_video(store))
    await store.intake.apply([Redacted(ROOM, video.event_id, ALICE)])
    assert not await store.attempts.publish(video, published())
    assert await store.attempts.begin_attempt(video.id) is None
    await store.attempts.fail(video, "media-gone")
    assert ("notice", video.id) not in await jobs(pool), "nobody is notified of a video that they took back"
    assert not await store.attempts.requeue(video.id)


async def test_a_video_that_an_upgrade_moved_is_redacted_where_it_was_sent(store: Stores) -> None:
    video = await one_video(store)
    await store.intake.apply([RoomNamed(OTHER, "The new room")])
    await store.rooms.follow_upgrade(ROOM, OTHER)
    assert [v.id for v in await store.videos.room_videos(OTHER)] == [video.id]
    await store.intake.apply([Redacted(ROOM, video.event_id, ALICE)])
    assert await store.videos.room_videos(OTHER) == []


async def test_a_redaction_in_another_room_removes_nothing(store: Stores) -> None:
    video = await one_video(store)
    await store.intake.apply([Redacted(OTHER, video.event_id, ALICE), Redacted(ROOM, EventId("$unknown"), ALICE)])
    assert [v.id for v in await store.videos.room_videos(ROOM)] == [video.id]


async def test_videos_follow_an_upgrade(store: Stores) -> None:
    video = await one_video(store)
    await store.intake.apply([BotMembershipChanged(OTHER, Membership.JOIN, BOT)])
    await store.rooms.follow_upgrade(ROOM, OTHER)
    assert await store.videos.room_videos(ROOM) == []
    (moved,) = await store.videos.room_videos(OTHER)
    assert (moved.id, moved.room_id) == (video.id, OTHER)
    await store.rooms.follow_upgrade(ROOM, OTHER)
    assert len(await store.videos.room_videos(OTHER)) == 1


# The database itself


async def test_a_database_that_is_away_is_said_to_be(dsn: str) -> None:
    pool = await open_pool(dsn, size=1)
    store = Stores(pool)
    await pool.close()
    with pytest.raises(UnavailableError):
        await store.installation.now()
    with pytest.raises(UnavailableError, match="Check `database`"):
        await open_pool("postgresql://nobody@127.0.0.1:1/none")


async def test_who_is_stopped_keeps_no_lock(store: Stores, pool: Pool) -> None:
    started = asyncio.Event()

    async def tend() -> None:
        async with store.rooms.tending(ROOM):
            started.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(tend())
    await started.wait()
    waiting = asyncio.create_task(tend())

    async def locks() -> list[bool]:
        # Services on other databases of the server hold locks as well.
        rows = await pool.fetch(
            "SELECT granted FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY granted"
        )
        return [row["granted"] for row in rows]

    async def both() -> bool:
        return await locks() == [False, True]

    async def none() -> bool:
        return await locks() == []

    await eventually(both, what="one lock held and one waited for")
    waiting.cancel()
    holding.cancel()
    await asyncio.gather(waiting, holding, return_exceptions=True)
    await eventually(none, what="no lock")
    async with store.rooms.tending(ROOM):
        assert await locks() == [True]
    assert await locks() == []


async def _plan(pool: Pool, query: BoundQuery) -> str:
    text, *arguments = query
    async with pool.acquire() as connection:
        # What asyncpg prepares and reuses may get a generic plan: that one must be good, too.
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        try:
            rows = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *arguments)
        finally:
            await connection.execute("RESET plan_cache_mode")
    return rows if isinstance(rows, str) else json.dumps(rows)


async def test_queries_of_viewers_use_an_index(store: Stores, pool: Pool) -> None:
    await pool.execute("INSERT INTO rooms (room_id) SELECT '!r' || n FROM generate_series(1, 5000) AS n")
    await pool.execute(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at, source_hash) "
        "SELECT '$' || n, '!r' || (n % 200 + 1), '!r', '@u' || (n % 7), 't', 'm', true, n, n, sha256(n::text::bytea) "
        "FROM generate_series(1, 20000) AS n"
    )
    await pool.execute(
        "INSERT INTO members (room_id, user_id, membership) "
        # Each is in some rooms.
        "SELECT '!r' || (n % 200 + 1), '@u' || (n % 4999), 'join' FROM generate_series(1, 20000) AS n"
    )
    await pool.execute("ANALYZE rooms, videos, members")
    assert len(await store.videos.room_videos(RoomId("!r5"))) == 100
    some = await pool.fetchval("SELECT id FROM videos LIMIT 1")
    questions = [
        ("videos_room", query("room_videos", room_id="!r5")),
        ("videos_pkey", query("video", id=some)),
        ("videos_pkey", query("served_stage", id=some, room_id="!r5")),
        ("videos_source", query("same_content", content_hash=b"5", id=some, whole=False)),
        ("members_pkey", query("joined_members", room_id="!r5")),
        ("members_pkey", query("member_key", room_id="!r5", user_id="@u4")),
        ("members_key_key", query("viewer", room_key=1, member_key=1)),
        ("videos_published", query("published", user_id="@u4", video_id=None)),
        ("videos_left_out", query("want_rungs_when_idle")),
        ("videos_message", query("removable_by_events", sent_in=["!r5"], event_ids=["$4"])),
        ("videos_message", query("announce_talk", room_ids=["!r5"], targets=["$4"], relates=[True])),
    ]
    for index, bound_query in questions:
        plan = await _plan(pool, bound_query)
        assert index in plan, f"{bound_query}: {plan}"
        assert "Seq Scan" not in plan, f"{bound_query}: {plan}"
