"""Sample videos: a person, or a test that reads one pixel, can distinguish them."""

from itertools import combinations

import pytest

from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, Clip

CLIPS = (*ALICE_CLIPS, *BOB_CLIPS)


@pytest.mark.parametrize(("one", "other"), [*combinations(CLIPS, 2)])
def test_no_two_are_alike(one: Clip, other: Clip) -> None:
    assert len({one.filename, other.filename}) == len({one.pattern, other.pattern}) == 2
    assert one.pitch != other.pitch
    assert max(abs(a - b) for a, b in zip(one.rgb, other.rgb, strict=True)) > 60


def test_what_a_client_says_of_one() -> None:
    clip = Clip("SUN RISE", "sunrise", "#c8452f", 262, seconds=2.5)
    assert clip.filename == "sun-rise.mp4"
    assert clip.info == {"w": 1280, "h": 720, "duration": 2500}
    assert clip.rgb == (0xC8, 0x45, 0x2F)
