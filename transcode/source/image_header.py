"""Parse the headers of an image file: format, size, and the duration of an animation. Pure.

No decoder is started before the size is checked: a few bytes can claim thousands of millions of pixels.
By hand, because `imagesize` and the like return a size and guess at the format: none has the duration of an animation,
or the tiles of HEIF, or refuses a header that is cut off.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transcode.errors import BrokenFile, EmptyFile, NotAnImage
from transcode.mp4.boxes import boxes, child
from transcode.source.sniff import IMAGE_BRANDS

_HEIF_BRANDS = IMAGE_BRANDS | {b"avis"}
_PNG = b"\x89PNG\r\n\x1a\n"
_GIFS = (b"GIF87a", b"GIF89a")
_JPEG = b"\xff\xd8\xff"
_MOST_PARTS = 100_000
# Of a whole GIF: they have a quarter of a gigabyte at most.
_MOST_BLOCKS = 1_000_000
# Hundredths of a second: browsers use the latter for frames of a GIF that are shorter than the former.
_SHORTEST_GIF, _USUAL_GIF = 2, 10
_USUAL_DELAY = 0.1
_SHORTEST_DELAY = 0.02
# JPEG's start-of-frame markers: C0 to CF but for tables and arithmetic coding (T.81, B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_END_OF_HEADERS = frozenset({0xD9, 0xDA})
_META_VERSION = 4
# Version of an entry from which an item's number takes four bytes.
_LONG_ITEMS = 3


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """An image file: the demuxer that ffmpeg must be forced to use, claimed pixels, duration of the animation's loop.

    `seconds` is 0 for one that is not animated; one that is `tiled` consists of many streams, one for each tile.
    """

    demuxer: str
    width: int
    height: int
    seconds: float = 0.0
    tiled: bool = False


def image_of(data: bytes) -> ImageHeader:
    """Parse the headers of a whole file.

    Raises EmptyFile, NotAnImage for any unknown format, BrokenFile where the headers are cut off or invalid.
    """
    if not data:
        raise EmptyFile("the file is empty")
    reader = _reader(data[:16])
    if reader is None:
        raise NotAnImage(f"no known image format starts with the bytes {data[:12].hex(' ')}")
    try:
        image = reader(data)
    except (struct.error, IndexError, ValueError) as error:
        raise BrokenFile(f"the headers of the image are cut off or damaged: {error}") from error
    if not image.width or not image.height:
        raise BrokenFile("the image has no size")
    return image


def is_image(head: bytes) -> bool:
    """Return whether a file that starts with `head`, of 16 bytes at least, is in a known image format."""
    return _reader(head[:16]) is not None


def _reader(head: bytes) -> Callable[[bytes], ImageHeader] | None:
    if head.startswith(_PNG):
        return _png
    if head.startswith(_GIFS):
        return _gif
    if head.startswith(_JPEG):
        return _jpeg
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _heif
    return None


def _png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    delays = []
    moves = False
    for kind, start in _chunks(data, len(_PNG), ">I4s", beside=4):
        moves = moves or kind == b"acTL"
        if kind == b"IDAT" and not moves:
            break
        if kind == b"fcTL":
            part, whole = struct.unpack_from(">HH", data, start + 20)
            delays.append(part / (whole or 100))
    return _animated("apng", "png_pipe", (width, height), delays)


def _webp(data: bytes) -> ImageHeader:
    delays = []
    size = (0, 0)
    for kind, start in _chunks(data, 12, "<4sI", padded=True):
        if kind == b"VP8X":
            size = _three(data, start + 4) + 1, _three(data, start + 7) + 1
        elif kind == b"ANMF":
            delays.append(_three(data, start + 12) / 1000)
        elif kind == b"VP8L" and size == (0, 0):
            (bits,) = struct.unpack_from("<I", data, start + 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"VP8 " and size == (0, 0):
            width, height = struct.unpack_from("<HH", data, start + 6)
            size = width & 0x3FFF, height & 0x3FFF
    return _animated("webp_anim", "webp_pipe", size, delays)


def _gif(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from("<HH", data, 6)
    delays, delay = [], 0
    position = _after_colours(data, 10, 13)
    blocks = iter(range(_MOST_BLOCKS))
    for _ in range(_MOST_PARTS):
        kind = data[position : position + 1]
        if kind == b"!":
            if data[position + 1] == 0xF9:
                (delay,) = struct.unpack_from("<H", data, position + 4)
            position = _after_blocks(data, position + 2, blocks)
        elif kind == b",":
            delays.append((delay if delay >= _SHORTEST_GIF else _USUAL_GIF) / 100)
            position = _after_blocks(data, _after_colours(data, position + 9, position + 10) + 1, blocks)
        else:
            # The end, or trailing bytes: the frames before can be displayed.
            break
    if not delays:
        raise BrokenFile("the GIF holds no frame")
    return _animated("gif", "gif", (width, height), delays)


def _after_colours(data: bytes, flags: int, position: int) -> int:
    return position + (3 << (data[flags] & 7) + 1 if data[flags] & 0x80 else 0)


def _after_blocks(data: bytes, position: int, blocks: Iterator[int]) -> int:
    while position < len(data) and data[position]:
        if next(blocks, None) is None:
            raise BrokenFile(f"the GIF has more than {_MOST_BLOCKS} blocks")
        position += 1 + data[position]
    return position + 1


def _jpeg(data: bytes) -> ImageHeader:
    position = 2
    for _ in range(_MOST_PARTS):
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker in _END_OF_HEADERS:
            break
        if marker in _BARE or marker == 0xFF:
            position += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return ImageHeader("jpeg_pipe", width, height)
        position += 2 + length
    raise BrokenFile("the JPEG has no frame")


def _heif(data: bytes) -> ImageHeader:
    meta = child(data, b"meta")[_META_VERSION:]
    # One for the whole, and one for each of the tiles of which phones compose it.
    sizes = [
        struct.unpack_from(">II", body, _META_VERSION)
        for kind, body in boxes(child(meta, b"iprp", b"ipco"))
        if kind == b"ispe"
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return ImageHeader("mov", width, height, tiled=_is_grid(meta))


def _is_grid(meta: bytes) -> bool:
    """Return whether the primary item of a HEIF file is a grid of tiles (ISO/IEC 23008-12, 6.6.2.3)."""
    primary, listed = child(meta, b"pitm"), child(meta, b"iinf")
    (number,) = struct.unpack_from(">I" if primary[0] else ">H", primary, _META_VERSION)
    for kind, entry in boxes(listed[_META_VERSION + (4 if listed[0] else 2) :]):
        if kind == b"infe":
            item, _, what = struct.unpack_from(">IH4s" if entry[0] >= _LONG_ITEMS else ">HH4s", entry, _META_VERSION)
            if item == number:
                return bool(what == b"grid")
    return False


def _chunks(
    data: bytes, position: int, header: str, *, beside: int = 0, padded: bool = False
) -> Iterator[tuple[bytes, int]]:
    """Yield kind and start of each chunk of PNG (`beside`: bytes of its checksum) or RIFF (`padded` to even sizes)."""
    for _ in range(_MOST_PARTS):
        if position + 8 > len(data):
            return
        first, second = struct.unpack_from(header, data, position)
        kind, length = (first, second) if isinstance(first, bytes) else (second, first)
        yield kind, position + 8
        position += 8 + length + beside + (length & 1 if padded else 0)


def _three(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")


def _animated(animated: str, still: str, size: tuple[int, int], delays: list[float]) -> ImageHeader:
    if len(delays) <= 1:
        return ImageHeader(still, *size)
    return ImageHeader(animated, *size, sum(delay if delay >= _SHORTEST_DELAY else _USUAL_DELAY for delay in delays))
