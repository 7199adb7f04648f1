"""The rungs below stream copies: left out at first, wanted by somebody, made at last."""

from appservice.core.jobs import Priority, TranscodeVideo
from appservice.core.model import Video, VideoId
from appservice.store.attempts import Published
from appservice.store.media_keys import add_key
from appservice.store.outbox import announce, queue
from appservice.store.pool import Database
from appservice.store.sql import query


class LowerRungStore(Database):
    """Every method raises UnavailableError when the database is away."""

    async def want(self, video_id: VideoId) -> bool:
        """Have the lower rungs of a video made; False where none are left out, or they are wanted already."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("want_rungs", id=video_id))
            if row is not None:
                await queue(connection, TranscodeVideo(video_id))
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

    async def publish(self, video: Video, published: Published) -> bool:
        """Show a video in a stage with all rungs; False when it is gone, or shown in another one by now."""
        bound = query(
            "publish_rungs", id=video.id, attempt=video.work.attempts, replaced=video.media.stage, **published.columns()
        )
        async with self._transaction() as connection:
            row = await connection.fetchrow(*bound)
            if row is None:
                return False
            if published.sealed_key is not None:
                await add_key(connection, video.id, published.stage, published.sealed_key)
            await announce(connection, row["room_id"])
            return True

    async def give_up(self, video: Video) -> None:
        """Leave a video without its lower rungs: they cannot be made."""
        await self._fetch("give_up_rungs", id=video.id, attempt=video.work.attempts)
