"""Quarantine, undoing and what admins are notified of, on the real database: what comes meanwhile, nothing twice."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from appservice import resources
from appservice.core.events.changes import NewVideo
from appservice.core.model import EventId, RoomId, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import UNDO_S, Viewer
from appservice.database.migrate import load_migrations, migrate
from appservice.service.videos import VideoService
from appservice.store import AdminStore, BlockStore, ErasureStore, PolicyStore, Stores, open_pool
from appservice.store.intake import apply
from appservice.store.outbox import Pool
from appservice.store.sql import query
from tests.support.databases import CreateDatabase, waits_for_lock
from tests.support.waiting import eventually
from transcode.commandline.images import FINGERPRINT_FRAMES, FINGERPRINT_SIDE
from transcode.fingerprint import fingerprint_of

ROOM = RoomId("!room:example.org")
BOB = UserId("@bob:example.org")
ADMIN = UserId("@admin:example.org")


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    dsn = await create_database("quarantine")
    connection = await asyncpg.connect(dsn)
    await migrate(connection, load_migrations(resources.migrations()))
    await connection.close()
    async with await open_pool(dsn, size=5) as pool:
        yield pool


@pytest.fixture
async def admin(pool: Pool) -> AdminStore:
    await pool.execute(
        "TRUNCATE seen_events, rooms, videos, audit, quarantined_users, troubles, alarms, pgqueuer CASCADE"
    )
    return AdminStore(pool)


def _sent(number: int, sender: UserId = BOB) -> NewVideo:
    return NewVideo(
        event_id=EventId(f"$event{number}"), room_id=ROOM, sender=sender, title="T", mxc=f"mxc://x/{number}",
        encrypted_file=None, claimed_size=None, certain=True, sent_at=number,
    )  # fmt: skip


async def _video(pool: Pool, number: int) -> Video:
    row = await pool.fetchrow("SELECT id FROM videos WHERE event_id = $1", f"$event{number}")
    assert row
    video = await Stores(pool).videos.video(VideoId(str(row["id"])))
    assert video
    return video


async def _seen(pool: Pool, *numbers: int) -> list[Visibility]:
    return [(await _video(pool, number)).visibility for number in numbers]


async def test_nothing_slips_through_while_somebody_goes_into_quarantine(pool: Pool, admin: AdminStore) -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await apply(connection, _sent(1))
        going = asyncio.create_task(admin.quarantine_user(BOB, by=ADMIN))
        await eventually(lambda: waits_for_lock(pool), what="the quarantine waiting")
        assert not going.done()
        await transaction.commit()
        assert await going == 1
    # The other way round: what comes waits until it is decided.
    assert await admin.release_user(BOB, by=ADMIN) == 1
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(*query("lock_sender", user_id=BOB))
        await connection.execute(*query("quarantine_user", user_id=BOB, reason="", by=ADMIN))
        coming = asyncio.create_task(Stores(pool).intake.apply([_sent(2)]))
        await eventually(lambda: waits_for_lock(pool), what="the video waiting")
        assert not coming.done()
        await transaction.commit()
        await coming
    assert await _seen(pool, 1, 2) == [Visibility.SHOWN, Visibility.HELD]


async def test_what_was_deleted_comes_back_into_quarantine(pool: Pool, admin: AdminStore) -> None:
    await Stores(pool).intake.apply([_sent(1), _sent(2)])
    people, video = VideoService(Stores(pool), invalidate=lambda: None), await _video(pool, 1)
    await people.delete(video, Viewer(BOB, moderates=True))
    assert await admin.quarantine_user(BOB, by=ADMIN) == 2
    await people.restore(video.id, ROOM, Viewer(BOB, moderates=True))
    assert await _seen(pool, 1, 2) == [Visibility.HELD, Visibility.HELD]
    assert await admin.release_user(BOB, by=ADMIN) == 2
    assert await _seen(pool, 1, 2) == [Visibility.SHOWN, Visibility.SHOWN]


async def test_each_is_what_it_was_before(pool: Pool, admin: AdminStore) -> None:
    await Stores(pool).intake.apply([_sent(number) for number in range(1, 5)])
    await pool.execute("UPDATE videos SET visibility = 'hidden', hidden_by = $1 WHERE event_id = '$event2'", BOB)
    await pool.execute("UPDATE videos SET visibility = 'held', held_for = 'approval' WHERE event_id = '$event3'")
    before = [await _video(pool, number) for number in range(1, 5)]
    assert await admin.quarantine_video(before[3], by=ADMIN)
    assert await admin.quarantine_user(BOB, by=ADMIN) == 3
    assert not await admin.quarantine_video(before[0], by=ADMIN)
    assert await admin.release_user(BOB, by=ADMIN) == 3
    assert await admin.release_video(before[3], by=ADMIN)
    for number, was in enumerate(before, 1):
        now = await _video(pool, number)
        assert (now.visibility, now.withheld.held_for, now.withheld.hidden_by) == (
            was.visibility,
            was.withheld.held_for,
            was.withheld.hidden_by,
        )


@pytest.mark.parametrize("whole_user", [False, True])
@pytest.mark.parametrize("rule_first", [False, True])
@pytest.mark.parametrize("rule_ends_first", [False, True])
async def test_a_policy_rule_and_quarantine_hold_each_for_itself(
    pool: Pool, admin: AdminStore, *, whole_user: bool, rule_first: bool, rule_ends_first: bool
) -> None:
    await pool.execute("TRUNCATE policy_lists, policy_rules CASCADE")
    await Stores(pool).intake.apply([_sent(1)])
    policies, video = PolicyStore(pool), await _video(pool, 1)

    async def quarantine() -> None:
        assert await (admin.quarantine_user(BOB, by=ADMIN) if whole_user else admin.quarantine_video(video, by=ADMIN))

    async def release() -> None:
        assert await (admin.release_user(BOB, by=ADMIN) if whole_user else admin.release_video(video, by=ADMIN))

    async def ban() -> None:
        await pool.execute("INSERT INTO policy_lists (room_id, added_by) VALUES ('!bans', 'x')")
        await pool.execute(
            "INSERT INTO policy_rules (room_id, event_type, state_key, subject, entity)"
            " VALUES ('!bans', 'm.policy.rule.user', 'r', 'user', $1)",
            BOB,
        )
        await policies.enforce()

    async def unban() -> None:
        await pool.execute("DELETE FROM policy_rules")
        await policies.enforce()

    for hold in (ban, quarantine) if rule_first else (quarantine, ban):
        await hold()
        await policies.enforce()
        assert await _seen(pool, 1) == [Visibility.HELD]
    first, last = (unban, release) if rule_ends_first else (release, unban)
    await first()
    now = await _video(pool, 1)
    assert (now.visibility, now.withheld.held_for) == (Visibility.HELD, "quarantine" if rule_ends_first else "policy")
    await last()
    now = await _video(pool, 1)
    assert (now.visibility, now.withheld.held_for) == (Visibility.SHOWN, None)


async def test_to_be_erased_is_no_way_out(pool: Pool, admin: AdminStore) -> None:
    await Stores(pool).intake.apply([_sent(1)])
    await admin.quarantine_user(BOB, by=ADMIN)
    await ErasureStore(pool).erase_user(BOB, by=BOB)
    (row,) = await pool.fetch("SELECT quarantined FROM videos")
    assert row["quarantined"] is None
    await Stores(pool).intake.apply([_sent(2)])
    assert await _seen(pool, 2) == [Visibility.HELD]


async def test_an_admin_takes_back_only_their_own_deletion(pool: Pool, admin: AdminStore) -> None:
    await Stores(pool).intake.apply([_sent(1, ADMIN)])
    people, video = VideoService(Stores(pool), invalidate=lambda: None), await _video(pool, 1)
    await people.delete(video, Viewer(ADMIN, moderates=False))
    last = await admin.undoable(ADMIN, UNDO_S)
    assert last
    assert (last.deed, last.video_id) == ("deleted", video.id)
    assert await admin.undoable(ADMIN, 0) is None
    # Brought back, and deleted by a moderator: that is not theirs to undo.
    await people.restore(video.id, ROOM, Viewer(ADMIN, moderates=False))
    await people.delete(video, Viewer(BOB, moderates=True))
    assert await admin.undoable(ADMIN, UNDO_S) is None


async def test_many_failures_are_few_notices(pool: Pool, admin: AdminStore) -> None:
    await Stores(pool).intake.apply([_sent(number) for number in (1, 2, 3)])
    for number in (1, 2):
        await _give_up(pool, number)
    await asyncio.gather(admin.queue_alerts(), admin.queue_alerts())
    (said,) = await _alarms(pool)
    assert (said["subject"], said["count"]) == ("video", 2)
    assert said["details"]["video_id"] == (await _video(pool, 2)).id
    await _give_up(pool, 3)
    await admin.queue_alerts()
    assert len(await _alarms(pool)) == 1  # not so soon again
    await pool.execute("UPDATE troubles SET told_at = told_at - interval '1 hour'")
    await admin.queue_alerts()
    assert [said["count"] for said in await _alarms(pool)] == [2, 1]
    # A failure that goes on is notified once; one that was short, not at all.
    for _ in range(2):
        await admin.begin_alarm("disk", "disk-low", free=1)
    await admin.begin_alarm("homeserver")
    await admin.end_alarm("homeserver", "homeserver-back", least=60)
    await admin.end_alarm("homeserver", "homeserver-back")
    await admin.queue_alerts()
    assert [said["subject"] for said in await _alarms(pool)] == ["video", "video", "disk-low"]
    assert await admin.alarms() == ["disk"]


async def _give_up(pool: Pool, number: int) -> None:
    store = Stores(pool)
    video = await store.attempts.begin_attempt((await _video(pool, number)).id)
    assert video
    await store.attempts.fail(video, "internal", given_up=True)


async def _alarms(pool: Pool) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'alarm' ORDER BY id")
    return [json.loads(row["payload"]) for row in rows]


async def test_admins_do_not_read_every_video(pool: Pool, admin: AdminStore) -> None:
    await pool.execute("INSERT INTO rooms (room_id) VALUES ('!r')")
    await pool.execute(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at)"
        " SELECT '$' || n, '!r', '!r', '@u' || (n % 500), 't', 'm', true, n, n FROM generate_series(1, 20000) AS n"
    )
    await pool.execute("ANALYZE videos")
    some = await pool.fetchval("SELECT id FROM videos LIMIT 1")
    questions = [
        query("any_video", digits="1a2b3c"),
        query("quarantine_videos", video_id=some, user_id=None),
        query("quarantine_videos", video_id=None, user_id="@u1"),
        query("release_videos", video_id=some, user_id=None),
        query("release_videos", video_id=None, user_id="@u1"),
    ]
    async with pool.acquire() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        try:
            for text, *arguments in questions:
                plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *arguments)
                assert "Seq Scan" not in str(plan), f"{text}: {plan}"
        finally:
            await connection.execute("RESET plan_cache_mode")


def _look(seed: int) -> bytes:
    size = 8 * FINGERPRINT_FRAMES * FINGERPRINT_SIDE**2
    frames = random.Random(seed).randbytes(size)  # noqa: S311 - the same each time
    found = fingerprint_of(frames, 10.0)
    assert found
    return found


async def test_a_file_blocked_everywhere_before_its_looks_are_known(pool: Pool, admin: AdminStore) -> None:
    store = BlockStore(pool)
    async with pool.acquire() as connection:
        for number in (1, 2, 3):
            await apply(connection, _sent(number))
    look, other, blocked = _look(1), _look(2), b"a" * 32
    await pool.execute("UPDATE videos SET source_hash = $1, fingerprint = $2", b"b" * 32, other)
    await pool.execute(
        "UPDATE videos SET source_hash = $1, fingerprint = $2 WHERE event_id = '$event1'", b"c" * 32, look
    )
    assert await store.block_everywhere(blocked, "", by=ADMIN) == 0
    # What is blocked in one room only is no matter for all.
    assert await store.take_everywhere(b"b" * 32) == 0
    await store.looks_like(blocked, look)
    assert await store.take_everywhere(blocked) == 1
    assert await _seen(pool, 1, 2, 3) == [Visibility.REMOVED, Visibility.SHOWN, Visibility.SHOWN]
    assert [block.source_hash for block in await store.blocked(ROOM)] == [blocked]
