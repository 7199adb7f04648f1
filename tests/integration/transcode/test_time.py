"""First stage and ladder tell the same time, whatever the clocks of the file say."""

import pytest

from tests.integration.transcode.media import Clip, Transcoded
from tests.integration.transcode.stages import assert_stages, pattern
from transcode import Tools

X264 = "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30"
VP9 = "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "60", "-c:a", "libopus"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("plain.mp4", X264), ("plain.mkv", X264), ("plain.webm", VP9)],
    ids=lambda value: str(value)[:10],
)
async def test_a_plain_file_is_the_same_in_both(
    name: str, arguments: tuple[str, ...], clip: Clip, tools: Tools, transcoded: Transcoded
) -> None:
    source = clip(name, *pattern(4), *arguments)
    assert_stages(tools, await transcoded(source), duration=4, aspect=16 / 9, frame_rate=30, flashes=[1, 3])
