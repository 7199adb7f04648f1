"""Erasing people and rooms, and proving that nothing of them is left."""

from collections.abc import Iterable
from datetime import timedelta

from appservice.core.jobs import DeleteMessage
from appservice.core.model import EventId, RoomId, UserId, VideoId
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.outbox import queue
from appservice.store.pool import Database
from appservice.store.removal import erase_sent, erase_sent_rows, erase_uploads, remove_videos
from appservice.store.sql import query

_AT_ONCE = 100
_DAY_MS = 86_400_000
_MANY = 1000
# Longer than anything that was taken back is queried again.
_SPENT_S = 86_400
# Longer than a backfill goes (`worker/timeline`): after so many days away, the homeserver still delivers what was sent.
_UNHEARD_S = 8 * 86_400


class ErasureStore(Database):
    """Erasing. Every method raises UnavailableError when the database is away."""

    async def erase_user(self, user_id: UserId, *, by: UserId) -> int:
        """Erase somebody's videos, wherever they are, and all else that is stored of them; return how many videos."""
        async with self._transaction() as connection:
            await connection.execute(*query("lock_exports", user_id=user_id))
            # First, as the intake of an event locks it before its video.
            await erase_sent(connection, user_id=user_id, redact=True)
            rows = await connection.fetch(*query("removable_of_user", user_id=user_id))
            await erase_uploads(connection, owner=user_id)
            await remove_videos(connection, rows, by=by, redact=True, because="user")
            await connection.execute(*query("erase_person", user_id=user_id))
            await note(connection, by, Deed.ERASED, user_id=user_id, videos=len(rows))
        return len(rows)

    async def erase_room(self, room_id: RoomId, *, by: UserId) -> int:
        """Erase a room's videos and all else that is stored of it; return how many videos."""
        async with self._transaction() as connection:
            await erase_sent(connection, room_id=room_id, redact=True)
            rows = await connection.fetch(*query("removable_of_room", room_id=room_id))
            await erase_uploads(connection, room_id=room_id)
            await remove_videos(connection, rows, by=by, redact=True, because="room")
            await connection.execute(*query("erase_room", room_id=room_id))
            await note(connection, by, Deed.ERASED, room_id=room_id, videos=len(rows))
        return len(rows)

    async def erase_left_rooms(self, days: int) -> int:
        """Erase what is stored of rooms that the bot left so many days ago, some at a time; return how many rooms."""
        async with self._transaction() as connection:
            rooms = [RoomId(row["room_id"]) for row in await connection.fetch(*query("rooms_left_long_ago", days=days))]
            for room_id in rooms:
                await erase_sent(connection, room_id=room_id, redact=False)
                rows = await connection.fetch(*query("removable_of_room", room_id=room_id))
                await erase_uploads(connection, room_id=room_id)
                await remove_videos(connection, rows, by=ITSELF, redact=False, because="left-room")
                await connection.execute(*query("erase_room", room_id=room_id))
                await connection.execute(*query("clear_left", room_id=room_id))
                await note(connection, ITSELF, Deed.ERASED, room_id=room_id, videos=len(rows))
        return len(rooms)

    async def remove_due(self, days: int | None) -> int:
        """Remove videos that are older than `days`, or than `m.room.retention` of their room has it if that is shorter.

        Returns how many; the others are left for the next transaction.
        """
        longest = days * _DAY_MS if days else None
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("removable_due", longest_ms=longest, most=_AT_ONCE))
            await remove_videos(connection, rows, by=ITSELF, redact=True, because="retention")
        return len(rows)

    async def expire_sent(self) -> None:
        """Erase, and redact, what the bot sent on behalf of people in rooms that retain messages no longer than that.

        And what was taken back a day ago, or has no event for longer than a backfill goes. In other rooms the
        messages stay, and so does whose they are. So many at a time, the others are left for the next minute.
        """
        async with self._transaction() as connection:
            await erase_sent_rows(connection, await connection.fetch(*query("sent_due", limit=_MANY)), redact=True)
            await connection.execute(
                *query("delete_spent_sent", seconds=_SPENT_S, unheard_seconds=_UNHEARD_S, most=_MANY)
            )

    async def retry_tomorrow(self, job: DeleteMessage) -> None:
        """Queue the redactions again that failed today."""
        async with self._connection() as connection:
            await queue(connection, job, after=timedelta(days=1))

    async def is_attributed(self, room_id: RoomId, event_id: EventId) -> bool:
        """Say whether an event that the bot sent is still on behalf of somebody."""
        row = await self._fetchrow("is_attributed", room_id=room_id, event_id=event_id)
        return bool(row and row["attributed"])

    async def remains(self, *, user_id: UserId | None = None, room_id: RoomId | None = None) -> dict[str, int]:
        """Return how many rows of each kind are left of somebody, or of a room; nothing when all was erased."""
        return {row["what"]: row["n"] for row in await self._fetch("remains", user_id=user_id, room_id=room_id)}

    async def without_a_video(self, folders: Iterable[VideoId]) -> set[VideoId]:
        """Return those of the media folders that no video needs."""
        there = set(folders)
        needed = {VideoId(str(row["id"])) for row in await self._fetch("needed_folders", ids=list(there))}
        return there - needed

    async def with_stages(self, after: VideoId, most: int) -> list[tuple[VideoId, str]]:
        """Return the next videos that have a stage, in the order of their ids, and that stage."""
        rows = await self._fetch("videos_with_stages", after=after, most=most)
        return [(VideoId(str(row["id"])), row["stage"]) for row in rows]

    async def has_stage(self, video_id: VideoId, stage: str) -> bool:
        """Say whether a stage is (still) that of a video."""
        return await self._fetchrow("has_stage", id=video_id, stage=stage) is not None

    async def is_original_used(self, mxc: str) -> bool:
        """Say whether a video that is still here was sent as this content URI."""
        row = await self._fetchrow("is_mxc_used", mxc=mxc)
        return bool(row and row["used"])

    async def is_unsent(self, mxc: str) -> bool:
        """Say whether a file that we put into the media repository for a member is still there, and no message's."""
        row = await self._fetchrow("is_unsent", mxc=mxc)
        return bool(row and row["unsent"])

    async def media_owner(self, mxc: str) -> UserId | None:
        """Return whose a file is that we know of; empty when its owner took it back, None when we know nothing."""
        row = await self._fetchrow("media_owner", mxc=mxc)
        return UserId(row["owner"]) if row else None

    async def thumbnails_of(self, mxc: str) -> list[str]:
        """Return the content URIs of the thumbnails that we put beside a file."""
        return [row["mxc"] for row in await self._fetch("thumbnails_of", mxc=mxc)]

    async def media_stays(self, mxc: str) -> None:
        """Note that another's message has the same file, whose uploader took theirs back: it goes with that message."""
        await self._fetch("media_stays", mxc=mxc)

    async def media_gone(self, mxc: str) -> None:
        """Note that the homeserver has a file and its thumbnails no more, or that nobody can delete them there."""
        await self._fetch("media_gone", mxc=mxc)
