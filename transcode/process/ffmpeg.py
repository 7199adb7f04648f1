"""The only place that starts processes: ffmpeg and ffprobe, sandboxed, limited, without input, killed as a group."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transcode.errors import Failed, TookTooLong, shortage
from transcode.limits import Limits
from transcode.process.diagnosis import diagnose
from transcode.process.progress import Movement
from transcode.process.sandbox import Sandbox

_CHUNK = 2**16
_TAIL = 2**14
_LOOKS = 10
PROGRESS_OPTION = "-progress"
"""The option of ffmpeg's command line by which a run is monitored."""


def ignore(_: bytes) -> None:
    """Ignore standard output."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a process may see and use. Paths are absolute."""

    sandbox: Sandbox
    limits: Limits
    deadline: float
    """On the event loop's clock."""
    reads: Sequence[Path] = ()
    """The files that it sees."""
    folder: Path | None = None
    """Its working directory, where alone it may write."""
    devices: Sequence[str] = ()
    """Hardware, as files of /dev."""


async def run(command: Sequence[str], within: Confinement, on_output: Callable[[bytes], None] = ignore) -> str:
    """Run a command to its end, and return the last of its standard error, for the log.

    `on_output` is called on the event loop with each piece of standard output; what it raises ends the run. When the
    caller is cancelled, the deadline passes, or a run that reports progress makes none within the limit, the whole
    process group is dead before this returns. Raises TranscodeError: TookTooLong for the latter two, else by
    `diagnose`.
    """
    program = Path(command[0]).name
    sandbox, limits = within.sandbox, within.limits
    try:
        with sandbox.filtered() as filters:
            line = sandbox.wrapped(
                command, limits, reads=within.reads, folder=within.folder, devices=within.devices, filters=filters
            )
            process = await _started(line, within.folder, filters)
    except OSError as error:
        raise shortage(error) or Failed(f"{program} does not start: {error}") from error
    tail = _Tail()
    movement = Movement() if PROGRESS_OPTION in command else None
    try:
        async with asyncio.timeout_at(within.deadline):
            await _drain(
                process, _both(movement.feed, on_output) if movement else on_output, tail.feed, movement, limits
            )
            return_code = await process.wait()
    except TimeoutError as error:
        raise TookTooLong(f"{program} was stopped: the whole job may take {limits.wall_seconds:.0f} s") from error
    finally:
        await _kill(process)
    if return_code:
        raise diagnose(program, return_code, tail.text)
    return tail.text


async def _started(command: Sequence[str], cwd: Path | None, inherited: Sequence[int]) -> Process:
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=_environment(),
            start_new_session=True,
            pass_fds=inherited,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Cancelled itself, it would kill the first process alone: a second one of a sandbox would never end.
        with suppress(OSError):
            await _kill(await starting)
        raise


class _Tail:
    """Keep the end of a text that a hostile file may make endless."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-_TAIL:]

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")


def _both(one: Callable[[bytes], None], other: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        one(data)
        other(data)

    return take


async def _drain(
    process: Process,
    on_output: Callable[[bytes], None],
    on_error: Callable[[bytes], None],
    movement: Movement | None,
    limits: Limits,
) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            reading = [
                tasks.create_task(_forward(process.stdout, on_output)),
                tasks.create_task(_forward(process.stderr, on_error)),
            ]
            watching = tasks.create_task(_watch(movement, limits.stalled_seconds)) if movement else None
            await asyncio.gather(*reading)
            if watching:
                watching.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group


async def _watch(movement: Movement, seconds: float) -> None:
    """Raise TookTooLong when there is no progress for so many seconds."""
    seen, still = movement.steps, 0
    while still < _LOOKS:
        # In several intervals: if this process itself was frozen with the machine, that is no more than one of them.
        await asyncio.sleep(seconds / _LOOKS)
        still = 0 if movement.steps != seen else still + 1
        seen = movement.steps
    raise TookTooLong(f"ffmpeg was stopped: it made no progress for {seconds:.0f} s")


async def _forward(stream: asyncio.StreamReader | None, take: Callable[[bytes], None]) -> None:
    if stream is None:
        raise AssertionError("both streams are pipes")
    while data := await stream.read(_CHUNK):
        take(data)


async def _kill(process: Process) -> None:
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGKILL)
    # Reading to the end lets the transport close itself. A caller that is cancelled meanwhile, because one beside it
    # met the same deadline, waits all the same: it is short, and nothing is left behind.
    ending = asyncio.ensure_future(process.communicate())
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


def _environment() -> dict[str, str]:
    # Nothing of ours: secrets come by environment. Few arenas, or glibc reserves address space for every thread.
    return {"LC_ALL": "C", "MALLOC_ARENA_MAX": "4"}
