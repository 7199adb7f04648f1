"""The bot's posts in the moderators' queue, and what they decided."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from appservice.core.model import EventId, RoomId, UserId, Video, VideoId
from appservice.store.audit import Deed
from appservice.store.mapping import read_video
from appservice.store.outbox import concern_moderators
from appservice.store.pool import LockingDatabase
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class Post:
    """A post of the bot's about a video: its `part` is `picture` or `text`, `says` the state that it shows now."""

    event_id: EventId
    room_id: RoomId
    part: str
    says: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who last decided on a video, and how."""

    actor: UserId
    deed: Deed


class QueuePostStore(LockingDatabase):
    """Posts about videos that wait. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def locked(self, video_id: VideoId) -> AsyncIterator[None]:
        """Lock the posts about a video for ourselves among all workers."""
        async with self._holding("lock_posts", video_id=video_id):
            yield

    async def queue_missing(self) -> int:
        """Queue every video that has no post and is to have one, or has one in vain; return how many."""
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("unposted"))
            for row in rows:
                await concern_moderators(connection, VideoId(str(row["id"])))
        return len(rows)

    async def posts(self, video_id: VideoId) -> list[Post]:
        """Return what was posted about a video."""
        return [Post(**dict(row)) for row in await self._fetch("posts", video_id=video_id)]

    async def add_post(self, post: Post, video_id: VideoId) -> None:
        """Store that something was posted about a video."""
        await self._fetch("add_post", event_id=post.event_id, room_id=post.room_id, video_id=video_id, part=post.part)

    async def post_says(self, post: Post, says: str) -> None:
        """Store what a post shows now."""
        await self._fetch("post_says", event_id=post.event_id, says=says)

    async def delete_posts(self, video_id: VideoId) -> None:
        """Delete what was posted about a video."""
        await self._fetch("delete_posts", video_id=video_id)

    async def video_of_post(self, room_id: RoomId, event_id: EventId) -> Video | None:
        """Return the video that a post of the bot's is about."""
        row = await self._fetchrow("video_of_post", room_id=room_id, event_id=event_id)
        return read_video(row) if row else None

    async def decision(self, video_id: VideoId) -> Decision | None:
        """Return who last decided on a video, and how; None when nobody did."""
        row = await self._fetchrow("decision", video_id=video_id)
        return Decision(UserId(row["actor"]), Deed(row["action"])) if row else None
