"""One video's job: download, transcode, publish twice, or end with a reason that its sender reads."""

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import aiohttp
import structlog

from appservice import __version__, metrics
from appservice.config import Config
from appservice.errors import HomeserverError, MediaError, UnavailableError
from appservice.files import LocalFiles
from appservice.matrix.client import Homeserver
from appservice.matrix.download import download
from appservice.model import Video, VideoId, Visibility
from appservice.store import Store
from appservice.worker.progress import reported
from appservice.worker.publication import Publication, SupersededError
from transcode import PLAYABLE, READY, Limits, Result, Settings, Tools, TranscodeError, transcode

log = structlog.get_logger()

MIB = 1024 * 1024
# Viewers that play the first stage move to the next one within a reel's length; then its files may go.
SWEEP_AFTER = timedelta(hours=3)
_RETRY_AFTER = (timedelta(seconds=2), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=10))


class RetryLaterError(Exception):
    """The attempt failed for a reason that may pass; `delay` says when to try again."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"again in {delay}")
        self.delay = delay


def limits_of(config: Config) -> Limits:
    """Return what one transcoding may take, by the configuration."""
    limits = Limits(max_duration=config.media.max_duration)
    return replace(limits, threads=config.transcode.threads) if config.transcode.threads else limits


def settings_of(config: Config, encoder: str) -> Settings:
    """Return how renditions are made, by the configuration; `encoder` was found to work."""
    chosen = config.transcode
    return Settings(rungs=chosen.rungs, preset=chosen.preset, encoder=encoder, copy=chosen.copy_source)


def content_hash(digest: bytes, settings: Settings, config: Config) -> bytes:
    """Return what is equal when the same bytes (their SHA-256) are judged and transcoded in the same way."""
    way = [__version__, config.media.max_duration, asdict(settings)]
    return hashlib.sha256(digest + json.dumps(way, sort_keys=True).encode()).digest()


@dataclass(frozen=True)
class VideoWork:
    """Works on videos; one instance for a process."""

    config: Config
    store: Store
    homeserver: Homeserver
    session: aiohttp.ClientSession
    files: LocalFiles
    tools: Tools
    settings: Settings
    scratch: Path

    async def run(self, video_id: VideoId) -> None:
        """Bring a video to `ready` or `failed`. Raises RetryLaterError when another attempt is due."""
        video = await self.store.begin_attempt(video_id)
        if video is None:
            await self._sweep_removed(video_id)
            return
        log_video = log.bind(video_id=video_id, room_id=video.room_id, event_id=video.event_id, attempt=video.attempts)
        if video.attempts > self.config.worker.attempts:
            # Workers died on it without a word; it must not take down more of them.
            log_video.error("video_given_up")
            await self.store.fail(video, "internal")
            return
        started = monotonic()
        try:
            await self._attempt(video)
        except (MediaError, TranscodeError) as error:
            log_video.warning("video_failed", code=error.code, final=error.final, reason=str(error))
            await self._fail_or_retry(video, error)
        except SupersededError:
            log_video.info("video_superseded")
        except asyncio.CancelledError:
            # We are told to stop: that is not the video's fault.
            await asyncio.shield(self.store.give_back_attempt(video))
            raise
        except (HomeserverError, UnavailableError):
            raise
        except Exception as error:
            log_video.exception("video_failed", code="internal", final=False)
            await self._fail_or_retry(video, MediaError("internal", str(error), final=False))
        else:
            metrics.VIDEO_SECONDS.observe(monotonic() - started)
            log_video.info("video_ready", seconds=round(monotonic() - started, 2))

    async def _fail_or_retry(self, video: Video, error: MediaError | TranscodeError) -> None:
        if not error.final and video.attempts < self.config.worker.attempts:
            await self.store.pause(video)
            raise RetryLaterError(_RETRY_AFTER[min(video.attempts, len(_RETRY_AFTER)) - 1]) from error
        if error.code == "not-a-video" and not video.certain:
            # A file of another kind, sent by a client that does not say which: nobody called it a video.
            await self.store.discard(video.id)
            return
        metrics.VIDEOS_FAILED.labels(code=error.code).inc()
        await self.store.fail(video, error.code)
        await self._sweep_removed(video.id)

    async def _attempt(self, video: Video) -> None:
        max_bytes = self.config.media.max_size * MIB
        if (video.claimed_size or 0) > max_bytes:
            raise MediaError("media-too-large", f"The event says {video.claimed_size} bytes.", final=True)
        async with self._workspace(video) as folder:
            source = folder / "source"
            downloaded = await download(
                self.session, self.homeserver, video.mxc, source,
                max_bytes=max_bytes, encrypted_file=video.encrypted_file,
            )  # fmt: skip
            metrics.BYTES_IN.inc(downloaded.size)
            publication = Publication(
                video, content_hash(downloaded.sha256, self.settings, self.config), self.store, self.files
            )
            try:
                if not await publication.share(folder / "shared"):
                    await self._transcode(video, source, folder / "out", publication)
            except SupersededError:
                await publication.withdraw()
                raise
            # An earlier attempt may have published a first stage, too.
            await self.store.sweep_later(video.id, SWEEP_AFTER)

    async def _transcode(self, video: Video, source: Path, out: Path, publication: Publication) -> None:
        async def publish_first(result: Result) -> Path:
            return await publication.playable(result, out / PLAYABLE)

        await asyncio.to_thread(out.mkdir)
        async with reported(self.store, video) as advance:
            result = await transcode(
                source, out, tools=self.tools, limits=limits_of(self.config), settings=self.settings,
                on_playable=publish_first, on_grown=publication.grown, on_progress=advance,
            )  # fmt: skip
        await publication.ready(result, out / READY)

    @asynccontextmanager
    async def _workspace(self, video: Video) -> AsyncIterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"{video.id}-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _sweep_removed(self, video_id: VideoId) -> None:
        """Delete what a removal could not delete, since we were just writing it."""
        video = await self.store.video(video_id)
        if video is None or video.visibility is Visibility.REMOVED:
            await self.files.sweep(video_id, keep=None)

    async def sweep(self, video_id: VideoId) -> None:
        """Delete the files of a video that nothing refers to any more."""
        video = await self.store.video(video_id)
        await self.files.sweep(video_id, keep=video.stage if video else None)
