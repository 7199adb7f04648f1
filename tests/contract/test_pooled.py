"""The service behind a PgBouncer that gives each transaction another connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from appservice.config import Config
from appservice.core.errors import ConfigError
from appservice.core.model import VideoId
from appservice.core.rules.video_permissions import UNDO_S
from appservice.database.opening import is_pooled_by_transaction, refuse_pooler
from tests.support.databases import CreateDatabase, waits_for_lock
from tests.support.pgbouncer import pgbouncer
from tests.support.service import Service, TranscodedVideo, serving, settings_of
from tests.support.uploads import Uploader
from tests.support.waiting import eventually

# Fewer than the service has clients, so that each meets others' connections all the time.
SIZE = 3


@pytest.fixture(scope="module")
async def direct(create_migrated: CreateDatabase) -> str:
    return await create_migrated("pooled")


@pytest.fixture(scope="module")
async def pooler(direct: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with pgbouncer(direct, tmp_path_factory.mktemp("pgbouncer"), size=SIZE) as address:
        yield address


@pytest.fixture(scope="module")
async def pooled(direct: str, pooler: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("pooled")
    async with serving(folder, direct, database=pooler, database_direct=direct) as service:
        yield service


async def test_a_pooler_is_known_and_is_no_way_by_itself(direct: str, pooler: str, tmp_path: Path) -> None:
    assert await is_pooled_by_transaction(pooler)
    assert not await is_pooled_by_transaction(direct)
    only = Config.model_validate(settings_of(tmp_path, "http://127.0.0.1:1", pooler))
    with pytest.raises(ConfigError, match="`database` is the address of a pooler"):
        await refuse_pooler(only)
    both = settings_of(tmp_path, "http://127.0.0.1:1", pooler, database_direct=pooler)
    with pytest.raises(ConfigError, match="`database_direct` is the address of a pooler"):
        await refuse_pooler(Config.model_validate(both))
    await refuse_pooler(Config.model_validate(settings_of(tmp_path, "http://127.0.0.1:1", pooler) | {
        "database_direct": direct
    }))  # fmt: skip


async def test_the_direct_way_leads_to_the_same_database(
    direct: str, pooler: str, create_migrated: CreateDatabase, tmp_path: Path
) -> None:
    another = await create_migrated("pooled_another")
    wrong = settings_of(tmp_path, "http://127.0.0.1:1", pooler, database_direct=another)
    with pytest.raises(ConfigError, match="`database_direct` is another database"):
        await refuse_pooler(Config.model_validate(wrong))


async def test_it_goes_through_the_pooler(pooled: Service) -> None:
    used = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND client_addr IS NULL"
    assert (await pooled.rows(used))[0]["n"] > 0
    processes = {(await pooled.rows("SELECT pg_backend_pid() AS pid"))[0]["pid"] for _ in range(20)}
    assert len(processes) <= SIZE


async def test_a_video_from_its_event_to_its_removal(pooled: Service, transcoded: TranscodedVideo) -> None:
    alice, bob = pooled.user("alice"), pooled.user("bob")
    room = await pooled.room(alice, bob)
    viewer = await pooled.viewer(bob, room)
    async with viewer.events() as events:
        video_id = await room.video_id(await room.show_video(alice, transcoded))
        while (await asyncio.wait_for(events.get(), 60))[0] != "changed":
            pass
    (video,) = await viewer.videos()
    async with pooled.http.get(pooled.url + video["playlist_url"]) as response:
        assert response.status == 200
    hers = await pooled.viewer(alice, room)
    status, _ = await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"title": "Renamed"})
    assert status == 200
    assert [each["title"] for each in await viewer.videos()] == ["Renamed"]
    assert (await hers.request("DELETE", f"/api/v1/videos/{video_id}"))[0] in {200, 204}
    await pooled.rows("UPDATE videos SET deleted_at = now() - interval '1 hour' WHERE id = $1::uuid", video_id)
    await pooled.parts.stores.changes.purge_deleted(UNDO_S)
    assert await viewer.videos() == []


async def test_an_upload(pooled: Service) -> None:
    alice = pooled.user("alice")
    room = await pooled.room(alice)
    uploader = Uploader(await pooled.viewer(alice, room))
    assert (await uploader.create(10)).status == 201
    assert (await uploader.patch(0, b"x" * 10)).status == 204
    assert await uploader.offset() == 10


async def test_many_at_once_each_have_their_own_result(pooled: Service) -> None:
    async def write(number: int) -> None:
        user = pooled.user(f"user{number}")
        room = await pooled.room(user)
        viewer = await pooled.viewer(user, room)
        for video in range(3):
            await room.send_video(user, f"{number}-{video}.mp4")
            answer = await viewer.room()
            assert (answer["room_id"], answer["members"][0]["user_id"] == user) == (room.room_id, True)
            assert await pooled.parts.stores.rooms.room(room.room_id)  # type: ignore[arg-type]

    await asyncio.gather(*(write(number) for number in range(40)))


async def test_a_lock_is_held_over_several_transactions(pooled: Service) -> None:
    video_id = VideoId("00000000-0000-0000-0000-000000000001")
    posts = pooled.parts.stores.status_posts
    order: list[str] = []

    async def second() -> None:
        async with posts.locked(video_id):
            order.append("second")

    async with posts.locked(video_id):
        waiting = asyncio.create_task(second())
        await eventually(lambda: waits_for_lock(pooled.parts.direct), what="another one who wants the lock")
        await posts.posts(video_id)
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_who_cannot_be_served_reads_nothing_of_the_database(direct: str, tmp_path: Path) -> None:
    async with pgbouncer(direct, tmp_path, size=SIZE) as address:
        stack = AsyncExitStack()
        service = await stack.enter_async_context(
            serving(tmp_path / "data", direct, database=address, database_direct=direct)
        )
        path = f"{service.url}/export/{'x' * 30}"
        async with service.http.get(path) as response:
            assert response.status == 404
    async with stack, service.http.get(path) as response:
        assert response.status == 503
        text = await response.text()
    assert "does not respond" in text
    for secret in ("127.0.0.1", urlsplit(address).username or "", str(urlsplit(address).port)):
        assert secret not in text
