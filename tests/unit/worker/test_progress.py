"""The estimate of what is left: nothing at first, then what the speed of late promises."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.worker.progress import Estimate


def at_speed(estimate: Estimate, *, per_second: float, start: int, seconds: int, share: float = 0.0) -> float:
    for second in range(start + 1, start + seconds + 1):
        share += per_second
        estimate.update(share, float(second))
    return share


def test_nothing_is_promised_at_first() -> None:
    estimate = Estimate(0.0)
    assert (estimate.percent, estimate.remaining) == (0, None)
    estimate.update(0.1, 1.0)
    assert (estimate.percent, estimate.remaining) == (10, None)
    estimate.update(0.2, 2.0)
    assert (estimate.percent, estimate.remaining) == (20, 8)


def test_nothing_is_promised_before_anything_is_done() -> None:
    estimate = Estimate(0.0)
    for second in range(1, 100):
        estimate.update(0.0, float(second))
    assert estimate.remaining is None


def test_absurd_times_are_not_reported() -> None:
    estimate = Estimate(0.0)
    at_speed(estimate, per_second=1e-6, start=0, seconds=10)
    assert estimate.remaining is None


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.005), (0.005, 0.02)])
def test_a_new_speed_counts_soon_but_not_at_once(before: float, after: float) -> None:
    estimate = Estimate(0.0)
    share = at_speed(estimate, per_second=before, start=0, seconds=10)
    reported = [(1 - share) / before]
    for start in (10, 11):
        share = at_speed(estimate, per_second=after, start=start, seconds=1, share=share)
        assert estimate.remaining is not None
        reported.append(estimate.remaining)
    assert abs(reported[1] - reported[0]) < abs((1 - share) / after - reported[0]) / 2, (
        "one second does not change everything"
    )
    share = at_speed(estimate, per_second=after, start=12, seconds=18, share=share)
    assert estimate.remaining is not None
    assert math.isclose(estimate.remaining, (1 - share) / after, rel_tol=0.75)


def test_a_stall_makes_it_longer() -> None:
    estimate = Estimate(0.0)
    share = at_speed(estimate, per_second=0.05, start=0, seconds=10)
    before = estimate.remaining
    at_speed(estimate, per_second=0.0, start=10, seconds=10, share=share)
    assert before is not None
    assert estimate.remaining is not None
    assert estimate.remaining > 1.5 * before


def test_a_rest_changes_nothing() -> None:
    estimate, rested = Estimate(0.0), Estimate(0.0)
    share = at_speed(estimate, per_second=0.05, start=0, seconds=5)
    at_speed(rested, per_second=0.05, start=0, seconds=5)
    for second in range(6, 106):
        rested.rest(share, float(second))
    assert (rested.percent, rested.remaining) == (estimate.percent, estimate.remaining)
    at_speed(estimate, per_second=0.05, start=5, seconds=5, share=share)
    at_speed(rested, per_second=0.05, start=105, seconds=5, share=share)
    assert (rested.percent, rested.remaining) == (estimate.percent, estimate.remaining)


def test_what_was_done_just_before_a_rest_is_reported() -> None:
    estimate = Estimate(0.0)
    estimate.rest(0.05, 10.0)
    assert (estimate.percent, estimate.remaining) == (5, None)


@given(st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-1, 100))))
def test_percent_never_falls_and_nothing_is_out_of_range(steps: list[tuple[float, float]]) -> None:
    estimate, now, last = Estimate(0.0), 0.0, 0
    for share, passed in steps:
        now += passed
        estimate.update(share, now)
        assert last <= estimate.percent <= 100
        assert estimate.remaining is None or 0 <= estimate.remaining <= 24 * 3600
        last = estimate.percent


def test_done_is_done() -> None:
    estimate = Estimate(0.0)
    at_speed(estimate, per_second=0.25, start=0, seconds=4)
    assert (estimate.percent, estimate.remaining) == (100, 0)
