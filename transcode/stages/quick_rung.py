"""The first stage as one quickly encoded rung, published with its first segment while it is still in progress."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from dataclasses import replace

from transcode import checks
from transcode.commandline import first_stage
from transcode.errors import TranscodeError
from transcode.hls.playlist import Rendition
from transcode.plan import AUDIO_BITS, Plan
from transcode.process import collect
from transcode.process.collect import Directory
from transcode.process.tasks import Tasks
from transcode.segments import Cutter
from transcode.stages.job import Job, cut_soon, discard, finish, sandbox_of
from transcode.stages.poster import draw_poster
from transcode.stages.result import NO_POSTER, PLAYABLE, Poster, Result, rendition_of

_SHARE = 0.2
# Seconds between two looks at ffmpeg's output: before the first segment, and while somebody may wait for the next one.
_FIRST_INTERVAL_S, _INTERVAL_S = 0.02, 0.1


async def encode(job: Job, key: bytes | None = None) -> AsyncGenerator[Result, None]:
    """Yield the rung as soon as it has a segment, again with more segments and a poster, and at last complete.

    With a `key` its files are encrypted. Where the audio makes it fail, it is encoded again without, unless it was
    published already: then the ladder is to replace it.
    """
    published = False
    try:
        async with aclosing(_encode(job, key)) as results:
            async for result in results:
                published = True
                yield result
    except TranscodeError as error:
        if not await job.repair_audio(error):
            raise
        if published:
            return
    else:
        return
    await asyncio.to_thread(discard, job.out / PLAYABLE)
    async with aclosing(_encode(job, key)) as results:
        async for result in results:
            yield result


async def _encode(job: Job, key: bytes | None) -> AsyncGenerator[Result, None]:
    folder, plan = job.out / PLAYABLE, job.plan
    (cutter,) = await job.prepare(folder, [plan.fast], key)
    line = first_stage.encode(job.source, plan, job.settings)
    planned, latest = _planned(plan), (0, NO_POSTER)
    with closing(cutter), closing(Directory(folder)) as stage:
        async with Tasks() as tasks:
            encoding = tasks.start(job.run(line, folder, until=_SHARE))
            drawing: asyncio.Task[Poster] | None = None
            interval = _FIRST_INTERVAL_S
            while counts := await cut_soon(encoding, [cutter], interval):
                (count,) = counts
                poster = drawing.result() if drawing and drawing.done() else NO_POSTER
                if not 0 < count < len(planned.durations) or (count, poster) == latest:
                    continue
                live = job.result([replace(planned, codecs=checks.codecs(cutter.init))])
                yield replace(live.with_poster(poster), available=count)
                if drawing is None and count > 1:
                    # A viewer needs the second segment sooner than the poster.
                    drawing = tasks.start(draw_poster(job, stage, key))
                latest, interval = (count, poster), _INTERVAL_S
            await encoding
            result = job.result([await _complete(cutter, plan)])
            if not latest[0]:
                yield result
            yield result.with_poster(await (drawing or draw_poster(job, stage, key)))
    await asyncio.to_thread(collect.discard, sandbox_of(folder))


def _planned(plan: Plan) -> Rendition:
    """Describe the rung before it is encoded, but for its codecs."""
    rung = plan.fast
    return Rendition(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        frame_rate=float(plan.frame_rate),
        codecs="",
        # A segment may also use up all of the encoder's buffer, which holds two seconds.
        bandwidth=2 * rung.max_rate + AUDIO_BITS,
        average_bandwidth=rung.max_rate + AUDIO_BITS,
        durations=plan.fast_durations,
    )


async def _complete(cutter: Cutter, plan: Plan) -> Rendition:
    written = await asyncio.to_thread(finish, cutter, plan.duration)
    checks.aligned([written.segments], plan.fast_durations)
    return rendition_of(written, plan.fast, plan.fast_durations)
