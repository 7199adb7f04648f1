import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box
from transcode.mp4.samples import Samples, samples_of

FILE = 10_000
HERE = box(b"url ", b"\0\0\0\x01")


def table(kind: bytes, *figures: int, form: str = "I", version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), struct.pack(f">{len(figures)}{form}", *figures))


# Five samples of 10, 20, 30, 40 and 50 bytes: two chunks of two, and one of one.
TABLES = {
    b"stts": table(b"stts", 2, 4, 100, 1, 60),
    b"ctts": table(b"ctts", 3, 1, 200, 3, 100, 1, -100, form="i"),
    b"stss": table(b"stss", 2, 1, 4),
    b"stsz": table(b"stsz", 0, 5, 10, 20, 30, 40, 50),
    b"stsc": table(b"stsc", 2, 1, 2, 1, 3, 1, 1),
    b"stco": table(b"stco", 3, 1000, 2000, 2070),
}


def mdia(changed: dict[bytes, bytes] | None = None, place: bytes = HERE) -> bytes:
    tables = {**TABLES, **(changed or {})}
    dinf = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), place))
    return box(b"minf", dinf, box(b"stbl", *tables.values()))


def test_all_tables() -> None:
    assert samples_of(mdia(), FILE) == Samples(
        decode_times=(0, 100, 200, 300, 400, 460),
        composition_offsets=(200, 100, 100, 100, -100),
        sizes=(10, 20, 30, 40, 50),
        offsets=(1000, 1010, 2000, 2030, 2070),
        sync_samples=frozenset({0, 3}),
    )


def test_what_may_be_otherwise() -> None:
    found = samples_of(
        mdia(
            {
                b"ctts": b"",
                b"stss": b"",
                b"stsz": table(b"stsz", 8, 5),
                b"stco": b"",
                b"co64": box(b"co64", struct.pack(">II3Q", 0, 3, 1000, 2000, 9992)),
            }
        ),
        FILE,
    )
    assert (found.composition_offsets, found.sizes, found.offsets) == (
        (0,) * 5,
        (8,) * 5,
        (1000, 1008, 2000, 2008, 9992),
    )
    assert all(found.is_sync(number) for number in range(5))


def test_what_adjoins_is_one_piece() -> None:
    found = samples_of(mdia(), FILE)
    assert found.byte_ranges(0, 5) == [range(1000, 1030), range(2000, 2120)]
    assert found.byte_ranges(1, 3) == [range(1010, 1030), range(2000, 2030)]
    assert [found.is_sync(number) for number in range(5)] == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({b"stsz": b""}, "cut off"),
        ({b"stsz": table(b"stsz", 0, 0)}, "0 samples"),
        ({b"stsz": table(b"stsz", 1, 4_000_000_000)}, "4000000000 samples"),
        ({b"stsz": table(b"stsz", 0, 5, 10, 20)}, "cut off"),
        ({b"stsz": table(b"stsz", 0, 5, 10, 20, 30, 40, 9_901)}, "larger than the file"),
        ({b"stts": b""}, "missing"),
        ({b"stts": table(b"stts", 1, 4, 100)}, "different numbers"),
        ({b"stts": table(b"stts", 4_000_000_000, 4, 100)}, "more runs"),
        ({b"ctts": table(b"ctts", 1, 4_000_000_000, 100)}, "different numbers"),
        ({b"stss": table(b"stss", 2, 1, 6)}, "key frame"),
        ({b"stss": table(b"stss", 2, 0, 1)}, "key frame"),
        ({b"stco": b""}, "cut off"),
        ({b"stco": table(b"stco", 2, 1000, 2000)}, "not in the file"),
        ({b"stco": table(b"stco", 3, 1000, 2000, 9_951)}, "not in the file"),
        ({b"stco": table(b"stco", 4_000_000_000)}, "4000000000 entries"),
        ({b"stsc": b""}, "cut off"),
        ({b"stsc": table(b"stsc", 0)}, "not of one kind"),
        ({b"stsc": table(b"stsc", 1, 2, 2, 1)}, "not of one kind"),
        ({b"stsc": table(b"stsc", 1, 1, 0, 1)}, "not of one kind"),
        ({b"stsc": table(b"stsc", 1, 1, 2, 2)}, "not of one kind"),
        ({b"stsc": table(b"stsc", 1, 1, 4_000_000_000, 1)}, "more samples"),
    ],
)
def test_tables_that_cannot_be(changed: dict[bytes, bytes], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        samples_of(mdia(changed), FILE)


@pytest.mark.parametrize("place", [box(b"url ", bytes(4), b"file:///etc/passwd\0"), HERE + HERE, b""])
def test_samples_of_another_file_are_refused(place: bytes) -> None:
    with pytest.raises(ValueError, match="another file"):
        samples_of(mdia(place=place), FILE)


@given(st.integers(0, len(mdia()) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_tables_lead_nowhere(position: int, damage: bytes) -> None:
    data = mdia()
    try:
        found = samples_of(data[:position] + damage + data[position + len(damage) :], FILE)
    except ValueError:
        return
    assert (
        len(found.decode_times) == len(found.offsets) + 1 == len(found.sizes) + 1 == len(found.composition_offsets) + 1
    )
    assert all(piece.start >= 0 and piece.stop <= FILE for piece in found.byte_ranges(0, len(found.sizes)))
