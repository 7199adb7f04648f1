"""The first stage as a stream copy of the source, within a fraction of a second."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import closing, suppress
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
from transcode.segments import InvalidRendition, Written, write
from transcode.stages.job import Job, discard, sandbox_of
from transcode.stages.poster import draw_poster
from transcode.stages.result import PLAYABLE, Result, rendition_of

_SHARE = 0.05
_INTERVAL_S = 0.02


async def copy(job: Job, stream_copy: StreamCopy, key: bytes | None = None) -> tuple[Result, CopyAlignment] | None:
    """Make the copy, and what the ladder has to match. None: it cannot be copied, and nothing is left.

    With a `key` its files are encrypted.
    """
    folder = job.out / PLAYABLE
    try:
        written = await _written(job, stream_copy, folder, key)
        if written.changes:
            # Players that know the first size alone distort, or stop at, frames of another size.
            raise InvalidRendition("its parameter sets change on the way: the frame size, perhaps")
        durations = checks.durations(written.segments, stream_copy.duration)
        result = job.result([rendition_of(written, stream_copy.rung, durations)])
    except TRANSIENT:
        raise
    except TranscodeError:
        # Whatever the cause is, encoding will either succeed or name it.
        await asyncio.to_thread(discard, folder)
        return None
    await asyncio.to_thread(collect.discard, sandbox_of(folder))
    job.share.set(_SHARE)
    return result, CopyAlignment(stream_copy, durations, written.av_offset)


async def with_poster(job: Job, result: Result, key: bytes | None = None) -> AsyncGenerator[Result, None]:
    """Yield the copy, then the same with its poster, if one can be drawn."""
    with closing(Directory(job.out / PLAYABLE)) as stage:
        yield result
        poster = await draw_poster(job, stage, key)
        # Where none can be drawn, the ladder will fail for the same reason.
        if poster.name:
            yield result.with_poster(poster)


async def _written(job: Job, stream_copy: StreamCopy, folder: Path, key: bytes | None) -> Written:
    (cutter,) = await job.prepare(folder, [stream_copy.rung], key)
    with closing(cutter):
        with suppress(ValueError):
            copied = await asyncio.to_thread(_remuxed, job.source, job.examined.index, stream_copy)
            rung_folder = folder / stream_copy.rung.name
            return await asyncio.to_thread(write, job.source.path, copied, rung_folder, key)
        await job.run_and_cut(first_stage.copy(job.source, stream_copy), folder, [cutter], _INTERVAL_S)
        return await asyncio.to_thread(cutter.finish)


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
