"""The first stage as a stream copy of the source, within a fraction of a second."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from transcode import checks
from transcode.commandline import first_stage
from transcode.commandline.inputs import Source
from transcode.commandline.ladder import CopyAlignment
from transcode.copy_policy import StreamCopy
from transcode.errors import TRANSIENT, TranscodeError
from transcode.mp4.remux import Remux, Selection, remux
from transcode.plan import SHORTEST_COPIED
from transcode.process import collect
from transcode.process.collect import Directory
from transcode.segments import Copier, InvalidRendition, Written
from transcode.stages.job import Job, discard, sandbox_of
from transcode.stages.poster import draw_poster
from transcode.stages.result import PLAYABLE, Result, rendition_of

_SHARE = 0.05
_INTERVAL_S = 0.02
# Bytes that are written before a copy is published: that takes some hundredths of a second. To encrypt takes longer
# than to copy, which the kernel does.
_AT_ONCE, _AT_ONCE_ENCRYPTED = 2**26, 2**23


@dataclass(frozen=True, slots=True)
class Copied:
    """A stream copy: complete, or with a `copier` that writes what follows its first segments."""

    result: Result
    """With all of its segments."""
    available: int
    """How many of them are written."""
    alignment: CopyAlignment
    """What the ladder has to match."""
    copier: Copier | None = None


async def copy(job: Job, stream_copy: StreamCopy, key: bytes | None = None) -> Copied | None:
    """Make the copy, or the first segments of a large one. None: it cannot be copied, and nothing is left.

    With a `key` its files are encrypted.
    """
    folder = job.out / PLAYABLE
    try:
        copied = await _copied(job, stream_copy, folder, key)
    except TRANSIENT:
        raise
    except TranscodeError:
        # Whatever the cause is, encoding will either succeed or name it.
        await asyncio.to_thread(discard, folder)
        return None
    await asyncio.to_thread(collect.discard, sandbox_of(folder))
    job.share.set(_SHARE)
    return copied


async def complete(job: Job, copied: Copied, key: bytes | None = None) -> AsyncGenerator[Result, None]:
    """Yield the copy as far as it is written, then with all of its segments, then with its poster, if there is one."""
    result = copied.result
    with closing(Directory(job.out / PLAYABLE)) as stage:
        if copied.copier:
            with closing(copied.copier) as copier:
                yield replace(result, available=copied.available)
                await asyncio.to_thread(copier.write)
        yield result
        poster = await draw_poster(job, stage, key)
        # Where none can be drawn, the ladder will fail for the same reason.
        if poster.name:
            yield result.with_poster(poster)


async def _copied(job: Job, stream_copy: StreamCopy, folder: Path, key: bytes | None) -> Copied:
    (cutter,) = await job.prepare(folder, [stream_copy.rung], key)
    with closing(cutter):
        with suppress(ValueError):
            remuxed = await asyncio.to_thread(_remuxed, job.source, job.examined.index, stream_copy)
            copier = Copier(job.source.path, remuxed, folder / stream_copy.rung.name, key)
            with ExitStack() as stack:
                stack.callback(copier.close)
                copied = _described(job, stream_copy, await asyncio.to_thread(copier.check))
                available = await asyncio.to_thread(copier.write, _AT_ONCE_ENCRYPTED if key else _AT_ONCE)
                if available == copied.available:
                    return copied
                stack.pop_all()
                return replace(copied, available=available, copier=copier)
        await job.run_and_cut(first_stage.copy(job.source, stream_copy), folder, [cutter], _INTERVAL_S)
        return _described(job, stream_copy, await asyncio.to_thread(cutter.finish))


def _described(job: Job, stream_copy: StreamCopy, written: Written) -> Copied:
    """Verify a copy, and describe it as complete. Raises InvalidRendition."""
    if written.changes:
        # Players that know the first size alone distort, or stop at, frames of another size.
        raise InvalidRendition("its parameter sets change on the way: the frame size, perhaps")
    durations = checks.durations(written.segments, stream_copy.duration)
    rendition = rendition_of(written, stream_copy.rung, durations)
    rungs = job.plan.rungs(rendition.average_bandwidth)
    result = job.result([rendition])
    return Copied(result, result.available, CopyAlignment(stream_copy, rungs, durations, written.av_offset))


def _remuxed(source: Source, index: range, stream_copy: StreamCopy) -> Remux:
    """Remux without ffmpeg. Raises ValueError where only ffmpeg can."""
    probe, rung = source.probe, stream_copy.rung
    if probe.audio.mixed:
        raise ValueError("several audio tracks are mixed")
    with source.path.open("rb") as file:
        file.seek(index.start)
        moov = file.read(len(index))
        size = os.fstat(file.fileno()).st_size
    selection = Selection(
        video_index=probe.video.index,
        audio_index=probe.audio.index,
        width=rung.width,
        height=rung.height,
        duration=stream_copy.duration,
        audio_offset=stream_copy.audio_offset,
        shortest_segment=SHORTEST_COPIED,
    )
    return remux(moov, selection, size)
