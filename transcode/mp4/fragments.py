"""Parse a segment of fragmented MP4 as a player does: time stamps, and whether playback can start there. Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from transcode.mp4.boxes import boxes, child
from transcode.mp4.columns import unpacked

# Flags of `tfhd` and `trun`, and the fields that they announce (ISO 14496-12, 8.8.7 and 8.8.8).
_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_RUN_DURATION, _RUN_SIZE, _RUN_FLAGS, _RUN_COMPOSITION_OFFSET = 0x100, 0x200, 0x400, 0x800
_NOT_SYNC = 0x10000
_SLICES = range(1, 6)
_IDR, _SPS = 5, 7
_LENGTH_BYTES = 4
# Without any column, a number alone announces samples: far above those of a segment.
_MOST = 250_000


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one track in one fragment, in decode order; times in ticks of the track's time base."""

    track: int
    decode_time: int
    """Of the first sample."""
    durations: tuple[int, ...]
    composition_offsets: tuple[int, ...]
    """From decode to presentation time."""
    is_sync: bool
    """Whether the first sample is declared a sync sample."""
    offset: int
    """Of the first sample, in bytes from the start of the `moof` box."""
    size: int
    """Bytes of the first sample."""

    @property
    def end(self) -> int:
        """Decode time of a next sample."""
        return self.decode_time + sum(self.durations)

    @property
    def presentation_times(self) -> list[int]:
        """Of each sample."""
        presentation_times, now = [], self.decode_time
        for duration, composition_offset in zip(self.durations, self.composition_offsets, strict=True):
            presentation_times.append(now + composition_offset)
            now += duration
        return presentation_times


def runs_of(moof: bytes) -> tuple[Run, ...]:
    """Parse the content of a `moof` box, one run for each track. Raises ValueError for what our muxer never writes."""
    try:
        return tuple(_run(body) for kind, body in boxes(moof) if kind == b"traf")
    except struct.error as error:
        raise ValueError(f"a fragment is cut off: {error}") from error


def starts_with_idr(sample: bytes) -> bool:
    """Return whether the first slice of an H.264 sample, or of its first bytes, is of an IDR frame."""
    first = next((kind for kind in _units(sample) if kind in _SLICES), None)
    return first == _IDR


def changes_parameters(sample: bytes, init: bytes) -> bool:
    """Return whether an H.264 sample, or its first bytes, has a sequence parameter set that `init` does not hold.

    Then the frame size may change, although the file has but one sample description.
    """
    return any(kind == _SPS and unit.rstrip(b"\0") not in init for kind, unit in _whole_units(sample))


def _units(sample: bytes) -> Iterator[int]:
    return (kind for kind, _ in _whole_units(sample))


def _whole_units(sample: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and bytes of each NAL unit; the last one may be incomplete."""
    position = 0
    while position + _LENGTH_BYTES < len(sample):
        decode_time = position + _LENGTH_BYTES
        position = decode_time + int.from_bytes(sample[position:decode_time])
        yield sample[decode_time] & 0x1F, sample[decode_time:position]


def _run(traf: bytes) -> Run:
    track, duration, size, flags = _defaults(child(traf, b"tfhd"))
    tfdt = child(traf, b"tfdt")
    (decode_time,) = struct.unpack_from(">Q" if tfdt[:1] == b"\x01" else ">I", tfdt, 4)
    if [kind for kind, _ in boxes(traf)].count(b"trun") != 1:
        raise ValueError("a fragment of several runs")
    trun = child(traf, b"trun")
    given, count = int.from_bytes(trun[1:4]), int.from_bytes(trun[4:8])
    if not count or not given & _DATA_OFFSET:
        raise ValueError("a fragment without samples")
    if count > _MOST:
        raise ValueError(f"a fragment of {count} samples")
    (offset,) = struct.unpack_from(">i", trun, 8)
    position = 12
    if given & _FIRST_FLAGS:
        (flags,) = struct.unpack_from(">I", trun, position)
        position += 4
    columns = [field for field in (_RUN_DURATION, _RUN_SIZE, _RUN_FLAGS, _RUN_COMPOSITION_OFFSET) if given & field]
    rows = _rows(trun[position:], columns, count)
    if _RUN_FLAGS in rows and not given & _FIRST_FLAGS:
        flags = rows[_RUN_FLAGS][0]
    return Run(
        track=track,
        decode_time=decode_time,
        durations=rows.get(_RUN_DURATION, (duration,) * count),
        composition_offsets=rows.get(_RUN_COMPOSITION_OFFSET, (0,) * count),
        is_sync=not flags & _NOT_SYNC,
        offset=offset,
        size=rows[_RUN_SIZE][0] if _RUN_SIZE in rows else size,
    )


def _defaults(tfhd: bytes) -> tuple[int, int, int, int]:
    given, track = int.from_bytes(tfhd[1:4]), int.from_bytes(tfhd[4:8])
    if given & _BASE_OFFSET:
        raise ValueError("a fragment with a base data offset")
    position = 8 + (4 if given & _DESCRIPTION else 0)
    found = []
    for field in (_DURATION, _SIZE, _FLAGS):
        found.append(int.from_bytes(tfhd[position : position + 4]) if given & field else 0)
        position += 4 if given & field else 0
    return track, found[0], found[1], found[2]


def _rows(table: bytes, columns: list[int], count: int) -> dict[int, tuple[int, ...]]:
    width = len(columns)
    cells = unpacked(table, "i", count * width)
    return {column: cells[number::width] for number, column in enumerate(columns)}
