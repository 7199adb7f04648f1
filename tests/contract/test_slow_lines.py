"""A report of a slow line: who may be served a video may have its lower rungs made, and nobody else."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appservice.core.model import VideoId
from appservice.worker.publication import Publication
from tests.support.clips import make_noisy_clip
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, transcode_video
from transcode import Tools

NIL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def video(moderated: ModeratedRoom, service: Service) -> dict[str, Any]:
    """A video of bob's, as he sees it, without its lower rungs."""
    found = (await moderated.bobs(moderated.bob))[0]
    await service.rows("UPDATE videos SET lower_rungs = 'left_out' WHERE id = $1::uuid", found["id"])
    return found


def _address(video: dict[str, Any]) -> str:
    return str(video["playlist_url"].rsplit("/", 2)[0]) + "/slow"


async def _report(service: Service, path: str) -> int:
    async with service.http.post(service.url + path) as response:
        return response.status


async def _rungs(service: Service, video: dict[str, Any]) -> str | None:
    (row,) = await service.rows("SELECT lower_rungs FROM videos WHERE id = $1::uuid", video["id"])
    return row["lower_rungs"]  # type: ignore[no-any-return]


async def test_a_viewer_reports_and_one_job_follows(service: Service, video: dict[str, Any]) -> None:
    assert [await _report(service, _address(video)) for _ in range(3)] == [204] * 3
    assert await _rungs(service, video) == "wanted"
    payload = video["id"].encode()
    jobs = await service.rows("SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = $1", payload)
    # The other one is that of its message, which nobody does here.
    assert len(jobs) == 2


async def test_who_may_not_watch_may_not_report(
    moderated: ModeratedRoom, service: Service, video: dict[str, Any], transcoded: TranscodedVideo
) -> None:
    path = _address(video)
    _, media, grant, scope, *rest = path.split("/")
    assert await _report(service, "/".join(["", media, f"{grant[:-4]}AAAA", scope, *rest])) == 403
    assert await _report(service, path.replace(video["id"], NIL)) == 404
    elsewhere = await ModeratedRoom.make(service, transcoded)
    theirs = _address((await elsewhere.bobs(elsewhere.bob))[0])
    assert await _report(service, theirs.rsplit("/", 2)[0] + f"/{video['id']}/slow") == 404
    (mallorys,) = [each for each in await moderated.bobs(moderated.mallory) if each["id"] == video["id"]]
    await moderated.room.set_member(moderated.others, "leave")
    assert await _report(service, _address(mallorys)) == 403
    assert await _report(service, "/".join(["", "u", moderated.user, "v", video["id"], "slow"])) == 404
    assert await _rungs(service, video) == "left_out"


async def test_everybody_may_report_what_is_published(
    moderated: ModeratedRoom, service: Service, video: dict[str, Any]
) -> None:
    await service.rows("UPDATE videos SET published_at = now() WHERE id = $1::uuid", video["id"])
    assert await _report(service, f"/u/{moderated.user}/v/{video['id']}/slow") == 204
    assert await _rungs(service, video) == "wanted"


async def test_reports_are_limited(service: Service, video: dict[str, Any]) -> None:
    seen = [await _report(service, _address(video)) for _ in range(80)]
    assert set(seen) == {204, 429}


async def test_one_member_has_one_budget_however_often_signed_in(
    moderated: ModeratedRoom, service: Service, video: dict[str, Any]
) -> None:
    seen = {await _report(service, _address(video)) for _ in range(80)}
    assert seen == {204, 429}
    browser = await service.signed_in(moderated.user, moderated.room)
    (same,) = [each for each in await browser.videos() if each["id"] == video["id"]]
    assert same["playlist_url"].split("/")[3] != video["playlist_url"].split("/")[3]
    # Meanwhile a few may have become free.
    assert 429 in {await _report(service, _address(same)) for _ in range(20)}


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> TranscodedVideo:
    """A video of several rungs."""
    folder = tmp_path_factory.mktemp("rungs")
    return await transcode_video(await make_noisy_clip(tools, folder / "noisy.mp4", 5), folder / "out", tools)


@pytest.fixture
def copy_alone(whole: TranscodedVideo, tmp_path: Path) -> TranscodedVideo:
    """The highest rung without the others."""
    first, *lower = whole.result.renditions
    assert lower
    folder = Path(shutil.copytree(whole.folder, tmp_path / "alone"))
    for each in lower:
        shutil.rmtree(folder / each.name)
    return replace(whole, folder=folder, result=replace(whole.result, renditions=(first,), left_out=True))


async def test_who_plays_the_stage_before_goes_on_in_it(
    service: Service, whole: TranscodedVideo, copy_alone: TranscodedVideo
) -> None:
    member = service.user("shown")
    room = await service.room(member)
    video_id = VideoId(await room.video_id(await room.show_video(member, copy_alone)))
    await service.rows("UPDATE videos SET published_at = now() WHERE id = $1::uuid", video_id)
    viewer = await service.viewer(member, room)
    (before,) = await viewer.videos()
    stage = before["playlist_url"].split("/")[-2]
    root = f"{service.url}/u/{member}/v/{video_id}"

    async def get(url: str, **headers: str) -> tuple[int, bytes]:
        async with service.http.get(url, headers=headers) as response:
            return response.status, await response.read()

    status, played = await get(f"{root}/{stage}/video.mp4")
    assert status == 200
    # As the worker makes lower rungs.
    stores = service.parts.stores
    assert await stores.lower_rungs.want(video_id)
    video = await stores.attempts.begin_finishing(video_id, 5)
    assert video
    folder = Path(shutil.copytree(whole.folder, service.parts.config.data_dir / "made" / "whole"))
    await Publication(video, b"hash" * 8, stores.attempts, service.parts.files).ready(whole.result, folder)
    (after,) = await viewer.videos()
    now = after["playlist_url"].split("/")[-2]
    assert now != stage
    assert await get(f"{root}/{stage}/video.mp4", Range=f"bytes={len(played) - 50}-") == (206, played[-50:])
    assert (await get(f"{root}/{now}/video.mp4"))[0] == 200
    sheet = f"../{now}/storyboard.jpg".encode()
    for address in (f"{root}/{stage}/storyboard.vtt", service.url + before["storyboard_url"]):
        status, track = await get(address)
        assert (status, sheet in track) == (200, True)
    assert (await get(f"{root}/{now}/storyboard.jpg"))[0] == 200
    # Of other media, nothing; and of what was swept.
    for other in ("0-a-ready", "99-a-ready", "x"):
        assert (await get(f"{root}/{other}/storyboard.vtt"))[0] == 404
    # An edit's index would be wrong for it.
    await service.rows(
        "UPDATE videos SET attempts_before = attempts, attempts = attempts + 1 WHERE id = $1::uuid", video_id
    )
    assert (await get(f"{root}/{stage}/video.mp4"))[0] == 404
    assert (await get(f"{root}/{now}/video.mp4"))[0] == 200
    await service.rows("UPDATE videos SET attempts_before = 0 WHERE id = $1::uuid", video_id)
    assert (await get(f"{root}/{stage}/video.mp4"))[0] == 200
    await service.parts.files.remove(video_id, stage)
    assert (await get(f"{root}/{stage}/video.mp4"))[0] == 404
