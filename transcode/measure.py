"""Describes a finished rung by its files: what players are told is measured, never planned."""

from pathlib import Path

from transcode.command import INDEX
from transcode.errors import BrokenFile, Failed
from transcode.mp4 import codecs_of
from transcode.plan import Plan, Rung
from transcode.playlist import Rendition, bandwidths


def measure(folder: Path, rung: Rung, plan: Plan) -> Rendition:
    """Read the files of `rung` inside `folder` and remove ffmpeg's own playlist. Blocks: call it in a thread.

    Raises BrokenFile when no picture could be decoded, Failed when the files are not what was planned.
    """
    files = folder / rung.name
    index = files / INDEX
    try:
        durations = durations_of(index.read_text("ascii"))
        sizes = [(files / f"{number}.m4s").stat().st_size for number in range(len(durations))]
        codecs = codecs_of((files / "init.mp4").read_bytes()) if durations else ""
    except (OSError, ValueError) as error:
        raise Failed(f"rung {rung.name} is not complete: {error}") from error
    if not durations:
        raise BrokenFile("none of its pictures can be decoded")
    if abs(sum(durations) - plan.duration) > 1 / plan.frame_rate:
        raise Failed(f"rung {rung.name} plays {sum(durations):.3f} s, {plan.duration:.3f} s were planned")
    index.unlink()
    peak, mean = bandwidths(sizes, durations)
    return Rendition(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        frame_rate=float(plan.frame_rate),
        codecs=codecs,
        bandwidth=peak,
        average_bandwidth=mean,
        durations=durations,
    )


def durations_of(playlist: str) -> tuple[float, ...]:
    """Give the seconds of each segment of a media playlist."""
    tag = "#EXTINF:"
    return tuple(float(line[len(tag) :].split(",")[0]) for line in playlist.splitlines() if line.startswith(tag))
