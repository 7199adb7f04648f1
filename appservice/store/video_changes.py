"""What people do with videos: each change in one transaction, on the row as it is by then."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from appservice.core.errors import GoneError, NotFoundError
from appservice.core.jobs import TranscodeVideo
from appservice.core.model import HeldFor, RoomId, State, UserId, Video, VideoId, Visibility
from appservice.core.settings import RoomSettings
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.mapping import SQL, read_video
from appservice.store.outbox import Connection, announce, concern_moderators, queue, speak_of
from appservice.store.pool import Database
from appservice.store.removal import remove_videos

Decide = Callable[[Video, bool], tuple[Video, bool]]
"""What becomes of a video, and whether it is its sender's avatar from now on; raises what refuses the change."""

Check = Callable[[Video], None]
"""Raises what refuses a change of the video."""


class ManagingStore(Database):
    """Changes of videos by people. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def _locked(self, video_id: VideoId, room_id: RoomId) -> AsyncIterator[tuple[Connection, Video]]:
        async with self._transaction() as connection:
            row = await connection.fetchrow(SQL["lock_video"], video_id)
            if row is None or row["room_id"] != room_id:
                raise NotFoundError("There is no such video.")
            yield connection, read_video(row)

    async def change(self, video_id: VideoId, room_id: RoomId, decide: Decide, *, by: UserId) -> Video:
        """Keep what `decide` makes of a video. Raises NotFoundError, or what `decide` raises."""
        async with self._locked(video_id, room_id) as (connection, video):
            worn = await connection.fetchval(SQL["is_video_avatar"], room_id, video.id)
            changed, wears = decide(video, worn)
            if (changed, wears) == (video, worn):
                return video
            if wears != worn:
                await connection.execute(SQL["set_video_avatar"], room_id, video.sender, video.id if wears else None)
            (row,) = await connection.fetch(
                SQL["manage"], video.id, changed.title, changed.visibility, changed.hidden_by, changed.published
            )
            deeds = list(_deeds(video, changed, worn=worn, wears=wears))
            for deed in deeds:
                await note(connection, by, deed, room_id=room_id, video_id=video.id, user_id=video.sender)
            if changed.visibility is not video.visibility:
                await speak_of(connection, video.id)
            if Deed.APPROVED in deeds:
                await connection.execute(SQL["dismiss_reports"], video.id)  # they were looked at
            await concern_moderators(connection, video.id)
            await announce(connection, room_id)
            return read_video(row)

    async def delete(self, video_id: VideoId, room_id: RoomId, check: Check, *, by: UserId, **details: object) -> int:
        """Take a video from everybody, for now; return when, in ms since the epoch. `check` raises what refuses it.

        `details` go into the audit log.
        """
        async with self._locked(video_id, room_id) as (connection, video):
            check(video)
            return await self._take_away(connection, video, Deed.DELETED, by=by, **details)

    async def _take_away(
        self, connection: Connection, video: Video, deed: Deed, *, by: UserId, **details: object
    ) -> int:
        deleted_at: int = await connection.fetchval(SQL["delete_video"], video.id, by)
        await note(connection, by, deed, room_id=video.room_id, video_id=video.id, user_id=video.sender, **details)
        await concern_moderators(connection, video.id)
        await announce(connection, video.room_id)
        return deleted_at

    async def restore(self, video_id: VideoId, room_id: RoomId, check: Check, seconds: float, *, by: UserId) -> Video:
        """Bring back a video that was deleted at most so many seconds ago. Raises GoneError when it is too late."""
        async with self._locked(video_id, room_id) as (connection, video):
            check(video)
            row = await connection.fetchrow(SQL["restore_video"], video.id, seconds)
            if row is None:
                raise GoneError("It is too late: the video is gone.")
            restored = read_video(row)
            at_work = restored.state not in {State.READY, State.FAILED}
            if at_work and not await connection.fetchval(SQL["has_video_job"], video.id):
                await queue(connection, TranscodeVideo(video.id))
            await note(connection, by, Deed.RESTORED, room_id=room_id, video_id=video.id, user_id=video.sender)
            await concern_moderators(connection, video.id)
            await announce(connection, room_id)
            return restored

    async def last_deleted(self, actor: UserId, room_id: RoomId | None, seconds: float) -> Video | None:
        """Return the video that somebody deleted last and can still bring back, in a room or in any."""
        row = await self._fetchrow("last_deleted", actor, room_id, seconds)
        return read_video(row) if row else None

    async def purge_deleted(self, seconds: float) -> int:
        """Remove for good the videos that were deleted longer than so many seconds ago."""
        async with self._transaction() as connection:
            rows = await connection.fetch(SQL["removable_deleted"], seconds)
            await remove_videos(connection, rows, by=ITSELF, redact=True, because="deletion")
        return len(rows)

    async def order(
        self, room_id: RoomId, sender: UserId, reorder: Callable[[Sequence[VideoId]], Sequence[VideoId]], *, by: UserId
    ) -> list[VideoId]:
        """Give a member's videos the order that `reorder` makes of the present one, and return it."""
        async with self._transaction() as connection:
            rows = await connection.fetch(SQL["lock_reel"], room_id, sender)
            current = [VideoId(str(row["id"])) for row in rows]
            order = list(reorder(current))
            if order != current:
                await connection.execute(SQL["place_videos"], order, _ascending([row["position"] for row in rows]))
                await note(connection, by, Deed.ORDERED, room_id=room_id, user_id=sender)
                await announce(connection, room_id)
        return order

    async def not_of(self, room_id: RoomId, sender: UserId, videos: Sequence[VideoId]) -> list[VideoId]:
        """Return those of the videos that are not (and were not) a member's in this room."""
        rows = await self._fetch("sent_videos", room_id, sender)
        own = {str(row["id"]) for row in rows}
        return [video for video in videos if video not in own]

    async def report(self, video: Video, reporter: UserId, reason: str) -> None:
        """Keep what a member says against a video; the room's moderators see it, and where many say so, it waits."""
        async with self._locked(video.id, video.room_id) as (connection, video):
            await connection.execute(SQL["report"], video.id, reporter, reason)
            await note(
                connection, reporter, Deed.REPORTED, room_id=video.room_id, video_id=video.id, user_id=video.sender
            )
            await self._hold_reported(connection, video)
            await announce(connection, video.room_id)

    async def _hold_reported(self, connection: Connection, video: Video) -> None:
        settings = RoomSettings.read(await connection.fetchval(SQL["room_settings"], video.room_id))
        reports = await connection.fetchval(SQL["count_reports"], video.id)
        if video.visibility is Visibility.SHOWN and 0 < settings.report_limit <= reports:
            await connection.execute(SQL["hold_video"], video.id, HeldFor.REPORTS)
            await note(
                connection, ITSELF, Deed.HELD, room_id=video.room_id, video_id=video.id, user_id=video.sender,
                reason=HeldFor.REPORTS,
            )  # fmt: skip
        await concern_moderators(connection, video.id)

    async def dismiss_reports(self, video: Video, *, by: UserId) -> None:
        """Forget what was said against a video; if it waits for no other reason, it is shown again."""
        async with self._locked(video.id, video.room_id) as (connection, video):
            await connection.execute(SQL["dismiss_reports"], video.id)
            if video.held_for is HeldFor.REPORTS:
                await connection.execute(SQL["release_video"], video.id)
                await concern_moderators(connection, video.id)
            await note(
                connection, by, Deed.REPORTS_DISMISSED, room_id=video.room_id, video_id=video.id, user_id=video.sender
            )
            await announce(connection, video.room_id)

    async def said_against(self, video_id: VideoId) -> list[str]:
        """Return what each member who reported a video said, the oldest first; it may be empty."""
        return [row["reason"] for row in await self._fetch("said_against", video_id)]

    async def reports(self, room_id: RoomId) -> dict[VideoId, int]:
        """Return how many members reported each video of a room."""
        return {VideoId(str(row["video_id"])): row["reports"] for row in await self._fetch("reports", room_id)}


def _deeds(before: Video, after: Video, *, worn: bool, wears: bool) -> Iterator[Deed]:
    if after.title != before.title:
        yield Deed.RENAMED
    if after.visibility is not before.visibility:
        shown = Deed.APPROVED if before.visibility is Visibility.HELD else Deed.SHOWN
        yield {Visibility.SHOWN: shown, Visibility.HELD: Deed.HELD}.get(after.visibility, Deed.HIDDEN)
    if after.published is not before.published:
        yield Deed.PUBLISHED if after.published else Deed.UNPUBLISHED
    if wears is not worn:
        yield Deed.AVATAR_SET if wears else Deed.AVATAR_UNSET


def _ascending(positions: Sequence[float]) -> list[float]:
    """Return the same places, each after the one before: two videos of the same millisecond are to be told apart."""
    places: list[float] = []
    for position in positions:
        places.append(max(position, places[-1] + 0.001) if places else position)
    return places
