"""Read and write boxes of ISO BMFF: the layout of a file, its codecs. Pure, but for reading headers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_HEADER = 8
_LARGE_HEADER = 16
_MAX_BOXES = 10_000
# Bytes of fixed fields before the child boxes of a sample entry (ISO 14496-12, 12.1.3 and 12.2.3) and of `stsd`.
_VISUAL_ENTRY = 78
_AUDIO_ENTRY = 28
_STSD = 8
_AVCC_MIN = 4
_DECODER_SPECIFIC_INFO = 0x05


@dataclass(frozen=True, slots=True)
class Layout:
    """The top-level structure of a file."""

    fragmented: bool
    """The index is spread over fragments, so the durations in `moov` say little."""
    index: range
    """Byte range of the content of `moov`."""


def layout_of(file: BinaryIO, size: int, start: int = 0) -> Layout:
    """Walk the top-level boxes of a file of `size` bytes from byte `start` on, reading headers only.

    Raises ValueError when the index or the media data are missing or cut off.
    """
    seen: set[bytes] = set()
    index = range(0)
    for kind, content, end in top_level(file, size, start):
        if kind in {b"moov", b"mdat"} and end > size and b"moof" not in seen:
            raise ValueError(f"the file is cut off: its {kind.decode()!r} box ends at byte {end} of {size}")
        seen.add(kind)
        index = range(content, end) if kind == b"moov" else index
    if b"moov" not in seen:
        raise ValueError("the file has no index (no 'moov' box): the recording or the upload was cut off")
    return Layout(b"moof" in seen, index)


def codecs_of(init: bytes) -> str:
    """Return the RFC 6381 codec list, as RFC 8216 wants it, of an initialization segment with H.264 and AAC.

    Raises ValueError when it holds anything else.
    """
    found: list[str] = []
    for kind, trak in boxes(child(init, b"moov")):
        if kind == b"trak":
            stsd = child(trak, b"mdia", b"minf", b"stbl", b"stsd")
            found += [_codec(entry, body) for entry, body in boxes(stsd[_STSD:])]
    if not found:
        raise ValueError("the initialization segment has no tracks")
    return ",".join(found)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each box in `data`.

    Raises ValueError when one has an impossible length, or when there are so many that they only exhaust memory.
    """
    position = 0
    for _ in range(_MAX_BOXES):
        if position + _HEADER > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        if length < _HEADER:
            raise ValueError(f"box {kind!r} has the impossible length {length}")
        yield kind, data[position + _HEADER : position + length]
        position += length
    if position + _HEADER <= len(data):
        raise ValueError("a box has too many boxes in it")


def box(kind: bytes, *content: bytes) -> bytes:
    """Make a box, of less than 4 GiB."""
    return struct.pack(">I4s", _HEADER + sum(map(len, content)), kind) + b"".join(content)


def child(data: bytes, *path: bytes) -> bytes:
    """Return the content of the first box on a path of kinds. Raises ValueError when there is none."""
    for name in path:
        found = next((body for kind, body in boxes(data) if kind == name), None)
        if found is None:
            raise ValueError(f"box {name!r} is missing")
        data = found
    return data


def top_level(file: BinaryIO, size: int, position: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of each top-level box of a file of `size` bytes, up to an invalid one.

    The first one starts at `position`.
    """
    for _ in range(_MAX_BOXES):
        file.seek(position)
        header = file.read(_LARGE_HEADER)
        if len(header) < _HEADER:
            return
        length, kind = struct.unpack_from(">I4s", header)
        large = length == 1 and len(header) == _LARGE_HEADER
        if large:
            (length,) = struct.unpack_from(">Q", header, _HEADER)
        elif length == 0:
            length = size - position
        if length < _HEADER:
            return
        header_length = _LARGE_HEADER if large else _HEADER
        yield kind, position + header_length, position + length
        position += length


def _codec(entry: bytes, body: bytes) -> str:
    if entry == b"avc1":
        avcc = child(body[_VISUAL_ENTRY:], b"avcC")
        if len(avcc) < _AVCC_MIN:
            raise ValueError("box b'avcC' is too short")
        return f"avc1.{avcc[1:4].hex()}"
    if entry == b"mp4a":
        return f"mp4a.40.{_audio_object_type(child(body[_AUDIO_ENTRY:], b'esds'))}"
    raise ValueError(f"sample entry {entry!r} is neither H.264 nor AAC")


def _audio_object_type(esds: bytes) -> int:
    # Descriptors are a tag, a length in up to four bytes of seven bits, and content; ours is the innermost.
    position = esds.find(bytes([_DECODER_SPECIFIC_INFO, 0x80, 0x80, 0x80]))
    if position < 0 or position + 5 >= len(esds):
        raise ValueError("box b'esds' has no decoder configuration")
    return esds[position + 5] >> 3
