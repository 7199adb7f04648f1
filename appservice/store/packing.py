"""Packs what was made of a video for its row, and reads that, or what earlier releases stored.

`renditions` and `storyboard` of four renditions are a kilobyte of JSON, more than all else of a row. Packed they are
one text, the first character of which is the format's: `1` is JSON in raw DEFLATE (RFC 1951) with a dictionary, and
behind it bandwidths of four bytes, in base64.
"""

import base64
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from transcode.hls.playlist import Rendition
from transcode.storyboard import Storyboard

_FORMAT = "1"
# From here to `_DICTIONARY` never otherwise, or what is stored cannot be read: ladders as most videos have them, the
# most frequent last.
_RUNGS = ((1080, 1920, "28"), (720, 1280, "1f"), (480, 854, "1f"), (360, 640, "1e"), (240, 426, "15"))
_RATES = ("60.0", "50.0", "24.0", "23.976023976023978", "25.0", "29.97002997002997", "30.0")


def _ladder(rate: str, *, portrait: bool) -> str:
    sizes = [((short, long) if portrait else (long, short), short, level) for short, long, level in _RUNGS]
    return ",".join(
        f'["{short}",{width},{height},{rate},"avc1.6400{level},mp4a.40.2"]' for (width, height), short, level in sizes
    )


_DICTIONARY = "".join((
    'avc1.42c01f,mp4a.40.2"],avc1.42c028,mp4a.40.2"],avc1.4d401f,mp4a.40.2"],avc1.4d4028,mp4a.40.2"],["2160",3840,2160,',
    *(_ladder(rate, portrait=portrait) for portrait in (True, False) for rate in _RATES),
    "],[[5.333333333333333,8.341666666666667,2.002,2.002,2.002,2.002,2.002,2.0,2.0,2.0,2.0,2.0,2.0]],",
    "[10,9,8,7,90,160,1.0]][10,9,8,7,160,90,1.0]]],[[2.0,2.0,2.0,",
)).encode()  # fmt: skip
_BANDWIDTHS, _MOST = struct.Struct(">II"), 2**32 - 1

Stored: TypeAlias = str | list[dict[str, Any]]
"""The column `renditions`: packed, or a list of what `Rendition.to_json` returns."""


def pack(renditions: Sequence[Rendition], storyboard: Storyboard | None) -> str:
    """Return renditions and storyboard as they are stored; `unpack` reads them back, exactly."""
    # Those of a video have the same segments.
    durations = sorted({each.durations for each in renditions})
    rows = [
        [
            each.name, each.width, each.height, each.frame_rate, each.codecs,
            *([durations.index(each.durations)] if len(durations) > 1 else []),
        ]
        for each in renditions
    ]  # fmt: skip
    board = [*storyboard.to_json().values()] if storyboard else []
    text = json.dumps([rows, durations, board], separators=(",", ":"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_DICTIONARY)
    packed = packer.compress(text.encode()) + packer.flush()
    # Behind it what no two have in common. No line has four gigabits a second.
    rates = [(min(each.bandwidth, _MOST), min(each.average_bandwidth, _MOST)) for each in renditions]
    packed += b"".join(_BANDWIDTHS.pack(*each) for each in rates)
    return _FORMAT + base64.b64encode(packed).decode().rstrip("=")


def unpack(stored: Stored, storyboard: Mapping[str, Any] | None) -> tuple[tuple[Rendition, ...], Storyboard | None]:
    """Read the columns `renditions` and `storyboard`. Raises ValueError for what no release stored."""
    if not isinstance(stored, str):
        board = Storyboard.from_json(storyboard) if storyboard else None
        return tuple(Rendition.from_json(item) for item in stored), board
    (rows, durations, packed_board), rates = _read(stored)
    try:
        bandwidths = list(_BANDWIDTHS.iter_unpack(rates))
    except struct.error as error:
        raise ValueError("packed renditions are damaged") from error
    renditions = []
    for (name, width, height, frame_rate, codecs, *of_segments), (peak, mean) in zip(rows, bandwidths, strict=True):
        segments = tuple(durations[of_segments[0] if of_segments else 0])
        renditions.append(Rendition(name, width, height, frame_rate, codecs, peak, mean, segments))
    return tuple(renditions), Storyboard(*packed_board) if packed_board else None


def first_duration(stored: Stored) -> float:
    """Return how many seconds the first of stored renditions plays. Raises ValueError as `unpack` does."""
    if not isinstance(stored, str):
        return Rendition.from_json(stored[0]).duration
    (rows, durations, _), _ = _read(stored)
    _, _, _, _, _, *of_segments = rows[0]
    return math.fsum(durations[of_segments[0] if of_segments else 0])


def _read(stored: str) -> tuple[Any, bytes]:
    """Return what is packed: the JSON, and the bytes behind it."""
    if not stored.startswith(_FORMAT):
        raise ValueError(f"renditions are packed in format {stored[:1]!r}, which this release does not know")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_DICTIONARY)
    try:
        text = unpacker.decompress(base64.b64decode(stored[1:] + "=" * (-(len(stored) - 1) % 4)))
        return json.loads(text), unpacker.unused_data
    except (zlib.error, ValueError) as error:
        raise ValueError("packed renditions are damaged") from error
