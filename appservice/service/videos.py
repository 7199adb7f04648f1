"""Use cases of videos: change, delete with undo, order, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from appservice.core.errors import ForbiddenError, GoneError
from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.core.room import Room
from appservice.core.rules.video_permissions import (
    UNDO_S,
    VideoChange,
    Viewer,
    check_delete,
    check_report,
    check_restore,
    check_undo,
    managed,
    may_order,
    viewer_in,
)
from appservice.store import Stores
from appservice.store.audit import Deed
from appservice.store.video_changes import deeds

log = structlog.get_logger()

Reorder = Callable[[Sequence[VideoId]], Sequence[VideoId]]
"""What becomes of the present order; raises what refuses it."""


@dataclass(frozen=True)
class VideoService:
    """What people do with videos. Every method raises what the rules refuse (`core/rules/video_permissions`)."""

    stores: Stores
    invalidate: Callable[[], None]
    """Invalidates the caches of this process."""

    async def change(self, video: Video, change: VideoChange, viewer: Viewer) -> Video:
        """Rename, hide, show or publish a video, or make it its sender's avatar.

        Raises ConflictError where `change` names an old version.
        """
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            worn = await row.is_avatar()
            changed, wears = managed(row.now, change, viewer, is_avatar=worn)
            if (changed, wears) == (row.now, worn):
                return row.now
            if wears is not worn:
                await row.wear(on=wears)
            saved = await row.save(changed)
            for deed in deeds(row.now, changed, worn=worn, wears=wears):
                await row.note(deed, by=viewer.user_id)
                if deed is Deed.APPROVED:
                    await row.dismiss_reports()  # they were looked at
        self._done("video_changed", video, viewer.user_id)
        return saved

    async def delete(self, video: Video, viewer: Viewer, reason: str = "") -> int:
        """Delete a video; for some seconds it can be restored. Return when, in ms since the epoch."""
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_delete(row.now, viewer)
            details = {"reason": reason} if reason else {}
            deleted_at = await row.take_away(Deed.DELETED, by=viewer.user_id, **details)
        self._done("video_deleted", video, viewer.user_id)
        return deleted_at

    async def restore(self, video_id: VideoId, room_id: RoomId, viewer: Viewer) -> Video:
        """Restore a video that was deleted just now. Raises GoneError when it is too late."""
        return await self._restore(video_id, room_id, viewer.user_id, lambda now: check_restore(now, viewer))

    async def restore_last(self, user_id: UserId, room_id: RoomId | None) -> Video | None:
        """Restore what somebody deleted last, in a room or in any; None where there is nothing to restore."""
        video = await self.stores.changes.last_deleted(user_id, room_id, UNDO_S)
        room = await self.stores.rooms.room(video.room_id) if video else None
        if video is None or room is None:
            return None
        return await self.restore(video.id, video.room_id, viewer_in(room, user_id))

    async def undo_deletion(self, video: Video, actor: UserId) -> Video:
        """Restore what an admin deleted, wherever it is. Raises GoneError when it is too late."""
        return await self._restore(video.id, video.room_id, actor, lambda now: check_undo(now, actor))

    async def _restore(
        self, video_id: VideoId, room_id: RoomId, actor: UserId, check: Callable[[Video], None]
    ) -> Video:
        async with self.stores.changes.locked(video_id, room_id) as row:
            check(row.now)
            restored = await row.restore(UNDO_S)
            if restored is None:
                raise GoneError("It is too late: the video is gone.")
            await row.note(Deed.RESTORED, by=actor)
        self._done("video_restored", restored, actor)
        return restored

    async def order(self, owner: UserId, room: Room, viewer: Viewer, reorder: Reorder) -> list[VideoId]:
        """Give a member's videos another order, and return it."""
        if not may_order(owner, viewer, room.settings):
            raise ForbiddenError("Only a member's own videos, or as a moderator, can be put into another order.")
        async with self.stores.changes.locked_reel(room.room_id, owner) as reel:
            order = list(reorder(reel.order))
            if order != reel.order:
                await reel.reorder(order, by=viewer.user_id)
        self.invalidate()
        return order

    async def report(self, video: Video, viewer: Viewer, reason: str) -> None:
        """Report a video to the room's moderators."""
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_report(row.now, viewer)
            await row.report(viewer.user_id, reason)
        self._done("video_reported", video, viewer.user_id)

    def _done(self, event: str, video: Video, user_id: UserId) -> None:
        self.invalidate()
        log.info(event, video_id=video.id, room_id=video.room_id, user_id=user_id)
