"""Use cases of admins, and erasing all that is somebody's. Callers check permissions."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.service.sealed_contents import SealedContents
from appservice.store import Stores

log = structlog.get_logger()


@dataclass(frozen=True)
class AdministrationService:
    """What admins do. `undoes`: the line of the audit log that is taken back."""

    stores: Stores
    invalidate: Callable[[], None]
    """Invalidates the caches of this process."""
    contents: SealedContents

    async def quarantine_video(self, video: Video, *, by: UserId, **details: object) -> bool:
        """Hide a video from everybody until an admin releases it; False when it is there already."""
        done = await self.stores.admin.quarantine_video(video, by=by, **details)
        if done:
            self._done("video_quarantined", by, video_id=video.id)
        return done

    async def release_video(self, video: Video, *, by: UserId, **details: object) -> bool:
        """Give a video back what it was before its quarantine; False when it is not there."""
        done = await self.stores.admin.release_video(video, by=by, **details)
        if done:
            self._done("video_released", by, video_id=video.id)
        return done

    async def quarantine_user(self, user_id: UserId, *, by: UserId, **details: object) -> int | None:
        """Hide all videos of somebody, and those to come, from everybody; return how many, None when it was so."""
        count = await self.stores.admin.quarantine_user(user_id, by=by, **details)
        if count is not None:
            self._done("user_quarantined", by, sender=user_id)
        return count

    async def release_user(self, user_id: UserId, *, by: UserId, **details: object) -> int | None:
        """Undo `quarantine_user`; videos that are there by themselves stay. None when they were not there."""
        count = await self.stores.admin.release_user(user_id, by=by, **details)
        if count is not None:
            self._done("user_released", by, sender=user_id)
        return count

    async def block_everywhere(self, content: Video | bytes, reason: str, *, by: UserId) -> int:
        """Block a file and its copies in all rooms, and remove their videos; return how many.

        The file is that of a video, or one by its SHA-256. Raises UnknownContentError.
        """
        await self.contents.reveal(content, None)
        count = await self.stores.blocks.block_everywhere(content, reason, by=by)
        if revealed := await self.contents.reveal(content, None):
            count += await self.stores.blocks.take_everywhere(revealed.source_hash)
        self._done("file_blocked_everywhere", by, videos=count)
        return count

    async def requeue(self, video_id: VideoId, *, by: UserId) -> bool:
        """Give a failed video a new start; False when it has not failed."""
        done = await self.stores.attempts.requeue(video_id, by=by)
        if done:
            self._done("video_requeued", by, video_id=video_id)
        return done

    async def erase_user(self, user_id: UserId, *, by: UserId) -> int:
        """Erase somebody's videos, wherever they are, and all else that is stored of them; return how many videos."""
        count = await self.stores.erasure.erase_user(user_id, by=by)
        self._done("user_erased", by, videos=count)
        return count

    async def erase_room(self, room_id: RoomId, *, by: UserId) -> int:
        """Erase a room's videos and all else that is stored of it; return how many videos."""
        count = await self.stores.erasure.erase_room(room_id, by=by)
        self._done("room_erased", by, videos=count)
        return count

    def _done(self, event: str, by: UserId, **details: object) -> None:
        self.invalidate()
        log.info(event, user_id=by, **details)
