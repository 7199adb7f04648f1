"""Rules of policy lists, from events that anybody may have written."""

from typing import Any

import pytest

from appservice.core.events.changes import PolicyChanged
from appservice.core.events.intake import read_event
from appservice.core.events.policy_rules import Rule, Subject, read_rule
from appservice.core.model import RoomId, UserId

BAN = {"entity": "@spam*:example.org", "recommendation": "m.ban", "reason": "spam"}


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        ("m.policy.rule.user", Subject.USER), ("m.policy.rule.server", Subject.SERVER),
        ("m.policy.rule.room", Subject.ROOM), ("m.room.rule.user", Subject.USER),
        ("org.matrix.mjolnir.rule.server", Subject.SERVER),
    ],
)  # fmt: skip
def test_a_rule(event_type: str, subject: Subject) -> None:
    assert read_rule(event_type, "a", BAN) == Rule(event_type, "a", subject, "@spam*:example.org", "spam")


@pytest.mark.parametrize(
    "content",
    [
        {}, None, [], {**BAN, "recommendation": "m.warn"}, {**BAN, "recommendation": ["m.ban"]}, {**BAN, "entity": 3},
        {**BAN, "entity": ""}, {**BAN, "entity": "x" * 256}, {**BAN, "entity": "a\x00b"}, {"entity": "@a:b"},
    ],
)  # fmt: skip
def test_what_is_no_ban(content: Any) -> None:  # noqa: ANN401 - it is hostile
    assert read_rule("m.policy.rule.user", "a", content) is None


def test_other_words_for_a_ban_and_a_reason_that_is_none() -> None:
    rule = read_rule("m.policy.rule.user", "a", {**BAN, "recommendation": "org.matrix.mjolnir.ban", "reason": {}})
    assert rule
    assert rule.reason == ""
    assert read_rule("m.room.message", "a", BAN) is None


@pytest.mark.parametrize(
    ("entity", "pattern"),
    [
        ("@a:b", None), ("*.example.org", "%.example.org"), ("@a_%?\\:b*", "@a\\_\\%_\\\\:b%"), ("a***b", "a%b"),
    ],
)  # fmt: skip
def test_globs_as_patterns(entity: str, pattern: str | None) -> None:
    rule = read_rule("m.policy.rule.server", "a", {**BAN, "entity": entity})
    assert rule
    assert rule.pattern == pattern


def test_events() -> None:
    event: dict[str, Any] = {
        "type": "m.policy.rule.user", "state_key": "rule:spam", "room_id": "!list:b", "sender": "@m:b", "content": BAN,
    }  # fmt: skip
    change = read_event(event, bot=UserId("@reel:b"), permissions={})
    rule = Rule("m.policy.rule.user", "rule:spam", Subject.USER, "@spam*:example.org", "spam")
    assert change == PolicyChanged(RoomId("!list:b"), "m.policy.rule.user", "rule:spam", rule)
    gone = read_event({**event, "content": {}}, bot=UserId("@reel:b"), permissions={})
    assert gone == PolicyChanged(RoomId("!list:b"), "m.policy.rule.user", "rule:spam", None)
