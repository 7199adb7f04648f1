"""Sessions and grants: what was signed comes back, nothing else ever does."""

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appservice.core.model import RoomId, UserId
from appservice.core.tokens import (
    GRANT_BUCKET_S,
    GrantScope,
    Session,
    decode_unpadded,
    grant_expiry,
    issue_grant,
    issue_secret,
    issue_session,
    read_grant,
    read_session,
    secret_expiry,
    secret_hash,
)

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
SESSION = Session(UserId("@alice:example.org"), RoomId("!room:example.org"), 1_000_000)
SCOPE = GrantScope(7, 42)
ANY_TEXT = st.text(st.characters(), max_size=60)


def _grant(scope: GrantScope = SCOPE, expires_s: int = 6000, key: bytes = KEY) -> tuple[str, str]:
    grant, _, path = issue_grant(key, scope, expires_s).partition("/")
    return grant, path


@given(ANY_TEXT.map(UserId), ANY_TEXT.map(RoomId), st.integers(0, 2**53))
def test_a_session_comes_back_until_it_expires(user_id: UserId, room_id: RoomId, expires_at: int) -> None:
    session = Session(user_id, room_id, expires_at)
    token = issue_session(KEY, session)
    assert read_session(KEY, token, expires_at - 1) == session
    assert read_session(KEY, token, expires_at) is None
    assert read_session(OTHER_KEY, token, 0) is None


def test_a_token_is_one_word_for_a_header() -> None:
    token = issue_session(KEY, Session(UserId("@é \n:x"), RoomId("!\x00"), 1))
    assert token.isascii()
    assert all(c.isalnum() or c in "-_." for c in token)


def test_a_session_of_somebody_else_cannot_be_made_from_ours() -> None:
    body, _, signature = issue_session(KEY, SESSION).partition(".")
    mallory = issue_session(OTHER_KEY, Session(UserId("@mallory:example.org"), SESSION.room_id, 2**53))
    for forged in (
        mallory.partition(".")[0] + "." + signature,
        body + "." + mallory.partition(".")[2],
        body,
        body + ".",
        "." + signature,
        body + "." + signature[:-1],
        body + "." + signature + "A",
        body + "=." + signature,
        body + "." + signature + ".",
    ):
        assert read_session(KEY, forged, 0) is None, forged


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_no_changed_character_passes(at: int, character: str) -> None:
    token = issue_session(KEY, SESSION)
    at %= len(token)
    assume(token[at] != character)
    assert read_session(KEY, token[:at] + character + token[at + 1 :], 0) is None


@given(ANY_TEXT, st.integers())
def test_garbage_is_no_session(token: str, now_ms: int) -> None:
    assert read_session(KEY, token, now_ms) is None


@given(ANY_TEXT, ANY_TEXT, st.floats(allow_nan=False))
def test_garbage_is_no_grant(grant: str, scope: str, now_s: float) -> None:
    assert read_grant(KEY, grant, scope, now_s) is None


@pytest.mark.parametrize("token", ["", ".", "\udcff", "a.\udcff", "\udcff.a", "é.é", "a" * 100_000, "\x00"])
def test_awkward_garbage(token: str) -> None:
    assert read_session(KEY, token, 0) is None
    assert read_grant(KEY, token, token, 0) is None
    assert read_grant(KEY, _grant()[0], token, 0) is None


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(1, 2**40))
def test_a_grant_opens_its_scope_until_it_expires(room_key: int, member_key: int, expires_s: int) -> None:
    scope = GrantScope(room_key, member_key)
    grant, path = _grant(scope, expires_s)
    assert read_grant(KEY, grant, path, expires_s - 1) == scope
    assert read_grant(KEY, grant, path, expires_s) is None
    assert read_grant(OTHER_KEY, grant, path, 0) is None


def test_a_grant_cannot_be_stretched_or_moved() -> None:
    grant, path = _grant()
    signature = grant.partition(".")[2]
    assert read_grant(KEY, f"99999.{signature}", path, 0) is None
    assert read_grant(KEY, f"06000.{signature}", path, 0) is None
    for other in ("7.43", "8.42", "42.7", "07.42", "7.42.", "7.42|6000", ""):
        assert read_grant(KEY, grant, other, 0) is None, other


def test_the_parts_of_a_grant_cannot_be_rearranged() -> None:
    # `7.4` until 26000 must not pass as `7.42` until 6000: the separator is part of what is signed.
    grant, _ = _grant(GrantScope(7, 4), 26000)
    assert read_grant(KEY, f"6000.{grant.partition('.')[2]}", "7.42", 0) is None


def test_signatures_of_one_purpose_do_not_pass_for_another() -> None:
    grant, path = _grant()
    signature = grant.partition(".")[2]
    body = f"{path}|6000"
    assert read_session(KEY, f"{body}.{signature}", 0) is None
    # The dot of a scope ends a session's body: try one without, too.
    session_body, _, session_signature = issue_session(KEY, SESSION).partition(".")
    assert read_grant(KEY, f"6000.{session_signature}", session_body, 0) is None


def test_two_keys_make_two_signatures_of_at_least_128_bits() -> None:
    one, other = (issue_session(key, SESSION).partition(".")[2] for key in (KEY, OTHER_KEY))
    assert one != other
    assert len(decode_unpadded(one)) >= 16


@given(st.floats(0, 1e12))
def test_a_grant_lasts_between_one_and_two_buckets(now_s: float) -> None:
    expires_s = grant_expiry(now_s)
    assert expires_s % GRANT_BUCKET_S == 0
    assert GRANT_BUCKET_S < expires_s - int(now_s) <= 2 * GRANT_BUCKET_S


def test_addresses_stay_the_same_within_a_bucket() -> None:
    assert grant_expiry(6000) == grant_expiry(6599.9) != grant_expiry(6600)


@given(st.binary(max_size=64))
def test_base64_of_all_kinds(raw: bytes) -> None:
    for text in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        assert decode_unpadded(text) == raw
        assert decode_unpadded(text.rstrip("=")) == raw


@pytest.mark.parametrize("text", ["a", "abcde", "a b", "%%%%", "é", "\ud800", "ab\n", "a=b"])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|characters|ordinal"):
        decode_unpadded(text)


@given(st.integers(1, 2**53))
def test_a_sign_in_is_part_of_session_and_scope(key: int) -> None:
    session = Session(SESSION.user_id, SESSION.room_id, SESSION.expires_at, key)
    assert read_session(KEY, issue_session(KEY, session), 0) == session
    scope = GrantScope(SCOPE.room_key, SCOPE.member_key, key)
    assert read_grant(KEY, *_grant(scope), now_s=0) == scope
    assert read_grant(KEY, _grant(scope)[0], str(SCOPE), now_s=0) is None


def test_a_secret_has_the_expiry_of_its_code_and_is_never_the_same() -> None:
    secrets = {issue_secret(KEY, 6000) for _ in range(100)}
    assert len(secrets) == len({secret_hash(secret) for secret in secrets}) == 100
    assert {secret_expiry(KEY, secret) for secret in secrets} == {6000}


@given(ANY_TEXT)
def test_other_secrets_are_none(text: str) -> None:
    assert secret_expiry(KEY, text) is None
    secret = issue_secret(KEY, 6000)
    assert secret_expiry(OTHER_KEY, secret) is None
    assert secret_expiry(KEY, secret.replace("6000.", "6001.", 1)) is None
    assert len(secret_hash(text)) == 32
