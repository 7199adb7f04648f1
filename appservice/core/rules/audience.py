"""Who reads a response in a room, by the state that the homeserver has just then. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_INVITED_ONLY = frozenset({"invite", "private"})
"""Join rules by which nobody comes without an invitation (client-server API, `m.room.join_rules`)."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is in a room (`joined`) or invited to it (`invited`), who made it, and how others may come in and read.

    `encrypted`: what is sent there is encrypted for those alone.
    """

    joined: frozenset[str]
    invited: frozenset[str]
    creator: str | None
    join_rule: str
    history: str
    guest_access: str
    encrypted: bool

    @property
    def is_open(self) -> bool:
        """Say whether anybody may read here without an invitation."""
        return is_open(self.join_rule, self.history)

    def is_between(self, bot: str, user_id: str) -> bool:
        """Say whether nobody reads here but the bot and one other, who may still be invited."""
        return (
            bot in self.joined
            and self.joined | self.invited == {bot, user_id}
            and self.join_rule in _INVITED_ONLY
            and not self.is_open
        )

    def is_for_secrets(self, bot: str, user_id: str) -> bool:
        """Say whether the bot itself made this room for somebody, and nobody else reads here."""
        return self.creator == bot and self.guest_access != "can_join" and self.is_between(bot, user_id)


def is_open(join_rule: str, history: str) -> bool:
    """Say whether anybody may come into a room, or read it from outside."""
    return join_rule == "public" or history == "world_readable"


def audience_of(state: Iterable[Mapping[str, object]]) -> Audience:
    """Return who reads a room with these state events. What a room does not say is as the specification has it."""
    members: dict[str, set[str]] = {"join": set(), "invite": set()}
    values: dict[object, str] = {}
    creator, encrypted = None, False
    for event in state:
        kind, key, content = event.get("type"), event.get("state_key"), event.get("content")
        if not isinstance(content, Mapping):
            content = {}
        if kind == "m.room.member" and isinstance(key, str):
            members.get(str(content.get("membership")), set()).add(key)
        elif kind == "m.room.create":
            creator = event.get("sender")
        elif key == "" and kind == "m.room.encryption":
            encrypted = True  # whatever it says
        elif key == "" and kind in WORDS:
            values[kind] = str(content.get(WORDS[str(kind)]))
    return Audience(
        joined=frozenset(members["join"]),
        invited=frozenset(members["invite"]),
        creator=creator if isinstance(creator, str) else None,
        join_rule=values.get("m.room.join_rules", "invite"),
        history=values.get("m.room.history_visibility", "shared"),
        guest_access=values.get("m.room.guest_access", "forbidden"),
        encrypted=encrypted,
    )


WORDS = {
    "m.room.join_rules": "join_rule",
    "m.room.history_visibility": "history_visibility",
    "m.room.guest_access": "guest_access",
}
"""The state events that say who may come and read, and the key of each."""
