"""Keys on request: ours go to the bot's own verified devices, others' are taken only from where we requested them."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from mautrix.crypto import InboundGroupSession, OlmAccount, OutboundGroupSession
from mautrix.types import SessionID, UserID

from appservice.demo.client import MatrixClient, login
from appservice.demo.synapse import Synapse
from appservice.encryption.key_requests import KeyRequests
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Inbox, Json, Sender, cross_sign, known_sender, lacking, read
from tests.support.rust_client import RustClient, rust_client
from tests.support.waiting import eventually

FORWARDED = "m.forwarded_room_key"
REQUEST = "m.room_key_request"


@pytest.fixture
def requests(machine: Machine) -> KeyRequests:
    return KeyRequests(machine)


# What others request of us.


@pytest.fixture
async def second(bot: MatrixClient, synapse: Synapse) -> AsyncIterator[RustClient]:
    """Another device of the bot's own user."""
    async with await login(synapse.base_url, bot.user_id, "secret") as user, rust_client(user) as client:
        yield client


def _request(client: RustClient, session_id: str) -> Json:
    return {
        "action": "request", "request_id": secrets.token_hex(4), "requesting_device_id": client.device.device_id,
        "body": {
            "algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": session_id, "sender_key": "A" * 43,
        },
    }  # fmt: skip


async def _stored_key(machine: Machine, someone: MatrixClient) -> SessionID:
    sender = await known_sender(machine, someone)
    session_id = await sender.send_key()
    await machine.sync(0)
    return session_id


async def test_an_own_device_gets_a_key_once_it_is_verified(
    machine: Machine, second: RustClient, someone: MatrixClient
) -> None:
    session_id = await _stored_key(machine, someone)
    sender = Sender(second.user, machine)
    await sender.send_plain(REQUEST, _request(second, session_id))
    await machine.sync(0)
    await second.sync()
    for name in ("m.room_key.withheld", "org.matrix.room_key.withheld"):
        assert [each["code"] for each in second.received(name)] == ["m.unverified"]
    await second.cross_sign()
    await machine.devices_of(machine.client.mxid, fresh=True)
    await sender.send_plain(REQUEST, _request(second, session_id))
    await machine.sync(0)
    assert [each["type"] for each in await second.sync() if each["type"] == FORWARDED] == [FORWARDED]


async def test_other_users_get_nothing_and_cause_nothing(
    machine: Machine, element: RustClient, someone: MatrixClient
) -> None:
    session_id = await _stored_key(machine, someone)
    queried = await machine.crypto_store.get_devices(UserID(element.user_id))
    assert queried is None
    await Sender(element.user, machine).send_plain(REQUEST, _request(element, session_id))
    await machine.sync(0)
    assert await element.sync() == []
    assert await machine.crypto_store.get_devices(UserID(element.user_id)) is None


# What we request of others.


async def _lost_key(element: RustClient, machine: Machine) -> Json:
    """Let the client send a key that never arrives, and return a message that it encrypts."""
    bot, device = machine.client.mxid, machine.client.device_id
    for request in await element.device.call("share_room_key", ROOM, [bot]):
        assert request["body"]["messages"][bot].pop(device)
        await element.perform(request)
    return await element.write(ROOM, "late")


async def test_the_sender_sends_a_lost_key_again(machine: Machine, element: RustClient, requests: KeyRequests) -> None:
    event = await _lost_key(element, machine)
    session_id = SessionID(event["content"]["session_id"])
    asking = asyncio.create_task(
        requests.request(ROOM, UserID(element.user_id), session_id, sender_key=None, timeout_s=60)
    )
    await eventually(lambda: _answered(machine, element, session_id))
    assert await asking
    assert await read(machine, event) == "late"
    # Once it is there, the request is taken back, and the key is not requested again.
    await element.sync()
    actions = [each["action"] for each in element.received(REQUEST)]
    assert actions == ["request", "request_cancellation"]
    assert await requests.request(ROOM, UserID(element.user_id), session_id, sender_key=None, timeout_s=60)
    await element.sync()
    assert len(element.received(REQUEST)) == len(actions)


async def _answered(machine: Machine, element: RustClient, session_id: SessionID) -> bool:
    await element.sync()
    await machine.sync(0)
    return await lacking(machine, [session_id]) == []


class Owner:
    """A device that owns a session, and what it may say of it."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.group = OutboundGroupSession(ROOM)
        self.id = SessionID(self.group.id)
        keys = sender.account.identity_keys
        self._session = InboundGroupSession(self.group.session_key, keys["ed25519"], keys["curve25519"], ROOM)

    def forwarded(self, **changes: object) -> Json:
        account: OlmAccount = self.sender.account
        return {
            "algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": self.id,
            "session_key": self._session.export_session(0), "sender_key": account.identity_key,
            "sender_claimed_ed25519_key": account.signing_key, "forwarding_curve25519_key_chain": [], **changes,
        }  # fmt: skip


async def test_a_key_that_was_not_requested_is_not_taken(
    machine: Machine, someone: MatrixClient, alice: MatrixClient, requests: KeyRequests
) -> None:
    owner = Owner(await known_sender(machine, someone))
    stranger = Sender(alice, machine)
    await stranger.begin()
    await owner.sender.send(FORWARDED, owner.forwarded())
    await machine.sync(0)
    assert await lacking(machine, [owner.id]) == [owner.id]
    asking = asyncio.create_task(_ask(requests, someone, owner.id))
    inbox = Inbox(someone)
    await eventually(lambda: inbox.read(REQUEST))
    # By somebody else, for another room, as another device's, with a wrong chain.
    await stranger.send(FORWARDED, owner.forwarded())
    await owner.sender.send(FORWARDED, owner.forwarded(room_id="!other:test.local"))
    await owner.sender.send(FORWARDED, owner.forwarded(sender_key="A" * 43))
    await owner.sender.send(FORWARDED, owner.forwarded(sender_claimed_ed25519_key="A" * 43))
    await owner.sender.send(FORWARDED, owner.forwarded(session_key="AAAA"))
    await owner.sender.send(FORWARDED, {})
    await machine.sync(0)
    assert await lacking(machine, [owner.id]) == [owner.id]
    await owner.sender.send(FORWARDED, owner.forwarded(forwarding_curve25519_key_chain=["B" * 43, "x,y"]))
    await machine.sync(0)
    assert await asking
    known = await machine.crypto_store.get_group_session(ROOM, owner.id)
    assert known is not None
    assert known.forwarding_chain == [owner.sender.account.identity_key]


async def test_without_requests_no_key_is_taken(machine: Machine, someone: MatrixClient) -> None:
    owner = Owner(await known_sender(machine, someone))
    await owner.sender.send(FORWARDED, owner.forwarded())
    await machine.sync(0)
    assert await lacking(machine, [owner.id]) == [owner.id]


async def _ask(requests: KeyRequests, user: MatrixClient, session_id: SessionID, timeout_s: float = 60) -> bool:
    return await requests.request(ROOM, UserID(user.user_id), session_id, sender_key="A" * 43, timeout_s=timeout_s)


async def test_another_device_of_the_sender_may_answer_if_it_is_verified(
    machine: Machine, someone: MatrixClient, synapse: Synapse, requests: KeyRequests
) -> None:
    owner = Owner(await known_sender(machine, someone))
    async with await login(synapse.base_url, someone.user_id, "secret") as user:
        sibling = await known_sender(machine, user)
        asking = asyncio.create_task(_ask(requests, someone, owner.id))
        inbox = Inbox(user)
        await eventually(lambda: inbox.read(REQUEST))
        await sibling.send(FORWARDED, owner.forwarded())
        await machine.sync(0)
        assert await lacking(machine, [owner.id]) == [owner.id]
        await cross_sign(user)
        await machine.devices_of(UserID(someone.user_id), fresh=True)
        await sibling.send(FORWARDED, owner.forwarded())
        await machine.sync(0)
        assert await asking
        known = await machine.crypto_store.get_group_session(ROOM, owner.id)
        assert known is not None
        assert (known.sender_key, known.forwarding_chain) == (
            owner.sender.account.identity_key,
            [sibling.account.identity_key],
        )


async def test_a_request_ends(machine: Machine, someone: MatrixClient, requests: KeyRequests) -> None:
    nobody = UserID("@nobody:test.local")
    assert not await requests.request(ROOM, nobody, SessionID("A" * 43), sender_key=None, timeout_s=60)
    owner = Owner(await known_sender(machine, someone))
    asking = asyncio.create_task(_ask(requests, someone, owner.id))
    inbox = Inbox(someone)
    await eventually(lambda: inbox.read(REQUEST))
    assert not await _ask(requests, someone, owner.id)  # the same is requested already
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not await _ask(requests, someone, owner.id, timeout_s=0.1)
    actions = [each["action"] for each in await inbox.read(REQUEST)]
    assert actions == ["request", "request", "request_cancellation"]
