"""Plan the renditions of a file: sizes, frame rate, bit rates, segments; and refuse what exceeds a limit. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from transcode.errors import TooHighFrameRate, TooLong, TooManyPixels
from transcode.limits import Limits
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.settings import DEFAULT, RUNGS, Settings
from transcode.source.probe import Probe, VideoTrack
from transcode.storyboard import Storyboard, plan_storyboard

SEGMENT_SECONDS = 2
FIRST_SECONDS = 1
"""Duration of the first segment of an encoded first stage: the shorter, the sooner it is playable."""

SHORTEST_COPIED = SEGMENT_SECONDS * CLOCK - CLOCK // 20
"""Least duration of a stream copied segment but the last, in ticks of CLOCK: frame rates are never exact."""

AUDIO_BITS = 128_000

# Short side → highest bits per second at 30 frames per second.
_LADDER = {1080: 6_220_000, 720: 3_041_000, 480: 1_474_000, 360: 1_036_000, 240: 521_000}
_MODERN = frozenset({"hevc", "vp9", "av1"})
# More than this many times the bit rate of the file itself is no use; a newer codec is more efficient than H.264.
_MOST_GAIN, _MOST_GAIN_OF_MODERN = 2, 4
_LEAST_RATE = 200_000
# Share of the bits of the rung above that a rung may take: whose line is too slow for that one needs much less.
_MOST_OF_ABOVE = 2 / 3
_FAST = 480
_POSTER = 720
# A source this much above a standard size deserves a rung of its own size rather than the loss.
_WORTH_A_RUNG = 1.1
_LONGEST_ASPECT = 3
_SMALLEST_SIDE = 16
HIGHEST_RATE = 60
_LOWEST_RATE = 10
_USUAL_RATES = (
    Fraction(10),
    Fraction(12),
    Fraction(15),
    Fraction(20),
    Fraction(24_000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30_000, 1001),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60_000, 1001),
    Fraction(60),
)
_FALLBACK_RATE = Fraction(30)
_SAME_RATE = 0.004
_NEARLY_SAME = 0.03
_STILL_EVEN = 2.5
# Ratios of the busiest second to the mean: above the first it is no jitter; from the second on, repeated frames are
# dropped.
_UNEVEN, _SPARSE = 1.15, 2
# Least frames per second, so that a player may start anywhere.
_IDLE_RATE = 5
_POSTER_CANDIDATES = 24


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of the ladder: name of its folder, size in pixels (even, aspect kept), maximum bits per second."""

    name: str
    width: int
    height: int
    max_rate: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The renditions to make; all have the same rate, frames and key frames, so that a player may switch anywhere."""

    ladder: tuple[Rung, ...]
    """Every size that it may get, largest first; `rungs` are those that are made."""
    fast: Rung
    """The rung of an encoded first stage."""
    frame_rate: Fraction
    frames: int
    storyboard: Storyboard
    sparse: bool = False
    """Whether frames that only repeat the one before are dropped: the rate is then the highest."""
    every_rung: bool = False
    """Whether rungs are made that save hardly any bits."""

    def rungs(self, copied_bits: int | None = None) -> tuple[Rung, ...]:
        """Return the rungs to make: the highest, and below each the next that saves viewers a third of its bits.

        `copied_bits` are those per second of a stream copy, audio included, that is the highest rung.
        """
        made = [self.ladder[0]]
        bits = made[0].max_rate + AUDIO_BITS if copied_bits is None else copied_bits
        for rung in self.ladder[1:]:
            if self.every_rung or rung.max_rate + AUDIO_BITS <= bits * _MOST_OF_ABOVE:
                made.append(rung)
                bits = rung.max_rate + AUDIO_BITS
        return tuple(made)

    @property
    def idle_distance(self) -> int:
        """Distance, in frames, of those that are kept where nothing moves: a divisor of the key frame distance."""
        common = math.gcd(self.key_frame_distance, self.early_key_frame)
        most = max(1, int(self.frame_rate / _IDLE_RATE))
        return next(distance for distance in range(most, 0, -1) if common % distance == 0)

    @property
    def duration(self) -> float:
        """Duration of every rung, video and audio alike, in seconds."""
        return float(self.frames / self.frame_rate)

    @property
    def samples(self) -> int:
        """Audio samples per channel that last as long as the video."""
        return round(self.frames / self.frame_rate * AUDIO_RATE)

    @property
    def key_frame_distance(self) -> int:
        """Frames from one key frame, and segment boundary, to the next."""
        return max(1, round(self.frame_rate * SEGMENT_SECONDS))

    @property
    def durations(self) -> tuple[float, ...]:
        """Seconds of each segment of every rung that is encoded."""
        return self._between(range(0, self.frames, self.key_frame_distance))

    @property
    def early_key_frame(self) -> int:
        """The frame at the start of the second segment of `fast`, if there are so many."""
        return max(1, round(self.frame_rate * FIRST_SECONDS))

    @property
    def fast_durations(self) -> tuple[float, ...]:
        """Seconds of each segment of `fast`: the first one of `durations` is divided, to be available sooner."""
        starts = {self.early_key_frame, *range(0, self.frames, self.key_frame_distance)}
        return self._between(sorted(start for start in starts if start < self.frames))

    def _between(self, starts: Sequence[int]) -> tuple[float, ...]:
        ends = [*starts[1:], self.frames]
        return tuple(float((end - start) / self.frame_rate) for start, end in zip(starts, ends, strict=True))

    @property
    def poster_step(self) -> int:
        """Distance, in frames, of the candidates for the poster."""
        return max(1, self.frames // _POSTER_CANDIDATES)

    @property
    def poster_candidates(self) -> int:
        """Number of candidates for the poster; ffmpeg's filter needs at least two, even if there is one frame."""
        return max(2, min(_POSTER_CANDIDATES, self.frames))


def plan(probe: Probe, limits: Limits, settings: Settings = DEFAULT) -> Plan:
    """Plan the renditions of a file. Raises what `check` raises, or TooLong for its space."""
    check(probe, limits)
    video = probe.video
    rate = frame_rate(video)
    frames = max(1, round(probe.duration * rate))
    most = _most_bits(probe)
    rungs = ladder(video.width, video.height, rate, settings.rungs, most)
    small = [size for size in RUNGS if size <= _FAST]
    fast = ladder(video.width, video.height, rate, small, most)[0]
    storyboard = plan_storyboard(rungs[0].width, rungs[0].height, float(frames / rate))
    sparse = video.peak_rate >= video.frame_rate * _SPARSE > 0 and rate > _LOWEST_RATE
    made = Plan(rungs, fast, rate, frames, storyboard, sparse, settings.every_rung)
    needed = sum(rung.max_rate + AUDIO_BITS for rung in made.rungs()) / 8 * made.duration
    if needed > limits.output_bytes:
        raise TooLong(
            f"{made.duration:.0f} s would take up to {needed / 1e9:.1f} GB, "
            f"the limit is {limits.output_bytes / 1e9:.1f} GB"
        )
    return made


def check(probe: Probe, limits: Limits) -> None:
    """Raise TooManyPixels, TooLong or TooHighFrameRate when the file itself exceeds a limit."""
    width, height = probe.video.coded_width, probe.video.coded_height
    if width > limits.max_width or height > limits.max_height or width * height > limits.max_pixels:
        raise TooManyPixels(
            f"the video has {width}x{height} pixels, the limits are {limits.max_width} across, "
            f"{limits.max_height} down and {limits.max_pixels} in all"
        )
    if probe.duration > limits.max_duration:
        raise TooLong(f"it plays {probe.duration:.0f} s, the limit is {limits.max_duration:.0f} s")
    rate = probe.video.frame_rate
    if rate > limits.max_frame_rate and rate * probe.duration > limits.max_frame_rate:
        raise TooHighFrameRate(f"{rate:.0f} frames per second, the limit is {limits.max_frame_rate:.0f}")


def frame_rate(video: VideoTrack) -> Fraction:
    """Choose one constant rate, at most 60: the file's own if it is constant, else one that loses no frame."""
    mean, base, peak = video.frame_rate, video.base_rate, video.peak_rate
    if mean <= 0:
        return _nearest(base) if _LOWEST_RATE <= base <= HIGHEST_RATE else _FALLBACK_RATE
    if 0 < mean < HIGHEST_RATE and peak > mean * _UNEVEN:
        return _covering(min(peak, HIGHEST_RATE))
    if mean < base <= HIGHEST_RATE and base <= mean * _STILL_EVEN:
        return _nearest(base)
    if mean > HIGHEST_RATE * (1 + _SAME_RATE):
        return _nearest(mean / math.ceil(mean / (HIGHEST_RATE * (1 + _SAME_RATE))))
    nearest = _nearest(mean)
    if base <= 0 or abs(base - mean) <= mean * _SAME_RATE or nearest in _USUAL_RATES:
        return nearest
    if abs(base - mean) <= mean * _NEARLY_SAME:
        # Few frames, some without a time stamp: their mean is not exact.
        return _nearest(base)
    usual = min(_USUAL_RATES, key=lambda rate: abs(rate - mean))
    if peak > 0 and abs(usual - mean) <= mean * _NEARLY_SAME:
        # It hardly varies: joined recordings, or lost frames.
        return usual
    # It varies: the next usual rate up keeps nearly every frame.
    return next((rate for rate in _USUAL_RATES if rate > mean), _USUAL_RATES[-1])


def _covering(rate: float) -> Fraction:
    nearest = min(_USUAL_RATES, key=lambda usual: abs(usual - rate))
    if abs(nearest - rate) <= rate * _NEARLY_SAME:
        return nearest
    return next((usual for usual in _USUAL_RATES if usual > rate), _USUAL_RATES[-1])


def ladder(
    width: int,
    height: int,
    rate: Fraction = _FALLBACK_RATE,
    wanted: Sequence[int] = RUNGS,
    most_bits: float = math.inf,
) -> tuple[Rung, ...]:
    """Return the rungs, some of those `wanted`, for a displayed size in pixels; largest first, none larger than that.

    None gets more than `most_bits` per second.
    """
    short = min(width, height)
    standard = [size for size in wanted if size <= short]
    sizes = {size: size for size in standard}
    above = [size for size in wanted if size > short]
    if above and short > _WORTH_A_RUNG * max(standard, default=0):
        sizes[min(above)] = short
    factor = max(1.0, float(rate) / 30) ** 0.5
    return tuple(
        Rung(str(name), *_fitted(width, height, sizes[name]), round(min(_LADDER[name] * factor, most_bits)))
        for name in sorted(sizes, reverse=True)
    )


def poster_rung(rungs: tuple[Rung, ...]) -> Rung:
    """Choose the rung of the poster: the largest that fits a phone's screen."""
    return next((rung for rung in rungs if int(rung.name) <= _POSTER), rungs[-1])


def _most_bits(probe: Probe) -> float:
    if probe.size <= 0 or probe.duration <= 0:
        return math.inf
    gain = _MOST_GAIN_OF_MODERN if probe.video.codec in _MODERN else _MOST_GAIN
    return max(_LEAST_RATE, probe.size * 8 / probe.duration * gain)


def _fitted(width: int, height: int, short_side: int) -> tuple[int, int]:
    scale = min(short_side / min(width, height), short_side * _LONGEST_ASPECT / max(width, height), 1.0)
    return _even(width, scale), _even(height, scale)


def _even(length: int, scale: float) -> int:
    # 4:2:0 needs even sides, hardware decoders a few pixels at least.
    return max(_SMALLEST_SIDE, min(round(length * scale / 2) * 2, length // 2 * 2))


def _nearest(rate: float) -> Fraction:
    rate = max(rate, _LOWEST_RATE)
    # An unusual rate is rounded to whole ticks, so that playlists and files agree to the last digit.
    usual = min(_USUAL_RATES, key=lambda candidate: abs(candidate - rate))
    return usual if abs(usual - rate) <= rate * _SAME_RATE else Fraction(CLOCK, round(CLOCK / rate))
