"""Edit container files byte by byte into what no muxer writes. Pure."""

import random
import struct
from collections.abc import Callable, Iterable, Sequence

from transcode.mp4.boxes import box, boxes, child

_FULL_BOX = 4
_EMPTY_EDIT = -1


def truncated(data: bytes, keep: float) -> bytes:
    return data[: int(len(data) * keep)]


def with_flipped_bits(data: bytes, seed: int, count: int, start: int = 0, end: int | None = None) -> bytes:
    """Flip a bit of `count` bytes between `start` and `end`, always the same ones for a seed."""
    rng = random.Random(seed)  # noqa: S311 - it must be repeatable
    changed = bytearray(data)
    for _ in range(count):
        changed[rng.randrange(start, end or len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def mdat_range(data: bytes) -> tuple[int, int]:
    """Return the byte range of an MP4's `mdat` payload."""
    position = 0
    for kind, body in boxes(data):
        if kind == b"mdat":
            return position + 8, position + 8 + len(body)
        position += 8 + len(body)
    raise AssertionError("no mdat")


def with_boxes(data: bytes, path: Iterable[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """Change the content of every box on a path of kinds. Offsets stay right where the index is last."""
    first, *rest = path
    inner = (lambda body: with_boxes(body, rest, change)) if rest else change
    return b"".join(box(kind, inner(body) if kind == first else body) for kind, body in boxes(data))


def with_many_boxes(data: bytes) -> bytes:
    """Fill every track of an MP4 with empty boxes of distinct types."""
    more = b"".join(box(struct.pack(">I", number)) for number in range(200_000))
    return with_boxes(data, [b"moov", b"trak"], lambda trak: trak + more)


def with_edit_list(
    data: bytes, *edits: tuple[float, float, float], kinds: Sequence[bytes] = (b"vide", b"soun")
) -> bytes:
    """Set the edit list of the tracks of some kinds: duration and media time in seconds (-1: empty edit), rate."""
    movie = _timescale(data, b"moov", b"mvhd")

    def change(trak: bytes) -> bytes:
        if child(trak, b"mdia", b"hdlr")[8:12] not in kinds:
            return trak
        track = _timescale(trak, b"mdia", b"mdhd")
        rows = [
            struct.pack(
                ">IiI", round(length * movie), -1 if start == _EMPTY_EDIT else round(start * track), round(rate * 65536)
            )
            for length, start, rate in edits
        ]
        elst = box(b"elst", bytes(_FULL_BOX), struct.pack(">I", len(edits)), *rows)
        others = [box(kind, body) for kind, body in boxes(trak) if kind != b"edts"]
        return b"".join([others[0], box(b"edts", elst), *others[1:]])

    return with_boxes(data, [b"moov", b"trak"], change)


def _timescale(data: bytes, *path: bytes) -> int:
    """Return the timescale of a header of version 0."""
    return int.from_bytes(child(data, *path)[12:16])


def with_sample_duration(data: bytes, length: int) -> bytes:
    """Set the duration of every sample of an MP4, in ticks."""

    def change(stts: bytes) -> bytes:
        count = sum(struct.unpack_from(">I", stts, 8 + 8 * row)[0] for row in range(int.from_bytes(stts[4:8])))
        return stts[:_FULL_BOX] + struct.pack(">III", 1, count, length)

    path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"]
    return with_boxes(data, path, change)


def with_external_samples(data: bytes, url: str) -> bytes:
    """Set a data reference to a URL (ISO 14496-12, 8.7.2)."""
    entry = box(b"url ", bytes(_FULL_BOX), url.encode() + b"\0")
    reference = bytes(_FULL_BOX) + struct.pack(">I", 1) + entry
    return with_boxes(data, [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"], lambda _: reference)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _list(kind: bytes, *chunks: bytes) -> bytes:
    return _chunk(b"LIST", kind + b"".join(chunks))


def mjpeg_avi(image: bytes, width: int, height: int, subtitles: bytes = b"") -> bytes:
    """Return Motion JPEG in AVI; subtitles are of the GAB2 kind, for which ffmpeg opens a demuxer of its own."""
    frames = 10
    header = struct.pack("<14I", 40_000, 0, 0, 0, frames, 0, 2, 0, width, height, 0, 0, 0, 0)
    rate = struct.pack("<8I", 1, 25, 0, frames, 0, 0, 0, 0)
    form = struct.pack("<IIIHH4s5I", 40, width, height, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    tracks = [_list(b"strl", _chunk(b"strh", b"vidsMJPG" + bytes(12) + rate), _chunk(b"strf", form))]
    body = [_chunk(b"00dc", image)] * frames
    if subtitles:
        tracks.append(_list(b"strl", _chunk(b"strh", b"txts" + bytes(16) + rate), _chunk(b"strf", bytes(40))))
        gab2 = b"GAB2\0\2\0" + struct.pack("<I", 2) + b"\0\0" + b"\4\0" + struct.pack("<I", len(subtitles)) + subtitles
        body.insert(1, _chunk(b"01tx", gab2))
    content = b"AVI " + _list(b"hdrl", _chunk(b"avih", header), *tracks) + _list(b"movi", *body)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def jpeg_with_size(image: bytes, width: int, height: int) -> bytes:
    """Set the size in a JPEG's SOF0 header."""
    start = image.index(b"\xff\xc0") + 5
    return image[:start] + struct.pack(">HH", height, width) + image[start + 4 :]
