"""Deletes the stages of videos that are not served any more, once viewers have moved on from them."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from appservice.core.errors import HeldBackError
from appservice.core.model import Video, VideoId, Visibility
from appservice.media.storage import MediaStore
from appservice.service.media_keys import MediaKeys
from appservice.store import AttemptStore, VideoStore


@dataclass(frozen=True)
class StageSweeping:
    """Sweeps the stages of videos; one instance for a process."""

    store: AttemptStore
    videos: VideoStore
    files: MediaStore
    media_keys: MediaKeys

    async def later(self, video_id: VideoId) -> None:
        """Have the stages deleted in time that nothing refers to now, also those of attempts that died.

        Each job names its own: what is replaced by the time that it is run, was played until then.
        """
        stages = await self.files.stages(video_id)
        # Then: what was published meanwhile is referred to.
        if gone := stages - _needed(await self.videos.video(video_id)):
            await self.store.sweep_later(video_id, sorted(gone))

    async def stages(self, video_id: VideoId, stages: Collection[str]) -> None:
        """Delete those of a video's `stages` that nothing refers to any more."""
        gone = sorted(set(stages) - _needed(await self.videos.video(video_id)))
        for stage in gone:
            await self.files.remove(video_id, stage)
        await self.media_keys.delete(video_id, gone)

    async def all(self, video_id: VideoId) -> None:
        """Delete the stages of a video that nothing refers to any more: in time, where others of it are served.

        Those of an edit that failed go at once: they may be blocked.
        """
        video = await self.videos.video(video_id)
        if video and video.has_media and video.visibility is not Visibility.REMOVED:
            await self.stages(video_id, _of_failed_edits(video, await self.files.stages(video_id)))
            await self.later(video_id)
        else:
            await self._now(video_id, video)

    async def removed(self, video_id: VideoId) -> None:
        """Delete what a removal could not delete, since we were just writing it."""
        video = await self.videos.video(video_id)
        if video is None or video.visibility is Visibility.REMOVED:
            # During a backup its folder stays until one that no video needs is swept.
            with suppress(HeldBackError):
                await self._now(video_id, video)

    async def _now(self, video_id: VideoId, video: Video | None) -> None:
        # What a person deleted, and may still bring back, has its stage.
        await self.files.sweep(video_id, keep=_needed(video))
        await self.media_keys.sweep(video_id)


def _needed(video: Video | None) -> set[str]:
    """Return the stages that are served of a video, or may be again."""
    return {stage for stage in (video.media.stage, video.media.replaced_stage) if stage} if video else set()


def _of_failed_edits(video: Video, stages: Collection[str]) -> set[str]:
    """Return the stages of media that failed after those were made that play."""
    playing = video.media.replaced_stage or video.media.stage
    failed = range(_attempt_of(playing or "") + 1, video.work.attempts_before + 1)
    return {stage for stage in stages if _attempt_of(stage) in failed}


def _attempt_of(stage: str) -> int:
    number = stage.partition("-")[0]
    return int(number) if number.isascii() and number.isdecimal() else 0
