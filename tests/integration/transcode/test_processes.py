"""No process outlives its job, whatever ends it, and none may take more than its limits."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.video.output_checks import Clip, transcode, without_bubblewrap
from transcode import Limits, Tools, TranscodeError, Transcoding
from transcode.process.ffmpeg import Confinement, run

# Much work in a small file: many large frames that hardly differ.
SLOW = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=60:d=6", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "40"]


@pytest.fixture
def slow(clip: Clip) -> Path:
    return clip("slow.mp4", *SLOW)


def working_in(folder: Path) -> list[str]:
    """The name of every process that has to do with a folder, by its working folder or its arguments."""
    found = []
    for process in psutil.process_iter():
        # A race: a process may end between two calls.
        with suppress(psutil.Error):
            concerned = str(folder) in " ".join([process.cwd(), *process.cmdline()])
            if concerned and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return found


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it is the state of processes, which signals nothing
            await asyncio.sleep(0.02)


async def test_cancelling_kills_what_runs(slow: Path, tmp_path: Path, tools: Tools) -> None:
    job = asyncio.create_task(transcode(slow, tmp_path / "out", tools=tools, limits=Limits()))
    await until(lambda: any("ffmpeg" in name for name in working_in(tmp_path / "out")))
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert working_in(tmp_path) == []


async def test_cancelling_while_it_starts_leaves_nothing(slow: Path, tmp_path: Path, tools: Tools) -> None:
    # bubblewrap is two processes before it is ffmpeg, and the second one waits for the first.
    folder = tmp_path / "out"
    folder.mkdir()
    line = [str(tools.ffmpeg), "-v", "error", "-re", "-i", f"file:{slow}", "-f", "null", "-"]
    for number in range(80):
        within = Confinement(tools.sandbox, Limits(), asyncio.get_running_loop().time() + 60, (slow,), folder)
        starting = asyncio.create_task(run(line, within))
        await asyncio.sleep(number / 8000)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert working_in(tmp_path) == []


async def test_an_error_of_the_caller_kills_what_runs(slow: Path, tmp_path: Path, tools: Tools) -> None:
    def fail(_: float) -> None:
        raise ValueError("from the caller")

    with pytest.raises(ValueError, match="from the caller"):
        await transcode(slow, tmp_path / "out", tools=tools, limits=Limits(), on_progress=fail)
    assert working_in(tmp_path) == []


async def test_the_clock_ends_a_job(slow: Path, tmp_path: Path, tools: Tools) -> None:
    start = time.monotonic()
    with pytest.raises(TranscodeError) as caught:
        await transcode(slow, tmp_path / "out", tools=tools, limits=Limits(wall_seconds=0.4))
    assert (caught.value.code, caught.value.final) == ("took-too-long", False)
    assert time.monotonic() - start < 20  # not the end of the work
    assert working_in(tmp_path) == []


async def test_cpu_time_ends_a_job(slow: Path, tmp_path: Path, tools: Tools) -> None:
    with pytest.raises(TranscodeError) as caught:
        await transcode(slow, tmp_path / "out", tools=tools, limits=Limits(cpu_seconds=1))
    assert (caught.value.code, caught.value.final) == ("took-too-long", False)


async def test_an_end_from_outside_is_not_the_limit_of_time(slow: Path, tmp_path: Path, tools: Tools) -> None:
    line = [str(tools.ffmpeg), "-v", "error", "-re", "-stream_loop", "-1", "-i", f"file:{slow}", "-f", "null", "-"]
    job = asyncio.create_task(_ran(line, slow, tools, Limits()))
    ours = psutil.Process()

    def at_work() -> list[psutil.Process]:
        # bubblewrap is gone from its own command line once it is ffmpeg.
        return [each for each in ours.children(recursive=True) if each.cmdline()[:1] == [str(tools.ffmpeg)]]

    await until(at_work)
    # As the kernel's OOM killer does.
    for process in at_work():
        process.kill()
    with pytest.raises(TranscodeError) as caught:
        await job
    assert (caught.value.code, caught.value.final) == ("overloaded", False)


async def _ran(line: list[str], source: Path, tools: Tools, limits: Limits) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    await run(line, Confinement(tools.sandbox, limits, deadline, (source,)))


def _watched(tools: Tools, *arguments: str) -> list[str]:
    return [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-progress",
        "pipe:1",
        "-stats_period",
        "0.1",
        *arguments,
        "-f",
        "null",
        "-",
    ]


async def test_what_never_moves_on_is_stopped(slow: Path, tools: Tools) -> None:
    # It decodes for ever, and nothing comes of it.
    line = _watched(tools, "-stream_loop", "-1", "-i", f"file:{slow}", "-vf", "select=0")
    start = time.monotonic()
    with pytest.raises(TranscodeError, match="no progress for 1 s") as caught:
        await _ran(line, slow, tools, Limits(stalled_seconds=1))
    assert (caught.value.code, caught.value.final) == ("took-too-long", False)
    assert time.monotonic() - start < 30


async def test_what_is_slow_goes_on_to_its_end(slow: Path, tools: Tools) -> None:
    # Longer in all than it may stand still.
    start = time.monotonic()
    await _ran(_watched(tools, "-re", "-i", f"file:{slow}"), slow, tools, Limits(stalled_seconds=3))
    assert time.monotonic() - start > 3


async def test_memory_is_bounded(clip: Clip, tools: Tools) -> None:
    # One frame that is too large, in one thread: where memory runs out in a whole job, and which error is
    # reported, is a race.
    source = clip("large.png", "-f", "lavfi", "-i", "color=s=8000x8000", "-frames:v", "1", "-pix_fmt", "rgb24")
    line = [str(tools.ffmpeg), "-v", "error", "-filter_threads", "1", "-threads", "1", "-i", f"file:{source}"]
    line += ["-f", "null", "-"]

    async def decode(limits: Limits) -> None:
        deadline = asyncio.get_running_loop().time() + 60
        await run(line, Confinement(tools.sandbox, limits, deadline, (source,)))

    await decode(Limits(address_space=2 * 2**30))
    with pytest.raises(TranscodeError) as caught:
        await decode(Limits(address_space=500 * 2**20))
    assert (caught.value.code, caught.value.final) == ("too-large-picture", True)


async def test_publishing_does_not_count_as_working(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    source = clip("short.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x120:d=0.2", "-c:v", "libx264")
    async with Transcoding(source, tmp_path / "out", tools=tools, limits=Limits(wall_seconds=3)) as job:
        async for _ in job.first_stage():
            await asyncio.sleep(3)
        # Nor does waiting for a turn.
        await asyncio.sleep(3)
        await job.ladder()


async def test_an_error_while_publishing_kills_what_runs(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    source = clip("slow.mkv", *SLOW, "-pix_fmt", "yuv444p")

    async def publish() -> None:
        async with Transcoding(source, tmp_path / "out", tools=tools, limits=Limits()) as job:
            async for result in job.first_stage():
                assert not result.whole
                assert any("ffmpeg" in name for name in working_in(tmp_path / "out"))
                raise ValueError("from the caller")

    with pytest.raises(ValueError, match="from the caller"):
        await publish()
    assert working_in(tmp_path) == []


async def test_leaving_the_first_stage_early_kills_what_runs(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    source = clip("slow.mkv", *SLOW, "-pix_fmt", "yuv444p")
    async with Transcoding(source, tmp_path / "out", tools=tools, limits=Limits()) as job:
        async for _ in job.first_stage():
            break
    assert working_in(tmp_path) == []


async def test_the_loop_stays_free(slow: Path, tmp_path: Path, tools: Tools) -> None:
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            # Processor time of this thread: what is done between two turns, however busy the machine is.
            start = time.thread_time()
            await asyncio.sleep(0.01)
            worst = max(worst, time.thread_time() - start)

    watcher = asyncio.create_task(watch())
    with pytest.raises(TranscodeError):
        await transcode(slow, tmp_path / "out", tools=tools, limits=Limits(wall_seconds=0.5))
    watcher.cancel()
    assert worst < 0.2


@pytest.mark.parametrize("mechanism", ["bubblewrap", "Landlock"])
async def test_nothing_is_left_when_we_are_killed(mechanism: str, slow: Path, tmp_path: Path) -> None:
    environment = dict(os.environ)
    if mechanism == "Landlock":
        environment["PATH"] = str(without_bubblewrap(tmp_path / "programs"))
    program = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from tests.support.video.output_checks import transcode
        from transcode import Limits, find_tools
        source, out = map(Path, sys.argv[1:])
        tools = find_tools()
        print(tools.sandbox.name, flush=True)
        asyncio.run(transcode(source, out, tools=tools, limits=Limits()))
    """)
    root = Path(__file__).parents[3]
    ours = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, slow, tmp_path / "out", cwd=root, env=environment, stdout=PIPE
    )
    try:
        assert ours.stdout
        assert await ours.stdout.readline() == f"{mechanism}\n".encode()
        await until(lambda: any("ffmpeg" in name for name in working_in(tmp_path / "out")))
    finally:
        os.kill(ours.pid, signal.SIGKILL)
        await ours.wait()
    await until(lambda: not working_in(tmp_path), 3)
