"""The jobs of videos: bring one to `ready`, whose file may still be to come, and sweep the files of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from appservice.core.errors import MediaError, NotYetUploadedError
from appservice.core.model import DUE_RUNGS, PLAYABLE_STATES, State, Video, VideoId
from appservice.core.room import Membership
from appservice.core.rules.fairness import Party
from appservice.core.rules.retries import upload_delay
from appservice.matrix.download import is_awaited
from appservice.worker.attempts import RetryLaterError, run_attempts
from appservice.worker.concurrency import ProcessorSlots
from appservice.worker.finishing import finish_again
from appservice.worker.taken_jobs import Offers
from appservice.worker.video_attempt import VideoAttempt, VideoServices

log = structlog.get_logger()


@dataclass(frozen=True)
class VideoWork:
    """Works on videos; one instance for a process."""

    services: VideoServices
    slots: ProcessorSlots
    offers: Offers

    async def run(self, video_id: VideoId) -> None:
        """Bring a video to `ready` or `failed`.

        Raises RetryLaterError when another attempt is due later, and TakenError when another process took it.
        """
        video = await self.services.videos.video(video_id)
        if video and video.state is State.READY and video.media.lower_rungs in DUE_RUNGS:
            # Nobody's slot but a ladder's.
            await finish_again(self.services, video_id, self.slots)
            return
        if video:
            await self._check_room(video)
            await self._expect_upload(video)
        party = Party(video.sender, video.room_id) if video else Party("", "")
        begin = partial(self._begin, video_id, party)
        await run_attempts("video", begin, most=self.services.config.worker.attempts)

    @asynccontextmanager
    async def _begin(self, video_id: VideoId, party: Party) -> AsyncIterator[VideoAttempt | None]:
        async with self.slots.beginning(party, self.offers.waiting) as ladder:
            video = await self.services.store.begin_attempt(video_id)
            if video is not None:
                self.slots.preempt()
            else:
                await self.services.sweeping.removed(video_id)
                await finish_again(self.services, video_id)
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
