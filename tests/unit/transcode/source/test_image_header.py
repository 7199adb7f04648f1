"""Headers of image files, also of damaged and hostile ones."""

import struct

import pytest

from transcode.errors import BrokenFile, NotAnImage
from transcode.source.image_header import ImageHeader, image_of


def gif(*delays: int) -> bytes:
    control = b"".join(
        b"!\xf9\x04\x00" + struct.pack("<H", delay) + b"\x00\x00,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02D\x01\x00"
        for delay in delays
    )
    return b"GIF89a" + struct.pack("<HH", 2, 1) + b"\x80\x00\x00" + bytes(6) + control + b";"


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (gif(7), ImageHeader("gif", 2, 1)),
        # Browsers do not believe a frame duration of 0.
        (gif(50, 0), ImageHeader("gif", 2, 1, 0.6)),
        (webp((b"VP8L", b"\x2f" + struct.pack("<I", 99 | 49 << 14))), ImageHeader("webp_pipe", 100, 50)),
        (webp((b"VP8 ", bytes(6) + struct.pack("<HH", 100, 50))), ImageHeader("webp_pipe", 100, 50)),
        (
            webp(
                (b"VP8X", b"\x02\0\0\0" + b"\x63\0\0" + b"\x31\0\0"),
                *[(b"ANMF", bytes(12) + b"\xfa\0\0" + b"\0")] * 2,
            ),
            ImageHeader("webp_anim", 100, 50, 0.5),
        ),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x0b\x08\x00\x32\x00\x64\x01", ImageHeader("jpeg_pipe", 100, 50)),
    ],
)
def test_headers(data: bytes, header: ImageHeader) -> None:
    assert image_of(data) == header


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff", b"\xff\xd8\xff\xda\x00", b"GIF89a\x01", gif(), webp(), b"\x89PNG\r\n\x1a\n\0\0",
     b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50)],
)  # fmt: skip
def test_damaged_headers(data: bytes) -> None:
    with pytest.raises(BrokenFile):
        image_of(data)


@pytest.mark.parametrize("data", [b"<svg", b"#EXTM3U", b"\0\0\0\x18ftypisom" + bytes(50), b"BM" + bytes(50), b"P6 1 1"])
def test_no_image_format_that_we_know(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        image_of(data)
