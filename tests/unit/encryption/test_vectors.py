"""What others published or recorded: libolm's own tests, vodozemac's tests, and a run of libolm as the peer."""

import json
from pathlib import Path
from typing import Any

import pytest

from appservice.encryption import olm

Recording = dict[str, Any]

# libolm 3.2.16, tests/test_group_session.cpp, "Inbound group session export/import".
SESSION_KEY = (
    "AgAAAAAwMTIzNDU2Nzg5QUJERUYwMTIzNDU2Nzg5QUJDREVGMDEyMzQ1Njc4OUFCREVGM"
    "DEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQkRFRjAxMjM0NTY3ODlBQkNERUYwMTIzND"
    "U2Nzg5QUJERUYwMTIzNDU2Nzg5QUJDREVGMDEyMw0bdg1BDq4Px/slBow06q8n/B9WBfw"
    "WYyNOB8DlUmXGGwrFmaSb9bR/eY8xgERrxmP07hFmD9uqA2p8PMHdnV5ysmgufE6oLZ5+"
    "8/mWQOW3VVTnDIlnwd8oHUYRuk8TCQ"
)
MESSAGE = (
    "AwgAEhAcbh6UpbByoyZxufQ+h2B+8XHMjhR69G8F4+qjMaFlnIXusJZX3r8LnRORG9T3D"
    "XFdbVuvIWrLyRfm4i8QRbe8VPwGRFG57B1CtmxanuP8bHtnnYqlwPsD"
)

# The same file, "Invalid signature group message": it decrypts, until its signature is changed.
SIGNED_KEY = (
    "AgAAAAAwMTIzNDU2Nzg5QUJERUYwMTIzNDU2Nzg5QUJDREVGMDEyMzQ1Njc4OUFCREVGM"
    "DEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQkRFRjAxMjM0NTY3ODlBQkNERUYwMTIzND"
    "U2Nzg5QUJERUYwMTIzNDU2Nzg5QUJDREVGMDEyMztqJ7zOtqQtYqOo0CpvDXNlMhV3HeJ"
    "DpjrASKGLWdop4lx1cSN3Xv1TgfLPW8rhGiW+hHiMxd36nRuxscNv9k4oJA/KP+o0mi1w"
    "v44StrEJ1wwx9WZHBUIWkQbaBSuBDw"
)
SIGNED_MESSAGE = (
    "AwgAEhAcbh6UpbByoyZxufQ+h2B+8XHMjhR69G8nP4pNZGl/3QMgrzCZPmP+F2aPLyKPz"
    "xRPBMUkeXRJ6Iqm5NeOdx2eERgTW7P20CM+lL3Xpk+ZUOOPvsSQNaAL"
)

# vodozemac (cfc4eee), src/olm/messages/mod.rs.
PRE_KEY_MESSAGE = (
    "AwoghAEuxPZ+w7M3pgUae4tDNiggUpOsQ/zci457VAtiAEYSIO3xOKRDBWKicIfxjSmYCYZ9DD4RMLjvvclbMlE5yIEWGiApLrCr853CKlPpW4Bi"
    "7S8ykRcejJ0lq7AfYLXKCjKdHSJPAwoghw3+P+cajhWj9Qzp5g87h+tbpiuh5wEaeUppqmWqug4QASIgRhZ2cgZcIWQbIa23R7U4y1Mo1R/tLCaM"
    "U+xjzRV5smGsCrJ6AHwktg"
)
# libolm 3.2.16, tests/test_olm_decrypt.cpp: BAD_MESSAGE_FORMAT each, and once a way to crash it.
BAD_MESSAGES = (
    "41776f",
    "7fff6f0101346d671201",
    "ee776f41496f674177804177778041776f6716670a677d6f670a67c2677d",
    "e9e9c9c1e9e9c9e9c9c1e9e9c9c1",
)


@pytest.fixture(scope="module")
def libolm() -> Recording:
    recording: Recording = json.loads((Path(__file__).parent / "libolm.json").read_text())
    return recording


def test_a_message_of_libolms_tests_is_decrypted_and_the_session_exported() -> None:
    session = olm.InboundGroupSession(SESSION_KEY)
    assert session.decrypt(MESSAGE) == ("Message", 0)
    again = olm.InboundGroupSession.import_session(session.export_session(0))
    assert again.decrypt(MESSAGE) == ("Message", 0)
    assert (again.id, again.first_known_index) == (session.id, 0)


def test_a_message_with_another_signature_is_refused() -> None:
    session = olm.InboundGroupSession(SIGNED_KEY)
    assert session.decrypt(SIGNED_MESSAGE) == ("Message", 0)
    changed = SIGNED_MESSAGE[:-2] + "AA"
    with pytest.raises(olm.OlmGroupSessionError):
        session.decrypt(changed)


def test_a_session_key_with_another_signature_is_refused() -> None:
    with pytest.raises(olm.OlmGroupSessionError):
        olm.InboundGroupSession(SESSION_KEY[:-1] + "g")


def test_a_session_begun_by_libolm_decrypts_in_any_order(libolm: Recording) -> None:
    account = olm.Account.from_pickle(bytes.fromhex(libolm["account"]), libolm["pickle_key"])
    first, second, third = (olm.OlmPreKeyMessage(message) for message in libolm["pre_key_messages"])
    session = olm.InboundSession(account, third, libolm["peer_key"])
    assert session.id == libolm["session_id"]
    assert session.matches(first)
    assert session.decrypt(first) == "from libolm 0 é"
    assert session.decrypt(third) == "from libolm 2 é"
    assert session.decrypt(second) == "from libolm 1 é"
    with pytest.raises(olm.OlmSessionError):
        session.decrypt(third)


def test_an_answered_session_goes_on_with_libolm(libolm: Recording) -> None:
    session = olm.Session.from_pickle(bytes.fromhex(libolm["session"]), libolm["pickle_key"])
    messages = [olm.OlmMessage(message) for message in libolm["messages"]]
    for index in (1, 0, 3, 2):
        assert session.decrypt(messages[index]) == f"after the reply {index}"
    with pytest.raises(olm.OlmSessionError):
        session.decrypt(messages[0])


def test_a_room_key_of_libolm_decrypts_what_it_sends(libolm: Recording) -> None:
    group = libolm["group"]
    session = olm.InboundGroupSession(group["session_key"])
    assert session.id == group["id"]
    for index in (4, 0, 2, 2, 1, 3):
        assert session.decrypt(group["messages"][index]) == (f"to the room {index}", index)
    later = olm.InboundGroupSession.import_session(group["exported_at_3"])
    assert later.decrypt(group["messages"][3]) == ("to the room 3", 3)
    with pytest.raises(olm.OlmGroupSessionError):
        later.decrypt(group["messages"][2])
    assert session.export_session(3) == group["exported_at_3"]


def test_cross_signing_keys_sign_as_libolms_do(libolm: Recording) -> None:
    recorded = libolm["signing"]
    key = olm.PkSigning(bytes.fromhex(recorded["seed"]))
    assert (key.public_key, key.sign(recorded["message"])) == (recorded["public_key"], recorded["signature"])
    with pytest.raises(olm.PkSigningError):
        olm.PkSigning(b"short")


def test_a_pre_key_message_for_another_account_is_refused(libolm: Recording) -> None:
    account = olm.Account.from_pickle(bytes.fromhex(libolm["account"]), libolm["pickle_key"])
    with pytest.raises(olm.OlmSessionError):
        olm.InboundSession(account, olm.OlmPreKeyMessage(PRE_KEY_MESSAGE), libolm["peer_key"])
    session = olm.Session.from_pickle(bytes.fromhex(libolm["session"]), libolm["pickle_key"])
    assert not session.matches(olm.OlmPreKeyMessage(PRE_KEY_MESSAGE))


@pytest.mark.parametrize("message", BAD_MESSAGES)
def test_what_crashed_libolm_once_is_an_error(libolm: Recording, message: str) -> None:
    session = olm.Session.from_pickle(bytes.fromhex(libolm["session"]), libolm["pickle_key"])
    for text in (message, bytes.fromhex(message).decode("latin-1")):
        with pytest.raises(olm.OlmSessionError):
            session.decrypt(olm.OlmMessage(text))
        with pytest.raises(olm.OlmSessionError):
            session.matches(olm.OlmPreKeyMessage(text))
