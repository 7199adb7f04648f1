"""The jobs of videos: bring one to `ready`, whose file may still be to come, and sweep the files of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from appservice.core.errors import MediaError, NotYetUploadedError
from appservice.core.model import PLAYABLE_STATES, State, Video, VideoId
from appservice.core.room import Membership
from appservice.core.rules.fairness import Party
from appservice.core.rules.retries import upload_delay
from appservice.matrix.download import is_awaited
from appservice.worker.attempts import RetryLaterError, SupersededError, run_attempts
from appservice.worker.concurrency import Ladder, ProcessorSlots
from appservice.worker.lower_rungs import make_lower_rungs
from appservice.worker.scratch import workspace
from appservice.worker.transcode_options import limits_of
from appservice.worker.video_attempt import VideoAttempt, VideoServices
from transcode import TranscodeError

log = structlog.get_logger()


@dataclass(frozen=True)
class VideoWork:
    """Works on videos; one instance for a process."""

    services: VideoServices
    slots: ProcessorSlots

    async def run(self, video_id: VideoId) -> None:
        """Bring a video to `ready` or `failed`. Raises RetryLaterError when another attempt is due later."""
        video = await self.services.videos.video(video_id)
        if video:
            await self._check_room(video)
            await self._expect_upload(video)
        party = Party(video.sender, video.room_id) if video else Party("", "")
        begin = partial(self._begin, video_id, party)
        await run_attempts("video", begin, most=self.services.config.worker.attempts)

    async def sweep(self, video_id: VideoId) -> None:
        """Delete the files of a video that nothing refers to any more."""
        await self.services.sweep(video_id)

    @asynccontextmanager
    async def _begin(self, video_id: VideoId, party: Party) -> AsyncIterator[VideoAttempt | None]:
        async with self.slots.beginning(party) as ladder:
            video = await self.services.store.begin_attempt(video_id)
            if video is None:
                await self.services.sweep_removed(video_id)
                await self._finish_again(video_id, ladder)
            yield VideoAttempt(self.services, video, ladder) if video else None

    async def _check_room(self, video: Video) -> None:
        """Remove a video that came before it was known that its room is encrypted, unless somebody had opted in."""
        services = self.services
        room = await services.rooms.room(video.room_id)
        if room is None or room.state_read or room.bot_membership is not Membership.JOIN:
            return
        if await services.homeserver.is_encrypted(room.room_id):
            await services.rooms.settle_unread(room.room_id)

    async def _expect_upload(self, video: Video) -> None:
        """Check whether a file has come that was not uploaded yet: without an attempt, and without a slot.

        Raises RetryLaterError while it has not.
        """
        if video.file.awaited_since is None or video.state not in {State.QUEUED, *PLAYABLE_STATES}:
            return
        services, mxc = self.services, video.file.mxc
        delay = upload_delay(await services.rooms.now() - video.file.awaited_since)
        # However many messages name the same file, it is requested once; unless this one's time is over.
        if delay is None or await services.store.first_awaiting(mxc) in {video.id, None}:
            awaited = await is_awaited(services.session, services.homeserver, mxc)
            if awaited is False:
                await services.store.upload_came(mxc)
            if not awaited:
                return
        if delay is not None:
            raise RetryLaterError(delay) from NotYetUploadedError(f"{mxc} is not uploaded yet.")
        error = MediaError("never-uploaded", f"{mxc} was not uploaded in time.", final=True)
        log.warning("video_failed", video_id=video.id, room_id=video.room_id, code=error.code, reason=str(error))
        await services.fail(video, error)

    async def _finish_again(self, video_id: VideoId, ladder: Ladder) -> None:
        """Finish what a worker left undone that died or was stopped when its video was ready, or most of it.

        So it is with lower rungs that are wanted by now.
        """
        services = self.services
        video = await services.store.begin_finishing(video_id, services.config.worker.attempts)
        if video is None:
            return
        try:
            with workspace(services.scratch, video.id) as folder:
                source = folder / "source"
                downloaded = await services.download(video, source)
                await make_lower_rungs(services, video, source, downloaded.sha256, ladder)
                await services.finish(video, source, downloaded.sha256, limits_of(services.config))
        except SupersededError:
            # Nothing is to be learnt of the file: the video may be another one by now.
            log.info("lower_rungs_superseded", video_id=video_id)
        except (MediaError, NotYetUploadedError, TranscodeError) as error:
            # It plays, and its file is gone from the homeserver: it is known by its bytes alone.
            log.warning("video_not_learnt", video_id=video_id, reason=str(error))
            if getattr(error, "final", True):
                await services.lower_rungs.give_up(video)
                await services.store.finished(video)
