"""Events to changes: every kind, every wrong form, and anything at all that JSON can hold."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import MalformedEventError
from appservice.core.events.behalf import NONCE, SentKind, video_content
from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    CommandSent,
    EncryptedSent,
    HistoryChanged,
    MemberChanged,
    NewGallery,
    NewVideo,
    PowerChanged,
    Reacted,
    Redacted,
    RetentionChanged,
    RoomEncrypted,
    RoomNamed,
    RoomReplaced,
    SentByBot,
    SignInSent,
    SignOutSent,
    Talk,
    VideoEdited,
)
from appservice.core.events.intake import read_event, read_talk
from appservice.core.events.media_kinds import Choice
from appservice.core.events.messages import MOST_ITEMS
from appservice.core.model import (
    MALFORMED_FILE,
    EncryptedFile,
    EventId,
    History,
    KeyRotation,
    Kind,
    RoomId,
    UserId,
)
from appservice.core.room import Membership
from appservice.core.rules.permissions import Level
from appservice.core.text.clean import MAX_TITLE

BOT = UserId("@reel:example.org")
ALICE = UserId("@alice:example.org")
ROOM = RoomId("!room:example.org")
PERMISSIONS = {"example.org": Level.USER, "@eve:example.org": Level.BLOCKED}
MXC = "mxc://example.org/AbC_123-x"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


FILE: dict[str, Any] = {
    "url": MXC,
    "v": "v2",
    "key": {"k": _b64(b"k" * 32), "alg": "A256CTR", "kty": "oct", "key_ops": ["encrypt", "decrypt"], "ext": True},
    "iv": base64.b64encode(b"i" * 16).decode().rstrip("="),
    "hashes": {"sha256": base64.b64encode(b"\xfb\xff" * 16).decode().rstrip("=")},
}


def message(content: object = None, **event: object) -> dict[str, object]:
    video = {"msgtype": "m.video", "body": "holiday.mp4", "url": MXC, "info": {"mimetype": "video/mp4", "size": 1234}}
    return {
        "type": "m.room.message", "event_id": "$event", "room_id": ROOM, "sender": ALICE,
        "origin_server_ts": 1_700_000_000_000, "content": video if content is None else content, **event,
    }  # fmt: skip


def state(kind: str, content: object, state_key: object = "", **event: object) -> dict[str, object]:
    return {
        "type": kind, "state_key": state_key, "event_id": "$state", "room_id": ROOM, "sender": ALICE,
        "origin_server_ts": 1, "content": content, **event,
    }  # fmt: skip


STATE = EventId("$state")


def read(event: object) -> Change | None:
    return read_event(event, bot=BOT, permissions=PERMISSIONS)


def video(**content: object) -> NewVideo | None:
    change = read(message({"msgtype": "m.video", "body": "holiday.mp4", "url": MXC, **content}))
    assert change is None or isinstance(change, NewVideo)
    return change


# Videos


def test_a_plain_video() -> None:
    assert read(message()) == NewVideo(
        event_id=EventId("$event"), room_id=ROOM, sender=ALICE, title="holiday", mxc=MXC, encrypted_file=None,
        claimed_size=1234, certain=True, sent_at=1_700_000_000_000,
    )  # fmt: skip


def test_an_encrypted_attachment() -> None:
    change = read(message({"msgtype": "m.video", "body": "v.mp4", "file": FILE}))
    assert isinstance(change, NewVideo)
    assert change.mxc == MXC
    assert change.encrypted_file == EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"\xfb\xff" * 16)
    assert "kkkk" not in repr(change)


def test_the_encrypted_file_wins_over_a_url() -> None:
    found = video(url="mxc://other.example/decoy", file=FILE)
    assert found
    assert found.mxc == MXC


@pytest.mark.parametrize(
    "broken",
    [
        {"url": MXC}, {**FILE, "v": None}, {**FILE, "v": "v1"},
        {**FILE, "key": None}, {**FILE, "key": {}}, {**FILE, "key": {"k": 5}}, {**FILE, "key": {"k": "%%%"}},
        *({**FILE, "key": {k: v for k, v in FILE["key"].items() if k != name}} for name in ("kty", "alg", "key_ops")),
        {**FILE, "key": {"k": _b64(b"k" * 31)}}, {**FILE, "key": {"k": "é"}}, {**FILE, "key": "k"},
        {**FILE, "iv": _b64(b"i" * 17)}, {**FILE, "iv": None}, {**FILE, "iv": ["a"]},
        {**FILE, "hashes": {}}, {**FILE, "hashes": {"sha256": _b64(b"")}}, {**FILE, "hashes": "sha256"},
        {name: value for name, value in FILE.items() if name != "iv"},
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_decrypted_fails_where_its_sender_learns_of_it(broken: object) -> None:
    found = video(file=broken)
    assert found
    assert (found.mxc, found.encrypted_file) == (MXC, MALFORMED_FILE)
    with pytest.raises(MalformedEventError):  # nobody called it a video
        read(message({"msgtype": "m.file", "body": "a.bin", "file": broken}))


@pytest.mark.parametrize("url", [None, "https://example.org/x", 5])
def test_an_encrypted_file_that_is_nowhere_is_malformed(url: object) -> None:
    with pytest.raises(MalformedEventError):
        video(file={**FILE, "url": url})


@pytest.mark.parametrize("nothing", [None, "text", [], {}, 5, False])
def test_what_is_no_file_beside_a_url_is_none(nothing: object) -> None:
    found = video(file=nothing)
    assert found
    assert (found.mxc, found.encrypted_file) == (MXC, None)
    with pytest.raises(MalformedEventError):
        video(file=nothing, url=None)


@pytest.mark.parametrize("nothing", [None, 5, "text", [], [None], False])
@pytest.mark.parametrize(
    "content",
    [
        *({name: ...} for name in ("info", "filename", "m.relates_to", "m.mentions", "format", "formatted_body")),
        *({"info": {name: ...}} for name in ("mimetype", "size", "duration", "w", "h", "thumbnail_info", "fi.mau.gif")),
        {"m.relates_to": {"m.in_reply_to": ...}}, {"m.relates_to": {"rel_type": ...}},
        {"m.relates_to": {"rel_type": "m.thread", "event_id": ...}},
    ],
)  # fmt: skip
def test_an_optional_field_of_a_wrong_form_takes_no_video_away(content: dict[str, Any], nothing: object) -> None:
    def filled(value: object) -> object:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return nothing if value is ... else value

    found = video(**{key: filled(value) for key, value in content.items()})
    assert found
    assert found.mxc == MXC


def test_a_file_without_a_type_may_be_a_video_also_where_the_type_is_null() -> None:
    change = read(message({"msgtype": "m.file", "body": "a.bin", "url": MXC, "info": {"mimetype": None}}))
    assert isinstance(change, NewVideo)


def test_a_null_url_beside_a_file_is_none() -> None:
    found = video(url=None, file=FILE)
    assert found
    assert found.encrypted_file


@pytest.mark.parametrize("nothing", [None, 5, "text", [], {}])
@pytest.mark.parametrize("relation", [{"m.in_reply_to": {"event_id": ...}}, {"rel_type": "m.thread", "event_id": ...}])
def test_a_command_is_heard_whatever_it_relates_to(relation: dict[str, Any], nothing: object) -> None:
    filled = json.loads(json.dumps(relation, default=lambda _: nothing))
    content = {"msgtype": "m.text", "body": "!reel list", "m.relates_to": filled}
    change = read(message(content))
    assert isinstance(change, CommandSent)
    assert (change.body, change.replied_to, change.thread) == ("list", None, "$event")


@pytest.mark.parametrize("field", ["event_id", "room_id", "sender", "origin_server_ts"])
@pytest.mark.parametrize("value", [None, 5.5, True, [], {}, "", "nonsense", "x" * 256])
def test_a_video_without_its_coordinates_is_malformed(field: str, value: object) -> None:
    with pytest.raises(MalformedEventError):
        read(message(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", "$" + "e" * 255), ("event_id", "$a\x00"), ("event_id", "$\ud800"), ("event_id", "$a\nb"),
        ("room_id", "#alias:example.org"), ("room_id", "!a b\x7f"),
        ("sender", "@alice"), ("sender", "@alice:exa mple"), ("sender", "@al\x00ice:example.org"),
        ("sender", "@alice:examplé.org"), ("origin_server_ts", -1), ("origin_server_ts", 2**53),
    ],
)  # fmt: skip
def test_identifiers_and_times_out_of_range_are_malformed(field: str, value: object) -> None:
    with pytest.raises(MalformedEventError):
        read(message(**{field: value}))


@pytest.mark.parametrize("value", [0, 2**53 - 1])
def test_the_ends_of_time_are_times(value: int) -> None:
    change = read(message(origin_server_ts=value))
    assert isinstance(change, NewVideo)
    assert change.sent_at == value


def test_a_room_of_version_12_has_no_server_in_its_id() -> None:
    change = read(message(room_id="!QYSSabcdefghijklmnopqrstuvwxyz0123456789AB"))
    assert isinstance(change, NewVideo)


@pytest.mark.parametrize(
    "url",
    [
        None, 5, "", "https://example.org/a", "mxc://example.org", "mxc://example.org/", "mxc:///a", "mxc://a/b/c",
        "mxc://a/b?c", "mxc://a/b#c", "mxc://a/b%2f", "mxc://a/b\n", "mxc://é/b", "mxc://a b/c", "mxc://a/" + "b" * 256,
    ],
)  # fmt: skip
def test_other_addresses_than_content_uris_are_malformed(url: object) -> None:
    with pytest.raises(MalformedEventError):
        video(url=url)


@pytest.mark.parametrize("url", ["mxc://../config", "mxc://a/..", "mxc://./a", "mxc://a/."])
def test_a_content_uri_cannot_climb_out_of_the_download_path(url: str) -> None:
    with pytest.raises(MalformedEventError):
        video(url=url)


@pytest.mark.parametrize("url", ["mxc://example.org:8448/a", "mxc://[2001:db8::1]:80/a_-b", "mxc://10.0.0.1/x"])
def test_content_uris_of_all_server_names(url: str) -> None:
    found = video(url=url)
    assert found
    assert found.mxc == url


@pytest.mark.parametrize(
    ("size", "claimed"),
    [(0, 0), (7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (-1, None), (True, None), ("7", None), (7.0, None)],
)
def test_a_claimed_size_is_a_number_or_nothing(size: object, claimed: int | None) -> None:
    found = video(info={"size": size})
    assert found
    assert found.claimed_size == claimed


@pytest.mark.parametrize("info", [None, [], "x", 7])
def test_an_info_of_another_form_is_no_info(info: object) -> None:
    found = video(info=info)
    assert found
    assert found.claimed_size is None


@pytest.mark.parametrize("sender", ["@eve:example.org", "@stranger:elsewhere.org", BOT])
def test_nothing_is_taken_from_the_blocked_the_unlisted_and_ourselves(sender: str) -> None:
    assert read(message(sender=sender)) is None


def edit(new: object, target: object = "$other", **event: object) -> dict[str, object]:
    relation = {"rel_type": "m.replace", "event_id": target}
    return message(
        {"msgtype": "m.video", "body": "* x", "url": MXC, "m.new_content": new, "m.relates_to": relation}, **event
    )


def test_an_edit_is_no_new_video() -> None:
    assert video(**{"m.relates_to": {"rel_type": "m.replace", "event_id": "$other"}}) is None
    new = {"msgtype": "m.video", "body": "better", "filename": "b.mp4", "url": "mxc://example.org/new"}
    change = read(edit({**new, "m.relates_to": {"rel_type": "m.replace", "event_id": "$decoy"}}))
    assert isinstance(change, VideoEdited)
    assert (change.room_id, change.target) == (ROOM, "$other")
    assert (change.video.event_id, change.video.sender) == ("$event", ALICE)
    assert (change.video.title, change.video.mxc) == ("better", "mxc://example.org/new")


@pytest.mark.parametrize(
    "new", [None, "x", [], {}, {"msgtype": "m.text", "body": "!reel delete"}, {"msgtype": ["m.video"]}]
)
def test_an_edit_into_something_else_is_of_no_interest(new: object) -> None:
    assert read(edit(new)) is None


def test_an_edit_by_somebody_blocked_is_of_no_interest() -> None:
    new = {"msgtype": "m.video", "body": "x", "url": MXC}
    assert read(edit(new, sender="@eve:example.org")) is None
    assert read(edit(new, sender=BOT)) is None


@pytest.mark.parametrize(
    ("new", "target"),
    [
        ({"msgtype": "m.video", "body": "x"}, "$other"), ({"msgtype": "m.video", "url": "https://x/"}, "$other"),
        ({"msgtype": "m.video", "url": MXC}, None), ({"msgtype": "m.video", "url": MXC}, "!room:example.org"),
    ],
)  # fmt: skip
def test_a_malformed_edit_is_refused(new: object, target: object) -> None:
    with pytest.raises(MalformedEventError):
        read(edit(new, target))


@pytest.mark.parametrize("relation", [None, "m.replace", {"rel_type": "m.thread"}, {"rel_type": ["m.replace"]}])
def test_other_relations_do_not_hide_a_video(relation: object) -> None:
    assert video(**{"m.relates_to": relation}) is not None


@pytest.mark.parametrize("msgtype", ["m.emote", "m.location", None, 5, [], {}, ["m.video"]])
def test_other_messages_are_of_no_interest(msgtype: object) -> None:
    assert video(msgtype=msgtype) is None


@pytest.mark.parametrize("content", [{}, None, [], "m.video", 7])
def test_a_redacted_or_empty_message_is_of_no_interest(content: object) -> None:
    assert read({**message(), "content": content}) is None


def test_commands() -> None:
    sign_in = message({"msgtype": "m.text", "body": "!reel sign-in abcd-2345"})
    event = EventId("$event")
    assert read(sign_in) == SignInSent(ROOM, event, ALICE, "ABCD2345", event)
    sign_out = {"msgtype": "m.text", "body": "!reel sign-out"}
    assert read(message(sign_out)) == SignOutSent(ROOM, event, ALICE, event)
    relation = {"rel_type": "m.thread", "event_id": "$root"}
    assert read(message({**sign_out, "m.relates_to": relation})) == SignOutSent(ROOM, event, ALICE, EventId("$root"))
    broken = {"rel_type": "m.thread", "event_id": 5}
    assert read(message({**sign_out, "m.relates_to": broken})) == SignOutSent(ROOM, event, ALICE, event)


@pytest.mark.parametrize("sender", ["@eve:example.org", "@alice:elsewhere.org", BOT])
def test_commands_of_the_blocked_the_unlisted_and_ourselves_are_none(sender: str) -> None:
    assert read(message({"msgtype": "m.text", "body": "!reel sign-out"}, sender=sender)) is None


@pytest.mark.parametrize(
    "content",
    [
        {"msgtype": "m.notice", "body": "!reel sign-out"},
        {"msgtype": "m.text", "body": ["!reel sign-out"]},
        {"msgtype": "m.text", "body": "!reel sign-out", "m.relates_to": {"rel_type": "m.replace", "event_id": "$e"}},
    ],
)
def test_what_only_looks_like_a_command(content: object) -> None:
    assert read(message(content)) is None


def test_a_state_event_of_the_message_type_is_no_message() -> None:
    assert read(message(state_key="")) is None


# m.file: some clients call everything a file


@pytest.mark.parametrize(
    ("content", "certain"),
    [
        ({"body": "a", "info": {"mimetype": "video/quicktime"}}, True),
        ({"body": "clip.MP4", "info": {"mimetype": "application/x-thing"}}, False),
        ({"body": "my caption", "filename": "clip.mkv", "info": {"mimetype": "text/plain"}}, False),
        ({"body": "unknown", "info": {"mimetype": "application/octet-stream"}}, False),
        ({"body": "unknown", "info": {}}, False),
        ({"body": "unknown"}, False),
    ],
)
def test_a_file_that_may_be_a_video(content: dict[str, object], certain: bool) -> None:
    found = video(msgtype="m.file", **content)
    assert found
    assert found.certain is certain


@pytest.mark.parametrize(
    "content",
    [
        {"body": "thesis.pdf", "info": {"mimetype": "application/pdf"}},
        {"body": "mp4", "filename": "mp4.txt", "info": {"mimetype": "text/plain"}},
        {"body": "a.mp4", "filename": "a.zip", "info": {"mimetype": "application/zip"}},
        {"body": None, "info": {"mimetype": "text/plain"}},
    ],
)
def test_a_file_that_is_no_video(content: dict[str, object]) -> None:
    assert video(msgtype="m.file", **content) is None


# Titles (spec 1.10, "Media captions")


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ({"body": "holiday.mp4"}, "holiday"),
        ({"body": "holiday.MOV"}, "holiday"),
        ({"body": "Our holiday.2023"}, "Our holiday.2023"),
        ({"body": ".mp4"}, ".mp4"),
        ({"body": "Look at this!", "filename": "IMG_1.mp4"}, "Look at this!"),
        ({"body": "IMG_1.mp4", "filename": "IMG_1.mp4"}, "IMG_1"),
        ({"body": None, "filename": "IMG_1.mp4"}, "IMG_1"),
        ({"body": "  two\n lines\x00 "}, "two lines"),
        ({"body": None}, ""),
        ({"body": ["x"], "filename": 7}, ""),
        ({"body": "ü" * 1000}, "ü" * MAX_TITLE),
    ],
)
def test_titles(content: dict[str, object], title: str) -> None:
    found = video(**content)
    assert found
    assert found.title == title


# Redactions


def test_a_redaction_of_old_and_new_rooms() -> None:
    wanted = Redacted(ROOM, EventId("$video"), ALICE)
    redaction = {"type": "m.room.redaction", "room_id": ROOM, "sender": ALICE}
    assert read({**redaction, "redacts": "$video", "content": {}}) == wanted
    assert read({**redaction, "content": {"redacts": "$video"}}) == wanted
    assert read({**redaction, "redacts": "$other", "content": {"redacts": "$video"}}) == wanted


@pytest.mark.parametrize("redacts", [None, "", 5, "video", ["$video"]])
def test_a_redaction_of_nothing_is_malformed(redacts: object) -> None:
    with pytest.raises(MalformedEventError):
        read({"type": "m.room.redaction", "room_id": ROOM, "content": {"redacts": redacts}})


# Members


@pytest.mark.parametrize("membership", list(Membership))
def test_memberships(membership: Membership) -> None:
    content = {"membership": membership.value, "displayname": "Al\x1b\u202eice ", "avatar_url": MXC}
    assert read(state("m.room.member", content, ALICE)) == MemberChanged(ROOM, ALICE, membership, "Alice", MXC, STATE)


@pytest.mark.parametrize("avatar", [None, 5, "", "https://example.org/a.png", "mxc://a/b/../c"])
def test_a_member_without_a_proper_avatar_or_name(avatar: object) -> None:
    content = {"membership": "join", "displayname": 5, "avatar_url": avatar}
    change = MemberChanged(ROOM, ALICE, Membership.JOIN, None, None, STATE)
    assert read(state("m.room.member", content, ALICE)) == change


def test_blocked_users_are_members_all_the_same() -> None:
    change = read(state("m.room.member", {"membership": "leave"}, "@eve:example.org"))
    assert isinstance(change, MemberChanged)


def test_the_bots_own_membership_names_who_did_it() -> None:
    event = state("m.room.member", {"membership": "invite"}, BOT)
    assert read(event) == BotMembershipChanged(ROOM, Membership.INVITE, ALICE, event_id=STATE)
    with pytest.raises(MalformedEventError):
        read({**event, "sender": None})


@pytest.mark.parametrize(
    ("content", "state_key"),
    [
        ({"membership": "owner"}, ALICE), ({}, ALICE), ({"membership": ["join"]}, ALICE), (None, ALICE),
        ({"membership": "join"}, ""), ({"membership": "join"}, 5), ({"membership": "join"}, "alice"),
        ({"membership": "join"}, None),
    ],
)  # fmt: skip
def test_malformed_members(content: object, state_key: object) -> None:
    with pytest.raises(MalformedEventError):
        read(state("m.room.member", content, state_key))


def test_a_room_has_its_state_without_event_ids_too() -> None:
    event = state("m.room.member", {"membership": "join"}, ALICE)
    del event["event_id"]
    assert read(event) == MemberChanged(ROOM, ALICE, Membership.JOIN, None, None)
    with pytest.raises(MalformedEventError):
        read({**event, "event_id": 5})


def test_a_member_event_without_state_key_is_nothing() -> None:
    event = state("m.room.member", {"membership": "join"}, ALICE)
    del event["state_key"]
    assert read(event) is None


# What is encrypted

CIPHERTEXT = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "session", "ciphertext": "AwgA", "sender_key": "key"}


def encrypted(content: object = None, **event: object) -> dict[str, object]:
    return message(CIPHERTEXT if content is None else content, type="m.room.encrypted", **event)


def test_an_encrypted_event_is_kept_whole() -> None:
    event = encrypted(unsigned={"age": 1})
    assert read(event) == EncryptedSent(ROOM, EventId("$event"), ALICE, "session", event)


@pytest.mark.parametrize(
    "event",
    [
        encrypted({}),
        encrypted({**CIPHERTEXT, "algorithm": "m.olm.v1.curve25519-aes-sha2"}),
        encrypted(sender=BOT),
        encrypted(sender="@eve:example.org"),
        encrypted(state_key=""),
    ],
)
def test_what_is_encrypted_and_not_for_us(event: object) -> None:
    assert read(event) is None


@pytest.mark.parametrize(
    "event",
    [
        encrypted({**CIPHERTEXT, "session_id": ""}),
        encrypted({**CIPHERTEXT, "session_id": "s" * 256}),
        encrypted({**CIPHERTEXT, "session_id": None}),
        encrypted({**CIPHERTEXT, "ciphertext": {}}),
        encrypted(event_id="event"),
        encrypted(origin_server_ts="now"),
        encrypted("text"),
    ],
)
def test_a_malformed_encrypted_event(event: object) -> None:
    with pytest.raises(MalformedEventError):
        read(event)


# The room's own state


@pytest.mark.parametrize(
    ("kind", "content", "change"),
    [
        ("m.room.name", {"name": " The\tden "}, RoomNamed(ROOM, "The den", STATE)),
        ("m.room.name", {"name": ""}, RoomNamed(ROOM, None, STATE)),
        ("m.room.name", {}, RoomNamed(ROOM, None, STATE)),
        ("m.room.power_levels", {"users": {ALICE: 100}}, PowerChanged(ROOM, {"users": {ALICE: 100}}, STATE)),
        ("m.room.power_levels", {"a\x00": ["\ud800"]}, PowerChanged(ROOM, {"a": ["?"]}, STATE)),
        ("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, RoomEncrypted(ROOM)),
        (
            "m.room.encryption",
            {"rotation_period_ms": 60_000, "rotation_period_msgs": 7},
            RoomEncrypted(ROOM, KeyRotation(60_000, 7)),
        ),
        ("m.room.encryption", {"rotation_period_ms": "1", "rotation_period_msgs": -1}, RoomEncrypted(ROOM)),
        ("m.room.retention", {"max_lifetime": 3_600_000, "min_lifetime": 1}, RetentionChanged(ROOM, 3_600_000, STATE)),
        ("m.room.retention", {}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.retention", {"max_lifetime": 0}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.retention", {"max_lifetime": True}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.retention", {"max_lifetime": -5}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.retention", {"max_lifetime": 2**60}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.retention", {"max_lifetime": "1d"}, RetentionChanged(ROOM, None, STATE)),
        ("m.room.tombstone", {"replacement_room": "!new"}, RoomReplaced(ROOM, RoomId("!new"), STATE)),
        ("m.room.topic", {"topic": "x"}, None),
        ("org.example.any", {}, None),
    ],
)
def test_room_state(kind: str, content: object, change: Change | None) -> None:
    assert read(state(kind, content)) == change


@pytest.mark.parametrize(
    "event",
    [
        state("m.room.name", None),
        state("m.room.power_levels", []),
        state("m.room.tombstone", {}),
        state("m.room.tombstone", {"replacement_room": "#alias:example.org"}),
        state("m.room.encryption", {}, room_id=None),
        state("m.room.name", {}, room_id="room"),
    ],
)
def test_malformed_room_state(event: object) -> None:
    with pytest.raises(MalformedEventError):
        read(event)


@pytest.mark.parametrize("kind", ["m.room.name", "m.room.power_levels", "m.room.encryption", "m.room.tombstone"])
@pytest.mark.parametrize("state_key", ["x", None, 5, []])
def test_only_the_empty_state_key_is_the_rooms(kind: str, state_key: object) -> None:
    assert read(state(kind, {"name": "x", "replacement_room": "!x"}, state_key)) is None


@pytest.mark.parametrize("event", [None, 5, "m.room.message", [], [message()]])
def test_an_event_is_an_object(event: object) -> None:
    with pytest.raises(MalformedEventError):
        read(event)


@pytest.mark.parametrize("kind", [None, 5, [], {}, "m.reaction"])
def test_other_types_are_of_no_interest(kind: object) -> None:
    assert read({**message(), "type": kind}) is None


# Reactions


def reaction(key: object = "✅", **changes: object) -> dict[str, object]:
    relation = {"rel_type": "m.annotation", "event_id": "$post", "key": key}
    return {**message({"m.relates_to": relation}), "type": "m.reaction", **changes}


@pytest.mark.parametrize(("key", "approves"), [("✅", True), ("✅\ufe0f", True), ("❌", False), ("❌\ufe0f", False)])
def test_a_reaction_says_yes_or_no(key: str, approves: bool) -> None:
    assert read(reaction(key)) == Reacted(ROOM, EventId("$event"), ALICE, EventId("$post"), approves)


@pytest.mark.parametrize("key", ["👍", "", "✅✅", "yes", None, 5, [], {}, "✅" * 1000])
def test_other_reactions_are_of_no_interest(key: object) -> None:
    assert read(reaction(key)) is None


def test_only_those_decide_who_may_use_the_bot() -> None:
    assert read(reaction(sender=BOT)) is None
    assert read(reaction(sender="@eve:example.org")) is None
    assert read(reaction(sender="@zoe:elsewhere.org")) is None


@pytest.mark.parametrize("content", [None, [], {}, {"m.relates_to": 5}, {"m.relates_to": {"rel_type": "m.thread"}}])
def test_a_reaction_that_is_none(content: object) -> None:
    assert read(reaction(content=content)) is None


@pytest.mark.parametrize("target", [None, 5, "", "x", "$" * 300, "$\x00"])
def test_a_reaction_is_to_an_event(target: object) -> None:
    relation = {"rel_type": "m.annotation", "event_id": target, "key": "✅"}
    with pytest.raises(MalformedEventError):
        read(reaction(content={"m.relates_to": relation}))


# Spoilers and galleries


UNSTABLE = "page.codeberg.everypizza.msc4193.spoiler"


@pytest.mark.parametrize(
    ("marks", "spoiler"),
    [
        ({UNSTABLE: True, f"{UNSTABLE}.reason": "blo\u202eod\n"}, (True, "blood")),
        ({UNSTABLE: True}, (True, None)), ({"m.spoiler": True, "m.spoiler.reason": "end"}, (True, "end")),
        ({UNSTABLE: True, f"{UNSTABLE}.reason": 5}, (True, None)),
        ({UNSTABLE: True, f"{UNSTABLE}.reason": ""}, (True, None)),
        ({UNSTABLE: False, f"{UNSTABLE}.reason": "x"}, (False, None)), ({f"{UNSTABLE}.reason": "x"}, (False, None)),
        ({UNSTABLE: None}, (False, None)), ({UNSTABLE: "true"}, (False, None)), ({UNSTABLE: 1}, (False, None)),
    ],
)  # fmt: skip
def test_a_spoiler_is_what_its_sender_marked_as_one(marks: dict[str, Any], spoiler: tuple[bool, str | None]) -> None:
    found = video(**marks)
    assert found
    assert (found.spoiler, found.spoiler_reason) == spoiler


def test_an_edit_brings_or_takes_the_mark() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    content = {"msgtype": "m.video", "body": "a.mp4", "url": MXC}
    for marks in ({UNSTABLE: True}, {}):
        # What stands beside the new content is for clients that know no edits.
        edit = {**content, "m.spoiler": True, "m.new_content": {**content, **marks}, "m.relates_to": relation}
        change = read(message(edit))
        assert isinstance(change, VideoEdited)
        assert change.video.spoiler is bool(marks)


def part(name: str, itemtype: object = "m.video", **content: object) -> dict[str, object]:
    url = f"mxc://example.org/{name}"
    return {"itemtype": itemtype, "body": f"{name}.mp4", "filename": f"{name}.mp4", "url": url, **content}


def gallery(*items: object, **content: object) -> NewGallery | None:
    said = {"msgtype": "dm.filament.gallery", "body": "two from the beach", "itemtypes": list(items), **content}
    change = read(message(said))
    assert change is None or isinstance(change, NewGallery)
    return change


@pytest.mark.parametrize("msgtype", ["dm.filament.gallery", "m.gallery"])
def test_each_video_of_a_gallery_is_one_with_its_own_caption(msgtype: str) -> None:
    found = gallery(part("one"), part("photo", "m.image"), part("two", body="The wave"), msgtype=msgtype)
    assert found
    assert (found.event_id, found.room_id, found.sender) == ("$event", ROOM, ALICE)
    assert [(v.item, v.title, v.mxc, v.kind, v.choice, v.event_id) for v in found.videos] == [
        (0, "one", "mxc://example.org/one", Kind.VIDEO, None, "$event"),
        (1, "photo.mp4", "mxc://example.org/photo", Kind.IMAGE, Choice.IMAGES, "$event"),
        (2, "The wave", "mxc://example.org/two", Kind.VIDEO, None, "$event"),
    ]


def test_an_item_without_a_word_of_its_own_has_the_gallerys() -> None:
    found = gallery(part("one", body=None, filename=None), part("two"))
    assert found
    assert [v.title for v in found.videos] == ["two from the beach", "two"]


def test_items_of_a_gallery_may_be_encrypted_null_and_spoilers() -> None:
    found = gallery(part("one", file=FILE, url=None), part("two", file=None, info=None, **{UNSTABLE: True}))
    assert found
    assert [bool(v.encrypted_file) for v in found.videos] == [True, False]
    assert [v.spoiler for v in found.videos] == [False, True]
    own, of_all = {"m.spoiler": True, "m.spoiler.reason": "mine"}, {UNSTABLE: True, f"{UNSTABLE}.reason": "all"}
    whole = gallery(part("one"), part("two", **own), **of_all)
    assert whole
    assert [(v.spoiler, v.spoiler_reason) for v in whole.videos] == [(True, "all"), (True, "mine")]


@pytest.mark.parametrize(
    "broken", [None, 5, "x", [], {}, part("x", url="https://x"), part("x", ["m.video"]), part("x", "m.text")]
)
def test_a_broken_item_does_not_take_the_others(broken: object) -> None:
    found = gallery(broken, part("two"), broken)
    assert found
    assert [(v.item, v.title) for v in found.videos] == [(1, "two")]


@pytest.mark.parametrize("items", [None, 5, {}, "x"])
def test_a_gallery_without_a_list_is_malformed(items: object) -> None:
    with pytest.raises(MalformedEventError):
        gallery(itemtypes=items)
    with pytest.raises(MalformedEventError):
        gallery(part("x", url=None))


def test_a_gallery_of_nothing_is_of_no_interest() -> None:
    assert gallery(itemtypes=[]) is None
    assert (
        gallery(part("a.pdf", "m.file", body="a.pdf", filename="a.pdf", info={"mimetype": "application/pdf"})) is None
    )


def test_a_gallery_without_end_has_one() -> None:
    found = gallery(*(part(str(n)) for n in range(MOST_ITEMS + 50)))
    assert found
    assert len(found.videos) == MOST_ITEMS


def test_an_edit_of_a_gallery_brings_all_of_it() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    new = {"msgtype": "m.gallery", "body": "x", "itemtypes": [part("one"), part("two")]}
    change = read(message({**new, "m.new_content": new, "m.relates_to": relation}))
    assert isinstance(change, VideoEdited)
    assert (change.target, [v.title for v in change.videos]) == ("$old", ["one", "two"])


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)
_TEXTS = st.sampled_from(
    [
        "", "!room:example.org", ALICE, BOT, "$event", MXC, "m.video", "m.file", "m.replace", "join", "leave", "v2",
        "a.mp4", "video/mp4", "\x00", "\ud800", "@:x", "x" * 300, _b64(b"k" * 32), _b64(b"i" * 16),
    ]
)  # fmt: skip
_VALUES = _TEXTS | JSON
_CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        name: _VALUES | st.dictionaries(_TEXTS, _VALUES, max_size=3)
        for name in (
            "msgtype", "body", "filename", "url", "info", "m.relates_to", "redacts", "membership", "displayname",
            "avatar_url", "name", "users", "replacement_room", "m.spoiler", "m.spoiler.reason",
        )
    }
    | {
        "itemtypes": _VALUES | st.lists(st.dictionaries(st.sampled_from(["itemtype", "url", "body", "info"]), _VALUES)),
        "file": _VALUES
        | st.fixed_dictionaries(
            {},
            optional={
                "url": _VALUES, "v": _VALUES, "key": st.dictionaries(st.just("k"), _VALUES) | _VALUES, "iv": _VALUES,
                "hashes": st.dictionaries(st.just("sha256"), _VALUES) | _VALUES,
            },
        )
    },
)  # fmt: skip
_KINDS = st.sampled_from(
    [
        "m.room.message", "m.room.redaction", "m.room.member", "m.room.name", "m.room.power_levels",
        "m.room.encryption", "m.room.tombstone", "m.room.topic",
    ]
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {"type": _KINDS | _VALUES, "content": _CONTENTS | _VALUES},
    optional={
        "state_key": _VALUES,
        "event_id": st.just("$event") | _VALUES,
        "room_id": st.just(ROOM) | _VALUES,
        "sender": st.just(ALICE) | _VALUES,
        "origin_server_ts": st.just(1) | _VALUES,
        "redacts": _VALUES,
    },
)


@given(EVENTS | JSON)
def test_whatever_comes_is_a_change_or_nothing_or_malformed(event: object) -> None:
    try:
        change = read(event)
    except MalformedEventError:
        return
    assert change is None or isinstance(change, Change)


def _nested(depth: int) -> object:
    return json.loads('{"a":' * depth + "1" + "}" * depth)


@pytest.mark.parametrize("depth", [300, 600, 900])
@pytest.mark.parametrize(
    "event",
    [
        lambda deep: state("m.room.power_levels", {"users": deep}),
        lambda deep: message({"msgtype": "m.file", "body": "a", "url": MXC, "info": {"mimetype": deep}}),
        lambda deep: state("m.room.member", {"membership": deep}, ALICE),
    ],
)
def test_no_nesting_overflows(event: Callable[[object], object], depth: int) -> None:
    try:
        change = read(event(_nested(depth)))
    except MalformedEventError:
        return
    assert change is None or isinstance(change, Change)


@pytest.mark.parametrize(
    ("value", "history"),
    [
        ("joined", History.JOINED), ("invited", History.INVITED), ("shared", History.SHARED),
        ("world_readable", History.SHARED), ("else", History.SHARED), (None, History.SHARED), ([], History.SHARED),
        ({"joined": 1}, History.SHARED),
    ],
)  # fmt: skip
def test_who_sees_what_was_sent_before(value: object, history: History) -> None:
    event = {
        "type": "m.room.history_visibility", "state_key": "", "room_id": ROOM, "content": {"history_visibility": value},
    }  # fmt: skip
    assert read_event(event, bot=BOT, permissions=PERMISSIONS) == HistoryChanged(ROOM, history)


@pytest.mark.parametrize(
    ("nonce", "kept"),
    [
        ("aB3_-", "aB3_-"), ("x" * 64, "x" * 64), ("x" * 65, None), ("", None), ("a b", None), ("é", None), (1, None),
        (["a"], None), ("a\n", None),
    ],
)  # fmt: skip
def test_a_nonce_counts_where_it_is_one(nonce: object, kept: str | None) -> None:
    video = read(message({"msgtype": "m.video", "body": "a.mp4", "url": MXC, "chat.roomreel.nonce": nonce}))
    assert isinstance(video, NewVideo)
    assert video.nonce == kept


def related(kind: object, target: object = "$video", **event: object) -> dict[str, object]:
    return message({"msgtype": "m.text", "body": "hi", "m.relates_to": {"rel_type": kind, "event_id": target}}, **event)


def on_behalf(content: dict[str, object], **event: object) -> dict[str, object]:
    return message({NONCE: "n1", **content}, sender=BOT, **event)


def test_a_video_of_the_bots_may_be_somebodys() -> None:
    prepared = {"msgtype": "m.video", "body": "clip.mp4", "filename": "clip.mp4", "url": MXC, "info": {"size": 5}}
    content = video_content(prepared, "A trip", "n1", ALICE, "Alice")
    change = read(on_behalf(content))
    assert isinstance(change, SentByBot)
    assert change.video
    assert (change.kind, change.nonce, change.video.nonce, change.video.sender) == (SentKind.VIDEO, "n1", "n1", BOT)
    assert (change.video.title, change.video.mxc, change.video.claimed_size) == ("A trip", MXC, 5)
    unnamed = read(on_behalf(video_content(prepared, None, "n1", ALICE, "Alice")))
    assert isinstance(unnamed, SentByBot)
    assert unnamed.video
    assert unnamed.video.title == "clip"


def test_what_the_bot_says_may_be_somebodys() -> None:
    expected = SentByBot(ROOM, EventId("$event"), "n1", SentKind.REACTION)
    said = read(on_behalf({"msgtype": "m.text", "body": "!reel help"}))
    assert said == replace(expected, kind=SentKind.COMMENT)
    relation = {"rel_type": "m.annotation", "event_id": "$video", "key": "👍"}
    assert read(on_behalf({"m.relates_to": relation}, type="m.reaction")) == expected
    assert read(message({"m.relates_to": relation}, type="m.reaction", sender=BOT)) is None
    assert read(on_behalf({NONCE: "no nonce", "msgtype": "m.text", "body": "x"})) is None


def test_nobody_elses_message_is_the_bots() -> None:
    change = read(message({"msgtype": "m.video", "body": "a.mp4", "url": MXC, NONCE: "n1"}))
    assert isinstance(change, NewVideo)
    assert change.sender == ALICE


@pytest.mark.parametrize(
    ("event", "relates"),
    [
        (related("m.thread"), True),
        (on_behalf({"m.relates_to": {"rel_type": "m.thread", "event_id": "$video"}}), True),
        (related("m.annotation", type="m.reaction"), True),
        (related("m.thread", type="m.room.encrypted"), True),
        (related("m.thread", type="m.sticker", sender="@eve:example.org"), True),
        (related("m.replace"), False),
        (message({"redacts": "$video"}, type="m.room.redaction"), False),
        (message({}, type="m.room.redaction", redacts="$video"), False),
        (message({"redacts": "$video"}, type="m.room.redaction", sender=BOT), False),
        (on_behalf({"m.relates_to": {"m.in_reply_to": {"event_id": "$video"}}}), True),
    ],
)
def test_what_relates_to_an_event_is_notified(event: dict[str, object], relates: bool) -> None:
    assert read_talk(event, bot=BOT) == Talk(ROOM, EventId("$video"), relates)


@pytest.mark.parametrize(
    "event",
    [
        message(),
        related("m.thread", sender=BOT),
        message({"m.relates_to": {"rel_type": "m.thread", "event_id": "$video"}, NONCE: "no nonce"}, sender=BOT),
        related("m.reference"),
        related(["m.thread"]),
        related("m.thread", "@x"),
        related("m.thread", "$\ud800"),
        related("m.thread", None),
        related("m.thread", room_id="x"),
        related("m.thread", type="m.room.topic"),
        related("m.thread", state_key=""),
        message({"m.relates_to": "m.thread"}),
        message({"m.relates_to": {"m.in_reply_to": {"event_id": "$video"}}}),
        message({"m.relates_to": {"m.in_reply_to": {"event_id": "$video"}}}, sender=BOT),
        on_behalf({"m.relates_to": {"m.in_reply_to": {"event_id": 5}}}),
        on_behalf({"m.relates_to": {"m.in_reply_to": 5}}),
        message([]),
        message(3),
        message({}, type="m.room.redaction"),
        "event",
        None,
    ],
)
def test_nothing_is_notified_of_what_relates_to_no_event_or_the_bots(event: object) -> None:
    assert read_talk(event, bot=BOT) is None
