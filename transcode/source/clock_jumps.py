"""Correct time stamps after discontinuities of a container's clock, as ffmpeg does: pure.

In recordings that were joined byte by byte, and broadcasts whose sender restarted, the clock jumps in the middle.
ffmpeg then offsets all later time stamps, but ffprobe does not.
"""

_FARTHEST = 10.0
_BACK = 0.1
"""ffmpeg's tolerances, in seconds: distance of a time stamp from the expected one, and before the previous one."""


class Jumps:
    """The offset for all streams, from the packets of a file in their order."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._latest: float | None = None
        self._streams: dict[int, tuple[float, float]] = {}

    def correction(self, stream: int, decode_time: float | None, duration: float) -> float:
        """Return the seconds to add to the time stamps of a packet of a `duration` in seconds.

        `decode_time` is None where it is not known, or not related to the clock.
        """
        if decode_time is None:
            return self._offset
        now = decode_time + self._offset
        before, expected = self._streams.get(stream, (None, self._latest))
        if expected is not None:
            off = now - expected
            if abs(off) > _FARTHEST or (before is not None and now + _BACK < before):
                self._offset -= off
                now = expected
        self._latest = now
        self._streams[stream] = now, now + duration
        return self._offset
