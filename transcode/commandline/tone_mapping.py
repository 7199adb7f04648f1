"""Map HDR to SDR by a 3D look-up table for ffmpeg's lut3d filter, which every build of ffmpeg has: pure.

It turns BT.2020 R'G'B' with the transfer PQ or HLG (ITU-R BT.2100) into BT.709 R'G'B' for a display of gamma 2.4
(BT.1886). Up to half of reference white (203 nits, BT.2408) light stays what it is; what is brighter is rolled off
along the curve of BT.2390 (EETF), so that reference white becomes 0.9 of the signal and 1000 nits all of it. The three
channels are scaled alike, which keeps the hue. A colour that BT.709 lacks is paled at equal luminance until it fits.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from ffmpeg.nodes import Stream

PQ: Final = "smpte2084"
HLG: Final = "arib-std-b67"
"""ffprobe's `color_transfer` of the two."""

SIZE = 33
"""Points on each side of the table. Three times as many change ordinary frames by less than a step of 8 bits."""

_WHITE = 203.0  # nits
# Nits. That of an HLG display by definition, and what most PQ video is mastered for; few phones record more.
_PEAK = 1000.0
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4

_LUMINANCE = (0.2627, 0.6780, 0.0593)
_TO_709 = ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008350), (-0.018151, -0.100579, 1.118730))

# Steps of the tables that avoid powers and formatting: finer than twelve bits.
_STEPS = 4096


@lru_cache(maxsize=2)
def cube(transfer: str) -> str:
    """Return the text of the .cube file for a `transfer`. Raises ValueError for another than PQ or HLG."""
    if transfer not in (PQ, HLG):
        raise ValueError(f"{transfer!r} is not an HDR transfer")
    return "\n".join([f"LUT_3D_SIZE {SIZE}", *_lines(transfer)]) + "\n"


def to_sdr(
    frames: Stream, table: str, width: int, height: int, scaled: Mapping[str, object] = MappingProxyType({})
) -> Stream:
    """Scale HDR frames to `width` x `height` pixels and map them to SDR; `table` is the path of a `cube`'s file.

    With the options `scaled` of ffmpeg's filter, frames may get smaller, and are letterboxed.
    """
    sides = dict(scaled) or {"w": width, "h": height, "flags": "bicubic"}
    frames = frames.filter("scale", **sides, in_color_matrix="bt2020")
    # The filter is more than twice as fast on 16 bits as on 8, 10 or 12.
    frames = frames.filter("format", "gbrp16le").filter("pad", width, height, "-1", "-1", eval="frame")
    frames = frames.filter("lut3d", file=table, interp="tetrahedral")
    frames = frames.filter("setparams", color_primaries="bt709", color_trc="bt709")
    frames = frames.filter("scale", flags="bicubic", out_color_matrix="bt709", out_range="tv")
    # Encoders write metadata about mastering display and light level, if any: it is no longer true.
    return frames.filter("format", "yuv420p").filter("sidedata", mode="delete")


def _lines(transfer: str) -> Iterator[str]:
    """Yield the points in order, red changing fastest. One long loop: calls would take longer than all else."""
    signals = [index / (SIZE - 1) for index in range(SIZE)]
    levels = [_pq_light(signal) / _PEAK if transfer == PQ else _hlg_scene(signal) for signal in signals]
    written, rolled_off = _written(), _rolled_off()
    exponent = _HLG_GAMMA - 1 if transfer == HLG else 0.0
    (rr, rg, rb), (gr, gg, gb), (br, bg, bb) = _TO_709
    yr, yg, yb = _LUMINANCE
    sqrt = math.sqrt
    for blue in levels:
        for green in levels:
            for red in levels:
                y = yr * red + yg * green + yb * blue
                # HLG is of the scene: its OOTF makes it light of the display.
                scale = y**exponent
                norm = (y + max(red, green, blue)) / 2 * scale
                scale *= rolled_off[int(sqrt(sqrt(norm)) * _STEPS)] if norm < 1 else 1 / norm
                y = min(y * scale, 1.0)
                r = (rr * red + rg * green + rb * blue) * scale
                g = (gr * red + gg * green + gb * blue) * scale
                b = (br * red + bg * green + bb * blue) * scale
                low, high = min(r, g, b), max(r, g, b)
                if low < 0 or high > 1:
                    keep = _kept(y, low, high)
                    r, g, b = abs(y + (r - y) * keep), abs(y + (g - y) * keep), abs(y + (b - y) * keep)
                r, g, b = sqrt(r) * _STEPS + 0.5, sqrt(g) * _STEPS + 0.5, sqrt(b) * _STEPS + 0.5
                yield f"{written[int(r)]} {written[int(g)]} {written[int(b)]}"


def _kept(y: float, low: float, high: float) -> float:
    """Return the share of its distance from the grey `y` that a colour may keep to lie between 0 and 1."""
    return min((1 - y) / (high - y) if high > 1 else 1.0, y / (y - low) if low < 0 else 1.0)


def _written() -> list[str]:
    """Format the signal of each light between 0 and 1, by its square root: the eye distinguishes dark ones."""
    return [f"{(index / _STEPS) ** (2 / _DISPLAY_GAMMA):.4f}" for index in range(_STEPS + 1)]


def _rolled_off() -> list[float]:
    """Return SDR light (1 is white) as a multiple of HDR light (1 is the peak), by the fourth root of the latter."""
    lights = [((index + 0.5) / _STEPS) ** 4 for index in range(_STEPS)]
    return [_eetf(light) / light for light in lights]


def _eetf(light: float) -> float:
    """Roll light off as in section 5.4 of BT.2390: a Hermite spline on PQ signals, from the peak to white."""
    highest = _pq_signal(_PEAK)
    white = _pq_signal(_WHITE) / highest
    knee = 1.5 * white - 0.5
    signal = _pq_signal(light * _PEAK) / highest
    if signal > knee:
        t = (signal - knee) / (1 - knee)
        signal = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    return _pq_light(signal * highest) / _WHITE


# SMPTE ST 2084, BT.2100 table 4.
_M1, _M2 = 2610 / 16384, 2523 / 32
_C1, _C2, _C3 = 3424 / 4096, 2413 / 128, 2392 / 128


def _pq_light(signal: float) -> float:
    """Return the nits of a PQ signal."""
    power = signal ** (1 / _M2)
    return 10_000.0 * float((max(power - _C1, 0.0) / (_C2 - _C3 * power)) ** (1 / _M1))


def _pq_signal(nits: float) -> float:
    power = (nits / 10_000) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _hlg_scene(signal: float) -> float:
    """Return the light of the scene, from 0 to 1, of an HLG signal (BT.2100 table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return signal**2 / 3 if signal <= 0.5 else (math.exp((signal - c) / a) + b) / 12
