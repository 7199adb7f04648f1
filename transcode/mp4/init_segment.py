"""Build the initialization segment of a remuxed MP4 from the index of the file. Pure.

Only the decoder configurations are copied from the index, which strangers wrote; everything around them is our own.
ISO 14496-12; ISO 14496-14, 5.6 and ISO 14496-1, 7.2.6 (esds); ISO 14496-15, 5.3 (avcC).
"""

import struct
from dataclasses import dataclass

from transcode.mp4.boxes import box, boxes, child

VIDEO_TRACK, AUDIO_TRACK = 1, 2

CLOCK = 90_000
"""Time base of a video track: ticks per second."""

AUDIO_RATE = 48_000
"""Time base of an encoded audio track: ticks, and samples, per second."""

AAC_FRAME = 1024
"""Audio samples in one packet of AAC-LC."""

_FULL_BOX = 4
_STSD = 8
_VISUAL_ENTRY, _AUDIO_ENTRY = 78, 28
_VERSION_AT = 8
_LONGEST_CONFIGURATION = 2**16
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6
_ES_HEADER, _DECODER_CONFIG_HEADER = 3, 13
# ISO 14496-3, 1.6.2.1: object type of AAC-LC, indexes of sampling rates, and the extension that marks HE-AAC.
_AAC_LC = 2
_RATES = {3: 48_000, 4: 44_100, 5: 32_000}
_CHANNELS = (1, 2)
_EXTENSION, _IS_EXTENDED = b"\x56\xe5", 0x80
# Additional bytes of QuickTime's sample entries, by their version (QTFF, "Sound sample description").
_MORE_OF_VERSION = {0: 0, 1: 16}
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_SECOND = 1000
_UNDETERMINED = 0x55C4
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Aac:
    """Plain AAC-LC: samples per second, and one or two channels."""

    rate: int = AUDIO_RATE
    channels: int = 2


def aac_of(stsd: bytes) -> Aac:
    """Parse the content of the `stsd` box of an audio track.

    Raises ValueError unless it is plain AAC-LC, mono or stereo, at a rate that every browser plays.
    """
    try:
        entry = _only_entry(stsd, b"mp4a")
        (version,) = struct.unpack_from(">H", entry, _VERSION_AT)
        if version not in _MORE_OF_VERSION:
            raise ValueError(f"its sample entry is of version {version}")
        about = dict(boxes(entry[_AUDIO_ENTRY + _MORE_OF_VERSION[version] :]))
        stream = about[b"esds"] if b"esds" in about else child(about.get(b"wave", b""), b"esds")
        return _aac(_decoder_specific(stream[_FULL_BOX:]))
    except (struct.error, IndexError) as error:
        raise ValueError(f"a sample description is cut off: {error}") from error


def init_segment(video: bytes, aac: Aac, width: int, height: int) -> bytes:
    """Declare a video track by the content of its `stsd` box, of a size in pixels, and an audio track.

    Raises ValueError unless the video is plain H.264.
    """
    try:
        entry = _video_entry(_only_entry(video, b"avc1"), width, height)
    except struct.error as error:
        raise ValueError(f"a sample description is cut off: {error}") from error
    video_trak = _track(VIDEO_TRACK, CLOCK, b"vide", box(b"vmhd", b"\0\0\0\x01", bytes(8)), entry, (width, height))
    audio_trak = _track(AUDIO_TRACK, aac.rate, b"soun", box(b"smhd", bytes(8)), _audio_entry(aac))
    defaults = (box(b"trex", struct.pack(">6I", 0, track, 1, 0, 0, 0)) for track in (VIDEO_TRACK, AUDIO_TRACK))
    header = struct.pack(">5IiH10x", 0, 0, 0, _SECOND, 0, 1 << 16, 1 << 8) + _UPRIGHT + bytes(24)
    movie = box(b"moov", box(b"mvhd", header, struct.pack(">I", 3)), video_trak, audio_trak, box(b"mvex", *defaults))
    return box(b"ftyp", b"iso5\0\0\x02\0iso5iso6mp41") + movie


def _only_entry(stsd: bytes, kind: bytes) -> bytes:
    entries = list(boxes(stsd[_STSD:]))
    if [found for found, _ in entries] != [kind]:
        raise ValueError(f"its sample entries are {[found for found, _ in entries]}, not {kind!r} alone")
    return entries[0][1]


def _video_entry(entry: bytes, width: int, height: int) -> bytes:
    about = dict(boxes(entry[_VISUAL_ENTRY:]))
    configuration, colour = about.get(b"avcC", b""), about.get(b"colr", b"")
    if not 0 < len(configuration) + len(colour) < _LONGEST_CONFIGURATION:
        raise ValueError("a decoder configuration is missing or has no end")
    known = box(b"colr", colour) if colour[:4] == b"nclx" else b""
    head = struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 72 << 16, 72 << 16, 0, 1, 24, -1)
    return box(b"avc1", head, box(b"avcC", configuration), known)


def _aac(specific: bytes) -> Aac:
    (about,) = struct.unpack_from(">H", specific)
    kind, rate, channels, frames = about >> 11, about >> 7 & 0xF, about >> 3 & 0xF, about & 0x7
    if (kind, frames) != (_AAC_LC, 0) or rate not in _RATES or channels not in _CHANNELS:
        raise ValueError(f"the audio is not plain AAC-LC: {specific[:2].hex()}")
    if specific[2:4] == _EXTENSION and specific[4] & _IS_EXTENDED:
        raise ValueError("the audio is HE-AAC")
    return Aac(_RATES[rate], channels)


def _audio_entry(aac: Aac) -> bytes:
    number = next(number for number, rate in _RATES.items() if rate == aac.rate)
    specific = struct.pack(">H", _AAC_LC << 11 | number << 7 | aac.channels << 3)
    config = struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(_DECODER_SPECIFIC, specific)
    stream = struct.pack(">HB", AUDIO_TRACK, 0) + _descriptor(_DECODER_CONFIG, config) + _descriptor(_SL_CONFIG, b"\2")
    head = struct.pack(">6xH8xHHHHI", 1, aac.channels, 16, 0, 0, aac.rate << 16)
    return box(b"mp4a", head, box(b"esds", bytes(_FULL_BOX), _descriptor(_ES, stream)))


def _decoder_specific(stream: bytes) -> bytes:
    """Unwrap three descriptors. Raises ValueError for another descriptor, or an optional field before one."""
    content = _content(stream, _ES)
    if content[_ES_HEADER - 1] & 0xE0:
        raise ValueError("the audio depends on another stream")
    return _content(_content(content[_ES_HEADER:], _DECODER_CONFIG)[_DECODER_CONFIG_HEADER:], _DECODER_SPECIFIC)


def _content(descriptor: bytes, tag: int) -> bytes:
    if descriptor[0] != tag:
        raise ValueError(f"descriptor {descriptor[0]} stands where {tag} is expected")
    # The length has seven bits in each byte; the highest one says that another byte follows.
    last = next((at for at in range(1, 5) if not descriptor[at] & 0x80), None)
    if last is None:
        raise ValueError(f"descriptor {tag} has no length")
    return descriptor[last + 1 :]


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x80, 0x80, 0x80, len(content)]) + content


def _track(
    number: int, clock: int, kind: bytes, header: bytes, entry: bytes, size: tuple[int, int] | None = None
) -> bytes:
    volume = 0 if size else 1 << 8
    width, height = size or (0, 0)
    place = struct.pack(">6I8xHHH2x", _SHOWN, 0, 0, number, 0, 0, 0, 0, volume) + _UPRIGHT
    where = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", b"\0\0\0\x01")))
    none = (box(name, bytes(8)) for name in (b"stts", b"stsc", b"stco"))
    samples = box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1), entry), *none, box(b"stsz", bytes(12)))
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">5IHH", 0, 0, 0, clock, 0, _UNDETERMINED, 0)),
        box(b"hdlr", bytes(8), kind, bytes(13)),
        box(b"minf", header, where, samples),
    )
    return box(b"trak", box(b"tkhd", place, struct.pack(">II", width << 16, height << 16)), media)
