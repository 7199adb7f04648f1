"""The key of a stage is there as long as the stage is: published with it, swept with it, gone with its video."""

import uuid
from collections.abc import AsyncIterator
from itertools import count

import pytest

from appservice.core.events.changes import BotMembershipChanged, MemberChanged, NewVideo, VideoEdited
from appservice.core.model import EventId, RoomId, State, UserId, Video
from appservice.core.room import Membership
from appservice.store import Published, Stores
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.factories import rendition

ALICE, ROOM = UserId("@alice:example.org"), RoomId("!room:example.org")
FIRST, LAST = "1-first-playable", "1-first-ready"

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("media_keys"), size=3) as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> Stores:
    return Stores(pool)


def _new(event_id: EventId, mxc: str = "mxc://example.org/a") -> NewVideo:
    return NewVideo(
        event_id=event_id, room_id=ROOM, sender=ALICE, title="T", mxc=mxc, encrypted_file=None, claimed_size=5,
        certain=True, sent_at=next(numbers),
    )  # fmt: skip


def _published(stage: str, state: State, available: int | None = None) -> Published:
    return Published(
        state, stage, 5.0, 854, 480, has_poster=True, renditions=[rendition()], available=available,
        sealed_key=stage.encode(),
    )  # fmt: skip


async def _video(store: Stores) -> Video:
    event_id = EventId(f"$event{next(numbers)}")
    await store.intake.apply([
        BotMembershipChanged(ROOM, Membership.JOIN, ALICE), MemberChanged(ROOM, ALICE, Membership.JOIN, None, None),
        _new(event_id),
    ])  # fmt: skip
    return next(video for video in await store.videos.room_videos(ROOM) if video.event_id == event_id)


async def _attempt(store: Stores, video: Video) -> Video:
    attempt = await store.attempts.begin_attempt(video.id)
    assert attempt
    return attempt


async def _stages(pool: Pool, video: Video) -> list[str]:
    rows = await pool.fetch(
        "SELECT stage, sealed FROM media_keys WHERE video_id = $1 ORDER BY stage", uuid.UUID(video.id)
    )
    assert all(row["sealed"] == row["stage"].encode() for row in rows)
    return [row["stage"] for row in rows]


async def _is_encrypted(store: Stores, video: Video) -> bool:
    now = await store.videos.video(video.id)
    assert now
    return now.media.encrypted


async def test_an_earlier_stage_has_its_key_until_it_is_swept(store: Stores, pool: Pool) -> None:
    video = await _attempt(store, await _video(store))
    for available in (1, 2, None):
        assert await store.attempts.publish(video, _published(FIRST, State.PLAYABLE, available))
    assert await _is_encrypted(store, video)
    assert await store.attempts.publish(video, _published(LAST, State.READY))
    assert await _stages(pool, video) == [FIRST, LAST]
    assert await store.media_keys.sealed_key(video.id, FIRST) == FIRST.encode()
    await store.media_keys.sweep(video.id)
    assert await _stages(pool, video) == [LAST]


async def test_an_attempt_that_is_superseded_stores_no_key(store: Stores, pool: Pool) -> None:
    video = await _attempt(store, await _video(store))
    await _attempt(store, video)
    assert not await store.attempts.publish(video, _published(LAST, State.READY))
    assert await _stages(pool, video) == []


@pytest.mark.parametrize("end", ["pause", "give back", "fail"])
async def test_a_withdrawn_stage_loses_its_key(store: Stores, pool: Pool, end: str) -> None:
    video = await _attempt(store, await _video(store))
    assert await store.attempts.publish(video, _published(FIRST, State.PLAYABLE, 1))
    match end:
        case "pause":
            assert await store.attempts.pause(video) == FIRST
        case "give back":
            assert await store.attempts.give_back_attempt(video) == FIRST
        case _:
            await store.attempts.fail(video, "broken-file")
            await store.media_keys.sweep(video.id)  # by the job that was queued
    assert await _stages(pool, video) == []
    assert not await _is_encrypted(store, video)


async def test_what_an_edit_replaced_has_its_key_until_that_is_ready(store: Stores, pool: Pool) -> None:
    video = await _attempt(store, await _video(store))
    assert await store.attempts.publish(video, _published(LAST, State.READY))
    edit = _new(EventId(f"$edit{next(numbers)}"), "mxc://example.org/b")
    await store.intake.apply([VideoEdited(ROOM, video.event_id, edit)])
    assert await _is_encrypted(store, video)
    again = await _attempt(store, video)
    assert await store.attempts.publish(again, _published("2-playable", State.PLAYABLE, 1))
    await store.media_keys.sweep(video.id)
    assert await _stages(pool, video) == [LAST, "2-playable"]
    await store.attempts.fail(again, "broken-file")
    await store.media_keys.sweep(video.id)
    assert await _stages(pool, video) == [LAST]
    assert await _is_encrypted(store, video), "what played before is back"


async def test_a_stage_that_is_not_encrypted_any_more(store: Stores, pool: Pool) -> None:
    video = await _attempt(store, await _video(store))
    assert await store.attempts.publish(video, _published(FIRST, State.PLAYABLE))
    plain = Published(State.READY, LAST, 5.0, 854, 480, has_poster=True, renditions=[rendition()])
    assert await store.attempts.publish(video, plain)
    assert not await _is_encrypted(store, video)
    assert await _stages(pool, video) == [FIRST]


@pytest.mark.parametrize("way", ["erased", "discarded"])
async def test_no_key_outlives_its_video(store: Stores, pool: Pool, way: str) -> None:
    video = await _attempt(store, await _video(store))
    assert await store.attempts.publish(video, _published(LAST, State.READY))
    if way == "erased":
        await store.erasure.erase_user(ALICE, by=ALICE)
    else:
        await store.attempts.discard(video)
    assert await _stages(pool, video) == []
