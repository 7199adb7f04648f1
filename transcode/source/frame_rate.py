"""Find the highest frame rate within a file from its time stamps: pure.

A mean says little of a variable rate: a screen recorder writes nothing while nothing moves, and sixty frames in the
second in which something does.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

MOST_TIMES = 500_000
"""Time stamps that are evaluated at most: two hours of most files."""

_WINDOW = 1.0
# Seconds: in less time, frames may only be close to each other by jitter.
_SHORTEST = 0.2
_SAME_TIME = 0.001
_ROUNDING = 0.0005
_TENTH, _ALIKE = 10, 1.1


def peak_rate(times: Sequence[float]) -> float:
    """Return the frames per second in the busiest second, of ascending time stamps; 0.0 for fewer than two."""
    highest, start = 0.0, 0
    last = len(times) - 1
    for end, time in enumerate(times):
        if end < last and times[end + 1] - times[start] <= _WINDOW + _ROUNDING:
            continue
        highest = max(highest, (end - start) / max(time - times[start], _SHORTEST))
        while start < end and end < last and times[end + 1] - times[start] > _WINDOW + _ROUNDING:
            start += 1
    return highest


def close_rate(times: Sequence[float]) -> float:
    """Return the frames per second at which at least a tenth of all frames come, of ascending time stamps.

    0.0 for fewer than two. Of a steady rate some of whose frames are missing, it is that rate.
    """
    gaps = sorted(after - before for before, after in pairwise(times))
    if not gaps:
        return 0.0
    # Time stamps are rounded, mostly to milliseconds, and the mean of some is not.
    most = gaps[len(gaps) // _TENTH] * _ALIKE + _SAME_TIME
    alike = [gap for gap in gaps if gap <= most]
    return len(alike) / sum(alike)


def distinct(times: Iterable[float]) -> "array[float]":
    """Return time stamps in ascending order, without duplicates."""
    kept = array("d")
    for time in sorted(times):
        if not kept or time - kept[-1] >= _SAME_TIME:
            kept.append(time)
    return kept
