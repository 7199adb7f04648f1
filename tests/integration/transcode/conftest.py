"""Make clips by ffmpeg, and transcode them."""

import subprocess
from pathlib import Path

import pytest

from tests.support.video.ladders import Ladder, build
from tests.support.video.output_checks import (
    EVERY_RUNG,
    AssertCopied,
    AssertGapless,
    Clip,
    Outcome,
    Transcoded,
    check_copied,
    check_gapless,
    transcode,
)
from transcode import Limits, Result, Settings, Tools, find_tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    return find_tools()


@pytest.fixture(scope="session")
async def ladders(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ladder]:
    """Both stages of each source, by name."""
    return await build(tools, tmp_path_factory.mktemp("ladders"))


@pytest.fixture
def clip(tools: Tools, tmp_path: Path) -> Clip:
    """Run ffmpeg with the given arguments and write to a file of the given name."""

    def make(name: str, *arguments: str) -> Path:
        path = tmp_path / name
        subprocess.run([tools.ffmpeg, "-v", "error", "-y", *arguments, path], check=True)
        return path

    return make


@pytest.fixture
def transcoded(tools: Tools, tmp_path: Path) -> Transcoded:
    async def run(source: Path, settings: Settings = EVERY_RUNG) -> Outcome:
        published: list[Result] = []
        shares: list[float] = []

        out = tmp_path / f"{source.name}.out"
        ready = await transcode(
            source, out, tools=tools, limits=Limits(), settings=settings,
            on_stage=published.append, on_progress=shares.append,
        )  # fmt: skip
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        return Outcome(out, published[-1], ready, published)

    return run


@pytest.fixture
def assert_gapless(tools: Tools, tmp_path: Path) -> AssertGapless:
    """Check a folder for everything that switching renditions, and gapless playback, relies on."""
    return lambda folder, result: check_gapless(folder, result, tools, tmp_path)


@pytest.fixture
def assert_copied(tools: Tools, tmp_path: Path) -> AssertCopied:
    """Check that the first rendition is a stream copy of the source, and has what gapless playback relies on."""
    return lambda source, outcome: check_copied(source, outcome, tools, tmp_path)
