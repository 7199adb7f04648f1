"""Events that the bot sends on behalf of people: their contents, and whose each is. Pure.

Rule: whose an event is, only our own rows say (`SentFor`), and never its content: anybody may write that.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Any

from appservice.core.model import EventId, RoomId, UserId
from appservice.core.text.clean import clean_text, is_plain
from appservice.core.text.status import KEYS

NONCE = "chat.roomreel.nonce"
"""The content field of an event's nonce."""
NONCE_PATTERN = "[A-Za-z0-9_-]{1,64}"
PROFILE = "com.beeper.per_message_profile"
"""The content field of MSC4144."""
MAX_TEXT = 4000
"""Characters of a comment."""
MAX_REACTION = 32
"""Characters of a reaction."""

# Neither a name that somebody chose for themselves nor, for software that takes the name away, their text may make a
# message of the bot's a command to another bot. Nobody sees it, and nobody's `strip` takes it.
_GUARD = "\u2060"
_MAX_PROFILE = 255 - len(_GUARD.encode())  # bytes (MSC4144)
_VARIATION = "\ufe0f"
_USER_ID = re.compile(r"@[^:]*:.+", re.DOTALL)


class SentKind(StrEnum):
    """What was sent on behalf of somebody."""

    COMMENT = "comment"
    REACTION = "reaction"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class SentFor:
    """Something that the bot sent, or is about to, on behalf of `user_id`; `key` is our own number for it.

    `event_id` is None until it is known. Equal reactions of several people are one event.
    """

    key: int
    user_id: UserId
    nonce: str
    kind: SentKind
    room_id: RoomId
    reaction: str | None
    event_id: EventId | None
    sent_at: datetime
    is_taken_back: bool

    @property
    def shown_id(self) -> str | None:
        """Return the id for API and events: of a reaction, that of this person's part in its event."""
        if self.event_id is None or self.kind is not SentKind.REACTION:
            return self.event_id
        return f"{self.event_id}~{self.key}"


def digest(kind: SentKind, *parts: str) -> bytes:
    """Return a hash by which a request that says something else is known."""
    return hashlib.sha256(json.dumps([kind, *parts]).encode()).digest()


# What is sent


def profile_name(user_id: UserId, display_name: str | None, *, is_unique: bool, bot_name: str) -> str:
    """Return the name under which the bot posts for a member, at most as long as MSC4144 has it.

    The user id is left out only where the name can be mistaken for nobody else's: as clients do, where nobody is called
    alike (client-server API, "Calculating the display name for a user"); where nothing in it is unseen, or reads as an
    id or as somebody speaking; and where it is not the bot's.
    """
    name = display_name or ""
    if not name:
        return _cut(user_id, _MAX_PROFILE)
    is_own = is_unique and name.casefold() != unicodedata.normalize("NFKC", bot_name).casefold()
    if is_own and is_plain(name) and not {"@", ":"} & set(name):
        return _cut(name, _MAX_PROFILE)
    suffix = f" ({user_id})"
    room = _MAX_PROFILE - len(suffix.encode())
    return f"{_cut(name, room)}{suffix}" if room > 0 else _cut(user_id, _MAX_PROFILE)


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def clean_comment(text: str) -> str | None:
    """Return what somebody wrote, line by line as any text is cleaned; None where there is nothing to see."""
    lines = [clean_text(line, MAX_TEXT) or "" for line in re.split(r"\r\n?|[\n\u2028\u2029]", text)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")[:MAX_TEXT] or None


def reaction_of(key: str) -> str | None:
    """Return the reaction to send for what somebody chose, None for what is none.

    The bot's own marks differ from people's by the variation selector, which looks the same.
    """
    if clean_text(key, MAX_REACTION) != key or key.startswith("mxc://"):
        return None
    if key not in KEYS.values():
        return key
    return key.removesuffix(_VARIATION) if key.endswith(_VARIATION) else f"{key}{_VARIATION}"


def plain_reaction(key: str) -> str:
    """Return what reactions have in common that look the same."""
    return key.replace(_VARIATION, "")


def comment_content(target: EventId, text: str, nonce: str, user_id: UserId, name: str) -> dict[str, Any]:
    """Return the content of a comment in the thread of the event `target`."""
    relation = {
        "rel_type": "m.thread", "event_id": target, "is_falling_back": True, "m.in_reply_to": {"event_id": target},
    }  # fmt: skip
    return {"msgtype": "m.text", **_message(text, nonce, user_id, name), "m.relates_to": relation}


def plain_reply(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comment as a plain reply: what is itself in a thread cannot begin one."""
    reply = {"m.in_reply_to": content["m.relates_to"]["m.in_reply_to"]}
    return {**content, "m.relates_to": reply}


def reaction_content(target: EventId, key: str, nonce: str) -> dict[str, Any]:
    """Return the content of a reaction. It has no profile: it may stand for several people."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": key}, NONCE: nonce}


def video_content(
    prepared: Mapping[str, Any], title: str | None, nonce: str, user_id: UserId, name: str
) -> dict[str, Any]:
    """Return the content of a video's message; `prepared` is that of its upload."""
    caption = title or str(prepared.get("filename") or prepared.get("body") or "")
    return {**prepared, **_message(caption, nonce, user_id, name)}


def _message(text: str, nonce: str, user_id: UserId, name: str) -> dict[str, Any]:
    shown = f"{_GUARD}{name}"
    html = escape(text).replace("\n", "<br>")
    return {
        "body": f"{shown}: {_GUARD}{text}",
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong data-mx-profile-fallback>{escape(shown)}: </strong>{_GUARD}{html}",
        "m.mentions": {},
        PROFILE: {"id": user_id, "displayname": shown, "has_fallback": True},
        NONCE: nonce,
    }


def without_name(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content of the bot's own without the name before its text."""
    profile, body = content.get(PROFILE), content.get("body")
    name = profile.get("displayname") if isinstance(profile, Mapping) else None
    rest = {key: value for key, value in content.items() if key not in {PROFILE, "format", "formatted_body"}}
    if isinstance(name, str) and isinstance(body, str):
        rest["body"] = body.removeprefix(f"{name}: ").removeprefix(_GUARD)
    return rest
