import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.loudness import Loudness, gain, parse

# What ffmpeg 9.0 and 8.1 wrote, with `-af ebur128=peak=sample:framelog=quiet -f null -`.
TONE = """\
Input #0, lavfi, from 'sine=f=440:d=5':
  Duration: N/A, start: 0.000000, bitrate: 705 kb/s
  Stream #0:0: Audio: pcm_s16le, 44100 Hz, mono, s16, 705 kb/s
Stream mapping:
  Stream #0:0 -> #0:0 (pcm_s16le (native) -> pcm_s16le (native))
Output #0, null, to 'pipe:':
  Metadata:
    encoder         : Lavf63.1.100
  Stream #0:0: Audio: pcm_s16le, 48000 Hz, mono, s16, 768 kb/s
[Parsed_ebur128_1 @ 0x7f0be4002280] Summary:

  Integrated loudness:
    I:         -31.8 LUFS
    Threshold: -41.8 LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold: -51.8 LUFS
    LRA low:   -31.8 LUFS
    LRA high:  -31.8 LUFS

  Sample peak:
    Peak:      -28.1 dBFS
[out#0/null @ 0x556b4eff0b00] video:0KiB audio:431KiB subtitle:0KiB other streams:0KiB global headers:0KiB
size=N/A time=00:00:05.00 bitrate=N/A speed=1.11e+03x elapsed=0:00:00.00
"""

UNMEASURED = """\
[Parsed_ebur128_0 @ 0x7f51c4001c00] Summary:

  Integrated loudness:
    I:         -70.0 LUFS
    Threshold:   0.0 LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold:   0.0 LUFS
    LRA low:     0.0 LUFS
    LRA high:    0.0 LUFS

  Sample peak:
    Peak:      {} dBFS
"""
PEAKS = {"digital silence": " -inf", "0.2 s of a tone": "-18.1", "no sample at all": "  0.0", "faint": "-88.1"}

OVERDRIVEN = """\
[Parsed_ebur128_1 @ 0x7f21b80022c0] Summary:

  Integrated loudness:
    I:           8.2 LUFS
    Threshold:  -1.8 LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold:   0.0 LUFS
    LRA low:     0.0 LUFS
    LRA high:    0.0 LUFS

  Sample peak:
    Peak:       11.9 dBFS
"""


def test_a_summary() -> None:
    assert parse(TONE) == Loudness(-31.8, -28.1)
    assert parse(OVERDRIVEN) == Loudness(8.2, 11.9)


@pytest.mark.parametrize("peak", PEAKS.values(), ids=PEAKS)
def test_what_cannot_be_measured(peak: str) -> None:
    assert parse(UNMEASURED.format(peak)) is None


@pytest.mark.parametrize("log", ["", TONE[: TONE.index("[Parsed")], TONE[: TONE.index("  Sample peak")]])
def test_no_summary(log: str) -> None:
    assert parse(log) is None


def test_a_title_cannot_pass_for_a_summary() -> None:
    assert parse(f"    title           : {OVERDRIVEN}{TONE}") == Loudness(-31.8, -28.1)
    assert parse(f"    title           : {OVERDRIVEN}{UNMEASURED.format(' -inf')}") is None


@pytest.mark.parametrize(
    ("integrated", "peak", "change"),
    [
        (-20.0, -10.0, 4.0),  # quiet, with room
        (-20.0, -5.0, 3.0),  # quiet, as far as its peaks allow
        (-31.8, -28.1, 12.0),  # next to nothing
        (-10.0, -0.1, -6.0),  # loud
        (8.2, 11.9, -24.0),  # absurdly so
        (-16.4, -6.0, 0.0),  # as it should be
        (-20.0, -2.0, 0.0),  # no room
        (-20.0, 0.0, -2.0),  # clipped
    ],
)
def test_gains(integrated: float, peak: float, change: float) -> None:
    assert gain(Loudness(integrated, peak)) == pytest.approx(change)


def test_nothing_known_nothing_changed() -> None:
    assert gain(None) == 0.0


@given(st.floats(-69.9, 20.0), st.floats(-90.0, 20.0))
def test_a_gain_brings_the_audio_nearer_and_its_peaks_below_full_scale(integrated: float, peak: float) -> None:
    change = gain(Loudness(integrated, peak))
    assert change == 0.0 or abs(change) >= 0.5
    assert -24.0 <= change <= 12.0
    assert peak + change <= -1.0 or change == -24.0
    if change > 0:
        assert integrated + change <= -16.0 + 1e-9
    assert math.isfinite(change)
