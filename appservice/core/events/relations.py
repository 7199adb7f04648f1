"""Comments on a video, and reactions to it: relations of its event, each reduced to what is served. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appservice.core.events.behalf import _USER_ID, NONCE, SentFor, without_name
from appservice.core.model import UserId
from appservice.core.text.clean import clean_json

_LONGEST_BODY = 8000
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class Relation:
    """A comment or reaction, or an edit of one, with what of its content is read; `sent_at` in ms since the epoch."""

    event_id: str
    type: str
    sender: UserId
    sent_at: int
    content: dict[str, Any]
    on_behalf: bool

    @property
    def nonce(self) -> str | None:
        """Return what its content says its nonce is."""
        nonce = self.content.get(NONCE)
        return nonce if isinstance(nonce, str) else None

    @property
    def key(self) -> str | None:
        """Return the key of a reaction."""
        return (self.content.get("m.relates_to") or {}).get("key")

    @property
    def length(self) -> int:
        """Return how many characters of it are stored."""
        return _length(self.content)


def _length(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(map(_length, value.values()))
    return len(value) if isinstance(value, str) else 0


# What is read back


def sent_relation(sent: SentFor, kind: str, content: Mapping[str, Any]) -> Relation:
    """Return what was just sent on behalf of somebody, as it is read back."""
    return _of(sent, kind, _reduced(without_name(content)))


def read_relations(event: object, kind: str, bot: UserId) -> list[Relation]:
    """Return what of an event of one type is read, and its newest edit; nothing of what is malformed.

    For an event of the bot's own, `attributed` finds whose it is.
    """
    content = _content(event)
    if _path(event, "sender") == bot:
        content = without_name(content)
    found = _read(event, kind, content)
    if found is None:
        return []
    replacement = _path(event, "unsigned", "m.relations", "m.replace")
    edit = _read(replacement, kind, _content(replacement)) if kind == "m.room.message" else None
    return [found, edit] if edit and edit.sender == found.sender else [found]


def attributed(found: Iterable[Relation], sent: Iterable[SentFor], bot: UserId) -> list[Relation]:
    """Return the relations under whom each is of: a shared reaction is one of each.

    The bot's own marks are left out, and what it sent for somebody whose it is not any more.
    """
    by_event: dict[str, list[SentFor]] = {}
    for row in sent:
        by_event.setdefault(str(row.event_id), []).append(row)
    relations: list[Relation] = []
    for each in found:
        if each.sender != bot:
            relations.append(each)
        elif each.event_id in by_event:
            relations += [_of(row, each.type, each.content) for row in by_event[each.event_id]]
        elif each.type != "m.reaction" and NONCE not in each.content:
            relations.append(each)  # what the bot posted in its own name
    return relations


def _of(sent: SentFor, kind: str, content: dict[str, Any]) -> Relation:
    at = round(sent.sent_at.timestamp() * 1000)
    return Relation(sent.shown_id or "", kind, sent.user_id, at, content, on_behalf=True)


def _read(event: object, kind: str, content: Mapping[str, Any]) -> Relation | None:
    if not isinstance(event, Mapping) or event.get("type") != kind or "state_key" in event:
        return None
    event_id, sender, at = event.get("event_id"), event.get("sender"), event.get("origin_server_ts")
    if not _is_id(event_id, "$") or not _is_id(sender, "@") or not _USER_ID.fullmatch(str(sender)):
        return None
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < 2**53:
        return None
    reduced = _reduced(content)
    return Relation(str(event_id), kind, UserId(str(sender)), at, reduced, on_behalf=False) if reduced else None


def _is_id(value: object, sigil: str) -> bool:
    return isinstance(value, str) and value.startswith(sigil) and 1 < len(value) <= _LONGEST_ID and value.isprintable()


def _content(event: object) -> Mapping[str, Any]:
    content = event.get("content") if isinstance(event, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def _path(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


_SHORTCODES = ("shortcode", "com.beeper.reaction.shortcode")


def _reduced(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the widget reads of a content; nothing of what was redacted."""
    reduced: dict[str, Any] = {name: _text(content[name]) for name in (*_WORDS, NONCE, *_SHORTCODES) if name in content}
    relation, new = content.get("m.relates_to"), content.get("m.new_content")
    if isinstance(relation, Mapping):
        reduced["m.relates_to"] = {name: _text(relation[name], _LONGEST_ID) for name in _RELATION if name in relation}
        reply = relation.get("m.in_reply_to")
        if isinstance(reply, Mapping):
            reduced["m.relates_to"]["m.in_reply_to"] = {"event_id": _text(reply.get("event_id"), _LONGEST_ID)}
    if isinstance(new, Mapping):
        reduced["m.new_content"] = {name: _text(new[name]) for name in _WORDS if name in new}
    return reduced


_WORDS = ("msgtype", "body")
_RELATION = ("rel_type", "event_id", "key")


def _text(value: object, longest: int = _LONGEST_BODY) -> str | None:
    return str(clean_json(value[:longest])) if isinstance(value, str) else None
