"""Parsing of an event into the change that it makes, or into nothing. Pure.

Rule: everything in an event is hostile until checked here. An event of no interest is None; one
of interest but of the wrong form is a MalformedEventError, which the caller logs and skips.
"""

from collections.abc import Mapping

from appservice.core.errors import MalformedEventError
from appservice.core.events.changes import Change, EncryptedSent, Reacted, Redacted, SentByBot, Talk
from appservice.core.events.fields import MAX_ID, content_of, identifier, nonce_of, room_id_of, time_of, user_id_of
from appservice.core.events.messages import read_message, read_sent_by_bot, read_sticker
from appservice.core.events.policy_rules import EVENT_TYPES
from appservice.core.events.room_state import read_member, read_policy, read_room_state
from appservice.core.model import EventId, UserId
from appservice.core.rules.permissions import Level, may_use
from appservice.core.text.clean import clean_json

APPROVE, REJECT = "✅", "❌"
"""The reactions that decide."""
_MEGOLM = "m.megolm.v1.aes-sha2"
_DECISIONS = {APPROVE: True, REJECT: False}


def read_event(event: object, *, bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    """Return what `event` (one item of a transaction's `events`) changes. Raises MalformedEventError."""
    if not isinstance(event, Mapping):
        raise MalformedEventError("the event is not an object")
    try:
        return _read(event, bot, permissions)
    except RecursionError as error:
        raise MalformedEventError("the event is nested too deeply") from error


def _read(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    match event.get("type"), "state_key" in event:
        case "m.room.message", False:
            return read_message(event, bot, permissions)
        case "m.sticker", False:
            return read_sticker(event, bot, permissions)
        case "m.room.encrypted", False:
            return _encrypted(event, bot, permissions)
        case "m.room.redaction", _:
            return _redaction(event)
        case "m.reaction", False:
            return _reaction(event, bot, permissions)
        case "m.room.member", True:
            return read_member(event, bot)
        case str(kind), True if kind in EVENT_TYPES:
            return read_policy(kind, event)
        case str(kind), True if event["state_key"] == "":
            return read_room_state(kind, event)
        case _:
            return None


_TALK = ("m.room.message", "m.room.encrypted", "m.sticker", "m.reaction")
_RELATIONS = {"m.thread": True, "m.annotation": True, "m.replace": False}


def read_talk(event: object, *, bot: UserId) -> Talk | None:
    """Return which other event `event` is about; None for none, for what is malformed, and for what the bot says.

    What it may say on behalf of somebody counts, and what it takes away: that may be somebody's.
    """
    if not isinstance(event, Mapping):
        return None
    try:
        if event.get("type") == "m.room.redaction":
            return Talk(room_id_of(event), _redacted_event(event), relates=False)
        is_bots = event.get("sender") == bot
        if event.get("type") not in _TALK or "state_key" in event or (is_bots and nonce_of(content_of(event)) is None):
            return None
        return _relation(event, replies=is_bots)
    except MalformedEventError:
        return None


def _relation(event: Mapping[str, object], *, replies: bool) -> Talk | None:
    """Return what an event relates to; or plainly `replies` to, as a comment on a video within a thread."""
    relation = content_of(event).get("m.relates_to")
    kind = relation.get("rel_type") if isinstance(relation, Mapping) else None
    reply = relation.get("m.in_reply_to") if isinstance(relation, Mapping) and kind is None and replies else None
    if isinstance(reply, Mapping):
        return Talk(
            room_id_of(event), EventId(identifier(reply.get("event_id"), "$", "event_id of m.in_reply_to")), True
        )
    if not isinstance(relation, Mapping) or not isinstance(kind, str) or kind not in _RELATIONS:
        return None
    target = identifier(relation.get("event_id"), "$", "event_id of m.relates_to")
    return Talk(room_id_of(event), EventId(target), _RELATIONS[kind])


def _encrypted(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> EncryptedSent | None:
    content = content_of(event)
    sender = user_id_of(event.get("sender"), "sender")
    # Redacted, for another algorithm, ours, or of somebody who is shut out.
    if content.get("algorithm") != _MEGOLM or sender == bot or not may_use(sender, permissions):
        return None
    session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
    if not (isinstance(session_id, str) and 0 < len(session_id) <= MAX_ID and isinstance(ciphertext, str)):
        raise MalformedEventError("what is encrypted names no session, or is no text")
    time_of(event.get("origin_server_ts"))
    event_id = EventId(identifier(event.get("event_id"), "$", "event_id"))
    whole = {str(clean_json(key)): clean_json(value) for key, value in event.items()}
    return EncryptedSent(room_id_of(event), event_id, sender, session_id, whole)


def _redacted_event(event: Mapping[str, object]) -> EventId:
    # Room version 11 moved `redacts` into the content.
    target = content_of(event).get("redacts", event.get("redacts"))
    return EventId(identifier(target, "$", "redacts"))


def _redaction(event: Mapping[str, object]) -> Redacted:
    return Redacted(room_id_of(event), _redacted_event(event), user_id_of(event.get("sender"), "sender"))


def _reaction(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Reacted | SentByBot | None:
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(relation, Mapping):
        return None  # redacted
    if relation.get("rel_type") != "m.annotation":
        return None  # none of the spec's
    if event.get("sender") == bot:
        return read_sent_by_bot(event, content)
    key = relation.get("key")
    # Some clients add the variation selector of the coloured form.
    decision = _DECISIONS.get(key.rstrip("\ufe0f")) if isinstance(key, str) else None
    if decision is None:
        return None
    sender = user_id_of(event.get("sender"), "sender")
    if not may_use(sender, permissions):
        return None
    target = EventId(identifier(relation.get("event_id"), "$", "event_id of m.relates_to"))
    event_id = EventId(identifier(event.get("event_id"), "$", "event_id"))
    return Reacted(room_id_of(event), event_id, sender, target, decision)
