"""Make a rendition a progressive download: one file, playable without a playlist. Pure.

Its fragments alone would do, but a player that gets them one after another knows neither the duration nor where each
one starts: both come first (ISO 14496-12, 8.8.2 'mehd' and 8.16.3 'sidx').
"""

import struct
from collections.abc import Sequence

from transcode.mp4.boxes import box, boxes, child
from transcode.mp4.init_segment import CLOCK, VIDEO_TRACK

# A subsegment that starts with a stream access point of type 1: an IDR frame.
_STARTS_WITH_SAP = 0x9000_0000
_TIMESCALE_AT = 12


def head_of(init: bytes, durations: Sequence[float], sizes: Sequence[int]) -> bytes:
    """Return what precedes the segments: `init` with the duration of the whole, and an index of the segments.

    `durations` are the segments' seconds, `sizes` their bytes. Raises ValueError for what is no initialization segment
    of ours, or when the two are not of the same length.
    """
    whole = b"".join(
        box(kind, _with_length(body, sum(durations)) if kind == b"moov" else body) for kind, body in boxes(init)
    )
    return whole + _index(durations, sizes)


def _with_length(moov: bytes, seconds: float) -> bytes:
    (timescale,) = struct.unpack_from(">I", child(moov, b"mvhd"), _TIMESCALE_AT)
    length = box(b"mehd", struct.pack(">II", 0, round(seconds * timescale)))
    # The duration comes first in its box.
    return b"".join(box(kind, length + body if kind == b"mvex" else body) for kind, body in boxes(moov))


def _index(durations: Sequence[float], sizes: Sequence[int]) -> bytes:
    entries = b"".join(
        struct.pack(">III", size, round(seconds * CLOCK), _STARTS_WITH_SAP)
        for seconds, size in zip(durations, sizes, strict=True)
    )
    return box(b"sidx", struct.pack(">IIIIIHH", 0, VIDEO_TRACK, CLOCK, 0, 0, 0, len(sizes)) + entries)
