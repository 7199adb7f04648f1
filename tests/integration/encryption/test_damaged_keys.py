"""What is damaged of the keys of messages is deleted, and may come again."""

import pytest
from mautrix.types import (
    DeviceID,
    DeviceIdentity,
    IdentityKey,
    SigningKey,
    TrustState,
    UserID,
)

from appservice.core.model import UserId as UserIdOfOurs
from appservice.demo.client import MatrixClient
from appservice.encryption.bundle_store import Bundle, BundleStore
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Sender, known_sender, lacking
from tests.support.spoken import Spoken

ADA = UserIdOfOurs("@ada:test.local")


@pytest.fixture
async def sender(machine: Machine, alice: MatrixClient) -> Sender:
    sender = await known_sender(machine, alice)
    await machine.devices_of(UserID(alice.user_id), fresh=True)
    return sender


async def _count(machine: Machine, table: str) -> int:
    return int(await machine.crypto_store.db.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of below


async def _damage(machine: Machine, table: str, column: str = "session") -> None:
    await machine.crypto_store.db.execute(f"UPDATE {table} SET {column} = '\\x01'::bytea || {column}")  # noqa: S608 - names of below


async def test_a_damaged_room_key_counts_as_missing_and_may_come_again(machine: Machine, sender: Sender) -> None:
    spoken = Spoken(machine, sender)
    await spoken.arrive()
    await _damage(machine, "crypto_megolm_inbound_session")
    assert await machine.crypto_store.get_group_session(ROOM, spoken.id) is None
    assert await lacking(machine, [spoken.id]) == [spoken.id]
    await _damage(machine, "crypto_megolm_inbound_session")
    await spoken.arrive()


async def test_a_damaged_session_that_we_send_by_is_replaced(machine: Machine) -> None:
    await machine.share_group_session(ROOM, [])
    await _damage(machine, "crypto_megolm_outbound_session")
    assert await machine.crypto_store.get_outbound_group_session(ROOM) is None
    await machine.share_group_session(ROOM, [])
    assert await machine.crypto_store.get_outbound_group_session(ROOM) is not None


async def test_a_damaged_session_with_a_device_is_replaced_and_harms_no_other(
    machine: Machine, sender: Sender, alice: MatrixClient
) -> None:
    first = await sender.send_key()
    await machine.sync(0)
    await _damage(machine, "crypto_olm_session")
    await machine.crypto_store.reload()
    other = Sender(alice, machine)
    await other.begin()
    sent = [await sender.send_key(), await other.send_key()]
    await machine.sync(0)  # hers cannot be read: her session is gone
    assert await lacking(machine, [first, *sent]) == [sent[0]]
    await sender.begin()
    again = await sender.send_key()
    await machine.sync(0)
    assert await lacking(machine, [again]) == []
    device = DeviceIdentity(
        UserID(alice.user_id), DeviceID("X"), IdentityKey(sender.account.identity_key),
        SigningKey(sender.account.signing_key), TrustState.UNVERIFIED, deleted=False, name="",
    )  # fmt: skip
    assert await machine.crypto_store.get_latest_session(device.identity_key)


async def test_a_damaged_bundle_is_deleted(machine: Machine) -> None:
    store = BundleStore(machine.crypto_store)
    bundle = Bundle(ROOM, UserID(ADA), IdentityKey("A" * 43), SigningKey("A" * 43), {"url": "mxc://x/y"})
    await store.put(bundle)
    assert await store.find(ROOM, UserID(ADA)) == bundle
    await _damage(machine, "key_bundles", "sealed")
    assert await store.find(ROOM, UserID(ADA)) is None
    assert await _count(machine, "key_bundles") == 0
