"""Changes of videos by people, on the locked row: each change is one transaction."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from appservice.core.errors import NotFoundError
from appservice.core.jobs import TranscodeVideo
from appservice.core.model import HeldFor, RoomId, State, UserId, Video, VideoId, Visibility
from appservice.core.settings import RoomSettings
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.blocks import block_here, take_away
from appservice.store.mapping import read_video
from appservice.store.outbox import Connection, announce, concern_moderators, notify, queue, update_status
from appservice.store.pool import Database
from appservice.store.removal import remove_videos
from appservice.store.sql import query

_BY_OTHERS_S = 0.5
"""Seconds until another look at what is due, and is being removed by another process."""


class LockedVideo:
    """A video that nobody else changes before the transaction ends; `now` is what it was when that began."""

    def __init__(self, connection: Connection, now: Video) -> None:
        self._connection = connection
        self.now = now
        self.is_changed = False

    async def is_avatar(self) -> bool:
        """Say whether it is its sender's avatar."""
        return bool(
            await self._connection.fetchval(*query("is_video_avatar", room_id=self.now.room_id, video_id=self.now.id))
        )

    async def save(self, changed: Video) -> Video:
        """Store its title, its visibility and whether it is published, as `changed` has them."""
        (row,) = await self._connection.fetch(
            *query(
                "manage",
                id=self.now.id,
                title=changed.title,
                visibility=changed.visibility,
                hidden_by=changed.withheld.hidden_by,
                published=changed.published,
            )
        )
        if changed.visibility is not self.now.visibility:
            await update_status(self._connection, self.now.id)
        self.is_changed = True
        return read_video(row)

    async def wear(self, *, on: bool) -> None:
        """Make it its sender's avatar, or nothing."""
        worn = self.now.id if on else None
        await self._connection.execute(
            *query("set_video_avatar", room_id=self.now.room_id, user_id=self.now.sender, video_id=worn)
        )
        self.is_changed = True

    async def note(self, deed: Deed, *, by: UserId, **details: object) -> None:
        """Add to the audit log what was done with it."""
        await note(
            self._connection, by, deed, room_id=self.now.room_id, video_id=self.now.id, user_id=self.now.sender,
            **details,
        )  # fmt: skip
        self.is_changed = True

    async def take_away(self, deed: Deed, *, by: UserId, **details: object) -> int:
        """Delete it, until it is restored or removed; return when, in ms since the epoch. `details` go into the log."""
        return await take_away(self._connection, self.now, deed, by=by, **details)

    async def notify_sender(self, message: str, *, once_gone_for: float, reason: str) -> None:
        """Queue a notification of its sender, unless it is brought back within so many seconds."""
        await notify(
            self._connection, self.now.room_id, self.now.sender, self.now.thread, message,
            once_gone=(self.now, timedelta(seconds=once_gone_for)), title=self.now.title, kind=self.now.kind,
            sent=self.now.created_at, reason=reason,
        )  # fmt: skip

    async def restore(self, seconds: float) -> Video | None:
        """Restore it where it was deleted at most so many seconds ago."""
        row = await self._connection.fetchrow(*query("restore_video", id=self.now.id, seconds=seconds))
        if row is None:
            return None
        restored = read_video(row)
        at_work = restored.state not in {State.READY, State.FAILED}
        if at_work and not await self._connection.fetchval(*query("has_video_job", id=self.now.id)):
            await queue(self._connection, TranscodeVideo(self.now.id))
        self.is_changed = True
        return restored

    async def report(self, reporter: UserId, reason: str) -> None:
        """Store a member's report; at the room's limit of reports it waits for a moderator."""
        await self._connection.execute(*query("report", video_id=self.now.id, reporter=reporter, reason=reason))
        await self.note(Deed.REPORTED, by=reporter)
        settings = RoomSettings.read(await self._connection.fetchval(*query("room_settings", room_id=self.now.room_id)))
        reports = await self.count_reports()
        if self.now.visibility is Visibility.SHOWN and 0 < settings.report_limit <= reports:
            await self._connection.execute(*query("hold_video", id=self.now.id, held_for=HeldFor.REPORTS))
            await self.note(Deed.HELD, by=ITSELF, reason=HeldFor.REPORTS)

    async def count_reports(self) -> int:
        """Return how many members reported it."""
        count: int = await self._connection.fetchval(*query("count_reports", video_id=self.now.id))
        return count

    async def dismiss_reports(self) -> None:
        """Delete its reports; if it waits for no other reason, it is shown again."""
        await self._connection.execute(*query("dismiss_reports", video_id=self.now.id))
        if self.now.withheld.held_for is HeldFor.REPORTS:
            await self._connection.execute(*query("release_video", id=self.now.id))
        self.is_changed = True

    async def block(self, *, by: UserId, reason: str) -> tuple[bytes, int]:
        """Block its file in its room, and remove the videos that have it; return its SHA-256, and how many.

        Copies that are not known as such yet are to be taken next (`BlockStore.take_copies`). Raises
        UnknownContentError.
        """
        return await block_here(self._connection, self.now, by=by, reason=reason)


class LockedReel:
    """A member's videos in a room, whose order nobody else changes before the transaction ends."""

    def __init__(self, connection: Connection, room_id: RoomId, owner: UserId, positions: dict[VideoId, float]) -> None:
        self._connection = connection
        self._room_id = room_id
        self._owner = owner
        self._positions = positions

    @property
    def order(self) -> list[VideoId]:
        """The present order."""
        return list(self._positions)

    async def reorder(self, order: Sequence[VideoId], *, by: UserId) -> None:
        """Give the videos another order."""
        await self._connection.execute(
            *query("set_positions", ids=order, positions=_ascending([*self._positions.values()]))
        )
        await note(self._connection, by, Deed.ORDERED, room_id=self._room_id, user_id=self._owner)
        await announce(self._connection, self._room_id)


class VideoChangeStore(Database):
    """Changes of videos by people. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def locked(self, video_id: VideoId, room_id: RoomId) -> AsyncIterator[LockedVideo]:
        """Lock a video of a room for a change, which is committed, and announced, at the end. Raises NotFoundError."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("lock_video", id=video_id))
            if row is None or row["room_id"] != room_id:
                raise NotFoundError("There is no such video.")
            video = LockedVideo(connection, read_video(row))
            yield video
            if video.is_changed:
                await concern_moderators(connection, video_id)
                await announce(connection, room_id)

    @asynccontextmanager
    async def locked_reel(self, room_id: RoomId, owner: UserId) -> AsyncIterator[LockedReel]:
        """Lock the order of a member's videos."""
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("lock_reel", room_id=room_id, sender=owner))
            yield LockedReel(connection, room_id, owner, {VideoId(str(row["id"])): row["position"] for row in rows})

    async def last_deleted(self, actor: UserId, room_id: RoomId | None, seconds: float) -> Video | None:
        """Return the video that somebody deleted last and can still bring back, in a room or in any."""
        row = await self._fetchrow("last_deleted", actor=actor, room_id=room_id, seconds=seconds)
        return read_video(row) if row else None

    async def purge_deleted(self, seconds: float) -> float | None:
        """Remove for good the videos that were deleted longer than so many seconds ago.

        Returns in how many seconds the next one is due; None: there is none.
        """
        due = await self._next_purge(seconds)
        while due is not None and due <= 0:
            async with self._transaction() as connection:
                rows = await connection.fetch(*query("removable_deleted", seconds=seconds))
                await remove_videos(connection, rows, by=ITSELF, redact=True, because="deletion")
            if not rows:
                return _BY_OTHERS_S
            due = await self._next_purge(seconds)
        return due

    async def _next_purge(self, seconds: float) -> float | None:
        row = await self._fetchrow("next_purge", seconds=seconds)
        due: float | None = row["due"] if row else None
        return due

    async def not_of(self, room_id: RoomId, sender: UserId, videos: Sequence[VideoId]) -> list[VideoId]:
        """Return those of the videos that are not (and were not) a member's in this room."""
        rows = await self._fetch("sent_videos", room_id=room_id, sender=sender)
        own = {str(row["id"]) for row in rows}
        return [video for video in videos if video not in own]

    async def report_reasons(self, video_id: VideoId) -> list[str]:
        """Return the reason of each report of a video, the oldest first; it may be empty."""
        return [row["reason"] for row in await self._fetch("report_reasons", video_id=video_id)]

    async def reports(self, room_id: RoomId) -> dict[VideoId, int]:
        """Return how many members reported each video of a room."""
        return {VideoId(str(row["video_id"])): row["reports"] for row in await self._fetch("reports", room_id=room_id)}


def deeds(before: Video, after: Video, *, worn: bool, wears: bool) -> Iterator[Deed]:
    """Yield the audit log's entries for a change; `worn` and `wears`: it was and is its sender's avatar."""
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
    """Return the same positions, each after the one before: two videos of the same millisecond are to differ."""
    ascending: list[float] = []
    for position in positions:
        ascending.append(max(position, ascending[-1] + 0.001) if ascending else position)
    return ascending
