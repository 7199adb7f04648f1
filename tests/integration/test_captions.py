"""A sent video's subtitles are captions in the room, for members only."""

from pathlib import Path

import aiohttp

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.video.subtitles import CHINESE, HOSTILE, with_subtitles
from tests.support.waiting import eventually
from transcode import Tools


async def test_captions_of_a_sent_video(
    reel: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    bob: MatrixClient,
    tools: Tools,
    tmp_path: Path,
) -> None:
    tracks = {"中文.srt": ("chi", CHINESE), "evil.srt": ("und", HOSTILE)}
    source = with_subtitles(tools, tmp_path / "zh.mkv", tracks, "srt", seconds=12)
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    for again in (False, True):  # the second time it shares the files of the first
        event_id = await alice.send_video(room_id, source)
        early = await viewer.video_in(event_id, "playable", "ready")
        assert [(each["language"], each["label"]) for each in early["captions"]] == [("zh", "中文"), (None, "evil")]
        video = await viewer.video_in(event_id, "ready")
        chinese, evil = (each["url"] for each in video["captions"])
        async with http.get(reel.url + chinese) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/vtt; charset=utf-8"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "你好，世界" in await response.text("utf-8"), again
        status, body = await viewer.fetch(evil)
        assert status == 200
        assert b"<script" not in body
        assert (await viewer.fetch(chinese.replace("captions0", "captions7")))[0] == 404

    await alice.redact(room_id, event_id)

    async def gone() -> bool:
        return (await viewer.fetch(chinese))[0] in {403, 404}

    await eventually(gone, what="the captions' end")
