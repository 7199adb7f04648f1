"""Makes the initialization segment of a copy from the index of the MP4 that it is a copy of. Pure.

Of the index, which strangers wrote, only the decoders' configuration comes through; what is said around it is ours.
ISO 14496-12; ISO 14496-14, 5.6 and ISO 14496-1, 7.2.6 (esds); ISO 14496-15, 5.3 (avcC).
"""

import struct

from transcode.mp4 import box, boxes, child
from transcode.plan import AUDIO_RATE, CLOCK

VIDEO_TRACK, AUDIO_TRACK = 1, 2

_FULL_BOX = 4
_STSD = 8
_VISUAL_ENTRY, _AUDIO_ENTRY = 78, 28
_LONGEST_CONFIGURATION = 2**16
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6
_ES_HEADER, _DECODER_CONFIG_HEADER = 3, 13
# AAC-LC, 48,000 Hz, two channels (ISO 14496-3, 1.6.2.1): what `copying` lets pass, written in the usual way.
_STEREO = b"\x11\x90"
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_SECOND = 1000
_UNDETERMINED = 0x55C4
_SHOWN = 3


def init_segment(video: bytes, audio: bytes, width: int, height: int) -> bytes:
    """Declare a track of pictures as in the content of one `stsd` box, and one of sound as in another.

    Raises ValueError unless they are plain H.264, of which the size is given, and AAC-LC in stereo.
    """
    try:
        entries = _video_entry(_only_entry(video, b"avc1"), width, height), _audio_entry(_only_entry(audio, b"mp4a"))
    except (struct.error, IndexError) as error:
        raise ValueError(f"a sample description is cut off: {error}") from error
    pictures = _track(VIDEO_TRACK, CLOCK, b"vide", box(b"vmhd", b"\0\0\0\x01", bytes(8)), entries[0], width, height)
    sound = _track(AUDIO_TRACK, AUDIO_RATE, b"soun", box(b"smhd", bytes(8)), entries[1])
    defaults = (box(b"trex", struct.pack(">6I", 0, track, 1, 0, 0, 0)) for track in (VIDEO_TRACK, AUDIO_TRACK))
    header = struct.pack(">5IiH10x", 0, 0, 0, _SECOND, 0, 1 << 16, 1 << 8) + _UPRIGHT + bytes(24)
    movie = box(b"moov", box(b"mvhd", header, struct.pack(">I", 3)), pictures, sound, box(b"mvex", *defaults))
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


def _audio_entry(entry: bytes) -> bytes:
    if _decoder_specific(child(entry[_AUDIO_ENTRY:], b"esds")[_FULL_BOX:])[:2] != _STEREO:
        raise ValueError("its sound is not plain AAC-LC in stereo")
    config = struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(_DECODER_SPECIFIC, _STEREO)
    stream = struct.pack(">HB", AUDIO_TRACK, 0) + _descriptor(_DECODER_CONFIG, config) + _descriptor(_SL_CONFIG, b"\2")
    head = struct.pack(">6xH8xHHHHI", 1, 2, 16, 0, 0, AUDIO_RATE << 16)
    return box(b"mp4a", head, box(b"esds", bytes(_FULL_BOX), _descriptor(_ES, stream)))


def _decoder_specific(stream: bytes) -> bytes:
    """Unwrap three descriptors. Raises ValueError where another one comes, or a field that may be there before it."""
    content = _content(stream, _ES)
    if content[_ES_HEADER - 1] & 0xE0:
        raise ValueError("its sound depends on something else")
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


def _track(number: int, clock: int, kind: bytes, header: bytes, entry: bytes, width: int = 0, height: int = 0) -> bytes:
    volume = 0 if width else 1 << 8
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
