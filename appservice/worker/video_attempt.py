"""One attempt at a video: download, transcode, publish twice, or end with a reason that its sender reads."""

from collections.abc import Awaitable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic

import aiohttp
import structlog
from structlog.typing import FilteringBoundLogger

from appservice import metrics
from appservice.config import Config, LadderPolicy
from appservice.core.errors import HeldBackError, MediaError, NotYetUploadedError
from appservice.core.events.media_kinds import name_without_suffix
from appservice.core.model import Kind, State, Video
from appservice.core.rules.quotas import QuotaScope
from appservice.core.rules.retries import SOONEST, Cause, cause_of
from appservice.core.settings import RoomSettings
from appservice.encryption.keyring import Keyring
from appservice.matrix.client import HomeserverClient
from appservice.matrix.download import Downloaded, download
from appservice.media.storage import MediaStore
from appservice.service.media_keys import MediaKeys
from appservice.store import AttemptStore, LowerRungStore, QuotaStore, RoomStore, VideoStore
from appservice.worker.attempts import Result, RetryLaterError, SupersededError, while_wanted
from appservice.worker.blocklist import Blocklist
from appservice.worker.concurrency import Ladder
from appservice.worker.conversion import kind_of, shown_for, video_of
from appservice.worker.progress import Reporter, reported
from appservice.worker.publication import Publication
from appservice.worker.runner_files import Wanted
from appservice.worker.runner_ladders import RunnerLadders
from appservice.worker.scratch import workspace
from appservice.worker.sealed_keys import opened
from appservice.worker.sweeping import StageSweeping
from appservice.worker.transcode_options import content_hash, limits_of
from transcode import PLAYABLE, READY, Limits, Settings, Tools, TranscodeError, Transcoding

log = structlog.get_logger()

MIB = 1024 * 1024
_PIXELS_PER_S = 1e8
"""What a ladder takes of its source on a small machine, about: only the order of ladders depends on it."""
_OF_ANOTHER_KIND = frozenset({"not-a-video", "not-a-picture", "not-a-sound"})
_NEVER_CAME = frozenset({"never-uploaded"})
_NO_ROOM = frozenset({f"quota-{scope}" for scope in QuotaScope})


@dataclass(frozen=True)
class VideoServices:
    """What the work on videos needs, and what ends it; one instance for a process."""

    config: Config
    store: AttemptStore
    lower_rungs: LowerRungStore
    rooms: RoomStore
    videos: VideoStore
    homeserver: HomeserverClient
    session: aiohttp.ClientSession
    files: MediaStore
    sweeping: StageSweeping
    tools: Tools
    settings: Settings
    scratch: Path
    blocklist: Blocklist
    quotas: QuotaStore
    media_keys: MediaKeys
    runners: RunnerLadders
    keyring: Keyring | None

    def makes_lower_rungs(self, video: Video) -> bool:
        """Say whether the rungs below a stream copy are made before anybody needs them."""
        # What we make of images and audio is small.
        return self.config.transcode.ladder is LadderPolicy.ALWAYS or video.kind is not Kind.VIDEO

    async def download(self, video: Video, source: Path) -> Downloaded:
        """Download a video's file to `source`. Raises MediaError and NotYetUploadedError."""
        file = video.file.encrypted_file
        return await download(
            self.session, self.homeserver, video.file.mxc, source,
            max_bytes=self.config.media.max_size * MIB, encrypted_file=opened(file, self.keyring) if file else None,
        )  # fmt: skip

    async def finish(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> None:
        """Do what follows from a video being ready. May be repeated."""
        await self.sweeping.later(video.id)
        await self.quotas.warn(video)
        await self.blocklist.learn(video, source, source_hash, limits)
        await self.store.finished(video)

    async def finish_known(self, video: Video) -> None:
        """Do what follows from a video being ready whose file is known already."""
        await self.sweeping.later(video.id)
        await self.quotas.warn(video)
        await self.store.finished(video)

    async def fail(self, video: Video, error: MediaError | TranscodeError) -> None:
        """End the work on a video with a reason."""
        if error.code in _OF_ANOTHER_KIND | _NO_ROOM | _NEVER_CAME and not video.file.certain:
            # Sent by a client that does not say what it is: nobody called it a video.
            await self.store.discard(video)
            return
        metrics.VIDEOS_FAILED.labels(code=error.code).inc()
        # Of those the sender alone is notified: nothing here is to be mended.
        given_up = cause_of(error) not in {Cause.PERMANENT, Cause.MISSING}
        await self.store.fail(video, error.code, given_up=given_up)
        await self.sweeping.removed(video.id)


@dataclass(frozen=True)
class VideoAttempt:
    """One attempt; `ladder` exchanges the slot in which it began for one in which its ladder is made."""

    services: VideoServices
    video: Video
    ladder: Ladder

    @property
    def tries(self) -> int:
        """Return how many attempts count."""
        return self.video.tries

    @property
    def log(self) -> FilteringBoundLogger:
        """Return a logger that names the video."""
        video = self.video
        bound: FilteringBoundLogger = log.bind(
            video_id=video.id, room_id=video.room_id, event_id=video.event_id, attempt=video.work.attempts
        )
        return bound

    async def run(self) -> None:
        """Bring the video to `ready`."""
        started = monotonic()
        try:
            await self._run()
        except NotYetUploadedError as error:
            self.log.info("video_awaited", reason=str(error))
            await self.services.store.await_upload(self.video)
            raise RetryLaterError(SOONEST) from error
        metrics.VIDEO_SECONDS.observe(monotonic() - started)

    async def pause(self) -> None:
        """End it, for another attempt follows."""
        await self._withdraw(self.services.store.pause(self.video))

    async def give_back(self) -> None:
        """End it so that it does not count."""
        await self._withdraw(self.services.store.give_back_attempt(self.video))

    async def fail(self, error: MediaError | TranscodeError) -> None:
        """End all work on the video with a reason."""
        await self.services.fail(self.video, error)

    async def _withdraw(self, ending: Awaitable[str | None]) -> None:
        """Delete what an attempt published half that another one follows: perhaps the disk is full."""
        withdrawn = await ending
        if withdrawn is not None:
            with suppress(HeldBackError):  # it is swept once the video is ready
                await self.services.files.remove(self.video.id, withdrawn)

    async def _run(self) -> None:
        services, config = self.services, self.services.config
        room = await services.rooms.room(self.video.room_id)
        chosen = room.settings if room else RoomSettings()
        limits = limits_of(config, chosen.max_length)
        with workspace(services.scratch, self.video.id) as folder:
            source = folder / "source"
            downloaded = await self._while_wanted(self._download(source))
            video = await self._while_wanted(self._classified(source, chosen, limits))
            seconds = shown_for(video.kind, chosen, limits)
            await services.blocklist.check(video, source, downloaded.sha256, limits)
            content = content_hash(downloaded.sha256, services.settings, config, video.kind, seconds)
            # For all of the attempt, whatever becomes of the room meanwhile.
            keys = services.media_keys.new_for(room)
            publication = Publication(video, content, services.store, services.files, keys)
            try:
                whole = services.makes_lower_rungs(video)
                if not await publication.share(limits.max_duration, whole=whole):
                    await self._while_wanted(self._transcode(video, source, seconds, limits, publication))
            except SupersededError:
                await services.media_keys.delete(video.id, await publication.withdraw())
                await services.blocklist.learn_blocked(video, source, downloaded.sha256, limits)
                raise
            await services.finish(video, source, downloaded.sha256, limits)

    async def _download(self, source: Path) -> Downloaded:
        claimed = self.video.file.claimed_size or 0
        if claimed > self.services.config.media.max_size * MIB:
            raise MediaError("media-too-large", f"The event says {claimed} bytes.", final=True)
        _refuse(await self.services.quotas.used_up(self.video))
        downloaded = await self.services.download(self.video, source)
        metrics.BYTES_IN.inc(downloaded.size)
        # By now the sizes of others may be known that were sent at once.
        _refuse(await self.services.quotas.admit(self.video, downloaded.size))
        return downloaded

    async def _classified(self, source: Path, settings: RoomSettings, limits: Limits) -> Video:
        video = self.video
        kind = await kind_of(video, source, settings, self.services.tools, limits)
        if kind is video.kind:
            return video
        named = replace(video, kind=kind, title=name_without_suffix(video.title, kind))
        await self.services.store.classify(named)
        return named

    async def _transcode(
        self, video: Video, source: Path, seconds: float | None, limits: Limits, publication: Publication
    ) -> None:
        """Publish the first stage of a video, and then its ladder; `seconds`: for how long an image is shown."""
        services, folder = self.services, source.parent
        file = await video_of(video.kind, source, seconds=seconds, tools=services.tools, limits=limits)
        out = folder / "out"
        async with (
            # The slot is held until the ladder is published: the next one in turn may be the same file.
            AsyncExitStack() as slot,
            reported(services.store, video) as progress,
            Transcoding(
                file, out, tools=services.tools, limits=limits, settings=services.settings,
                on_progress=progress.advance,
            ) as transcoding,
        ):  # fmt: skip
            if await publication.is_playable():
                # Another worker had no slot for the ladder.
                await transcoding.skip_first_stage(publication.key(State.PLAYABLE))
            else:
                await _publish_first(transcoding, publication, out / PLAYABLE)
            ladder = partial(self.ladder, transcoding.pixels / _PIXELS_PER_S)
            with progress.waiting():
                async with services.store.uncounted(video):
                    wanted = await self._wanted_of_runners(video, file, limits, transcoding, progress)
                    by_runner = await services.runners.slot_or_files(wanted, slot, ladder)
            if wanted and by_runner:
                # It may be hostile: should it kill this worker, that counts.
                key = publication.key(State.READY)
                if result := await services.runners.adopted(by_runner, wanted, transcoding, key):
                    await publication.ready(result, out / READY)
                    return
                with progress.waiting():
                    async with services.store.uncounted(video):
                        await slot.enter_async_context(ladder())
            # Sent to two rooms at once, it may be whole in the other one when its turn comes.
            # And a viewer of the first stage may have a slow line.
            whole = services.makes_lower_rungs(video) or await services.lower_rungs.is_wanted(video)
            if not await publication.share(limits.max_duration, whole=whole):
                made = await transcoding.ladder(publication.key(State.READY), below_copy=whole)
                await publication.ready(made, out / READY)
                if made.left_out:
                    metrics.LOWER_RUNGS.labels(outcome="left_out").inc()

    async def _wanted_of_runners(
        self, video: Video, file: Path, limits: Limits, transcoding: Transcoding, progress: Reporter
    ) -> Wanted | None:
        """Return what runners may make of a video; None: its ladder is small."""
        if video.kind is not Kind.VIDEO or not self.services.makes_lower_rungs(video):
            return None
        room = await self.services.rooms.room(video.room_id)
        return Wanted(video, room, file, limits, transcoding.files(), progress)

    async def _while_wanted(self, work: Coroutine[None, None, Result]) -> Result:
        """Run some work until the video is removed."""
        return await while_wanted(work, lambda: self.services.store.is_wanted(self.video))


async def _publish_first(transcoding: Transcoding, publication: Publication, folder: Path) -> None:
    """Publish the first stage, and what it has more of, until it is complete."""
    published = False
    async for result in transcoding.first_stage(publication.key(State.PLAYABLE)):
        if published:
            await publication.appended(result)
        else:
            await publication.playable(result, folder)
        published = True


def _refuse(full: QuotaScope | None) -> None:
    if full is not None:
        raise MediaError(f"quota-{full}", f"There is no room for it: {full}.", final=True)
