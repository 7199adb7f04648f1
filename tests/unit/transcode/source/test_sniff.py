import io
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import EmptyFile, NotAudio, NotAVideo
from transcode.source.sniff import (
    HEAD_BYTES,
    Container,
    audio_demuxer_of,
    behind_tags,
    container_in,
    container_of,
    demuxer_of,
)


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


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (b"\xff" * 88 + b"\x47".ljust(188, b"\0") * 9, Container("mpegts", 88)),
        (b"\xff" * 5 + b"\x47".ljust(192, b"\0") * 9, Container("mpegts", 5)),
        (b"\n" + b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", Container("matroska", 1)),
        (b"\n" + b"FLV\x01\x05\0\0\0\x09", Container("flv", 1)),
        (bytes(9) + b"OggS\0\x02", Container("ogg", 9)),
        (bytes(3) + b"\0\0\x01\xba\x44", Container("mpeg", 3)),
        (bytes(3) + b"\0\0\x01\xba!", Container("mpeg", 3)),
        (b"xx" + bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), Container("asf", 2)),
        (b"xx" + b"RIFF\0\0\0\0AVI LIST", Container("avi", 2)),
        (b"x" * 99 + b"\0\0\0\x20ftypisom", Container("mov", 99)),
        # The first one counts.
        (b"x" + b"OggS\0\x02" + b"\0\0\0\x20ftypisom", Container("ogg", 1)),
        (b"OggS\0\x02" + b"\0\0\0\x20ftypisom", Container("ogg")),
    ],
)
def test_containers_behind_a_few_bytes(data: bytes, container: Container) -> None:
    assert container_in(data) == container
    assert container_of(io.BytesIO(b"ID3\x03\0\0\0\0\x02\x01" + bytes(257) + data)) == replace(
        container, start=container.start + 267
    )
    assert container_of(io.BytesIO(b"ID3\x04\0\x10\0\0\0\x01" + bytes(11) + data)).start == container.start + 21


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n" * 1000,
        b"ffconcat version 1.0\nfile FLV\n",
        b"x\x47".ljust(188, b"\0") * 7,
        b"x\x1a\x45\xdf\xa3" + bytes(100),
        b"x\0\0\x01\xba\0",
        b"x\0\0\0\x20ftypavif",
        b"\0\0\0\x20ftypheic" + b"\0\0\0\x20ftypisom",
        b"PK\x03\x04" + b"\0\0\0\x20ftypisom",
        b"\xff\xd8\xff\xe0" + b"\0\0\0\x20ftypisom",
        b"RIFF\0\0\0\0WEBP" + b"\0\0\0\x20ftypisom",
        b"ID3\x04\0\0\0\0\0\x02\0\0#EXTM3U\n",
        b"x" * 2**16 + b"OggS\0\x02",
    ],
)
def test_nothing_is_found_elsewhere(data: bytes) -> None:
    with pytest.raises(NotAVideo):
        container_of(io.BytesIO(data))


def test_tags_without_end() -> None:
    tag = b"ID3\x04\0\0\0\0\0\0"
    assert behind_tags(io.BytesIO(tag * 1000)) == 4 * len(tag)
    assert behind_tags(io.BytesIO(b"ID3\x04\0\0\x7f\x7f\x7f\x7f")) == 0
    with pytest.raises(EmptyFile):
        container_of(io.BytesIO(b""))


@given(st.binary(min_size=1, max_size=2 * HEAD_BYTES))
def test_any_bytes_anywhere(data: bytes) -> None:
    with suppress(NotAVideo):
        assert container_in(data).start < len(data)


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
def test_audio(head: bytes, demuxer: str) -> None:
    assert audio_demuxer_of(head) == demuxer


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"", EmptyFile),
        (b"\xff", NotAudio),
        (b"\xff\xff\xff\xff", NotAudio),
        (b"RIFF\x00\x00\x00\x00AVI LIST", NotAudio),
        (b"\x00\x00\x00\x20ftypavif", NotAudio),
        (b"#EXTM3U\n", NotAudio),
    ],
)
def test_what_is_no_audio(head: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        audio_demuxer_of(head)
