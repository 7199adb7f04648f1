import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box
from transcode.mp4.fragments import Run, runs_of, starts_with_idr


def full(kind: bytes, flags: int, *numbers: int, version: int = 0) -> bytes:
    body = b"".join(struct.pack(">i", number) for number in numbers)
    return box(kind, struct.pack(">I", version << 24 | flags), body)


def traf(tfhd: bytes, trun: bytes) -> bytes:
    return box(b"traf", tfhd, full(b"tfdt", 0, 0, 9000, version=1), trun)


def test_a_run_of_its_own_figures() -> None:
    trun = full(b"trun", 0x1 | 0x4 | 0xB00, 2, 500, 0x2000000, 3000, 77, 0, 1500, 55, -1500)
    (run,) = runs_of(traf(full(b"tfhd", 0, 1), trun))
    assert run == Run(1, 9000, (3000, 1500), (0, -1500), is_sync=True, offset=500, size=77)
    assert (run.end, run.presentation_times) == (13_500, [9000, 10_500])


def test_a_run_of_defaults() -> None:
    tfhd = full(b"tfhd", 0x2 | 0x8 | 0x10 | 0x20, 2, 1, 1024, 99, 0x10000)
    (run,) = runs_of(traf(tfhd, full(b"trun", 0x1, 3, 500)))
    assert run == Run(2, 9000, (1024,) * 3, (0,) * 3, is_sync=False, offset=500, size=99)


def test_flags_of_each_sample() -> None:
    (run,) = runs_of(traf(full(b"tfhd", 0, 1), full(b"trun", 0x1 | 0x400, 2, 500, 0x10000, 0)))
    assert not run.is_sync


@pytest.mark.parametrize(
    "data",
    [
        traf(full(b"tfhd", 0x1, 1, 0, 0), full(b"trun", 0x1, 1, 0)),
        traf(full(b"tfhd", 0, 1), full(b"trun", 0x1, 1, 0) * 2),
        traf(full(b"tfhd", 0, 1), full(b"trun", 0x1, 0, 0)),
        traf(full(b"tfhd", 0, 1), full(b"trun", 0x0, 1)),
        traf(full(b"tfhd", 0, 1), full(b"trun", 0x301, 9, 0, 1)),
        traf(full(b"tfhd", 0, 1), b""),
    ],
)
def test_what_our_muxer_never_writes(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"fragment|missing"):
        runs_of(data)


def units(*kinds: int) -> bytes:
    return b"".join(struct.pack(">IB", 3, kind) + b"xx" for kind in kinds)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [((5,), True), ((9, 7, 8, 6, 5, 5), True), ((6, 1), False), ((1, 5), False), ((6,), False), ((), False)],
)
def test_the_type_of_the_first_slice(kinds: tuple[int, ...], expected: bool) -> None:
    assert starts_with_idr(units(*kinds)) is expected


@given(st.binary(max_size=100))
def test_any_bytes_are_no_endless_sample(data: bytes) -> None:
    starts_with_idr(data)
