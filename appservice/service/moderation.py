"""Use cases of a room's moderators: approval, rejection, reports, blocks."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appservice.core.model import HeldFor, UserId, Video, Visibility
from appservice.core.rules.video_permissions import (
    UNDO_S,
    VideoChange,
    Viewer,
    check_block,
    check_decide,
    check_dismiss,
    managed,
)
from appservice.service.sealed_contents import SealedContents
from appservice.store import Block, Stores
from appservice.store.audit import Deed

log = structlog.get_logger()


@dataclass(frozen=True)
class ModerationService:
    """What moderators decide. Every method raises what the rules refuse (`core/rules/video_permissions`)."""

    stores: Stores
    invalidate: Callable[[], None]
    """Invalidates the caches of this process."""
    contents: SealedContents

    async def approve(self, video: Video, viewer: Viewer) -> None:
        """Show a video that waits. Raises ConflictError when it waits no longer."""
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_decide(row.now, viewer)
            shown, _ = managed(
                row.now, VideoChange(visibility=Visibility.SHOWN), viewer, is_avatar=await row.is_avatar()
            )
            await row.save(shown)
            await row.note(Deed.APPROVED, by=viewer.user_id)
            await row.dismiss_reports()  # they were looked at
        self._done("video_approved", video, viewer.user_id)

    async def reject(self, video: Video, viewer: Viewer, reason: str) -> int:
        """Remove a video that waits; return when, in ms since the epoch. Raises ConflictError as `approve` does.

        Its sender is notified once that cannot be undone any more.
        """
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_decide(row.now, viewer)
            deleted_at = await row.take_away(Deed.REJECTED, by=viewer.user_id, reason=reason)
            await row.notify_sender("bot-rejected", once_gone_for=UNDO_S, reason=reason)
        self._done("video_rejected", video, viewer.user_id)
        return deleted_at

    async def dismiss_reports(self, video: Video, viewer: Viewer) -> bool:
        """Delete the reports of a video, which is shown if it waits for nothing else; False when there were none."""
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_dismiss(row.now, viewer)
            if not await row.count_reports() and row.now.withheld.held_for is not HeldFor.REPORTS:
                return False
            await row.dismiss_reports()
            await row.note(Deed.REPORTS_DISMISSED, by=viewer.user_id)
        self._done("reports_dismissed", video, viewer.user_id)
        return True

    async def block(self, video: Video, viewer: Viewer, reason: str) -> int:
        """Block a video's file and its copies in the room, and remove their videos; return how many.

        Raises UnknownContentError.
        """
        check_block(video, viewer)
        await self.contents.reveal(video, video.room_id)
        async with self.stores.changes.locked(video.id, video.room_id) as row:
            check_block(row.now, viewer)
            source_hash, count = await row.block(by=viewer.user_id, reason=reason)
        await self.contents.reveal(video, video.room_id)
        count += await self.stores.blocks.take_copies(video.room_id, source_hash)
        self._done("video_blocked", video, viewer.user_id)
        return count

    async def unblock(self, block: Block, *, by: UserId) -> bool:
        """Unblock a file; False when it was not blocked any more. The caller's list of blocks is the permission."""
        done = await self.stores.blocks.unblock(block, by=by)
        if done:
            log.info("file_unblocked", room_id=block.room_id, user_id=by)
        return done

    def _done(self, event: str, video: Video, user_id: UserId) -> None:
        self.invalidate()
        log.info(event, video_id=video.id, room_id=video.room_id, user_id=user_id)
