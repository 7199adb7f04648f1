"""A key that is refused is told apart from one that is late: at once, and only by who has it."""

import asyncio
import base64
import secrets

import pytest
from mautrix.crypto import OutboundGroupSession
from mautrix.errors import GroupSessionWithheldError, SessionNotFound
from mautrix.types import SessionID, UserID

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.encryption import withheld
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Json, Sender, known_sender, lacking, read
from tests.support.rust_client import RustClient, rust_client
from tests.support.waiting import eventually

WITHHELD = "m.room_key.withheld"


@pytest.fixture(autouse=True)
def refused(machine: Machine) -> list[SessionID]:
    """The sessions that were said to be refused."""
    refused: list[SessionID] = []
    withheld.attach(machine, refused.append)
    return refused


async def _refused(machine: Machine, event: Json) -> str | None:
    try:
        await read(machine, event)
    except GroupSessionWithheldError as error:
        return str(error.withheld_code)
    except SessionNotFound:
        return None
    raise AssertionError("The key is there.")


async def test_a_client_that_sends_to_verified_devices_only_is_understood(
    machine: Machine, element: RustClient, refused: list[SessionID]
) -> None:
    bot = machine.client.mxid
    sent = await element.share_key(ROOM, [bot], "onlyTrustedDevices")
    assert [each["event_type"] for each in sent] == [WITHHELD]
    event = await element.write(ROOM, "secret")
    session_id = SessionID(event["content"]["session_id"])
    assert await _refused(machine, event) is None
    waiting = asyncio.create_task(machine.wait_for_session(ROOM, session_id, timeout=600))
    await asyncio.sleep(0)
    await machine.sync(0)
    assert await asyncio.wait_for(waiting, 60) is False
    assert await _refused(machine, event) == "m.unverified"
    assert refused == [session_id]
    assert await withheld.is_by(machine, session_id, UserID(element.user_id))
    assert not await withheld.is_by(machine, session_id, UserID("@other:test.local"))


async def test_a_key_that_comes_after_all_counts_and_stays(machine: Machine, someone: MatrixClient) -> None:
    sender = await known_sender(machine, someone)
    group = OutboundGroupSession(ROOM)
    refusal = _refusal(sender, group.id)
    await sender.send_plain(WITHHELD, refusal)
    await machine.sync(0)
    assert await machine.crypto_store.withheld_by(SessionID(group.id)) == sender.account.identity_key
    session_id = await sender.send_key(group)
    await machine.sync(0)
    assert await lacking(machine, [session_id]) == []
    for name in (WITHHELD, "org.matrix.room_key.withheld"):
        await sender.send_plain(name, refusal)
    await machine.sync(0)
    assert await machine.crypto_store.get_group_session(ROOM, session_id)  # else it raises


def _refusal(sender: Sender, session_id: str) -> Json:
    return {
        "algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": session_id,
        "sender_key": sender.account.identity_key, "code": "m.blacklisted", "reason": "no \0 more\n",
    }  # fmt: skip


def _session_id() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")


async def test_only_a_device_of_the_sender_can_refuse_and_only_what_is_well_formed(
    machine: Machine, someone: MatrixClient, synapse: Synapse
) -> None:
    async with await synapse.user(f"w-{secrets.token_hex(4)}") as other:
        sender, stranger = await known_sender(machine, someone), Sender(other, machine)
        mine = _refusal(sender, _session_id())
        foreign = _refusal(sender, _session_id())
        await stranger.send_plain(WITHHELD, foreign)
        hostile: list[object] = [
            {}, {"serialize": 1},
            mine | {"session_id": "x" * 44}, mine | {"session_id": "\0" * 43}, mine | {"sender_key": 7},
            mine | {"room_id": "room"}, mine | {"code": None}, mine | {"code": "x" * 300},
            mine | {"algorithm": "m.other"}, mine | {"code": "m.unavailable"},
        ]  # fmt: skip
        for content in hostile:
            await sender.send_plain(WITHHELD, content)
        await machine.sync(0)
        assert await machine.crypto_store.withheld_by(SessionID(mine["session_id"])) is None
        assert await machine.crypto_store.withheld_by(SessionID(foreign["session_id"])) is None
        await sender.send_plain(WITHHELD, mine)
        await machine.sync(0)
        assert await machine.crypto_store.withheld_by(SessionID(mine["session_id"])) == mine["sender_key"]


async def test_a_device_that_has_no_session_with_us_gets_one(
    machine: Machine, bot: MatrixClient, someone: MatrixClient
) -> None:
    async with rust_client(someone) as client:
        await client.device.call("track", [bot.user_id])
        await client.pump()
        # It gets no one-time key of the bot's, as when the homeserver has run out of them.
        claim = await client.device.call("missing_sessions", [bot.user_id])
        await client.device.call("sent", claim["id"], claim["type"], {"one_time_keys": {}, "failures": {}})
        sent = await client.share_key(ROOM, [bot.user_id])
        (refusal,) = sent[0]["body"]["messages"][bot.user_id].values()
        assert (sent[0]["event_type"], refusal["code"]) == (WITHHELD, "m.no_olm")
        assert "session_id" not in refusal
        await machine.sync(0)
        await _until_it_has_a_session(client)
        # By the session that we began it sends the key.
        await client.device.call("invalidate_room_key", ROOM)
        await client.share_key(ROOM, [bot.user_id])
        event = await client.write(ROOM, "now")
        await machine.sync(0)
        assert await read(machine, event) == "now"


async def _until_it_has_a_session(client: RustClient) -> None:
    async def has_one() -> bool:
        return any(event["type"] == "m.dummy" for event in await client.sync())

    await eventually(has_one, what="a session")


async def test_old_refusals_are_deleted(machine: Machine, someone: MatrixClient) -> None:
    sender = await known_sender(machine, someone)
    old, new = _session_id(), _session_id()
    for session_id in (old, new):
        await sender.send_plain(WITHHELD, _refusal(sender, session_id))
    await machine.sync(0)
    store = machine.crypto_store
    query = "UPDATE crypto_megolm_inbound_session SET received_at = now() - interval '31 days' WHERE session_id = $1"
    await store.db.execute(query, old)
    key = await sender.send_key()
    await machine.sync(0)
    await store.delete_old_refusals()
    assert [await store.withheld_by(SessionID(each)) is not None for each in (old, new)] == [False, True]
    assert await lacking(machine, [key]) == []
