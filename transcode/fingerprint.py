"""Perceptual fingerprints that recognise a re-encoded copy of a video: a hash for each of eight samples of it.

They are robust against re-encoding at any bit rate, size, frame rate, codec or container, a little brighter or darker,
or with 2 % cropped off each side. A video that is mirrored, framed, rotated, overlaid with text, cut or edited is not
recognised.

A sample is the mean of four frames, a tenth of a second apart, so that it hardly matters which ones an encoder kept.
Its bits are the signs of the 12 x 12 lowest frequencies (DCT-II, as in pHash and PDQ); the margins have less weight,
since a crop removes them. Measured by `./run bench fingerprint`: of those re-encoded as above, none differs from its
source in more than 21 % of the bits; of 300 different videos none in less than 31 %.

Existing libraries (pdqhash, ImageHash, videohash, perception) hash with numpy, most with scipy too: 60 to 200 MB for
what is 15 ms of plain Python beside a decoder. ffmpeg's own `signature` decodes every frame.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import mul
from pathlib import Path

from transcode.commandline.images import FINGERPRINT_FRAMES, FINGERPRINT_SIDE, fingerprint_frames
from transcode.commandline.inputs import Source
from transcode.errors import Failed
from transcode.examine.file import examine
from transcode.limits import Limits
from transcode.process.ffmpeg import run
from transcode.process.tools import Tools
from transcode.settings import DEFAULT

_VERSION = 1
_SAMPLES = 8
_FREQUENCIES = 12
_BYTES = _FREQUENCIES**2 // 8
_DURATION_BYTES = 4
_HEADER = 1 + _DURATION_BYTES
_LENGTH = _HEADER + _SAMPLES * _BYTES
# Mean deviation from one grey, in levels, below which noise decides the signs.
_LEAST_CONTRAST = 1.0
_FEWEST_SAMPLES = 4
_MOST_DIFFERENT = 0.235  # of the bits
_MOST_DIFFERENT_OF_SAME = 0.3
# Share and seconds; much more than encoders and containers change. Another speed is another video.
_SAME_DURATION, _SAME_DURATION_S = 0.05, 0.5
# Seconds. The end is often earlier than announced.
_END = 0.5
# Of decoders that run at the same time, each of which holds some frames: as many as eight of 1080p have.
_PIXELS_AT_ONCE = _SAMPLES * 1920 * 1088
_SAMPLE_BYTES = FINGERPRINT_SIDE**2 * FINGERPRINT_FRAMES
_UNJUDGED = bytes(_BYTES)


async def fingerprint(path: Path, *, tools: Tools, limits: Limits) -> bytes | None:
    """Return the fingerprint of a local video file, for `is_copy`; None where there is too little contrast.

    It seeks, and decodes from the key frame before each of eight time stamps, so it costs as much as eight GOPs,
    however long the video is. Raises TranscodeError, or OSError when the file cannot be read.
    """
    path = await asyncio.to_thread(path.absolute)
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    source = (await examine(path, tools, limits, DEFAULT, deadline)).source
    # The decoders run in parallel already: one for each time stamp.
    source = replace(source, limits=replace(limits, threads=1))
    pixels = source.probe.video.coded_width * source.probe.video.coded_height
    together = max(1, min(_SAMPLES, _PIXELS_AT_ONCE // pixels))
    times = _times(source.probe.duration)
    raw = bytearray()
    for start in range(0, _SAMPLES, together):
        raw += await _decoded(source, times[start : start + together], deadline)
    return await asyncio.to_thread(fingerprint_of, bytes(raw), source.probe.duration)


def fingerprint_of(raw: bytes, duration: float) -> bytes | None:
    """Hash the output of `images.fingerprint_frames` of a video of `duration` seconds; pure.

    None where fewer than half of the samples have any contrast. Takes about 15 ms.
    """
    if len(raw) != _SAMPLES * _SAMPLE_BYTES:
        return None
    hashes = [_hash(raw[start : start + _SAMPLE_BYTES]) for start in range(0, len(raw), _SAMPLE_BYTES)]
    if sum(each != _UNJUDGED for each in hashes) < _FEWEST_SAMPLES:
        return None
    milliseconds = min(round(duration * 1000), 2 ** (8 * _DURATION_BYTES) - 1)
    return b"".join((bytes([_VERSION]), milliseconds.to_bytes(_DURATION_BYTES, "big"), *hashes))


def is_copy(a: bytes, b: bytes) -> bool:
    """Return whether two fingerprints are of the same video; False for different versions. Takes some 10 us."""
    if len(a) != _LENGTH or len(b) != _LENGTH or not a[0] == b[0] == _VERSION:
        return False
    long, short = sorted((_seconds(a), _seconds(b)), reverse=True)
    return long - short <= max(_SAME_DURATION_S, _SAME_DURATION * long) and distance(a, b) <= _MOST_DIFFERENT


def shows_same(a: bytes, b: bytes) -> bool:
    """Return whether what was made of a file shows what the file shows, by their fingerprints.

    Frames alone count; and as nobody looks for it among many, more may differ than for `is_copy`: tone mapping, and
    letterboxes of what changes its shape.
    """
    return distance(a, b) <= _MOST_DIFFERENT_OF_SAME


def distance(a: bytes, b: bytes) -> float:
    """Return the share of bits in which two fingerprints of this version differ; 1.0 where too few are comparable."""
    differing = compared = 0
    for start in range(_HEADER, _LENGTH, _BYTES):
        one, other = a[start : start + _BYTES], b[start : start + _BYTES]
        if _UNJUDGED not in (one, other):
            compared += 1
            differing += (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
    return differing / (8 * _BYTES * compared) if compared >= _FEWEST_SAMPLES else 1.0


async def _decoded(source: Source, times: Sequence[float], deadline: float) -> bytes:
    raw = bytearray()

    def take(data: bytes) -> None:
        raw.extend(data)
        if len(raw) > len(times) * _SAMPLE_BYTES:
            raise Failed("ffmpeg printed more frames than requested")

    await run(fingerprint_frames(source, times), source.confinement(deadline), take)
    return bytes(raw)


def _times(duration: float) -> list[float]:
    end = max(0.0, duration - _END)
    # A millisecond apart at least: of a single frame, too, eight samples are taken.
    return [end * (number + 0.5) / _SAMPLES + number / 1000 for number in range(_SAMPLES)]


def _seconds(made: bytes) -> float:
    return int.from_bytes(made[1:_HEADER]) / 1000


def _cosines() -> Iterator[list[float]]:
    for frequency in range(1, _FREQUENCIES + 1):
        yield [math.cos(math.pi * (2 * x + 1) * frequency / (2 * FINGERPRINT_SIDE)) for x in range(FINGERPRINT_SIDE)]


_COSINES = tuple(_cosines())
_SIDE_WEIGHTS = [math.sqrt(math.sin(math.pi * (x + 0.5) / FINGERPRINT_SIDE)) for x in range(FINGERPRINT_SIDE)]
_WEIGHTS = [across * down for down in _SIDE_WEIGHTS for across in _SIDE_WEIGHTS]
_SUM_OF_WEIGHTS = sum(_WEIGHTS)


def _hash(raw: bytes) -> bytes:
    """Hash one sample: the signs of its frequencies. No bit is set where it has no contrast."""
    grey = _mean(raw)
    level = _dot(grey, _WEIGHTS) / _SUM_OF_WEIGHTS
    weighted = [(each - level) * weight for each, weight in zip(grey, _WEIGHTS, strict=True)]
    rows = [weighted[start : start + FINGERPRINT_SIDE] for start in range(0, len(weighted), FINGERPRINT_SIDE)]
    across = [[_dot(row, cosines) for row in rows] for cosines in _COSINES]
    found = [_dot(column, cosines) for column in across for cosines in _COSINES]
    if math.hypot(*found) * 2 / FINGERPRINT_SIDE**2 < _LEAST_CONTRAST:
        return _UNJUDGED
    return sum((each > 0) << place for place, each in enumerate(found)).to_bytes(_BYTES)


def _mean(raw: bytes) -> list[float]:
    size = FINGERPRINT_SIDE**2
    frames = [raw[start : start + size] for start in range(0, len(raw), size)]
    return [sum(pixels) / len(frames) for pixels in zip(*frames, strict=True)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(mul, one, other))
