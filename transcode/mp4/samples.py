"""Parse the sample tables of a track in an MP4: byte offset, decode time and composition offset of each sample. Pure.

ISO 14496-12, 8.6 and 8.7. All figures come from a hostile file: they are bounded before anything is allocated for them.
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
# More than an hour of video has, and what may be held in memory.
_MOST = 250_000
_SELF_CONTAINED = 1


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of one track in decode order; times in ticks of the track's time base."""

    decode_times: Sequence[int]
    """From 0 on; the last one is the end of the track."""
    composition_offsets: Sequence[int]
    """From decode to presentation time."""
    sizes: Sequence[int]
    offsets: Sequence[int]
    """Byte offsets in the file."""
    sync_samples: frozenset[int] | None
    """Their indexes; None: all samples are sync samples."""

    def is_sync(self, number: int) -> bool:
        """Return whether a sample can be decoded without any before it."""
        return self.sync_samples is None or number in self.sync_samples

    def byte_ranges(self, first: int, end: int) -> list[range]:
        """Return the byte ranges of the samples from `first` up to `end`, adjoining ones merged."""
        found: list[range] = []
        for offset, size in zip(self.offsets[first:end], self.sizes[first:end], strict=True):
            if found and found[-1].stop == offset:
                found[-1] = range(found[-1].start, offset + size)
            else:
                found.append(range(offset, offset + size))
        return found


def samples_of(media: bytes, file_size: int) -> Samples:
    """Parse the tables from the content of a track's `mdia` box.

    Raises ValueError for tables that contradict each other, point outside the file, to another file or to another
    sample description, or hold more bytes than the file.
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
    durations = _runs(child(information, b"stbl", b"stts"), "I", len(sizes))
    composition_offsets = _runs(tables[b"ctts"], "i", len(sizes)) if b"ctts" in tables else (0,) * len(sizes)
    offsets = tuple(_offsets(tables, sizes))
    if len(offsets) != len(sizes) or any(at + size > file_size for at, size in zip(offsets, sizes, strict=True)):
        raise ValueError("the samples are not in the file")
    sync_samples = frozenset(number - 1 for number in _numbers(tables[b"stss"])) if b"stss" in tables else None
    if sync_samples and not 0 <= min(sync_samples) <= max(sync_samples) < len(sizes):
        raise ValueError("a key frame is none of the samples")
    return Samples((0, *accumulate(durations)), composition_offsets, sizes, offsets, sync_samples)


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
        raise ValueError("the tables have different numbers of samples")
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
