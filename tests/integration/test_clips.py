"""Sample videos that ffmpeg really made: size, length, audio, and the band of their colour."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, Clip, ClipError, make_clip
from transcode import Limits, Settings, Tools
from transcode.examine.file import examine


async def _pixel_of_the_band(tools: Tools, video: Path) -> tuple[int, ...]:
    """The colour just inside the bottom left corner, 0.3 s in."""
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error", "-ss", "0.3", "-i", video, "-frames:v", "1",
        "-vf", "crop=1:1:4:ih-4:exact=1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    frame, _ = await process.communicate()
    return tuple(frame[:3])


@pytest.mark.parametrize("clip", [*ALICE_CLIPS, *BOB_CLIPS], ids=lambda clip: str(clip.caption))
async def test_a_clip_is_as_it_says(tools: Tools, tmp_path: Path, clip: Clip) -> None:
    small = replace(clip, width=clip.width // 4, height=clip.height // 4, seconds=1.0)
    path = await make_clip(small, tmp_path, tools.ffmpeg)
    assert [path] == list(tmp_path.iterdir())
    deadline = asyncio.get_running_loop().time() + 30
    probe = (await examine(path, tools, Limits(), Settings(), deadline)).source.probe
    assert (probe.video.width, probe.video.height, probe.has_audio) == (small.width, small.height, True)
    assert probe.duration == pytest.approx(small.seconds, abs=0.1)
    colour = await _pixel_of_the_band(tools, path)
    assert max(abs(a - b) for a, b in zip(colour, clip.rgb, strict=True)) < 30, (colour, clip.rgb)


async def test_what_ffmpeg_says_of_a_failure_is_passed_on(tools: Tools, tmp_path: Path) -> None:
    broken = replace(ALICE_CLIPS[0], colour="#nocolour")
    with pytest.raises(ClipError, match="nocolour"):
        await make_clip(broken, tmp_path, tools.ffmpeg)
    assert list(tmp_path.iterdir()) == []
