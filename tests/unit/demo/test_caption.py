"""Captions: the text of the image can be read from its pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.demo.caption import caption_height, caption_image, caption_width


def _dots(image: bytes, width: int, dot: int) -> list[str]:
    """Return the image as lines of dots, one character per dot of the font."""
    pixels = image.partition(b"ENDHDR\n")[2]
    rows = [pixels[start : start + 4 * width] for start in range(0, len(pixels), 4 * width * dot)]
    return ["".join("#" if row[4 * x] else "." for x in range(0, width, dot)) for row in rows]


def test_letters_look_like_themselves() -> None:
    assert _dots(caption_image("Ti", 2), caption_width("Ti", 2), 2) == [
        "#####..###.",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#....###.",
    ]


@given(st.text("ABCXYZ 019", min_size=1, max_size=12), st.integers(1, 5))
def test_the_image_is_as_large_as_it_says(text: str, dot: int) -> None:
    width, height = caption_width(text, dot), caption_height(dot)
    head, _, pixels = caption_image(text, dot).partition(b"ENDHDR\n")
    assert f"WIDTH {width}\nHEIGHT {height}\n".encode() in head
    assert len(pixels) == 4 * width * height


@pytest.mark.parametrize("text", ["", "ÄPFEL", "文"])
def test_what_cannot_be_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"at least one letter|has no"):
        caption_image(text, 1)
