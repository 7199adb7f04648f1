"""The bot's profile: what an operator chose stays, what is ours may change."""

import pytest

from appservice.core.events.profiles import may_set


@pytest.mark.parametrize(
    ("current", "before", "allowed"),
    [
        (None, None, True),
        ("", None, True),
        ("reel", None, True),
        ("Screen", None, False),
        ("Roomreel", "Roomreel", True),
        ("Screen", "Roomreel", False),
        (None, "Roomreel", False),
        ("reel", "Roomreel", False),
    ],
)
def test_only_what_nobody_else_set_is_ours(current: str | None, before: str | None, allowed: bool) -> None:
    assert may_set(current, before, untouched=(None, "", "reel")) is allowed
