"""Fingerprints match re-encoded copies, and no others; `./run bench fingerprint` tries many more."""

import asyncio
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip
from tests.support.video.synthetic_clips import ENCODINGS, make_synthetic_clips, reencode
from transcode import Limits, Tools, TranscodeError
from transcode.fingerprint import fingerprint, is_copy

SIZE, SECONDS = (160, 120), 1.5
CLIPS, OTHERS = 30, 100


async def _fingerprints(tools: Tools, paths: list[Path]) -> list[bytes]:
    slots = asyncio.Semaphore(2)

    async def know(path: Path) -> bytes:
        async with slots:
            made = await fingerprint(path, tools=tools, limits=Limits())
        return made or b""

    return await asyncio.gather(*map(know, paths))


async def test_copies_are_caught_and_others_are_not(tools: Tools, tmp_path: Path) -> None:
    await asyncio.to_thread(make_synthetic_clips, tools, tmp_path, range(CLIPS + OTHERS), seconds=SECONDS, size=SIZE)
    paths = [tmp_path / f"{number}.mp4" for number in range(CLIPS + OTHERS)]
    known = await _fingerprints(tools, paths)
    sources, others = known[:CLIPS], known[CLIPS:]
    assert all(sources)
    assert others.count(b"") <= 2  # some are too plain
    # Each re-encoded in one way, each way used at least three times.
    ways = list(ENCODINGS)
    copies: list[Path] = []
    for number in range(CLIPS):
        made = await asyncio.to_thread(reencode, tools, paths[number], tmp_path, [ways[number % len(ways)]])
        copies += made.values()
    caught = [is_copy(*pair) for pair in zip(sources, await _fingerprints(tools, copies), strict=True)]
    assert [copy.name for copy, found in zip(copies, caught, strict=True) if not found] == []
    wrong = [CLIPS + n for n, other in enumerate(others) if any(is_copy(source, other) for source in sources)]
    assert wrong == []


async def test_what_cannot_be_judged(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    black = clip("black.mp4", "-f", "lavfi", "-i", "color=black:size=320x240:duration=2", "-c:v", "libx264")
    assert await fingerprint(black, tools=tools, limits=Limits()) is None
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(TranscodeError):
        await fingerprint(text, tools=tools, limits=Limits())


async def test_a_single_frame_and_another_container(tools: Tools, clip: Clip) -> None:
    short = clip("short.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-frames:v", "1", "-c:v", "libx264")
    assert await fingerprint(short, tools=tools, limits=Limits())
    whole = clip("whole.mp4", "-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=25", "-t", "2", "-c:v", "libx264")
    late = clip("late.mkv", "-i", str(whole), "-output_ts_offset", "5", "-c", "copy")
    one, other = await _fingerprints(tools, [whole, late])
    assert one
    assert is_copy(one, other)
