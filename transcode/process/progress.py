"""Parse what ffmpeg prints with `-progress pipe:1`: pure, fed with bytes as they come."""

_MICROSECONDS = 1_000_000
_MAX_LINE = 4096
_ADVANCING = frozenset({b"frame", b"total_size", b"out_time_us", b"dup_frames", b"drop_frames"})


class Movement:
    """Detect whether a run advances at all, by figures that change with its work, not with time as its speed does."""

    def __init__(self) -> None:
        self._rest = b""
        self._latest: dict[bytes, bytes] = {}
        self.steps = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; `steps` counts the changes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MAX_LINE:]
        for line in lines:
            key, _, value = line.strip().partition(b"=")
            if key in _ADVANCING and self._latest.get(key) != value:
                self._latest[key] = value
                self.steps += 1


class Progress:
    """The progress of a run whose output has a known duration, in seconds."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._rest = b""
        self.fraction = 0.0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; `fraction` (0 to 1) never decreases."""
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
