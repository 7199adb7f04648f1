"""Time that goes on where the clock of a container jumps, as ffmpeg lets it go on: pure.

Recordings that were joined byte by byte, and broadcasts whose sender started anew, count from another instant in the
middle. ffmpeg then shifts all that follows, when it reads such a file to convert it, but not when it is asked for the
time stamps.
"""

_FARTHEST = 10.0
_BACK = 0.1
"""Seconds that a time stamp may be away from what was expected, and before the one before it: ffmpeg's."""


class Jumps:
    """The shift of all streams together, from the packets of a file in their order."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._latest: float | None = None
        self._streams: dict[int, tuple[float, float]] = {}

    def moved(self, stream: int, decoded: float | None, length: float) -> float:
        """Return the seconds to be added to the time stamps of a packet, which is `length` seconds long.

        `decoded` is when it is to be decoded; None where that is not known, or says nothing of the clock.
        """
        if decoded is None:
            return self._shift
        now = decoded + self._shift
        before, expected = self._streams.get(stream, (None, self._latest))
        if expected is not None:
            off = now - expected
            if abs(off) > _FARTHEST or (before is not None and now + _BACK < before):
                self._shift -= off
                now = expected
        self._latest = now
        self._streams[stream] = now, now + length
        return self._shift
