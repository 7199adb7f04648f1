"""One video's job: download, transcode, publish twice, or end with a reason that its sender reads."""

import asyncio
import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import aiohttp
import structlog

from appservice import __version__, metrics
from appservice.config import Config
from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError, UnavailableError
from appservice.core.events.media_kinds import name_without_suffix
from appservice.core.model import PLAYABLE_STATES, Kind, State, Video, VideoId, Visibility
from appservice.core.rules.fairness import Party
from appservice.core.rules.quotas import QuotaScope
from appservice.core.rules.retries import SECOND_TRY, SOONEST, Cause, cause_of, failure_of, retry_delay, upload_delay
from appservice.core.settings import RoomSettings
from appservice.matrix.client import HomeserverClient
from appservice.matrix.download import Downloaded, download, is_awaited
from appservice.media.files import LocalFiles
from appservice.store import AttemptStore, QuotaStore, RoomStore, VideoStore
from appservice.worker.concurrency import Ladder, ProcessorSlots
from appservice.worker.contents import Contents
from appservice.worker.conversion import kind_of, shown_for, video_of
from appservice.worker.progress import reported
from appservice.worker.publication import Publication, SupersededError
from transcode import PLAYABLE, READY, Limits, Settings, Tools, TranscodeError, Transcoding

log = structlog.get_logger()

MIB = 1024 * 1024
# Viewers that play the first stage move to the next one within a reel's length; then its files may go.
SWEEP_AFTER = timedelta(hours=3)
_LOOK_S = 1.0
_OF_ANOTHER_KIND = frozenset({"not-a-video", "not-a-picture", "not-a-sound"})
_NEVER_CAME = frozenset({"never-uploaded"})
_NO_ROOM = frozenset({f"quota-{scope}" for scope in QuotaScope})


class RetryLaterError(Exception):
    """The attempt failed for a reason that may pass; `delay` says when to try again."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"again in {delay}")
        self.delay = delay


def limits_of(config: Config, max_length: int | None = None) -> Limits:
    """Return what one transcoding may take, by the configuration and the room's own `max_length` in seconds."""
    limits = Limits(max_duration=min(config.media.max_duration, max_length or config.media.max_duration))
    return replace(limits, threads=config.transcode.threads) if config.transcode.threads else limits


def settings_of(config: Config, encoder: str) -> Settings:
    """Return how renditions are made, by the configuration; `encoder` was found to work."""
    chosen = config.transcode
    return Settings(rungs=chosen.rungs, preset=chosen.preset, encoder=encoder, copy=chosen.copy_source)


def content_hash(
    digest: bytes, settings: Settings, config: Config, kind: Kind = Kind.VIDEO, seconds: float | None = None
) -> bytes:
    """Return what is equal when the same bytes (their SHA-256) are judged, shown and transcoded in the same way."""
    way = [__version__, config.media.max_duration, asdict(settings), kind, seconds]
    return hashlib.sha256(digest + json.dumps(way, sort_keys=True).encode()).digest()


def _needed(video: Video | None) -> list[str]:
    return [stage for stage in (video.media.stage, video.media.replaced_stage) if stage] if video else []


async def _publish_first(transcoding: Transcoding, publication: Publication, folder: Path) -> None:
    """Publish the first stage, and what it has more of, until it is complete."""
    published = False
    async for result in transcoding.first_stage():
        if published:
            await publication.appended(result)
        else:
            await publication.playable(result, folder)
        published = True


def _refuse(full: QuotaScope | None) -> None:
    if full is not None:
        raise MediaError(f"quota-{full}", f"There is no room for it: {full}.", final=True)


@dataclass(frozen=True)
class VideoWork:
    """Works on videos; one instance for a process."""

    config: Config
    store: AttemptStore
    rooms: RoomStore
    videos: VideoStore
    homeserver: HomeserverClient
    session: aiohttp.ClientSession
    files: LocalFiles
    tools: Tools
    settings: Settings
    scratch: Path
    contents: Contents
    quotas: QuotaStore
    slots: ProcessorSlots

    async def run(self, video_id: VideoId) -> None:
        """Bring a video to `ready` or `failed`. Raises RetryLaterError when another attempt is due later."""
        video = await self.videos.video(video_id)
        if video:
            await self._expect_upload(video)
        party = Party(video.sender, video.room_id) if video else Party("", "")
        before: str | None = None
        while True:
            async with self.slots.beginning(party) as ladder:
                before = await self._run(video_id, ladder, before)
            if before is None:
                return
            await asyncio.sleep(SECOND_TRY.total_seconds())

    async def _expect_upload(self, video: Video) -> None:
        """Check whether a file has come that was not uploaded yet: without an attempt, and without a slot.

        Raises RetryLaterError while it has not.
        """
        if video.file.awaited_since is None or video.state not in {State.QUEUED, *PLAYABLE_STATES}:
            return
        delay = upload_delay(await self.rooms.now() - video.file.awaited_since)
        # However many messages name the same file, it is requested once; unless this one's time is over.
        if delay is None or await self.store.first_awaiting(video.file.mxc) in {video.id, None}:
            awaited = await is_awaited(self.session, self.homeserver, video.file.mxc)
            if awaited is False:
                await self.store.upload_came(video.file.mxc)
            if not awaited:
                return
        error = MediaError("never-uploaded", f"{video.file.mxc} was not uploaded in time.", final=True)
        if delay is not None:
            raise RetryLaterError(delay) from NotYetUploadedError(f"{video.file.mxc} is not uploaded yet.")
        log.warning("video_failed", video_id=video.id, room_id=video.room_id, code=error.code, reason=str(error))
        await self._fail_or_retry(video, error, None)

    async def _run(self, video_id: VideoId, ladder: Ladder, before: str | None) -> str | None:
        """Make one attempt; return the code of its failure, which was not there `before`, when it is worth another."""
        video = await self.store.begin_attempt(video_id)
        if video is None:
            await self._sweep_removed(video_id)
            await self._finish_again(video_id)
            return None
        log_video = log.bind(
            video_id=video_id, room_id=video.room_id, event_id=video.event_id, attempt=video.work.attempts
        )
        if video.tries > self.config.worker.attempts:
            # Workers died on it without a word; it must not take down more of them.
            log_video.error("video_given_up")
            await self.store.fail(video, "internal", given_up=True)
            return None
        started = monotonic()
        try:
            await self._attempt(video, ladder)
        except (MediaError, TranscodeError) as error:
            log_video.warning("video_failed", code=error.code, cause=cause_of(error), reason=str(error))
            return await self._fail_or_retry(video, error, before)
        except SupersededError:
            log_video.info("video_superseded")
        except NotYetUploadedError as error:
            log_video.info("video_awaited", reason=str(error))
            await self.store.await_upload(video)
            raise RetryLaterError(SOONEST) from error
        except (asyncio.CancelledError, HomeserverError, UnavailableError):
            # We are being stopped, or a service is away: neither is the video's fault.
            with contextlib.suppress(UnavailableError):
                await asyncio.shield(self._clear(video, self.store.give_back_attempt(video)))
            raise
        except Exception as error:
            failure = failure_of(error)
            log_video.exception("video_failed", code=failure.code, cause=cause_of(failure))
            return await self._fail_or_retry(video, failure, before)
        else:
            metrics.VIDEO_SECONDS.observe(monotonic() - started)
            log_video.info("video_ready", seconds=round(monotonic() - started, 2))
        return None

    async def _fail_or_retry(self, video: Video, error: MediaError | TranscodeError, before: str | None) -> str | None:
        delay = retry_delay(error, before=before, tries=video.tries, most=self.config.worker.attempts)
        if delay is not None:
            await self._clear(video, self.store.pause(video))
            if cause_of(error) is Cause.UNKNOWN:
                return error.code
            raise RetryLaterError(delay) from error
        if error.code in _OF_ANOTHER_KIND | _NO_ROOM | _NEVER_CAME and not video.file.certain:
            # Sent by a client that does not say what it is: nobody called it a video.
            await self.store.discard(video)
            return None
        metrics.VIDEOS_FAILED.labels(code=error.code).inc()
        # Of those the sender alone is notified: nothing here is to be mended.
        given_up = cause_of(error) not in {Cause.PERMANENT, Cause.MISSING}
        await self.store.fail(video, error.code, given_up=given_up)
        await self._sweep_removed(video.id)
        return None

    async def _clear(self, video: Video, ending: Awaitable[str | None]) -> None:
        """End an attempt that another one follows, and delete what it published half: perhaps the disk is full."""
        withdrawn = await ending
        if withdrawn is not None:
            await self.files.remove(video.id, withdrawn)

    async def _attempt(self, video: Video, ladder: Ladder) -> None:
        max_bytes = self.config.media.max_size * MIB
        if (video.file.claimed_size or 0) > max_bytes:
            raise MediaError("media-too-large", f"The event says {video.file.claimed_size} bytes.", final=True)
        _refuse(await self.quotas.used_up(video))
        room = await self.rooms.room(video.room_id)
        chosen = room.settings if room else RoomSettings()
        limits = limits_of(self.config, chosen.max_length)
        async with self._workspace(video) as folder:
            source = folder / "source"
            downloaded = await self._download(video, source, max_bytes)
            video = await self._classified(video, source, chosen, limits)
            seconds = shown_for(video.kind, chosen, limits)
            await self.contents.check(video, source, downloaded.sha256, limits)
            content = content_hash(downloaded.sha256, self.settings, self.config, video.kind, seconds)
            publication = Publication(video, content, self.store, self.files)

            async def shared() -> bool:
                return await publication.share(folder / "shared", limits.max_duration)

            async def work() -> None:
                file = await video_of(video.kind, source, seconds=seconds, tools=self.tools, limits=limits)
                out = folder / "out"
                async with (
                    # The slot is held until the ladder is published: the next one in turn may be the same file.
                    AsyncExitStack() as slot,
                    reported(self.store, video) as progress,
                    Transcoding(
                        file, out, tools=self.tools, limits=limits, settings=self.settings, on_progress=progress.advance
                    ) as transcoding,
                ):
                    await _publish_first(transcoding, publication, out / PLAYABLE)
                    with progress.waiting():
                        async with self.store.uncounted(video):
                            await slot.enter_async_context(ladder())
                    # Sent to two rooms at once, it may be whole in the other one when its turn comes.
                    if not await shared():
                        await publication.ready(await transcoding.ladder(), out / READY)

            try:
                if not await shared():
                    await self._while_wanted(video, work())
            except SupersededError:
                await publication.withdraw()
                await self.contents.learn_blocked(video, source, downloaded.sha256, limits)
                raise
            await self._finish(video, source, downloaded.sha256, limits)

    async def _download(self, video: Video, source: Path, max_bytes: int) -> Downloaded:
        downloaded = await download(
            self.session, self.homeserver, video.file.mxc, source,
            max_bytes=max_bytes, encrypted_file=video.file.encrypted_file,
        )  # fmt: skip
        metrics.BYTES_IN.inc(downloaded.size)
        # By now the sizes of others may be known that were sent at once.
        _refuse(await self.quotas.admit(video, downloaded.size))
        return downloaded

    async def _finish(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> None:
        """Do what follows from a video being ready. May be repeated."""
        # An earlier attempt may have published a first stage, too.
        await self.store.sweep_later(video.id, SWEEP_AFTER)
        await self.quotas.warn(video)
        await self.contents.learn(video, source, source_hash, limits)
        await self.store.finished(video)

    async def _finish_again(self, video_id: VideoId) -> None:
        """Finish what a worker left undone that died or was stopped when its video was ready, or most of it."""
        video = await self.store.begin_finishing(video_id, self.config.worker.attempts)
        if video is None:
            return
        limits = limits_of(self.config)
        try:
            async with self._workspace(video) as folder:
                source = folder / "source"
                downloaded = await download(
                    self.session, self.homeserver, video.file.mxc, source,
                    max_bytes=self.config.media.max_size * MIB, encrypted_file=video.file.encrypted_file,
                )  # fmt: skip
                await self._finish(video, source, downloaded.sha256, limits)
        except (MediaError, NotYetUploadedError) as error:
            # It plays, and its file is gone from the homeserver: it is known by its bytes alone.
            log.warning("video_not_learnt", video_id=video_id, reason=str(error))
            if getattr(error, "final", True):
                await self.store.finished(video)

    async def _classified(self, video: Video, source: Path, settings: RoomSettings, limits: Limits) -> Video:
        kind = await kind_of(video, source, settings, self.tools, limits)
        if kind is video.kind:
            return video
        named = replace(video, kind=kind, title=name_without_suffix(video.title, kind))
        await self.store.classify(named)
        return named

    async def _while_wanted(self, video: Video, work: Coroutine[None, None, None]) -> None:
        """Run the work, and cancel it when the video is removed: what was deleted is not to lie about half-made."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK_S))[0]:
                with contextlib.suppress(UnavailableError):
                    if not await self.store.is_wanted(video):
                        raise SupersededError
            task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    @asynccontextmanager
    async def _workspace(self, video: Video) -> AsyncIterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"{video.id}-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _sweep_removed(self, video_id: VideoId) -> None:
        """Delete what a removal could not delete, since we were just writing it."""
        video = await self.videos.video(video_id)
        if video is None or video.visibility is Visibility.REMOVED:
            # What a person deleted, and may still bring back, has its stage.
            await self.files.sweep(video_id, keep=_needed(video))

    async def sweep(self, video_id: VideoId) -> None:
        """Delete the files of a video that nothing refers to any more."""
        video = await self.videos.video(video_id)
        await self.files.sweep(video_id, keep=_needed(video))
