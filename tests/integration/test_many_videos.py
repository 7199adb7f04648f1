"""What a million videos need of the database: an upgrade that loses nothing, right totals, little that stays."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from appservice import resources
from appservice.core.model import EventId, State, Video, Visibility
from appservice.core.text.status import Mark
from appservice.database.migrate import Phase, load_migrations, migrate
from appservice.store import Published, Stores, open_pool
from appservice.store.outbox import Pool
from appservice.store.packing import unpack
from tests.integration.test_store import member, new_video, published, started
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.factories import ALICE, ROOM, rendition
from transcode.storyboard import Storyboard

_BOARD = Storyboard(7, 13, 160, 90, 1.0)
_BEFORE_US = 25
_PACKED = 30  # the last one of 0.2.0, which packs them
"""The last migration of the release before."""
# As that release publishes: column by column, as its query has it.
_PUBLISH = """
UPDATE videos SET state = $2, stage = $3, duration = 5, width = 854, height = 480, has_poster = true, renditions = $4,
    storyboard = $5, content_hash = $6, bytes = 7000, finishing = NULL, source_hash = $7, available = $8
WHERE id = $1
"""
_TOTALS = "SELECT sum(videos)::bigint, sum(bytes)::bigint FROM ready_totals"
_COUNTED = """
SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM videos WHERE state = 'ready' AND visibility <> 'removed'
"""


@pytest.fixture
async def old(create_database: CreateDatabase) -> str:
    """A database as the release before left it."""
    dsn = await create_database("many_videos_old")
    connection = await asyncpg.connect(dsn)
    ours = load_migrations(resources.migrations())
    await migrate(connection, [each for each in ours if each.version <= _BEFORE_US])
    await connection.close()
    return dsn


async def _upgrade(dsn: str, phase: Phase) -> None:
    connection = await asyncpg.connect(dsn)
    ours = load_migrations(resources.migrations())
    await migrate(connection, [each for each in ours if each.version <= _PACKED], phase)
    await connection.close()


async def _insert_old(pool: Pool, number: int) -> str:
    video_id = await pool.fetchval(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at, history)"
        " VALUES ($1, $2, $2, $3, 'A video', $1, true, $4::bigint, $4::bigint, 'shared') RETURNING id",
        f"$old{number}", ROOM, ALICE, number,
    )  # fmt: skip
    return str(video_id)


async def _publish_old(pool: Pool, video_id: str, number: int, state: State = State.READY) -> None:
    ladder = [rendition("480", seconds=number + 0.5), rendition("240", seconds=number + 0.5, width=426, height=240)]
    file = bytes([number]) * 32
    await pool.execute(
        _PUBLISH, video_id, state, f"1-{state}", [each.to_json() for each in ladder], _BOARD.to_json(),
        b"c" * 24 + file[:8], file, 2 if state is State.PLAYABLE else None,
    )  # fmt: skip


async def _all(pool: Pool) -> dict[str, Video]:
    return {video.event_id: video for video in await Stores(pool).videos.room_videos(ROOM)}


async def _packed(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM videos WHERE jsonb_typeof(renditions) = 'string'")
    return count


async def test_an_upgrade_packs_all_and_loses_nothing(old: str) -> None:
    async with await open_pool(old, size=3) as pool:
        await pool.execute("INSERT INTO rooms (room_id, bot_membership) VALUES ($1, 'join')", ROOM)
        ids = [await _insert_old(pool, number) for number in range(450)]
        for number, video_id in enumerate(ids[:440]):
            await _publish_old(pool, video_id, number % 200, State.PLAYABLE if number % 10 == 9 else State.READY)
    await _upgrade(old, Phase.BEFORE)
    async with await open_pool(old, size=3) as pool:
        stores, before = Stores(pool), await _all(pool)
        assert len(before) == 450
        assert all(before[f"$old{n}"].media.storyboard == _BOARD for n in range(440))
        # Both releases serve: what ours publishes, that one reads, and the other way round.
        await stores.intake.apply([member(ALICE), new_video(1)])
        (video,) = [each for each in (await _all(pool)).values() if each.event_id == "$event1"]
        ours = await started(stores, video)
        assert await stores.attempts.publish(ours, replace(published(), storyboard=_BOARD, content_hash=b"d" * 32))
        row = await pool.fetchrow("SELECT renditions, storyboard, content_hash FROM videos WHERE id = $1", video.id)
        assert row
        assert row["renditions"] == json.loads(json.dumps([each.to_json() for each in published().renditions]))
        assert row["storyboard"] == _BOARD.to_json()
        assert row["content_hash"] == b"d" * 32
        await _publish_old(pool, ids[440], 1)
        assert not await stores.packed_media.pack_some()
        assert await _packed(pool) == 0
        assert await pool.fetchrow(_TOTALS) == await pool.fetchrow(_COUNTED)
        before = await _all(pool)
    await _upgrade(old, Phase.AFTER)
    async with await open_pool(old, size=3) as pool:
        stores = Stores(pool)
        assert await _all(pool) == before
        assert await stores.packed_media.pack_some()
        assert await _packed(pool) == 200
        assert await _all(pool) == before  # some are packed, some are not
        while await stores.packed_media.pack_some():
            pass
        assert await _packed(pool) == 442
        assert await _all(pool) == before
        # The same file is found, though its hash was stored whole.
        await pool.execute("UPDATE videos SET source_hash = $2 WHERE id = $1", ids[449], bytes([5]) * 32)
        found = await stores.attempts.same_content(before["$old449"].id, b"c" * 24 + bytes([5]) * 8)
        assert found
        assert found.media.renditions == before["$old5"].media.renditions
        assert not await stores.attempts.same_content(before["$old449"].id, b"e" * 32)


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("many_videos"), size=5) as pool:
        yield pool


async def _published(stores: Stores, number: int, size: int) -> Video:
    await stores.intake.apply([member(ALICE), new_video(number)])
    (video,) = [each for each in await stores.videos.room_videos(ROOM) if each.event_id == f"$event{number}"]
    attempt = await started(stores, video)
    made: Published = replace(published(), storyboard=_BOARD, bytes=size)
    assert await stores.attempts.publish(attempt, made)
    found = await stores.videos.video(video.id)
    assert found
    return found


async def test_what_is_published_is_packed_and_read_back(pool: Pool) -> None:
    video = await _published(Stores(pool), 1, 10)
    assert (video.media.renditions, video.media.storyboard) == (tuple(published().renditions), _BOARD)
    stored = await pool.fetchval("SELECT renditions FROM videos")
    assert unpack(stored, None) == (video.media.renditions, _BOARD)
    assert await _packed(pool) == 1


async def test_the_total_of_what_is_ready_follows_every_change(pool: Pool) -> None:
    stores, chance = Stores(pool), random.Random(3)  # noqa: S311 - the same each time
    videos = [await _published(stores, number, 10 ** (number % 5)) for number in range(12)]
    changes = (
        "UPDATE videos SET visibility = 'removed' WHERE id = $1",
        "UPDATE videos SET visibility = 'hidden' WHERE id = $1",
        "UPDATE videos SET visibility = 'shown' WHERE id = $1",
        "UPDATE videos SET bytes = bytes + 3 WHERE id = $1",
        "UPDATE videos SET state = 'playable' WHERE id = $1",
        "UPDATE videos SET state = 'ready' WHERE id = $1",
        "UPDATE videos SET state = 'failed', bytes = 0 WHERE id = $1",
    )
    for _ in range(120):
        await pool.execute(chance.choice(changes), chance.choice(videos).id)
        if chance.random() < 0.1:
            await stores.quotas.fold_totals()
        assert await pool.fetchrow(_TOTALS) == await pool.fetchrow(_COUNTED)
    await pool.execute("DELETE FROM videos WHERE id = ANY ($1::uuid[])", [video.id for video in videos[:3]])
    assert await pool.fetchrow(_TOTALS) == await pool.fetchrow(_COUNTED)
    await stores.quotas.fold_totals()
    assert await pool.fetchval("SELECT count(*) FROM ready_totals") == 1
    rows = await pool.fetch("SELECT state, count(*) AS n FROM videos WHERE visibility <> 'removed' GROUP BY state")
    assert await stores.videos.counts() == {row["state"]: row["n"] for row in rows}
    await pool.execute("TRUNCATE videos CASCADE")
    assert await stores.videos.counts() == {}


async def test_a_message_brings_each_of_its_videos_once(pool: Pool) -> None:
    await Stores(pool).intake.apply([member(ALICE), new_video(1), new_video(2)])
    other = "UPDATE videos SET event_id = '$event1', item = $1 WHERE event_id = '$event2'"
    with pytest.raises(asyncpg.UniqueViolationError):
        await pool.execute(other, 0)
    await pool.execute(other, 1)
    assert [video.item for video in await Stores(pool).videos.room_videos(ROOM)] == [0, 1]


async def test_redacted_marks_are_forgotten_where_another_stands(pool: Pool) -> None:
    stores = Stores(pool)
    settled, hidden, recent = [await _published(stores, number, 1) for number in range(3)]
    for video in (settled, hidden, recent):
        await stores.status_posts.save(video.id, Mark.WORKING, EventId("$working"))
        await stores.status_posts.mark_redacted(video.id, Mark.WORKING)
    for video in (settled, recent):
        await stores.status_posts.save(video.id, Mark.PLAYABLE, EventId("$playable"))
    await pool.execute("UPDATE videos SET changed_at = now() - interval '3 days' WHERE id <> $1", recent.id)
    await stores.status_posts.prune()
    assert set(await stores.status_posts.posts(settled.id)) == {Mark.PLAYABLE}
    # Whether anything was posted decides what is posted when it is shown again.
    assert set(await stores.status_posts.posts(hidden.id)) == {Mark.WORKING}
    assert set(await stores.status_posts.posts(recent.id)) == {Mark.WORKING, Mark.PLAYABLE}


async def test_what_is_too_old_is_found_by_either_limit(pool: Pool) -> None:
    stores, day = Stores(pool), 86_400_000
    now = await pool.fetchval("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    for age in (0, 1, 3, 5, 9):
        await stores.intake.apply([member(ALICE), new_video(age, sent_at=now - age * day - 1000)])
    assert await stores.erasure.remove_due(None) == 0
    assert await stores.erasure.remove_due(9) == 1
    await pool.execute("UPDATE rooms SET max_lifetime = $1", 3 * day)
    assert await stores.erasure.remove_due(5) == 2
    assert {video.visibility for video in await stores.videos.room_videos(ROOM)} == {Visibility.SHOWN}
    assert len(await stores.videos.room_videos(ROOM)) == 2
