"""The log of a room's changes in the database: what is in it, how it is numbered, and that it stays small."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from appservice.core.model import RoomId, State, Video
from appservice.core.room import Membership
from appservice.core.web.reels import channel
from appservice.core.web.room_state import KEPT, Change, RoomState, ordinal, since
from appservice.store import Stores
from appservice.store.outbox import Pool
from tests.integration.test_store import OTHER, member, new_video, published, started
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.factories import ALICE, BOB, ROOM, rendition
from transcode.storyboard import Storyboard

_RENAME = "UPDATE videos SET title = $1 WHERE room_id = $2"


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("revisions"), size=5) as pool:
        yield pool


async def _shown(stores: Stores, number: int) -> Video:
    await stores.intake.apply([member(ALICE), new_video(number)])
    (video,) = [each for each in await stores.videos.room_videos(ROOM) if each.event_id == f"$event{number}"]
    assert await stores.attempts.publish(await started(stores, video), published())
    found = await stores.videos.video(video.id)
    assert found
    return found


async def _state(stores: Stores) -> RoomState:
    read = await stores.room_states.read(ROOM)
    assert read
    return read.state


async def _changes(stores: Stores, known: RoomState) -> list[Change]:
    read = await stores.room_states.read(ROOM, known)
    assert read
    assert not read.anew
    return list(read.changes)


async def test_packing_is_no_change_and_what_is_packed_is_read(pool: Pool) -> None:
    stores = Stores(pool)
    video = await _shown(stores, 1)
    ladder = [rendition("480", seconds=7.25).to_json()]
    board = Storyboard(7, 13, 160, 90, 1.0).to_json()
    await pool.execute("UPDATE videos SET renditions = $1, storyboard = $2", ladder, board)
    await pool.execute("INSERT INTO unpacked_videos VALUES ($1)", video.id)
    before = await _state(stores)
    assert await stores.channels.schedule(ROOM, list(before.videos.values()))
    await stores.packed_media.pack_some()
    assert await pool.fetchval("SELECT jsonb_typeof(renditions) FROM videos") == "string"
    assert await _changes(stores, before) == []
    after = await _state(stores)
    assert after.revision == before.revision
    assert after.videos[video.id].has_media
    await pool.execute("DELETE FROM channels")
    schedule = await stores.channels.schedule(ROOM, channel(list(after.videos.values())))
    assert schedule
    assert [turn.duration for turn in schedule.items] == [7250]
    # Another stage is a change, packed as well.
    await pool.execute("UPDATE videos SET stage = 'other', renditions = $1", ladder)
    assert [change.fields for change in await _changes(stores, after)] == [{"all"}]


async def test_a_transaction_is_numbered_once_whatever_it_changes(pool: Pool) -> None:
    stores = Stores(pool)
    await stores.intake.apply([member(ALICE), *(new_video(number) for number in range(150))])
    before = await _state(stores)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL track_functions = 'pl'")
        savepoint = connection.transaction()
        await savepoint.start()
        await connection.execute(_RENAME, "Taken back", ROOM)
        await savepoint.rollback()
        await connection.execute(_RENAME, "Renamed", ROOM)
        await connection.execute("UPDATE members SET display_name = 'Renamed' WHERE room_id = $1", ROOM)
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        calls = await connection.fetchval(
            "SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = 'number_room_changes'"
        )
    assert calls == 1
    changes = await _changes(stores, before)
    assert len(changes) == 151
    assert {ordinal(change.revision) for change in changes} == {ordinal(before.revision) + 1}
    assert await pool.fetchval("SELECT count(*) FROM room_changes WHERE revision IS NULL") == 0


async def test_the_log_stays_small(pool: Pool) -> None:
    stores = Stores(pool)
    await stores.intake.apply([member(ALICE), *(new_video(number) for number in range(201))])
    assert await pool.fetchval("SELECT count(*) FROM room_changes") == 1, "too much is one change, and ends all before"
    first = await _state(stores)
    for number in range(2 * KEPT):
        await pool.execute("UPDATE videos SET title = $1 WHERE event_id = '$event1'", f"Title {number}")
    kept = await pool.fetchval("SELECT count(DISTINCT revision) FROM room_changes")
    assert KEPT <= kept < KEPT * 1.5
    read = await stores.room_states.read(ROOM, first)
    assert read
    assert read.anew, "it is too long ago"


async def test_numbers_that_a_restore_lost_are_known_as_such(pool: Pool) -> None:
    stores = Stores(pool)
    await _shown(stores, 1)
    restored = await _state(stores)
    await pool.execute(_RENAME, "Lost", ROOM)
    lost = await _state(stores)
    # What is restored, and what is written then.
    await pool.execute("DELETE FROM room_changes WHERE revision > $1", restored.revision)
    await pool.execute("UPDATE room_revisions SET revision = $1", restored.revision)
    for title in ("Instead", "And again"):
        await pool.execute(_RENAME, title, ROOM)
        now = await stores.room_states.read(ROOM)
        assert now
        assert since(lost.revision, now.changes) is None
        assert len(since(restored.revision, now.changes) or ()) == ordinal(now.state.revision) - ordinal(
            restored.revision
        )
        read = await stores.room_states.read(ROOM, lost)
        assert read
        assert read.anew


async def test_the_log_forgets_who_is_erased(pool: Pool) -> None:
    stores = Stores(pool)
    await stores.intake.apply([member(BOB)])
    await _shown(stores, 1)
    before = await _state(stores)
    await stores.intake.apply([member(ALICE, Membership.LEAVE)])
    named = "SELECT count(*) FROM room_changes WHERE user_id = $1"
    assert await pool.fetchval(named, ALICE)
    assert "changes" not in await stores.erasure.remains(user_id=ALICE), "a member who left"
    await stores.erasure.erase_user(ALICE, by=ALICE)
    assert await pool.fetchval(named, ALICE) == 0
    assert "changes" not in await stores.erasure.remains(user_id=ALICE)
    read = await stores.room_states.read(ROOM, before)
    assert read
    assert read.anew
    await pool.execute(
        "INSERT INTO room_changes (room_id, revision, user_id, fields) VALUES ($1, 1, $2, '{profile}')", ROOM, ALICE
    )
    assert (await stores.erasure.remains(user_id=ALICE))["changes"] == 1


async def test_what_was_logged_of_a_room_goes_with_it(pool: Pool) -> None:
    stores = Stores(pool)
    await _shown(stores, 1)
    await stores.erasure.erase_room(ROOM, by=ALICE)
    rows = await pool.fetch("SELECT video_id, user_id FROM room_changes")
    assert [tuple(row) for row in rows] == [(None, None)]


async def test_whom_a_failure_or_progress_concerns(pool: Pool) -> None:
    stores = Stores(pool)
    await stores.intake.apply([member(ALICE), new_video(1)])
    (video,) = await stores.videos.room_videos(ROOM)
    attempt = await started(stores, video)
    before = await _state(stores)
    await stores.attempts.progress(attempt, 50, 10)
    assert await _changes(stores, before) == []
    await pool.execute("UPDATE videos SET state = $1, failure = 'broken-file'", State.FAILED)
    (change,) = await _changes(stores, before)
    assert (change.was_shown, change.was_known, change.was_strict) == (True, True, True)


async def test_writers_of_several_rooms_number_them_in_turn(pool: Pool) -> None:
    stores = Stores(pool)
    rooms = [ROOM, OTHER]
    await stores.intake.apply([member(ALICE), new_video(1)])
    before = {room_id: await pool.fetchval(*_revision(room_id)) for room_id in rooms}

    async def write(number: int) -> None:
        async with pool.acquire() as connection, connection.transaction():
            for room_id in rooms if number % 2 else rooms[::-1]:
                await connection.execute("INSERT INTO room_changes (room_id, fields) VALUES ($1, '{about}')", room_id)

    await asyncio.gather(*map(write, range(40)))
    for room_id in rooms:
        rows = await pool.fetch("SELECT revision FROM room_changes WHERE room_id = $1 AND fields = '{about}'", room_id)
        first = ordinal(before[room_id]) + 1
        assert sorted(ordinal(row["revision"]) for row in rows) == list(range(first, first + 40))


def _revision(room_id: RoomId) -> tuple[str, RoomId]:
    return "SELECT coalesce((SELECT revision FROM room_revisions WHERE room_id = $1), 0)", room_id
