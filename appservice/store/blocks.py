"""Hashes and fingerprints of videos' files, and blocks of files in a room, or in all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from appservice.core.errors import NotFoundError
from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.store.audit import Deed, note
from appservice.store.mapping import read_video
from appservice.store.outbox import Connection, announce, concern_moderators
from appservice.store.pool import Database
from appservice.store.sql import query
from transcode import is_copy


@dataclass(frozen=True, slots=True)
class Content:
    """A file by its SHA-256, and what it looks like (`transcode.fingerprint`) where that is known."""

    source_hash: bytes
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A file that is not to come: its SHA-256, and what it looks like (`transcode.fingerprint`) where that is known."""

    source_hash: bytes
    fingerprint: bytes | None
    reason: str
    blocked_by: UserId


@dataclass(frozen=True, slots=True)
class Block:
    """A file that is not to come (again) into a room, or any (None): its SHA-256 in hexadecimal, and who blocked it."""

    room_id: RoomId | None
    source_hash: str
    reason: str
    blocked_by: UserId
    blocked_at: datetime


class UnknownContentError(NotFoundError):
    """A video cannot be blocked, for what its file looks like is not known."""


class BlockStore(Database):
    """The contents of files. Every method raises UnavailableError when the database is away."""

    async def blocked(self, room_id: RoomId) -> list[Blocked]:
        """Return what is not to come into a room."""
        return [Blocked(**dict(row)) for row in await self._fetch("blocks_of", room_id=room_id)]

    async def came_as(self, video: Video, source_hash: bytes) -> bytes | None:
        """Store which file a video is, and return its fingerprint, if a video of the same file had it before."""
        row = await self._fetchrow("known_content", id=video.id, source_hash=source_hash)
        return row["fingerprint"] if row else None

    async def looks_like(self, source_hash: bytes, fingerprint: bytes) -> None:
        """Store a file's fingerprint."""
        await self._fetch("set_fingerprint", source_hash=source_hash, fingerprint=fingerprint)

    async def seal_content(self, video_id: VideoId, sealed: bytes) -> None:
        """Store which file a video is, sealed."""
        await self._fetch("seal_content", id=video_id, sealed=sealed)

    async def sealed_content(self, video_id: VideoId) -> bytes | None:
        """Return which file a video is, where that is sealed."""
        row = await self._fetchrow("sealed_content", id=video_id)
        return row["sealed_content"] if row else None

    async def sealed_contents(self, room_id: RoomId | None) -> dict[VideoId, bytes]:
        """Return which files the videos of a room are, or those of all rooms, as far as that is sealed."""
        rows = await self._fetch("sealed_contents", room_id=room_id)
        return {VideoId(str(row["id"])): row["sealed_content"] for row in rows}

    async def content(self, video_id: VideoId) -> Content | None:
        """Return which file a video is, where that is known and not sealed."""
        row = await self._fetchrow("content_of", id=video_id)
        return Content(**dict(row)) if row and row["source_hash"] else None

    async def reveal(self, contents: Mapping[VideoId, Content]) -> None:
        """Store in the clear which files videos are."""
        async with self._transaction() as connection:
            for video_id, content in sorted(contents.items()):
                await connection.execute(
                    *query(
                        "reveal_content", id=video_id, source_hash=content.source_hash, fingerprint=content.fingerprint
                    )
                )

    async def take_copies(self, room_id: RoomId, source_hash: bytes) -> int:
        """Remove what looks like a file that is blocked in a room, where either is this file; return how many.

        For when that was not known as it was blocked, or as the video came. Whoever learns what a file looks like, or
        blocks one, has to query this after their transaction: then the later of the two sees both.
        """
        async with self._transaction() as connection:
            blocks = [Blocked(**dict(row)) for row in await connection.fetch(*query("blocks_of", room_id=room_id))]
            looks = await connection.fetch(*query("looks_of", room_id=room_id)) if blocks else []
            found = {
                row["id"]: block
                for block in blocks
                for row in looks
                if block.fingerprint
                and source_hash in (block.source_hash, row["source_hash"])
                and is_copy(block.fingerprint, row["fingerprint"])
            }
            rows = await connection.fetch(
                *query("same_content_here", room_id=room_id, source_hash=None, ids=list(found))
            )
            for row in rows:
                block = found[row["id"]]
                await take_away(connection, read_video(row), Deed.BLOCKED, by=block.blocked_by, reason=block.reason)
            return len(rows)

    async def take_everywhere(self, source_hash: bytes) -> int:
        """Remove, in all rooms, a file that is blocked in all, and what looks like it; return how many videos.

        To be repeated as `take_copies` is.
        """
        async with self._transaction() as connection:
            return await _take_everywhere(connection, source_hash)

    async def block_everywhere(self, content: Video | bytes, reason: str, *, by: UserId) -> int:
        """Block a file and its copies in all rooms, and remove their videos; return how many.

        The file is that of a video, or one by its SHA-256. Raises UnknownContentError.
        """
        async with self._transaction() as connection:
            source_hash, count = await block_everywhere(connection, content, by=by, reason=reason)
        return count + await self.take_everywhere(source_hash)

    async def blocks_everywhere(self) -> list[Block]:
        """Return what is blocked in all rooms, the latest first."""
        return [Block(**dict(row)) for row in await self._fetch("blocks_everywhere")]

    async def blocks(self, room_ids: Sequence[RoomId]) -> list[Block]:
        """Return what is blocked in some rooms, the latest first."""
        return [Block(**dict(row)) for row in await self._fetch("blocks", room_ids=room_ids)]

    async def unblock(self, block: Block, *, by: UserId) -> bool:
        """Unblock a file; False when it was not blocked any more."""
        async with self._transaction() as connection:
            if (
                await connection.fetchval(*query("unblock", room_id=block.room_id, source_hash=block.source_hash))
                is None
            ):
                return False
            await note(connection, by, Deed.UNBLOCKED, room_id=block.room_id, source_hash=block.source_hash)
            return True


async def take_away(connection: Connection, video: Video, deed: Deed, *, by: UserId, **details: object) -> int:
    """Delete a locked video, until it is restored or removed; return when, in ms since the epoch.

    `details` go into the audit log.
    """
    deleted_at: int = await connection.fetchval(*query("delete_video", id=video.id, deleted_by=by))
    await note(connection, by, deed, room_id=video.room_id, video_id=video.id, user_id=video.sender, **details)
    await concern_moderators(connection, video.id)
    await announce(connection, video.room_id)
    return deleted_at


async def block_here(connection: Connection, video: Video, *, by: UserId, reason: str) -> tuple[bytes, int]:
    """Block the file of a locked video in its room, and remove the videos that have it.

    Return its SHA-256, whose copies are to be taken next, and how many videos it took. Raises UnknownContentError.
    """
    content = await connection.fetchrow(*query("content_of", id=video.id))
    if content is None or content["source_hash"] is None:
        raise UnknownContentError("It is not known yet what this video's file is.")
    source_hash = bytes(content["source_hash"])
    copies = [
        row["id"]
        for row in await connection.fetch(*query("looks_of", room_id=video.room_id))
        if content["fingerprint"] and is_copy(content["fingerprint"], row["fingerprint"])
    ]
    rows = await connection.fetch(
        *query("same_content_here", room_id=video.room_id, source_hash=source_hash, ids=copies)
    )
    for row in rows:
        await take_away(connection, read_video(row), Deed.BLOCKED, by=by, reason=reason)
    await connection.execute(
        *query(
            "block",
            room_id=video.room_id,
            source_hash=source_hash,
            fingerprint=content["fingerprint"],
            reason=reason,
            blocked_by=by,
        )
    )
    return source_hash, len(rows)


async def block_everywhere(
    connection: Connection, content: Video | bytes, *, by: UserId, reason: str
) -> tuple[bytes, int]:
    """Do as `block_here` in all rooms, with the file of a video or one by its SHA-256."""
    if isinstance(content, Video):
        row = await connection.fetchrow(*query("content_of", id=content.id))
        if row is None or row["source_hash"] is None:
            raise UnknownContentError("It is not known yet what this video's file is.")
        source_hash = bytes(row["source_hash"])
    else:
        source_hash = content
    look = await connection.fetchval(*query("look_of", source_hash=source_hash))
    await connection.execute(
        *query("block", room_id=None, source_hash=source_hash, fingerprint=look, reason=reason, blocked_by=by)
    )
    await note(connection, by, Deed.BLOCKED, source_hash=source_hash.hex(), reason=reason)
    return source_hash, await _take_everywhere(connection, source_hash)


async def _take_everywhere(connection: Connection, source_hash: bytes) -> int:
    row = await connection.fetchrow(*query("block_everywhere", source_hash=source_hash))
    if row is None:
        return 0
    block = Blocked(**dict(row))
    copies: list[UUID] = []
    if block.fingerprint:
        looks = {row["id"]: row["fingerprint"] for row in await connection.fetch(*query("looks_everywhere"))}
        # There may be very many of them, and everybody else's requests are not to wait.
        copies = await asyncio.to_thread(_copies, block.fingerprint, looks)
    taken = await connection.fetch(*query("same_content_everywhere", source_hash=source_hash, ids=copies))
    for each in taken:
        await take_away(connection, read_video(each), Deed.BLOCKED, by=block.blocked_by, reason=block.reason)
    return len(taken)


def _copies(fingerprint: bytes, looks: Mapping[UUID, bytes]) -> list[UUID]:
    return [video_id for video_id, look in looks.items() if is_copy(fingerprint, look)]
