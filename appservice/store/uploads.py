"""Uploads: their owners and deadlines, how far the work on each is, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from appservice.core.errors import ForbiddenError, LimitExceededError
from appservice.core.jobs import ConvertUpload
from appservice.core.model import RoomId, UploadId, UserId
from appservice.core.rules.quotas import NO_LIMITS, Quotas, QuotaScope
from appservice.store.opt_ins import may_take_videos
from appservice.store.outbox import Pool, queue
from appservice.store.pool import Database
from appservice.store.quota_usage import used_up
from appservice.store.removal import IN_FLIGHT, delete_expired, delete_unsent
from appservice.store.sql import query
from transcode.source.audio_loss import AudioLoss

MOST_UNFINISHED = 3
# A page that was closed leaves its upload behind; a recording that goes on sends something every few seconds.
_IDLE_S = 15 * 60.0
_SETTLED_S = 60.0
_AUDIO_LEFT_OUT = "audio_left_out"


class UploadState(StrEnum):
    """How far an upload has come."""

    UPLOADING = "uploading"
    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a member sends in the widget; `length` in bytes (None: not declared yet), `start` and `end` of what
    stays in seconds, `content` of the message to send once it is ready, and what of its audio is then missing.
    """

    id: UploadId
    room_id: RoomId
    owner: UserId
    filename: str
    metadata: str
    length: int | None
    state: UploadState
    start: float | None
    end: float | None
    convert: bool
    attempts: int
    percent: int | None
    failure: str | None
    content: dict[str, Any] | None
    audio_left_out: AudioLoss | None
    expires_at: datetime


def _read(row: asyncpg.Record) -> Upload:
    # The row has in one document what is sent, and what is not.
    content = dict(row["content"]) if row["content"] else None
    lost = content.pop(_AUDIO_LEFT_OUT, None) if content else None
    return Upload(
        id=UploadId(str(row["id"])),
        room_id=RoomId(row["room_id"]),
        owner=UserId(row["owner"]),
        filename=row["filename"],
        metadata=row["metadata"],
        length=row["length"],
        state=UploadState(row["state"]),
        start=row["trim_start"],
        end=row["trim_end"],
        convert=row["convert"],
        attempts=row["attempts"],
        percent=row["percent"],
        failure=row["failure"],
        content=content,
        audio_left_out=AudioLoss(lost) if lost else None,
        expires_at=row["expires_at"],
    )


class SupersededUploadError(Exception):
    """The upload was given up meanwhile, or a newer attempt has taken over."""


class UploadStore(Database):
    """The rows of uploads; their bytes are `files.UploadFolder`'s, and then the homeserver's."""

    def __init__(self, pool: Pool, quotas: Quotas = NO_LIMITS) -> None:
        super().__init__(pool)
        self._quotas = quotas

    async def create(
        self, room_id: RoomId, owner: UserId, *, filename: str, metadata: str, length: int | None
    ) -> Upload:
        """Begin an upload. Raises LimitExceededError while the member has as many unfinished ones as may be.

        Raises ForbiddenError where the room takes no videos.
        """
        async with self._transaction() as connection:
            if not await may_take_videos(connection, [room_id], None):
                raise ForbiddenError("Nobody has opted this encrypted room in: videos cannot be sent from here.")
            await connection.execute(*query("lock_uploads", owner=owner))
            unfinished: int = await connection.fetchval(*query("unfinished_uploads", owner=owner))
            if unfinished >= MOST_UNFINISHED and not await connection.fetchval(
                *query("give_up_upload", owner=owner, idle_seconds=_IDLE_S)
            ):
                raise LimitExceededError(
                    f"You have {unfinished} uploads under way. Finish or cancel one, or try again later."
                )
            row = await connection.fetchrow(
                *query(
                    "insert_upload", room_id=room_id, owner=owner, filename=filename, metadata=metadata, length=length
                )
            )
            if row is None:
                raise AssertionError("an INSERT without conflicts returns its row")
            return _read(row)

    async def upload(self, upload_id: UploadId, room_id: RoomId, owner: UserId) -> Upload | None:
        """Return a member's upload in a room, None when it is not theirs or has expired."""
        row = await self._fetchrow("upload", id=upload_id, room_id=room_id, owner=owner)
        return _read(row) if row else None

    async def set_length(self, upload: Upload, length: int) -> bool:
        """Store the length that was not known at the creation; False when there is one by now."""
        return await self._fetchrow("set_upload_length", id=upload.id, length=length) is not None

    async def touch(self, upload: Upload) -> None:
        """Note that bytes arrived."""
        await self._fetch("touch_upload", id=upload.id)

    async def finish(self, upload: Upload, *, start: float | None, end: float | None, convert: bool) -> bool:
        """Queue the work on an upload all of whose bytes are there; False when that has been done."""
        async with self._transaction() as connection:
            if (
                await connection.fetchrow(
                    *query("finish_upload", id=upload.id, trim_start=start, trim_end=end, convert=convert)
                )
                is None
            ):
                return False
            await queue(connection, ConvertUpload(upload.id))
            return True

    async def delete(self, upload: Upload) -> None:
        """Delete an upload, whatever its state, and what is at the homeserver of it unless that was sent."""
        async with self._transaction() as connection:
            await connection.execute(*query("delete_upload", id=upload.id))
            # A client that has the content of the message may have sent it just now.
            after = IN_FLIGHT if upload.state is UploadState.READY else None
            await delete_unsent(connection, upload_id=upload.id, after=after)

    async def begin_attempt(self, upload_id: UploadId) -> Upload | None:
        """Count one more attempt and return the upload, None when there is nothing left to do for it."""
        row = await self._fetchrow("begin_upload_attempt", id=upload_id)
        return _read(row) if row else None

    async def give_back_attempt(self, upload: Upload) -> None:
        """Uncount an attempt that ended for a reason that is not the file's."""
        await self._fetch("give_back_upload_attempt", id=upload.id, attempt=upload.attempts)

    async def is_wanted(self, upload: Upload) -> bool:
        """Say whether an attempt still has something to do: the upload is there, and no newer attempt has begun."""
        return await self._fetchrow("upload_wanted", id=upload.id, attempt=upload.attempts) is not None

    async def progress(self, upload: Upload, percent: int) -> None:
        """Store how far an attempt is."""
        await self._fetch("upload_progress", id=upload.id, attempt=upload.attempts, percent=percent)

    async def register_media(
        self, upload: Upload, mxc: str, size: int, *, thumbnail_of: str | None = None
    ) -> QuotaScope | None:
        """Store that something is put into the media repository, from when on it counts until a message brings it.

        Returns the scope that has no room for it, and then lets it be deleted. Raises SupersededUploadError when
        nobody waits for it (any more); then it is deleted as well.
        """
        async with self._transaction() as connection:
            if self._quotas != NO_LIMITS:
                await connection.execute(*query("lock_quotas"))
            current = (
                await connection.fetchrow(*query("hold_upload", id=upload.id, attempt=upload.attempts)) is not None
            )
            full = None
            if current and thumbnail_of is None:
                full = await used_up(connection, self._quotas, upload.owner, upload.room_id, but=upload.id)
            await connection.execute(
                *query(
                    "register_media",
                    mxc=mxc,
                    upload_id=upload.id,
                    owner=upload.owner,
                    room_id=upload.room_id,
                    bytes=size,
                    thumbnail_of=thumbnail_of,
                )
            )
            if full or not current:
                await delete_unsent(connection, upload_id=upload.id)
        if not current:
            raise SupersededUploadError
        return full

    async def ready(
        self, upload: Upload, content: Mapping[str, object], mxc: str, audio_left_out: AudioLoss | None = None
    ) -> bool:
        """Store what the member is to send, which has the file `mxc`; what earlier attempts uploaded goes.

        `audio_left_out`: of what it was made of. The video that it becomes says so, too. Returns False when the upload
        is gone or a newer attempt has taken over.
        """
        async with self._transaction() as connection:
            stored = {**content, **({_AUDIO_LEFT_OUT: audio_left_out} if audio_left_out else {})}
            found = await connection.fetchrow(
                *query("upload_ready", id=upload.id, attempt=upload.attempts, content=stored)
            )
            if found is not None:
                await delete_unsent(connection, upload_id=upload.id, but=mxc)
            return found is not None

    async def fail(self, upload: Upload, code: str) -> bool:
        """End the work with a reason; what is at the homeserver of it goes. False as `ready` does."""
        async with self._transaction() as connection:
            found = await connection.fetchrow(
                *query("upload_failed", id=upload.id, attempt=upload.attempts, failure=code)
            )
            if found is not None:
                await delete_unsent(connection, upload_id=upload.id)
            return found is not None

    async def recover_lost_jobs(self) -> int:
        """Queue every upload that is to be prepared and has no job (any more); return how many there were."""
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("uploads_without_job"))
            await queue(connection, *(ConvertUpload(UploadId(str(row["id"]))) for row in rows))
        return len(rows)

    async def expire(self) -> None:
        """Expire what nobody came back for, and, after a while, what is at the homeserver of it."""
        async with self._transaction() as connection:
            await connection.execute(*query("expire_uploads"))
            await delete_expired(connection)

    async def with_bytes(self) -> dict[UploadId, bool]:
        """Return the ids whose file is still needed, and whether it must be there by now."""
        return {
            UploadId(str(row["id"])): row["settled"]
            for row in await self._fetch("uploads_with_bytes", settled_seconds=_SETTLED_S)
        }

    async def delete_lost(self, upload_id: UploadId) -> None:
        """Delete an upload whose bytes are lost."""
        await self._fetch("delete_upload", id=upload_id)
