"""Encode a blurred image in some 30 characters (BlurHash), which is shown until the poster is loaded: pure."""

import blurhash

SIDE = 32
"""Width and height, in pixels, of the image to encode: more would take longer without a visible difference."""

_LINE = 3 * SIDE
_WIDE = 1.2


def blurhash_of(rgb: bytes, width: int, height: int) -> str:
    """Encode an image that is displayed at `width` x `height`, scaled to SIDE x SIDE pixels of R, G, B (a byte each).

    Input: ffmpeg's `scale=32:32:flags=area,format=rgb24`. The longer side gets more components. Takes about 4 ms.
    Raises ValueError for another number of bytes, or a size of no pixels.
    """
    if len(rgb) != SIDE * _LINE:
        raise ValueError(f"{len(rgb)} bytes are not {SIDE}x{SIDE} pixels")
    if min(width, height) < 1:
        raise ValueError(f"{width}x{height} pixels are not an image")
    pixels = [[rgb[x : x + 3] for x in range(y, y + _LINE, 3)] for y in range(0, len(rgb), _LINE)]
    return str(blurhash.encode(pixels, 4 if width > _WIDE * height else 3, 4 if height > _WIDE * width else 3))
