"""What members show to everybody: queried anew each time, so that what is taken back is gone at once."""

import asyncpg

from appservice.core.model import PublicMember, UserId, Video, VideoId
from appservice.store.mapping import read_video
from appservice.store.pool import Database


class PublicStore(Database):
    """Published videos that can be played to their end, by whose they are."""

    async def member(self, user_id: UserId) -> PublicMember | None:
        """Return who shows what; None for anybody who shows nothing, known or not."""
        rows = [row for row in await self._published(user_id, None) if row["renditions"]]
        if not rows:
            return None
        latest = max(rows, key=lambda row: row["member_changed_at"])
        return PublicMember(user_id, latest["member_name"], latest["member_avatar"], [read_video(row) for row in rows])

    async def revision(self, user_id: UserId) -> str | None:
        """Return what changes with the result of `member_page`; None for anybody who shows nothing."""
        if not user_id.isprintable():
            return None
        revision: str | None = (await self._fetch("published_revision", user_id=user_id))[0]["revision"]
        return revision

    async def video(self, user_id: UserId, video_id: VideoId) -> Video | None:
        """Return a video while its sender shows it to everybody."""
        rows = await self._published(user_id, video_id)
        return read_video(rows[0]) if rows else None

    async def _published(self, user_id: UserId, video_id: VideoId | None) -> "list[asyncpg.Record]":
        # PostgreSQL's text holds no NUL, and UTF-8 no lone surrogate: nobody is called so.
        if not user_id.isprintable():
            return []
        return await self._fetch("published", user_id=user_id, video_id=video_id)
