"""What tells the files of videos from others, and which of them are not to come into a room."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from appservice.core.model import RoomId, UserId, Video
from appservice.store.audit import Deed
from appservice.store.mapping import SQL, read_video
from appservice.store.outbox import Connection
from appservice.store.video_changes import ManagingStore
from transcode import is_copy


@dataclass(frozen=True, slots=True)
class Blocked:
    """A file that is not to come: its SHA-256, and what it looks like (`transcode.fingerprint`) where that is known."""

    source_hash: bytes
    fingerprint: bytes | None
    reason: str
    blocked_by: UserId


class ContentStore(ManagingStore):
    """The contents of files. Every method raises UnavailableError when the database is away."""

    async def blocked(self, room_id: RoomId) -> list[Blocked]:
        """Return what is not to come into a room."""
        return [Blocked(**dict(row)) for row in await self._fetch("blocks_of", room_id)]

    async def came_as(self, video: Video, source_hash: bytes) -> bytes | None:
        """Keep which file a video is, and return what that looks like, if a video of the same file told before."""
        row = await self._fetchrow("known_content", video.id, source_hash)
        return row["fingerprint"] if row else None

    async def looks_like(self, source_hash: bytes, fingerprint: bytes) -> None:
        """Keep what a file looks like."""
        await self._fetch("set_fingerprint", source_hash, fingerprint)

    async def take_copies(self, room_id: RoomId, source_hash: bytes) -> int:
        """Take away what looks like a file that is blocked in a room, where either is this file; return how many.

        For when that was not known as it was blocked, or as the video came. Whoever learns what a file looks like, or
        blocks one, has to ask this after their transaction: then the later of the two sees both.
        """
        async with self._transaction() as connection:
            blocks = [Blocked(**dict(row)) for row in await connection.fetch(SQL["blocks_of"], room_id)]
            looks = await connection.fetch(SQL["looks_of"], room_id) if blocks else []
            found = {
                row["id"]: block
                for block in blocks
                for row in looks
                if block.fingerprint
                and source_hash in (block.source_hash, row["source_hash"])
                and is_copy(block.fingerprint, row["fingerprint"])
            }
            rows = await connection.fetch(SQL["same_content_here"], room_id, None, list(found))
            for row in rows:
                block = found[row["id"]]
                await self._take_away(
                    connection, read_video(row), Deed.BLOCKED, by=block.blocked_by, reason=block.reason
                )
            return len(rows)

    async def take_everywhere(self, source_hash: bytes) -> int:
        """Take away, in all rooms, a file that is blocked in all, and what looks like it; return how many videos.

        To be asked again as `take_copies` is.
        """
        async with self._transaction() as connection:
            return await self._take_everywhere(connection, source_hash)

    async def _take_everywhere(self, connection: Connection, source_hash: bytes) -> int:
        row = await connection.fetchrow(SQL["block_everywhere"], source_hash)
        if row is None:
            return 0
        block = Blocked(**dict(row))
        copies: list[UUID] = []
        if block.fingerprint:
            looks = {row["id"]: row["fingerprint"] for row in await connection.fetch(SQL["looks_everywhere"])}
            # There may be very many of them, and everybody else's requests are not to wait.
            copies = await asyncio.to_thread(_copies, block.fingerprint, looks)
        taken = await connection.fetch(SQL["same_content_everywhere"], source_hash, copies)
        for each in taken:
            await self._take_away(connection, read_video(each), Deed.BLOCKED, by=block.blocked_by, reason=block.reason)
        return len(taken)


def _copies(fingerprint: bytes, looks: Mapping[UUID, bytes]) -> list[UUID]:
    return [video_id for video_id, look in looks.items() if is_copy(fingerprint, look)]
