"""Admission by quotas, and their usage by people, rooms and the installation."""

from appservice.core.model import RoomId, UserId, Video
from appservice.core.rules.quotas import NO_LIMITS, Quotas, QuotaScope, Used
from appservice.store import quota_usage
from appservice.store.outbox import Pool
from appservice.store.pool import Database
from appservice.store.sql import query


class QuotaStore(Database):
    """Quotas. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool, quotas: Quotas) -> None:
        super().__init__(pool)
        self.quotas = quotas

    async def used_up(self, video: Video) -> QuotaScope | None:
        """Return the first scope that has no room for a video beside all the others."""
        async with self._transaction() as connection:
            return await quota_usage.used_up(connection, self.quotas, video.sender, video.room_id, without=video.id)

    async def admit(self, video: Video, size: int) -> QuotaScope | None:
        """Store that a video's file has `size` bytes, if there is room for them, else return which scope has none.

        From then on the video is in the way of whatever comes to this point later.
        """
        async with self._transaction() as connection:
            if self.quotas != NO_LIMITS:
                await connection.execute(*query("lock_quotas"))
            full = await quota_usage.used_up(connection, self.quotas, video.sender, video.room_id, without=video.id)
            if full is None:
                await connection.execute(*query("note_size", id=video.id, attempt=video.work.attempts, bytes=size))
                await connection.execute(*query("admit_video", id=video.id, attempt=video.work.attempts))
            return full

    async def full_for(self, user_id: UserId, room_id: RoomId) -> QuotaScope | None:
        """Return the first scope that has no room for a new video of somebody's in a room."""
        async with self._transaction() as connection:
            return await quota_usage.used_up(connection, self.quotas, user_id, room_id)

    async def warn(self, video: Video) -> None:
        """Warn people, once, that little is left, after a video was added."""
        async with self._transaction() as connection:
            await quota_usage.warn(connection, self.quotas, video)

    async def used_by(self, user_id: UserId) -> Used:
        """Return what somebody's videos take, wherever they are."""
        async with self._connection() as connection:
            return await quota_usage.used(connection, QuotaScope.USER, user_id)

    async def used_in(self, room_id: RoomId) -> Used:
        """Return what a room's videos take."""
        async with self._connection() as connection:
            return await quota_usage.used(connection, QuotaScope.ROOM, room_id)

    async def used_by_all(self) -> Used:
        """Return what all videos take."""
        async with self._connection() as connection:
            return await quota_usage.used(connection, QuotaScope.SERVER, "")

    async def fold_totals(self) -> None:
        """Add up the changes of how many videos are ready, of which one row stays."""
        await self._fetch("fold_totals")
