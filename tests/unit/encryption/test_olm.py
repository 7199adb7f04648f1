"""Sessions of ours with ours: pickles, order, replays, and what hostile input does."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mautrix.crypto import InboundGroupSession, OlmAccount, OutboundGroupSession, Session
from mautrix.types import IdentityKey, OlmCiphertext, OlmMsgType, RoomID, SigningKey

from appservice.encryption import olm

KEY = "the pickle key"
ROOM = RoomID("!room:test.local")


def _pair() -> tuple[OlmAccount, OlmAccount, Session]:
    """Return a sender, a recipient, and the sender's session with the recipient."""
    sender, recipient = OlmAccount(), OlmAccount()
    recipient.generate_one_time_keys(1)
    (one_time_key,) = recipient.one_time_keys["curve25519"].values()
    recipient.mark_keys_as_published()
    return sender, recipient, sender.new_outbound_session(recipient.identity_key, IdentityKey(one_time_key))


def _restore(session: Session) -> Session:
    now = datetime.now(UTC)
    return Session.from_pickle(session.pickle(KEY), passphrase=KEY, creation_time=now)


def test_the_first_plaintext_outlives_pickles_until_it_is_asked_for_once() -> None:
    sender, recipient, outbound = _pair()
    first, second = outbound.encrypt("first"), outbound.encrypt("second")
    inbound = _restore(_restore(recipient.new_inbound_session(sender.identity_key, first.body)))
    assert inbound.decrypt(second) == "second"
    assert _restore(inbound).decrypt(first) == "first"
    assert inbound.decrypt(first) == "first"
    for session in (inbound, _restore(inbound)):
        with pytest.raises(olm.OlmSessionError):
            session.decrypt(first)


def test_a_one_time_key_is_used_once() -> None:
    sender, recipient, outbound = _pair()
    message = outbound.encrypt("first").body
    recipient.new_inbound_session(sender.identity_key, message)
    stored = OlmAccount.from_pickle(recipient.pickle(KEY), KEY, shared=True)
    for account in (recipient, stored):
        with pytest.raises(olm.OlmSessionError):
            account.new_inbound_session(sender.identity_key, message)


def test_a_message_from_another_identity_uses_up_no_one_time_key() -> None:
    sender, recipient, outbound = _pair()
    message = outbound.encrypt("first")
    with pytest.raises(olm.OlmSessionError):
        recipient.new_inbound_session(OlmAccount().identity_key, message.body)
    assert recipient.new_inbound_session(sender.identity_key, message.body).decrypt(message) == "first"


def test_a_session_goes_on_after_a_pickle_on_either_side() -> None:
    sender, recipient, outbound = _pair()
    first = outbound.encrypt("ping")
    assert first.type == OlmMsgType.PREKEY
    inbound = recipient.new_inbound_session(sender.identity_key, first.body)
    assert inbound.decrypt(first) == "ping"
    for turn in range(3):
        outbound, inbound = _restore(outbound), _restore(inbound)
        answer = inbound.encrypt(f"answer {turn}")
        assert answer.type == OlmMsgType.MESSAGE
        assert outbound.decrypt(answer) == f"answer {turn}"
        question = outbound.encrypt(f"question {turn}")
        assert question.type == OlmMsgType.MESSAGE
        assert inbound.decrypt(question) == f"question {turn}"
    assert outbound.id == inbound.id


def _group() -> tuple[OutboundGroupSession, InboundGroupSession]:
    outbound = OutboundGroupSession(ROOM)
    outbound.shared = True
    account = OlmAccount()
    inbound = InboundGroupSession(outbound.session_key, account.signing_key, account.identity_key, ROOM)
    return outbound, inbound


def _say(session: OutboundGroupSession, text: str) -> str:
    message: str = session.encrypt(text)  # type: ignore[no-untyped-call]  # mautrix gives it no types
    return message


def test_room_keys_go_on_after_a_pickle_and_from_a_later_message() -> None:
    outbound, inbound = _group()
    assert inbound.id == outbound.id
    messages = [_say(outbound, f"message {index}") for index in range(3)]
    times = outbound.max_age, outbound.max_messages, outbound.creation_time, outbound.use_time
    outbound = OutboundGroupSession.from_pickle(outbound.pickle(KEY), KEY, *times, 3, ROOM, shared=True)
    messages.append(_say(outbound, "message 3"))
    inbound = InboundGroupSession.from_pickle(inbound.pickle(KEY), KEY, SigningKey("s"), IdentityKey("i"), ROOM)
    assert [inbound.decrypt(message) for message in messages] == [(f"message {index}", index) for index in range(4)]
    later = inbound.ratchet_to(2)
    assert later.first_known_index == 2
    assert later.decrypt(messages[3]) == ("message 3", 3)
    with pytest.raises(olm.OlmGroupSessionError):
        later.decrypt(messages[1])
    with pytest.raises(olm.OlmGroupSessionError):
        later.export_session(1)


def test_keys_are_offered_until_they_are_published() -> None:
    account = OlmAccount()
    account.generate_one_time_keys(3)
    account.generate_fallback_key()
    assert len(account.one_time_keys["curve25519"]) == 3
    assert len(account.fallback_key["curve25519"]) == 1
    account.mark_keys_as_published()
    assert account.one_time_keys == account.fallback_key == {"curve25519": {}}
    assert account.max_one_time_keys == 50


def _pickles() -> dict[str, tuple[type[Any], bytes]]:
    _, recipient, outbound = _pair()
    sending, receiving = _group()
    return {
        "account": (olm.Account, recipient.pickle(KEY)),
        "session": (olm.Session, outbound.pickle(KEY)),
        "inbound": (olm.InboundGroupSession, receiving.pickle(KEY)),
        "outbound": (olm.OutboundGroupSession, sending.pickle(KEY)),
    }


@pytest.mark.parametrize("kind", ["account", "session", "inbound", "outbound"])
def test_a_pickle_opens_only_with_its_key_as_what_it_is_and_whole(kind: str) -> None:
    pickles = _pickles()
    cls, pickle = pickles[kind]
    cls.from_pickle(pickle, KEY)
    others = [other for name, (_, other) in pickles.items() if name != kind]
    damaged = [pickle[:at] + bytes([pickle[at] ^ 1]) + pickle[at + 1 :] for at in (0, 1, 20, len(pickle) - 1)]
    for wrong in (*others, *damaged, pickle[:-1], pickle[:10], b"", pickle + b"\0"):
        with pytest.raises(olm.OlmError):
            cls.from_pickle(wrong, KEY)
    for key in ("the pickle kez", b"\0", ""):
        with pytest.raises(olm.OlmError):
            cls.from_pickle(pickle, key)


def test_no_two_pickles_of_one_object_are_alike_and_none_has_its_keys_in_clear() -> None:
    sending, _ = _group()
    one, two = sending.pickle(KEY), sending.pickle(KEY)
    assert one[:17] != two[:17]
    assert one[17:49] != two[17:49]
    secret = base64.b64decode(sending.session_key + "==")[5:133]
    for pickle in (one, two):
        assert secret not in pickle
        assert sending.session_key.encode()[10:60] not in pickle


@given(order=st.permutations(range(8)), replayed=st.integers(0, 7), pickled=st.integers(0, 7))
def test_messages_decrypt_once_in_any_order_with_a_pickle_between(
    order: list[int], replayed: int, pickled: int
) -> None:
    sender, recipient, outbound = _pair()
    messages = [outbound.encrypt(str(index)) for index in range(8)]
    inbound = recipient.new_inbound_session(sender.identity_key, messages[order[0]].body)
    for place, index in enumerate(order):
        if place == pickled:
            inbound = _restore(inbound)
        assert inbound.matches(messages[index].body)
        assert inbound.decrypt(messages[index]) == str(index)
    with pytest.raises(olm.OlmSessionError):
        inbound.decrypt(messages[replayed])


@given(text=st.text())
def test_any_text_comes_back(text: str) -> None:
    sender, recipient, outbound = _pair()
    message = outbound.encrypt(text)
    assert recipient.new_inbound_session(sender.identity_key, message.body).decrypt(message) == text
    sending, receiving = _group()
    assert receiving.decrypt(_say(sending, text)) == (text, 0)


_HOSTILE = st.one_of(
    st.text(min_size=1),
    st.binary(min_size=1, max_size=400).map(lambda data: base64.b64encode(data).decode().rstrip("=")),
)


@given(text=_HOSTILE, flipped=st.integers(0, 10_000))
def test_hostile_text_is_an_olm_error_everywhere_and_changes_nothing(text: str, flipped: int) -> None:
    sender, recipient, outbound = _pair()
    message = outbound.encrypt("kept")
    raw = bytearray(base64.b64decode(message.body + "=" * (-len(message.body) % 4)))
    # The last bytes are the MAC's, those before them what it protects.
    raw[-1 - flipped % 60] ^= 1
    tampered = base64.b64encode(bytes(raw)).decode().rstrip("=")
    for body in (text, tampered):
        with pytest.raises(olm.OlmError):
            recipient.new_inbound_session(sender.identity_key, body)
        for kind in OlmMsgType:
            with pytest.raises(olm.OlmError):
                outbound.decrypt(OlmCiphertext(body=body, type=kind))
    inbound = recipient.new_inbound_session(sender.identity_key, message.body)
    _, receiving = _group()
    refused = (
        lambda: recipient.new_inbound_session(IdentityKey(text), message.body),
        lambda: sender.new_outbound_session(IdentityKey(text), IdentityKey(text)),
        lambda: receiving.decrypt(text),
        lambda: olm.InboundGroupSession(text),
        lambda: olm.InboundGroupSession.import_session(text),
    )
    for refuse in refused:
        with pytest.raises(olm.OlmError):
            refuse()
    assert inbound.decrypt(message) == "kept"


def test_empty_messages_are_refused_before_they_get_anywhere() -> None:
    for cls in (olm.OlmMessage, olm.OlmPreKeyMessage):
        with pytest.raises(ValueError, match="empty"):
            cls("")
