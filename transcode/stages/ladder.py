"""The second stage: all rungs, with poster, storyboard and preview."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from transcode import checks, loudness
from transcode.blurhash import SIDE
from transcode.commandline import ladder, probing
from transcode.commandline.ladder import CopyAlignment
from transcode.commandline.outputs import BLUR, FRAGMENTS
from transcode.errors import TRANSIENT, TranscodeError
from transcode.examine.audio import with_audio_loss
from transcode.examine.file import examine
from transcode.hls.playlist import POSTER, PREVIEW, STORYBOARD
from transcode.plan import AUDIO_BITS, Rung
from transcode.process import collect
from transcode.segments import InvalidRendition, Written
from transcode.stages.job import Job, discard, file_encryptor, finish, sandbox_of
from transcode.stages.poster import collect_poster
from transcode.stages.result import READY, Result, rendition_of

_INTERVAL_S = 0.5
_SHOWN = 200
_OTHERS = {STORYBOARD: collect.JPEG, PREVIEW: collect.CLIP}
# Of the bit rate: x264 may exceed it within its buffer. And bytes for the headers of the file and its fragments.
_SLACK, _INDEX = 1.25, 4 * 2**20


async def make_ladder(job: Job, alignment: CopyAlignment | None, key: bytes | None = None) -> Result:
    """Make the rungs below a stream copy; or all of them, where there is none or they do not match it.

    With a `key` its files are encrypted.
    """
    result = await _made(job, alignment, key)
    await asyncio.to_thread(collect.discard, sandbox_of(job.out / READY))
    return result


async def export_ladder(job: Job, alignment: CopyAlignment | None) -> Callable[[str, int], BinaryIO | None]:
    """Make the same, and return what opens each of its `ladder_files` as ffmpeg made it; None for what there is not."""
    await _made(job, alignment, None)
    sandbox = sandbox_of(job.out / READY)
    return lambda name, most: collect.opened(sandbox, _in_sandbox(name), most)


def ladder_files(job: Job, alignment: CopyAlignment | None) -> dict[str, int]:
    """Name the files that ffmpeg makes of the ladder, each with the most bytes that it may have.

    A rung's is called as that; its bit rate bounds it, and the copy's is not larger than the file.
    """
    plan, files = job.plan, {name: kind.most for name, kind in _OTHERS.items()}
    files |= {POSTER: collect.JPEG.most, BLUR: 3 * SIDE**2}
    for rung in plan.rungs() + (alignment.rungs if alignment else ()):
        bits = (rung.max_rate + AUDIO_BITS) * plan.duration * _SLACK
        copied = alignment is not None and rung == alignment.rungs[0]
        most = max(round(bits / 8), round(job.source.probe.size) if copied else 0) + _INDEX
        files[rung.name] = min(job.source.limits.output_bytes, max(most, files.get(rung.name, 0)))
    return files


async def adopt_ladder(job: Job, alignment: CopyAlignment | None, made: Path, key: bytes | None = None) -> Result:
    """Make a stage of what another process exported into the folder `made`, which may be hostile.

    It passes what our own ffmpeg's files pass, and each rung is examined besides. Raises TranscodeError.
    """
    await _gain(job)  # what of the audio cannot be decoded
    folder = job.out / READY
    try:
        if alignment is not None:
            try:
                return await _adopted(job, alignment, made, key)
            except TRANSIENT:
                raise
            except TranscodeError:
                await asyncio.to_thread(_put_back, sandbox_of(folder), made, alignment.rungs)
                await asyncio.to_thread(discard, folder)
        return await _adopted(job, None, made, key)
    except TranscodeError:
        await asyncio.to_thread(discard, folder)
        raise


async def _adopted(job: Job, alignment: CopyAlignment | None, made: Path, key: bytes | None) -> Result:
    rungs, durations, duration = _shape(job, alignment)
    folder = job.out / READY
    sandbox = sandbox_of(folder)
    with ExitStack() as closed:
        cutters = [closed.enter_context(closing(cutter)) for cutter in await job.prepare(folder, rungs, key)]
        await asyncio.to_thread(_put_in, made, sandbox, rungs)
        written = [await asyncio.to_thread(finish, cutter, duration) for cutter in cutters]
        checks.aligned([each.segments for each in written], durations)
    for rung in rungs:
        copied = alignment is not None and rung == alignment.rungs[0]
        await _check_size(job, sandbox / _in_sandbox(rung.name), rung, copied=copied)
    result = await _result(job, written, rungs, durations, key)
    await asyncio.to_thread(collect.discard, sandbox)
    return result


async def _check_size(job: Job, path: Path, rung: Rung, *, copied: bool) -> None:
    """Raise InvalidRendition unless a rung's file has the size that playlists announce."""
    # As the file itself, to within a frame.
    limits = replace(job.source.limits, max_duration=job.source.limits.max_duration + 1)
    found = (await examine(path, job.source.tools, limits, job.settings, job.clock.deadline)).source.probe.video
    expected = job.source.probe.video if copied else rung
    if (found.width, found.height) != (expected.width, expected.height):
        raise InvalidRendition(f"{rung.name} has {found.width}x{found.height} pixels")


def _put_in(made: Path, sandbox: Path, rungs: Sequence[Rung]) -> None:
    for name in [*(rung.name for rung in rungs), POSTER, BLUR, *_OTHERS]:
        if (made / name).exists():
            (made / name).rename(sandbox / _in_sandbox(name))


def _put_back(sandbox: Path, made: Path, rungs: Sequence[Rung]) -> None:
    for name in [*(rung.name for rung in rungs), POSTER, BLUR, *_OTHERS]:
        if (sandbox / _in_sandbox(name)).exists():
            (sandbox / _in_sandbox(name)).rename(made / name)


def _in_sandbox(name: str) -> str:
    return f"{name}/{FRAGMENTS}" if name.isdecimal() else name


async def _made(job: Job, alignment: CopyAlignment | None, key: bytes | None) -> Result:
    gain = await _gain(job)
    if alignment is not None:
        try:
            return await _rungs(job, gain, alignment, key)
        except TRANSIENT:
            raise
        except TranscodeError:
            await asyncio.to_thread(discard, job.out / READY)
    return await _rungs(job, gain, None, key)


def _shape(job: Job, alignment: CopyAlignment | None) -> tuple[tuple[Rung, ...], tuple[float, ...], float]:
    """Return the rungs, the durations of their segments, and that of the whole, in seconds."""
    if alignment:
        return alignment.rungs, alignment.durations, alignment.stream_copy.duration
    return job.plan.rungs(), job.plan.durations, job.plan.duration


async def _rungs(job: Job, gain: float, alignment: CopyAlignment | None, key: bytes | None) -> Result:
    folder, plan = job.out / READY, job.plan
    rungs, durations, duration = _shape(job, alignment)
    if alignment:
        line = ladder.ladder_with_copy(job.source, plan, job.settings, gain, alignment)
    else:
        line = ladder.ladder(job.source, plan, job.settings, gain)
    with ExitStack() as closed:
        cutters = [closed.enter_context(closing(cutter)) for cutter in await job.prepare(folder, rungs, key)]
        complaints = await job.run_and_cut(line, folder, cutters, _INTERVAL_S, until=1.0)
        if alignment and complaints.strip():
            # The copy would have the damage of its source; some players stop there.
            raise InvalidRendition(f"it is damaged: {complaints.strip()[-_SHOWN:]}")
        written = [await asyncio.to_thread(finish, cutter, duration) for cutter in cutters]
        checks.aligned([each.segments for each in written], durations)
    return await _result(job, written, rungs, durations, key)


async def _result(
    job: Job, written: Sequence[Written], rungs: Sequence[Rung], durations: tuple[float, ...], key: bytes | None
) -> Result:
    """Collect the images, and return the stage."""
    folder, plan = job.out / READY, job.plan
    renditions = [rendition_of(each, rung, durations) for each, rung in zip(written, rungs, strict=True)]
    poster = await asyncio.to_thread(collect_poster, sandbox_of(folder), folder, plan.ladder[0], key)
    made = await asyncio.to_thread(_collect_others, folder, key)
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
    return {
        name
        for name, kind in _OTHERS.items()
        if collect.take(sandbox_of(folder), name, folder / name, kind, file_encryptor(key))
    }
