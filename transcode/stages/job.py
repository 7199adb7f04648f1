"""What the stages of one job share: source and plan, folders, runs of ffmpeg, progress, the wall clock."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from transcode import checks
from transcode.commandline import preparation
from transcode.commandline.filters import CUBE
from transcode.commandline.inputs import Source
from transcode.commandline.tone_mapping import cube
from transcode.copy_policy import StreamCopy
from transcode.errors import TRANSIENT, BrokenFile, TranscodeError
from transcode.examine.audio import with_repaired_audio
from transcode.examine.file import Examined
from transcode.examine.prepare import AUDIO
from transcode.hls import encryption
from transcode.hls.captions import MOST_BYTES, Captions, Track, cleaned
from transcode.hls.playlist import Rendition
from transcode.limits import Limits
from transcode.plan import Rung
from transcode.process import collect
from transcode.process.encoders import encoder
from transcode.process.ffmpeg import run
from transcode.process.progress import Progress
from transcode.process.tasks import Tasks
from transcode.segments import Cutter, Written
from transcode.settings import Settings
from transcode.stages.result import Result, result_of

_CAPTIONS = "captions"
# Bytes of a file of captions that are accepted; what is above `MOST_BYTES` is left out.
_MOST_WRITTEN = 16 * MOST_BYTES


class WallClock:
    """The deadline of a job, on the event loop's clock; it is extended by the time in which the job is paused."""

    def __init__(self, limits: Limits) -> None:
        self._time = asyncio.get_running_loop().time
        self.deadline = self._time() + limits.wall_seconds
        self._paused_at: float | None = None

    def pause(self) -> None:
        """Stop counting: the caller has its turn."""
        self._paused_at = self._time()

    def resume(self) -> None:
        """Go on counting."""
        if self._paused_at is not None:
            self.deadline += self._time() - self._paused_at
            self._paused_at = None


class Share:
    """The share of all work that is done, which never decreases, whatever has to be done again."""

    def __init__(self, report: Callable[[float], None] | None) -> None:
        self._report = report
        self.done = 0.0

    def set(self, share: float) -> None:
        """Report a share, from 0 to 1."""
        self.done = max(self.done, share)
        if self._report:
            self._report(self.done)


class Job:
    """The work on one file."""

    def __init__(self, examined: Examined, out: Path, settings: Settings, clock: WallClock, share: Share) -> None:
        self.source: Source = examined.source
        self.examined, self.plan = examined, examined.plan
        self.out, self.settings, self.clock, self.share = out, settings, clock, share
        self._captions: tuple[Captions, ...] = ()

    async def run(self, line: Sequence[str], folder: Path | None = None, until: float | None = None) -> str:
        """Run ffmpeg in the sandbox of `folder`, from which `collect` takes what it made.

        Its progress advances the share that is done to `until`. Returns the last that ffmpeg printed.
        """
        start, progress = self.share.done, Progress(self.plan.duration)

        def advance(data: bytes) -> None:
            progress.feed(data)
            if until is not None:
                self.share.set(start + progress.fraction * (until - start))

        within = self.source.confinement(self.clock.deadline, sandbox_of(folder) if folder else None)
        return await run(line, replace(within, devices=encoder(self.settings.encoder).devices), advance)

    async def run_and_cut(
        self,
        line: Sequence[str],
        folder: Path,
        cutters: Sequence[Cutter],
        interval: float,
        until: float | None = None,
    ) -> str:
        """Run ffmpeg and cut what it writes, every `interval` seconds, so that little is left to do at the end."""
        async with Tasks() as tasks:
            writing = tasks.start(self.run(line, folder, until))
            while await cut_soon(writing, cutters, interval) is not None:
                pass
            return await writing

    async def prepare(self, folder: Path, rungs: Sequence[Rung], key: bytes | None) -> list[Cutter]:
        """Create the `folder` of a stage, with its captions, and its sandbox; return the cutter of each rung."""
        return await asyncio.to_thread(self._prepare, folder, rungs, key)

    def _prepare(self, folder: Path, rungs: Sequence[Rung], key: bytes | None) -> list[Cutter]:
        create(folder, rungs, self.source.probe.video.hdr)
        with closing(collect.Directory(folder)) as directory:
            for captions in self._captions:
                with (self.out / _CAPTIONS / captions.name).open("rb") as file:
                    size = os.fstat(file.fileno()).st_size
                    directory.write(file, range(size), captions.name, file_encryptor(key))
        most = self.source.limits.output_bytes
        return [Cutter(sandbox_of(folder), rung.name, folder / rung.name, most, key) for rung in rungs]

    async def write_captions(self, stream_copy: StreamCopy | None) -> None:
        """Write the captions of every stage, if there are any: errors in them do not harm the video."""
        tracks = self.examined.subtitles
        if not tracks:
            return
        folder = self.out / _CAPTIONS
        await asyncio.to_thread(create, folder)
        try:
            await self.run(preparation.captions(self.source, tracks, stream_copy), folder)
        except TRANSIENT:
            raise
        except TranscodeError:
            return
        self._captions = await asyncio.to_thread(_cleaned, folder, tracks)

    async def repair_audio(self, error: TranscodeError) -> bool:
        """Return whether the audio caused a run to fail with `error`, and is repaired now."""
        repaired = await with_repaired_audio(self.source, error, self.out / AUDIO, self.clock.deadline)
        self.source = repaired or self.source
        return repaired is not None

    def result(self, renditions: Sequence[Rendition]) -> Result:
        """Return the result for complete renditions, without a poster."""
        return result_of(renditions, self._captions, self.source.probe.audio.left_out)


async def cut_soon(writing: asyncio.Task[str], cutters: Sequence[Cutter], interval: float) -> list[int] | None:
    """Cut what a run of ffmpeg has written in `interval` seconds; return the number of segments of each rendition.

    None: the run is over. If it failed, it knows the cause; if not, the rest is cut at the end.
    """
    await asyncio.wait({writing}, timeout=interval)
    return None if writing.done() else [await asyncio.to_thread(cutter.advance) for cutter in cutters]


def sandbox_of(folder: Path) -> Path:
    """Return the folder that ffmpeg sees when it fills `folder`: what is served never lies in it."""
    return folder.with_name(f"{folder.name}.made")


def create(folder: Path, rungs: Sequence[Rung] = (), hdr: str | None = None) -> None:
    """Create a folder and its sandbox, with the folders of some rungs, and the table that maps `hdr` to SDR."""
    sandbox = sandbox_of(folder)
    for each in (folder, sandbox):
        each.mkdir(parents=True)
        for rung in rungs:
            (each / rung.name).mkdir()
    if hdr:
        (sandbox / CUBE).write_text(cube(hdr), "ascii")


def file_encryptor(key: bytes | None) -> encryption.FileEncryptor | None:
    """Return what encrypts a file of a stage that is no segment; None without a key."""
    return encryption.FileEncryptor(key, os.urandom(encryption.BLOCK)) if key else None


def discard(folder: Path) -> None:
    """Delete a folder and its sandbox."""
    shutil.rmtree(folder)
    collect.discard(sandbox_of(folder))


def finish(cutter: Cutter, expected: float) -> Written:
    """Cut the rest of a rendition that should play `expected` seconds, and verify it. Raises TranscodeError."""
    written = cutter.finish()
    if not written.segments:
        raise BrokenFile("none of its frames can be decoded")
    checks.durations(written.segments, expected)
    return written


def _cleaned(folder: Path, tracks: Sequence[Track]) -> tuple[Captions, ...]:
    """Rewrite the captions, and return those with any cue."""
    kept = []
    for captions in (track.captions for track in tracks):
        written = collect.opened(sandbox_of(folder), captions.name, _MOST_WRITTEN)
        if written is None:
            continue
        with written:
            text = cleaned(written.read(MOST_BYTES).decode("utf-8", "replace"))
        if text:
            (folder / captions.name).write_text(text, "utf-8")
            kept.append(captions)
    return tuple(kept)
