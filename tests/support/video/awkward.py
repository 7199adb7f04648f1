"""How one awkward file is made, and how it must end."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PICTURES = ["-f", "lavfi", "-i", "testsrc2=s=480x360:r=30:d=1.0"]
SOUND = ["-f", "lavfi", "-i", "sine=440:r=48000:d=1.0"]
QUICK = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15"]
X264 = [*QUICK, "-pix_fmt", "yuv420p"]
FILM = [*PICTURES, *SOUND]
PHONE = [*FILM, *X264]
READY = "ready"
EITHER = f"{READY} broken-file"
"""Damage may hit what matters or not; either way it must not be called anything else."""


class Workdir:
    """Runs one ffmpeg inside one folder."""

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
        """An ordinary clip with sound, in the container that `suffix` names."""
        return self.make(f"phone{suffix}", *PICTURES, *SOUND, *X264, "-ac", "2", *arguments).read_bytes()


@dataclass(frozen=True)
class Awkward:
    """One file. `name` ends like it would in a chat."""

    name: str
    ends: str
    """`ready`, or the code of the error; several where both are right."""
    why: str
    make: Callable[[Workdir, str, str], bytes]
    """Takes the file's name, and a URL that nobody may ask for."""
    size: tuple[int, int] | None = None
    """As shown; None: as any."""
    seconds: float | None = None
    damaged: bool = False
    """Its pictures may be unfit for browsers, where they are passed on as they are."""


def made(
    name: str,
    why: str,
    *arguments: str,
    ends: str = READY,
    size: tuple[int, int] | None = (480, 360),
    seconds: float | None = 1.0,
) -> Awkward:
    """A file as ffmpeg writes it."""
    return Awkward(name, ends, why, lambda shop, name, _: shop.make(name, *arguments).read_bytes(), size, seconds)


def bent(
    name: str,
    why: str,
    bend: Callable[[bytes], bytes],
    ends: str = READY,
    *arguments: str,
    size: tuple[int, int] | None = None,
    seconds: float | None = None,
    damaged: bool = False,
) -> Awkward:
    """An ordinary clip whose bytes are changed."""
    suffix = name[name.rindex(".") :]
    return Awkward(name, ends, why, lambda shop, _, __: bend(shop.phone(suffix, *arguments)), size, seconds, damaged)


def turned(name: str, *how: str, size: tuple[int, int]) -> Awkward:
    def make(shop: Workdir, name: str, _: str) -> bytes:
        shop.write("phone.mp4", shop.phone())
        return shop.make(name, *how, "-i", "phone.mp4", "-c", "copy").read_bytes()

    return Awkward(name, READY, "stored lying, shown otherwise", make, size, 1.0)


def written(name: str, ends: str, why: str, write: Callable[[str], bytes]) -> Awkward:
    """Bytes of our own; `write` takes the URL."""
    return Awkward(name, ends, why, lambda _, __, url: write(url))


def source(graph: str, seconds: float = 1.0) -> list[str]:
    return ["-f", "lavfi", "-i", f"{graph}:d={seconds}"]


def pictures(size: str, rate: str = "30", seconds: float = 1.0) -> list[str]:
    return source(f"testsrc2=s={size}:r={rate}", seconds)
