"""Why audio of a file is missing in its renditions, and how much of it could not be decoded: pure."""

import re
from dataclasses import dataclass
from enum import StrEnum


class AudioLoss(StrEnum):
    """What of the audio was left out, and why."""

    NO_DECODER = "no-decoder"
    """It is in a codec that is not allowed."""
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    """Nothing of it, or next to nothing, can be decoded."""
    TOO_MANY_CHANNELS = "too-many-channels"
    SOME_TRACKS = "some-tracks"
    """Of several tracks, one that would be played cannot be decoded; others are played."""
    PARTS = "parts"
    """Some seconds cannot be decoded and are silent."""


MOST_CHANNELS = 64
"""Channels of an audio track that ffmpeg can mix (`SWR_CH_MAX`)."""

# Seconds. Shorter gaps, as where a stream was cut between two packets, are hardly noticed.
_NOTICED = 0.2
# Share of all packets that must be decoded for the rest to be worth hearing.
_WORTH_HEARING = 0.05

_STATISTICS = re.compile(
    r"^\[in#0/[^\]\n]*\]\s+Input stream #0:\d+ \(audio\): (?P<packets>\d+) packets read \(\d+ bytes\); "
    r"(?P<frames>\d+) frames decoded; (?P<errors>\d+) decode errors \((?P<samples>\d+) samples\);",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Statistics of decoding audio tracks: frames and samples decoded, packets that could not be."""

    frames: int
    errors: int
    samples: int

    def loss(self, rate: float) -> AudioLoss | None:
        """Return what the listener misses, at `rate` samples per second."""
        if self.frames <= _WORTH_HEARING * (self.frames + self.errors):
            return AudioLoss.DAMAGED
        # A packet that fails would have been a frame at least.
        lost = self.errors * self.samples / self.frames / rate
        return AudioLoss.PARTS if lost >= _NOTICED else None


def decoded(printed: str) -> Decoded | None:
    """Parse the statistics that ffmpeg prints at level `verbose` after reading a file to the end; None without any."""
    found = list(_STATISTICS.finditer(printed))
    if not found:
        return None
    return Decoded(*(sum(int(each[name]) for each in found) for name in ("frames", "errors", "samples")))
