"""Keys of messages go: with a room or a person that is erased, once they are old, and where they are damaged."""

import time
from collections.abc import AsyncIterator

import pytest
from mautrix.crypto import InboundGroupSession, OutboundGroupSession
from mautrix.types import (
    IdentityKey,
    RoomID,
    SessionID,
    SigningKey,
    UserID,
)

from appservice.core.events.changes import BotMembershipChanged, MemberChanged, RoomEncrypted
from appservice.core.model import KeyRotation, RoomId
from appservice.core.model import UserId as UserIdOfOurs
from appservice.core.room import Membership
from appservice.demo.client import MatrixClient
from appservice.encryption import olm
from appservice.encryption.bundle_store import Bundle, BundleStore
from appservice.encryption.machine import Machine
from appservice.encryption.retention import KeyRetention, _Erasure
from appservice.store import Stores, open_pool
from tests.support.crypto_devices import ROOM, Sender, known_sender, lacking
from tests.support.spoken import Spoken

OTHER = RoomID("!other:test.local")
ADA = UserIdOfOurs("@ada:test.local")
DAY_MS = 86_400_000


@pytest.fixture
async def stores(dsn: str) -> AsyncIterator[Stores]:
    async with await open_pool(dsn, size=2) as pool:
        yield Stores(pool, decrypting=True)


@pytest.fixture
async def sender(machine: Machine, alice: MatrixClient) -> Sender:
    sender = await known_sender(machine, alice)
    await machine.devices_of(UserID(alice.user_id), fresh=True)
    return sender


async def _join(stores: Stores, room_id: str, *, membership: Membership = Membership.JOIN) -> None:
    bot = UserIdOfOurs("@reel:test.local")
    await stores.intake.apply([BotMembershipChanged(RoomId(room_id), membership, bot), RoomEncrypted(RoomId(room_id))])


async def _count(machine: Machine, table: str) -> int:
    return int(await machine.crypto_store.db.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of below


async def test_an_opted_out_room_keeps_what_decrypts_the_next_message_alone(
    machine: Machine, sender: Sender, stores: Stores
) -> None:
    await _join(stores, ROOM)
    await _join(stores, OTHER)
    spoken, elsewhere = Spoken(machine, sender), Spoken(machine, sender, OTHER)
    for each in (spoken, elsewhere):
        await each.arrive()
    await machine.share_group_session(ROOM, [])
    shared = OutboundGroupSession(ROOM)
    key = olm.InboundGroupSession(shared.session_key).export_session(0)
    await _store_forwarded(machine, SessionID(shared.id), key)
    await stores.opt_ins.opt_out(RoomId(ROOM), by=ADA)
    assert (await stores.erasure.remains(room_id=RoomId(ROOM)))["erasures of keys to be done"] == 1
    assert await KeyRetention(machine).erase() == 1
    assert await spoken.readable() == ["message 2"]
    assert await elsewhere.readable() == ["message 0", "message 1", "message 2"]
    assert await lacking(machine, [SessionID(shared.id)]) == [shared.id]
    assert await machine.crypto_store.get_outbound_group_session(ROOM) is None
    rows = await machine.crypto_store.db.fetch("SELECT session_id FROM crypto_message_index")
    assert [row["session_id"] for row in rows] == [elsewhere.id, elsewhere.id]
    assert await stores.erasure.remains(room_id=RoomId(ROOM)) == {}
    assert await KeyRetention(machine).erase() == 0


async def _store_forwarded(machine: Machine, session_id: SessionID, exported: str) -> None:
    session = InboundGroupSession.import_session(
        exported, SigningKey("A" * 43), IdentityKey("B" * 43), ROOM, ["C" * 43]
    )
    await machine.crypto_store.put_group_session(ROOM, session.sender_key, session_id, session)


async def test_of_a_room_that_the_bot_left_no_key_is_left(machine: Machine, sender: Sender, stores: Stores) -> None:
    await _join(stores, ROOM)
    spoken, elsewhere = Spoken(machine, sender), Spoken(machine, sender, OTHER)
    for each in (spoken, elsewhere):
        await each.arrive()
    await machine.share_group_session(ROOM, [])
    file = {"url": "mxc://x/y"}
    bundle = Bundle(ROOM, UserID(ADA), IdentityKey("A" * 43), SigningKey("A" * 43), file)
    await BundleStore(machine.crypto_store).put(bundle)
    assert (await stores.erasure.remains(room_id=RoomId(ROOM)))["bundles of keys"] == 1
    await _join(stores, ROOM, membership=Membership.LEAVE)
    remains = await stores.erasure.remains(room_id=RoomId(ROOM))
    # What was received, what we send by, and our own copy of that.
    assert (remains["keys of messages"], "bundles of keys" in remains) == (3, False)
    await stores.erasure.erase_room(RoomId(ROOM), by=ADA)
    await KeyRetention(machine).erase()
    assert await stores.erasure.remains(room_id=RoomId(ROOM)) == {}
    assert await lacking(machine, [spoken.id]) == [spoken.id]
    assert len(await elsewhere.readable()) == 3


@pytest.mark.parametrize("is_member", [True, False], ids=["still a member", "in no room"])
async def test_the_keys_of_an_erased_person(
    machine: Machine, sender: Sender, stores: Stores, alice: MatrixClient, is_member: bool
) -> None:
    await _join(stores, ROOM)
    user_id = UserIdOfOurs(alice.user_id)
    if is_member:
        await stores.intake.apply([MemberChanged(RoomId(ROOM), user_id, Membership.JOIN, None, None)])
    spoken = Spoken(machine, sender)
    await spoken.arrive()
    await stores.erasure.erase_user(user_id, by=ADA)
    await KeyRetention(machine).erase()
    assert await spoken.readable() == (["message 2"] if is_member else [])
    assert await stores.erasure.remains(user_id=user_id) == {}
    for table in ("crypto_olm_session", "crypto_device", "crypto_tracked_user"):
        assert bool(await _count(machine, table)) is is_member, table


async def test_keys_of_a_room_that_the_bot_is_back_in_stay_while_others_are_erased(
    machine: Machine, sender: Sender, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room_id in (OTHER, ROOM):
        await _join(stores, room_id)
        await _join(stores, room_id, membership=Membership.LEAVE)
    retention, new = KeyRetention(machine), Spoken(machine, sender)
    erase = retention._erase  # noqa: SLF001

    async def come_back_meanwhile(erasure: _Erasure) -> None:
        if erasure.room_id == OTHER:
            await _join(stores, ROOM)
            await new.arrive()
        await erase(erasure)

    monkeypatch.setattr(retention, "_erase", come_back_meanwhile)
    assert await retention.erase() == 2
    assert await new.readable() == ["message 2"]


async def test_what_has_not_been_used_for_long_is_pruned(machine: Machine, sender: Sender, stores: Stores) -> None:
    old = round(time.time() * 1000) - 31 * DAY_MS
    unused, used, hostile, fresh = (Spoken(machine, sender) for _ in range(4))
    await unused.arrive(sent_at=old)
    await used.arrive()
    await hostile.arrive(sent_at=2**52)  # says that it was sent in a far future
    await machine.share_group_session(ROOM, [])
    await machine.share_group_session(OTHER, [])
    database = machine.crypto_store.db
    await database.execute("UPDATE crypto_megolm_inbound_session SET received_at = received_at - interval '31 days'")
    await database.execute(
        "UPDATE crypto_megolm_outbound_session SET last_used = last_used - interval '31 days' WHERE room_id = $1", OTHER
    )
    await fresh.arrive(sent_at=old)
    pruned = await KeyRetention(machine).prune()
    assert pruned == {"inbound_sessions": 4, "message_indexes": 4, "outbound_sessions": 1}  # and our copies of two
    assert await lacking(machine, [unused.id, used.id, hostile.id, fresh.id]) == [unused.id, hostile.id]
    assert await machine.crypto_store.get_outbound_group_session(ROOM) is not None
    assert await KeyRetention(machine).prune() == {}


@pytest.mark.parametrize(("days", "is_kept"), [(7, False), (90, True)])
async def test_a_key_is_kept_while_its_room_does_not_have_it_replaced(
    machine: Machine, sender: Sender, stores: Stores, days: int, is_kept: bool
) -> None:
    await _join(stores, ROOM)
    rotation = KeyRotation(period_ms=days * DAY_MS)
    await stores.intake.apply([RoomEncrypted(RoomId(ROOM), rotation)])
    spoken = Spoken(machine, sender)
    await spoken.arrive(sent_at=round(time.time() * 1000) - 31 * DAY_MS)
    pass_days = "UPDATE crypto_megolm_inbound_session SET received_at = received_at - $1 * interval '1 day'"
    await machine.crypto_store.db.execute(pass_days, 31.0)
    await KeyRetention(machine).prune()
    assert (await lacking(machine, [spoken.id]) == []) is is_kept
    await machine.crypto_store.db.execute(pass_days, 400.0)
    await KeyRetention(machine).prune()
    assert await lacking(machine, [spoken.id]) == [spoken.id]


async def test_sessions_with_devices_that_are_gone_are_pruned(
    machine: Machine, sender: Sender, stores: Stores, alice: MatrixClient
) -> None:
    await _join(stores, ROOM)
    await stores.intake.apply([MemberChanged(RoomId(ROOM), UserIdOfOurs(alice.user_id), Membership.JOIN, None, None)])
    await sender.send_key()
    gone = Sender(alice, machine)
    await gone.begin()
    await gone.send_key()
    await machine.sync(0)
    store = machine.crypto_store
    assert await store.has_session(IdentityKey(gone.account.identity_key))
    await store.db.execute(
        "UPDATE crypto_olm_session SET last_encrypted = last_encrypted - interval '31 days',"
        " last_decrypted = last_decrypted - interval '31 days'"
    )
    assert await KeyRetention(machine).prune() == {"olm_sessions": 1}
    assert not await store.has_session(IdentityKey(gone.account.identity_key))
    assert await store.has_session(IdentityKey(sender.account.identity_key))


async def test_one_device_has_no_more_than_so_many_sessions(machine: Machine, sender: Sender) -> None:
    for _ in range(12):
        await sender.begin()
        newest = await sender.send_key()
    await machine.sync(0)
    assert await KeyRetention(machine).prune() == {"olm_sessions": 2}
    assert await lacking(machine, [newest, await sender.send_key()]) != []
    await machine.sync(0)
    assert await lacking(machine, [newest]) == []
