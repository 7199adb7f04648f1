from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import TooHighFrameRate, TooLong, TooManyPixels
from transcode.limits import Limits
from transcode.plan import frame_rate, ladder, plan, poster_rung
from transcode.source.probe import Audio, Probe, VideoTrack

VIDEO = VideoTrack(
    index=0,
    codec="h264",
    width=1920,
    height=1080,
    coded_width=1920,
    coded_height=1080,
    frame_rate=30.0,
    base_rate=30.0,
)


def clip(duration: float = 10.0, **video: float) -> Probe:
    return Probe(replace(VIDEO, **video), Audio(index=1), start=0.0, duration=duration)  # type: ignore[arg-type]


def shapes(width: int, height: int) -> list[tuple[str, int, int]]:
    return [(rung.name, rung.width, rung.height) for rung in ladder(width, height)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (
            (1920, 1080),
            [("1080", 1920, 1080), ("720", 1280, 720), ("480", 854, 480), ("360", 640, 360), ("240", 426, 240)],
        ),
        (
            (1080, 1920),
            [("1080", 1080, 1920), ("720", 720, 1280), ("480", 480, 854), ("360", 360, 640), ("240", 240, 426)],
        ),
        (
            (3840, 2160),
            [("1080", 1920, 1080), ("720", 1280, 720), ("480", 854, 480), ("360", 640, 360), ("240", 426, 240)],
        ),
        ((401, 301), [("360", 400, 300), ("240", 320, 240)]),
        ((250, 250), [("240", 240, 240)]),
        ((640, 272), [("360", 640, 272), ("240", 564, 240)]),
        ((99, 55), [("240", 98, 54)]),
        ((1, 1), [("240", 16, 16)]),
        ((4000, 500), [("480", 1440, 180), ("360", 1080, 136), ("240", 720, 90)]),
    ],
)
def test_ladders(size: tuple[int, int], expected: list[tuple[str, int, int]]) -> None:
    assert shapes(*size) == expected


@pytest.mark.parametrize(
    ("size", "copied_bits", "expected"),
    [
        ((1920, 1080), None, "1080 720 480 240"),
        ((1920, 1080), 15_000_000, "1080 720 480 240"),
        ((1920, 1080), 4_000_000, "1080 480 240"),
        ((1280, 720), 2_000_000, "720 360 240"),
        ((1280, 720), 1_000_000, "720 240"),
        ((1280, 720), 900_000, "720"),  # it is small enough for anybody
        ((480, 270), 400_000, "360"),
        ((250, 250), None, "240"),
    ],
)
def test_a_rung_that_saves_less_than_a_third_is_not_made(
    size: tuple[int, int], copied_bits: int | None, expected: str
) -> None:
    made = plan(clip(width=size[0], height=size[1], coded_width=size[0], coded_height=size[1]), Limits())
    assert " ".join(rung.name for rung in made.rungs(copied_bits)) == expected
    assert replace(made, every_rung=True).rungs(copied_bits) == made.ladder


def test_what_a_copy_needs_may_be_missing_without_one() -> None:
    wide = plan(clip(), Limits())
    assert "360" not in [rung.name for rung in wide.rungs()]
    assert "360" in [rung.name for rung in wide.rungs(2_000_000)]


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_rungs_are_even_and_never_larger_than_the_frame(width: int, height: int) -> None:
    rungs = ladder(width, height)
    assert len({rung.name for rung in rungs}) == len(rungs) >= 1
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert (rung.width <= width and rung.height <= height) or 16 in {rung.width, rung.height}
        assert min(rung.width, rung.height) <= int(rung.name)
    assert [rung.width * rung.height for rung in rungs] == sorted((r.width * r.height for r in rungs), reverse=True)


@pytest.mark.parametrize(
    ("mean", "base", "expected"),
    [
        (30, 30, Fraction(30)),
        (29.98, 30, Fraction(30)),
        (29.97, 29.97, Fraction(30000, 1001)),
        (23.976, 23.976, Fraction(24000, 1001)),
        (24.7, 30, Fraction(30)),  # a phone in the dark drops some frames
        (120, 120, Fraction(60)),
        (240, 240, Fraction(60)),
        (90, 90, Fraction(45)),
        (59.94, 59.94, Fraction(60000, 1001)),
        (60.1, 90000, Fraction(60)),
        (18.3, 1000, Fraction(20)),  # a browser's recording, stamped in milliseconds
        (30.02, 1000, Fraction(30)),
        (1, 1, Fraction(10)),
        (12.5, 12.5, Fraction(25, 2)),
        (37, 37, Fraction(90000, 2432)),
        (0, 0, Fraction(30)),
        (0, 25, Fraction(25)),
        (0, 90000, Fraction(30)),
        (25, 0, Fraction(25)),
    ],
)
def test_frame_rates(mean: float, base: float, expected: Fraction) -> None:
    assert frame_rate(replace(VIDEO, frame_rate=mean, base_rate=base)) == expected


@pytest.mark.parametrize(
    ("mean", "base", "peak", "expected", "sparse"),
    [
        (9.6, 60, 60, Fraction(60), True),  # a screen recording
        (9.6, 1000, 60.6, Fraction(60), True),
        (16, 30, 30.2, Fraction(30), False),  # a pause of a second
        (25.26, 25, 25, Fraction(25), False),  # a program stream, some of its frames without a time stamp
        (30.16, 240, 30.65, Fraction(30), False),  # two recordings joined
        (0.5, 0.5, 2, Fraction(10), False),
        (9, 1000, 200, Fraction(60), True),
    ],
)
def test_a_mean_is_not_taken_for_a_rate(  # each is a kind of file
    mean: float, base: float, peak: float, expected: Fraction, *, sparse: bool
) -> None:
    made = plan(clip(frame_rate=mean, base_rate=base, peak_rate=peak), Limits())
    assert (made.frame_rate, made.sparse) == (expected, sparse)
    # Key frames are among those that are kept.
    assert made.key_frame_distance % made.idle_distance == made.early_key_frame % made.idle_distance == 0
    assert made.idle_distance <= made.frame_rate / 5


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_any_file_gets_a_sane_rate(mean: float, base: float, peak: float) -> None:
    assert 10 <= frame_rate(replace(VIDEO, frame_rate=mean, base_rate=base, peak_rate=peak)) <= 60.25


def test_everything_follows_from_one_frame_count() -> None:
    made = plan(clip(frame_rate=29.97, base_rate=29.97, duration=10.02), Limits())
    assert made.frames == 300
    assert made.duration == pytest.approx(10.01)
    assert made.samples == 480_480
    assert made.key_frame_distance == 60
    assert made.fast.name == "480"
    assert (made.poster_step, made.poster_candidates) == (12, 24)
    assert poster_rung(made.ladder).name == "720"


@pytest.mark.parametrize(
    ("seconds", "durations", "quick"),
    [
        (5.0, (2.0, 2.0, 1.0), (1.0, 1.0, 2.0, 1.0)),
        (1.5, (1.5,), (1.0, 0.5)),
        (1.0, (1.0,), (1.0,)),
        (0.1, (0.1,), (0.1,)),
    ],
)
def test_the_quick_rung_begins_with_less(
    seconds: float, durations: tuple[float, ...], quick: tuple[float, ...]
) -> None:
    made = plan(clip(frame_rate=30.0, base_rate=30.0, duration=seconds), Limits())
    assert made.durations == durations
    assert made.fast_durations == quick


def test_a_single_frame_is_a_video_of_one_frame() -> None:
    made = plan(clip(duration=0.0, width=64, height=64), Limits())
    assert (made.frames, made.poster_step, made.poster_candidates) == (1, 1, 2)
    assert made.fast == made.ladder[-1] == poster_rung(made.ladder)


def test_high_frame_rates_may_use_more_bits() -> None:
    assert ladder(1920, 1080, Fraction(60))[0].max_rate > ladder(1920, 1080, Fraction(30))[0].max_rate
    assert ladder(1920, 1080, Fraction(10)) == ladder(1920, 1080, Fraction(30))


@pytest.mark.parametrize(
    ("change", "limits", "error"),
    [
        ({"duration": 7201.0}, Limits(), TooLong),
        ({"duration": 60.0}, Limits(output_bytes=10_000_000), TooLong),
        ({"frame_rate": 1001.0}, Limits(), TooHighFrameRate),
        ({"frame_rate": 30.0}, Limits(max_frame_rate=29.0), TooHighFrameRate),
        ({"coded_width": 8193}, Limits(), TooManyPixels),
        ({"coded_height": 8193}, Limits(), TooManyPixels),
        ({"coded_width": 8000, "coded_height": 8000}, Limits(), TooManyPixels),
    ],
)
def test_limits(change: dict[str, float], limits: Limits, error: type[Exception]) -> None:
    with pytest.raises(error, match="limit"):
        plan(clip(**change), limits)


def test_a_few_frames_may_have_any_distance() -> None:
    assert plan(clip(frame_rate=90_000.0, duration=2 / 90_000), Limits()).frames == 1
