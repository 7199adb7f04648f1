"""Makes the rungs below a stream copy that were left out: a stage with all of them replaces the one without."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from appservice import metrics
from appservice.core.errors import MediaError
from appservice.core.model import DUE_RUNGS, LowerRungs, State, Video
from appservice.store import LowerRungStore
from appservice.worker.attempts import SupersededError, while_wanted
from appservice.worker.concurrency import ProcessorSlots
from appservice.worker.publication import Publication
from appservice.worker.transcode_options import content_hash, limits_of
from appservice.worker.video_attempt import VideoServices
from transcode import READY, TranscodeError, Transcoding

log = structlog.get_logger()

# Of the machine's processors, the share that may be busy while it counts as idle.
_IDLE_SHARE = 0.5
_NEXT_S = 2.0


async def share_lower_rungs(services: VideoServices, video: Video) -> bool:
    """Take all rungs of a video from another one of the same file that has them, without fetching it again.

    False where there is none, or the video's file is to be fetched anyway. Raises as `make_lower_rungs`.
    """
    known = await services.blocklist.store.content(video.id)
    if video.media.lower_rungs not in DUE_RUNGS or known is None or known.fingerprint is None:
        return False
    async with _publishing(services, video, known.source_hash) as publication:
        shared = await publication.share(limits_of(services.config).max_duration, whole=True)
    if shared:
        _count_made(video)
    return shared


async def check_source(services: VideoServices, video: Video, source_hash: bytes) -> None:
    """Raise MediaError unless it is the file that was judged and shown: its homeserver may send another one by now."""
    if video.media.lower_rungs not in DUE_RUNGS or video.file.encrypted_file is not None:
        return
    if not await services.blocklist.came_before(video, source_hash):
        raise MediaError("media-gone", "The homeserver sends another file than before.", final=True)


async def make_lower_rungs(
    services: VideoServices, video: Video, source: Path, source_hash: bytes, slots: ProcessorSlots
) -> None:
    """Make the lower rungs of a video from its file (`source_hash` is its SHA-256), where they are wanted.

    Raises MediaError or TranscodeError where they cannot be made (now): the video plays as it is; SupersededError when
    it is gone, or has other media; and PreemptedError where they are made in spare time, and there is none any more.
    """
    if video.media.lower_rungs not in DUE_RUNGS:
        return

    async def is_wanted() -> bool:
        if await services.lower_rungs.is_wanted(video):
            # By a viewer, who may have come when it had begun in spare time.
            slots.keep(video.id)
        return await services.store.is_wanted(video)

    try:
        await while_wanted(_publish(services, video, source, source_hash, slots), is_wanted)
    except (MediaError, TranscodeError) as error:
        log.warning("lower_rungs_failed", video_id=video.id, code=error.code, reason=str(error))
        metrics.LOWER_RUNGS.labels(outcome="failed").inc()
        raise
    _count_made(video)


def _count_made(video: Video) -> None:
    log.info("lower_rungs_made", video_id=video.id, room_id=video.room_id)
    metrics.LOWER_RUNGS.labels(outcome="made").inc()


@asynccontextmanager
async def _publishing(services: VideoServices, video: Video, source_hash: bytes) -> AsyncIterator[Publication]:
    content = content_hash(source_hash, services.settings, services.config, video.kind)
    keys = services.media_keys.new_for(await services.rooms.room(video.room_id))
    publication = Publication(video, content, services.store, services.files, keys)
    try:
        yield publication
    except SupersededError:
        await services.media_keys.delete(video.id, await publication.withdraw())
        raise


async def _publish(
    services: VideoServices, video: Video, source: Path, source_hash: bytes, slots: ProcessorSlots
) -> None:
    limits, folder = limits_of(services.config), source.parent
    spare = video.media.lower_rungs is LowerRungs.SPARE
    async with slots.lower_rungs(video.id, spare=spare), _publishing(services, video, source_hash) as publication:
        if await publication.share(limits.max_duration, whole=True):
            return
        out = folder / "out"
        job = Transcoding(source, out, tools=services.tools, limits=limits, settings=services.settings)
        async with job as transcoding:
            # What the ladder has to match; the same copy is in it.
            await transcoding.skip_first_stage(publication.key(State.PLAYABLE))
            made = await transcoding.ladder(publication.key(State.READY))
            if video.media.stage and not video.media.encrypted:
                # The stage before stays for hours, with the same copy.
                await services.files.link_same(out / READY, video.id, video.media.stage)
            await publication.ready(made, out / READY)


@dataclass(frozen=True)
class IdleRungs:
    """Has lower rungs made while nothing else is to be done; one instance for a process."""

    store: LowerRungStore

    async def act(self) -> float | None:
        """Have those of one video made; return in how many seconds to look again, where there may be more."""
        if os.getloadavg()[0] > _IDLE_SHARE * (os.cpu_count() or 1):
            return None
        video_id = await self.store.want_when_idle()
        if video_id is None:
            return None
        metrics.LOWER_RUNGS.labels(outcome="wanted_when_idle").inc()
        return _NEXT_S
