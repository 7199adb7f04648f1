"""What an MP4's index says of its tracks that ffprobe does not: edit lists, changes of codec, even sound. Pure."""

import struct
from dataclasses import dataclass

from transcode.mp4 import boxes, child

_FULL_BOX = 4
_LISTED = 8
_EMPTY = -1
_NORMAL_RATE = 1 << 16
_ENTRIES_READ = 3


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


def tracks_of(moov: bytes) -> tuple[StoredTrack, ...]:
    """Read the tracks, in the order of the file, from the content of a `moov` box.

    Raises ValueError where a box that every track must have is missing or cut off.
    """
    try:
        return tuple(_track(body) for kind, body in boxes(moov) if kind == b"trak")
    except struct.error as error:
        raise ValueError(f"a box of the index is cut off: {error}") from error


def _track(trak: bytes) -> StoredTrack:
    media = child(trak, b"mdia")
    header = child(media, b"mdhd")
    (timescale,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\x01" else 12)
    samples = child(media, b"minf", b"stbl")
    (descriptions,) = struct.unpack_from(">I", child(samples, b"stsd"), _FULL_BOX)
    plain, skipped = _edits(dict(boxes(trak)).get(b"edts", b""))
    return StoredTrack(
        kind=child(media, b"hdlr")[8:12].decode("latin-1"),
        timescale=timescale,
        descriptions=descriptions,
        lengths=_lengths(child(samples, b"stts")),
        plain=plain,
        skipped=skipped,
    )


def _lengths(stts: bytes) -> tuple[tuple[int, int], ...]:
    (count,) = struct.unpack_from(">I", stts, _FULL_BOX)
    return tuple(struct.unpack_from(">II", stts, _LISTED + 8 * number) for number in range(min(count, _ENTRIES_READ)))


def _edits(edts: bytes) -> tuple[bool, int]:
    if not edts:
        return True, 0
    elst = child(edts, b"elst")
    (count,) = struct.unpack_from(">I", elst, _FULL_BOX)
    form = ">QqI" if elst[:1] == b"\x01" else ">IiI"
    size = struct.calcsize(form)
    edits = [struct.unpack_from(form, elst, _LISTED + size * number) for number in range(min(count, _ENTRIES_READ))]
    if edits and edits[0][1] == _EMPTY:
        edits = edits[1:]
    if not edits:
        return count == 0, 0
    (_, media_time, rate), *more = edits
    return not more and count < _ENTRIES_READ and rate == _NORMAL_RATE and media_time >= 0, media_time
