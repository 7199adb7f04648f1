"""Fingerprints of synthetic frames: what they contain, and when two match."""

import math
import random

import pytest

from transcode.commandline.images import FINGERPRINT_FRAMES, FINGERPRINT_SIDE
from transcode.fingerprint import distance, fingerprint_of, is_copy

PIXELS = FINGERPRINT_SIDE**2 * FINGERPRINT_FRAMES


def sample(seed: int) -> bytes:
    """Return some soft waves, the same in each of the frames of one sample."""
    rng = random.Random(seed)  # noqa: S311 - the same frame each time
    waves = [(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(0, 6)) for _ in range(12)]
    one = bytes(
        round(128 + 8 * sum(math.sin(across * x + down * y + start) for across, down, start in waves))
        for y in range(FINGERPRINT_SIDE)
        for x in range(FINGERPRINT_SIDE)
    )
    return one * FINGERPRINT_FRAMES


def made(*seeds: int, duration: float = 10.0) -> bytes:
    found = fingerprint_of(b"".join(map(sample, seeds)), duration)
    assert found
    return found


SAME = made(*range(8))


def test_the_same_frames() -> None:
    assert made(*range(8)) == SAME
    assert distance(SAME, SAME) == 0
    assert is_copy(SAME, SAME)


def test_a_little_brighter_and_noisier() -> None:
    rng = random.Random(1)  # noqa: S311
    raw = b"".join(map(sample, range(8)))
    noisy = bytes(min(255, round(each * 1.05) + rng.randint(-3, 3)) for each in raw)
    found = fingerprint_of(noisy, 10.02)
    assert found
    assert 0 < distance(SAME, found) < 0.2
    assert is_copy(SAME, found)


def test_other_frames() -> None:
    other = made(*range(10, 18))
    assert 0.4 < distance(SAME, other) < 0.6
    assert not is_copy(SAME, other)


@pytest.mark.parametrize(("duration", "same"), [(10.4, True), (11.0, False), (5.0, False), (1e9, False)])
def test_another_duration_is_another_video(duration: float, same: bool) -> None:
    assert is_copy(SAME, made(*range(8), duration=duration)) is same


def test_what_is_too_plain_is_not_judged() -> None:
    plain = bytes(PIXELS)
    assert fingerprint_of(plain * 8, 10.0) is None
    assert fingerprint_of(plain * 5 + b"".join(map(sample, range(5, 8))), 10.0) is None
    half = fingerprint_of(plain * 4 + b"".join(map(sample, range(4, 8))), 10.0)
    assert half
    assert is_copy(half, SAME)
    other_half = fingerprint_of(b"".join(map(sample, range(4))) + plain * 4, 10.0)
    assert other_half
    assert distance(half, other_half) == 1
    assert not is_copy(half, other_half)


def test_too_little_came() -> None:
    assert fingerprint_of(sample(1) * 7, 10.0) is None
    assert fingerprint_of(b"", 10.0) is None


def test_of_another_algorithm_or_broken() -> None:
    assert not is_copy(bytes([2]) + SAME[1:], SAME)
    assert not is_copy(SAME[:-1], SAME)
    assert not is_copy(b"", b"")
