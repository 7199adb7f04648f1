"""Who reads a room, by its state."""

from typing import Any

import pytest

from appservice.core.rules.audience import audience_of, is_open

BOT, ALICE, EVE = "@reel:example.org", "@alice:example.org", "@eve:example.org"


def _state(**changes: object) -> list[dict[str, Any]]:
    """State of a room that the bot made for alice, who has not joined yet, with some contents changed."""
    contents: dict[str, object] = {
        "create": {}, "join_rules": {"join_rule": "invite"}, "history_visibility": {"history_visibility": "invited"},
        "guest_access": {"guest_access": "forbidden"},
    }  # fmt: skip
    members = {BOT: "join", ALICE: "invite"}
    for name, value in changes.items():
        if name in {"bot", "alice", "eve"}:
            members[{"bot": BOT, "alice": ALICE, "eve": EVE}[name]] = str(value)
        elif name != "creator":
            contents[name] = value
    events = [
        {"type": f"m.room.{name}", "state_key": "", "content": content, "sender": changes.get("creator", BOT)}
        for name, content in contents.items()
    ]
    events += [{"type": "m.room.member", "state_key": u, "content": {"membership": m}} for u, m in members.items()]
    return events


def test_a_room_that_the_bot_made_for_one_is_for_secrets() -> None:
    for alice in ("invite", "join"):
        assert audience_of(_state(alice=alice)).is_for_secrets(BOT, ALICE)
    assert audience_of(_state(eve="leave")).is_for_secrets(BOT, ALICE)
    assert audience_of(_state(eve="ban")).is_for_secrets(BOT, ALICE)


def test_whatever_the_event_says_a_room_that_has_it_is_encrypted() -> None:
    assert not audience_of(_state()).encrypted
    assert audience_of(_state(encryption={})).encrypted


@pytest.mark.parametrize(
    "changes",
    [
        {"creator": EVE},
        {"creator": None},
        {"eve": "join"},
        {"eve": "invite"},
        {"alice": "leave"},
        {"alice": "ban"},
        {"bot": "leave"},
        {"bot": "invite"},
        {"join_rules": {"join_rule": "public"}},
        {"join_rules": {"join_rule": "knock"}},
        {"join_rules": {"join_rule": "restricted"}},
        {"join_rules": {"join_rule": ["invite"]}},
        {"join_rules": "public"},
        {"history_visibility": {"history_visibility": "world_readable"}},
        {"guest_access": {"guest_access": "can_join"}},
    ],
)
def test_another_one_is_not(changes: dict[str, object]) -> None:
    assert not audience_of(_state(**changes)).is_for_secrets(BOT, ALICE)


def test_a_conversation_that_a_member_began_is_theirs_and_the_bots() -> None:
    begun = audience_of(_state(creator=ALICE, alice="join", guest_access={"guest_access": "can_join"}))
    assert begun.is_between(BOT, ALICE)
    assert not begun.is_between(BOT, EVE)
    assert not begun.is_for_secrets(BOT, ALICE)


def test_what_anybody_may_enter_or_read_is_open() -> None:
    assert is_open("public", "shared")
    assert is_open("invite", "world_readable")
    assert not is_open("invite", "shared")
    assert not is_open("restricted", "invited")
