import blurhash
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.blurhash import SIDE, blurhash_of

ALPHABET = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~")
RED, BLUE = bytes([250, 10, 10]), bytes([10, 10, 250])


@pytest.mark.parametrize(
    ("width", "height", "components"),
    [(1920, 1080, (4, 3)), (640, 480, (4, 3)), (1080, 1920, (3, 4)), (500, 500, (3, 3)), (550, 500, (3, 3))],
)
def test_the_longer_side_has_more_detail(width: int, height: int, components: tuple[int, int]) -> None:
    assert blurhash.components(blurhash_of(RED * SIDE * SIDE, width, height)) == components


def test_one_colour() -> None:
    for line in blurhash.decode(blurhash_of(RED * SIDE * SIDE, 16, 9), 4, 4):
        for pixel in line:
            assert pixel == pytest.approx(list(RED), abs=12)


def test_what_is_left_and_what_is_above() -> None:
    half = SIDE // 2
    beside = blurhash.decode(blurhash_of((RED * half + BLUE * half) * SIDE, 16, 9), 8, 8)
    above = blurhash.decode(blurhash_of(RED * SIDE * half + BLUE * SIDE * half, 16, 9), 8, 8)
    assert all(line[0][0] > line[0][2] and line[-1][0] < line[-1][2] for line in beside)
    assert all(pixel[0] > pixel[2] for pixel in above[0])
    assert all(pixel[0] < pixel[2] for pixel in above[-1])


@given(st.binary(min_size=SIDE * 3, max_size=SIDE * 3))
def test_any_image_becomes_a_short_text(line: bytes) -> None:
    text = blurhash_of(line * SIDE, 4, 3)
    assert len(text) == 4 + 2 * 12
    assert set(text) <= ALPHABET


@pytest.mark.parametrize("size", [0, 3 * SIDE * SIDE - 1, 3 * SIDE * SIDE + 3, 4 * SIDE * SIDE])
def test_a_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        blurhash_of(bytes(size), 16, 9)


@pytest.mark.parametrize("shape", [(0, 9), (16, -9)])
def test_nothing_shown_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not an image"):
        blurhash_of(bytes(3 * SIDE * SIDE), *shape)
