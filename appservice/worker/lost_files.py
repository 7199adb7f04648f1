"""Looks for videos whose files are gone: nobody else notices before somebody wants to watch them."""

import uuid

import structlog

from appservice.core.model import VideoId
from appservice.media.storage import MediaStore
from appservice.store import ErasureStore

log = structlog.get_logger()

_ROWS_AT_ONCE = 500
# In object storage each costs a request, and more where there are many videos.
_SHARDS_AT_ONCE = 8
_FIRST = VideoId(str(uuid.UUID(int=0)))


class LostFiles:
    """Compares rows with files, some at a time, in the order of ids; each process begins somewhere."""

    def __init__(self, store: ErasureStore, files: MediaStore) -> None:
        self._store, self._files = store, files
        self._after = VideoId(str(uuid.uuid4()))

    async def look(self) -> list[VideoId]:
        """Log, and return, the next videos whose stage is gone."""
        rows = await self._store.with_stages(self._after, _ROWS_AT_ONCE)
        listed, lost = dict[str, set[VideoId]](), list[VideoId]()
        for video_id, stage in rows:
            shards = self._files.shards_of(video_id)
            unlisted = [shard for shard in shards if shard not in listed]
            if unlisted and len(listed) + len(unlisted) > _SHARDS_AT_ONCE:
                return lost
            for shard in unlisted:
                listed[shard] = await self._files.ids(shard)
            if not any(video_id in listed[shard] for shard in shards) and await self._is_lost(video_id, stage):
                log.error("video_files_lost", video_id=video_id, stage=stage)
                lost.append(video_id)
            self._after = video_id
        if len(rows) < _ROWS_AT_ONCE:
            self._after = _FIRST
        return lost

    async def _is_lost(self, video_id: VideoId, stage: str) -> bool:
        """Look again: it may have been published, or have got another stage, since the listing."""
        return stage not in await self._files.stages(video_id) and await self._store.has_stage(video_id, stage)
