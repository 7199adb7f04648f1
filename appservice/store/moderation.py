"""What waits for moderators, what they decide, what they block, and what the bot asked them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from appservice.core.errors import NotFoundError
from appservice.core.model import EventId, Room, RoomId, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import UNDO_S, Change, Viewer, check_block, check_decide, managed
from appservice.store.audit import Deed, note
from appservice.store.contents import ContentStore
from appservice.store.mapping import SQL, read_room, read_video
from appservice.store.outbox import Connection, concern_moderators, tell
from transcode import is_copy


@dataclass(frozen=True, slots=True)
class Held:
    """A video that waits, and how many members reported it."""

    video: Video
    reports: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A video, and what members said against it: a reason each, which may be empty."""

    video: Video
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Block:
    """A file that is not to come (again) into a room, or any (None): its SHA-256 in hexadecimal, and who blocked it."""

    room_id: RoomId | None
    source_hash: str
    reason: str
    blocked_by: UserId
    blocked_at: datetime


@dataclass(frozen=True, slots=True)
class Post:
    """An event by which the bot asks about a video: its `part` is `picture` or `text`; `says` what it tells now."""

    event_id: EventId
    room_id: RoomId
    part: str
    says: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who last decided on a video, and how."""

    actor: UserId
    deed: Deed


class UnknownContentError(NotFoundError):
    """A video cannot be blocked, for what its file looks like is not known."""


class ModeratingStore(ContentStore):
    """What moderators do. Every method raises UnavailableError when the database is away."""

    async def moderated_rooms(self, user_id: UserId, moderators_room: RoomId | None) -> list[Room]:
        """Return the rooms that somebody and the bot are in: all of them, or those that ask in one moderators' room."""
        return [read_room(row) for row in await self._fetch("moderated_rooms", user_id, moderators_room)]

    async def is_moderators_room(self, room_id: RoomId) -> bool:
        """Say whether any room asks for decisions in this one."""
        return bool((await self._fetch("is_moderators_room", room_id))[0]["found"])

    async def joined_in_both(self, room_id: RoomId, other: RoomId) -> list[UserId]:
        """Return who is in both of two rooms."""
        return [UserId(row["user_id"]) for row in await self._fetch("joined_in_both", room_id, other)]

    async def held(self, room_ids: Sequence[RoomId]) -> list[Held]:
        """Return what waits in some rooms, the oldest first."""
        rows = await self._fetch("held_videos", room_ids)
        return [Held(read_video(row), row["reports"]) for row in rows]

    async def reported(self, room_ids: Sequence[RoomId]) -> list[Reported]:
        """Return what was reported in some rooms, the latest first."""
        rows = await self._fetch("reported_videos", room_ids)
        return [Reported(read_video(row), row["reasons"]) for row in rows]

    # Decisions

    async def approve(self, video: Video, viewer: Viewer) -> None:
        """Show a video that waits. Raises NotFoundError, ForbiddenError, or ConflictError when it waits no longer."""

        def decide(now: Video, worn: bool) -> tuple[Video, bool]:
            check_decide(now, viewer)
            return managed(now, Change(visibility=Visibility.SHOWN), viewer, is_avatar=worn)

        await self.change(video.id, video.room_id, decide, by=viewer.user_id)

    async def reject(self, video: Video, viewer: Viewer, reason: str) -> int:
        """Take away a video that waits, and return when, in ms since the epoch. Raises as `approve` does.

        Its sender is told once that cannot be undone any more.
        """
        async with self._locked(video.id, video.room_id) as (connection, now):
            check_decide(now, viewer)
            deleted_at = await self._take_away(connection, now, Deed.REJECTED, by=viewer.user_id, reason=reason)
            await tell(
                connection, now.room_id, now.sender, now.thread, "bot-rejected",
                once_gone=(now, timedelta(seconds=UNDO_S)), title=now.title, kind=now.kind, sent=now.created_at,
                reason=reason,
            )  # fmt: skip
            return deleted_at

    async def block(self, video: Video, viewer: Viewer, reason: str) -> int:
        """Take away every video of the room that is the same file or a copy, and let none come again; return how many.

        Raises NotFoundError, ForbiddenError, or UnknownContentError.
        """
        async with self._locked(video.id, video.room_id) as (connection, now):
            check_block(now, viewer)
            source_hash, count = await self._block(connection, now, by=viewer.user_id, reason=reason)
        return count + await self.take_copies(video.room_id, source_hash)

    async def _block(self, connection: Connection, video: Video, *, by: UserId, reason: str) -> tuple[bytes, int]:
        """Return the SHA-256 of what is blocked now, whose copies are to be taken next, and how many videos it took."""
        content = await connection.fetchrow(SQL["content_of"], video.id)
        if content is None or content["source_hash"] is None:
            raise UnknownContentError("It is not known yet what this video's file is.")
        source_hash = bytes(content["source_hash"])
        copies = [
            row["id"]
            for row in await connection.fetch(SQL["looks_of"], video.room_id)
            if content["fingerprint"] and is_copy(content["fingerprint"], row["fingerprint"])
        ]
        rows = await connection.fetch(SQL["same_content_here"], video.room_id, source_hash, copies)
        for row in rows:
            await self._take_away(connection, read_video(row), Deed.BLOCKED, by=by, reason=reason)
        await connection.execute(SQL["block"], video.room_id, source_hash, content["fingerprint"], reason, by)
        return source_hash, len(rows)

    async def block_everywhere(self, content: Video | bytes, reason: str, *, by: UserId) -> int:
        """Take away a file and its copies in all rooms, and let none come again; return how many videos that took.

        The file is that of a video, or one by its SHA-256. Raises UnknownContentError.
        """
        async with self._transaction() as connection:
            source_hash, count = await self._block_everywhere(connection, content, by=by, reason=reason)
        return count + await self.take_everywhere(source_hash)

    async def _block_everywhere(
        self, connection: Connection, content: Video | bytes, *, by: UserId, reason: str
    ) -> tuple[bytes, int]:
        """Return as `_block` does; what is taken next are the copies in all rooms."""
        if isinstance(content, Video):
            row = await connection.fetchrow(SQL["content_of"], content.id)
            if row is None or row["source_hash"] is None:
                raise UnknownContentError("It is not known yet what this video's file is.")
            source_hash = bytes(row["source_hash"])
        else:
            source_hash = content
        look = await connection.fetchval(SQL["look_of"], source_hash)
        await connection.execute(SQL["block"], None, source_hash, look, reason, by)
        await note(connection, by, Deed.BLOCKED, source_hash=source_hash.hex(), reason=reason)
        return source_hash, await self._take_everywhere(connection, source_hash)

    async def blocks_everywhere(self) -> list[Block]:
        """Return what is blocked in all rooms, the latest first."""
        return [Block(**dict(row)) for row in await self._fetch("blocks_everywhere")]

    async def blocks(self, room_ids: Sequence[RoomId]) -> list[Block]:
        """Return what is blocked in some rooms, the latest first."""
        return [Block(**dict(row)) for row in await self._fetch("blocks", room_ids)]

    async def unblock(self, block: Block, *, by: UserId) -> bool:
        """Let a file come again; False when it was not blocked any more."""
        async with self._transaction() as connection:
            if await connection.fetchval(SQL["unblock"], block.room_id, block.source_hash) is None:
                return False
            await note(connection, by, Deed.UNBLOCKED, room_id=block.room_id, source_hash=block.source_hash)
            return True

    # What the bot asks in a moderators' room

    @asynccontextmanager
    async def asking(self, video_id: VideoId) -> AsyncIterator[None]:
        """Hold what is asked about a video to ourselves among all workers."""
        async with self._session() as connection:
            await connection.execute(SQL["lock_posts"], video_id)
            try:
                yield
            finally:
                await connection.execute(SQL["unlock_posts"], video_id)

    async def ask(self) -> int:
        """Queue every video that is to be asked about and is not, or that is asked about in vain; return how many."""
        async with self._transaction() as connection:
            rows = await connection.fetch(SQL["unposted"])
            for row in rows:
                await concern_moderators(connection, VideoId(str(row["id"])))
        return len(rows)

    async def posts(self, video_id: VideoId) -> list[Post]:
        """Return what was posted about a video."""
        return [Post(**dict(row)) for row in await self._fetch("posts", video_id)]

    async def add_post(self, post: Post, video_id: VideoId) -> None:
        """Keep that something was posted about a video."""
        await self._fetch("add_post", post.event_id, post.room_id, video_id, post.part)

    async def post_says(self, post: Post, says: str) -> None:
        """Keep what a post tells now."""
        await self._fetch("post_says", post.event_id, says)

    async def forget_posts(self, video_id: VideoId) -> None:
        """Forget what was posted about a video."""
        await self._fetch("forget_posts", video_id)

    async def video_of_post(self, room_id: RoomId, event_id: EventId) -> Video | None:
        """Return the video that a post of the bot's asks about."""
        row = await self._fetchrow("video_of_post", room_id, event_id)
        return read_video(row) if row else None

    async def decision(self, video_id: VideoId) -> Decision | None:
        """Return who last decided on a video, and how; None when nobody did."""
        row = await self._fetchrow("decision", video_id)
        return Decision(UserId(row["actor"]), Deed(row["action"])) if row else None
