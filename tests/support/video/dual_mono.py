"""Dual mono (1+1): two programmes in one track of AAC, each a channel of its own (ISO 14496-3, 4.5.1.2.1 and 4.4.1)."""

from collections.abc import Iterator
from itertools import pairwise

_SINGLE, _PROGRAM_CONFIG, _END = "000", "101", "111"
_LC, _48_KHZ = "01", "0011"


def dual_mono(first: bytes, second: bytes) -> bytes:
    """Make one ADTS file of two of mono at 48 kHz, which hold nothing but their audio (`-flags +bitexact`)."""
    return b"".join(
        _frame(_two_front_channels() + _channel(one, 0) + _channel(other, 1) + _END)
        for one, other in zip(_frames(first), _frames(second), strict=True)
    )


def _frames(data: bytes) -> Iterator[str]:
    """Yield the bits of what is in each frame."""
    starts = [0]
    while starts[-1] < len(data):
        start = starts[-1]
        starts.append(start + (int.from_bytes(data[start + 3 : start + 6]) >> 5 & 0x1FFF))
    for start, end in pairwise(starts):
        yield "".join(f"{byte:08b}" for byte in data[start + 7 : end])


def _channel(bits: str, number: int) -> str:
    element = bits.rstrip("0").removesuffix(_END)
    assert element.startswith(_SINGLE)
    return f"{_SINGLE}{number:04b}{element[7:]}"


def _two_front_channels() -> str:
    counts = f"{2:04b}{0:04b}{0:04b}{0:02b}{0:03b}{0:04b}"
    bits = f"{_PROGRAM_CONFIG}{0:04b}{_LC}{_48_KHZ}{counts}000{0:05b}{1:05b}"
    return _aligned(bits) + f"{0:08b}"


def _aligned(bits: str) -> str:
    return bits + "0" * (-len(bits) % 8)


def _frame(bits: str) -> bytes:
    bits = _aligned(bits)
    header = f"{0xFFF:012b}0001{_LC}{_48_KHZ}0{0:03b}{0:04b}{7 + len(bits) // 8:013b}{0x7FF:011b}00"
    return int(header + bits, 2).to_bytes((len(header) + len(bits)) // 8)
