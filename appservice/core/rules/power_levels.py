"""Power levels: the bot's permission to add the widget, and members' permissions. Pure.

Source: Matrix specification, `m.room.power_levels` and room version 12 (creators have infinite power).
"""

import re
from collections.abc import Collection, Mapping

WIDGET_TYPE = "im.vector.modular.widgets"
LAYOUT_TYPE = "io.element.widgets.layout"

_DEFAULT_STATE = 50
_MODERATOR = 50
# As many digits as a level of 64 bits has.
_TEXT_LEVEL = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


def _level(value: object, default: int) -> int:
    # Old room versions allowed levels as strings; anything else counts as not given.
    if isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _TEXT_LEVEL.fullmatch(value):
        return int(value)
    return default


def _table(content: Mapping[str, object], key: str) -> Mapping[str, object]:
    table = content.get(key)
    return table if isinstance(table, Mapping) else {}


_INFINITE = 2**63


def user_level(content: Mapping[str, object], user_id: str, creators: Collection[str] = ()) -> int:
    """Return the power level of `user_id` by an `m.room.power_levels` content; `creators` are above everybody.

    Creators are those of a room of version 12 or later; in older ones they have no power but by the content.
    """
    if user_id in creators:
        return _INFINITE
    default = _level(content.get("users_default"), 0)
    return _level(_table(content, "users").get(user_id), default)


def state_level(content: Mapping[str, object], event_type: str) -> int:
    """Return the power that sending state of `event_type` needs."""
    default = _level(content.get("state_default"), _DEFAULT_STATE)
    return _level(_table(content, "events").get(event_type), default)


def may_send(content: Mapping[str, object], user_id: str, event_type: str, creators: Collection[str] = ()) -> bool:
    """Say whether `user_id` may send a message event of `event_type`."""
    needed = _level(_table(content, "events").get(event_type), _level(content.get("events_default"), 0))
    return user_level(content, user_id, creators) >= needed


def may_place_widget(content: Mapping[str, object], user_id: str, creators: Collection[str] = ()) -> bool:
    """Say whether `user_id` may send the widget's state event."""
    return user_level(content, user_id, creators) >= state_level(content, WIDGET_TYPE)


def may_pin_widget(content: Mapping[str, object], user_id: str, creators: Collection[str] = ()) -> bool:
    """Say whether `user_id` may send the room's widget layout."""
    return user_level(content, user_id, creators) >= state_level(content, LAYOUT_TYPE)


def is_moderator(content: Mapping[str, object], user_id: str, creators: Collection[str] = ()) -> bool:
    """Say whether `user_id` may redact others' messages, the usual mark of a moderator."""
    return user_level(content, user_id, creators) >= _level(content.get("redact"), _MODERATOR)
