"""What the bot says for people, and whose what it reads is."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.events.behalf import (
    NONCE,
    PROFILE,
    SentFor,
    SentKind,
    clean_comment,
    comment_content,
    digest,
    plain_reaction,
    plain_reply,
    profile_name,
    reaction_content,
    reaction_of,
    video_content,
    without_name,
)
from appservice.core.events.relations import Relation, attributed, read_relations, sent_relation
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.text.status import KEYS

ALICE, BOB, BOT = UserId("@alice:here"), UserId("@bob:here"), UserId("@reel:here")
ROOM, EVENT = RoomId("!room:here"), EventId("$video")
GUARD = "\u2060"


def sent(user_id: UserId, kind: SentKind, event_id: str | None, key: int = 1, **fields: Any) -> SentFor:  # noqa: ANN401 - as the class has them
    at = datetime(2026, 1, 1, tzinfo=UTC)
    reaction = "👍" if kind is SentKind.REACTION else None
    whole = SentFor(
        key, user_id, f"n{key}", kind, ROOM, reaction, EventId(event_id) if event_id else None, at, is_taken_back=False
    )
    return replace(whole, **fields)


def event(event_id: str, sender: str, content: object, kind: str = "m.room.message", at: object = 5) -> dict[str, Any]:
    return {"event_id": event_id, "sender": sender, "type": kind, "origin_server_ts": at, "content": content}


def reply(event_id: str, sender: str, body: str, **fields: object) -> dict[str, Any]:
    relation = {"rel_type": "m.thread", "event_id": "$video", "is_falling_back": True}
    return event(event_id, sender, {"msgtype": "m.text", "body": body, "m.relates_to": relation, **fields})


def reaction(event_id: str, sender: str, key: str = "👍") -> dict[str, Any]:
    return event(event_id, sender, reaction_content(EVENT, key, "n1"), "m.reaction")


def relations(*events: object, annotations: tuple[object, ...] = (), rows: tuple[SentFor, ...] = ()) -> list[Relation]:
    read = [each for event in events for each in read_relations(event, "m.room.message", BOT)]
    read += [each for event in annotations for each in read_relations(event, "m.reaction", BOT)]
    return attributed(read, rows, BOT)


# What is sent


def test_a_comment_is_in_the_thread_with_the_name_before_it() -> None:
    content = comment_content(EVENT, "1 < 2\nindeed", "nonce", ALICE, "Alice & Co")
    assert content == {
        "msgtype": "m.text",
        "body": f"{GUARD}Alice & Co: {GUARD}1 < 2\nindeed",
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong data-mx-profile-fallback>{GUARD}Alice &amp; Co: </strong>{GUARD}1 &lt; 2<br>indeed",
        "m.mentions": {},
        "m.relates_to": {
            "rel_type": "m.thread", "event_id": "$video", "is_falling_back": True,
            "m.in_reply_to": {"event_id": "$video"},
        },
        PROFILE: {"id": ALICE, "displayname": f"{GUARD}Alice & Co", "has_fallback": True},
        NONCE: "nonce",
    }  # fmt: skip
    assert plain_reply(content)["m.relates_to"] == {"m.in_reply_to": {"event_id": "$video"}}
    assert without_name(content)["body"] == "1 < 2\nindeed"
    assert without_name(content).keys().isdisjoint({PROFILE, "formatted_body", "format"})


@pytest.mark.parametrize("name", ["!mjolnir ban @bob:here", "draupnir", "/kick", "  !x"])
def test_no_name_makes_a_command_of_the_bots_message(name: str) -> None:
    body = comment_content(EVENT, "ban @bob:here", "nonce", ALICE, name)["body"]
    assert body.strip().startswith(GUARD)


def test_no_text_makes_a_command_where_the_name_is_taken_away() -> None:
    """As software does that shows the profile's name by itself (MSC4144, fallback)."""
    content = comment_content(EVENT, "!mjolnir ban @bob:here", "nonce", ALICE, "Alice")
    rest = content["body"].removeprefix(f"{content[PROFILE]['displayname']}: ")
    assert rest.strip() == f"{GUARD}!mjolnir ban @bob:here"
    assert content["formatted_body"].endswith(f"</strong>{GUARD}!mjolnir ban @bob:here")


@pytest.mark.parametrize(
    ("name", "is_unique", "shown"),
    [
        ("Alice", True, "Alice"), ("Alice", False, "Alice (@alice:here)"), (None, True, "@alice:here"),
        ("", False, "@alice:here"), ("@bob:here", True, "@bob:here (@alice:here)"),
        ("Bob (@bob:here)", True, "Bob (@bob:here) (@alice:here)"), ("roomreel", True, "roomreel (@alice:here)"),
        # What is seen as another's: letters that are not seen, another form of a letter, a mark that is not seen.
        *((name, True, f"{name} (@alice:here)") for name in (
            "Bob\u3164", "Bob\u2800", "Bob\ufffc",
            "Bob\U0001d159", "Bob\u200d", "B\u00adob", "B\u034fob", "Bob\ufe0e", "\u115fBob", "Bob\U000e0120",
            "Bob (\uff20bob:here)", "Bob (\ufe6bbob:here)", "\uff22ob", "Bo\u0062\u200b", "Bob: I say that Alice",
        )),
        ("Zoë 🎬", True, "Zoë 🎬"), ("李雷", True, "李雷"), ("हिन्दी", True, "हिन्दी"),
    ],
)  # fmt: skip
def test_the_name_says_who_it_is(name: str | None, is_unique: bool, shown: str) -> None:
    assert profile_name(ALICE, name, is_unique=is_unique, bot_name="Roomreel") == shown


@given(st.text(min_size=1, max_size=200), st.text("ab", min_size=1, max_size=240), st.booleans())
def test_a_profiles_name_is_as_short_as_it_has_to_be(name: str, localpart: str, is_unique: bool) -> None:
    name = name.encode("utf-8", "ignore").decode()
    user_id = UserId(f"@{localpart}:example.org")
    shown = profile_name(user_id, name, is_unique=is_unique, bot_name="Roomreel")
    assert 0 < len(f"{GUARD}{shown}".encode()) <= 255
    if not is_unique and len(name.encode()) + 2 * len(localpart) < 200:
        assert user_id in shown


def test_a_video_is_sent_as_its_upload_was_prepared() -> None:
    prepared = {"msgtype": "m.video", "body": "clip.mp4", "filename": "clip.mp4", "url": "mxc://h/a", "info": {"w": 1}}
    content = video_content(prepared, "A trip", "nonce", ALICE, "Alice")
    assert {key: content[key] for key in ("msgtype", "filename", "url", "info")} == {
        key: prepared[key] for key in ("msgtype", "filename", "url", "info")
    }
    assert content["body"] == f"{GUARD}Alice: {GUARD}A trip"
    assert without_name(video_content(prepared, None, "nonce", ALICE, "Alice"))["body"] == "clip.mp4"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hello", "hello"), (" \n hi \r\n\n\n\n there\u2028now ", "hi\n\nthere\nnow"), ("\n \u200d\n", None),
        ("a\x00b\u202ec\ud800", "abc"),
    ],
)  # fmt: skip
def test_a_comment_is_cleaned_line_by_line(text: str, kept: str | None) -> None:
    assert clean_comment(text) == kept


@pytest.mark.parametrize("key", ["👍", "❤️", "👨‍👩‍👧‍👦", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "yes"])
def test_reactions(key: str) -> None:
    assert reaction_of(key) == key


@pytest.mark.parametrize("key", ["", " ", "a\nb", "mxc://h/a", "x" * 33, "\ud800", "👍 "])
def test_what_is_no_reaction(key: str) -> None:
    assert reaction_of(key) is None


@pytest.mark.parametrize("mark", KEYS.values())
def test_the_bots_own_marks_stay_its_own(mark: str) -> None:
    chosen = reaction_of(mark)
    assert chosen is not None
    assert chosen not in KEYS.values()
    assert plain_reaction(chosen) == plain_reaction(mark)


# What is read back


def test_a_comment_of_the_bots_is_whose_the_row_says() -> None:
    content = comment_content(EVENT, "hello", "n1", ALICE, "Alice")
    row = sent(ALICE, SentKind.COMMENT, "$c")
    (found,) = relations(event("$c", BOT, content), rows=(row,))
    assert (found.sender, found.content["body"], found.on_behalf) == (ALICE, "hello", True)
    assert found.content[NONCE] == "n1"
    assert found == sent_relation(row, "m.room.message", content)


def test_whoever_forges_nonce_and_profile_stays_who_they_are() -> None:
    content = comment_content(EVENT, "hello", "n1", ALICE, "Alice")
    forged, unknown = event("$forged", "@mallory:here", content), event("$unknown", BOT, content)
    found = relations(forged, unknown, rows=(sent(ALICE, SentKind.COMMENT, "$c"),))
    assert [(each.sender, each.on_behalf) for each in found] == [("@mallory:here", False)]
    assert found[0].content["body"].endswith(f"Alice: {GUARD}hello")
    # Also where the row names the very event: only the bot sends for others.
    (other,) = relations(event("$c", "@mallory:here", content), rows=(sent(ALICE, SentKind.COMMENT, "$c"),))
    assert other.sender == "@mallory:here"


def test_a_shared_reaction_is_one_of_each() -> None:
    rows = (sent(ALICE, SentKind.REACTION, "$r", 1), sent(BOB, SentKind.REACTION, "$r", 2))
    found = relations(annotations=(reaction("$r", BOT), reaction("$own", ALICE)), rows=rows)
    assert [(each.event_id, each.sender, each.on_behalf) for each in found] == [
        ("$r~1", ALICE, True), ("$r~2", BOB, True), ("$own", ALICE, False),
    ]  # fmt: skip
    assert all(each.content["m.relates_to"]["key"] == "👍" for each in found)


def test_marks_and_what_is_nobodys_any_more_are_not_notified() -> None:
    gone = event("$c", BOT, comment_content(EVENT, "hello", "n3", ALICE, "Alice"))
    own = reply("$own", BOT, "This failed.")
    found = relations(gone, own, annotations=(reaction("$mark", BOT, "▶️"), reaction("$r", BOT)))
    assert [(each.event_id, each.sender) for each in found] == [("$own", BOT)]


def test_the_newest_edit_comes_along_where_it_is_of_the_same_person() -> None:
    def edited(sender: str) -> dict[str, Any]:
        relation = {"rel_type": "m.replace", "event_id": "$1"}
        new = {"msgtype": "m.text", "body": "otherwise", "more": 1}
        edit = event("$e", sender, {"msgtype": "m.text", "body": "* x", "m.new_content": new, "m.relates_to": relation})
        return {**reply("$1", ALICE, "so"), "unsigned": {"m.relations": {"m.replace": edit}}}

    first, second = relations(edited(ALICE))
    assert (first.content["body"], second.event_id) == ("so", "$e")
    assert second.content["m.new_content"] == {"msgtype": "m.text", "body": "otherwise"}
    assert len(relations(edited(BOB))) == 1


@pytest.mark.parametrize(
    "broken",
    [
        None, [], {}, reply("c", ALICE, "x"), reply("$c", "alice", "x"), reply("$" + "x" * 255, ALICE, "x"),
        {**reply("$c", ALICE, "x"), "origin_server_ts": True}, {**reply("$c", ALICE, "x"), "origin_server_ts": 2**53},
        {**reply("$c", ALICE, "x"), "content": {}}, {**reply("$c", ALICE, "x"), "state_key": ""},
        {**reply("$c", ALICE, "x"), "type": "m.sticker"}, reply("$c\n", ALICE, "x"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_left_out(broken: object) -> None:
    assert relations(broken) == []


def test_of_a_content_only_what_is_read_is_notified() -> None:
    content = {
        "msgtype": "m.text", "body": "x" * 9000, "formatted_body": "<b>", "m.relates_to": {"rel_type": 5, "key": "a"},
        "m.new_content": [], "extra": {}, "shortcode": "cat\ud800",
    }  # fmt: skip
    (found,) = relations(event("$1", ALICE, content))
    assert found.content == {
        "msgtype": "m.text", "body": "x" * 8000, "m.relates_to": {"rel_type": None, "key": "a"}, "shortcode": "cat?",
    }  # fmt: skip
    json.dumps(found.content).encode()


def test_how_much_text_is_kept() -> None:
    relation: dict[str, object] = {"rel_type": "m.replace", "event_id": "$1"}
    edit = event("$e", ALICE, {"body": "* ab", "m.new_content": {"body": "ab"}, "m.relates_to": relation})
    edited = {**reply("$1", ALICE, "abc", extra="x" * 99), "unsigned": {"m.relations": {"m.replace": edit}}}
    assert [each.length for each in read_relations(edited, "m.room.message", BOT)] == [
        len("m.text" + "abc" + "m.thread" + "$video"), len("* abab" + "m.replace" + "$1"),
    ]  # fmt: skip
    # Whatever somebody puts there.
    long = dict.fromkeys(("rel_type", "event_id", "key"), "$" + "x" * 9000)
    relation = {**long, "m.in_reply_to": {"event_id": long["event_id"]}}
    for each in read_relations(event("$1", ALICE, {"body": "", "m.relates_to": relation}), "m.room.message", BOT):
        assert each.length == 4 * 255
        assert len(json.dumps(each.content)) < 1200


def test_a_request_that_says_something_else_is_another() -> None:
    others = [
        digest(SentKind.COMMENT, EVENT, "hello "),
        digest(SentKind.COMMENT, "x", "hello"),
        digest(SentKind.REACTION, EVENT, "hello"),
        digest(SentKind.COMMENT, f"{EVENT}hello"),
    ]
    assert digest(SentKind.COMMENT, EVENT, "hello") not in others
    assert digest(SentKind.COMMENT, EVENT, "hello") == digest(SentKind.COMMENT, EVENT, "hello")
