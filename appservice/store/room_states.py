"""Rooms as lists need them, read together and brought up to date by what changed since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.core.room import Member, Room
from appservice.core.web.room_state import Change, RoomState, listed, since
from appservice.store.mapping import Row, read_listed, read_member, read_room, read_video
from appservice.store.outbox import Connection
from appservice.store.pool import Database
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class RoomRead:
    """A room's state, the changes that were read with it, and the changed videos whole.

    `anew`: all of it was read; `changes` are then those that the log has of before.
    """

    state: RoomState
    changes: Sequence[Change]
    videos: Mapping[VideoId, Video] = field(default_factory=dict)
    anew: bool = False


class RoomStateStore(Database):
    """Rooms with their lists. Every method raises UnavailableError when the database is away."""

    async def read(self, room_id: RoomId, known: RoomState | None = None) -> RoomRead | None:
        """Read a room, or only what changed since a `known` state of it; None for an unknown room."""
        if known and await self._revision(room_id) == known.revision:
            return RoomRead(known, [])
        async with self._snapshot() as connection:
            if known is None:
                return await _read(connection, room_id)
            revision = await connection.fetchval(*query("room_revision", room_id=room_id))
            if revision == known.revision:
                return RoomRead(known, [])
            changes = since(known.revision, await _changes(connection, room_id, known.revision))
            if not changes or any(change.is_everything for change in changes):
                return await _read(connection, room_id)
            return await _advanced(connection, replace(known, revision=revision), known, changes)

    async def _revision(self, room_id: RoomId) -> int:
        """Return the number of a room's newest change."""
        async with self._connection() as connection:
            revision: int = await connection.fetchval(*query("room_revision", room_id=room_id))
            return revision

    async def videos(self, room_id: RoomId, video_ids: Sequence[VideoId]) -> dict[VideoId, Video]:
        """Return the videos of a room by their ids, whole, as far as they are still there."""
        rows = await self._fetch("videos_by_id", room_id=room_id, ids=list(video_ids)) if video_ids else []
        return {video.id: video for video in map(read_video, rows)}

    async def withheld(
        self, video_ids: Collection[VideoId], user_ids: Collection[UserId]
    ) -> dict[UserId, frozenset[VideoId]]:
        """Return which of the videos each may not see, by the history visibility of when they were sent."""
        found: dict[UserId, set[VideoId]] = {user_id: set() for user_id in user_ids}
        rows = await self._fetch("withheld_from", ids=list(video_ids), user_ids=list(user_ids)) if video_ids else []
        for row in rows:
            found[UserId(row["user_id"])].add(VideoId(str(row["id"])))
        return {user_id: frozenset(ids) for user_id, ids in found.items()}

    async def permitted(self, room_id: RoomId, user_ids: Collection[UserId]) -> set[UserId]:
        """Return who of these is in a room, and may be, while the bot is there."""
        rows = await self._fetch("permitted", room_id=room_id, user_ids=list(user_ids)) if user_ids else []
        return {UserId(row["user_id"]) for row in rows}


async def _read(connection: Connection, room_id: RoomId) -> RoomRead | None:
    room = await _room(connection, room_id)
    if room is None:
        return None
    revision = await connection.fetchval(*query("room_revision", room_id=room_id))
    changes = await _changes(connection, room_id, 0)
    videos = [read_listed(row) for row in await connection.fetch(*query("listed_videos", room_id=room_id))]
    reports = _reports(await connection.fetch(*query("reports", room_id=room_id)))
    members = await _members(connection, room_id)
    state = RoomState(room=room, revision=revision, members=members, reports=reports).with_all(videos)
    return RoomRead(state, changes, anew=True)


async def _advanced(
    connection: Connection, after: RoomState, known: RoomState, changes: Sequence[Change]
) -> RoomRead | None:
    room_id = known.room.room_id
    if any(change.video_id is None for change in changes):
        # The room as well where a member changed: `direct` is a matter of who is there.
        room = await _room(connection, room_id)
        if room is None:
            return None
        after = replace(after, room=room, members=await _members(connection, room_id))
    ids = sorted({change.video_id for change in changes if change.video_id})
    rows = await connection.fetch(*query("videos_by_id", room_id=room_id, ids=ids)) if ids else []
    videos = {video.id: video for video in map(read_video, rows)}
    # What is shown again may have been reported before.
    if any("reports" in each.fields or not each.was_known or each.video_id in known.reports for each in changes):
        counted = _reports(await connection.fetch(*query("reports_of", ids=ids))) if ids else {}
        after = replace(after, reports={k: n for k, n in known.reports.items() if k not in ids} | counted)
    state = known.advanced(after, ids, {each: listed(video) for each, video in videos.items()})
    return RoomRead(state, changes, videos)


async def _changes(connection: Connection, room_id: RoomId, first: int) -> list[Change]:
    rows = await connection.fetch(*query("room_changes", room_id=room_id, first=first))
    return [
        Change(
            revision=row["revision"],
            video_id=VideoId(str(row["video_id"])) if row["video_id"] else None,
            user_id=UserId(row["user_id"]) if row["user_id"] else None,
            fields=frozenset(row["fields"]),
            was_shown=row["was_shown"],
            was_known=row["was_known"],
            was_strict=row["was_strict"],
        )
        for row in rows
    ]


async def _room(connection: Connection, room_id: RoomId) -> Room | None:
    row = await connection.fetchrow(*query("room", room_id=room_id))
    return read_room(row) if row else None


async def _members(connection: Connection, room_id: RoomId) -> dict[UserId, Member]:
    members = [read_member(row) for row in await connection.fetch(*query("present_members", room_id=room_id))]
    return {member.user_id: member for member in members}


def _reports(rows: Sequence[Row]) -> dict[VideoId, int]:
    return {VideoId(str(row["video_id"])): row["reports"] for row in rows}
