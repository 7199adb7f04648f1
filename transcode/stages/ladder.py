"""The second stage: all rungs, with poster, storyboard and preview."""

import asyncio
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from transcode import checks, loudness
from transcode.commandline import ladder, probing
from transcode.commandline.ladder import CopyAlignment
from transcode.errors import TRANSIENT, TranscodeError
from transcode.examine.audio import with_audio_loss
from transcode.hls.playlist import PREVIEW, STORYBOARD
from transcode.process import collect
from transcode.segments import InvalidRendition
from transcode.stages.job import Job, discard, file_encryptor, finish, sandbox_of
from transcode.stages.poster import collect_poster
from transcode.stages.result import READY, Result, rendition_of

_INTERVAL_S = 0.5
_SHOWN = 200


async def make_ladder(job: Job, alignment: CopyAlignment | None, key: bytes | None = None) -> Result:
    """Make the rungs below a stream copy; or all of them, where there is none or they do not match it.

    With a `key` its files are encrypted.
    """
    gain = await _gain(job)
    if alignment is not None:
        try:
            return await _rungs(job, gain, alignment, key)
        except TRANSIENT:
            raise
        except TranscodeError:
            await asyncio.to_thread(discard, job.out / READY)
    return await _rungs(job, gain, None, key)


async def _rungs(job: Job, gain: float, alignment: CopyAlignment | None, key: bytes | None) -> Result:
    folder, plan = job.out / READY, job.plan
    if alignment:
        rungs = alignment.rungs
        line = ladder.ladder_with_copy(job.source, plan, job.settings, gain, alignment)
        duration, durations = alignment.stream_copy.duration, alignment.durations
    else:
        rungs = plan.rungs()
        line = ladder.ladder(job.source, plan, job.settings, gain)
        duration, durations = plan.duration, plan.durations
    with ExitStack() as closed:
        cutters = [closed.enter_context(closing(cutter)) for cutter in await job.prepare(folder, rungs, key)]
        complaints = await job.run_and_cut(line, folder, cutters, _INTERVAL_S, until=1.0)
        if alignment and complaints.strip():
            # The copy would have the damage of its source; some players stop there.
            raise InvalidRendition(f"it is damaged: {complaints.strip()[-_SHOWN:]}")
        written = [await asyncio.to_thread(finish, cutter, duration) for cutter in cutters]
        checks.aligned([each.segments for each in written], durations)
    renditions = [rendition_of(each, rung, durations) for each, rung in zip(written, rungs, strict=True)]
    poster = await asyncio.to_thread(collect_poster, sandbox_of(folder), folder, plan.ladder[0], key)
    made = await asyncio.to_thread(_collect_others, folder, key)
    await asyncio.to_thread(collect.discard, sandbox_of(folder))
    job.share.set(1.0)
    return replace(
        job.result(renditions).with_poster(poster),
        storyboard=plan.storyboard if STORYBOARD in made else None,
        preview=PREVIEW if PREVIEW in made else None,
    )


async def _gain(job: Job) -> float:
    """Measure the gain in dB that normalizes the loudness."""
    if not job.source.probe.has_audio:
        return 0.0
    try:
        printed = await job.run(probing.loudness(job.source))
    except TRANSIENT:
        raise
    except TranscodeError as error:
        # Where the audio is not the cause, the ladder will fail for the same reason.
        return await _gain(job) if await job.repair_audio(error) else 0.0
    job.source = with_audio_loss(job.source, printed)
    return loudness.gain(loudness.parse(printed))


def _collect_others(folder: Path, key: bytes | None) -> set[str]:
    """Take storyboard and preview out of the sandbox, and return the names of those that there are."""
    kinds = {STORYBOARD: collect.JPEG, PREVIEW: collect.CLIP}
    return {
        name
        for name, kind in kinds.items()
        if collect.take(sandbox_of(folder), name, folder / name, kind, file_encryptor(key))
    }
