"""Every awkward file ends as it must, leaves nothing behind, and plays in a browser without one complaint."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from tests.support.video.awkward import READY, Awkward, Workdir
from tests.support.video.corpus import CORPUS
from tests.support.video.media import transcode
from tests.support.video.screen import Screen, offer, open_screen
from transcode import Limits, Result, Settings, Tools, TranscodeError

SETTINGS = Settings(rungs=(360, 240))


@dataclass
class Ending:
    """How a file ended: `end` is `ready` or an error's code, `said` its message."""

    end: str
    said: str = ""
    stages: dict[str, Result] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


Finish = Callable[[Awkward], Awaitable[Ending]]


class Nobody:
    """Listens where hostile files want us to ask for something, and counts who comes."""

    def __init__(self) -> None:
        self.visitors = 0
        self.url = ""

    async def __aenter__(self) -> "Nobody":
        self._server = await asyncio.start_server(self._visited, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _visited(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visitors += 1
        writer.close()


@pytest.fixture(scope="session")
async def nobody() -> AsyncIterator[Nobody]:
    async with Nobody() as listener:
        yield listener


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="session")
async def screen(folder: Path) -> AsyncIterator[Screen]:
    async with open_screen(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def finish(tools: Tools, folder: Path, nobody: Nobody, tmp_path_factory: pytest.TempPathFactory) -> Finish:
    """Transcode a file of the corpus, the first time that it is asked for."""
    shop = Workdir(Path(imageio_ffmpeg.get_ffmpeg_exe()), tmp_path_factory.mktemp("workshop"))
    known: dict[str, Ending] = {}

    async def once(case: Awkward) -> Ending:
        if case.name not in known:
            job = folder / case.name
            job.mkdir()
            (job / case.name).write_bytes(await asyncio.to_thread(case.make, shop, case.name, nobody.url))
            known[case.name] = await _ending(job / case.name, job / "out", tools)
            known[case.name].left = _left(job)
        return known[case.name]

    return once


async def _ending(source: Path, out: Path, tools: Tools) -> Ending:
    stages: dict[str, Result] = {}

    def keep(result: Result) -> None:
        stages["playable"] = result

    try:
        stages["ready"] = await transcode(source, out, tools=tools, limits=Limits(), settings=SETTINGS, on_stage=keep)
    except TranscodeError as error:
        return Ending(error.code, str(error), stages)
    return Ending(READY, stages=stages)


def _left(job: Path) -> list[str]:
    """What should not be there: processes that know the job's folder, and files beside source and output."""
    found = sorted(path.name for path in job.iterdir() if path.name not in {job.name, "out"})
    for process in psutil.process_iter():
        # Any of them may end between two questions.
        with suppress(psutil.Error):
            words = " ".join([process.cwd(), *process.cmdline()])
            if str(job) in words and process.pid != os.getpid():
                found.append(f"{process.name()} ({process.status()})")
    return found


def described(stage: Path, result: Result) -> set[Path]:
    """Every file that a result speaks of."""
    beside = (result.poster, result.preview, "storyboard.jpg" if result.storyboard else None)
    files = {stage / name for name in (*beside, *(captions.name for captions in result.captions)) if name}
    for rendition in result.renditions:
        names = ["init.mp4", *(f"{number}.m4s" for number in range(len(rendition.durations)))]
        files |= {stage / rendition.name / name for name in names}
    return files


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
async def test_an_awkward_file_ends_as_it_must(
    case: Awkward, finish: Finish, folder: Path, screen: Screen, nobody: Nobody
) -> None:
    ending = await finish(case)
    assert ending.end in case.ends.split(), f"{case.why}: {ending.said}"
    assert ending.left == []
    assert nobody.visitors == 0
    if ending.end != READY:
        assert "ready" not in ending.stages
        return
    ready = ending.stages["ready"]
    if case.size:
        assert (ready.width, ready.height) == case.size
    if case.seconds:
        assert ready.duration == pytest.approx(case.seconds, abs=0.1)
    for name, result in ending.stages.items():
        stage = folder / case.name / "out" / name
        assert result.whole
        assert {path for path in stage.rglob("*") if path.is_file()} == described(stage, result)
    # A copy of damaged pictures is only there until the ladder is.
    shown = {"ready": ready} if case.damaged else ending.stages
    seen = await screen.play(offer(screen, case.name, *((f"{case.name}/out/{n}", r) for n, r in shown.items())))
    assert seen.problems == []
    assert seen.ended
    assert seen.pictures
    assert seen.duration == pytest.approx(sum(result.duration for result in shown.values()), abs=0.1)
    assert set(seen.sizes) <= {f"{r.width}x{r.height}" for result in shown.values() for r in result.renditions}


@pytest.mark.timeout(600)
async def test_many_play_as_one_list(finish: Finish, screen: Screen) -> None:
    # Every third, or it would take minutes.
    endings = [(case, await finish(case)) for case in CORPUS[::3]]
    items = [(f"{case.name}/out/ready", ending.stages["ready"]) for case, ending in endings if ending.end == READY]
    seen = await screen.play(offer(screen, "reel", *items), patience=300_000)
    assert seen.problems == []
    assert seen.ended
    assert seen.duration == pytest.approx(sum(result.duration for _, result in items), abs=0.1 * len(items))
