"""The files of a runner's job on their way: the input into storage, and what it made into the scratch folder."""

import asyncio
import os
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from appservice.core.errors import HeldBackError, NotFoundError, RequestError
from appservice.core.model import Video
from appservice.core.room import Room
from appservice.core.runners import SOURCE
from appservice.media.storage import UploadFiles
from appservice.service.media_keys import SealedKey
from appservice.store.runners import RunnerFile, RunnerStore
from appservice.worker.progress import Reporter
from transcode import Limits
from transcode.hls.encryption import BLOCK, file_cipher

log = structlog.get_logger()

_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ladder that is wanted of a file `source`: `files` are those of `Transcoding.files`."""

    video: Video
    room: Room | None
    source: Path
    limits: Limits
    files: dict[str, int]
    progress: Reporter

    @property
    def is_encrypted(self) -> bool:
        """Whether it was sent to an encrypted room."""
        return self.video.file.encrypted_file is not None or (self.room is not None and self.room.encrypted)


@dataclass(frozen=True, slots=True)
class Made:
    """What a runner made: in `folder`, of `job_id`; `look` is the fingerprint of the file."""

    folder: Path
    job_id: str
    look: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """What is offered; until `grace_ends`, on the loop's clock, a runner may be faster than a free slot."""

    id: str
    wanted: Wanted
    key: SealedKey | None
    look: bytes
    grace_ends: float


@dataclass(frozen=True)
class RunnerFiles:
    """The files of jobs, beside the uploads; one instance for a process."""

    store: RunnerStore
    files: UploadFiles

    async def send(self, job: Job) -> None:
        """Put the input into storage, from where the runner gets it, encrypted where the room's files are."""
        file = await self.store.file(job.id, SOURCE)
        if file is None:
            raise NotFoundError("The job is gone.")
        await self.files.create(file.id)
        iv = os.urandom(BLOCK)
        cipher = file_cipher(job.key.key, iv) if job.key else None
        async with self.files.appending(file.id) as end:
            if cipher:
                await end.append(iv)
            with await asyncio.to_thread(job.wanted.source.open, "rb") as source:
                while piece := await asyncio.to_thread(source.read, _PIECE):
                    await end.append(cipher.update(piece) if cipher else piece)
            size = end.offset
        await self.store.finish_file(file, size)

    async def fetch(self, job: Job) -> Made:
        """Copy what a runner has sent into the scratch folder: from now on it does not change."""
        folder = job.wanted.source.parent / "made"
        await asyncio.to_thread(folder.mkdir)
        for name, file in (await self.store.files(job.id)).items():
            if name in job.wanted.files and file.size is not None:
                await self._fetch_file(file, folder / name, job.key)
        return Made(folder, job.id, job.look)

    async def _fetch_file(self, file: RunnerFile, target: Path, key: SealedKey | None) -> None:
        iv, rest = bytearray(), file.size or 0
        cipher = None
        with await asyncio.to_thread(target.open, "xb") as output:
            async with aclosing(self.files.read(file.id)) as pieces:
                async for data in pieces:
                    piece, rest = data[:rest], rest - len(data[:rest])
                    if key and cipher is None:
                        iv += piece
                        if len(iv) < BLOCK:
                            continue
                        cipher, piece = file_cipher(key.key, bytes(iv[:BLOCK])), bytes(iv[BLOCK:])
                    await asyncio.to_thread(output.write, cipher.update(piece) if cipher else piece)

    async def drop(self, job_id: str) -> None:
        """Delete a job with its files; what fails is pruned and swept later."""
        try:
            files = await self.store.files(job_id)
            await self.store.drop(job_id)
            for file in files.values():
                with suppress(HeldBackError):
                    await self.files.remove(file.id)
        except RequestError as error:
            log.warning("runner_job_left", runner_job=job_id, reason=str(error))
