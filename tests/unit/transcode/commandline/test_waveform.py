"""The bars of a waveform."""

from transcode.commandline.waveform import GROUND, HEIGHT, WIDTH, bars_of, loudness_of, stencil_of


def test_bars_are_as_high_as_it_is_loud() -> None:
    assert loudness_of([1, -5, 3, -32768], 2) == [5, 32768]
    bars = bars_of([32767] * 56 + [0] * 56)
    assert bars == [1.0] * 28 + [0.0] * 28
    # What is next to nothing is not made to look loud; and audio with fewer samples than bars is stretched.
    assert max(bars_of([3])) < 0.1
    assert len(bars_of([100, 20_000])) == len(bars)


def test_the_stencil_is_open_where_bars_are() -> None:
    drawn = stencil_of([1.0] * 56)
    assert len(drawn) == 4 * WIDTH * HEIGHT
    assert drawn[:4] == bytes((*GROUND, 255))
    middle = drawn[4 * WIDTH * (HEIGHT // 2) : 4 * WIDTH * (HEIGHT // 2 + 1)][3::4]
    assert middle.count(0) == 56 * 6
