"""A browser opens a video while it is made, and watches it to its end without a complaint."""

import asyncio
from pathlib import Path

import pytest

from tests.support.video.awkward import Workdir
from tests.support.video.media import transcode
from tests.support.video.screen import offer, open_screen
from transcode import Limits, Result, Settings, Tools

# Large pictures, so that making them takes a while.
_FILM = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=10", "-f", "lavfi", "-i", "sine=440:r=48000:d=10"]
_CODECS = {
    "old.avi": ["-c:v", "mpeg4", "-q:v", "4", "-c:a", "mp2"],
    "silent.mkv": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", "-an"],
}
_SETTINGS = Settings(rungs=(480,))


@pytest.mark.parametrize("name", _CODECS)
async def test_a_video_is_watched_while_it_is_made(name: str, tools: Tools, tmp_path: Path) -> None:
    source = await asyncio.to_thread(Workdir(tools.ffmpeg, tmp_path).make, name, *_FILM, *_CODECS[name])
    out, states, opened = tmp_path / "out", list[Result](), asyncio.Event()
    async with open_screen(tmp_path) as screen:

        def serve(result: Result) -> None:
            states.append(result)
            offer(screen, "growing", ("out/playable", result))
            opened.set()

        job = transcode(source, out, tools=tools, limits=Limits(), settings=_SETTINGS, on_stage=serve)
        async with asyncio.TaskGroup() as both:
            both.create_task(job)
            await opened.wait()
            seen = await screen.play("/growing/index.m3u8", rate=1, patience=60_000)
    assert not states[0].whole
    assert states[-1].whole
    assert seen.problems == []
    assert seen.ended
    assert seen.duration == pytest.approx(10, abs=0.1)
    assert seen.sizes == [f"{states[0].width}x{states[0].height}"]
