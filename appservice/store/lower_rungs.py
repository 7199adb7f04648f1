"""The rungs below stream copies: left out at first, wanted by somebody, made at last."""

from appservice.core.jobs import Priority, TranscodeVideo
from appservice.core.model import Video, VideoId
from appservice.store.outbox import queue
from appservice.store.pool import Database
from appservice.store.sql import query


class LowerRungStore(Database):
    """Every method raises UnavailableError when the database is away."""

    async def want(self, video_id: VideoId) -> bool:
        """Have the lower rungs of a video made; False where none are left out, or a viewer wanted them before."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("want_rungs", id=video_id))
            if row is not None and row["needs_job"]:
                await queue(connection, TranscodeVideo(video_id), priority=Priority.BACKGROUND)
            return row is not None

    async def want_when_idle(self) -> VideoId | None:
        """Have those of one video made, while no process has anything else to transcode; return which."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("want_rungs_when_idle"))
            if row is None:
                return None
            video_id = VideoId(str(row["id"]))
            await queue(connection, TranscodeVideo(video_id), priority=Priority.BACKGROUND)
            return video_id

    async def is_wanted(self, video: Video) -> bool:
        """Say whether a viewer wants the lower rungs of a video, also before it is known whether it gets any."""
        return await self._fetchrow("wants_rungs", id=video.id, attempt=video.work.attempts) is not None

    async def leave_out_again(self, video: Video) -> bool:
        """Put lower rungs off that were to be made in spare time; False where a viewer wants them by now."""
        return await self._fetchrow("leave_out_again", id=video.id, attempt=video.work.attempts) is not None
