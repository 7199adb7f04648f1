import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box
from transcode.mp4.moov import Edits, StoredTrack, decode_times_of, edits_of, tracks_of


def trak(elst: bytes = b"", kind: bytes = b"vide", version: int = 0) -> bytes:
    edits = box(b"edts", box(b"elst", bytes([version, 0, 0, 0]), elst)) if elst else b""
    mdhd = bytes([version, 0, 0, 0]) + bytes(16 if version else 8) + struct.pack(">I", 600)
    mdhd += struct.pack(">Q" if version else ">I", 199)
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
    assert tracks_of(trak() + trak(kind=b"soun", version=1)) == (
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
    assert (track.plain, track.media_time) == (plain, skipped)


@pytest.mark.parametrize(
    ("entries", "judged"),
    [
        ([], Edits.APPLIED),
        ([(100, 40, NORMAL)], Edits.APPLIED),
        ([(5, -1, NORMAL), (9, 198, NORMAL)], Edits.APPLIED),
        ([(0, 0, NORMAL), (100, 0, NORMAL)], Edits.APPLIED),
        ([(9, 0, NORMAL)] * 3, Edits.APPLIED),
        # More than is read: who knows.
        ([(0, 0, NORMAL)] * 4, Edits.APPLIED),
        ([(0, 0, NORMAL)], Edits.OFFSET),
        # A tick of ours is three of the track's, a sample lasts twenty.
        ([(6, 0, NORMAL)], Edits.OFFSET),
        ([(7, 0, NORMAL)], Edits.APPLIED),
        ([(5, -1, NORMAL), (0, 0, NORMAL)], Edits.IGNORED),
        ([(5, -1, NORMAL)], Edits.IGNORED),
        ([(0, 40, NORMAL)], Edits.OFFSET),
        ([(5, -1, NORMAL), (0, 40, NORMAL)], Edits.OFFSET),
        ([(100, 199, NORMAL)], Edits.IGNORED),
        ([(0, 40, NORMAL), (0, 80, NORMAL)], Edits.IGNORED),
        ([(0, -2, NORMAL)], Edits.IGNORED),
    ],
)
@pytest.mark.parametrize("long", [False, True])
def test_lists_that_play_nothing(entries: list[tuple[int, int, int]], judged: Edits, long: bool) -> None:
    movie = box(b"mvhd", bytes([int(long), 0, 0, 0]) + bytes(16 if long else 8) + struct.pack(">I", 200))
    tracks = tracks_of(movie + trak(edits(*entries, long=long), version=int(long)))
    assert edits_of(tracks) == judged
    # What one track lacks, all do without; but nobody plays the text.
    plain = tracks_of(trak(kind=b"soun") + trak())
    assert edits_of((*plain, *tracks)) == judged
    assert edits_of([replace(track, kind="text") for track in tracks]) == Edits.APPLIED


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


def _moov(*runs: tuple[int, int]) -> bytes:
    table = bytes(4) + len(runs).to_bytes(4) + b"".join(n.to_bytes(4) + ticks.to_bytes(4) for n, ticks in runs)
    header = bytes(12) + (600).to_bytes(4) + bytes(8)
    media = box(b"mdia", box(b"mdhd", header), box(b"minf", box(b"stbl", box(b"stts", table))))
    return box(b"trak", media)


def test_decode_times_of_an_index() -> None:
    found = list(decode_times_of(_moov((2, 10), (1, 600), (2, 10)), 0, 9))
    assert found[:2] == list(decode_times_of(_moov((2, 10), (1, 600), (2, 10)), 0, 2))
    assert found == pytest.approx([0, 1 / 60, 2 / 60, 62 / 60, 63 / 60])


@pytest.mark.parametrize("moov", [_moov((2, 10))[:-4], b"", box(b"trak", box(b"mdia"))])
def test_decode_times_of_an_index_that_is_cut_off(moov: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_times_of(moov, 0, 9)
