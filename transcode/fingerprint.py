"""Whether a video is a copy of another, however it was encoded: some bits for each of eight pictures of it.

They tell what stays when a video is encoded anew: at any bit rate, size, frame rate, codec or container, a little
brighter or darker, or with 2 % cut off each side. One that is mirrored, framed, turned, written over, cut or put
together differently is not known again.

A picture here is the mean of four, a tenth of a second apart, so that it hardly matters which ones an encoder kept. Its
bits are the signs of the 12 x 12 lowest frequencies (DCT-II, as in pHash and PDQ); the margins count less, since they
are what a crop takes. Measured by `./run bench fingerprint`: of those re-encoded as above, none differs from its
source in more than 21 % of the bits; of 300 different videos none in less than 31 %.

The libraries that are there (pdqhash, ImageHash, videohash, perception) hash with numpy, most with scipy too: 60 to
200 MB for what is 15 ms of plain Python beside a decoder. ffmpeg's own `signature` decodes every picture.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import mul
from pathlib import Path

from transcode.commandline import commands
from transcode.commandline.commands import GLIMPSE_PICTURES, GLIMPSE_SIDE, Given
from transcode.errors import Failed
from transcode.examine import examine
from transcode.limits import Limits
from transcode.process.ffmpeg import run
from transcode.process.tools import Tools
from transcode.settings import DEFAULT

_VERSION = 1
_PICTURES = 8
_FREQUENCIES = 12
_BYTES = _FREQUENCIES**2 // 8
_DURATION_BYTES = 4
_HEADER = 1 + _DURATION_BYTES
_LENGTH = _HEADER + _PICTURES * _BYTES
# Pictures so plain that noise decides the signs: levels of grey by which they differ from one grey, in the mean.
_LEAST_CONTRAST = 1.0
_FEWEST_PICTURES = 4
_MOST_DIFFERENT = 0.235  # of the bits
# Much more than encoders and containers change it; another speed is another video.
_SAME_DURATION, _SAME_DURATION_S = 0.05, 0.5
# The end is often shorter than announced.
_END = 0.5
# A decoder keeps some pictures: as many pixels at a time as eight of 1080p have.
_PIXELS_AT_ONCE = _PICTURES * 1920 * 1088
_GLIMPSE = GLIMPSE_SIDE**2 * GLIMPSE_PICTURES
_UNJUDGED = bytes(_BYTES)


async def fingerprint(source: Path, *, tools: Tools, limits: Limits) -> bytes | None:
    """Give the fingerprint of a local video file, for `is_copy`; None where too little is to be seen.

    It seeks, and decodes from the key frame before each of eight instants, so it costs what eight distances of key
    frames cost, however long the video is. Raises TranscodeError, or OSError when the file cannot be read.
    """
    source = await asyncio.to_thread(source.absolute)
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    given = (await examine(source, tools, limits, DEFAULT, deadline)).given
    # The decoders share the processor already: one for each instant.
    given = replace(given, limits=replace(limits, threads=1))
    pixels = given.probe.coded_width * given.probe.coded_height
    together = max(1, min(_PICTURES, _PIXELS_AT_ONCE // pixels))
    instants = _instants(given.probe.duration)
    raw = bytearray()
    for begin in range(0, _PICTURES, together):
        raw += await _glimpses(given, instants[begin : begin + together], deadline)
    return await asyncio.to_thread(fingerprint_of, bytes(raw), given.probe.duration)


def fingerprint_of(raw: bytes, duration: float) -> bytes | None:
    """Make the fingerprint of a video of `duration` seconds from what `commands.glimpses` gave; pure.

    None where fewer than half of the pictures have anything on them. Takes about 15 ms.
    """
    if len(raw) != _PICTURES * _GLIMPSE:
        return None
    hashes = [_hash(raw[begin : begin + _GLIMPSE]) for begin in range(0, len(raw), _GLIMPSE)]
    if sum(each != _UNJUDGED for each in hashes) < _FEWEST_PICTURES:
        return None
    milliseconds = min(round(duration * 1000), 2 ** (8 * _DURATION_BYTES) - 1)
    return b"".join((bytes([_VERSION]), milliseconds.to_bytes(_DURATION_BYTES, "big"), *hashes))


def is_copy(a: bytes, b: bytes) -> bool:
    """Whether two fingerprints are of the same video; never for those of different versions. Takes some 10 us."""
    if len(a) != _LENGTH or len(b) != _LENGTH or not a[0] == b[0] == _VERSION:
        return False
    long, short = sorted((_seconds(a), _seconds(b)), reverse=True)
    return long - short <= max(_SAME_DURATION_S, _SAME_DURATION * long) and distance(a, b) <= _MOST_DIFFERENT


def distance(a: bytes, b: bytes) -> float:
    """Give the share of bits in which two fingerprints of this version differ; 1.0 where too little can be compared."""
    differing = compared = 0
    for begin in range(_HEADER, _LENGTH, _BYTES):
        one, other = a[begin : begin + _BYTES], b[begin : begin + _BYTES]
        if _UNJUDGED not in (one, other):
            compared += 1
            differing += (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
    return differing / (8 * _BYTES * compared) if compared >= _FEWEST_PICTURES else 1.0


async def _glimpses(given: Given, instants: Sequence[float], deadline: float) -> bytes:
    raw = bytearray()

    def take(data: bytes) -> None:
        raw.extend(data)
        if len(raw) > len(instants) * _GLIMPSE:
            raise Failed("ffmpeg printed more than was asked for")

    await run(
        commands.glimpses(given, instants), sandbox=given.tools.sandbox, reads=(given.source,), limits=given.limits,
        deadline=deadline, on_output=take,
    )  # fmt: skip
    return bytes(raw)


def _instants(duration: float) -> list[float]:
    shown = max(0.0, duration - _END)
    # Apart by a millisecond at least: of one picture, too, eight are taken.
    return [shown * (number + 0.5) / _PICTURES + number / 1000 for number in range(_PICTURES)]


def _seconds(made: bytes) -> float:
    return int.from_bytes(made[1:_HEADER]) / 1000


def _cosines() -> Iterator[list[float]]:
    for frequency in range(1, _FREQUENCIES + 1):
        yield [math.cos(math.pi * (2 * x + 1) * frequency / (2 * GLIMPSE_SIDE)) for x in range(GLIMPSE_SIDE)]


_COSINES = tuple(_cosines())
_SIDE_WEIGHTS = [math.sqrt(math.sin(math.pi * (x + 0.5) / GLIMPSE_SIDE)) for x in range(GLIMPSE_SIDE)]
_WEIGHTS = [across * down for down in _SIDE_WEIGHTS for across in _SIDE_WEIGHTS]
_SUM_OF_WEIGHTS = sum(_WEIGHTS)


def _hash(raw: bytes) -> bytes:
    """Give the bits of one picture: the signs of its frequencies. None set where it is plain."""
    grey = _mean(raw)
    level = _dot(grey, _WEIGHTS) / _SUM_OF_WEIGHTS
    weighted = [(each - level) * weight for each, weight in zip(grey, _WEIGHTS, strict=True)]
    rows = [weighted[begin : begin + GLIMPSE_SIDE] for begin in range(0, len(weighted), GLIMPSE_SIDE)]
    across = [[_dot(row, cosines) for row in rows] for cosines in _COSINES]
    found = [_dot(column, cosines) for column in across for cosines in _COSINES]
    if math.hypot(*found) * 2 / GLIMPSE_SIDE**2 < _LEAST_CONTRAST:
        return _UNJUDGED
    return sum((each > 0) << place for place, each in enumerate(found)).to_bytes(_BYTES)


def _mean(raw: bytes) -> list[float]:
    size = GLIMPSE_SIDE**2
    pictures = [raw[begin : begin + size] for begin in range(0, len(raw), size)]
    return [sum(pixels) / len(pictures) for pixels in zip(*pictures, strict=True)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(mul, one, other))
