"""The bot's marks and notices about videos, so that they can be edited or redacted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from appservice.core.model import EventId, VideoId
from appservice.core.text.status import Mark
from appservice.store.pool import LockingDatabase

# By then no homeserver knows the transaction id of a mark any more, of which the number of redactions is a part.
_REDACTED_DAYS = 2
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class StatusPost:
    """The event of a mark or notice, None once it was redacted `times` times; `says` is a notice's reason."""

    event_id: EventId | None
    says: str
    times: int


class StatusPostStore(LockingDatabase):
    """Marks and notices. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def locked(self, video_id: VideoId) -> AsyncIterator[None]:
        """Lock the status of a video for ourselves among all workers."""
        async with self._holding("lock_status", video_id=video_id):
            yield

    async def posts(self, video_id: VideoId) -> dict[Mark, StatusPost]:
        """Return the marks and notices of a video."""
        return {
            Mark(row["kind"]): StatusPost(row["event_id"] or None, row["says"], row["times"])
            for row in await self._fetch("status_posts", video_id=video_id)
        }

    async def leads(self, video_id: VideoId) -> bool:
        """Say whether a video is the first of its message that is still here: the message's marks are its own."""
        row = await self._fetchrow("leads_message", video_id=video_id)
        return bool(row and row["leads"])

    async def save(self, video_id: VideoId, mark: Mark, event_id: EventId, says: str = "") -> None:
        """Store that a mark or notice was sent."""
        await self._fetch("save_status_post", video_id=video_id, kind=mark, event_id=event_id, says=says)

    async def mark_redacted(self, video_id: VideoId, mark: Mark) -> None:
        """Store that a mark or notice was redacted."""
        await self._fetch("mark_status_redacted", video_id=video_id, kind=mark)

    async def prune(self) -> None:
        """Delete what says of videos that have a mark which marks were redacted before, where that is long ago."""
        await self._fetch("prune_redacted_marks", days=_REDACTED_DAYS, most=_AT_ONCE)

    async def delete(self, video_id: VideoId) -> None:
        """Delete the marks and notices of a video."""
        await self._fetch("delete_status_posts", video_id=video_id)
