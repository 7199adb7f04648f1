"""Reads what ffmpeg prints with `-progress pipe:1`: pure, fed with bytes as they come."""

_MICROSECONDS = 1_000_000
_MAX_LINE = 4096


_MOVING = frozenset({b"frame", b"total_size", b"out_time_us", b"dup_frames", b"drop_frames"})


class Movement:
    """Whether a run moves on at all: what changes with its work, unlike its speed, which changes with time."""

    def __init__(self) -> None:
        self._rest = b""
        self._told: dict[bytes, bytes] = {}
        self.steps = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; `steps` counts what changed."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MAX_LINE:]
        for line in lines:
            key, _, value = line.strip().partition(b"=")
            if key in _MOVING and self._told.get(key) != value:
                self._told[key] = value
                self.steps += 1


class Progress:
    """How far a run of a known duration (seconds) has come."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._rest = b""
        self.fraction = 0.0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; `fraction` (0 to 1) never falls."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MAX_LINE:]
        for line in lines:
            key, _, value = line.strip().partition(b"=")
            if key == b"out_time_us":
                self._advance(value)
            elif (key, value) == (b"progress", b"end"):
                self.fraction = 1.0

    def _advance(self, value: bytes) -> None:
        try:
            seconds = int(value) / _MICROSECONDS
        except ValueError:  # N/A before the first frame
            return
        if self._duration > 0:
            self.fraction = max(self.fraction, min(1.0, seconds / self._duration))
