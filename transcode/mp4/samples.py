"""Where every sample of a track lies in an MP4, and when it is decoded and shown: its sample tables. Pure.

ISO 14496-12, 8.6 and 8.7. All figures come from a hostile file: what they promise is bounded before it is believed.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, repeat

from transcode.mp4.boxes import boxes, child
from transcode.mp4.columns import Kind, unpacked

_FULL_BOX = 4
_LISTED = 8
_SIZES = 12
# More than an hour has; and as much as one may make us hold in memory.
_MOST = 250_000
_SELF_CONTAINED = 1


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of one track in the order they are decoded; ticks of the track's clock, bytes of the file."""

    begins: Sequence[int]
    """When each one is decoded, from 0 on; at last the end of the track."""
    shifts: Sequence[int]
    """From decoding to showing."""
    sizes: Sequence[int]
    offsets: Sequence[int]
    """Where each one lies in the file."""
    keys: frozenset[int] | None
    """The numbers of those that need none before them; None: all."""

    def is_key(self, number: int) -> bool:
        """Say whether a sample needs none before it."""
        return self.keys is None or number in self.keys

    def pieces(self, first: int, end: int) -> list[range]:
        """Give where in the file the samples from `first` up to `end` lie, what is adjoining in one."""
        found: list[range] = []
        for offset, size in zip(self.offsets[first:end], self.sizes[first:end], strict=True):
            if found and found[-1].stop == offset:
                found[-1] = range(found[-1].start, offset + size)
            else:
                found.append(range(offset, offset + size))
        return found


def samples_of(media: bytes, file_size: int) -> Samples:
    """Read the tables from the content of a track's `mdia` box.

    Raises ValueError for tables that contradict each other, lead out of the file, to another one or to another sample
    description, or hold more bytes than the file.
    """
    try:
        return _samples(child(media, b"minf"), file_size)
    except struct.error as error:
        raise ValueError(f"a table of the index is cut off: {error}") from error


def _samples(information: bytes, file_size: int) -> Samples:
    places = [body for _, body in boxes(child(information, b"dinf", b"dref")[_LISTED:])]
    if len(places) != 1 or not int.from_bytes(places[0][1:_FULL_BOX]) & _SELF_CONTAINED:
        raise ValueError("the samples are in another file")
    tables = dict(boxes(child(information, b"stbl")))
    sizes = _sizes(tables.get(b"stsz", b""))
    if sum(sizes) > file_size:
        raise ValueError("the samples are larger than the file")
    lengths = _runs(child(information, b"stbl", b"stts"), "I", len(sizes))
    shifts = _runs(tables[b"ctts"], "i", len(sizes)) if b"ctts" in tables else (0,) * len(sizes)
    offsets = tuple(_offsets(tables, sizes))
    if len(offsets) != len(sizes) or any(at + size > file_size for at, size in zip(offsets, sizes, strict=True)):
        raise ValueError("the samples are not in the file")
    keys = frozenset(number - 1 for number in _numbers(tables[b"stss"])) if b"stss" in tables else None
    if keys and not 0 <= min(keys) <= max(keys) < len(sizes):
        raise ValueError("a key frame is none of the samples")
    return Samples((0, *accumulate(lengths)), shifts, sizes, offsets, keys)


def _sizes(stsz: bytes) -> tuple[int, ...]:
    common, count = struct.unpack_from(">II", stsz, _FULL_BOX)
    if not 0 < count <= _MOST:
        raise ValueError(f"{count} samples")
    return (common,) * count if common else unpacked(stsz, "I", count, _SIZES)


def _runs(table: bytes, kind: Kind, samples: int) -> tuple[int, ...]:
    """Expand (count, value) pairs."""
    (count,) = struct.unpack_from(">I", table, _FULL_BOX)
    if count > samples:
        raise ValueError("more runs than samples")
    counts = unpacked(table, "I", 2 * count, _LISTED)[::2]
    if sum(counts) != samples:
        raise ValueError("the tables tell of different numbers of samples")
    return tuple(chain.from_iterable(map(repeat, unpacked(table, kind, 2 * count, _LISTED)[1::2], counts)))


def _offsets(tables: dict[bytes, bytes], sizes: Sequence[int]) -> Iterator[int]:
    chunks = _numbers(tables[b"co64"], "Q") if b"co64" in tables else _numbers(tables.get(b"stco", b""))
    grouped = _numbers(tables.get(b"stsc", b""), columns=3)
    groups = list(zip(grouped[::3], grouped[1::3], grouped[2::3], strict=True))
    if not groups or groups[0][0] != 1 or any(each < 1 or description != 1 for _, each, description in groups):
        raise ValueError("the chunks are not of one kind")
    done = 0
    for (first, each, _), (end, _, _) in pairwise([*groups, (len(chunks) + 1, 0, 0)]):
        for offset in chunks[first - 1 : end - 1]:
            yield from accumulate(sizes[done : done + each - 1], initial=offset)
            done += each
            if done > len(sizes):
                raise ValueError("the chunks hold more samples than there are")


def _numbers(table: bytes, kind: Kind = "I", columns: int = 1) -> tuple[int, ...]:
    (count,) = struct.unpack_from(">I", table, _FULL_BOX)
    if count > _MOST:
        raise ValueError(f"a table of {count} entries")
    return unpacked(table, kind, columns * count, _LISTED)
