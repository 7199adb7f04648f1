"""What waits to be decrypted, and what waits to be encrypted: in order, once, and readable to nobody there."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count

import pytest

from appservice.core.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.core.events.changes import BotMembershipChanged, EncryptedSent, Redacted, RoomEncrypted
from appservice.core.model import EventId, KeyRotation, RoomId, UserId
from appservice.core.room import Membership
from appservice.encryption.keyring import new_keyring
from appservice.store import Stores
from appservice.store.outbox import Pool
from appservice.store.outgoing import DEVICE_LOCK
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.waiting import eventually

ALICE, BOT = UserId("@alice:example.org"), UserId("@reel:example.org")

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("encrypted-queues"), size=5) as pool:
        yield pool


@pytest.fixture
async def stores(pool: Pool) -> AsyncIterator[Stores]:
    """The stores of a process beside one that owns the bot's device."""
    async with pool.acquire() as owner:
        await owner.execute("SELECT pg_advisory_lock($1)", DEVICE_LOCK)
        yield Stores(pool, decrypting=True, sealing=new_keyring())
        await owner.execute("SELECT pg_advisory_unlock($1)", DEVICE_LOCK)


async def _room(stores: Stores, *, encrypted: bool = True) -> RoomId:
    room_id = RoomId(f"!{next(numbers)}:example.org")
    await stores.intake.apply([BotMembershipChanged(room_id, Membership.JOIN, BOT)])
    if encrypted:
        await stores.intake.apply([RoomEncrypted(room_id, KeyRotation(7, 8))])
    return room_id


def _event(room_id: RoomId, session_id: str = "session") -> EncryptedSent:
    event_id = EventId(f"$encrypted{next(numbers)}")
    return EncryptedSent(room_id, event_id, ALICE, session_id, {"event_id": event_id, "room_id": room_id})


async def _due(stores: Stores, room_id: RoomId) -> list[EventId]:
    return [event.event_id for event in await stores.encrypted_events.due(1000) if event.room_id == room_id]


async def test_what_comes_before_the_room_is_known_to_be_encrypted_waits(stores: Stores) -> None:
    room_id = await _room(stores, encrypted=False)
    early = _event(room_id)
    await stores.intake.apply([early])
    assert await _due(stores, room_id) == []
    assert await stores.rooms.rotation(room_id) is None
    await stores.intake.apply([RoomEncrypted(room_id, KeyRotation(7, 8))])
    assert await _due(stores, room_id) == [early.event_id]
    assert await stores.rooms.rotation(room_id) == KeyRotation(7, 8)


async def test_an_event_comes_once_and_a_redacted_one_never(stores: Stores) -> None:
    room_id = await _room(stores)
    first, second = _event(room_id), _event(room_id)
    await stores.intake.apply([first, second, first])
    assert await _due(stores, room_id) == [first.event_id, second.event_id]
    await stores.intake.apply([Redacted(room_id, second.event_id, ALICE)])
    (event,) = [each for each in await stores.encrypted_events.due(1000) if each.room_id == room_id]
    assert await stores.encrypted_events.decrypted(event, [])
    assert not await stores.encrypted_events.decrypted(event, [])
    await stores.intake.apply([first])
    assert await _due(stores, room_id) == []


async def test_an_event_whose_key_is_missing_waits_for_it(stores: Stores) -> None:
    room_id = await _room(stores)
    await stores.intake.apply([_event(room_id, "late"), _event(room_id, "other")])
    late, other = [each for each in await stores.encrypted_events.due(1000) if each.room_id == room_id]
    for each in (late, other):
        await stores.encrypted_events.key_missing(each)
    assert await _due(stores, room_id) == []
    await stores.encrypted_events.keys_came({"late"})
    assert await _due(stores, room_id) == [late.event_id]
    await stores.encrypted_events.retry_all()
    assert await _due(stores, room_id) == [late.event_id, other.event_id]
    assert await stores.encrypted_events.is_waiting(late)


async def test_where_nobody_decrypts_nothing_is_kept(pool: Pool) -> None:
    stores = Stores(pool)
    room_id = await _room(stores)
    await stores.intake.apply([_event(room_id)])
    assert await _due(stores, room_id) == []


async def test_what_is_sent_is_stored_sealed_and_sent_once_in_order(stores: Stores, pool: Pool) -> None:
    room_id, other = await _room(stores), await _room(stores)
    for txn in ("a", "b"):  # the tasks below come in any order
        await stores.outgoing.queue(room_id, "m.room.message", {"body": f"secret {txn}"}, f"{room_id}{txn}")
    sending = [
        asyncio.create_task(stores.outgoing.send(room, "m.room.message", {"body": f"secret {txn}"}, f"{room}{txn}"))
        for room, txn in ((room_id, "a"), (room_id, "a"), (room_id, "b"), (other, "c"))
    ]

    async def due() -> dict[RoomId, str]:
        rooms = {room_id, other}
        return {each.room_id: each.content["body"] for each in await stores.outgoing.due(1000) if each.room_id in rooms}

    async def all_queued() -> bool:
        query = "SELECT FROM outgoing_events WHERE room_id = ANY ($1)"
        return len(await pool.fetch(query, [room_id, other])) == 3

    await eventually(all_queued)
    assert await due() == {room_id: "secret a", other: "secret c"}
    rows = await pool.fetch("SELECT content FROM outgoing_events")
    assert "secret" not in json.dumps([row["content"] for row in rows])
    for event in await stores.outgoing.due(1000):
        await stores.outgoing.encrypted(event, {"ciphertext": "x"})
        await stores.outgoing.sent(event, EventId(f"${event.txn_id}"))
    assert await due() == {room_id: "secret b"}
    (event,) = await stores.outgoing.due(1000)
    await stores.outgoing.sent(event, EventId("$b"))
    assert await asyncio.gather(*sending) == [f"${room_id}a", f"${room_id}a", "$b", f"${other}c"]
    rows = await pool.fetch("SELECT FROM outgoing_events WHERE content IS NOT NULL OR encrypted IS NOT NULL")
    assert rows == []


@pytest.mark.parametrize(("forbidden", "error"), [(True, ForbiddenError), (False, RefusedByHomeserverError)])
async def test_whoever_sends_hears_of_a_refusal(stores: Stores, forbidden: bool, error: type[Exception]) -> None:
    room_id = await _room(stores)
    await stores.outgoing.queue(room_id, "m.room.message", {}, f"refused {forbidden}")
    (event,) = [each for each in await stores.outgoing.due(1000) if each.room_id == room_id]
    refusal = ForbiddenError("No.") if forbidden else RefusedByHomeserverError("No.", "M_DUPLICATE_ANNOTATION")
    await stores.outgoing.refused(event, refusal)
    with pytest.raises(error, match="No") as raised:
        await stores.outgoing.send(room_id, "m.room.message", {}, f"refused {forbidden}")
    assert vars(raised.value) == vars(refusal)  # who sends reactions looks at the `errcode`


async def test_whoever_waits_for_an_erased_room_hears_of_it(stores: Stores) -> None:
    room_id = await _room(stores)
    sending = asyncio.create_task(stores.outgoing.send(room_id, "m.room.message", {}, "erased"))

    async def is_queued() -> bool:
        return any(each.room_id == room_id for each in await stores.outgoing.due(1000))

    await eventually(is_queued)
    await stores.erasure.erase_room(room_id, by=ALICE)
    with pytest.raises(HomeserverError, match="erased"):
        await sending


async def test_where_nobody_encrypts_nobody_waits_long(pool: Pool) -> None:
    """Whoever waits holds up others' jobs; what is queued is sent later."""
    stores = Stores(pool, decrypting=True, sealing=new_keyring())
    room_id = await _room(stores)
    with pytest.raises(HomeserverError, match="roomreel serve"):
        await stores.outgoing.send(room_id, "m.room.message", {}, "nobody")
    assert [each.txn_id for each in await stores.outgoing.due(1000) if each.room_id == room_id] == ["nobody"]


async def test_what_cannot_be_opened_holds_up_nothing(stores: Stores, pool: Pool) -> None:
    room_id, other = await _room(stores), await _room(stores)
    others = Stores(pool, decrypting=True, sealing=new_keyring())
    await others.outgoing.queue(room_id, "m.room.message", {"body": "sealed by another key"}, "another key")
    await stores.outgoing.queue(room_id, "m.room.message", {"body": "damaged"}, "damaged")
    await pool.execute("UPDATE outgoing_events SET content = '{}' WHERE txn_id = 'damaged'")
    for room in (room_id, other):
        await stores.outgoing.queue(room, "m.room.message", {"body": "whole"}, f"{room} whole")
    due = [each for each in await stores.outgoing.due(1000) if each.room_id in {room_id, other}]
    assert {each.room_id: each.content for each in due} == {key: {"body": "whole"} for key in (room_id, other)}
    for txn_id in ("another key", "damaged"):
        with pytest.raises(RefusedByHomeserverError, match="cannot be read"):
            await stores.outgoing.send(room_id, "m.room.message", {}, txn_id)
