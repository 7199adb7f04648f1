"""The runners' routes: whose a job is, what may be sent of it, and how much."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from appservice.core.model import VideoId
from appservice.core.runners import SOURCE, TaskView, new_token
from appservice.store.runners import Offer, OfferState
from tests.support.runners import HandRunner
from tests.support.service import Service
from tests.support.waiting import eventually

NIL = "00000000-0000-0000-0000-000000000000"
MOST = 300_000
TASK = TaskView(
    rungs=(720, 360), preset="veryfast", copy_source=True, every_rung=False, max_duration=60.0, output_bytes=2**30
)


@dataclass
class Offered:
    """A job that a worker offers, of a video that nobody works on."""

    service: Service
    job_id: str
    video_id: str
    content: bytes

    def path_of(self, file_id: str) -> Path:
        return self.service.uploads / file_id

    async def file_id(self, name: str) -> str:
        file = await self.service.parts.stores.runners.file(self.job_id, name)
        assert file
        return file.id


async def _offer(service: Service, *, encrypted: bool = False) -> Offered:
    store, owner = service.parts.stores.runners, service.user("owner")
    room = await service.room(owner)
    video_id = await room.video_id(await room.send_video(owner))
    video = await service.parts.stores.attempts.begin_attempt(VideoId(video_id))
    assert video
    content = uuid.uuid4().bytes * 20_000
    files = {"360": MOST, "poster.jpg": 1000, SOURCE: len(content)}
    job_id = await store.offer(Offer(video, encrypted, TASK, files, None, 600.0))
    await service.rows("UPDATE runner_jobs SET kept_until = now() + interval '1 hour' WHERE id = $1::uuid", job_id)
    return Offered(service, job_id, video_id, content)


async def _stage(offered: Offered) -> None:
    """Do what the worker does once its job is leased."""
    store, files = offered.service.parts.stores.runners, offered.service.parts.storage.uploads
    file = await store.file(offered.job_id, SOURCE)
    assert file
    await files.create(file.id)
    async with files.appending(file.id) as end:
        await end.append(offered.content)
    await store.finish_file(file, len(offered.content))


async def _runner(service: Service, *, takes_encrypted: bool = False) -> HandRunner:
    token = new_token()
    name = f"r-{uuid.uuid4().hex[:8]}"
    assert await service.parts.stores.runners.add(name, token, takes_encrypted=takes_encrypted)
    return HandRunner(service.http, service.url, token)


@pytest.fixture
async def runner(service: Service) -> HandRunner:
    return await _runner(service)


@pytest.fixture
async def offered(service: Service) -> AsyncIterator[Offered]:
    offered = await _offer(service)
    yield offered
    await service.rows("DELETE FROM runner_jobs")


@pytest.fixture
async def leased(runner: HandRunner, offered: Offered) -> Offered:
    status, body, _ = await runner.request("POST", "/lease")
    assert (status, json.loads(body)["id"]) == (200, offered.job_id)
    return offered


async def test_a_lease_says_what_to_do_and_no_more(runner: HandRunner, offered: Offered) -> None:
    status, body, _ = await runner.request("POST", "/lease")
    view = json.loads(body)
    assert status == 200
    assert view["files"] == {"360": MOST, "poster.jpg": 1000}
    assert TaskView.model_validate(view["task"]) == TASK
    assert view["key"] is None
    assert offered.video_id not in body.decode()
    assert "@" not in body.decode()


async def test_each_job_is_one_runners(service: Service, runner: HandRunner, leased: Offered) -> None:
    other, path = await _runner(service), f"/jobs/{leased.job_id}"
    await _stage(leased)
    for each, right in ((runner, True), (other, False)):
        assert (await each.status("POST", f"{path}/heartbeat", json={"share": 0.1}) == 204) is right
        assert (await each.status("GET", f"{path}/source") == 200) is right
        assert (await each.put(leased.job_id, "360", b"x" * 10, offset=0) == 204) is right
        assert (await each.status("GET", f"{path}/files/360") == 200) is right
    assert await other.status("POST", f"{path}/complete", json={"files": {}}) == 404
    assert await other.status("POST", f"{path}/return", json={"reason": "failed"}) == 404
    assert await runner.status("POST", f"/jobs/{NIL}/heartbeat", json={"share": 0.1}) == 404


async def test_no_token_and_a_wrong_one_are_refused_and_counted(service: Service) -> None:
    stranger = HandRunner(service.http, service.url, new_token(), address="2001:db8:77::1")
    for token in ("", "x", new_token(), "rrr_" + "é" * 20):
        stranger.token = token.encode().decode("latin-1")
        assert await stranger.status("POST", "/lease") in {401, 429}
    stranger.token = new_token()
    assert {await stranger.status("POST", "/lease") for _ in range(60)} == {401, 429}
    # Those who have a token go on.
    good = await _runner(service)
    good.address = stranger.address
    assert await good.status("POST", f"/jobs/{NIL}/heartbeat", json={"share": 0.1}) == 404


@pytest.mark.parametrize(
    "name", ["720", "source", "..%2F..%2Fx", "poster.jpg%00", "poster.html", "360%2Finit.mp4", "x" * 300, "preview.mp4"]
)
async def test_only_the_files_of_the_job_are_taken(runner: HandRunner, leased: Offered, name: str) -> None:
    assert await runner.put(leased.job_id, name, b"x") == 404
    assert await runner.status("GET", f"/jobs/{leased.job_id}/files/{name}") == 404


async def test_a_file_comes_in_parts_and_goes_on_where_it_broke(runner: HandRunner, leased: Offered) -> None:
    path = f"/jobs/{leased.job_id}"
    assert await runner.put(leased.job_id, "360", b"a" * 1000) == 204
    assert await runner.put(leased.job_id, "360", b"b" * 1000, offset=500) == 409
    status, body, _ = await runner.request("GET", f"{path}/files/360")
    assert (status, json.loads(body)) == (200, {"offset": 1000})
    assert await runner.put(leased.job_id, "360", b"b" * 500, offset=1000) == 204
    assert leased.path_of(await leased.file_id("360")).read_bytes() == b"a" * 1000 + b"b" * 500
    assert await runner.status("POST", f"{path}/complete", json={"files": {"360": 1499}}) == 409
    assert await runner.status("POST", f"{path}/complete", json={"files": {"720": 1500}}) == 409
    assert await runner.status("POST", f"{path}/complete", json={"files": {"source": 0}}) == 409
    assert await runner.status("POST", f"{path}/complete", json={"files": {"360": 1500}}) == 204
    # It is the worker's now.
    assert await runner.put(leased.job_id, "360", b"c", offset=1500) == 404


@pytest.mark.parametrize("announced", [True, False])
async def test_an_answer_without_end_ends_at_its_bound(
    service: Service, runner: HandRunner, leased: Offered, *, announced: bool
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * 2**30:
            sent += 65536
            yield b"x" * 65536

    headers = {"Content-Length": str(10 * 2**30)} if announced else {}
    status: int | None = None
    with suppress(OSError, aiohttp.ClientError):  # the connection may be closed in the middle
        status = await runner.status(
            "PATCH", f"/jobs/{leased.job_id}/files/360", data=endless(), headers={"Upload-Offset": "0", **headers}
        )
    assert status in {413, None}
    there = leased.path_of(await leased.file_id("360"))
    assert (there.stat().st_size if there.exists() else 0) <= MOST
    assert sent < 64 * 2**20
    state, _ = await service.parts.stores.runners.keep(leased.job_id)
    assert state is OfferState.FAILED
    assert await runner.put(leased.job_id, "poster.jpg", b"x") == 404


async def test_an_upload_ends_with_its_lease(service: Service, runner: HandRunner, leased: Offered) -> None:
    """Slowly, or in the middle: what a connection was allowed once is not for ever."""
    there = leased.path_of(await leased.file_id("360"))

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(600):
            yield b"x" * 64
            await asyncio.sleep(0.1)

    async def send() -> int | None:
        try:
            return await runner.put(leased.job_id, "360", slow())
        except (OSError, aiohttp.ClientError):
            return None  # the connection was closed

    sending = asyncio.create_task(send())

    async def begun() -> bool:
        return there.exists()

    await eventually(begun, what="the upload having begun")
    (row,) = await service.rows("SELECT r.name FROM runners r JOIN runner_jobs j ON j.runner_id = r.id")
    assert await service.parts.stores.runners.revoke(row["name"])
    assert await sending in {404, None}
    assert await runner.put(leased.job_id, "360", b"x") == 401


async def test_a_download_ends_with_its_lease(service: Service, runner: HandRunner, leased: Offered) -> None:
    leased.content = bytes(200 * 2**20)
    await _stage(leased)
    headers = {"Authorization": f"Bearer {runner.token}"}
    url = f"{service.url}/api/v1/runner/jobs/{leased.job_id}/source"
    async with service.http.get(url, headers=headers) as response:
        assert response.status == 200
        await response.content.readexactly(1000)
        await service.rows("UPDATE videos SET attempts = attempts + 1 WHERE id = $1::uuid", leased.video_id)
        await asyncio.sleep(1.5)  # the next check is due
        with pytest.raises(Exception, match="payload"):
            await response.read()


async def test_a_lease_ends_with_its_attempt_and_its_time(
    service: Service, runner: HandRunner, leased: Offered
) -> None:
    path = f"/jobs/{leased.job_id}"
    for spoilt, mended in (
        ("UPDATE videos SET attempts = attempts + 1 WHERE id = (SELECT video_id FROM runner_jobs WHERE id = $1::uuid)",
         "UPDATE videos SET attempts = attempts - 1 WHERE id = (SELECT video_id FROM runner_jobs WHERE id = $1::uuid)"),
        ("UPDATE runner_jobs SET leased_until = now() - interval '1 s' WHERE id = $1::uuid",
         "UPDATE runner_jobs SET leased_until = now() + interval '1 h' WHERE id = $1::uuid"),
        ("UPDATE runner_jobs SET ends_at = now() - interval '1 s' WHERE id = $1::uuid",
         "UPDATE runner_jobs SET ends_at = now() + interval '1 h' WHERE id = $1::uuid"),
        ("UPDATE runner_jobs SET kept_until = now() - interval '1 s' WHERE id = $1::uuid",
         "UPDATE runner_jobs SET kept_until = now() + interval '1 h' WHERE id = $1::uuid"),
    ):  # fmt: skip
        await service.rows(spoilt, leased.job_id)
        assert await runner.status("POST", f"{path}/heartbeat", json={"share": 0.1}) == 404, spoilt
        assert await runner.put(leased.job_id, "360", b"x") == 404, spoilt
        assert await runner.status("POST", f"{path}/complete", json={"files": {}}) == 404, spoilt
        await service.rows(mended, leased.job_id)
        assert await runner.status("POST", f"{path}/heartbeat", json={"share": 0.1}) == 204, mended


async def test_encrypted_rooms_are_for_runners_that_may(service: Service, runner: HandRunner) -> None:
    secret = await _offer(service, encrypted=True)
    waiting = asyncio.create_task(runner.request("POST", "/lease"))
    trusted = await _runner(service, takes_encrypted=True)
    assert await service.parts.stores.runners.is_awaited(encrypted=True) is None  # none was seen yet
    status, body, _ = await trusted.request("POST", "/lease")
    assert (status, json.loads(body)["id"]) == (200, secret.job_id)
    plain = await _offer(service)
    status, body, _ = await waiting
    assert (status, json.loads(body)["id"]) == (200, plain.job_id)
    await service.rows("DELETE FROM runner_jobs")


async def test_who_fails_again_and_again_is_left_out_for_a_while(service: Service, runner: HandRunner) -> None:
    store = service.parts.stores.runners
    for _ in range(2):
        offered = await _offer(service)
        assert await runner.status("POST", "/lease") == 200
        assert await runner.status("POST", f"/jobs/{offered.job_id}/return", json={"reason": "failed"}) == 204
        await store.count(offered.job_id, done=False)
        await store.drop(offered.job_id)
    lines = [line for line in await store.all() if line.failed == 2 and line.paused_until]
    assert lines
    offered = await _offer(service)
    waiting = asyncio.create_task(runner.request("POST", "/lease"))

    async def looked() -> bool:
        return bool(await service.rows("SELECT FROM runners WHERE name = $1 AND waits_until > now()", lines[-1].name))

    await eventually(looked, what="its wait")
    assert (await store.keep(offered.job_id))[0] is OfferState.OFFERED
    await store.drop(offered.job_id)
    waiting.cancel()
