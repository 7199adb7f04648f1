"""One job of a runner: fetch the file, make the ladder in the sandbox, send what ffmpeg made."""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from appservice.core.runners import BEAT_S, FILE, RunnerJobView
from appservice.runner.client import Client, JobGoneError, RevokedError, TryAgainError
from appservice.worker.scratch import workspace
from transcode import Limits, Settings, Tools, Transcoding
from transcode.hls.encryption import BLOCK, file_cipher

log = structlog.get_logger()

_PIECE = 2**20
# Shares of a job: the file is there, the ladder is made.
_FETCHED, _MADE = 0.05, 0.85


@dataclass(frozen=True)
class Machine:
    """What a runner transcodes with: `encoder` is one that works here, `threads` None for as many as suit."""

    tools: Tools
    encoder: str
    scratch: Path
    threads: int | None = None


class Job:
    """A job that was leased."""

    def __init__(self, client: Client, machine: Machine, view: RunnerJobView) -> None:
        self._client, self._machine, self._view = client, machine, view
        self._key = bytes.fromhex(view.key) if view.key else None
        self._share = 0.0

    async def run(self) -> None:
        """Do the job. Raises JobGoneError as soon as it is not ours any more, and TranscodeError where it cannot be."""
        work, beating = asyncio.create_task(self._work()), asyncio.create_task(self._beat())
        try:
            await asyncio.wait({work, beating}, return_when=asyncio.FIRST_COMPLETED)
            (work if work.done() else beating).result()
        finally:
            for task in (work, beating):
                task.cancel()
            await asyncio.gather(work, beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(TryAgainError):
                await self._client.heartbeat(self._view.id, self._share)

    async def _work(self) -> None:
        machine, task = self._machine, self._view.task
        limits = Limits(max_duration=task.max_duration, output_bytes=task.output_bytes)
        if machine.threads:
            limits = Limits(max_duration=task.max_duration, output_bytes=task.output_bytes, threads=machine.threads)
        settings = Settings(
            rungs=task.rungs, preset=task.preset, encoder=machine.encoder, every_rung=task.every_rung,
            copy=task.copy_source,
        )  # fmt: skip
        with workspace(machine.scratch, "job") as folder:
            source = await self._fetch(folder)
            self._share = _FETCHED
            async with Transcoding(
                source, folder / "out", tools=machine.tools, limits=limits, settings=settings, on_progress=self._advance
            ) as transcoding:
                await transcoding.skip_first_stage()
                sizes = await self._send(await transcoding.export_ladder(), folder)
        await self._client.complete(self._view.id, sizes)

    def _advance(self, share: float) -> None:
        self._share = _FETCHED + share * (_MADE - _FETCHED)

    async def _fetch(self, folder: Path) -> Path:
        source = folder / "source"
        if self._key is None:
            await self._client.fetch(self._view.id, source)
            return source
        ciphertext = folder / "ciphertext"
        await self._client.fetch(self._view.id, ciphertext)
        await asyncio.to_thread(_decrypt, ciphertext, source, self._key)
        return source

    async def _send(self, opened: Callable[[str, int], BinaryIO | None], folder: Path) -> dict[str, int]:
        """Send each file that there is, and return their sizes."""
        sizes = {}
        names = [name for name in self._view.files if re.fullmatch(FILE, name, re.ASCII)]
        for number, name in enumerate(names, 1):
            file = await asyncio.to_thread(opened, name, self._view.files[name])
            if file is None:
                continue
            with file:
                sizes[name] = await self._send_file(name, file, folder)
            self._share = _MADE + (1 - _MADE) * number / len(names)
        return sizes

    async def _send_file(self, name: str, file: BinaryIO, folder: Path) -> int:
        if self._key is None:
            return await self._client.send(self._view.id, name, file)
        ciphertext = folder / "sent"
        await asyncio.to_thread(_encrypt, file, ciphertext, self._key)
        with await asyncio.to_thread(ciphertext.open, "rb") as encrypted:
            return await self._client.send(self._view.id, name, encrypted)


async def do_job(client: Client, machine: Machine, view: RunnerJobView) -> None:
    """Do a job to its end, however that is: it is another one's then. Raises RevokedError."""
    bound = log.bind(runner_job=view.id)
    bound.info("job_begun")
    try:
        await Job(client, machine, view).run()
    except JobGoneError as error:
        bound.warning("job_gone", reason=str(error))
    except asyncio.CancelledError:
        await _give_back(client, view.id, "stopped")
        raise
    except RevokedError:
        raise
    except Exception as error:
        bound.warning("job_failed", reason=f"{type(error).__name__}: {error}")
        await _give_back(client, view.id, "failed")
    else:
        bound.info("job_done")


async def _give_back(client: Client, job_id: str, reason: str) -> None:
    with suppress(Exception):
        async with asyncio.timeout(5):
            await asyncio.shield(client.give_back(job_id, reason))


def _decrypt(ciphertext: Path, target: Path, key: bytes) -> None:
    with ciphertext.open("rb") as read, target.open("xb") as written:
        cipher = file_cipher(key, read.read(BLOCK))
        while piece := read.read(_PIECE):
            written.write(cipher.update(piece))
    ciphertext.unlink()


def _encrypt(file: BinaryIO, target: Path, key: bytes) -> None:
    iv = os.urandom(BLOCK)
    cipher = file_cipher(key, iv)
    with target.open("wb") as written:
        written.write(iv)
        while piece := file.read(_PIECE):
            written.write(cipher.update(piece))
