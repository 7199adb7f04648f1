"""One file in, one file out that may be sent: as it is, or as an MP4 of a part of it; with a small picture of it."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transcode.blurhash import SIDE, blurhash_of
from transcode.commandline import commands
from transcode.commandline.commands import BLUR
from transcode.commandline.filters import CUBE
from transcode.commandline.tone_mapping import cube
from transcode.errors import TRANSIENT, Failed, TooLong, TranscodeError
from transcode.examine import Examined, examine, joined, with_audio_apart, with_audio_mended, with_pixel_aspects
from transcode.hls.playlist import POSTER
from transcode.limits import Limits
from transcode.plan import AUDIO_BITS, Plan, Rung, poster_rung
from transcode.process import collect
from transcode.process.ffmpeg import run
from transcode.process.progress import Progress
from transcode.process.tools import Tools
from transcode.settings import DEFAULT
from transcode.source.audio_loss import AudioLoss
from transcode.source.sniff import HEAD_BYTES, container_of

_THUMBNAIL = 480
_AUDIO, _KEY_FRAMES, _LINKS = "audio", "keys", "links"
# A rung with less than this share of what it may have at most looks worse than the next smaller one.
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
class Thumbnail:
    """A JPEG of the video: pixels, and its blurhash where there is one."""

    path: Path
    width: int
    height: int
    blurhash: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A video that may be sent: its media type, seconds, pixels as displayed, what of its audio is not heard."""

    path: Path
    mimetype: str
    duration: float
    width: int
    height: int
    thumbnail: Thumbnail | None
    audio_left_out: AudioLoss | None = None


async def look_at(source: Path, out: Path, *, tools: Tools, limits: Limits) -> Prepared:
    """Make sure that a file is a video that `transcode` takes, and draw its thumbnail into the new folder `out`.

    Raises TranscodeError, or OSError when `source` cannot be read or `out` is there already.
    """
    job = await _Job.begin(source, out, tools, limits)
    probe = job.given.probe
    return Prepared(
        path=job.source,
        mimetype=await asyncio.to_thread(_media_type, job.source),
        duration=probe.duration,
        width=probe.width,
        height=probe.height,
        thumbnail=await job.thumbnail(),
        audio_left_out=probe.audio_left_out,
    )


async def prepare_recording(
    source: Path,
    out: Path,
    *,
    start: float | None = None,
    end: float | None = None,
    longest: float = math.inf,
    max_bytes: float = math.inf,
    tools: Tools,
    limits: Limits,
    on_progress: Callable[[float], None] | None = None,
) -> Prepared:
    """Make an MP4 (H.264, AAC), and its thumbnail, of what is between `start` and `end` (seconds) of a file.

    Both are rounded to whole frames, of which at least one is left; they play `longest` seconds at most, also where
    the file itself plays longer. What is made begins with its index, has no B-frames and a key frame every two seconds:
    the quality, then the frame size, give way until it has `max_bytes` at most. `on_progress` gets the share
    done, from 0 to 1. Raises as `look_at` does, and TooLong where more is to be kept, or no quality is small enough.
    """
    job = await _Job.begin(source, out, tools, limits)
    first, plan = _cut(job.plan, start, end, longest)
    large, small = _chosen(plan, max_bytes), _thumbnail_rung(plan)
    plan = replace(plan, ladder=(large, small))
    progress = Progress(plan.duration)

    def advance(data: bytes) -> None:
        progress.feed(data)
        if on_progress:
            on_progress(progress.fraction)

    # It is silent while it decodes what is cut off at the beginning, however long that is.
    bounds = replace(limits, stalled_seconds=limits.wall_seconds) if first else limits
    try:
        await job.run(commands.recording(job.given, plan, first), advance, bounds)
    except TranscodeError as error:
        if not await job.mend_audio(error):
            raise
        await job.run(commands.recording(job.given, plan, first), advance, bounds)
    path = job.out / commands.RECORDING
    expected = collect.mp4(limits.output_bytes)
    if not await asyncio.to_thread(collect.take, job.made, commands.RECORDING, path, expected):
        raise Failed("ffmpeg made no recording")
    thumbnail = await asyncio.to_thread(_thumbnail_in, job, small)
    await asyncio.to_thread(collect.discard, job.made)
    return Prepared(
        path=path,
        mimetype="video/mp4",
        duration=plan.duration,
        width=large.width,
        height=large.height,
        thumbnail=thumbnail,
        audio_left_out=job.given.probe.audio_left_out,
    )


class _Job:
    def __init__(self, source: Path, examined: Examined, out: Path, deadline: float) -> None:
        self.source = source
        self.examined, self.given, self.plan, self.out = examined, examined.given, examined.plan, out
        self.made = out / "made"
        self._deadline = deadline

    @classmethod
    async def begin(cls, source: Path, out: Path, tools: Tools, limits: Limits) -> "_Job":
        source, out = await asyncio.to_thread(lambda: (source.absolute(), out.absolute()))
        deadline = asyncio.get_running_loop().time() + limits.wall_seconds
        await asyncio.to_thread(out.mkdir)
        read = await joined(source, out / _LINKS, tools, limits, deadline)
        examined = await examine(read, tools, limits, DEFAULT, deadline)
        job = cls(source, await with_pixel_aspects(examined, out / _KEY_FRAMES, deadline), out, deadline)
        await asyncio.to_thread(job._prepare)
        job.given = await with_audio_apart(job.examined, out / _AUDIO, deadline)
        return job

    async def mend_audio(self, error: TranscodeError) -> bool:
        """Say whether the audio was at fault that a run failed with `error`, and is not any more."""
        mended = await with_audio_mended(self.given, error, self.out / _AUDIO, self._deadline)
        self.given = mended or self.given
        return mended is not None

    def _prepare(self) -> None:
        self.made.mkdir()
        if self.given.probe.hdr:
            (self.made / CUBE).write_text(cube(self.given.probe.hdr), "ascii")

    async def run(
        self,
        line: Sequence[str],
        on_output: Callable[[bytes], None] = lambda _: None,
        limits: Limits | None = None,
    ) -> None:
        given, bounds = self.given, limits or self.given.limits
        await run(
            line, sandbox=given.tools.sandbox, reads=given.reads, limits=bounds, deadline=self._deadline,
            on_output=on_output, cwd=self.made,
        )  # fmt: skip

    async def thumbnail(self) -> Thumbnail | None:
        """Draw a picture of the file itself; one without may still be a video."""
        for late in (True, False):
            try:
                await self.run(commands.still(self.given, self.plan, candidates=1, late=late))
            except TRANSIENT:
                raise
            except TranscodeError:
                continue
            if drawn := await asyncio.to_thread(_thumbnail_in, self, poster_rung(self.plan.ladder)):
                return drawn
        return None


def _cut(plan: Plan, start: float | None, end: float | None, longest: float) -> tuple[int, Plan]:
    """Return the index of the first frame that is kept, and the plan for what is kept. Raises TooLong."""
    rate = float(plan.frame_rate)
    # Bounded before they are rounded: what is beyond the end may be beyond every integer, too.
    first = round(min((start or 0.0) * rate, plan.frames - 1))
    last = plan.frames if end is None else max(first + 1, round(min(end * rate, plan.frames)))
    # Rounded, what was cut to the limit may be a frame above it.
    most = max(1, math.floor(min(longest * rate, plan.frames) + _ROUNDING))
    if last - first > most + 1:
        raise TooLong(f"{(last - first) / rate:.1f} s are to be kept, the limit is {longest:.0f} s")
    return first, replace(plan, frames=min(last - first, most))


def _chosen(plan: Plan, max_bytes: float) -> Rung:
    """Choose the largest picture that looks well within the size, at most 1080 lines. Raises TooLong."""
    affordable = max_bytes * 8 * (1 - _OVERHEAD) / (plan.duration + _BUFFER_S) - AUDIO_BITS
    for rung in plan.ladder:
        if rung.max_rate * _LEAST_SHARE <= affordable:
            return replace(rung, max_rate=int(min(rung.max_rate, affordable)))
    raise TooLong(f"{plan.duration:.0f} s do not fit into {max_bytes / 1e6:.1f} MB")


def _thumbnail_rung(plan: Plan) -> Rung:
    return next((rung for rung in plan.ladder if int(rung.name) <= _THUMBNAIL), plan.ladder[-1])


def _thumbnail_in(job: _Job, rung: Rung) -> Thumbnail | None:
    target = job.out / POSTER
    if not collect.take(job.made, POSTER, target, collect.JPEG):
        return None
    raw = collect.read(job.made, BLUR, 3 * SIDE**2)
    blurhash = blurhash_of(raw, rung.width, rung.height) if len(raw) == 3 * SIDE**2 else None
    return Thumbnail(target, rung.width, rung.height, blurhash)


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
