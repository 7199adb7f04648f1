"""Writes a caption as an image, with a small built-in font: not every ffmpeg can draw text. Pure."""

from __future__ import annotations

# 5 × 7 dots each, one hexadecimal number of two digits per row, top row first, the leftmost dot being the highest bit.
_GLYPHS = {
    " ": "00000000000000", "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E",
    "E": "1F10101E10101F", "F": "1F10101E101010", "G": "0E11101713110F", "H": "1111111F111111", "I": "0E04040404040E",
    "J": "0702020202120C", "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111", "N": "11191513111111",
    "O": "0E11111111110E", "P": "1E11111E101010", "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E",
    "T": "1F040404040404", "U": "1111111111110E", "V": "11111111110A04", "W": "11111115151B11", "X": "11110A040A1111",
    "Y": "11110A04040404", "Z": "1F01020408101F", "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F",
    "3": "1F02040201110E", "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808",
    "8": "0E11110E11110E", "9": "0E11110F01020C", ".": "00000000000C0C", "-": "0000001F000000", "!": "04040404040004",
}  # fmt: skip
_ROWS = 7
_PITCH = 6  # five dots and the gap to the next letter


def caption_width(text: str, dot: int) -> int:
    """Return how wide the image of `text` will be, in pixels."""
    return max(0, len(text) * _PITCH - 1) * dot


def caption_height(dot: int) -> int:
    """Return how high the image of one line is, in pixels."""
    return _ROWS * dot


def caption_image(text: str, dot: int) -> bytes:
    """Return `text` as a PAM image: white on nothing, one line, `dot` pixels per dot of the font.

    Raises `ValueError` for a letter that the font has not, and for an empty text.
    Source of the format: https://netpbm.sourceforge.net/doc/pam.html.
    """
    if not text:
        raise ValueError("a caption needs at least one letter")
    if missing := sorted(set(text.upper()) - _GLYPHS.keys()):
        raise ValueError(f"the caption font has no {''.join(missing)!r}")
    rows = (_row(text.upper(), row, dot) * dot for row in range(_ROWS))
    head = f"P7\nWIDTH {caption_width(text, dot)}\nHEIGHT {caption_height(dot)}\nDEPTH 4\nMAXVAL 255\n"
    return f"{head}TUPLTYPE RGB_ALPHA\nENDHDR\n".encode() + b"".join(rows)


def _row(text: str, row: int, dot: int) -> bytes:
    """One row of dots, `dot` pixels wide each."""
    line = "".join(f"{int(_GLYPHS[letter][2 * row : 2 * row + 2], 16):05b}0" for letter in text)[:-1]
    return b"".join((b"\xff" * 4 if bit == "1" else bytes(4)) * dot for bit in line)
