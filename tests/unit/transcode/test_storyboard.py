import json
import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.storyboard import Storyboard, plan_storyboard, web_vtt

BOARD = Storyboard(columns=2, count=3, width=160, height=90, interval=1.5)
CUE = re.compile(
    r"(\d{2,}):(\d\d):(\d\d\.\d{3}) --> (\d{2,}):(\d\d):(\d\d\.\d{3})\nboard\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)"
)

SIDES = st.integers(16, 8192)
DURATIONS = st.floats(0.001, 1e6)


@pytest.mark.parametrize(
    ("width", "height", "duration", "board"),
    [
        (1920, 1080, 30.0, Storyboard(10, 30, 160, 90, 1.0)),
        (1080, 1920, 10.2, Storyboard(6, 11, 90, 160, 1.0)),
        (1920, 1080, 600.0, Storyboard(10, 100, 160, 90, 6.0)),
        (640, 480, 0.2, Storyboard(1, 1, 160, 120, 1.0)),
        (64, 48, 2.0, Storyboard(2, 2, 64, 48, 1.0)),
        (4096, 16, 100.001, Storyboard(10, 100, 160, 2, 1.001)),
    ],
)
def test_layouts(width: int, height: int, duration: float, board: Storyboard) -> None:
    assert plan_storyboard(width, height, duration) == board


@given(SIDES, SIDES, DURATIONS)
def test_a_layout_is_small_and_reaches_from_the_first_second_to_the_last(
    width: int, height: int, duration: float
) -> None:
    board = plan_storyboard(width, height, duration)
    assert 1 <= board.count <= 100
    assert board.interval >= 1
    assert (board.count - 1) * board.interval < duration + 0.001
    assert board.count * board.interval >= duration - 0.001
    assert board.width % 2 == board.height % 2 == 0
    assert max(board.columns * board.width, board.rows * board.height) <= 1600
    assert (board.rows - 1) * board.columns < board.count <= board.rows * board.columns
    scale = min(1.0, 160 / max(width, height))
    assert board.width == pytest.approx(width * scale, abs=2)
    assert board.height == pytest.approx(height * scale, abs=2)


@pytest.mark.parametrize("odd", [(0, 9, 1.0), (9, -1, 1.0), (9, 9, 0.0), (9, 9, math.inf), (9, 9, math.nan)])
def test_what_is_no_video_has_no_layout(odd: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="not a video"):
        plan_storyboard(*odd)


def test_a_cue_for_each_tile() -> None:
    assert web_vtt(BOARD, 4.25, "../v/storyboard.jpg") == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.500\n../v/storyboard.jpg#xywh=0,0,160,90\n\n"
        "00:00:01.500 --> 00:00:03.000\n../v/storyboard.jpg#xywh=160,0,160,90\n\n"
        "00:00:03.000 --> 00:00:04.250\n../v/storyboard.jpg#xywh=0,90,160,90\n"
    )


def test_tiles_behind_the_end_are_left_out_and_the_last_one_stays() -> None:
    assert web_vtt(BOARD, 1.5, "b").splitlines()[-2] == "00:00:00.000 --> 00:00:01.500"
    assert web_vtt(BOARD, 7384.5, "b").splitlines()[-2] == "00:00:03.000 --> 02:03:04.500"


@given(SIDES, SIDES, DURATIONS)
def test_cues_follow_each_other_from_the_start_to_the_end(width: int, height: int, duration: float) -> None:
    board = plan_storyboard(width, height, duration)
    header, *cues = web_vtt(board, duration, "board.jpg").removesuffix("\n").split("\n\n")
    assert header == "WEBVTT"
    times, places = [], []
    for cue in cues:
        found = CUE.fullmatch(cue)
        assert found is not None
        start, stop = (int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in (found.groups()[:3], found.groups()[3:6]))
        assert start < stop
        times.append((start, stop))
        x, y, w, h = map(int, found.groups()[6:])
        assert (w, h) == (board.width, board.height)
        assert x + w <= board.columns * w
        assert y + h <= board.rows * h
        places.append((y, x))
    assert times[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(times))
    assert times[-1][1] == pytest.approx(duration, abs=0.001)
    assert places == sorted(set(places))


@pytest.mark.parametrize("uri", ["", "a b", "a\n", "a#t=1", "a-->b", "a\x00"])
def test_a_uri_stays_in_its_line(uri: str) -> None:
    with pytest.raises(ValueError, match="URI"):
        web_vtt(BOARD, 1.0, uri)


@pytest.mark.parametrize("duration", [0.0, 0.0009, -1.0, math.inf, math.nan])
def test_no_time_no_cues(duration: float) -> None:
    with pytest.raises(ValueError, match="no duration"):
        web_vtt(BOARD, duration, "b")


@given(SIDES, SIDES, DURATIONS)
def test_json_round_trip(width: int, height: int, duration: float) -> None:
    board = plan_storyboard(width, height, duration)
    assert Storyboard.from_json(json.loads(json.dumps(board.to_json()))) == board


@pytest.mark.parametrize(
    "change",
    [
        {"columns": 0},
        {"columns": 4},
        {"count": 0},
        {"count": True},
        {"count": 3.0},
        {"width": -2},
        {"height": "90"},
        {"interval": 0},
        {"interval": math.inf},
        {"interval": math.nan},
        {"interval": "1"},
        {"interval": None},
        {"extra": 1},
    ],
)
def test_odd_json_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"storyboard|Storyboard"):
        Storyboard.from_json({**BOARD.to_json(), **change})


def test_missing_json_is_refused() -> None:
    with pytest.raises(ValueError, match="keys"):
        Storyboard.from_json({"columns": 1})
