import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box, boxes, codecs_of, layout_of


def test_a_box() -> None:
    assert box(b"free", b"ab", b"c") == b"\0\0\0\x0bfreeabc"


def whole(*boxes: bytes) -> tuple[io.BytesIO, int]:
    data = b"".join(boxes)
    return io.BytesIO(data), len(data)


AVC1 = box(b"avc1", bytes(78), box(b"avcC", b"\x01\x64\x00\x1f\xff"))
MP4A = box(b"mp4a", bytes(28), box(b"esds", bytes(20), b"\x05\x80\x80\x80\x02\x11\x90"))


def init(*entries: bytes) -> bytes:
    traks = [
        box(b"trak", box(b"tkhd"), box(b"mdia", box(b"minf", box(b"stbl", box(b"stsd", bytes(8), entry)))))
        for entry in entries
    ]
    return box(b"ftyp", b"iso5") + box(b"moov", box(b"mvhd"), *traks)


def test_whole_files() -> None:
    assert not layout_of(*whole(box(b"ftyp"), box(b"moov"), box(b"mdat", bytes(100)))).fragmented
    assert layout_of(*whole(box(b"moov"), box(b"moof"), box(b"mdat"))).fragmented
    assert [*layout_of(*whole(box(b"ftyp"), box(b"moov", b"abc"))).index] == [16, 17, 18]
    to_the_end = struct.pack(">I4s", 0, b"mdat") + bytes(30)
    large = struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)
    layout_of(*whole(box(b"moov"), large, to_the_end))
    layout_of(*whole(box(b"moov"), box(b"mdat"), b"\x00\x00\x00\x03junk"))


@pytest.mark.parametrize("cut", [3, 9, 40, 105])
def test_cut_off(cut: int) -> None:
    file, size = whole(box(b"ftyp"), box(b"mdat", bytes(80)), box(b"moov", bytes(10)))
    with pytest.raises(ValueError, match="cut off"):
        layout_of(io.BytesIO(file.getvalue()[:cut]), min(cut, size))


def test_a_recording_of_fragments_may_end_early() -> None:
    data = box(b"moov") + box(b"moof") + box(b"mdat", bytes(50))
    assert layout_of(io.BytesIO(data[:-20]), len(data) - 20).fragmented


def test_endless_boxes_end() -> None:
    assert len(list(boxes(box(b"free") * 10_000))) == 10_000
    with pytest.raises(ValueError, match="too many"):
        dict(boxes(box(b"free") * 10_001))
    with pytest.raises(ValueError, match="no index"):
        layout_of(*whole(box(b"free") * 10_001, box(b"moov")))


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(ValueError):
        layout_of(io.BytesIO(data), len(data))
    with pytest.raises(ValueError, match=r"missing|impossible"):
        codecs_of(data)


def test_codecs() -> None:
    assert codecs_of(init(AVC1, MP4A)) == "avc1.64001f,mp4a.40.2"


@pytest.mark.parametrize(
    "data",
    [
        init(),
        init(box(b"hvc1", bytes(100))),
        init(box(b"avc1", bytes(78))),
        init(box(b"avc1", bytes(78), box(b"avcC", b"\x01"))),
        init(box(b"mp4a", bytes(28), box(b"esds", bytes(30)))),
    ],
)
def test_other_codecs(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"box|track|entry"):
        codecs_of(data)
