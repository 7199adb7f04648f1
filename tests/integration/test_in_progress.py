"""A video is watched while it is made: what viewers get meanwhile, and what becomes of it when work is disturbed."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import jsonschema
import psutil
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.processes import suspended
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

SECONDS = 40
# The first one is divided.
SEGMENTS = SECONDS // 2 + 1


@pytest.fixture(scope="module")
async def slow_clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """A video that must be encoded, forty seconds long: its container is not one that is copied from."""
    path = tmp_path_factory.mktemp("slow") / "slow.mkv"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30",
        "-f", "lavfi", "-i", "sine=440", "-t", str(SECONDS),
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


@pytest.fixture
async def service(spare: Installation) -> AsyncIterator[Installation]:
    """A Roomreel that makes one rendition, on one thread: there is time to look, and little to wait for afterwards."""
    spare.write_config(transcode={"rungs": [360], "threads": 1}, worker={"heartbeat_timeout": 1, "attempts": 2})
    async with spare.running():
        yield spare


@contextlib.asynccontextmanager
async def _held(service: Installation) -> AsyncIterator[None]:
    """Keep ffmpeg from going on, as soon as there is one."""

    async def running() -> list[psutil.Process]:
        return service.ffmpegs()

    with suspended(await eventually(running, what="an ffmpeg")):
        yield


async def _started_again(service: Installation, worker: dict[str, int]) -> None:
    service.write_config(worker=worker)
    await service.stop()
    await service.start()


async def _sent(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, path: Path
) -> tuple[Viewer, str]:
    """Send a video in a new room, and return who watches there and the event's id."""
    room_id = await make_room(alice, service)
    return await service.viewer(http, alice, room_id), await alice.send_video(room_id, path)


_IN_PROGRESS = "SELECT 1 FROM videos WHERE event_id = $1 AND available IS NOT NULL AND has_poster"


async def _in_progress(viewer: Viewer, event_id: str, service: Installation) -> dict[str, Any]:
    async def has_segments() -> bool:
        return bool(await service.rows(_IN_PROGRESS, event_id))

    await eventually(has_segments, what="a video in progress")
    return await viewer.video_in(event_id, "playable")


async def _media_playlist(viewer: Viewer, index: str) -> tuple[str, list[str], str]:
    """Return the text of the only media playlist, its segments, and how it may be kept."""
    status, master = await viewer.fetch(index)
    assert status == 200, master
    (name,) = [line for line in master.decode().splitlines() if line and not line.startswith("#")]
    async with viewer.http.get(viewer.base_url + urljoin(index, name)) as response:
        assert response.status == 200
        text = await response.text()
        segments = [urljoin(index, line) for line in text.splitlines() if line and not line.startswith("#")]
        return text, segments, response.headers["Cache-Control"]


async def test_a_video_is_watched_while_it_is_made(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, slow_clip: Path
) -> None:
    viewer, slow = await _sent(service, http, alice, slow_clip)
    video = await _in_progress(viewer, slow, service)
    async with _held(service):
        index = (await viewer.room())["members"][0]["reel_url"]
        for url in (index, video["playlist_url"]):
            text, segments, keep = await _media_playlist(viewer, url)
            assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
            assert "#EXT-X-ENDLIST" not in text
            assert keep == "private, no-cache"
            assert 0 < len(segments) < SEGMENTS
            for segment in segments:
                assert (await viewer.fetch(segment))[0] == 200
        assert video["duration"] == pytest.approx(SECONDS, abs=0.1)
        assert video["blurhash"]
        assert (await viewer.fetch(video["poster_url"]))[0] == 200
        _, first_segments, _ = await _media_playlist(viewer, index)
        await _unfinished_files_are_not_served(viewer, service, video)
    await _progress_is_told(viewer, service, video)

    async def ended() -> bool:
        return "#EXT-X-ENDLIST" in (await _media_playlist(viewer, index))[0]

    await eventually(ended, what="the end of the playlist")
    (row,) = await service.rows("SELECT bytes FROM videos WHERE event_id = $1", slow)
    assert row["bytes"] > 0, "it counts for quotas before it is ready, too"
    _, whole, keep = await _media_playlist(viewer, index)
    assert "immutable" in keep
    assert whole[: len(first_segments)] == first_segments
    assert len(whole) == 2 * SEGMENTS, "shorter than a minute, it is listed twice once it is whole"
    assert (await viewer.fetch(whole[-1]))[0] == 200
    await viewer.video_in(slow, "ready")
    assert (await viewer.fetch(whole[-1]))[0] == 200, "whoever started with the first stage sees its end"
    assert [news for news in (await viewer.videos()) if news["progress"]] == []


async def _unfinished_files_are_not_served(viewer: Viewer, service: Installation, video: dict[str, Any]) -> None:
    folder = video["playlist_url"].removesuffix("index.m3u8")
    stage = service.media / video["id"] / folder.split("/")[-2]
    (stage / "360" / "19.m4s.tmp").write_bytes(b"")
    (stage / "360" / "index.m3u8").write_bytes(b"")
    for path in stage.rglob("*"):
        name = path.relative_to(stage)
        served = re.fullmatch(r"init\.mp4|\d+\.m4s|poster\.jpg", path.name)
        if path.is_file():
            assert (await viewer.fetch(f"{folder}{name}"))[0] == (200 if served else 404), name
    assert (await viewer.fetch(f"{folder}360/19.m4s"))[0] == 404


async def _progress_is_told(viewer: Viewer, service: Installation, video: dict[str, Any]) -> None:
    async with viewer.events() as events, asyncio.timeout(60):
        while True:
            name, news = await events.get()
            if name == "progress" and news["remaining"] is not None:
                break
    assert set(news) == {"room_id", "video_id", "percent", "remaining"}
    assert (news["room_id"], news["video_id"]) == (viewer.room_id, video["id"])
    assert 0 <= news["percent"] < 100
    _, document = await viewer.get("/api/v1/openapi.json")
    schema = {"$ref": "#/components/schemas/ProgressEvent", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(news)
    async with _held(service):
        (now,) = await viewer.videos()
        assert set(now["progress"]) == {"percent", "remaining"}
        assert now["progress"]["percent"] >= news["percent"]
        code, output = await service.command("admin", "-c", str(service.config), "status")
    assert code == 0
    (line,) = [line for line in output.splitlines() if video["id"] in line]
    assert re.search(rf"{re.escape(viewer.room_id)}: \d+ %, about \d+:\d\d:\d\d left, attempt 1$", line), line


async def test_a_request_for_a_segment_to_come_is_held(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, slow_clip: Path
) -> None:
    viewer, slow = await _sent(service, http, alice, slow_clip)
    video = await _in_progress(viewer, slow, service)
    clock = asyncio.get_running_loop().time

    async def segment_count(index: str, number: object) -> tuple[int, float]:
        """Return the number of segments, and the seconds until the response."""
        started = clock()
        status, body = await viewer.fetch(f"{index.removesuffix('index.m3u8')}360.m3u8?_HLS_msn={number}")
        assert status == 200, body
        return body.count(b"#EXTINF:"), clock() - started

    for index in ((await viewer.room())["members"][0]["reel_url"], video["playlist_url"]):
        async with _held(service):
            await asyncio.sleep(1)  # what was written before is notified
            (count, _), (known, _), (junk, _) = [await segment_count(index, number) for number in ("", 0, "-1")]
            assert known == junk == count < SEGMENTS - 1
            unchanged, seconds = await segment_count(index, count)
            assert unchanged == count
            assert seconds > 2, "it might have come"
            waiting = [asyncio.create_task(segment_count(index, count)) for _ in range(3)]
            await segment_count(index, "")  # requested later, and returned at once
            assert not any(task.done() for task in waiting)
        for task in waiting:
            later, _ = await task
            assert later > count, "it came"
    await viewer.video_in(slow, "ready", seconds=120)
    whole, _ = await segment_count((await viewer.room())["members"][0]["reel_url"], 999)
    assert whole >= SEGMENTS - 1


async def test_whole_videos_come_before_one_in_progress(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, slow_clip: Path
) -> None:
    await _started_again(service, {"concurrency": 2})
    viewer, slow = await _sent(service, http, alice, slow_clip)
    video = await _in_progress(viewer, slow, service)
    async with _held(service):
        short = await viewer.video_in(await alice.send_video(viewer.room_id, clip), "ready")
        room = await viewer.room()
        for index in (room["channel"], room["members"][0]["reel_url"]):
            text, segments, _ = await _media_playlist_of(viewer, index)
            ids = [url.rpartition("/v/")[2].partition("/")[0] for url in segments]
            assert list(dict.fromkeys(ids)) == [short["id"], video["id"]]
            assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text


async def test_a_first_frame_waits_for_no_other_ladder(
    service: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    clip: Path,
    slow_clip: Path,
    tmp_path: Path,
) -> None:
    rooms = [await make_room(alice, service) for _ in range(2)]
    viewers = [await service.viewer(http, alice, room_id) for room_id in rooms]
    slow = await alice.send_video(rooms[0], slow_clip)
    await _in_the_ladder(service, slow)
    async with _held(service):
        held = {process.pid for process in service.ffmpegs()}
        quick = [
            (viewers[0], await alice.send_video(rooms[0], with_padding(clip, tmp_path / name, name.encode())))
            for name in ("1.mp4", "2.mp4", "3.mp4")
        ]
        # The same one again, elsewhere, before it is whole.
        again = await alice.send_video(rooms[1], slow_clip)
        waiting = [await viewer.video_in(event_id, "playable") for viewer, event_id in [*quick, (viewers[1], again)]]

        async def all_wait() -> bool:
            return {process.pid for process in service.ffmpegs()} == held

        await eventually(all_wait, what="the end of all work but on the ladder")

        async def nothing_is_promised() -> bool:
            now = [await viewer.video_in(event_id, "playable") for viewer, event_id in quick]
            return [video["progress"]["remaining"] for video in now] == [None] * 3

        await eventually(nothing_is_promised, what="videos that wait, nobody knows for how long")
    first = await viewers[0].video_in(slow, "ready")
    second = await viewers[1].video_in(again, "ready")
    assert waiting[-1]["id"] == second["id"]
    for name in ("storyboard.jpg", "360/0.m4s"):
        files = [_stage(service, video) / name for video in (first, second)]
        assert files[0].samefile(files[1]), "what was whole when its turn came was not made again"
    for viewer, event_id in quick:
        await viewer.video_in(event_id, "ready")


async def _in_the_ladder(service: Installation, event_id: str) -> None:
    async def in_ladder() -> bool:
        rows = await service.rows(
            "SELECT 1 FROM videos WHERE event_id = $1 AND state = 'playable' AND available IS NULL", event_id
        )
        return bool(rows)

    await eventually(in_ladder, what="the ladder of the video")


async def test_a_video_that_waits_for_the_ladder_is_not_charged_for_the_one_that_kills_the_worker(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, slow_clip: Path
) -> None:
    await _started_again(service, {"attempts": 1})
    viewer, slow = await _sent(service, http, alice, slow_clip)
    await _in_the_ladder(service, slow)
    async with _held(service):
        quick = await alice.send_video(viewer.room_id, clip)

        async def waits() -> bool:
            return bool(await service.rows("SELECT 1 FROM videos WHERE event_id = $1 AND attempts_spared = 1", quick))

        await eventually(waits, what="the second video waiting for its turn")
        await service.kill()
    await service.start()
    assert (await viewer.video_in(slow, "failed"))["failure"] == {"code": "internal"}
    await viewer.video_in(quick, "ready")
    rows = await service.rows("SELECT attempts, attempts_spared FROM videos WHERE event_id = $1", quick)
    assert [tuple(row) for row in rows] == [(2, 1)]


def _stage(service: Installation, video: dict[str, Any]) -> Path:
    return service.media.joinpath(video["id"], video["playlist_url"].split("/")[-2])


async def _media_playlist_of(viewer: Viewer, index: str) -> tuple[str, list[str], str]:
    status, master = await viewer.fetch(index)
    assert status == 200
    name = next(line for line in master.decode().splitlines() if line and not line.startswith("#"))
    status, body = await viewer.fetch(urljoin(index, name))
    assert status == 200
    text = body.decode()
    return text, [urljoin(index, line) for line in text.splitlines() if line and not line.startswith("#")], ""


async def test_a_crash_while_in_progress(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, slow_clip: Path
) -> None:
    viewer, event_id = await _sent(service, http, alice, slow_clip)
    first = await _in_progress(viewer, event_id, service)
    await service.kill()
    await service.start()
    # What there is of it is watched until the next attempt's takes its place.
    assert (await viewer.fetch(first["playlist_url"]))[0] in {200, 410}

    async def replaced() -> bool:
        now = await viewer.video(event_id)
        return bool(
            now and now["playlist_url"] and now["playlist_url"].split("/")[-2] != first["playlist_url"].split("/")[-2]
        )

    await eventually(replaced, what="another attempt's stage")
    assert (await viewer.fetch(first["playlist_url"]))[0] == 410
    await viewer.video_in(event_id, "ready")
    (row,) = await service.rows("SELECT attempts, available, percent FROM videos")
    assert tuple(row) == (2, None, None)


async def test_a_failure_while_in_progress(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, slow_clip: Path
) -> None:
    # However many attempts there may be: what comes again at once will come again.
    await _started_again(service, {"attempts": 5})
    viewer, event_id = await _sent(service, http, alice, slow_clip)
    for attempt in (1, 2):

        async def is_in_progress(number: int = attempt) -> bool:
            return bool(
                await service.rows(
                    "SELECT 1 FROM videos WHERE attempts = $1 AND percent IS NOT NULL AND available IS NOT NULL"
                    " AND stage LIKE $1 || '-%'",
                    number,
                )
            )

        await eventually(is_in_progress, what=f"attempt {attempt} in progress")
        video = await viewer.video_in(event_id, "playable")
        for process in service.ffmpegs():
            process.send_signal(signal.SIGABRT)
    failed = await viewer.video_in(event_id, "failed")
    assert failed["failure"] == {"code": "failed"}
    assert [tuple(row) for row in await service.rows("SELECT attempts FROM videos")] == [(2,)]
    assert (failed["playlist_url"], failed["blurhash"], failed["progress"]) == (None, None, None)
    assert (await viewer.room())["members"][0]["reel_url"] is None
    assert (await viewer.fetch(video["playlist_url"]))[0] == 404

    async def swept() -> bool:
        return not (service.media / video["id"]).exists()

    await eventually(swept, what="its files being deleted")


async def test_a_removal_while_in_progress(
    service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, slow_clip: Path
) -> None:
    viewer, event_id = await _sent(service, http, alice, slow_clip)
    video = await _in_progress(viewer, event_id, service)
    await alice.redact(viewer.room_id, event_id)

    async def over() -> bool:
        jobs = await service.rows("SELECT 1 FROM pgqueuer WHERE entrypoint IN ('video', 'sweep')")
        return not jobs and not service.ffmpegs()

    await eventually(over, what="the end of all work on it")
    assert not (service.media / video["id"]).exists()
    assert await viewer.video(event_id) is None
