"""Power levels as rooms of all versions, and hostile ones, write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.rules.power_levels import (
    LAYOUT_TYPE,
    WIDGET_TYPE,
    is_moderator,
    may_pin_widget,
    may_place_widget,
    may_send,
    state_level,
    user_level,
)

BOT = "@reel:example.org"


@pytest.mark.parametrize(
    ("content", "level"),
    [
        ({}, 0),
        ({"users_default": 10}, 10),
        ({"users": {BOT: 50}}, 50),
        ({"users": {BOT: "50"}}, 50),
        ({"users": {BOT: " -5 "}}, -5),
        ({"users": {BOT: "+7"}}, 7),
        ({"users": {BOT: 0}, "users_default": 10}, 0),
        ({"users": {"@other:example.org": 50}, "users_default": "3"}, 3),
        ({"users": {BOT: True}}, 0),
        ({"users": {BOT: 50.5}}, 0),
        ({"users": {BOT: None}, "users_default": 4}, 4),
        ({"users": [BOT]}, 0),
        ({"users": None, "users_default": []}, 0),
    ],
)
def test_a_users_level(content: dict[str, object], level: int) -> None:
    assert user_level(content, BOT) == level


@pytest.mark.parametrize("text", ["", "x", "+-5", "--5", "5-", "+", "1e3", "0x10", "1_000", "9" * 5000, "٣٤-"])
def test_a_text_that_is_no_level_counts_as_not_given(text: str) -> None:
    assert user_level({"users": {BOT: text}, "users_default": 11}, BOT) == 11


@given(
    st.dictionaries(st.sampled_from(["users", "users_default"]), st.text() | st.dictionaries(st.just(BOT), st.text()))
)
def test_no_content_breaks_it(content: dict[str, Any]) -> None:
    assert isinstance(user_level(content, BOT), int)


@pytest.mark.parametrize(
    ("content", "level"),
    [
        ({}, 50),
        ({"state_default": 0}, 0),
        ({"state_default": "30"}, 30),
        ({"events": {WIDGET_TYPE: 25}}, 25),
        ({"events": {WIDGET_TYPE: 0}, "state_default": 100}, 0),
        ({"events": {"m.room.name": 0}, "state_default": 60}, 60),
        ({"events": "x"}, 50),
    ],
)
def test_the_level_that_state_needs(content: dict[str, object], level: int) -> None:
    assert state_level(content, WIDGET_TYPE) == level


def test_placing_and_pinning_need_their_own_levels() -> None:
    content = {"users": {BOT: 50}, "events": {WIDGET_TYPE: 50, LAYOUT_TYPE: 51}}
    assert may_place_widget(content, BOT)
    assert not may_pin_widget(content, BOT)
    assert not may_place_widget({"users": {BOT: 49}}, BOT)
    assert may_pin_widget({"users": {BOT: 50}}, BOT)
    assert not may_pin_widget({"users": {BOT: 49}}, BOT)


def test_a_creator_may_place_and_pin() -> None:
    content = {"users": {"@mod:example.org": 50}, "state_default": 100}
    assert may_place_widget(content, BOT, {BOT})
    assert may_pin_widget(content, BOT, {BOT})
    assert not may_place_widget(content, BOT, {"@somebody:example.org"})


def test_who_may_redact_is_a_moderator() -> None:
    content = {"users": {"@mod:example.org": 50, "@half:example.org": 49}}
    assert is_moderator(content, "@mod:example.org")
    assert not is_moderator(content, "@half:example.org")
    assert not is_moderator({**content, "redact": 75}, "@mod:example.org")
    assert is_moderator({**content, "redact": "20"}, "@half:example.org")
    assert is_moderator({"redact": 0}, "@anyone:example.org")


def test_creators_of_version_12_rooms_stand_above_all_levels() -> None:
    content = {"users": {"@mod:example.org": 100}, "redact": 200}
    assert is_moderator(content, "@creator:example.org", frozenset({"@creator:example.org"}))
    assert not is_moderator(content, "@mod:example.org", frozenset({"@creator:example.org"}))


@pytest.mark.parametrize(
    ("content", "may"),
    [
        ({}, True), ({"events_default": 50}, False), ({"events_default": "50", "users_default": 50}, True),
        ({"events": {"m.reaction": 1}}, False), ({"events": {"m.reaction": 0}, "events_default": 50}, True),
        ({"events": {"m.reaction": None}, "events_default": 50}, False), ({"events": {"m.room.message": 50}}, True),
        ({"events": [], "users": {BOT: -1}}, False),
    ],
)  # fmt: skip
def test_what_may_be_sent(content: dict[str, Any], may: bool) -> None:
    assert may_send(content, BOT, "m.reaction") is may
    assert may_send(content, BOT, "m.reaction", [BOT])
