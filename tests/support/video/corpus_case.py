"""Describe one file of the corpus: how it is made, and how its transcoding must end."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=480x360:r=30:d=1.0"]
AUDIO = ["-f", "lavfi", "-i", "sine=440:r=48000:d=1.0"]
QUICK = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15"]
X264 = [*QUICK, "-pix_fmt", "yuv420p"]
AV = [*VIDEO, *AUDIO]
PHONE = [*AV, *X264]
READY = "ready"
EITHER = f"{READY} broken-file"
"""Corruption may hit what matters or not: both ends are right, and no other."""


class Workdir:
    """Runs ffmpeg in a folder."""

    def __init__(self, ffmpeg: Path, folder: Path) -> None:
        self._ffmpeg = ffmpeg
        self._folder = folder
        self.phone = cache(self._phone)

    def make(self, name: str, *arguments: str) -> Path:
        """Run ffmpeg with the given arguments, and with a file of the given name as its output."""
        path = self._folder / name
        quiet: list[str | Path] = [self._ffmpeg, "-nostdin", "-v", "error", "-y"]
        done = subprocess.run([*quiet, *arguments, path], cwd=self._folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return path

    def write(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(data)
        return path

    def _phone(self, suffix: str = ".mp4", *arguments: str) -> bytes:
        """Return an ordinary clip with audio, in the container that `suffix` names."""
        return self.make(f"phone{suffix}", *VIDEO, *AUDIO, *X264, "-ac", "2", *arguments).read_bytes()


@dataclass(frozen=True)
class CorpusCase:
    """One file. `name` has the suffix that it would have in a chat."""

    name: str
    ends: str
    """`ready`, or the code of the error; several where both are right."""
    why: str
    make: Callable[[Workdir, str, str], bytes]
    """Takes the file's name, and a URL that nothing may request."""
    size: tuple[int, int] | None = None
    """As shown; None: as any."""
    seconds: float | None = None
    damaged: bool = False
    """Browsers may not be able to decode its frames where they are stream-copied."""


def encoded(
    name: str,
    why: str,
    *arguments: str,
    ends: str = READY,
    size: tuple[int, int] | None = (480, 360),
    seconds: float | None = 1.0,
) -> CorpusCase:
    """Return a file as ffmpeg writes it."""
    return CorpusCase(
        name, ends, why, lambda workdir, name, _: workdir.make(name, *arguments).read_bytes(), size, seconds
    )


def altered(
    name: str,
    why: str,
    change: Callable[[bytes], bytes],
    ends: str = READY,
    *arguments: str,
    size: tuple[int, int] | None = None,
    seconds: float | None = None,
    damaged: bool = False,
) -> CorpusCase:
    """Return an ordinary clip with changed bytes."""
    suffix = name[name.rindex(".") :]
    return CorpusCase(
        name, ends, why, lambda workdir, _, __: change(workdir.phone(suffix, *arguments)), size, seconds, damaged
    )


def rotated(name: str, *how: str, size: tuple[int, int]) -> CorpusCase:
    def make(workdir: Workdir, name: str, _: str) -> bytes:
        workdir.write("phone.mp4", workdir.phone())
        return workdir.make(name, *how, "-i", "phone.mp4", "-c", "copy").read_bytes()

    return CorpusCase(name, READY, "stored as landscape, with a rotation matrix", make, size, 1.0)


def raw(name: str, ends: str, why: str, write: Callable[[str], bytes]) -> CorpusCase:
    """Return bytes of our own; `write` takes the URL."""
    return CorpusCase(name, ends, why, lambda _, __, url: write(url))


def source(graph: str, seconds: float = 1.0) -> list[str]:
    return ["-f", "lavfi", "-i", f"{graph}:d={seconds}"]


def video(size: str, rate: str = "30", seconds: float = 1.0) -> list[str]:
    return source(f"testsrc2=s={size}:r={rate}", seconds)
