"""How fast a file's frames come where they come fastest, from their time stamps: pure.

A mean says little: a screen recorder writes nothing while nothing moves, and sixty frames in the second in which
something does.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

from transcode.mp4.boxes import boxes, child

MOST_TIMES = 500_000
"""As many time stamps are looked at: two hours of most files."""

_WINDOW = 1.0
# Seconds: in less time, frames may only be close to each other by jitter.
_SHORTEST = 0.2
_SAME_INSTANT = 0.001
_ROUNDING = 0.0005
_FULL_BOX, _LISTED = 4, 8
_TENTH, _ALIKE = 10, 1.1


def peak_rate(times: Sequence[float]) -> float:
    """Return the frames per second in the busiest second, of ascending time stamps; 0.0 for fewer than two."""
    best, begin = 0.0, 0
    last = len(times) - 1
    for end, time in enumerate(times):
        if end < last and times[end + 1] - times[begin] <= _WINDOW + _ROUNDING:
            continue
        best = max(best, (end - begin) / max(time - times[begin], _SHORTEST))
        while begin < end and end < last and times[end + 1] - times[begin] > _WINDOW + _ROUNDING:
            begin += 1
    return best


def close_rate(times: Sequence[float]) -> float:
    """Return the frames per second at which at least a tenth of all frames come, of ascending time stamps.

    0.0 for fewer than two. Of a steady rate some of whose frames are missing, it is that rate.
    """
    gaps = sorted(after - before for before, after in pairwise(times))
    if not gaps:
        return 0.0
    # Time stamps are rounded, mostly to milliseconds, and the mean of some is not.
    most = gaps[len(gaps) // _TENTH] * _ALIKE + _SAME_INSTANT
    alike = [gap for gap in gaps if gap <= most]
    return len(alike) / sum(alike)


def distinct(times: Iterable[float]) -> "array[float]":
    """Return time stamps in order, without those of the same instant."""
    kept = array("d")
    for time in sorted(times):
        if not kept or time - kept[-1] >= _SAME_INSTANT:
            kept.append(time)
    return kept


def times_of(moov: bytes, number: int) -> "array[float]":
    """Return when the samples of a track of an MP4 are decoded, in seconds, as far as its index tells.

    Raises ValueError where a box that the track must have is missing or cut off.
    """
    try:
        trak = [body for kind, body in boxes(moov) if kind == b"trak"][number]
        header = child(trak, b"mdia", b"mdhd")
        (ticks,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\x01" else 12)
        table = child(trak, b"mdia", b"minf", b"stbl", b"stts")
        (runs,) = struct.unpack_from(">I", table, _FULL_BOX)
        found, now = array("d"), 0
        for run in range(min(runs, MOST_TIMES)):
            count, length = struct.unpack_from(">II", table, _LISTED + 8 * run)
            for _ in range(min(count, MOST_TIMES - len(found))):
                found.append(now / (ticks or 1))
                now += length
    except (struct.error, IndexError) as error:
        raise ValueError(f"a box of the index is cut off: {error}") from error
    return found
