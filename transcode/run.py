"""One file in, two complete folders out: a quick rendition to watch at once, then the whole ladder."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcode import command
from transcode.copied import Unfit, take_apart
from transcode.copying import Copying
from transcode.errors import Failed, TranscodeError
from transcode.examine import Examined, examine
from transcode.ffmpeg import run
from transcode.limits import Limits
from transcode.measure import measure
from transcode.plan import Plan, Rung
from transcode.playlist import POSTER, Rendition
from transcode.progress import Progress
from transcode.settings import DEFAULT, Settings
from transcode.tools import Tools

PLAYABLE = "playable"
"""The folder, inside `out`, of the quick rendition."""

READY = "ready"
"""The folder, inside `out`, of the whole ladder."""

_FAST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """What a folder holds, or will: seconds, pixels of its largest rendition, renditions by size, largest first.

    Renditions tell of all their segments; of each, the first `available` exist. File names are None for what there is
    not; storyboard and preview come with the whole ladder.
    """

    duration: float
    width: int
    height: int
    poster: str | None
    renditions: tuple[Rendition, ...]
    available: int
    blurhash: str | None = None
    preview: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every segment exists."""
        return self.available == len(self.renditions[0].durations)


async def transcode(
    source: Path,
    out: Path,
    *,
    tools: Tools,
    limits: Limits,
    on_playable: Callable[[Result], Awaitable[Path | None]],
    on_grown: Callable[[Result], Awaitable[None]] | None = None,
    settings: Settings = DEFAULT,
    on_progress: Callable[[float], None] | None = None,
) -> Result:
    """Transcode the file `source` into `out`/playable, then into `out`/ready.

    `on_playable` is awaited once, as soon as `out`/playable can be watched. It may move the folder elsewhere on the
    same file system, and returns where: unless the result is whole, more segments appear there, and `on_grown` is
    awaited with what there is by then, at last with the whole. What either raises ends the job. `on_progress` gets
    the share done, from 0 to 1, on the event loop. Cancelling kills whatever runs. Raises TranscodeError, or OSError
    when `source` cannot be read or one of the two folders is there already: give each attempt an `out` of its own.
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

    playable = await _copy(examined, out / PLAYABLE, tools, limits, deadline)
    if playable is None:
        playable = await stage(out / PLAYABLE, (examined.plan.fast,), "superfast", 0.0, _FAST_SHARE)
    report(_FAST_SHARE)
    before = clock()
    await on_playable(playable)
    deadline += clock() - before
    return await stage(out / READY, examined.plan.ladder, "veryfast", _FAST_SHARE, 1.0)


async def _copy(examined: Examined, folder: Path, tools: Tools, limits: Limits, deadline: float) -> Result | None:
    """Make the first rendition by copying, within a fraction of a second. None: it must be encoded into `folder`."""
    copying = examined.copying
    if copying is None:
        return None
    about = tools, examined.source, examined.demuxer, examined.probe
    lines = command.copy(*about, copying, limits), command.still(*about, examined.plan, limits)
    await asyncio.to_thread(_make_folders, folder, (copying.rung,))
    result = None
    try:
        async with asyncio.TaskGroup() as both:
            for line in lines:
                both.create_task(run(line, limits=limits, deadline=deadline, on_output=_ignore, cwd=folder))
        result = await asyncio.to_thread(_copied, folder, copying)
    except* TranscodeError:
        # Whatever is wrong with it, encoding will either mend it or say what it is.
        pass
    if result is None:
        await asyncio.to_thread(shutil.rmtree, folder)
    return result


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
    return _described(folder, renditions)


def _copied(folder: Path, copying: Copying) -> Result:
    if not (folder / POSTER).is_file():
        raise Unfit("no key frame could be decoded")
    return _described(folder, (take_apart(folder, copying),))


def _described(folder: Path, renditions: tuple[Rendition, ...]) -> Result:
    has_poster = (folder / POSTER).is_file()
    first = renditions[0]
    return Result(
        first.duration, first.width, first.height, POSTER if has_poster else None, renditions, len(first.durations)
    )


def _ignore(_: object) -> None:
    pass
