"""Columns of big-endian integers, as ISO BMFF keeps its tables. Pure.

By `array`, for `struct` keeps each format that it ever saw, with room for every field that it names: a format for each
length of a hostile file's tables.
"""

import struct
import sys
from array import array
from collections.abc import Iterable
from typing import Literal

Kind = Literal["I", "i", "Q"]
"""Unsigned or signed integers of 32 bits, unsigned ones of 64: as `struct` and `array` call them."""


def unpacked(data: bytes, kind: Kind, count: int, begin: int = 0) -> tuple[int, ...]:
    """Read `count` integers from the byte `begin` on. Raises struct.error when they are not all there."""
    cells = array(kind)
    end = begin + count * cells.itemsize
    if count < 0 or end > len(data):
        raise struct.error(f"a table of {count} entries is cut off")
    cells.frombytes(data[begin:end])
    _swap(cells)
    return tuple(cells)


def packed(cells: Iterable[int], kind: Kind = "I") -> bytes:
    """Write integers. Raises struct.error for one that is too large or too small."""
    try:
        found = array(kind, cells)
    except OverflowError as error:
        raise struct.error(f"a figure does not fit: {error}") from error
    _swap(found)
    return found.tobytes()


def _swap(cells: "array[int]") -> None:
    if sys.byteorder == "little":
        cells.byteswap()
