"""Measure duration and frame rate from the time stamps of all packets, for containers that do not state them: pure."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from transcode.errors import BrokenFile
from transcode.source.clock_jumps import Jumps
from transcode.source.ffprobe import finite
from transcode.source.frame_rate import MOST_TIMES, distinct
from transcode.source.probe import Probe, total_duration

_CSV_CELLS = 6
_TIMED = frozenset({"audio", "video"})
_DISCARD_FLAG = "D"


@dataclass(slots=True)
class _Times:
    """Time stamps of one stream, in seconds."""

    first: float
    last: float
    end: float
    count: int = 0
    presentation: "array[float]" = field(default_factory=lambda: array("d"))
    decode: "array[float]" = field(default_factory=lambda: array("d"))

    def of_frames(self) -> "array[float]":
        """Return presentation time stamps; decode time stamps where some packet has no other."""
        return distinct(self.presentation if len(self.presentation) >= len(self.decode) else self.decode)


class PacketTimes:
    """Collect time stamps from ffprobe's CSV as it comes; `jumps` corrects them where the container's clock may jump.

    Lines: kind of stream, its index, pts, dts, duration, flags.
    """

    def __init__(self, jumps: Jumps | None = None) -> None:
        self._jumps = jumps
        self._rest = b""
        self._streams: dict[int, _Times] = {}
        self._kept = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode("ascii", "replace").strip().rstrip(",").split(","))

    def applied_to(self, probe: Probe) -> Probe:
        """Return the probe with measured duration and frame rates. Raises BrokenFile when there is no video packet."""
        video = self._streams.get(probe.video.index)
        if video is None:
            raise BrokenFile("the file holds no video frames: it is cut off or damaged")
        span = video.last - video.first
        rate = (video.count - 1) / span if span > 0 else probe.video.frame_rate
        frame = 1 / rate if rate > 0 else 0.0
        end = max(video.end, video.last + frame)
        audio = self._streams.get(probe.audio.index) if probe.audio.index is not None else None
        duration = total_duration(end - probe.start - probe.video.delay, audio.end - probe.start if audio else 0.0)
        measured = replace(probe.video, frame_rate=rate).with_times(video.of_frames())
        return replace(probe, duration=duration, video=measured)

    def _take(self, cells: list[str]) -> None:
        if len(cells) < _CSV_CELLS or not cells[1].isdigit():
            return
        index, (presentation, decode, duration) = int(cells[1]), map(finite, cells[2:5])
        time = decode if presentation is None else presentation
        if time is None:
            return
        correction = 0.0
        if self._jumps:
            correction = self._jumps.correction(index, decode if cells[0] in _TIMED else None, duration or 0.0)
        # Frames that an edit list leaves out, and others need to be decoded, are discarded.
        if _DISCARD_FLAG not in cells[5]:
            self._count(index, time + correction, duration or 0.0)
            self._keep(index, [each if each is None else each + correction for each in (presentation, decode)])

    def _count(self, index: int, time: float, duration: float) -> None:
        stream = self._streams.setdefault(index, _Times(time, time, time))
        stream.first = min(stream.first, time)
        stream.last = max(stream.last, time)
        stream.end = max(stream.end, time + duration)
        stream.count += 1

    def _keep(self, index: int, times: Sequence[float | None]) -> None:
        # Of all streams together: a file may have many, and only one of them is used.
        self._kept += 1
        if self._kept > MOST_TIMES:
            return
        stream = self._streams[index]
        for time, kept in zip(times, (stream.presentation, stream.decode), strict=True):
            if time is not None:
                kept.append(time)
