"""Parse of an MP4's index what ffprobe does not report: edit lists, sample descriptions, sample durations. Pure."""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from transcode.mp4.boxes import boxes, child

_FULL_BOX = 4
_LISTED = 8
_EMPTY = -1
_NORMAL_RATE = 1 << 16
_ENTRIES_READ = 3
# Seconds: an edit shorter than this, and than a frame, is a mistake of the muxer.
_BLINK = 0.05
PLAYED = frozenset({"vide", "soun"})
"""The kinds of tracks that are played."""
_ENCRYPTED = frozenset({b"enca", b"encv"})


class Edits(Enum):
    """How to treat the edit lists of a file."""

    APPLIED = "applied"
    OFFSET = "offset"
    """They state when tracks start, but not how long they play."""
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """One track; times in ticks of its own time base."""

    kind: str
    """Handler type: 'vide', 'soun' or whatever else the file declares."""
    timescale: int
    """Ticks per second."""
    descriptions: int
    """Number of sample descriptions (codec, size, parameter sets); more than one is a change within the file."""
    durations: tuple[tuple[int, int], ...]
    """The first runs of (count, duration) of its samples; none in a fragmented file."""
    plain: bool
    """Whether it plays from one time stamp to the end at normal speed, perhaps after an empty edit."""
    media_time: int
    """Time stamp where its edit list starts: an encoder's priming, or a cut."""
    edits: Edits = Edits.APPLIED
    """How to treat its edit list."""
    encrypted: bool = False
    """Whether its samples are encrypted (ISO 14496-12, 8.12)."""


def tracks_of(moov: bytes) -> tuple[StoredTrack, ...]:
    """Parse the tracks, in the order of the file, from the content of a `moov` box.

    Raises ValueError where a box that every track must have is missing or cut off.
    """
    try:
        # Without it, only an edit of no duration is shorter than a sample.
        movie = next((_ticks(body) for kind, body in boxes(moov) if kind == b"mvhd" and body), 0)
        return tuple(_track(body, movie) for kind, body in boxes(moov) if kind == b"trak")
    except struct.error as error:
        raise ValueError(f"a box of the index is cut off: {error}") from error


def edits_of(tracks: Sequence[StoredTrack]) -> Edits:
    """Decide for all tracks of a file that is not fragmented: ffmpeg has one option for all."""
    found = {track.edits for track in tracks if track.kind in PLAYED}
    return next((edits for edits in (Edits.IGNORED, Edits.OFFSET) if edits in found), Edits.APPLIED)


def decode_times_of(moov: bytes, index: int, most: int) -> "array[float]":
    """Return the decode times of a track's samples, in seconds, of `most` samples at most.

    Raises ValueError where a box that the track must have is missing or cut off.
    """
    try:
        trak = [body for kind, body in boxes(moov) if kind == b"trak"][index]
        ticks = _ticks(child(trak, b"mdia", b"mdhd")) or 1
        stts = child(trak, b"mdia", b"minf", b"stbl", b"stts")
        (runs,) = struct.unpack_from(">I", stts, _FULL_BOX)
        found, now = array("d"), 0
        for run in range(min(runs, most)):
            count, duration = struct.unpack_from(">II", stts, _LISTED + 8 * run)
            for _ in range(min(count, most - len(found))):
                found.append(now / ticks)
                now += duration
    except (struct.error, IndexError) as error:
        raise ValueError(f"a box of the index is cut off: {error}") from error
    return found


def _ticks(header: bytes) -> int:
    """Read the ticks per second from an `mvhd` or `mdhd` box."""
    (timescale,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\x01" else 12)
    return int(timescale)


def _duration(header: bytes) -> int:
    """Read the duration of all samples, in ticks, from an `mdhd` box."""
    (duration,) = struct.unpack_from(*((">Q", header, 24) if header[:1] == b"\x01" else (">I", header, 16)))
    return int(duration)


def _track(trak: bytes, movie: int) -> StoredTrack:
    media = child(trak, b"mdia")
    header = child(media, b"mdhd")
    timescale = _ticks(header)
    samples = child(media, b"minf", b"stbl")
    described = child(samples, b"stsd")
    (descriptions,) = struct.unpack_from(">I", described, _FULL_BOX)
    count, edits = _listed(dict(boxes(trak)).get(b"edts", b""))
    plain, media_time = _plain(count, edits)
    durations = _durations(child(samples, b"stts"))
    shortest = min(durations[0][1] / timescale, _BLINK) * movie if durations and timescale else 0.0
    return StoredTrack(
        kind=child(media, b"hdlr")[8:12].decode("latin-1"),
        timescale=timescale,
        descriptions=descriptions,
        durations=durations,
        plain=plain,
        media_time=media_time,
        edits=_judged(count, edits, shortest, _duration(header)),
        encrypted=described[_LISTED + 4 : _LISTED + 8] in _ENCRYPTED,
    )


def _durations(stts: bytes) -> tuple[tuple[int, int], ...]:
    (count,) = struct.unpack_from(">I", stts, _FULL_BOX)
    return tuple(struct.unpack_from(">II", stts, _LISTED + 8 * number) for number in range(min(count, _ENTRIES_READ)))


def _listed(edts: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    """Read the number of edits, and the first ones: duration (movie's ticks), media time (track's) or _EMPTY, rate."""
    if not edts:
        return 0, []
    elst = child(edts, b"elst")
    (count,) = struct.unpack_from(">I", elst, _FULL_BOX)
    form = ">QqI" if elst[:1] == b"\x01" else ">IiI"
    size = struct.calcsize(form)
    return count, [
        struct.unpack_from(form, elst, _LISTED + size * number) for number in range(min(count, _ENTRIES_READ))
    ]


def _plain(count: int, edits: Sequence[tuple[int, int, int]]) -> tuple[bool, int]:
    if edits and edits[0][1] == _EMPTY:
        edits = edits[1:]
    if not edits:
        return count == 0, 0
    (_, media_time, rate), *more = edits
    return not more and count < _ENTRIES_READ and rate == _NORMAL_RATE and media_time >= 0, media_time


def _judged(count: int, edits: Sequence[tuple[int, int, int]], shortest: float, end: int) -> Edits:
    """Decide by the shortest visible duration, in ticks of the movie, and the end of the track in its own ticks."""
    played = [(duration, media_time) for duration, media_time, _ in edits if media_time != _EMPTY]
    if count > len(edits) or not edits:
        return Edits.APPLIED
    if any(0 < duration >= shortest and media_time < end for duration, media_time in played):
        return Edits.APPLIED
    # It may still state the delay of reordered frames; an empty edit before the first one is as wrong as the rest.
    offset = len(played) == 1 and 0 <= played[0][1] < end and (played[0][1] > 0 or len(edits) == 1)
    return Edits.OFFSET if offset else Edits.IGNORED
