"""The permissions map: the most specific entry wins, and nobody listed is blocked."""

import pytest

from appservice.core.rules.permissions import Level, level_of, may_use

MAP = {
    "*": Level.USER,
    "bad.example": Level.BLOCKED,
    "@good:bad.example": Level.USER,
    "example.org": Level.BLOCKED,
    "example.org:8448": Level.USER,
    "@boss:example.org": Level.ADMIN,
}


@pytest.mark.parametrize(
    ("user_id", "level"),
    [
        ("@anyone:elsewhere.example", Level.USER),
        ("@evil:bad.example", Level.BLOCKED),
        ("@good:bad.example", Level.USER),
        ("@boss:example.org", Level.ADMIN),
        ("@alice:example.org", Level.BLOCKED),
        ("@alice:example.org:8448", Level.USER),
        ("@boss:example.org:8448", Level.USER),
        ("@evil:sub.bad.example", Level.USER),
    ],
)
def test_the_most_specific_entry_wins(user_id: str, level: Level) -> None:
    assert level_of(user_id, MAP) is level
    assert may_use(user_id, MAP) is (level is not Level.BLOCKED)


@pytest.mark.parametrize("user_id", ["", "@alice", "@alice:elsewhere.example", "example.org", "*"])
def test_nobody_listed_is_blocked(user_id: str) -> None:
    permissions = {name: level for name, level in MAP.items() if name.startswith("@")}
    assert level_of(user_id, permissions) is Level.BLOCKED
    assert not may_use(user_id, permissions)
