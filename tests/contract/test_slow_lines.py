"""A report of a slow line: who may be served a video may have its lower rungs made, and nobody else."""

from typing import Any

import pytest

from tests.support.service import ModeratedRoom, Service, TranscodedVideo

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
