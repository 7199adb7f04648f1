"""A blurred picture in some 30 characters (BlurHash), to show until the poster is there: pure."""

import blurhash

SIDE = 32
"""Pixels across and down of the picture to encode: more would take longer and cannot be told from the result."""

_LINE = 3 * SIDE
_WIDE = 1.2


def blurhash_of(rgb: bytes, width: int, height: int) -> str:
    """Encode a picture that is shown at `width` x `height`, squeezed into SIDE x SIDE pixels of R, G, B (a byte each).

    ffmpeg's `scale=32:32:flags=area,format=rgb24` makes it. The longer side gets more detail. Takes about 4 ms.
    Raises ValueError when there are not that many bytes, or nothing is shown.
    """
    if len(rgb) != SIDE * _LINE:
        raise ValueError(f"{len(rgb)} bytes are not {SIDE}x{SIDE} pixels")
    if min(width, height) < 1:
        raise ValueError(f"{width}x{height} pixels are not a picture")
    pixels = [[rgb[x : x + 3] for x in range(y, y + _LINE, 3)] for y in range(0, len(rgb), _LINE)]
    return str(blurhash.encode(pixels, 4 if width > _WIDE * height else 3, 4 if height > _WIDE * width else 3))
