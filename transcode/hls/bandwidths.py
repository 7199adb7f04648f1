"""Measure the bit rates that a playlist declares (RFC 8216, 4.1): pure."""

import math
from collections.abc import Sequence


def bandwidths(sizes: Sequence[int], durations: Sequence[float]) -> tuple[int, int]:
    """Measure (peak, mean) bits per second from the bytes and seconds of each segment.

    The peak is taken as RFC 8216 section 4.1 does: a segment much shorter than the others (the last one, often) counts
    together with the one before it, since a player never fetches it alone.
    """
    if not sizes or len(sizes) != len(durations):
        raise ValueError(f"{len(sizes)} sizes and {len(durations)} durations do not describe segments")
    half = max(durations) / 2
    peak = 0.0
    size, seconds = 0, 0.0
    for next_size, next_seconds in zip(sizes, durations, strict=True):
        if next_seconds < half:
            size, seconds = size + next_size, seconds + next_seconds
        else:
            size, seconds = next_size, next_seconds
        peak = max(peak, size * 8 / seconds) if seconds >= half else peak
    return math.ceil(peak), math.ceil(sum(sizes) * 8 / math.fsum(durations))
