import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.commandline.tone_mapping import HLG, PQ, SIZE, cube

LAST = SIZE - 1
INDEXES = st.integers(0, LAST)
Colour = tuple[float, ...]


def points(transfer: str) -> list[Colour]:
    header, *lines = cube(transfer).splitlines()
    assert header == f"LUT_3D_SIZE {SIZE}"
    return [tuple(map(float, line.split(" "))) for line in lines]


POINTS = {transfer: points(transfer) for transfer in (PQ, HLG)}

both = pytest.mark.parametrize("transfer", POINTS)


def at(transfer: str, red: int, green: int, blue: int) -> Colour:
    """What stands for a colour; red changes fastest (Adobe's .cube specification)."""
    return POINTS[transfer][red + SIZE * (green + SIZE * blue)]


def greys(transfer: str) -> list[float]:
    colours = [at(transfer, index, index, index) for index in range(SIZE)]
    assert all(len(set(colour)) == 1 for colour in colours)
    return [colour[0] for colour in colours]


def grey(transfer: str, signal: float) -> float:
    """Look a signal up as the filter does."""
    index = min(int(signal * LAST), LAST - 1)
    below, above = greys(transfer)[index : index + 2]
    return below + (above - below) * (signal * LAST - index)


def pq_light(signal: float) -> float:
    """Reference white is 1 (BT.2100 table 4)."""
    root = signal ** (32 / 2523)
    return float((max(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610) * 10_000 / 203)


@both
def test_every_point_is_a_colour(transfer: str) -> None:
    assert len(POINTS[transfer]) == SIZE**3
    assert all(len(point) == 3 and min(point) >= 0 and max(point) <= 1 for point in POINTS[transfer])


@both
def test_greys_stay_grey_and_in_order_from_black_to_white(transfer: str) -> None:
    levels = greys(transfer)
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] == 1


@pytest.mark.parametrize(
    ("transfer", "signal", "expected"),
    [
        # Reference white and the grey card, BT.2408 table 1; what gives 1000 nits.
        (HLG, 0.75, 0.90),
        (PQ, 0.58, 0.90),
        (HLG, 0.38, (26 / 203) ** (1 / 2.4)),
        (PQ, 0.38, (26 / 203) ** (1 / 2.4)),
        (HLG, 1.0, 1.0),
        (PQ, 0.7518, 1.0),
    ],
)
def test_levels(transfer: str, signal: float, expected: float) -> None:
    assert grey(transfer, signal) == pytest.approx(expected, abs=0.01)


@given(INDEXES, INDEXES, INDEXES)
def test_a_colour_keeps_its_hue(red: int, green: int, blue: int) -> None:
    r, g, b = (pq_light(index / LAST) for index in (red, green, blue))
    # BT.2087 backwards.
    wanted = (
        1.6605 * r - 0.5876 * g - 0.0728 * b,
        -0.1246 * r + 1.1329 * g - 0.0083 * b,
        -0.0182 * r - 0.1006 * g + 1.1187 * b,
    )
    shown = [signal**2.4 for signal in at(PQ, red, green, blue)]
    y, shown_y = (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (wanted, shown))
    # On one line through grey, and on the same side of it.
    span = max(abs(light - y) for light in wanted)
    if span > 0.001 * y:
        pale = max(abs(light - shown_y) for light in shown) / span
        # No paler than it must be to fit.
        assert pale == pytest.approx(shown_y / y, rel=0.02, abs=0.002) or min(shown) < 0.001 or max(shown) > 0.999
        for want, show in zip(wanted, shown, strict=True):
            assert show - shown_y == pytest.approx((want - y) * pale, abs=0.003)


def test_a_colour_that_fits_and_is_not_bright_is_the_same_light() -> None:
    signal = 12
    r, g, b = (pq_light(index / LAST) for index in (signal + 1, signal, signal - 1))
    expected = (
        1.6605 * r - 0.5876 * g - 0.0728 * b,
        -0.1246 * r + 1.1329 * g - 0.0083 * b,
        -0.0182 * r - 0.1006 * g + 1.1187 * b,
    )
    shown = at(PQ, signal + 1, signal, signal - 1)
    assert shown == pytest.approx([light ** (1 / 2.4) for light in expected], abs=0.001)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_strong_colour_is_rolled_off_even_where_it_is_not_bright(channel: int) -> None:
    """Its luminance alone would leave blue as it is, and paling it would then leave little of the blue."""
    signal = 24
    colour = [0, 0, 0]
    colour[channel] = signal
    shown = [level**2.4 for level in at(PQ, *colour)]
    weight = (0.2627, 0.6780, 0.0593)[channel]
    luminance = 0.2126 * shown[0] + 0.7152 * shown[1] + 0.0722 * shown[2]
    # About white is shared out between the mean of luminance and channel.
    assert luminance == pytest.approx(weight / ((weight + 1) / 2), rel=0.1)


def test_a_table_is_made_once() -> None:
    assert cube(PQ) is cube(PQ)


@pytest.mark.parametrize("transfer", ["", "bt709", "unknown", "SMPTE2084"])
def test_what_is_not_hdr_has_no_table(transfer: str) -> None:
    with pytest.raises(ValueError, match="HDR"):
        cube(transfer)
