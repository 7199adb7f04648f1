"""The whole service, with a worker of its own, behind a PgBouncer that gives each transaction another connection."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.databases import CreateDatabase
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.pgbouncer import pgbouncer
from tests.support.rooms import make_room


@pytest.mark.timeout(300)
async def test_a_video_is_made_through_it_and_after_it_was_away(
    spare: Installation,
    create_migrated: CreateDatabase,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    clip: Path,
    tmp_path: Path,
) -> None:
    direct = await create_migrated("behind-a-pooler")
    folder = tmp_path / "pgbouncer"
    folder.mkdir()
    worker = Installation(spare.folder, spare.synapse, spare.settings, launch=fork)
    async with pgbouncer(direct, folder, size=4) as address:
        spare.write_config(database=address, database_direct=direct)
        await spare.start(command=("serve", "--no-worker"))
        await worker.start(wait=False, command=("work",))
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        videos = [await alice.send_video(room_id, clip) for _ in range(2)]
        await asyncio.gather(*(viewer.video_in(video, "ready") for video in videos))
        assert len(await viewer.videos()) == 2
    port = int(address.rpartition(":")[2].partition("/")[0])
    # Restarted, as by an upgrade of it: all who were connected connect again.
    async with pgbouncer(direct, folder, size=4, listen=port):
        video = await alice.send_video(room_id, clip)
        await viewer.video_in(video, "ready")
        assert await worker.stop() == 0
        assert await spare.stop() == 0


async def test_it_does_not_start_without_a_way_to_postgresql_itself(
    spare: Installation, create_migrated: CreateDatabase, tmp_path: Path
) -> None:
    async with pgbouncer(await create_migrated("pooler-alone"), tmp_path, size=4) as address:
        spare.write_config(database=address)
        code, said = await spare.command("serve", "-c", str(spare.config))
        assert code == 2
        assert "`database_direct`" in said
