"""The moderators' queue and reports, by room."""

from collections.abc import Sequence
from dataclasses import dataclass

from appservice.core.model import RoomId, UserId, Video
from appservice.core.room import Room
from appservice.store.mapping import read_room, read_video
from appservice.store.pool import Database


@dataclass(frozen=True, slots=True)
class Held:
    """A video that waits, and how many members reported it."""

    video: Video
    reports: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A video, and members' reports of it: a reason each, which may be empty."""

    video: Video
    reasons: Sequence[str]


class ModerationStore(Database):
    """What moderators see. Every method raises UnavailableError when the database is away."""

    async def moderated_rooms(self, user_id: UserId, moderators_room: RoomId | None) -> list[Room]:
        """Return the rooms that somebody and the bot are in: all, or those with their queue in one moderators' room."""
        return [
            read_room(row)
            for row in await self._fetch("moderated_rooms", user_id=user_id, moderators_room=moderators_room)
        ]

    async def is_moderators_room(self, room_id: RoomId) -> bool:
        """Say whether any room has its moderators' queue in this one."""
        return bool((await self._fetch("is_moderators_room", room_id=room_id))[0]["found"])

    async def joined_in_both(self, room_id: RoomId, other: RoomId) -> list[UserId]:
        """Return who is in both of two rooms."""
        return [
            UserId(row["user_id"]) for row in await self._fetch("joined_in_both", room_id=room_id, other_room_id=other)
        ]

    async def held(self, room_ids: Sequence[RoomId]) -> list[Held]:
        """Return what waits in some rooms, the oldest first."""
        rows = await self._fetch("held_videos", room_ids=room_ids)
        return [Held(read_video(row), row["reports"]) for row in rows]

    async def reported(self, room_ids: Sequence[RoomId]) -> list[Reported]:
        """Return what was reported in some rooms, the latest first."""
        rows = await self._fetch("reported_videos", room_ids=room_ids)
        return [Reported(read_video(row), row["reasons"]) for row in rows]
