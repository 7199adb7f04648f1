"""Choose the gain that normalizes a video's loudness, from the output of ffmpeg's ebur128 filter: pure.

One gain for the whole video: the dynamics stay as they are, and nothing is pumped up and down.
"""

import math
import re
from dataclasses import dataclass

TARGET = -16.0
"""LUFS. Phones and laptops have little headroom: the loudest that AES TD1008 and EBU R 128 s2 advise for streams."""

# dBFS. Both allow −1 dB of true peak; inter-sample peaks and AAC's own overshoot need a margin.
_HIGHEST_PEAK = -2.0
# dB. More would raise the noise of what was recorded next to nothing.
_HIGHEST_BOOST = 12.0
_DEEPEST_CUT = 24.0
# dB. Less is inaudible, and with the margin above this never leaves a peak above −1.
_WORTH_IT = 0.5
# LUFS. ITU-R BS.1770 gates what is quieter; the filter prints this when all is, or when it is shorter than 0.4 s.
_NOTHING_MEASURED = -70.0

_SUMMARY = re.compile(
    r"\[Parsed_ebur128_\d+ @ [^\]\n]*\] Summary:\s+"
    r"Integrated loudness:\s+I: +(-?[\d.]+) LUFS\s.*?"
    r"Sample peak:\s+Peak: +(-?[\d.]+|-inf) dBFS",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Measured loudness: `integrated` in LUFS (EBU R 128), `peak` the highest sample in dBFS."""

    integrated: float
    peak: float


def parse(log: str) -> Loudness | None:
    """Parse the summary that `ebur128=peak=sample:framelog=quiet` writes to the log at level `info`.

    None when there is none, or when nothing was audible for 0.4 s. The last summary counts: metadata of the file, which
    is logged before it, cannot fake it.
    """
    start = log.rfind("[Parsed_ebur128_")
    found = _SUMMARY.match(log, start) if start >= 0 else None
    if found is None:
        return None
    integrated, peak = map(float, found.groups())
    if integrated <= _NOTHING_MEASURED or not math.isfinite(peak):
        return None
    return Loudness(integrated, peak)


def gain(loudness: Loudness | None) -> float:
    """Return the gain in dB that brings the audio towards TARGET; 0.0 where it is not known, or not worth it."""
    if loudness is None:
        return 0.0
    towards = min(TARGET - loudness.integrated, _HIGHEST_PEAK - loudness.peak)
    change = max(-_DEEPEST_CUT, min(towards, _HIGHEST_BOOST))
    return change if abs(change) >= _WORTH_IT else 0.0
