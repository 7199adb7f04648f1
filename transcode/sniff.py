"""Which demuxer may read a file, by its first bytes alone: pure.

ffmpeg must never choose the demuxer itself. It would take a playlist or a concat script named `.mp4` for what it is,
and read the files that it names.
"""

from transcode.errors import EmptyFile, NotASound, NotAVideo

HEAD_BYTES = 1024
"""How many bytes from the start of a file `demuxer_of` wants; fewer only when the file has fewer."""

_MAGIC = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"FLV\x01": "flv",
    b"OggS": "ogg",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
}
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
IMAGE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx "})
_SOUND_MAGIC = {
    b"OggS": "ogg",
    b"\x1a\x45\xdf\xa3": "matroska",
    b"fLaC": "flac",
    b"#!AMR": "amr",
    b"ID3": "mp3",
}
_SYNC = 0xFF
_TS_SYNC = 0x47
# (packet size, offset of the sync byte): broadcast, Blu-ray with time codes, with Reed-Solomon bytes.
_TS_LAYOUTS = ((188, 0), (192, 4), (204, 0))
_TS_PACKETS = 4


def demuxer_of(head: bytes) -> str:
    """Give the name of the ffmpeg demuxer for a file that starts with `head`.

    Raises EmptyFile for no bytes at all, NotAVideo for anything but a video container that we know.
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


def sound_demuxer_of(head: bytes) -> str:
    """Give the name of the ffmpeg demuxer for a file of sound that starts with `head`.

    Raises EmptyFile for no bytes at all, NotASound for anything but the kinds that we know.
    """
    if not head:
        raise EmptyFile("the file is empty")
    for magic, demuxer in _SOUND_MAGIC.items():
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
    raise NotASound(f"no sound that we know starts with the bytes {head[:12].hex(' ')}")


def _mp4(head: bytes) -> str:
    brand = head[8:12]
    if head[4:8] == b"ftyp" and brand in IMAGE_BRANDS:
        raise NotAVideo(f"an image (brand {brand!r}), not a video")
    return "mov"


def _is_transport_stream(head: bytes, size: int, offset: int) -> bool:
    syncs = head[offset : size * _TS_PACKETS : size]
    return len(syncs) == _TS_PACKETS and all(byte == _TS_SYNC for byte in syncs)
