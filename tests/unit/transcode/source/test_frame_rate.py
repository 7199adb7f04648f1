import random

import pytest

from transcode.source.frame_rate import distinct, peak_rate


def every(step: float, count: int, start: float = 0.0) -> list[float]:
    return [start + step * number for number in range(count)]


@pytest.mark.parametrize("rate", [5, 24, 25, 30000 / 1001, 60])
def test_a_steady_rate_is_its_own_peak(rate: float) -> None:
    assert peak_rate(every(1 / rate, 200)) == pytest.approx(rate, rel=0.001)


def test_a_burst_is_found_wherever_it_is() -> None:
    for start in (0.0, 4.0, 9.0):
        times = sorted({*every(1.0, 10), *every(1 / 60, 60, start)})
        assert peak_rate(times) == pytest.approx(60, rel=0.03)


def test_jitter_and_pauses_are_no_burst() -> None:
    rng = random.Random(1)  # noqa: S311 - it must be repeatable
    times = [number / 30 + rng.uniform(-0.008, 0.008) for number in range(300)]
    assert peak_rate(times[:100] + [time + 3 for time in times[100:]]) < 30 * 1.1
    # Two frames at nearly one instant.
    assert peak_rate([0.0, 5.0, 5.005, 10.0]) <= 10


def test_few_frames_have_no_rate() -> None:
    assert peak_rate([]) == peak_rate([1.0]) == 0.0


def test_frames_of_one_instant_count_once() -> None:
    assert list(distinct([2.0, 0.0, 1.0, 1.0004, 1.0])) == [0.0, 1.0, 2.0]
