"""What is acknowledged is stored, and what is announced is there: nothing is promised before."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from appservice.core.model import VideoId
from appservice.worker.publication import Publication
from tests.support.service import Service, TranscodedVideo
from tests.support.waiting import eventually


@asynccontextmanager
async def _locked(service: Service, statement: str, *args: object) -> AsyncIterator[int]:
    """Hold the locks of a statement, and yield the process of the server that has them."""
    connection = await asyncpg.connect(service.parts.dsn)
    try:
        async with connection.transaction():
            await connection.execute(statement, *args)
            yield connection.get_server_pid()
    finally:
        await connection.close()


async def _somebody_waits_for(service: Service, process: int) -> bool:
    query = "SELECT count(*) AS n FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
    return bool((await service.rows(query, process))[0]["n"])


async def test_a_transaction_is_acknowledged_once_it_is_committed(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    async with _locked(service, "LOCK TABLE videos IN ACCESS EXCLUSIVE MODE") as process:
        sending = asyncio.create_task(room.send_video(alice))
        await eventually(lambda: _somebody_waits_for(service, process), what="intake that waits for the table")
        # A response that was on its way has come before this one.
        async with service.http.get(f"{service.url}/live") as response:
            assert response.status == 200
        assert not sending.done()
    assert await room.video_id(await sending)


async def test_a_stage_is_announced_once_its_files_are_there(
    service: Service, transcoded: TranscodedVideo, tmp_path: Path
) -> None:
    alice = service.user()
    room = await service.room(alice)
    video_id = VideoId(await room.video_id(await room.send_video(alice)))
    video = await service.parts.stores.attempts.begin_attempt(video_id)
    assert video
    folder = tmp_path / "made"
    await asyncio.to_thread(shutil.copytree, transcoded.folder, folder, copy_function=os.link)
    publication = Publication(video, b"content" * 4, service.parts.stores.attempts, service.parts.files)
    assert await service.parts.files.stages(video_id) == set()
    async with _locked(service, "SELECT FROM videos WHERE id = $1::uuid FOR UPDATE", video_id) as process:
        publishing = asyncio.create_task(publication.ready(transcoded.result, folder))
        await eventually(lambda: _somebody_waits_for(service, process), what="a publication that waits for the row")
        (stage,) = await service.parts.files.stages(video_id)
    await publishing
    ready = await service.parts.stores.videos.video(video_id)
    assert ready
    assert ready.media.stage == stage
