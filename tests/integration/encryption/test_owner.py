"""What the owner of the device does for one room, or with one event, keeps nothing from the others."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, cast

import aiohttp
import pytest

from appservice.core.errors import HomeserverError
from appservice.core.events.changes import BotMembershipChanged, EncryptedSent, RoomEncrypted
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.room import Membership
from appservice.encryption.device import Decrypted, Device
from appservice.encryption.errors import DevicesUnknownError, KeyMissingError
from appservice.encryption.keyring import new_keyring
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores
from appservice.store.outbox import Pool
from appservice.worker import late_keys
from appservice.worker.encrypted_rooms import EncryptedRooms
from appservice.worker.late_keys import LateKeys
from appservice.worker.sending import Sending
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.waiting import eventually

ALICE, BOT = UserId("@alice:example.org"), UserId("@reel:example.org")
numbers = count()


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("owner"), size=8) as pool:
        yield pool


@pytest.fixture
async def stores(pool: Pool) -> Stores:
    return Stores(pool, decrypting=True, sealing=new_keyring())


async def _room(stores: Stores) -> RoomId:
    room_id = RoomId(f"!{next(numbers)}:example.org")
    await stores.intake.apply([BotMembershipChanged(room_id, Membership.JOIN, BOT), RoomEncrypted(room_id)])
    return room_id


class _Homeserver(HomeserverClient):
    async def put_event(self, room_id: RoomId, kind: str, content: object, txn_id: str) -> EventId:
        return EventId(f"${txn_id}")


class _SlowFor:
    """A device that never comes to an end with one room's key, fails with another's, and has the rest."""

    def __init__(self, slow: RoomId, bad: RoomId) -> None:
        self.slow, self.bad = slow, bad

    async def encrypt(self, room_id: str, *_: object) -> dict[str, Any]:
        if room_id == self.slow:
            await asyncio.Event().wait()
        if room_id == self.bad:
            raise HomeserverError("its members' devices are not to be had")
        return {"ciphertext": "x"}


async def test_a_room_whose_key_cannot_be_shared_holds_up_no_other(stores: Stores, http: aiohttp.ClientSession) -> None:
    slow, bad, good = [await _room(stores) for _ in range(3)]
    for room_id in (slow, bad):
        await stores.outgoing.queue(room_id, "m.room.message", {}, room_id)
    sending = Sending(stores, _Homeserver(http, "http://127.0.0.1", "", "", BOT))
    running = asyncio.create_task(sending.run(cast("Device", _SlowFor(slow, bad))))
    try:
        for number in range(3):  # also what is queued while the others are at it
            sent = asyncio.create_task(stores.outgoing.send(good, "m.room.message", {}, f"good{number}"))
            while not sent.done():
                sending.wake()
                await asyncio.wait([sent, running], timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
                assert not running.done()
            assert await sent == f"$good{number}"
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert {event.room_id for event in await stores.outgoing.due(10)} == {slow, bad}


class _Late:
    """A device that gets a key, and tells who waits for it, just after the key was requested."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def decrypt(self, event: Any) -> None:  # noqa: ANN401 - JSON
        await self._stores.encrypted_events.keys_came({event["content"]["session_id"]})
        raise KeyMissingError(event["content"]["session_id"])

    async def has_key(self, _: object) -> bool:
        return True


@dataclasses.dataclass
class _Owner(EncryptedRooms):
    """Without what opens a device."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.late_keys = LateKeys(stores, stores.encrypted_events.keys_came)


class _OfNobody:
    """A device whose homeserver cannot say, at first, whose device sent a key."""

    def __init__(self) -> None:
        self.tries = 0

    async def decrypt(self, event: Any) -> Decrypted:  # noqa: ANN401 - JSON
        self.tries += 1
        if self.tries == 1:
            raise DevicesUnknownError(event["sender"])
        return Decrypted({**event, "type": "m.dummy", "content": {}}, of_sender=False)


async def test_an_event_is_tried_again_whose_senders_server_did_not_respond(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_keys, "_FIRST_RETRY_S", 0.0)
    room_id, event_id = await _room(stores), EventId("$unknown")
    event = {"event_id": event_id, "room_id": room_id, "sender": ALICE, "content": {"session_id": "session"}}
    await stores.intake.apply([EncryptedSent(room_id, event_id, ALICE, "session", event)])
    owner, device = _Owner(stores), cast("Device", _OfNobody())
    (due,) = await stores.encrypted_events.due(10)
    await owner._decrypt(device, due)  # noqa: SLF001
    assert await stores.encrypted_events.is_waiting(due)
    assert await stores.encrypted_events.due(10) == []
    retrying = asyncio.create_task(owner.late_keys.run(device))

    async def is_due() -> bool:
        return bool(await stores.encrypted_events.due(10))

    try:
        await eventually(is_due, what="the event being tried again")
    finally:
        retrying.cancel()
        await asyncio.wait([retrying])
    (due,) = await stores.encrypted_events.due(10)
    await owner._decrypt(device, due)  # noqa: SLF001
    assert not await stores.encrypted_events.is_waiting(due)


async def test_a_key_that_comes_while_its_event_is_tried_is_not_missed(stores: Stores) -> None:
    room_id, event_id = await _room(stores), EventId("$event")
    event = {"event_id": event_id, "room_id": room_id, "content": {"session_id": "session"}}
    await stores.intake.apply([EncryptedSent(room_id, event_id, ALICE, "session", event)])
    (due,) = await stores.encrypted_events.due(10)
    await _Owner(stores)._decrypt(cast("Device", _Late(stores)), due)  # noqa: SLF001
    assert [each.event_id for each in await stores.encrypted_events.due(10)] == [event_id]
