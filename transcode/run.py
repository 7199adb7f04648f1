"""One file in, two complete folders out: a quick rendition to watch at once, then the whole ladder."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcode import command
from transcode.errors import Failed
from transcode.examine import Examined, examine
from transcode.ffmpeg import run
from transcode.limits import Limits
from transcode.measure import measure
from transcode.plan import Plan, Rung
from transcode.playlist import POSTER, Rendition
from transcode.progress import Progress
from transcode.tools import Tools

PLAYABLE = "playable"
"""The folder, inside `out`, of the quick rendition."""

READY = "ready"
"""The folder, inside `out`, of the whole ladder."""

_FAST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """What a folder holds: seconds, pixels of its largest rendition, file name of its poster, renditions by size.

    The largest rendition comes first.
    """

    duration: float
    width: int
    height: int
    poster: str | None
    renditions: tuple[Rendition, ...]


async def transcode(
    source: Path,
    out: Path,
    *,
    tools: Tools,
    limits: Limits,
    on_playable: Callable[[Result], Awaitable[None]],
    on_progress: Callable[[float], None] | None = None,
) -> Result:
    """Transcode the file `source` into `out`/playable, then into `out`/ready.

    `on_playable` is awaited as soon as `out`/playable is complete; what it raises ends the job. `on_progress` gets the
    share done, from 0 to 1, on the event loop. Cancelling kills whatever runs. Raises TranscodeError, or OSError when
    `source` cannot be read or one of the two folders is there already: give each attempt an `out` of its own.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + limits.wall_seconds
    report = on_progress or _ignore
    # Absolute, since ffmpeg runs inside the folder that it fills.
    source, out = await asyncio.to_thread(lambda: (source.absolute(), out.absolute()))
    examined = await examine(source, tools, limits, deadline)

    async def stage(folder: Path, rungs: Sequence[Rung], preset: str, begin: float, end: float) -> Result:
        await asyncio.to_thread(_make_folders, folder, rungs)
        progress = Progress(examined.plan.duration)

        def advance(data: bytes) -> None:
            progress.feed(data)
            report(begin + progress.fraction * (end - begin))

        line = _command(examined, rungs, preset, tools, limits)
        await run(line, limits=limits, deadline=deadline, on_output=advance, cwd=folder)
        return await asyncio.to_thread(_result, folder, rungs, examined.plan)

    playable = await stage(out / PLAYABLE, (examined.plan.fast,), "superfast", 0.0, _FAST_SHARE)
    before = clock()
    await on_playable(playable)
    deadline += clock() - before
    return await stage(out / READY, examined.plan.ladder, "veryfast", _FAST_SHARE, 1.0)


def _command(examined: Examined, rungs: Sequence[Rung], preset: str, tools: Tools, limits: Limits) -> list[str]:
    return command.encode(
        tools, examined.source, examined.demuxer, examined.probe, examined.plan, rungs, preset, limits
    )


def _make_folders(folder: Path, rungs: Sequence[Rung]) -> None:
    for rung in rungs:
        (folder / rung.name).mkdir(parents=True)


def _result(folder: Path, rungs: Sequence[Rung], plan: Plan) -> Result:
    renditions = tuple(measure(folder, rung, plan) for rung in rungs)
    if len({rendition.durations for rendition in renditions}) != 1:
        raise Failed("the rungs are not cut at the same instants")
    has_poster = (folder / POSTER).is_file()
    first = renditions[0]
    return Result(first.duration, first.width, first.height, POSTER if has_poster else None, renditions)


def _ignore(_: float) -> None:
    pass
