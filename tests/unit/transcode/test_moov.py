import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.moov import StoredTrack, tracks_of
from transcode.mp4 import box


def trak(elst: bytes = b"", kind: bytes = b"vide", version: int = 0) -> bytes:
    edits = box(b"edts", box(b"elst", bytes([version, 0, 0, 0]), elst)) if elst else b""
    mdhd = bytes([version, 0, 0, 0]) + bytes(16 if version else 8) + struct.pack(">I", 600)
    samples = box(
        b"stbl", box(b"stsd", struct.pack(">II", 0, 1)), box(b"stts", struct.pack(">IIIIII", 0, 2, 9, 20, 1, 19))
    )
    hdlr = box(b"hdlr", bytes(8), kind)
    return box(b"trak", edits, box(b"mdia", box(b"mdhd", mdhd), hdlr, box(b"minf", samples)))


def edits(*entries: tuple[int, int, int], long: bool = False) -> bytes:
    form = ">QqI" if long else ">IiI"
    return struct.pack(">I", len(entries)) + b"".join(struct.pack(form, *entry) for entry in entries)


NORMAL = 1 << 16


def test_a_track() -> None:
    assert tracks_of(box(b"mvhd") + trak() + trak(kind=b"soun", version=1)) == (
        StoredTrack("vide", 600, 1, ((9, 20), (1, 19)), True, 0),
        StoredTrack("soun", 600, 1, ((9, 20), (1, 19)), True, 0),
    )


@pytest.mark.parametrize(
    ("entries", "plain", "skipped"),
    [
        ([], True, 0),
        ([(100, 40, NORMAL)], True, 40),
        ([(5, -1, NORMAL), (100, 40, NORMAL)], True, 40),
        ([(100, 40, NORMAL // 2)], False, 40),
        ([(100, 40, NORMAL), (100, 400, NORMAL)], False, 40),
        ([(5, -1, NORMAL), (100, 40, NORMAL), (100, 400, NORMAL), (1, 1, NORMAL)], False, 40),
        ([(5, -1, NORMAL)], False, 0),
        ([(5, -2, NORMAL)], False, -2),
    ],
)
@pytest.mark.parametrize("long", [False, True])
def test_edits(entries: list[tuple[int, int, int]], plain: bool, skipped: int, long: bool) -> None:
    (track,) = tracks_of(trak(edits(*entries, long=long), version=int(long)))
    assert (track.plain, track.skipped) == (plain, skipped)


def test_what_is_cut_off() -> None:
    with pytest.raises(ValueError, match="missing"):
        tracks_of(box(b"trak"))
    with pytest.raises(ValueError, match="cut off"):
        tracks_of(trak(edits((1, 1, NORMAL))[:8]))


@given(st.binary(max_size=60), st.integers(0, 200))
def test_any_bytes(noise: bytes, position: int) -> None:
    data = bytearray(trak(edits((1, 1, NORMAL))))
    data[position : position + len(noise)] = noise
    try:
        tracks_of(bytes(data))
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is fine, no other kind is
