from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import EmptyFile, NotASound, NotAVideo
from transcode.sniff import HEAD_BYTES, demuxer_of, sound_demuxer_of


def packets(size: int, offset: int) -> bytes:
    return (bytes(offset) + b"\x47" + bytes(size - offset - 1)) * 5


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\x00\x00\x00\x20ftypisom", "mov"),
        (b"\x00\x00\x00\x14ftypqt  ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mov"),
        (b"\x1a\x45\xdf\xa3\x01", "matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "avi"),
        (b"FLV\x01\x05", "flv"),
        (b"OggS\x00", "ogg"),
        (b"\x00\x00\x01\xba\x44", "mpeg"),
        (bytes.fromhex("3026b2758e66cf11") + b"\xa6\xd9", "asf"),
        (packets(188, 0)[:HEAD_BYTES], "mpegts"),
        (packets(192, 4)[:HEAD_BYTES], "mpegts"),
        (packets(204, 0)[:HEAD_BYTES], "mpegts"),
    ],
)
def test_containers(head: bytes, demuxer: str) -> None:
    assert demuxer_of(head) == demuxer


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"ffconcat version 1.0\n",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x18ftypavif",
        b"ID3\x04",
        b"MZ",
        b"\x47",
        b"G" * 400,
    ],
)
def test_anything_else(head: bytes) -> None:
    with pytest.raises(NotAVideo, match="video"):
        demuxer_of(head)


def test_nothing() -> None:
    with pytest.raises(EmptyFile):
        demuxer_of(b"")


@given(st.binary(min_size=1, max_size=HEAD_BYTES))
def test_any_bytes(head: bytes) -> None:
    with suppress(NotAVideo):
        assert demuxer_of(head) in {"mov", "matroska", "avi", "flv", "ogg", "mpeg", "asf", "mpegts"}


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\x00\x00\x00\x20ftypM4A ", "mov"),
        (b"OggS\x00", "ogg"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "wav"),
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\xff\xf3\x90\x64", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
    ],
)
def test_sound(head: bytes, demuxer: str) -> None:
    assert sound_demuxer_of(head) == demuxer


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"", EmptyFile),
        (b"\xff", NotASound),
        (b"\xff\xff\xff\xff", NotASound),
        (b"RIFF\x00\x00\x00\x00AVI LIST", NotASound),
        (b"\x00\x00\x00\x20ftypavif", NotASound),
        (b"#EXTM3U\n", NotASound),
    ],
)
def test_what_is_no_sound(head: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        sound_demuxer_of(head)
