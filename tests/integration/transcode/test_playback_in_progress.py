"""A browser opens a video that is in progress, and plays it to its end without an error."""

import asyncio
from pathlib import Path

import pytest

from tests.support.video.corpus_case import Workdir
from tests.support.video.hls_player import open_hls_player, serve_playlists
from tests.support.video.output_checks import transcode
from transcode import Limits, Result, Settings, Tools

# Large frames, so that encoding takes a while.
_AV = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=10", "-f", "lavfi", "-i", "sine=440:r=48000:d=10"]
_CODECS = {
    "old.avi": ["-c:v", "mpeg4", "-q:v", "4", "-c:a", "mp2"],
    "silent.mkv": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", "-an"],
}
_SETTINGS = Settings(rungs=(480,))


@pytest.mark.parametrize("name", _CODECS)
async def test_a_video_is_played_while_it_is_in_progress(name: str, tools: Tools, tmp_path: Path) -> None:
    source = await asyncio.to_thread(Workdir(tools.ffmpeg, tmp_path).make, name, *_AV, *_CODECS[name])
    out, states, opened = tmp_path / "out", list[Result](), asyncio.Event()
    async with open_hls_player(tmp_path) as player:

        def serve(result: Result) -> None:
            states.append(result)
            serve_playlists(player, "event", ("out/playable", result))
            opened.set()

        job = transcode(source, out, tools=tools, limits=Limits(), settings=_SETTINGS, on_stage=serve)
        async with asyncio.TaskGroup() as both:
            both.create_task(job)
            await opened.wait()
            playback = await player.play("/event/index.m3u8", rate=1, patience=60_000)
    assert not states[0].whole
    assert states[-1].whole
    assert playback.problems == []
    assert playback.ended
    assert playback.duration == pytest.approx(10, abs=0.1)
    assert playback.sizes == [f"{states[0].width}x{states[0].height}"]
