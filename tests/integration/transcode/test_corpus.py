"""Every file of the corpus ends as it must, leaves nothing behind, and plays in a browser without an error."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from tests.support.video.corpus import CORPUS
from tests.support.video.corpus_case import READY, CorpusCase, Workdir
from tests.support.video.hls_player import HlsPlayer, open_hls_player, serve_playlists
from tests.support.video.output_checks import transcode
from transcode import Limits, Result, Settings, Tools, TranscodeError

SETTINGS = Settings(rungs=(360, 240), every_rung=True)


@dataclass
class Ending:
    """How a file ended: `end` is `ready` or an error's code, `said` its message."""

    end: str
    said: str = ""
    stages: dict[str, Result] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


Finish = Callable[[CorpusCase], Awaitable[Ending]]


class Honeypot:
    """Listens at the URL that hostile files refer to, and counts connections."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> "Honeypot":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@pytest.fixture(scope="session")
async def honeypot() -> AsyncIterator[Honeypot]:
    async with Honeypot() as listener:
        yield listener


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="session")
async def player(folder: Path) -> AsyncIterator[HlsPlayer]:
    async with open_hls_player(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def finish(tools: Tools, folder: Path, honeypot: Honeypot, tmp_path_factory: pytest.TempPathFactory) -> Finish:
    """Transcode a file of the corpus once, at the first request."""
    workdir = Workdir(Path(imageio_ffmpeg.get_ffmpeg_exe()), tmp_path_factory.mktemp("workshop"))
    endings: dict[str, Ending] = {}

    async def once(case: CorpusCase) -> Ending:
        if case.name not in endings:
            job = folder / case.name
            job.mkdir()
            (job / case.name).write_bytes(await asyncio.to_thread(case.make, workdir, case.name, honeypot.url))
            endings[case.name] = await _ending(job / case.name, job / "out", tools)
            endings[case.name].left = _left(job)
        return endings[case.name]

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
    """Return leaks: processes that use the job's folder, and files beside source and output."""
    found = sorted(path.name for path in job.iterdir() if path.name not in {job.name, "out"})
    for process in psutil.process_iter():
        # A race: a process may end between two calls.
        with suppress(psutil.Error):
            words = " ".join([process.cwd(), *process.cmdline()])
            if str(job) in words and process.pid != os.getpid():
                found.append(f"{process.name()} ({process.status()})")
    return found


def described(stage: Path, result: Result) -> set[Path]:
    """Return every file that a result names."""
    beside = (result.poster, result.preview, "storyboard.jpg" if result.storyboard else None)
    files = {stage / name for name in (*beside, *(captions.name for captions in result.captions)) if name}
    for rendition in result.renditions:
        names = ["init.mp4", *(f"{number}.m4s" for number in range(len(rendition.durations)))]
        files |= {stage / rendition.name / name for name in names}
    return files


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
async def test_a_file_of_the_corpus_ends_as_it_must(
    case: CorpusCase, finish: Finish, folder: Path, player: HlsPlayer, honeypot: Honeypot
) -> None:
    ending = await finish(case)
    assert ending.end in case.ends.split(), f"{case.why}: {ending.said}"
    assert ending.left == []
    assert honeypot.connections == 0
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
    # A stream copy of corrupted frames is served only until the ladder is complete.
    shown = {"ready": ready} if case.damaged else ending.stages
    playback = await player.play(
        serve_playlists(player, case.name, *((f"{case.name}/out/{n}", r) for n, r in shown.items()))
    )
    assert playback.problems == []
    assert playback.ended
    assert playback.frames
    assert playback.duration == pytest.approx(sum(result.duration for result in shown.values()), abs=0.1)
    assert set(playback.sizes) <= {f"{r.width}x{r.height}" for result in shown.values() for r in result.renditions}


@pytest.mark.timeout(600)
async def test_many_play_as_one_list(finish: Finish, player: HlsPlayer) -> None:
    # Every third, or it would take minutes.
    finished = [(case, await finish(case)) for case in CORPUS[::3]]
    items = [(f"{case.name}/out/ready", ending.stages["ready"]) for case, ending in finished if ending.end == READY]
    playback = await player.play(serve_playlists(player, "reel", *items), patience=300_000)
    assert playback.problems == []
    assert playback.ended
    assert playback.duration == pytest.approx(sum(result.duration for _, result in items), abs=0.1 * len(items))
