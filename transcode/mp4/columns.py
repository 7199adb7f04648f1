"""Read and write columns of big-endian integers, of which ISO BMFF's tables consist. Pure.

By `array`, for `struct` caches each format with room for every field that it names: one for each length of a hostile
file's tables.
"""

import struct
import sys
from array import array
from collections.abc import Iterable
from typing import Literal

Kind = Literal["I", "i", "Q"]
"""Unsigned or signed integers of 32 bits, unsigned ones of 64: as `struct` and `array` call them."""


def unpacked(data: bytes, kind: Kind, count: int, start: int = 0) -> tuple[int, ...]:
    """Unpack `count` integers from byte `start` on. Raises struct.error when `data` is too short."""
    cells = array(kind)
    end = start + count * cells.itemsize
    if count < 0 or end > len(data):
        raise struct.error(f"a table of {count} entries is cut off")
    cells.frombytes(data[start:end])
    _swap(cells)
    return tuple(cells)


def packed(cells: Iterable[int], kind: Kind = "I") -> bytes:
    """Pack integers. Raises struct.error for one that is out of range."""
    try:
        found = array(kind, cells)
    except OverflowError as error:
        raise struct.error(f"a figure does not fit: {error}") from error
    _swap(found)
    return found.tobytes()


def _swap(cells: "array[int]") -> None:
    if sys.byteorder == "little":
        cells.byteswap()
