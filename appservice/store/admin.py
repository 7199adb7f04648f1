"""The whole installation for admins: lists and statistics, quarantine, undoing, and alerts."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from appservice.core.jobs import NotifyAdmins
from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.core.room import Membership
from appservice.store.audit import Deed, note
from appservice.store.mapping import read_video
from appservice.store.outbox import Connection, alert, announce, concern_moderators, queue
from appservice.store.pool import Database
from appservice.store.sql import query

_NOTICE_EVERY_S = 900.0
_NOTICES = "notices"


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A room as admins see it; `bytes` is what its videos take on our disk."""

    room_id: RoomId
    name: str | None
    bot_membership: Membership
    encrypted: bool
    videos: int
    bytes: int
    members: int


@dataclass(frozen=True, slots=True)
class UserLine:
    """Somebody with videos as admins see them; `bytes` as in `RoomLine`."""

    user_id: UserId
    videos: int
    bytes: int
    rooms: int
    quarantined: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Somebody in quarantine, or (with `video_id` and `room_id`) one video that is there by itself."""

    user_id: UserId
    video_id: VideoId | None
    room_id: RoomId | None
    reason: str
    quarantined_by: UserId
    quarantined_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """All that there is: `bytes` on our disk, `seconds` of playing."""

    videos: int
    bytes: int
    seconds: float
    held: int
    quarantined: int
    users: int
    rooms: int


@dataclass(frozen=True, slots=True)
class Failures:
    """How many of a kind failed for the reason with this code."""

    code: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The jobs of one kind; `oldest` is for how many seconds the first that is due has waited, None when none is."""

    job: str
    waiting: int
    under_way: int
    oldest: float | None


@dataclass(frozen=True, slots=True)
class Undoable:
    """A line of the audit log that its author can take back."""

    key: int
    deed: Deed
    video_id: VideoId | None
    user_id: UserId | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of the audit log."""

    at: datetime
    actor: UserId
    deed: str
    room_id: RoomId | None
    video_id: VideoId | None
    user_id: UserId | None
    details: dict[str, Any]


class AdminStore(Database):
    """What admins see and do. Every method raises UnavailableError when the database is away."""

    async def any_video(self, beginning: str) -> list[Video]:
        """Return the first two videos, wherever they are, whose id begins so (hexadecimal digits)."""
        return [read_video(row) for row in await self._fetch("any_video", digits=beginning)]

    async def rooms(self, most: int, offset: int) -> tuple[list[RoomLine], int]:
        """Return a page of the rooms, the largest first, and how many there are; 0 beyond the last page."""
        rows = [dict(row) for row in await self._fetch("admin_rooms", most=most, offset=offset)]
        count = [row.pop("rooms") for row in rows]
        return [RoomLine(**row) for row in rows], count[0] if count else 0

    async def users(self, most: int, offset: int) -> tuple[list[UserLine], int]:
        """Return a page of those who have videos, the largest first, and how many there are, as `rooms` does."""
        rows = [dict(row) for row in await self._fetch("admin_users", most=most, offset=offset)]
        count = [row.pop("users") for row in rows]
        return [UserLine(**row) for row in rows], count[0] if count else 0

    async def totals(self) -> Totals:
        """Count all that there is."""
        (row,) = await self._fetch("totals")
        return Totals(**dict(row))

    async def failures(self) -> list[Failures]:
        """Return how many videos failed by their reason's code and their kind, the most frequent first."""
        return [Failures(**dict(row)) for row in await self._fetch("failures")]

    async def queues(self) -> list[Queue]:
        """Return the jobs that are to be done, by kind."""
        return [Queue(**dict(row)) for row in await self._fetch("queues")]

    async def audited(
        self, video_id: VideoId | None, user_id: UserId | None, room_id: RoomId | None, most: int
    ) -> list[AuditLine]:
        """Return lines of the audit log, the newest first: all, or those of a video, a room or a user."""
        rows = await self._fetch("audited", video_id=video_id, user_id=user_id, room_id=room_id, most=most)
        return [
            AuditLine(
                row["at"], row["actor"], row["action"], row["room_id"], _video_id(row["video_id"]), row["user_id"],
                row["details"],
            )
            for row in rows
        ]  # fmt: skip

    # Quarantine

    async def quarantine_video(self, video: Video, *, by: UserId, **details: object) -> bool:
        """Hide a video from everybody until an admin releases it; False when it is there already."""
        async with self._transaction() as connection:
            return bool(await self._move(connection, Deed.QUARANTINED, video.id, None, by, details))

    async def release_video(self, video: Video, *, by: UserId, **details: object) -> bool:
        """Give a video back what it was before its quarantine; False when it is not there."""
        async with self._transaction() as connection:
            return bool(await self._move(connection, Deed.RELEASED, video.id, None, by, details))

    async def quarantine_user(self, user_id: UserId, *, by: UserId, **details: object) -> int | None:
        """Hide all videos of somebody, and those to come, from everybody; return how many, None when it was so."""
        async with self._transaction() as connection:
            await connection.execute(*query("lock_sender", user_id=user_id))
            if (
                await connection.fetchval(
                    *query("quarantine_user", user_id=user_id, reason=details.get("reason", ""), by=by)
                )
                is None
            ):
                return None
            return await self._move_user(connection, Deed.QUARANTINED, user_id, by, details)

    async def release_user(self, user_id: UserId, *, by: UserId, **details: object) -> int | None:
        """Undo `quarantine_user`; videos that are in quarantine by themselves stay. None when they were not there."""
        async with self._transaction() as connection:
            await connection.execute(*query("lock_sender", user_id=user_id))
            if await connection.fetchval(*query("release_user", user_id=user_id)) is None:
                return None
            return await self._move_user(connection, Deed.RELEASED, user_id, by, details)

    async def _move_user(
        self, connection: Connection, deed: Deed, user_id: UserId, by: UserId, details: dict[str, Any]
    ) -> int:
        moved = await self._move(connection, deed, None, user_id, by, {"because": "user"})
        await note(connection, by, deed, user_id=user_id, videos=moved, **details)
        return moved

    async def _move(
        self, connection: Connection, deed: Deed, video_id: VideoId | None, user_id: UserId | None, by: UserId,
        details: dict[str, Any],
    ) -> int:  # fmt: skip
        if deed is Deed.QUARANTINED:
            moved = query("quarantine_videos", video_id=video_id, user_id=user_id)
        else:
            moved = query("release_videos", video_id=video_id, user_id=user_id)
        rows = await connection.fetch(*moved)
        for row in rows:
            await note(
                connection, by, deed, room_id=row["room_id"], video_id=row["id"], user_id=row["sender"], **details
            )
            await concern_moderators(connection, VideoId(str(row["id"])))
        for room_id in {row["room_id"] for row in rows}:
            await announce(connection, room_id)
        return len(rows)

    async def in_quarantine(self, most: int, offset: int) -> tuple[list[Quarantined], int]:
        """Return a page of what is in quarantine, the latest first, and how much that is, as `rooms` does."""
        rows = [dict(row) for row in await self._fetch("in_quarantine", most=most, offset=offset)]
        count = [row.pop("entries") for row in rows]
        entries = [Quarantined(**{**row, "video_id": _video_id(row["video_id"])}) for row in rows]
        return entries, count[0] if count else 0

    # Undoing

    async def undoable(self, actor: UserId, deletion_s: float) -> Undoable | None:
        """Return what an admin did last and can take back; a deletion only for so many seconds."""
        row = await self._fetchrow("undoable", actor=actor, deletion_seconds=deletion_s)
        if row is None:
            return None
        return Undoable(row["key"], Deed(row["action"]), _video_id(row["video_id"]), row["user_id"], row["details"])

    async def take_back_requeue(self, video: Video, failure: str, *, by: UserId, **details: object) -> bool:
        """Undo a requeue: the video has failed again; False when a worker has begun."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("take_back_requeue", video_id=video.id, failure=failure))
            if row is None:
                return False
            room_id, sender = row["room_id"], row["sender"]
            await note(connection, by, Deed.REQUEUED, room_id=room_id, video_id=video.id, user_id=sender, **details)
            await announce(connection, room_id)
            return True

    # Alerts for admins

    async def notices_on(self) -> bool:
        """Say whether admins want alerts; so it is until they turn them off."""
        row = await self._fetchrow("choice", name=_NOTICES)
        return row is None or bool(row["value"])

    async def set_notices(self, *, on: bool) -> None:
        """Store whether admins want alerts."""
        await self._fetch("choose", name=_NOTICES, value=on)

    async def alarms(self) -> list[str]:
        """Return what is wrong now."""
        return [row["subject"] for row in await self._fetch("alarms")]

    async def begin_alarm(self, subject: str, alert_as: str | None = None, **details: object) -> None:
        """Store that something is wrong from now on; the first time queue an alert, if `alert_as` is given."""
        async with self._transaction() as connection:
            began = await connection.fetchval(*query("begin_alarm", subject=subject))
            if began and alert_as:
                await alert(connection, alert_as, **details)

    async def end_alarm(self, subject: str, alert_as: str, *, least: float = 0, **details: object) -> None:
        """Store that something is well again, with an alert when it was wrong for at least so many seconds."""
        async with self._transaction() as connection:
            seconds = await connection.fetchval(*query("end_alarm", subject=subject))
            if seconds is not None and seconds >= least:
                await alert(connection, alert_as, **details, minutes=max(1, round(seconds / 60)))

    async def delete_alerts(self) -> None:
        """Delete the alerts that nobody is to get."""
        await self._fetch("delete_alerts")

    async def queue_alerts(self) -> None:
        """Queue one notice for each subject with new alerts that had none for a while."""
        async with self._transaction() as connection:
            await connection.execute(*query("lock_alerts"))
            await connection.execute(*query("delete_old_alerts", seconds=_NOTICE_EVERY_S))
            rows = await connection.fetch(*query("take_alerts", seconds=_NOTICE_EVERY_S))
            for subject in sorted({row["subject"] for row in rows}):
                await queue(connection, _alarm(subject, rows))


def _alarm(subject: str, rows: Sequence[Any]) -> NotifyAdmins:
    """Return what the latest of a subject says, and how many there are."""
    of_it = sorted((row for row in rows if row["subject"] == subject), key=lambda row: int(row["key"]))
    return NotifyAdmins(subject, of_it[-1]["details"], len(of_it), once=secrets.token_hex(16))


def _video_id(value: UUID | None) -> VideoId | None:
    return VideoId(str(value)) if value else None
