"""Policy lists (Matrix spec, "Moderation policy lists"): their rules, in the form that Draupnir writes. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from appservice.core.text.clean import clean_text


class Subject(StrEnum):
    """What a rule is about."""

    USER = "user"
    SERVER = "server"
    ROOM = "room"


EVENT_TYPES = {
    f"{prefix}{subject}": subject
    for subject in Subject
    for prefix in ("m.policy.rule.", "m.room.rule.", "org.matrix.mjolnir.rule.")
}
"""The rules' event types, with those of before they were in the specification."""

BAN = frozenset({"m.ban", "org.matrix.mjolnir.ban"})
"""The recommendations that we follow."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that bans what matches `entity`; `event_type` and `state_key` name it in its list."""

    event_type: str
    state_key: str
    subject: Subject
    entity: str
    reason: str

    @property
    def pattern(self) -> str | None:
        """Return `entity` as an SQL LIKE pattern; None where it has no wildcard and is compared as it is.

        `*` is any number of characters and `?` one. LIKE has no other magic, and is never slow.
        """
        if not {"*", "?"} & set(self.entity):
            return None
        escaped = self.entity.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return escaped.replace("*", "%").replace("?", "_")


def read_rule(event_type: str, state_key: str, content: object) -> Rule | None:
    """Return what a state event of a list says; None when it is no ban (any more), or says nothing we understand."""
    subject = EVENT_TYPES.get(event_type)
    if subject is None or not isinstance(content, dict):
        return None
    entity, reason = content.get("entity"), content.get("reason")
    recommendation = content.get("recommendation")
    if not isinstance(entity, str) or not 0 < len(entity) <= _LONGEST or not entity.isprintable():
        return None
    if not isinstance(recommendation, str) or recommendation not in BAN:
        return None
    # Of stars in a row, one says the same.
    while "**" in entity:
        entity = entity.replace("**", "*")
    return Rule(event_type, state_key, subject, entity, clean_text(reason, _LONGEST) or "")


_LONGEST = 255
