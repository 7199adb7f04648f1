"""Writes who did what into the audit log, in the transaction of the deed itself. Nothing in it is content."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from appservice.core.model import RoomId, UserId, VideoId
from appservice.store.outbox import Connection
from appservice.store.sql import query

ITSELF = UserId("roomreel")
"""The actor of what happens by itself."""


class Deed(StrEnum):
    """What can be done, by its name in the log."""

    RENAMED = "renamed"
    HIDDEN = "hidden"
    SHOWN = "shown"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    AVATAR_SET = "avatar-set"
    AVATAR_UNSET = "avatar-unset"
    ORDERED = "ordered"
    DELETED = "deleted"
    RESTORED = "restored"
    ERASED = "erased"
    REPORTED = "reported"
    REPORTS_DISMISSED = "reports-dismissed"
    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    SETTINGS_CHANGED = "settings-changed"
    EXPORTED = "exported"
    REQUEUED = "requeued"
    OPTED_IN = "opted-in"
    OPTED_OUT = "opted-out"
    POLICY_LIST_ADDED = "policy-list-added"
    POLICY_LIST_REMOVED = "policy-list-removed"


async def note(
    connection: Connection,
    actor: UserId,
    deed: Deed,
    *,
    room_id: RoomId | None = None,
    video_id: VideoId | None = None,
    user_id: UserId | None = None,
    **details: object,
) -> None:
    """Add a line to the audit log: `user_id` is whom it is about."""
    await connection.execute(
        *query("note", actor=actor, action=deed, room_id=room_id, video_id=video_id, user_id=user_id, details=details)
    )


async def note_all(
    connection: Connection, deed: Deed, *, actors: Sequence[UserId], room_ids: Sequence[str], video_ids: Sequence[UUID],
    user_ids: Sequence[str], **details: object,
) -> None:  # fmt: skip
    """Add a line to the audit log for each of several videos."""
    await connection.execute(*query(
        "note_all", actors=actors, action=deed, room_ids=room_ids, video_ids=video_ids, user_ids=user_ids,
        details=details,
    ))  # fmt: skip
