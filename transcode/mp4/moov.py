"""What an MP4's index says of its tracks that ffprobe does not: edit lists, changes of codec, even sound. Pure."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from transcode.mp4.boxes import boxes, child

_FULL_BOX = 4
_LISTED = 8
_EMPTY = -1
_NORMAL_RATE = 1 << 16
_ENTRIES_READ = 3
# Seconds: an edit shorter than this, and than a frame, was not meant to be one.
_BLINK = 0.05
PLAYED = frozenset({"vide", "soun"})
"""The kinds of tracks that are seen or heard."""
_ENCRYPTED = frozenset({b"enca", b"encv"})


class Edits(Enum):
    """What to make of the edit lists of a file."""

    APPLIED = "applied"
    OFFSET = "offset"
    """They say when tracks begin, but not how long they play."""
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """One track, in ticks of its own clock."""

    kind: str
    """'vide', 'soun' or whatever else the file declares."""
    timescale: int
    """Ticks per second."""
    descriptions: int
    """How many sample descriptions (codec, size, parameter sets) there are; more than one is a change on the way."""
    lengths: tuple[tuple[int, int], ...]
    """The first runs of (count, ticks) of its samples; none in a file of fragments."""
    plain: bool
    """Played from one instant to the end at its own speed, perhaps after a pause: no cuts and repeats."""
    skipped: int
    """Ticks from its first sample to the instant where playing begins: an encoder's lead-in, or a cut."""
    edits: Edits = Edits.APPLIED
    """Whether its edit list plays anything of it."""
    encrypted: bool = False
    """Whether its samples are encrypted (ISO 14496-12, 8.12)."""


def tracks_of(moov: bytes) -> tuple[StoredTrack, ...]:
    """Read the tracks, in the order of the file, from the content of a `moov` box.

    Raises ValueError where a box that every track must have is missing or cut off.
    """
    try:
        # Without it, only an edit of no length is shorter than a sample.
        movie = next((_ticks(body) for kind, body in boxes(moov) if kind == b"mvhd" and body), 0)
        return tuple(_track(body, movie) for kind, body in boxes(moov) if kind == b"trak")
    except struct.error as error:
        raise ValueError(f"a box of the index is cut off: {error}") from error


def edits_of(tracks: Sequence[StoredTrack]) -> Edits:
    """Decide for a whole file of such tracks, none of them in fragments: ffmpeg knows no difference between them."""
    found = {track.edits for track in tracks if track.kind in PLAYED}
    return next((edits for edits in (Edits.IGNORED, Edits.OFFSET) if edits in found), Edits.APPLIED)


def _ticks(header: bytes) -> int:
    """Read how many make a second, from an `mvhd` or `mdhd` box."""
    (timescale,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\x01" else 12)
    return int(timescale)


def _length(header: bytes) -> int:
    """Read how many ticks all samples last, from an `mdhd` box."""
    (length,) = struct.unpack_from(*((">Q", header, 24) if header[:1] == b"\x01" else (">I", header, 16)))
    return int(length)


def _track(trak: bytes, movie: int) -> StoredTrack:
    media = child(trak, b"mdia")
    header = child(media, b"mdhd")
    timescale = _ticks(header)
    samples = child(media, b"minf", b"stbl")
    described = child(samples, b"stsd")
    (descriptions,) = struct.unpack_from(">I", described, _FULL_BOX)
    count, edits = _listed(dict(boxes(trak)).get(b"edts", b""))
    plain, skipped = _plain(count, edits)
    lengths = _lengths(child(samples, b"stts"))
    shortest = min(lengths[0][1] / timescale, _BLINK) * movie if lengths and timescale else 0.0
    return StoredTrack(
        kind=child(media, b"hdlr")[8:12].decode("latin-1"),
        timescale=timescale,
        descriptions=descriptions,
        lengths=lengths,
        plain=plain,
        skipped=skipped,
        edits=_judged(count, edits, shortest, _length(header)),
        encrypted=described[_LISTED + 4 : _LISTED + 8] in _ENCRYPTED,
    )


def _lengths(stts: bytes) -> tuple[tuple[int, int], ...]:
    (count,) = struct.unpack_from(">I", stts, _FULL_BOX)
    return tuple(struct.unpack_from(">II", stts, _LISTED + 8 * number) for number in range(min(count, _ENTRIES_READ)))


def _listed(edts: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    """Read how many edits there are, and the first ones: ticks of the movie, ticks of the track or _EMPTY, rate."""
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
    """Decide by the ticks of the movie below which nothing is to be seen, and of the track where its last one ends."""
    played = [(length, begin) for length, begin, _ in edits if begin != _EMPTY]
    if count > len(edits) or not edits:
        return Edits.APPLIED
    if any(0 < length >= shortest and begin < end for length, begin in played):
        return Edits.APPLIED
    # It may still tell the delay of reordered frames; a pause before the very first one is as wrong as the rest.
    offset = len(played) == 1 and 0 <= played[0][1] < end and (played[0][1] > 0 or len(edits) == 1)
    return Edits.OFFSET if offset else Edits.IGNORED
