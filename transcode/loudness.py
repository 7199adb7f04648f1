"""How loud a video's sound is, from what ffmpeg's ebur128 filter says, and by how much to change it: pure.

One gain for the whole video: its quiet and loud parts keep their distance, and no loudness is ever pumped up and down.
"""

import math
import re
from dataclasses import dataclass

TARGET = -16.0
"""LUFS. Phones and laptops have little to turn up: the loudest that AES TD1008 and EBU R 128 s2 advise for streams."""

# dBFS. Both allow −1 dB of true peak. A wave may rise higher between samples than on them, and AAC adds some: a margin.
_HIGHEST_PEAK = -2.0
# dB. More would raise the noise of what was recorded next to nothing.
_HIGHEST_BOOST = 12.0
_DEEPEST_CUT = 24.0
# dB. Nobody hears less, and with the margin above this never leaves a peak above −1.
_WORTH_IT = 0.5
# LUFS. ITU-R BS.1770 leaves out what is quieter; the filter says this when nothing was louder, or shorter than 0.4 s.
_NOTHING_MEASURED = -70.0

_SUMMARY = re.compile(
    r"\[Parsed_ebur128_\d+ @ [^\]\n]*\] Summary:\s+"
    r"Integrated loudness:\s+I: +(-?[\d.]+) LUFS\s.*?"
    r"Sample peak:\s+Peak: +(-?[\d.]+|-inf) dBFS",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Loudness:
    """`integrated` is in LUFS (EBU R 128), `peak` is the highest sample in dBFS."""

    integrated: float
    peak: float


def parse(log: str) -> Loudness | None:
    """Read the summary that `ebur128=peak=sample:framelog=quiet` writes to the log at its level `info`.

    None when there is none, or nothing in it that could be heard for 0.4 s. The last one counts: names in the file,
    which are logged before it, cannot pass for it.
    """
    begin = log.rfind("[Parsed_ebur128_")
    found = _SUMMARY.match(log, begin) if begin >= 0 else None
    if found is None:
        return None
    integrated, peak = map(float, found.groups())
    if integrated <= _NOTHING_MEASURED or not math.isfinite(peak):
        return None
    return Loudness(integrated, peak)


def gain(loudness: Loudness | None) -> float:
    """Give the dB by which to change the sound towards TARGET; 0.0 when nothing is known, or nothing gained."""
    if loudness is None:
        return 0.0
    towards = min(TARGET - loudness.integrated, _HIGHEST_PEAK - loudness.peak)
    change = max(-_DEEPEST_CUT, min(towards, _HIGHEST_BOOST))
    return change if abs(change) >= _WORTH_IT else 0.0
