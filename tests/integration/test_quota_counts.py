"""What counts for quotas while videos are under way: what was declared, then what was downloaded, in the order sent."""

from collections.abc import AsyncIterator

import pytest

from appservice.intake import NewVideo
from appservice.jobs import Pool
from appservice.model import EventId, RoomId, UserId, Video
from appservice.quotas import MIB, Allowance, Quotas, Scope, Used
from appservice.store import QuotaStore, Store
from tests.conftest import CreateDatabase
from tests.support import migrated_pool

ROOM, ALICE = RoomId("!room:x"), UserId("@alice:x")


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("quota-counts"), size=3) as pool:
        yield pool


def _sent(number: int, size: int | None) -> NewVideo:
    return NewVideo(
        event_id=EventId(f"$event{number}"), room_id=ROOM, sender=ALICE, title="T", mxc=f"mxc://x/{number}",
        encrypted_file=None, claimed_size=size, certain=True, sent_at=number,
    )  # fmt: skip


async def _videos(store: Store) -> list[Video]:
    return sorted(await store.room_videos(ROOM), key=lambda video: video.created_at)


async def test_of_ten_that_are_sent_at_once_only_some_have_room(pool: Pool) -> None:
    quotas = Quotas(user=Allowance(size=10))
    store = Store(pool, quotas)
    await store.apply([_sent(number, 4 * MIB) for number in range(10)])
    # The third one goes beyond, as the last one may.
    assert [video.failure for video in await _videos(store)] == [None] * 3 + ["quota-user"] * 7


@pytest.mark.parametrize("scope", Scope)
async def test_what_was_not_declared_counts_once_it_is_downloaded(pool: Pool, scope: Scope) -> None:
    quotas = Quotas.model_validate({scope: Allowance(size=10)})
    store, counted = Store(pool, quotas), QuotaStore(pool, quotas)
    await store.apply([_sent(number, None if number % 2 else 0) for number in range(10)])
    begun = [video for each in await _videos(store) if (video := await store.begin_attempt(each.id))]
    assert [await counted.used_up(video) for video in begun] == [None] * 10, "nobody knows yet"
    for video in begun:
        await store.note_size(video, 4 * MIB)
    # Each sees those before, so that they are not all in each other's way.
    assert [await counted.used_up(video) for video in begun] == [None] * 3 + [scope] * 7
    for video in begun[3:]:
        await store.fail(video, f"quota-{scope}")
    assert await counted.used_by(ALICE) == Used(3, 12 * MIB)
    # Once it is whole, what its files take counts, for those that were sent before, too.
    await pool.execute("UPDATE videos SET state = 'ready', bytes = $1 WHERE event_id = '$event2'", 11 * MIB)
    assert await counted.used_by(ALICE) == Used(3, 19 * MIB)
    assert await counted.used_up(begun[0]) is scope


async def test_an_absurd_claim_is_no_error(pool: Pool) -> None:
    store, counted = Store(pool), QuotaStore(pool, Quotas(user=Allowance(size=10)))
    await store.apply([_sent(number, 2**53 - 1) for number in range(5)])
    await pool.execute("UPDATE videos SET claimed_size = 9223372036854775807")
    assert await counted.used_by(ALICE) == Used(5, 5 * 2**40)
    # It is nobody else's matter.
    assert await counted.used_in(ROOM) == await counted.used_by_all() == Used(5, 0)
