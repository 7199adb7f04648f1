"""Make a day of a chat: a seeded list of what people send, and the clips for it, cached between runs."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench._clips import AUDIO, RATE, Clip, ffmpeg, moving
from transcode import Tools

SEED = 20
_SHARES = {"messenger": 60, "phone": 20, "4K HEVC": 5, "loop": 10, "odd": 5}
_RESENT = 10
"""Of so many that are sent, one was sent before."""

# Seconds, of the shortest and the longest; megabits per second.
_SECONDS = {"messenger": (5, 40), "phone": (5, 20), "4K HEVC": (5, 15), "loop": (2, 5), "odd": (5, 20)}
_MEGABITS = {
    "messenger": (0.8, 2.0),
    "phone": (12.0, 20.0),
    "4K HEVC": (45.0, 55.0),
    "loop": (0.3, 1.0),
    "odd": (2.0, 6.0),
}
_SIZES = {
    "messenger": (1280, 720),
    "phone": (1920, 1080),
    "4K HEVC": (3840, 2160),
    "loop": (480, 270),
    "odd": (720, 1280),
}
_LEAST_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody sends. `number` is equal where it is the same file."""

    number: int
    kind: str
    seconds: int
    kilobits: int


def day(count: int, shorten: float) -> list[Sent]:
    """Return what is sent on a day of about `count` messages, always the same; durations are divided by `shorten`.

    The kinds have their shares, each at least one clip; the order is random.
    """
    chosen = random.Random(SEED)  # noqa: S311 - always the same
    resent = round(count / _RESENT)
    fresh = list[Sent]()
    for kind, share in _SHARES.items():
        several = max(1, round((count - resent) * share / 100))
        fresh += [
            _sent(kind, len(fresh) + each, (each + 0.5) / several, chosen.random(), shorten) for each in range(several)
        ]
    again = [chosen.choice(fresh) for _ in range(resent)]
    chosen.shuffle(fresh)
    # The same file again, somewhere after it.
    for each in again:
        fresh.insert(chosen.randint(fresh.index(each) + 1, len(fresh)), each)
    return fresh


def make(tools: Tools, folder: Path, sent: Sent) -> Clip:
    """Make the file, unless it is there from a run before."""
    width, height = _SIZES[sent.kind]
    suffix = "webm" if sent.kind == "odd" else "mp4"
    path = folder / f"{sent.number}-{sent.kind.replace(' ', '-')}-{sent.seconds}-{sent.kilobits}.{suffix}"
    if not path.exists():
        written = path.with_name(f"part-{path.name}")
        _WRITERS[sent.kind](tools, written, sent)
        written.rename(path)
    return Clip(path, f"{sent.kind}, {sent.seconds} s", width, height, sent.seconds)


def _sent(kind: str, number: int, length: float, rate: float, shorten: float) -> Sent:
    """Choose a clip: `length` and `rate` say where it lies between the least and the most, from 0 to 1."""
    (shortest, longest), (least, most) = _SECONDS[kind], _MEGABITS[kind]
    # Most are short: the logarithm is even.
    seconds = shortest * (longest / shortest) ** length / shorten
    return Sent(number, kind, max(_LEAST_SECONDS, round(seconds)), round(1000 * (least + (most - least) * rate)))


def _video(sent: Sent, encoder: str, *options: str) -> tuple[str, ...]:
    bits = f"{sent.kilobits}k"
    return "-c:v", encoder, "-pix_fmt", "yuv420p", "-b:v", bits, "-maxrate", bits, "-bufsize", bits, *options


def _messenger(tools: Tools, path: Path, sent: Sent) -> None:
    """What a messenger's client leaves of a video: 720p, encoded by a phone."""
    encoding = _video(sent, "libx264", "-preset", "veryfast", "-bf", "0", "-g", str(2 * RATE))
    _film(tools, path, sent, *encoding, "-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "44100")


def _phone(tools: Tools, path: Path, sent: Sent) -> None:
    encoding = _video(sent, "libx264", "-preset", "ultrafast", "-bf", "2", "-g", str(RATE))
    _film(tools, path, sent, *encoding, "-c:a", "aac", "-ac", "2")


def _hevc(tools: Tools, path: Path, sent: Sent) -> None:
    encoding = _video(sent, "libx265", "-preset", "ultrafast", "-tag:v", "hvc1")
    parameters = "log-level=error:keyint=30:bframes=0"
    _film(tools, path, sent, *encoding, "-x265-params", parameters, "-c:a", "aac", "-ac", "2")


def _loop(tools: Tools, path: Path, sent: Sent) -> None:
    """What became of a GIF: small, and without audio."""
    _film(tools, path, sent, *_video(sent, "libx264", "-preset", "medium", "-g", "60"), "-an")


def _odd(tools: Tools, path: Path, sent: Sent) -> None:
    """What no browser plays anywhere in a reel: VP9 and Opus, upright."""
    encoding = _video(sent, "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    _film(tools, path, sent, *encoding, "-c:a", "libopus")


_WRITERS: dict[str, Callable[[Tools, Path, Sent], None]] = {
    "messenger": _messenger,
    "phone": _phone,
    "4K HEVC": _hevc,
    "loop": _loop,
    "odd": _odd,
}


def _film(tools: Tools, path: Path, sent: Sent, *options: str) -> None:
    width, height = _SIZES[sent.kind]
    # Every clip shows something else: it starts elsewhere.
    inputs = "-f", "lavfi", "-i", moving(width, height, 1000 * sent.number), "-f", "lavfi", "-i", AUDIO
    ffmpeg(tools, *inputs, "-t", str(sent.seconds), *options, path)
