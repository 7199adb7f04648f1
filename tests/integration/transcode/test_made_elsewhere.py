"""What an honest runner makes of each file of the corpus is accepted, and becomes what is made here."""

import asyncio
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.support.video.corpus import CORPUS
from tests.support.video.corpus_case import READY, CorpusCase, Workdir
from transcode import Limits, Result, Settings, Tools, Transcoding, fingerprint
from transcode.fingerprint import shows_same

SETTINGS = Settings(rungs=(360, 240), every_rung=True)
LIMITS = Limits()
# Of some lines, which are rounded to even sizes: what a runner makes of these is refused, and they are made here.
TOO_NARROW = {"1001x17.mkv", "4000x20.mp4"}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Workdir:
    return Workdir(Path(imageio_ffmpeg.get_ffmpeg_exe()), tmp_path_factory.mktemp("workshop"))


async def _exported(source: Path, out: Path, made: Path, tools: Tools) -> None:
    """Do what a runner does, and put what it sends into a folder."""
    made.mkdir()
    async with Transcoding(source, out, tools=tools, limits=LIMITS, settings=SETTINGS) as transcoding:
        await transcoding.skip_first_stage()
        opened = await transcoding.export_ladder()
        for name, most in transcoding.files().items():
            if file := opened(name, most):
                with file:
                    (made / name).write_bytes(file.read())


async def _ladder(source: Path, out: Path, tools: Tools, made: Path | None) -> tuple[Result, dict[str, int]]:
    async with Transcoding(source, out, tools=tools, limits=LIMITS, settings=SETTINGS) as transcoding:
        async for _ in transcoding.first_stage():
            pass
        result = await transcoding.ladder(made=made)
    files = (path for path in (out / "ready").rglob("*") if path.is_file())
    return result, {str(path.relative_to(out)): path.stat().st_size for path in files}


CASES = [case for case in CORPUS if case.ends == READY and not case.damaged]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_made_elsewhere_is_what_is_made_here(
    case: CorpusCase, workdir: Workdir, tools: Tools, tmp_path: Path
) -> None:
    source, made = tmp_path / case.name, tmp_path / "made"
    source.write_bytes(await asyncio.to_thread(case.make, workdir, case.name, NOBODY))
    await _exported(source, tmp_path / "there", made, tools)
    look = await fingerprint(source, tools=tools, limits=LIMITS)
    for rendition in made.iterdir():
        if look and rendition.name.isdecimal() and case.name not in TOO_NARROW:
            found = await fingerprint(rendition, tools=tools, limits=LIMITS)
            assert found, rendition.name
            assert shows_same(look, found), rendition.name
    elsewhere, files = await _ladder(source, tmp_path / "out", tools, made)
    here, same_files = await _ladder(source, tmp_path / "again", tools, None)
    assert files.keys() == same_files.keys()
    # Threads of x264 may differ in a few bits.
    assert [replace(each, bandwidth=0, average_bandwidth=0) for each in elsewhere.renditions] == [
        replace(each, bandwidth=0, average_bandwidth=0) for each in here.renditions
    ]
    assert replace(elsewhere, renditions=(), blurhash=None) == replace(here, renditions=(), blurhash=None)
