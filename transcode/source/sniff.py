"""Choose the demuxer for a file, and the byte where it starts, by its first bytes: pure but for `container_of`.

ffmpeg must never choose the demuxer itself. It would accept a playlist or a concat script with the name `.mp4`, and
read the files that it refers to.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from transcode.errors import EmptyFile, NotAudio, NotAVideo

HEAD_BYTES = 1024
"""Bytes from the start of a file that `demuxer_of` needs; fewer only when the file has fewer."""

_MAGIC = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"FLV\x01": "flv",
    b"OggS": "ogg",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
}
# Offsets in the index count from the first box, which is not always `ftyp`.
_MP4_BOXES = frozenset({
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"PICT", b"pict", b"junk", b"uuid", b"udta", b"meta",
    b"prfl", b"styp", b"sidx", b"emsg", b"moof",
})  # fmt: skip
IMAGE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx "})
_AUDIO_MAGIC = {
    b"OggS": "ogg",
    b"\x1a\x45\xdf\xa3": "matroska",
    b"fLaC": "flac",
    b"#!AMR": "amr",
    b"ID3": "mp3",
}
_ID3 = re.compile(rb"ID3[\x02-\x04][^\xff](.)([\0-\x7f]{4})", re.DOTALL)
_ID3_HEADER, _ID3_FOOTER = 10, 0x10
_MOST_TAGS, _LARGEST_TAG = 4, 2**25
# A container may start after a few bytes that do not belong to it, left there by a download or a cut. That takes more
# evidence than at the start of the file, and files of other formats are not searched.
_SEARCHED_BYTES = 2**16
_OTHERS = re.compile(rb"PK\x03\x04|\xff\xd8\xff|\x89PNG|GIF8|%PDF|RIFF|Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ")
_SIGNATURES = {
    "matroska": rb"\x1a\x45\xdf\xa3(?=.{4,60}?(?:matroska|webm))",
    "flv": rb"FLV\x01[\x01\x04\x05]\0\0\0\x09",
    "ogg": rb"OggS\0\x02",
    # With the marker bits of MPEG-1, or of MPEG-2 (ISO 13818-1, 2.5.3.3).
    "mpeg": rb"\0\0\x01\xba(?:[!#%')+\-/]|[DEFGLMNOTUVW\\\]^_defglmnotuvw|}~\x7f])",
    "asf": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
    "avi": rb"RIFF.{4}AVI LIST",
    "mov": rb"\0\0[\0-\x03].ftyp(?!heic|heix|heim|heis|mif1|avif|crx )[ -~]{4}",
}
_ANY_SIGNATURE = re.compile(b"|".join(b"(?P<%s>%s)" % (n.encode(), s) for n, s in _SIGNATURES.items()), re.DOTALL)
_SYNC = 0xFF
_TS_SYNC = 0x47
# (packet size, offset of the sync byte): broadcast, Blu-ray with time codes, with Reed-Solomon bytes.
_TS_LAYOUTS = ((188, 0), (192, 4), (204, 0))
_TS_PACKETS = 4
_TS_PACKETS_SEARCHED = 8


@dataclass(frozen=True, slots=True)
class Container:
    """The demuxer for a file, and the byte where the container starts."""

    demuxer: str
    start: int = 0


def container_of(file: BinaryIO) -> Container:
    """Find the container in a file, after ID3 tags and at most 64 KiB that do not belong to it.

    Raises what `demuxer_of` raises.
    """
    start = behind_tags(file)
    file.seek(start)
    found = container_in(file.read(_SEARCHED_BYTES))
    return Container(found.demuxer, start + found.start)


def behind_tags(file: BinaryIO) -> int:
    """Return the offset of the first byte after the ID3v2 tags at the start of a file; 0 where there is none."""
    position = 0
    for _ in range(_MOST_TAGS):
        file.seek(position)
        tag = _ID3.match(file.read(_ID3_HEADER))
        if not tag:
            break
        # Seven bits of each byte count (ID3v2.4, 3.1 and 6.2).
        size = sum(byte << shift for byte, shift in zip(tag[2], (21, 14, 7, 0), strict=True))
        if size > _LARGEST_TAG:
            break
        position += _ID3_HEADER + size + (_ID3_HEADER if tag[1][0] & _ID3_FOOTER else 0)
    return position


def container_in(data: bytes) -> Container:
    """Find the container that starts somewhere in `data`, the first bytes of a file. Raises as `demuxer_of` does."""
    try:
        return Container(demuxer_of(data[:HEAD_BYTES]))
    except NotAVideo:
        found = None if _OTHERS.match(data) or data[4:8] == b"ftyp" else _searched(data)
        if found is None:
            raise
        return found


def _searched(data: bytes) -> Container | None:
    signature = _ANY_SIGNATURE.search(data)
    named = [(signature.start(), str(signature.lastgroup))] if signature else []
    packets = [(start, "mpegts") for size, _ in _TS_LAYOUTS if (start := _first_packet(data, size)) is not None]
    start, demuxer = min([*named, *packets], default=(0, ""))
    return Container(demuxer, start) if demuxer else None


def _first_packet(data: bytes, size: int) -> int | None:
    """Return the offset of the first of several consecutive packets of `size` bytes, by their sync bytes."""
    position = data.find(_TS_SYNC)
    while 0 <= position <= len(data) - size * (_TS_PACKETS_SEARCHED - 1):
        syncs = data[position : position + size * _TS_PACKETS_SEARCHED : size]
        if syncs.count(_TS_SYNC) == _TS_PACKETS_SEARCHED:
            return position
        position = data.find(_TS_SYNC, position + 1)
    return None


def demuxer_of(head: bytes) -> str:
    """Return ffmpeg's demuxer for a video file that starts with `head`.

    Raises EmptyFile for no bytes at all, NotAVideo for anything but a known video container.
    """
    if not head:
        raise EmptyFile("the file is empty")
    for magic, demuxer in _MAGIC.items():
        if head.startswith(magic):
            return demuxer
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] in _MP4_BOXES:
        return _mp4(head)
    if any(_is_transport_stream(head, size, offset) for size, offset in _TS_LAYOUTS):
        return "mpegts"
    raise NotAVideo(f"no video container starts with the bytes {head[:12].hex(' ')}")


def audio_demuxer_of(head: bytes) -> str:
    """Return ffmpeg's demuxer for an audio file that starts with `head`.

    Raises EmptyFile for no bytes at all, NotAudio for anything but a known audio format.
    """
    if not head:
        raise EmptyFile("the file is empty")
    for magic, demuxer in _AUDIO_MAGIC.items():
        if head.startswith(magic):
            return demuxer
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] in _MP4_BOXES and head[8:12] not in IMAGE_BRANDS:
        return "mov"
    # Layer 3 of MPEG-1, 2 and 2.5, with or without a checksum; and AAC in frames of its own (ADTS).
    if head[0] == _SYNC and head[1:2] and head[1] & 0xE6 == 0xE2:
        return "mp3"
    if head[0] == _SYNC and head[1:2] and head[1] & 0xF6 == 0xF0:
        return "aac"
    raise NotAudio(f"no known audio format starts with the bytes {head[:12].hex(' ')}")


def _mp4(head: bytes) -> str:
    brand = head[8:12]
    if head[4:8] == b"ftyp" and brand in IMAGE_BRANDS:
        raise NotAVideo(f"an image (brand {brand!r}), not a video")
    return "mov"


def _is_transport_stream(head: bytes, size: int, offset: int) -> bool:
    syncs = head[offset : size * _TS_PACKETS : size]
    return len(syncs) == _TS_PACKETS and all(byte == _TS_SYNC for byte in syncs)
