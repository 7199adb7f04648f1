"""Prepare a file to be sent: as it is, or a part of it converted to one MP4; with a thumbnail."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transcode.commandline import images
from transcode.commandline.filters import CUBE
from transcode.commandline.inputs import Source
from transcode.commandline.recording import RECORDING, recording
from transcode.commandline.tone_mapping import cube
from transcode.errors import TRANSIENT, Failed, TooLong, TranscodeError
from transcode.examine.audio import with_repaired_audio
from transcode.examine.prepare import AUDIO, prepare
from transcode.limits import Limits
from transcode.plan import AUDIO_BITS, Plan, Rung, poster_rung
from transcode.process import collect
from transcode.process.ffmpeg import ignore, run
from transcode.process.progress import Progress
from transcode.process.tools import Tools
from transcode.settings import DEFAULT
from transcode.source.audio_loss import AudioLoss
from transcode.source.sniff import HEAD_BYTES, container_of
from transcode.stages.poster import collect_poster

_THUMBNAIL = 480
# A rung with less than this share of its maximum bit rate looks worse than the next smaller one.
_LEAST_SHARE = 0.4
# The index, and what the encoder's buffer may be ahead: share of the file, and seconds.
_OVERHEAD, _BUFFER_S = 0.03, 2.0
# Frames: less than any of them, and more than what seconds times a rate are off.
_ROUNDING = 1e-6
_TYPES = {
    "asf": "video/x-ms-asf",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "matroska": "video/x-matroska",
    "mov": "video/mp4",
    "mpeg": "video/mpeg",
    "mpegts": "video/mp2t",
    "ogg": "video/ogg",
}


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a file becomes a recording, and how large it may be.

    `start` and `end` are seconds, rounded to whole frames, of which at least one is left. It plays `longest` seconds at
    most, also where the file itself plays longer.
    """

    start: float | None = None
    end: float | None = None
    longest: float = math.inf
    max_bytes: float = math.inf


ALL = Cut()


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG of the video: pixels, and its blurhash where there is one."""

    path: Path
    width: int
    height: int
    blurhash: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A video that may be sent: its media type, seconds, displayed size in pixels, missing audio."""

    path: Path
    mimetype: str
    duration: float
    width: int
    height: int
    thumbnail: Thumbnail | None
    audio_left_out: AudioLoss | None = None


async def verify_video(source: Path, out: Path, *, tools: Tools, limits: Limits) -> Prepared:
    """Verify that a file is a video that can be transcoded, and draw its thumbnail into the new folder `out`.

    Raises TranscodeError, or OSError when `source` cannot be read or `out` exists already.
    """
    job = await _Job.create(source, out, tools, limits)
    probe = job.source.probe
    return Prepared(
        path=job.original,
        mimetype=await asyncio.to_thread(_media_type, job.original),
        duration=probe.duration,
        width=probe.video.width,
        height=probe.video.height,
        thumbnail=await job.thumbnail(),
        audio_left_out=probe.audio.left_out,
    )


async def prepare_recording(
    source: Path,
    out: Path,
    cut: Cut = ALL,
    *,
    tools: Tools,
    limits: Limits,
    on_progress: Callable[[float], None] | None = None,
) -> Prepared:
    """Make an MP4 (H.264, AAC), and its thumbnail, of a part of a file, in the new folder `out`.

    It starts with its index, has no B-frames and a key frame every two seconds; the quality, then the frame size, are
    reduced until it fits. `on_progress` is called with the share done, from 0 to 1. Raises as `verify_video` does, and
    TooLong where a longer part is to be kept, or no quality is small enough.
    """
    job = await _Job.create(source, out, tools, limits)
    first, plan = _cut(job.plan, cut)
    large, small = _affordable_rung(plan, cut.max_bytes), _thumbnail_rung(plan)
    plan = replace(plan, ladder=(large, small))
    progress = Progress(plan.duration)

    def advance(data: bytes) -> None:
        progress.feed(data)
        if on_progress:
            on_progress(progress.fraction)

    # There is no progress while it decodes what is cut off at the start, however long that is.
    bounds = replace(limits, stalled_seconds=limits.wall_seconds) if first else limits
    try:
        await job.run(recording(job.source, plan, first), advance, bounds)
    except TranscodeError as error:
        if not await job.repair_audio(error):
            raise
        await job.run(recording(job.source, plan, first), advance, bounds)
    path = job.out / RECORDING
    expected = collect.mp4(limits.output_bytes)
    if not await asyncio.to_thread(collect.take, job.sandbox, RECORDING, path, expected):
        raise Failed("ffmpeg made no recording")
    thumbnail = await asyncio.to_thread(_thumbnail_in, job, small)
    await asyncio.to_thread(collect.discard, job.sandbox)
    return Prepared(
        path=path,
        mimetype="video/mp4",
        duration=plan.duration,
        width=large.width,
        height=large.height,
        thumbnail=thumbnail,
        audio_left_out=job.source.probe.audio.left_out,
    )


class _Job:
    """The work on one file, in a new folder."""

    def __init__(self, original: Path, source: Source, plan: Plan, out: Path, deadline: float) -> None:
        self.original, self.source, self.plan, self.out = original, source, plan, out
        self.sandbox = out / "made"
        self._deadline = deadline

    @classmethod
    async def create(cls, source: Path, out: Path, tools: Tools, limits: Limits) -> "_Job":
        original, out = await asyncio.to_thread(lambda: (source.absolute(), out.absolute()))
        deadline = asyncio.get_running_loop().time() + limits.wall_seconds
        await asyncio.to_thread(out.mkdir)
        examined = await prepare(original, out, tools, limits, DEFAULT, deadline)
        job = cls(original, examined.source, examined.plan, out, deadline)
        await asyncio.to_thread(job._create_sandbox)
        return job

    def _create_sandbox(self) -> None:
        self.sandbox.mkdir()
        if self.source.probe.video.hdr:
            (self.sandbox / CUBE).write_text(cube(self.source.probe.video.hdr), "ascii")

    async def repair_audio(self, error: TranscodeError) -> bool:
        """Return whether the audio caused a run to fail with `error`, and is repaired now."""
        repaired = await with_repaired_audio(self.source, error, self.out / AUDIO, self._deadline)
        self.source = repaired or self.source
        return repaired is not None

    async def run(
        self, line: Sequence[str], on_output: Callable[[bytes], None] = ignore, limits: Limits | None = None
    ) -> None:
        within = self.source.confinement(self._deadline, self.sandbox)
        await run(line, replace(within, limits=limits or within.limits), on_output)

    async def thumbnail(self) -> Thumbnail | None:
        """Draw a frame of the file; a file without a thumbnail may still be a video."""
        for late in (True, False):
            try:
                await self.run(images.poster(self.source, self.plan, candidates=1, late=late))
            except TRANSIENT:
                raise
            except TranscodeError:
                continue
            if drawn := await asyncio.to_thread(_thumbnail_in, self, poster_rung(self.plan.ladder)):
                return drawn
        return None


def _cut(plan: Plan, cut: Cut) -> tuple[int, Plan]:
    """Return the number of the first frame that is kept, and the plan for what is kept. Raises TooLong."""
    rate = float(plan.frame_rate)
    # Limited before rounding: what is beyond the end may be beyond every integer, too.
    first = round(min((cut.start or 0.0) * rate, plan.frames - 1))
    last = plan.frames if cut.end is None else max(first + 1, round(min(cut.end * rate, plan.frames)))
    # Rounded, a part of exactly the limit may be a frame above it.
    most = max(1, math.floor(min(cut.longest * rate, plan.frames) + _ROUNDING))
    if last - first > most + 1:
        raise TooLong(f"{(last - first) / rate:.1f} s are to be kept, the limit is {cut.longest:.0f} s")
    return first, replace(plan, frames=min(last - first, most))


def _affordable_rung(plan: Plan, max_bytes: float) -> Rung:
    """Choose the largest rung that looks well within the size, at most 1080 lines. Raises TooLong."""
    affordable = max_bytes * 8 * (1 - _OVERHEAD) / (plan.duration + _BUFFER_S) - AUDIO_BITS
    for rung in plan.ladder:
        if rung.max_rate * _LEAST_SHARE <= affordable:
            return replace(rung, max_rate=int(min(rung.max_rate, affordable)))
    raise TooLong(f"{plan.duration:.0f} s do not fit into {max_bytes / 1e6:.1f} MB")


def _thumbnail_rung(plan: Plan) -> Rung:
    return next((rung for rung in plan.ladder if int(rung.name) <= _THUMBNAIL), plan.ladder[-1])


def _thumbnail_in(job: _Job, rung: Rung) -> Thumbnail | None:
    poster = collect_poster(job.sandbox, job.out, rung)
    return Thumbnail(job.out / poster.name, rung.width, rung.height, poster.blurhash) if poster.name else None


def _media_type(source: Path) -> str:
    with source.open("rb") as file:
        demuxer = container_of(file).demuxer
        file.seek(0)
        head = file.read(HEAD_BYTES)
    if demuxer == "matroska" and b"webm" in head[:64]:
        return "video/webm"
    if demuxer == "mov" and head[4:12] == b"ftypqt  ":
        return "video/quicktime"
    return _TYPES[demuxer]
