"""Our sessions with a device that has the crypto of Element's clients; the test is the homeserver between them."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mautrix.crypto import InboundGroupSession, OlmAccount, OutboundGroupSession, Session
from mautrix.crypto.signature import verify_signature_json
from mautrix.types import DeviceID, IdentityKey, OlmCiphertext, OlmMsgType, RoomID, SigningKey, UserID

from appservice.encryption import olm
from tests.support.rust_crypto import RustCryptoError, RustDevice, rust_device

Json = dict[str, Any]

BOT, BOT_DEVICE = UserID("@bot:test.local"), DeviceID("BOT")
ALICE = UserID("@alice:test.local")
ROOM = RoomID("!room:test.local")
OLM, MEGOLM = "m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"


@pytest.fixture
async def alice() -> AsyncIterator[RustDevice]:
    async with rust_device(ALICE, "ALICE") as device:
        yield device


@pytest.fixture
def account() -> OlmAccount:
    return OlmAccount()


async def _introduce(account: OlmAccount, alice: RustDevice, *, fallback: bool = False) -> None:
    """Let Alice's device learn ours and begin a session, by a one-time key or by our fallback key."""
    if fallback:
        account.generate_fallback_key()
        ((key_id, key),) = account.fallback_key["curve25519"].items()
        offered: Json = {"key": key, "fallback": True}
        signature = account.sign(json.dumps(offered, separators=(",", ":"), sort_keys=True))
        offered["signatures"] = {BOT: {f"ed25519:{BOT_DEVICE}": signature}}
        one_time_key = {f"signed_curve25519:{key_id}": offered}
    else:
        one_time_key = dict([account.get_one_time_keys(BOT, BOT_DEVICE, 0).popitem()])
    account.mark_keys_as_published()
    device_keys = account.get_device_keys(BOT, BOT_DEVICE).serialize()
    await alice.learn_device(BOT, BOT_DEVICE, device_keys, one_time_key)


def _open(
    account: OlmAccount, alice: RustDevice, content: Json, session: Session | None = None
) -> tuple[Session, Json]:
    """Decrypt a to-device event of Alice's for our device, with `session` or with a new one."""
    ciphertext = content["ciphertext"][account.identity_key]
    message = OlmCiphertext(body=ciphertext["body"], type=OlmMsgType(ciphertext["type"]))
    session = session or account.new_inbound_session(IdentityKey(alice.identity_keys["curve25519"]), message.body)
    event: Json = json.loads(session.decrypt(message))
    assert (event["sender"], event["keys"]["ed25519"]) == (ALICE, alice.identity_keys["ed25519"])
    assert (event["recipient"], event["recipient_keys"]["ed25519"]) == (BOT, account.signing_key)
    return session, event


def _seal(account: OlmAccount, alice: RustDevice, session: Session, event_type: str, content: Json) -> Json:
    """Encrypt a to-device event for Alice's device."""
    event = {
        "type": event_type,
        "content": content,
        "sender": BOT,
        "sender_device": BOT_DEVICE,
        "keys": {"ed25519": account.signing_key},
        "recipient": ALICE,
        "recipient_keys": {"ed25519": alice.identity_keys["ed25519"]},
    }
    sealed = session.encrypt(json.dumps(event))
    ciphertext = {alice.identity_keys["curve25519"]: {"type": int(sealed.type), "body": sealed.body}}
    encrypted = {"algorithm": OLM, "sender_key": account.identity_key, "ciphertext": ciphertext}
    return {"type": "m.room.encrypted", "sender": BOT, "content": encrypted}


async def _begin(account: OlmAccount, alice: RustDevice) -> Session:
    """Begin a session by one of the one-time keys of Alice's device."""
    keys = await alice.take_keys()
    signed = keys["device_keys"]
    assert verify_signature_json(signed, ALICE, alice.device_id, SigningKey(signed["keys"]["ed25519:ALICE"]))
    one_time_key = next(iter(keys["one_time_keys"].values()))
    return account.new_outbound_session(IdentityKey(alice.identity_keys["curve25519"]), one_time_key["key"])


@pytest.mark.parametrize("fallback", [False, True], ids=["one-time key", "fallback key"])
async def test_a_session_that_the_device_begins(account: OlmAccount, alice: RustDevice, fallback: bool) -> None:
    await _introduce(account, alice, fallback=fallback)
    sent = [await alice.call("encrypt_to_device", BOT, BOT_DEVICE, "test.note", {"n": n}) for n in range(3)]
    # The second one arrives first.
    session, event = _open(account, alice, sent[1])
    assert event["content"] == {"n": 1}
    assert [_open(account, alice, sent[n], session)[1]["content"]["n"] for n in (2, 0)] == [2, 0]
    with pytest.raises(olm.OlmSessionError):
        _open(account, alice, sent[2], session)
    answer = _seal(account, alice, session, "test.answer", {"well": True})
    (received,) = await alice.call("receive", [answer])
    assert received["event"]["content"] == {"well": True}
    # From now on no pre-key messages.
    later = await alice.call("encrypt_to_device", BOT, BOT_DEVICE, "test.note", {"n": 3})
    assert later["ciphertext"][account.identity_key]["type"] == OlmMsgType.MESSAGE
    assert _open(account, alice, later, session)[1]["content"] == {"n": 3}


async def test_a_session_that_we_begin(account: OlmAccount, alice: RustDevice) -> None:
    session = await _begin(account, alice)
    await _introduce(account, alice)
    sent = [_seal(account, alice, session, "test.note", {"n": n}) for n in range(3)]
    received = await alice.call("receive", [sent[n] for n in (2, 0, 1)])
    assert [event["event"]["content"]["n"] for event in received] == [2, 0, 1]
    replayed = await alice.call("receive", [sent[1]])
    assert replayed[0]["event"]["type"] == "m.room.encrypted"
    answer = await alice.call("encrypt_to_device", BOT, BOT_DEVICE, "test.note", {"n": 3})
    assert _open(account, alice, answer, session)[1]["content"] == {"n": 3}


async def test_the_device_writes_to_a_room(account: OlmAccount, alice: RustDevice) -> None:
    await _introduce(account, alice)
    (shared,) = await alice.call("share_room_key", ROOM, [BOT])
    _, event = _open(account, alice, shared["body"]["messages"][BOT][BOT_DEVICE])
    assert (event["type"], event["content"]["algorithm"]) == ("m.room_key", MEGOLM)
    key = event["content"]
    sender_key = IdentityKey(alice.identity_keys["curve25519"])
    session = InboundGroupSession(key["session_key"], SigningKey(event["keys"]["ed25519"]), sender_key, ROOM)
    written = [await alice.call("encrypt", ROOM, "m.room.message", {"body": f"message {n}"}) for n in range(4)]
    for n in (3, 0, 2, 0, 1):  # out of order, and once more
        assert written[n]["session_id"] == session.id == key["session_id"]
        text, index = session.decrypt(written[n]["ciphertext"])
        assert (json.loads(text)["content"]["body"], index) == (f"message {n}", n)
    raw = bytearray(base64.b64decode(written[0]["ciphertext"] + "=="))
    for at in (0, 5, len(raw) // 2, -70, -1):  # version, index, text, MAC, signature
        tampered = raw[:]
        tampered[at] ^= 1
        with pytest.raises(olm.OlmGroupSessionError):
            session.decrypt(base64.b64encode(tampered).decode().rstrip("="))


def _written(account: OlmAccount, session: OutboundGroupSession, n: int) -> Json:
    event = json.dumps({"room_id": ROOM, "type": "m.room.message", "content": {"body": f"{n}"}})
    text: str = session.encrypt(event)  # type: ignore[no-untyped-call]
    content = {
        "algorithm": MEGOLM,
        "ciphertext": text,
        "session_id": session.id,
        "sender_key": account.identity_key,
        "device_id": BOT_DEVICE,
    }
    return {
        "type": "m.room.encrypted",
        "room_id": ROOM,
        "event_id": f"$event{n}",
        "sender": BOT,
        "origin_server_ts": 1000 + n,
        "content": content,
    }


async def test_we_write_to_a_room(account: OlmAccount, alice: RustDevice) -> None:
    session = await _begin(account, alice)
    await _introduce(account, alice)
    group = OutboundGroupSession(ROOM)
    group.shared = True
    before = _written(account, group, 0)  # the key is shared after it
    key = group.share_content.serialize()
    (received,) = await alice.call("receive", [_seal(account, alice, session, "m.room_key", key)])
    assert received["event"]["type"] == "m.room_key"
    events = [_written(account, group, n) for n in range(1, 5)]
    for event in (events[2], events[0], events[3], events[1], events[0]):
        decrypted = await alice.call("decrypt", ROOM, event)
        assert f"$event{decrypted['content']['body']}" == event["event_id"]
    with pytest.raises(RustCryptoError):
        await alice.call("decrypt", ROOM, before)
