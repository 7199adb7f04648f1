"""Draw the waveform of audio: bars as high as it is loud, as holes through which a colour is visible. Pure."""

from collections.abc import Sequence
from itertools import pairwise

WIDTH, HEIGHT = 640, 360
"""Pixels of the image."""
STENCIL = "stencil.rgba"
"""The raw image, four bytes for each pixel."""
GROUND, COMING, GONE = (0x12, 0x15, 0x1B), "#3d4558", "#aeb4ff"
"""Colours: background, bars that are still to be played, and bars that were played."""

_BARS, _PITCH, _THICK = 56, 10, 6
_LEFT = (WIDTH - _BARS * _PITCH) // 2
SPAN = (_LEFT, _BARS * _PITCH)
"""Left edge of the first bar, and width of all bars, in pixels."""

_TALLEST = 96
_RADIUS = _THICK // 2
# Exponent that makes quiet passages visible, too.
_LIFT = 0.7
_FULL = 32767
_FINE = 8


def loudness_of(samples: Sequence[int], block: int) -> list[int]:
    """Return the highest amplitude of each `block` samples (16 bits, signed)."""
    parts = (samples[at : at + block] for at in range(0, len(samples), block))
    return [max(max(part), -min(part)) for part in parts]


def bars_of(loudness: Sequence[int]) -> list[float]:
    """Return the height of each bar, from 0 to 1; audio that is nearly silent stays low."""
    edges = [round(number * len(loudness) / _BARS) for number in range(_BARS + 1)]
    parts = [loudness[start : max(end, start + 1)] or loudness[-1:] for start, end in pairwise(edges)]
    means = [sum(part) / len(part) if part else 0.0 for part in parts]
    loudest = max(*means, _FULL / 50)
    return [(mean / loudest) ** _LIFT for mean in means]


def stencil_of(bars: Sequence[float]) -> bytes:
    """Draw the raw image: transparent bars with round ends about the middle, on the background."""
    opaque = bytearray(b"\xff" * (WIDTH * HEIGHT))
    for number, height in enumerate(bars):
        left, half = _LEFT + number * _PITCH + (_PITCH - _THICK) // 2, max(_RADIUS, round(height * _TALLEST))
        for row in range(HEIGHT // 2 - half, HEIGHT // 2 + half):
            edge = min(row - (HEIGHT // 2 - half), HEIGHT // 2 + half - 1 - row)
            at = row * WIDTH + left
            opaque[at : at + _THICK] = _CAP[edge] if edge < _RADIUS else bytes(_THICK)
    pixels = bytearray(bytes((*GROUND, 0)) * (WIDTH * HEIGHT))
    pixels[3::4] = opaque
    return bytes(pixels)


def _cap_row(row: int) -> bytes:
    """Return the opacity of each pixel in a row of a bar's round end, the outermost being 0."""

    def covered(column: int) -> float:
        inside = sum(
            (column + (i + 0.5) / _FINE - _RADIUS) ** 2 + (row + (j + 0.5) / _FINE - _RADIUS) ** 2 <= _RADIUS**2
            for i in range(_FINE)
            for j in range(_FINE)
        )
        return inside / _FINE**2

    return bytes(round(255 * (1 - covered(column))) for column in range(_THICK))


_CAP = tuple(_cap_row(row) for row in range(_RADIUS))
