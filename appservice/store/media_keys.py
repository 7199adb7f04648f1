"""The keys of encrypted stages, as they are stored: sealed."""

from collections.abc import Sequence

from appservice.core.model import VideoId
from appservice.store.outbox import Connection
from appservice.store.pool import Database
from appservice.store.sql import query


class MediaKeyStore(Database):
    """Keys of stages. Every method raises UnavailableError when the database is away."""

    async def sealed_key(self, video_id: VideoId, stage: str) -> bytes | None:
        """Return the key of a stage; None where its files are not encrypted, or are gone."""
        row = await self._fetchrow("sealed_key", video_id=video_id, stage=stage)
        return row["sealed"] if row else None

    async def sweep(self, video_id: VideoId) -> None:
        """Delete the keys of a video's stages that nothing refers to any more."""
        await self._fetch("sweep_keys", video_id=video_id)

    async def delete(self, video_id: VideoId, stages: Sequence[str]) -> None:
        """Delete the keys of stages whose files are deleted."""
        async with self._transaction() as connection:
            await delete_keys(connection, video_id, stages)


async def add_key(connection: Connection, video_id: VideoId, stage: str, sealed: bytes) -> None:
    """Store the key of a stage in the transaction that publishes it: nobody fetches one without the other."""
    await connection.execute(*query("add_key", video_id=video_id, stage=stage, sealed=sealed))


async def delete_keys(connection: Connection, video_id: VideoId, stages: Sequence[str]) -> None:
    """Delete the keys of stages that are withdrawn."""
    await connection.execute(*query("delete_keys", video_id=video_id, stages=list(stages)))
