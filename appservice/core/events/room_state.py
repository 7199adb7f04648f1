"""A room's state: members, name, power levels, and the rules of policy lists. Pure."""

from collections.abc import Mapping
from typing import TypeGuard

from appservice.core.errors import MalformedEventError
from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    HistoryChanged,
    MemberChanged,
    PolicyChanged,
    PowerChanged,
    RetentionChanged,
    RoomEncrypted,
    RoomNamed,
    RoomReplaced,
)
from appservice.core.events.fields import (
    MAX_ID,
    content_of,
    identifier,
    is_mxc,
    room_id_of,
    state_event_id_of,
    user_id_of,
)
from appservice.core.events.policy_rules import read_rule
from appservice.core.model import DEFAULT_ROTATION, History, KeyRotation, RoomId, UserId
from appservice.core.room import Membership
from appservice.core.text.clean import clean_json, clean_text


def _membership(value: object) -> Membership:
    try:
        return Membership(str(value))
    except ValueError as error:
        raise MalformedEventError("membership is none of the spec's") from error


def read_member(event: Mapping[str, object], bot: UserId) -> Change:
    """Return what a membership event changes."""
    content = content_of(event)
    room_id, membership = room_id_of(event), _membership(content.get("membership"))
    user_id = user_id_of(event["state_key"], "state_key")
    if user_id == bot:
        sender = user_id_of(event.get("sender"), "sender")
        direct = content.get("is_direct") is True
        return BotMembershipChanged(room_id, membership, sender, direct, state_event_id_of(event))
    avatar = content.get("avatar_url")
    return MemberChanged(
        room_id=room_id,
        user_id=user_id,
        membership=membership,
        display_name=clean_text(content.get("displayname")),
        avatar_mxc=avatar if is_mxc(avatar) else None,
        event_id=state_event_id_of(event),
    )


def read_policy(kind: str, event: Mapping[str, object]) -> PolicyChanged:
    """Return what a rule of a policy list changes."""
    state_key = event["state_key"]
    if not isinstance(state_key, str) or len(state_key) > MAX_ID or "\x00" in state_key:
        raise MalformedEventError("state_key is not a short text")
    rule = read_rule(kind, state_key, event.get("content"))
    return PolicyChanged(room_id_of(event), kind, state_key, rule, state_event_id_of(event))


def _lifetime(value: object) -> int | None:
    # What is no time at all must not take everything away.
    return value if _is_count(value) else None


def history_of(value: object) -> History:
    """Return what a `history_visibility` means for members."""
    # `world_readable` shows members no more than `shared` does, which is what holds where there is no valid value.
    return History(value) if value in ("invited", "joined") else History.SHARED


def _rotation(content: Mapping[str, object]) -> KeyRotation:
    """Return when keys are replaced; what says nothing sensible leaves it at the specification's default."""
    period_ms, period_msgs = (content.get(f"rotation_period_{unit}") for unit in ("ms", "msgs"))
    return KeyRotation(
        period_ms if _is_count(period_ms) else DEFAULT_ROTATION.period_ms,
        period_msgs if _is_count(period_msgs) else DEFAULT_ROTATION.period_msgs,
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def read_room_state(kind: str, event: Mapping[str, object]) -> Change | None:
    """Return what an event of a room's state changes, None where that is nothing."""
    match kind:
        case "m.room.name":
            return RoomNamed(room_id_of(event), clean_text(content_of(event).get("name")), state_event_id_of(event))
        case "m.room.power_levels":
            levels = {str(clean_json(k)): clean_json(v) for k, v in content_of(event).items()}
            return PowerChanged(room_id_of(event), levels, state_event_id_of(event))
        case "m.room.encryption":
            return RoomEncrypted(room_id_of(event), _rotation(content_of(event)))
        case "m.room.tombstone":
            replaced_by = identifier(content_of(event).get("replacement_room"), "!", "replacement_room")
            return RoomReplaced(room_id_of(event), RoomId(replaced_by), state_event_id_of(event))
        case "m.room.history_visibility":
            history = history_of(content_of(event).get("history_visibility"))
            return HistoryChanged(room_id_of(event), history, state_event_id_of(event))
        case "m.room.retention":
            lifetime = _lifetime(content_of(event).get("max_lifetime"))
            return RetentionChanged(room_id_of(event), lifetime, state_event_id_of(event))
        case _:
            return None
