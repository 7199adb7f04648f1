"""Packed renditions: read back exactly, whatever they are, also what was packed by any release since."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.store.packing import pack, unpack
from tests.support.factories import rendition
from transcode.hls.playlist import Rendition
from transcode.storyboard import Storyboard

_sizes = st.integers(1, 20_000)
_durations = st.lists(st.floats(0.001, 1e5), min_size=1, max_size=50).map(tuple)
_renditions = st.lists(
    st.builds(
        Rendition, name=st.text(min_size=1, max_size=8), width=_sizes, height=_sizes,
        frame_rate=st.floats(0.1, 240), codecs=st.text(max_size=40), bandwidth=st.integers(0, 2**32 - 1),
        average_bandwidth=st.integers(0, 2**32 - 1), durations=_durations,
    ), max_size=6,
)  # fmt: skip
_storyboards = st.none() | st.builds(
    Storyboard, columns=st.integers(1, 10), count=st.integers(10, 100), width=_sizes, height=_sizes,
    interval=st.floats(0.001, 1e5),
)  # fmt: skip

LADDER = [rendition("720", seconds=12.5, width=1280, height=720), rendition("480", seconds=12.5)]
BOARD = Storyboard(columns=7, count=13, width=160, height=90, interval=1.0)
PACKED = "1i46mXdZCtwsZG+iZguSBjjNGcR8AABX5AAAQesAADqYAAAr8gA"


@given(_renditions, _storyboards)
def test_what_is_packed_is_read_back_exactly(renditions: list[Rendition], storyboard: Storyboard | None) -> None:
    stored = pack(renditions, storyboard)
    assert unpack(json.loads(json.dumps(stored)), None) == (tuple(renditions), storyboard)


def test_what_a_release_packed_the_next_ones_read() -> None:
    # Never to be changed: rows have it. A dictionary with other bytes needs a format of its own.
    assert unpack(PACKED, None) == (tuple(LADDER), BOARD)


def test_a_ladder_takes_little() -> None:
    names = ((1080, 1920), (720, 1280), (480, 854), (360, 640), (240, 426))
    ladder = [rendition(str(height), seconds=35, width=width, height=height) for height, width in names]
    assert len(pack(ladder, BOARD)) < 150


def test_what_earlier_releases_stored_is_read() -> None:
    stored = json.loads(json.dumps([each.to_json() for each in LADDER]))
    assert unpack(stored, BOARD.to_json()) == (tuple(LADDER), BOARD)
    assert unpack([], None) == ((), None)


def test_more_than_any_line_has_is_not_refused() -> None:
    fast = Rendition("1080", 1920, 1080, 30.0, "avc1.640028", 2**40, 5, (1.0,))
    ((read,), _) = unpack(pack([fast], None), None)
    assert (read.bandwidth, read.average_bandwidth) == (2**32 - 1, 5)


@pytest.mark.parametrize("stored", ["2abc", "", "1AAAA", PACKED[:-12], "1" + PACKED[9:]])
def test_what_is_damaged_is_refused(stored: str) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack(stored, None)
