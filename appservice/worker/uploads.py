"""One upload's job: make sure that it is a video, perhaps cut and convert it, and put it into the media repository."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

import structlog
from structlog.typing import FilteringBoundLogger

from appservice.config import Config
from appservice.core.errors import HeldBackError, MediaError, UnavailableError
from appservice.core.events.encrypted_files import encrypted_file_content
from appservice.core.model import EncryptedFile, UploadId
from appservice.core.settings import RoomSettings
from appservice.encryption.keyring import Keyring
from appservice.encryption.sealed_content import seal_content
from appservice.matrix.attachments import encrypt_file
from appservice.matrix.client import HomeserverClient
from appservice.media.storage import UploadFiles
from appservice.store import RoomStore, SupersededUploadError, Upload, UploadStore
from appservice.worker.attempts import SupersededError, run_attempts, while_wanted
from appservice.worker.scratch import workspace
from appservice.worker.transcode_options import limits_of
from transcode import Cut, Prepared, Tools, TranscodeError, prepare_recording, verify_video

log = structlog.get_logger()

MIB = 1024 * 1024
_EVERY_S = 0.5
# What converting takes of all work; sending the result to the homeserver is the rest.
_CONVERTING = 0.9
# What a part is cut of may play longer than any video, but so many times: decoding it takes time and disk.
_SOURCE_LENGTH = 2
_CIPHERTEXT = "application/octet-stream"


@dataclass(frozen=True)
class UploadWork:
    """Works on uploads; one instance for a process."""

    config: Config
    rooms: RoomStore
    store: UploadStore
    folder: UploadFiles
    homeserver: HomeserverClient
    tools: Tools
    scratch: Path
    keyring: Keyring | None
    """None: nothing is sent to encrypted rooms."""

    async def run(self, upload_id: UploadId) -> None:
        """Bring an upload to `ready` or `failed`. Raises RetryLaterError when another attempt is due later."""
        await run_attempts("upload", partial(self._begin, upload_id), most=self.config.worker.attempts)

    @asynccontextmanager
    async def _begin(self, upload_id: UploadId) -> AsyncIterator["UploadAttempt | None"]:
        upload = await self.store.begin_attempt(upload_id)
        yield UploadAttempt(self, upload) if upload else None

    async def sweep(self) -> None:
        """Delete expired uploads, finish lost jobs, and delete rows without bytes and bytes without a row."""
        await self.store.expire()
        if lost := await self.store.recover_lost_jobs():
            log.warning("lost_uploads_recovered", uploads=lost)
        there, needed = await self._sweep_files()
        for upload_id, settled in needed.items():
            if settled and upload_id not in there:
                log.warning("upload_bytes_lost", upload_id=upload_id)
                await self.store.delete_lost(upload_id)

    async def sweep_files(self) -> None:
        """Delete the bytes of uploads that nobody needs: they were deleted, or have become a file elsewhere."""
        if await self.folder.ids():
            await self._sweep_files()

    async def drop(self, upload_id: UploadId) -> None:
        """Delete the bytes of an upload; during a backup they are swept after it."""
        with suppress(HeldBackError):
            await self.folder.remove(upload_id)

    async def _sweep_files(self) -> tuple[set[UploadId], dict[UploadId, bool]]:
        """Delete bytes without a row; return of what there were bytes, and the rows that need some (`with_bytes`)."""
        # In this order: a new upload has its row first. And its file shortly after.
        there = await self.folder.ids()
        needed = await self.store.with_bytes()
        for upload_id in there - needed.keys():
            await self.drop(upload_id)
        return there, needed


@dataclass(frozen=True)
class Stored:
    """A file in the media repository; `key` decrypts it, None where it is not encrypted."""

    url: str
    key: EncryptedFile | None

    def fields(self, prefix: str = "") -> dict[str, object]:
        """Return what names the file in the content of a message, or in its `info`."""
        return {f"{prefix}file": encrypted_file_content(self.key, self.url)} if self.key else {f"{prefix}url": self.url}


@dataclass(frozen=True)
class UploadAttempt:
    """One attempt at an upload."""

    work: UploadWork
    upload: Upload

    @property
    def tries(self) -> int:
        """Return how many attempts count."""
        return self.upload.attempts

    @property
    def log(self) -> FilteringBoundLogger:
        """Return a logger that names the upload."""
        upload = self.upload
        bound: FilteringBoundLogger = log.bind(upload_id=upload.id, user_id=upload.owner, attempt=upload.attempts)
        return bound

    async def run(self) -> None:
        """Bring the upload to `ready`."""
        try:
            with workspace(self.work.scratch, self.upload.id) as folder:
                prepared, content, mxc = await while_wanted(self._prepare(folder), self._is_wanted)
        except SupersededUploadError as error:
            raise SupersededError from error
        if not await self.work.store.ready(self.upload, content, mxc, prepared.audio_left_out):
            raise SupersededError
        await self.work.drop(self.upload.id)

    async def pause(self) -> None:
        """End it, for another attempt follows: nothing of it stays."""
        await self.work.store.progress(self.upload, 0)

    async def give_back(self) -> None:
        """End it so that it does not count."""
        await self.work.store.give_back_attempt(self.upload)

    async def fail(self, error: MediaError | TranscodeError) -> None:
        """End all work on the upload with a reason."""
        if await self.work.store.fail(self.upload, error.code):
            await self.work.drop(self.upload.id)

    async def _is_wanted(self) -> bool:
        return await self.work.store.is_wanted(self.upload)

    async def _prepare(self, folder: Path) -> tuple[Prepared, dict[str, object], str]:
        """Return what is to be sent, made in `folder`, the content of its message, and the content URI of its file."""
        work, upload = self.work, self.upload
        most = float(min(await work.homeserver.upload_limit() or math.inf, work.config.media.max_size * MIB))
        converts = upload.convert or upload.start is not None or upload.end is not None
        room = await work.rooms.room(upload.room_id)
        limits = limits_of(work.config, (room.settings if room else RoomSettings()).max_length)
        longest = replace(limits, max_duration=_SOURCE_LENGTH * work.config.media.max_duration)
        source = await work.folder.local(upload.id, folder)
        async with self._reported() as report:
            if converts:
                cut = Cut(start=upload.start, end=upload.end, longest=limits.max_duration, max_bytes=most)
                prepared = await prepare_recording(
                    source, folder / "out", cut, tools=work.tools, limits=longest,
                    on_progress=lambda share: report(share * _CONVERTING),
                )  # fmt: skip
            else:
                # Its own failures are the more precise ones: they come before its size.
                prepared = await verify_video(source, folder / "out", tools=work.tools, limits=limits)
            size = await asyncio.to_thread(_size, prepared.path)
            if size > most:
                raise MediaError("media-too-large", f"The homeserver takes {most:.0f} bytes, not {size}.", final=True)
            begin = _CONVERTING if converts else 0.0

            def sent(count: int) -> None:
                report(begin + (1 - begin) * count / size)

            keyring = await self._keyring()
            encrypted_in = folder if keyring else None
            stored = await self._store(prepared.path, prepared.mimetype, size, encrypted_in=encrypted_in, on_sent=sent)
            thumbnail = await self._store_thumbnail(prepared, stored.url, encrypted_in)
        content = message_content(sent_name(upload.filename, converts), prepared, size, stored, thumbnail)
        if keyring:
            content = seal_content(keyring, upload.id, content, stored.url)
        return prepared, content, stored.url

    async def _keyring(self) -> Keyring | None:
        """Return what seals the keys of an encrypted room's files, None in other rooms. Raises MediaError."""
        # The event that says so may be on its way to us, and what is uploaded in clear stays so.
        if not await self.work.homeserver.is_encrypted(self.upload.room_id):
            return None
        room = await self.work.rooms.room(self.upload.room_id)
        # Since the upload began, the room may have turned on encryption, or opted out.
        if self.work.keyring is None or room is None or not room.takes_videos:
            raise MediaError("room-encrypted", "The room is encrypted, and did not opt in.", final=True)
        return self.work.keyring

    async def _store(
        self,
        path: Path,
        mimetype: str,
        size: int,
        *,
        encrypted_in: Path | None,
        on_sent: Callable[[int], None] | None = None,
        thumbnail_of: str | None = None,
    ) -> Stored:
        """Put a file into the media repository, encrypted in a folder before where there is one.

        Its content URI is stored before the bytes are there, so that after a crash they can be found. Homeservers
        without MSC2246 name a file only when they have it: there, what a crash leaves just then stays.
        """
        key = None
        if encrypted_in:
            path, plaintext, mimetype = encrypted_in / f"{path.name}.encrypted", path, _CIPHERTEXT
            key = await encrypt_file(plaintext, path)
        reserved = await self.work.homeserver.reserve_upload()
        if reserved:
            await self._register(reserved, size, thumbnail_of)
        mxc = await self.work.homeserver.upload(path, mimetype, reserved=reserved, on_sent=on_sent)
        if not reserved:
            await self._register(mxc, size, thumbnail_of)
        return Stored(mxc, key)

    async def _register(self, mxc: str, size: int, thumbnail_of: str | None) -> None:
        if full := await self.work.store.register_media(self.upload, mxc, size, thumbnail_of=thumbnail_of):
            raise MediaError(f"quota-{full}", f"There is no room for it: {full}.", final=True)

    async def _store_thumbnail(self, prepared: Prepared, video: str, encrypted_in: Path | None) -> dict[str, object]:
        thumbnail = prepared.thumbnail
        if thumbnail is None:
            return {}
        size = await asyncio.to_thread(_size, thumbnail.path)
        info = {"mimetype": "image/jpeg", "size": size, "w": thumbnail.width, "h": thumbnail.height}
        stored = await self._store(thumbnail.path, "image/jpeg", size, encrypted_in=encrypted_in, thumbnail_of=video)
        return {**stored.fields("thumbnail_"), "thumbnail_info": info}

    @asynccontextmanager
    async def _reported(self) -> AsyncIterator[Callable[[float], None]]:
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
                        await self.work.store.progress(self.upload, percent)
                        last = percent

        task = asyncio.create_task(report())
        try:
            yield advance
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def sent_name(filename: str, converted: bool) -> str:
    """Return what a file is called once it is an MP4, if it was made one."""
    return f"{PurePath(filename).stem}.mp4" if converted else filename


def message_content(
    name: str, prepared: Prepared, size: int, stored: Stored, thumbnail: dict[str, object]
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
    return {"msgtype": "m.video", "body": name, "filename": name, **stored.fields(), "info": info}


def _size(path: Path) -> int:
    return path.stat().st_size
