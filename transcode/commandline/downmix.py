"""Downmix audio of any channel layout to stereo, as an argument of ffmpeg's `pan` filter: pure.

ffmpeg's own downmix refuses some layouts (ambisonics, binaural, unknown ones), and then the whole process ends. `pan`
takes every layout: channels are named, and those that a frame lacks are ignored, also where the layout changes.
"""

import re

# Gain of each channel in the left output, by ITU-R BS.775 as far as it goes; `pan` normalizes the sum to 1.
_LEFT = {
    "FL": 1.0, "DL": 1.0, "FLC": 0.71, "FC": 0.71, "SL": 0.71, "BL": 0.71, "WL": 0.71, "SDL": 0.71, "BC": 0.5,
    "LFE": 0.5, "TC": 0.5, "TFL": 0.5, "TFC": 0.5, "TBL": 0.5, "TBC": 0.5, "TSL": 0.5, "BFC": 0.5, "BFL": 0.5,
}  # fmt: skip
_AMBISONIC = re.compile(r"ambisonic (\d+)")
_NAMES = re.compile(r"[A-Z0-9]+(\+[A-Z0-9]+)*")
# Layouts by name alone that hold none of the channels above.
_UNNAMED = frozenset({"", "unknown", "binaural"})
_STEREO, _FIRST_ORDER = 2, 4


def to_stereo(layout: str, channels: int) -> str:
    """Return the `pan` argument for audio that starts with a layout, in ffprobe's words, of so many channels.

    First-order ambisonics (ACN, W and Y) become two opposite cardioids. Of unknown channels, the first two are left and
    right, and all others are mixed into both.
    """
    ambisonic = _AMBISONIC.match(layout)
    if ambisonic:
        return _ambisonic((int(ambisonic[1]) + 1) ** 2, channels)
    if layout in _UNNAMED or layout.endswith(" channels") or not _is_known(layout):
        return _numbered(channels)
    return f"stereo|FL<{_named(_LEFT)}|FR<{_named({_mirrored(name): gain for name, gain in _LEFT.items()})}"


def _is_known(layout: str) -> bool:
    """Return whether a layout that lists its channels has one with a gain; other layouts have names of their own."""
    if not _NAMES.fullmatch(layout):
        return True
    names = set(layout.split("+"))
    return bool(names & (_LEFT.keys() | {_mirrored(name) for name in _LEFT}))


def _mirrored(name: str) -> str:
    swapped = {"FL": "FR", "FLC": "FRC"}
    return swapped.get(name) or re.sub("L$", "R", name)


def _named(gains: dict[str, float]) -> str:
    return "+".join(f"{gain}*{name}" for name, gain in gains.items())


def _ambisonic(components: int, channels: int) -> str:
    if components < _FIRST_ORDER or channels < _FIRST_ORDER:
        return _numbered(channels)
    left, right = "0.5*c0+0.5*c1", "0.5*c0-0.5*c1"
    if channels >= components + _STEREO:
        # Head-locked stereo.
        left, right = f"{left}+c{components}", f"{right}+c{components + 1}"
    return f"stereo|c0={left}|c1={right}"


def _numbered(channels: int) -> str:
    if channels < _STEREO:
        return "stereo|c0=c0|c1=c0"
    others = "".join(f"+0.71*c{number}" for number in range(_STEREO, channels))
    return f"stereo|c0<c0{others}|c1<c1{others}"
