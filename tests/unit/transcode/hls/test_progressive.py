"""The header of a rendition in one file (`sidx`): its length, and the offset of each segment."""

import struct

import pytest

from transcode.hls.progressive import head_of
from transcode.mp4.boxes import box, boxes, child

MVHD = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 0))
INIT = box(b"ftyp", b"isom") + box(b"moov", MVHD + box(b"trak", b"t") + box(b"mvex", box(b"trex", b"x" * 24)))


def test_the_length_stands_where_the_standard_has_it() -> None:
    moov = child(head_of(INIT, [2.0, 1.5], [100, 50]), b"moov")
    assert [kind for kind, _ in boxes(moov)] == [b"mvhd", b"trak", b"mvex"]
    assert [kind for kind, _ in boxes(child(moov, b"mvex"))] == [b"mehd", b"trex"]
    assert child(moov, b"mvex", b"mehd") == struct.pack(">II", 0, 3500)


def test_the_index_names_every_segment() -> None:
    head = head_of(INIT, [2.0, 1.5], [100, 50])
    assert [kind for kind, _ in boxes(head)] == [b"ftyp", b"moov", b"sidx"]
    index = child(head, b"sidx")
    _, track, timescale, start, first_offset, _, count = struct.unpack_from(">IIIIIHH", index)
    assert (track, timescale, start, first_offset, count) == (1, 90_000, 0, 0, 2)
    entries = list(struct.iter_unpack(">III", index[24:]))
    assert [(size, ticks) for size, ticks, _ in entries] == [(100, 180_000), (50, 135_000)]
    assert {flags >> 28 for *_, flags in entries} == {9}  # starts with a key frame, of SAP type 1


@pytest.mark.parametrize(
    ("init", "sizes"), [(INIT, [100]), (box(b"moov", b""), [100, 50]), (b"\x00\x00\x00\x01moov", [1, 2])]
)
def test_what_does_not_fit_is_refused(init: bytes, sizes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        head_of(init, [2.0, 1.5], sizes)
