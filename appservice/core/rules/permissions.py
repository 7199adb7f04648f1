"""Whom Roomreel serves: the permissions map of the config, most specific entry wins. Pure.

The map is that of mautrix bridges: keys are `"*"`, a server name or a full user id,
values `blocked`, `user` or `admin`.
"""

from collections.abc import Mapping
from enum import StrEnum


class Level(StrEnum):
    """What a user may do with this instance."""

    BLOCKED = "blocked"
    USER = "user"
    ADMIN = "admin"


def level_of(user_id: str, permissions: Mapping[str, Level]) -> Level:
    """Return the level of `user_id` (a full Matrix user id); nobody listed means blocked."""
    server = user_id.partition(":")[2]
    for key in (user_id, server, "*"):
        if key in permissions:
            return permissions[key]
    return Level.BLOCKED


def may_use(user_id: str, permissions: Mapping[str, Level]) -> bool:
    """Say whether `user_id` may use this instance at all: watch, add videos, invite the bot."""
    return level_of(user_id, permissions) is not Level.BLOCKED
