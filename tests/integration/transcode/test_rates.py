"""Frames are kept where they come fast, and not made up where none come; a rate is never guessed from a mean."""

from pathlib import Path

import pytest

from tests.support.video.output_checks import Transcoded
from tests.support.video.sync_pattern import VP8, X264, assert_whole, audio, decode_rendition, made, video
from transcode import Tools

# 60 frames/s in the first of four seconds, and a single frame in each of the others; nothing is drawn twice.
BURSTS = ["-vf", "select='lt(mod(t,4),1)+not(mod(n,60))'", "-fps_mode", "vfr"]


@pytest.mark.parametrize("name", ["screen.mp4", "screen.mkv", "screen.webm"])
async def test_a_screen_recording_is_smooth_where_something_moves(
    name: str, tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    codec = [*VP8, "-c:a", "libopus"] if name.endswith("webm") else [*X264, "-g", "600"]
    moving = ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=60:d=9"]
    source = made(tools, tmp_path / name, *moving, *audio(9), *BURSTS, *codec)
    outcome = await transcoded(source)
    for stage, result in (("playable", outcome.playable), ("ready", outcome.ready)):
        for rendition in result.renditions:
            shown = decode_rendition(tools, outcome.out / stage, rendition, tmp_path)
            assert shown.duration == pytest.approx(9, abs=0.1)
            assert [shown.frames_in(second) for second in (0, 4)] == pytest.approx([60, 60], abs=2)
            # A mean of 16 frames/s came; hardly more are encoded.
            assert len(shown.times) < 9 * 25
            assert max(after - before for before, after in zip(shown.times, shown.times[1:], strict=False)) <= 1.01


@pytest.mark.parametrize(
    ("name", "size", "aspect", "shown"),
    [("square.mpg", "352x288", "1", (352, 288)), ("wide.vob", "720x576", "64/45", (1024, 576))],
)
async def test_a_program_stream_keeps_its_rate(
    name: str, size: str, aspect: str, shown: tuple[int, int], tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    inputs = [*video(4, size=size, rate="25"), *audio(4, layout="stereo")]
    codec = ["-vf", f"setsar={aspect}", "-c:v", "mpeg2video", "-bf", "2", "-q:v", "5", "-c:a", "mp2", "-f", "vob"]
    outcome = await transcoded(made(tools, tmp_path / name, *inputs, *codec))
    assert outcome.ready.renditions[0].frame_rate == pytest.approx(25)
    assert (outcome.ready.width, outcome.ready.height) == shown
    assert_whole(tools, outcome, tmp_path, 4, rate=25)


async def test_a_rate_is_not_doubled(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    # ffmpeg takes this for 60 frames/s: some of its frames have no time stamp.
    codec = ["-c:v", "mpeg1video", "-q:v", "5", "-bf", "2", "-c:a", "mp2", "-f", "mpeg"]
    outcome = await transcoded(made(tools, tmp_path / "30.mpg", *video(4), *audio(4), *codec))
    assert outcome.playable.renditions[0].frame_rate == pytest.approx(30)
    assert_whole(tools, outcome, tmp_path, 4)
