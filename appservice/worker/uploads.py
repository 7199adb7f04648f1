"""One upload's job: make sure that it is a video, perhaps cut and convert it, and put it into the media repository."""

import asyncio
import contextlib
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import structlog

from appservice.config import Config
from appservice.core.errors import HomeserverError, MediaError, UnavailableError
from appservice.core.model import UploadId
from appservice.core.rules.retries import SECOND_TRY, Cause, cause_of, failure_of, retry_delay
from appservice.core.settings import RoomSettings
from appservice.matrix.client import HomeserverClient
from appservice.media.files import UploadFolder
from appservice.store import RoomStore, SupersededUploadError, Upload, UploadStore
from appservice.worker.videos import MIB, RetryLaterError, limits_of
from transcode import Cut, Prepared, Tools, TranscodeError, prepare_recording, verify_video

log = structlog.get_logger()

_EVERY_S = 0.5
# What converting takes of all work; sending the result to the homeserver is the rest.
_CONVERTING = 0.9
# What a part is cut of may play longer than any video, but so many times: decoding it takes time and disk.
_SOURCE_LENGTH = 2


@dataclass(frozen=True)
class UploadWork:
    """Works on uploads; one instance for a process."""

    config: Config
    rooms: RoomStore
    store: UploadStore
    folder: UploadFolder
    homeserver: HomeserverClient
    tools: Tools
    scratch: Path

    async def run(self, upload_id: UploadId) -> None:
        """Bring an upload to `ready` or `failed`. Raises RetryLaterError when another attempt is due later."""
        before = await self._run(upload_id, None)
        if before is not None:
            await asyncio.sleep(SECOND_TRY.total_seconds())
            await self._run(upload_id, before)

    async def _run(self, upload_id: UploadId, before: str | None) -> str | None:
        """Make one attempt; return the code of its failure, which was not there `before`, when it is worth another."""
        upload = await self.store.begin_attempt(upload_id)
        if upload is None:
            return None
        log_upload = log.bind(upload_id=upload.id, user_id=upload.owner, attempt=upload.attempts)
        if upload.attempts > self.config.worker.attempts:
            # Workers died on it without a word; it must not take down more of them.
            log_upload.error("upload_given_up")
            await self._fail(upload, "internal")
            return None
        try:
            prepared, content, mxc = await self._attempt(upload)
        except SupersededUploadError:
            log_upload.info("upload_superseded")
            return None
        except (MediaError, TranscodeError) as error:
            log_upload.warning("upload_failed", code=error.code, cause=cause_of(error), reason=str(error))
            return await self._fail_or_retry(upload, error, before)
        except (asyncio.CancelledError, HomeserverError, UnavailableError):
            # We are being stopped, or a service is away: neither is the file's fault.
            with contextlib.suppress(UnavailableError):
                await asyncio.shield(self.store.give_back_attempt(upload))
            raise
        except Exception as error:
            failure = failure_of(error)
            log_upload.exception("upload_failed", code=failure.code, cause=cause_of(failure))
            return await self._fail_or_retry(upload, failure, before)
        if await self.store.ready(upload, content, mxc, prepared.audio_left_out):
            log_upload.info("upload_ready")
            await self.folder.remove(upload.id)
        return None

    async def _fail_or_retry(
        self, upload: Upload, error: MediaError | TranscodeError, before: str | None
    ) -> str | None:
        delay = retry_delay(error, before=before, tries=upload.attempts, most=self.config.worker.attempts)
        if delay is None:
            await self._fail(upload, error.code)
            return None
        if cause_of(error) is Cause.UNKNOWN:
            return error.code
        raise RetryLaterError(delay) from error

    async def _fail(self, upload: Upload, code: str) -> None:
        if await self.store.fail(upload, code):
            await self.folder.remove(upload.id)

    async def _attempt(self, upload: Upload) -> tuple[Prepared, dict[str, object], str]:
        """Return what is to be sent, the content of its message, and the content URI of its file."""
        most = float(min(await self.homeserver.upload_limit() or math.inf, self.config.media.max_size * MIB))
        converts = upload.convert or upload.start is not None or upload.end is not None
        room = await self.rooms.room(upload.room_id)
        limits = limits_of(self.config, (room.settings if room else RoomSettings()).max_length)
        longest_source = _SOURCE_LENGTH * self.config.media.max_duration
        source = self.folder.path(upload.id)
        async with self._workspace(upload) as folder, self._reported(upload) as report:
            if converts:
                cut = Cut(start=upload.start, end=upload.end, longest=limits.max_duration, max_bytes=most)
                prepared = await prepare_recording(
                    source, folder / "out", cut, tools=self.tools, limits=replace(limits, max_duration=longest_source),
                    on_progress=lambda share: report(share * _CONVERTING),
                )  # fmt: skip
            else:
                # Its own failures are the more precise ones: they come before its size.
                prepared = await verify_video(source, folder / "out", tools=self.tools, limits=limits)
            size = await asyncio.to_thread(_size, prepared.path)
            if size > most:
                raise MediaError("media-too-large", f"The homeserver takes {most:.0f} bytes, not {size}.", final=True)
            begin = _CONVERTING if converts else 0.0

            def sent(count: int) -> None:
                report(begin + (1 - begin) * count / size)

            url = await self._store(upload, prepared.path, prepared.mimetype, size, on_sent=sent)
            thumbnail = await self._store_thumbnail(upload, prepared, url)
        return prepared, message_content(sent_name(upload.filename, converts), prepared, size, url, thumbnail), url

    async def _store(
        self,
        upload: Upload,
        path: Path,
        mimetype: str,
        size: int,
        *,
        on_sent: Callable[[int], None] | None = None,
        thumbnail_of: str | None = None,
    ) -> str:
        """Put a file into the media repository, and return its content URI.

        That is stored before the bytes are there, so that after a crash they can be found. Homeservers without
        MSC2246 name a file only when they have it: there, what a crash leaves just then stays.
        """
        reserved = await self.homeserver.reserve_upload()
        if reserved:
            await self._register(upload, reserved, size, thumbnail_of)
        mxc = await self.homeserver.upload(path, mimetype, reserved=reserved, on_sent=on_sent)
        if not reserved:
            await self._register(upload, mxc, size, thumbnail_of)
        return mxc

    async def _register(self, upload: Upload, mxc: str, size: int, thumbnail_of: str | None) -> None:
        if full := await self.store.register_media(upload, mxc, size, thumbnail_of=thumbnail_of):
            raise MediaError(f"quota-{full}", f"There is no room for it: {full}.", final=True)

    async def _store_thumbnail(self, upload: Upload, prepared: Prepared, video: str) -> dict[str, object]:
        thumbnail = prepared.thumbnail
        if thumbnail is None:
            return {}
        size = await asyncio.to_thread(_size, thumbnail.path)
        info = {"mimetype": "image/jpeg", "size": size, "w": thumbnail.width, "h": thumbnail.height}
        url = await self._store(upload, thumbnail.path, "image/jpeg", size, thumbnail_of=video)
        return {"thumbnail_url": url, "thumbnail_info": info}

    @asynccontextmanager
    async def _workspace(self, upload: Upload) -> AsyncIterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"{upload.id}-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @asynccontextmanager
    async def _reported(self, upload: Upload) -> AsyncIterator[Callable[[float], None]]:
        """Yield what takes the share done, which requests get in percent."""
        share = 0.0

        def advance(done: float) -> None:
            nonlocal share
            share = done

        async def report() -> None:
            last = 0
            while True:
                await asyncio.sleep(_EVERY_S)
                if (percent := math.floor(share * 100)) != last:
                    with contextlib.suppress(UnavailableError):
                        await self.store.progress(upload, percent)
                        last = percent

        task = asyncio.create_task(report())
        try:
            yield advance
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def sweep(self) -> None:
        """Delete expired uploads, finish lost jobs, and delete rows without bytes and bytes without a row."""
        await self.store.expire()
        if lost := await self.store.recover_lost_jobs():
            log.warning("lost_uploads_recovered", uploads=lost)
        # In this order: a new upload has its row first. And its file shortly after.
        there = await self.folder.ids()
        needed = await self.store.with_bytes()
        for upload_id in there - needed.keys():
            await self.folder.remove(upload_id)
        for upload_id, settled in needed.items():
            if settled and upload_id not in there:
                log.warning("upload_bytes_lost", upload_id=upload_id)
                await self.store.delete_lost(upload_id)


def sent_name(filename: str, converted: bool) -> str:
    """Return what a file is called once it is an MP4, if it was made one."""
    return f"{PurePath(filename).stem}.mp4" if converted else filename


def message_content(
    name: str, prepared: Prepared, size: int, url: str, thumbnail: dict[str, object]
) -> dict[str, object]:
    """Return the content of an `m.room.message` of msgtype `m.video` (client-server API, "m.video")."""
    info: dict[str, object] = {
        "mimetype": prepared.mimetype,
        "size": size,
        "duration": round(prepared.duration * 1000),
        "w": prepared.width,
        "h": prepared.height,
        **thumbnail,
    }
    if prepared.thumbnail and prepared.thumbnail.blurhash:
        info["xyz.amorgan.blurhash"] = prepared.thumbnail.blurhash  # MSC2448
    return {"msgtype": "m.video", "body": name, "filename": name, "url": url, "info": info}


def _size(path: Path) -> int:
    return path.stat().st_size
