"""Find pixel aspect ratios that change within a file, as where a broadcast goes from 4:3 to 16:9: pure.

ffmpeg's command line gives every frame the pixel aspect that it found when it opened the file. The frames' own are in
the headers of the video stream (parameter sets): where all of those are the same, no frame can have another.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from transcode.source.probe import SANE_ASPECT

# ISO 13818-2, 6.2.2.1: behind the start code the size, the aspect and the frame rate, in four bytes.
_SEQUENCE = re.compile(rb"\0\0\x01\xb3(?P<body>.{4})", re.DOTALL)
# A sequence parameter set (ITU-T H.264, 7.3.1; H.265, 7.3.1.2), by its first bytes and as many as it may have.
_SETS = {
    "h264": rb"(?P<body>[g'G][\x42\x4d\x58\x64\x6e\x7a\xf4\x2c\x53\x56\x76\x80].{0,253})",
    "hevc": rb"(?P<body>\x42\x01.{0,253})",
}
# After a start code, or after four bytes of length, perhaps in a record in the middle (ISO 14496-15, 5.3.3.1).
_BEHIND = rb"\0\0(?:\x01|\0(?:\x01.{4}\xe1\0)?(?P<length>[\x04-\xff]))"
# In a record before the first frame: after the same profile and level, or after its own type and number.
_IN_RECORD = {
    "h264": rb"\x01(?P<level>.{3})[\x3f\x7f\xbf\xfc-\xff][\x01\x61\xe1]\0(?P<length>[\x04-\xff])(?=.(?P=level))",
    "hevc": rb"[\x21\xa1]\0\x01\0(?P<length>[\x04-\xff])",
}
_HEADERS = {
    "mpeg1video": _SEQUENCE,
    "mpeg2video": _SEQUENCE,
    **{codec: re.compile(_BEHIND + body, re.DOTALL) for codec, body in _SETS.items()},
}
_RECORDS = {codec: re.compile(_IN_RECORD[codec] + body, re.DOTALL) for codec, body in _SETS.items()}
# Within a set, no two zeros are followed by one of these.
_END = re.compile(rb"\0\0[\0\x01]")

CODECS = frozenset(_HEADERS)
"""Codecs whose frames may have another pixel aspect later in the file."""

LONGEST_HEADER = 264
"""Bytes of a header that are compared."""

# Each adds several terms to ffmpeg's expressions; more than a broadcast of a day has.
_MOST_CHANGES = 300
# Seconds: less than the distance of any two frames, more than rounding.
_JUST_BEFORE = 0.002
# Seconds: more than the clock may go back for ffmpeg (0.1), and than frames are reordered.
_LONGEST_OVERLAP = 0.5


def headers_in(data: bytes, codec: str) -> set[bytes]:
    """Return the different headers of a video stream of one of the CODECS in a piece of its file.

    A header that the container splits counts as another one.
    """
    return set(_bodies(_HEADERS[codec], data))


def recorded_in(data: bytes, codec: str) -> set[bytes]:
    """Return the headers in the decoder configuration records of the container."""
    return set(_bodies(_RECORDS[codec], data)) if codec in _RECORDS else set()


def _bodies(pattern: re.Pattern[bytes], data: bytes) -> Iterator[bytes]:
    for found in pattern.finditer(data):
        body = found["body"]
        if pattern is not _SEQUENCE:
            length = found["length"]
            body = body[: length[0]] if length else _END.split(body, 1)[0].rstrip(b"\0")
        yield body


class KeyFrames:
    """Collect changes from ffprobe's list of key frames, `pts_time` and `sample_aspect_ratio` (`-of compact`)."""

    def __init__(self) -> None:
        self._rest = b""
        self._found: list[tuple[float, float]] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode("ascii", "replace").strip())

    def changes(self, origin: float, container: float | None) -> tuple[tuple[float, float], ...]:
        """Return (second after `origin`, pixel aspect from there on) of each change; () where all frames have the same.

        The pixel aspect of the `container` applies until the frames' differs from their first, as in other players.
        """
        if not self._found:
            return ()
        first = self._found[0][1]
        listed = [(time - origin, container if container and own == first else own) for time, own in self._found]
        changes = [
            each for before, each in zip([None, *listed], listed, strict=False) if not before or before[1] != each[1]
        ]
        return tuple(changes[:_MOST_CHANGES]) if len(changes) > 1 else ()

    def _take(self, line: str) -> None:
        cells = dict(cell.partition("=")[::2] for cell in line.split("|"))
        try:
            time = float(cells["pts_time"])
        except (KeyError, ValueError):
            return
        # Bounded, however many there are: only those that differ from the one before.
        aspect = _aspect(cells.get("sample_aspect_ratio", ""))
        if len(self._found) <= _MOST_CHANGES and (not self._found or self._found[-1][1] != aspect):
            self._found.append((time, aspect))


def _aspect(listed: str) -> float:
    """Parse a pixel aspect as ffprobe prints it; 1 for what is not believed."""
    across, _, down = listed.partition(":")
    if not (across.isdigit() and down.isdigit() and int(down)):
        return 1.0
    aspect = int(across) / int(down)
    return aspect if 1 / SANE_ASPECT <= aspect <= SANE_ASPECT else 1.0


def aspect_at_time(changes: Sequence[tuple[float, float]]) -> str:
    """Return an ffmpeg expression, of the variable `t`, for the pixel aspect of each frame."""
    steps = [f"*{after - before:.6f}" for (_, before), (_, after) in pairwise(changes)]
    return "+".join([f"{changes[0][1]:.6f}", *map("".join, zip(_reached(changes), steps, strict=True))])


def select_in_order(changes: Sequence[tuple[float, float]]) -> str:
    """Return an expression for ffmpeg's filter `select` that drops frames of before a change with later time stamps.

    Joined recordings overlap by some frames. A key frame with a later time stamp shows that a change is reached.
    """
    reached, surely = ("+".join(_reached(changes, off)) for off in (0.0, _LONGEST_OVERLAP))
    return f"0*st(0,max(max(ld(0),key*({reached})),{surely}))+gte(ld(0),{reached})"


def _reached(changes: Sequence[tuple[float, float]], later: float = 0.0) -> list[str]:
    return [f"gte(t,{time - _JUST_BEFORE + later:.3f})" for time, _ in changes[1:]]
