"""What counts for quotas while videos are under way: what was declared, then what was downloaded, by our own clock."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from appservice.core.events.changes import NewVideo, RoomNamed
from appservice.core.model import EventId, RoomId, State, UserId, Video
from appservice.core.rules.quotas import MIB, Allowance, Quotas, QuotaScope, Used
from appservice.store import Published, QuotaStore, Stores, SupersededUploadError, Upload, UploadStore
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool

ROOM, ALICE = RoomId("!room:x"), UserId("@alice:x")


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("quota-counts"), size=12) as pool:
        yield pool


def _sent(number: int, size: int | None) -> NewVideo:
    return NewVideo(
        event_id=EventId(f"$event{number}"), room_id=ROOM, sender=ALICE, title="T", mxc=f"mxc://x/{number}",
        encrypted_file=None, claimed_size=size, certain=True, sent_at=number,
    )  # fmt: skip


async def _videos(store: Stores) -> list[Video]:
    return sorted(await store.videos.room_videos(ROOM), key=lambda video: video.created_at)


async def test_of_ten_that_are_sent_at_once_only_some_have_room(pool: Pool) -> None:
    quotas = Quotas(user=Allowance(size=10))
    store = Stores(pool, quotas)
    await store.intake.apply([_sent(number, 4 * MIB) for number in range(10)])
    # The third one goes beyond, as the last one may.
    assert [video.failure for video in await _videos(store)] == [None] * 3 + ["quota-user"] * 7


@pytest.mark.parametrize("scope", QuotaScope)
async def test_what_was_not_declared_counts_once_it_is_downloaded(pool: Pool, scope: QuotaScope) -> None:
    quotas = Quotas.model_validate({scope: Allowance(size=10)})
    store, counted = Stores(pool, quotas), QuotaStore(pool, quotas)
    await store.intake.apply([_sent(number, None if number % 2 else 0) for number in range(10)])
    started = [video for each in await _videos(store) if (video := await store.attempts.begin_attempt(each.id))]
    assert [await counted.used_up(video) for video in started] == [None] * 10, "nobody knows yet"
    # Each sees those before, so that they are not all in each other's way, now or when they are tried again.
    assert [await counted.admit(video, 4 * MIB) for video in started] == [None] * 3 + [scope] * 7
    assert [await counted.admit(video, 4 * MIB) for video in started] == [None] * 3 + [scope] * 7
    for video in started[3:]:
        await store.attempts.fail(video, f"quota-{scope}")
    assert await counted.used_by(ALICE) == Used(3, 12 * MIB)
    # Once it is whole, what its files take counts, for those that were sent before, too.
    await pool.execute("UPDATE videos SET state = 'ready', bytes = $1 WHERE event_id = '$event2'", 11 * MIB)
    assert await counted.used_by(ALICE) == Used(3, 19 * MIB)
    assert await counted.used_up(started[0]) is scope


async def test_an_absurd_claim_is_no_error(pool: Pool) -> None:
    store, counted = Stores(pool), QuotaStore(pool, Quotas(user=Allowance(size=10)))
    await store.intake.apply([_sent(number, 2**53 - 1) for number in range(5)])
    await pool.execute("UPDATE videos SET claimed_size = 9223372036854775807")
    assert await counted.used_by(ALICE) == Used(5, 5 * 2**40)
    # It is nobody else's matter.
    assert await counted.used_in(ROOM) == await counted.used_by_all() == Used(5, 0)


async def _started(store: Stores, *sent: NewVideo) -> list[Video]:
    """Let each video arrive in a transaction of its own and return the attempts at them, in that order."""
    for each in sent:
        await store.intake.apply([each])
    by_event = {video.event_id: video for video in await store.videos.room_videos(ROOM)}
    started = [await store.attempts.begin_attempt(by_event[each.event_id].id) for each in sent]
    return [video for video in started if video]


@pytest.mark.parametrize("scope", QuotaScope)
async def test_of_those_whose_size_is_known_at_the_same_time_only_some_have_room(pool: Pool, scope: QuotaScope) -> None:
    quotas = Quotas.model_validate({scope: Allowance(size=10)})
    store, counted = Stores(pool, quotas), QuotaStore(pool, quotas)
    started = await _started(store, *[_sent(number, None) for number in range(10)])
    # Whichever download ends first: the last in their order as well, before anything is known of the others.
    assert await counted.admit(started[-1], 4 * MIB) is None
    found = await asyncio.gather(*[counted.admit(video, 4 * MIB) for video in started[:-1]])
    assert sorted(str(each) for each in found) == ["None"] * 2 + [str(scope)] * 7
    assert (await counted.used_by_all()).bytes == 12 * MIB


async def test_a_clock_that_is_behind_is_no_place_before_others(pool: Pool) -> None:
    quotas = Quotas(room=Allowance(videos=1))
    store, counted = Stores(pool), QuotaStore(pool, quotas)
    honest, behind = await _started(store, _sent(1_700_000_000_000, 1), _sent(5, 1))
    assert await counted.used_up(honest) is None
    assert await counted.used_up(behind) is QuotaScope.ROOM
    assert await counted.admit(honest, MIB) is None


async def test_what_is_watched_while_it_is_made_counts_with_what_was_downloaded(pool: Pool) -> None:
    quotas = Quotas(room=Allowance(size=10))
    store, counted = Stores(pool, quotas), QuotaStore(pool, quotas)
    (video,) = await _started(store, _sent(1, None))
    assert await counted.admit(video, 8 * MIB) is None
    first = Published(
        state=State.PLAYABLE, stage="1-a", duration=9.0, width=320, height=180, has_poster=False, renditions=[],
        available=1, bytes=1000,
    )  # fmt: skip
    assert await store.attempts.publish(video, first)
    assert await counted.used_in(ROOM) == Used(1, 8 * MIB)
    await store.attempts.pause(video)  # the attempt failed: what it had published goes, and its place stays
    assert await counted.used_in(ROOM) == Used(1, 8 * MIB)
    (again,) = [await store.attempts.begin_attempt(video.id)]
    assert again
    assert await store.attempts.publish(again, replace(first, state=State.READY, stage="2-b", available=None))
    assert await counted.used_in(ROOM) == Used(1, 1000)


async def _prepared(uploads: UploadStore, number: int) -> Upload:
    made = await uploads.create(ROOM, ALICE, filename=f"{number}.mp4", metadata="", length=1)
    assert await uploads.finish(made, start=None, end=None, convert=False)
    started = await uploads.begin_attempt(made.id)
    assert started
    return started


@pytest.mark.parametrize("scope", QuotaScope)
async def test_what_is_uploaded_and_not_sent_counts(pool: Pool, scope: QuotaScope) -> None:
    quotas = Quotas.model_validate({scope: Allowance(videos=2, size=10)})
    store, counted, uploads = Stores(pool, quotas), QuotaStore(pool, quotas), UploadStore(pool, quotas)
    await store.intake.apply([RoomNamed(ROOM, "R")])
    started = [await _prepared(uploads, number) for number in range(3)]
    media = [f"mxc://x/{upload.filename}" for upload in started]
    found = await asyncio.gather(
        *[uploads.register_media(upload, mxc, 3 * MIB) for upload, mxc in zip(started, media, strict=True)]
    )
    assert sorted(str(each) for each in found) == ["None", "None", str(scope)], "three at once"
    kept = [(u, m) for u, m, full in zip(started, media, found, strict=True) if full is None]
    upload, mxc = kept[0]
    assert await uploads.register_media(upload, f"{mxc}-thumbnail", MIB, thumbnail_of=mxc) is None
    (refused,) = set(media) - {mxc for _, mxc in kept}
    assert await _to_delete(pool) == [refused]
    await pool.execute("DELETE FROM upload_media WHERE mxc = $1", refused)
    assert (
        await counted.used_by_all() == await counted.used_by(ALICE) == await counted.used_in(ROOM) == Used(2, 7 * MIB)
    )
    assert await counted.full_for(ALICE, ROOM) is scope
    # An attempt more of the same upload is not in its own way; and what the first one left goes once that is whole.
    again = await uploads.begin_attempt(upload.id)
    assert again
    with pytest.raises(SupersededUploadError):
        await uploads.register_media(upload, "mxc://x/late", MIB)
    assert await uploads.register_media(again, "mxc://x/again", 3 * MIB) is None
    assert await uploads.ready(again, {"url": "mxc://x/again"}, "mxc://x/again")
    assert set(await _to_delete(pool)) == {refused, mxc, "mxc://x/late"}
    await pool.execute("DELETE FROM upload_media WHERE upload_id = $1 AND mxc <> 'mxc://x/again'", upload.id)
    # The message comes: it counts once, as a video.
    await store.intake.apply([replace(_sent(1, 3 * MIB), mxc="mxc://x/again")])
    (video,) = await _videos(store)
    assert (video.failure, (await counted.used_by_all()).videos) == (None, 2)


async def _to_delete(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'forget'")
    return sorted(json.loads(row["payload"])["unsent"] for row in rows)
