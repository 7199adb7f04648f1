"""Whether it lives, whether it is ready, what it measures, and the page that starts it all."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from appservice.store import Stores, open_pool
from appservice.store.outbox import Pool
from appservice.web.app import build_app
from appservice.web.health import Vitals
from appservice.web.monitoring import Readings, build_metrics_app
from tests.support.databases import CreateDatabase
from tests.support.service import HS_TOKEN, Service

OURS = {"Authorization": f"Bearer {HS_TOKEN}"}


async def test_alive_and_ready(service: Service) -> None:
    for path, status in (("/live", "live"), ("/ready", "ready")):
        async with service.http.get(service.url + path) as response:
            assert (response.status, await response.json()) == (200, {"status": status})
            assert response.headers["Server"] == "Roomreel"


async def test_without_its_database_it_lives_and_is_not_ready(
    service: Service, aiohttp_client: AiohttpClient, create_migrated: CreateDatabase
) -> None:
    pool = await open_pool(await create_migrated("contract-gone"), size=1)
    context = dataclasses.replace(service.context, stores=Stores(pool))
    readings = Readings(context.stores, pool, context.config.data_dir, 10, of_installation=True)
    client, metrics = await aiohttp_client(build_app(context)), await aiohttp_client(build_metrics_app(readings))
    async with client.get("/ready") as response:
        assert response.status == 200
    await pool.close()
    async with client.get("/live") as response:
        assert response.status == 200
    async with client.get("/ready") as response:
        assert (response.status, set(await response.json())) == (503, {"errcode", "error"})
    async with metrics.get("/metrics") as response:
        assert response.status == 200
        text = await response.text()
    assert "roomreel_videos{" not in text, "unknown is not zero"
    assert "roomreel_database_up 0.0" in text


@dataclasses.dataclass
class _Process:
    """A process with a database and a media folder of its own."""

    pool: Pool
    folder: Path
    vitals: Vitals
    client: "TestClient[web.Request, web.Application]"

    async def health(self, path: str = "/ready") -> tuple[int, str]:
        async with self.client.get(path) as response:
            body = await response.json()
            return response.status, str(body.get("error", body.get("status")))


@pytest.fixture
async def process(
    service: Service, aiohttp_client: AiohttpClient, create_migrated: CreateDatabase, tmp_path: Path
) -> AsyncIterator[_Process]:
    media = tmp_path / "media"
    media.mkdir()
    async with await open_pool(await create_migrated("contract-health"), size=1) as pool:
        config = service.context.config.model_copy(update={"data_dir": tmp_path})
        vitals = Vitals()
        app = build_app(dataclasses.replace(service.context, stores=Stores(pool), config=config, vitals=vitals))
        yield _Process(pool, media, vitals, await aiohttp_client(app))


async def test_not_ready_without_the_schema_of_this_release(process: _Process) -> None:
    assert await process.health() == (200, "ready")
    row = await process.pool.fetchrow("SELECT * FROM schema_migrations WHERE version = 28")
    assert row
    await process.pool.execute("DELETE FROM schema_migrations WHERE version = 28")
    assert await process.health() == (503, "The database lacks migration 0028 of this release.")
    await process.pool.execute(
        "INSERT INTO schema_migrations (version, name, kind, checksum) VALUES (28, $1, $2, 'another')",
        row["name"], row["kind"],
    )  # fmt: skip
    assert (await process.health())[0] == 503, "of another release"
    await process.pool.execute("UPDATE schema_migrations SET checksum = $1 WHERE version = 28", row["checksum"])
    await process.pool.execute(
        "INSERT INTO schema_migrations (version, name, kind, checksum) VALUES (9000, 'new', 'before', 'x')"
    )
    assert await process.health() == (200, "ready"), "of the release before"


async def test_not_ready_without_its_media_folder(process: _Process) -> None:
    process.folder.rmdir()
    assert await process.health() == (503, "The media folder cannot be written to: No such file or directory.")
    process.folder.touch()
    assert await process.health() == (503, "The media folder cannot be written to: Not a directory.")
    process.folder.unlink()
    process.folder.mkdir()
    assert await asyncio.gather(*(process.health() for _ in range(20))) == [(200, "ready")] * 20
    assert list(process.folder.iterdir()) == []


async def test_not_ready_while_it_is_being_stopped(process: _Process) -> None:
    process.vitals.is_draining = True
    assert await process.health() == (503, "draining")
    assert await process.health("/live") == (200, "live")


async def test_alive_while_its_essential_tasks_run(process: _Process) -> None:
    end = asyncio.Event()

    async def work() -> None:
        await end.wait()

    process.vitals.essential["worker"] = task = asyncio.create_task(work())
    assert await process.health("/live") == (200, "live")
    end.set()
    await task
    assert await process.health("/live") == (503, "Ended: worker.")


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ("4f9c7c9a3a0f4b7f", True), ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", True), ("a" * 128, True),
        (None, False), ("short", False), ("a" * 129, False), ("with a space", False), ("4f9c7c9a\t3a0f4b7f", False),
        ('"},{"level":"error', False), ("4f9c7c9aä3a0f4b7f", False),
    ],
)  # fmt: skip
async def test_a_request_has_the_id_of_a_trusted_proxy_or_a_new_one(
    service: Service, given: str | None, counts: bool
) -> None:
    headers = {"X-Request-ID": given} if given else {}
    for path in ("/live", "/api/v1/nothing"):
        async with service.http.get(service.url + path, headers=headers) as response:
            got = response.headers["X-Request-ID"]
        assert (got == given) == counts
        assert counts or re.fullmatch("[0-9a-f]{32}", got)


async def test_nobody_else_gives_a_request_its_id(service: Service, aiohttp_client: AiohttpClient) -> None:
    config = service.context.config
    strict = config.model_copy(update={"web": config.web.model_copy(update={"trusted_proxies": []})})
    client = await aiohttp_client(build_app(dataclasses.replace(service.context, config=strict)))
    async with client.get("/live", headers={"X-Request-ID": "4f9c7c9a3a0f4b7f"}) as response:
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def _readings(service: Service) -> Readings:
    return Readings(
        service.context.stores, service.parts.pool, service.context.config.data_dir, 10, of_installation=True
    )


async def test_videos_are_counted_by_their_state(service: Service, aiohttp_client: AiohttpClient) -> None:
    alice = service.user()
    room = await service.room(alice)
    await room.send_video(alice)
    client = await aiohttp_client(build_metrics_app(_readings(service)))
    (row,) = await service.rows("SELECT count(*) AS count FROM videos WHERE state = 'queued'")
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        lines = (await response.text()).splitlines()
    (queued,) = [line for line in lines if line.startswith('roomreel_videos{state="queued"}')]
    assert float(queued.split()[-1]) == row["count"] > 0
    async with client.get("/live") as response:
        assert response.status == 404, "nothing else is there"


async def test_the_homeservers_ping_gets_a_response(service: Service) -> None:
    for method, path in (("POST", "ping"), ("GET", f"users/{service.bot}"), ("PUT", "transactions/nothing")):
        url = f"{service.url}/_matrix/app/v1/{path}"
        async with service.http.request(method, url, headers=OURS, json={"events": []}) as response:
            assert (response.status, await response.json()) == (200, {})


async def test_what_is_malformed_in_a_transaction_keeps_nothing_else_out(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    named = {
        "type": "m.room.name", "event_id": "$named", "room_id": room.room_id, "sender": alice, "state_key": "",
        "content": {"name": "The den"},
    }  # fmt: skip
    wrong: list[object] = [None, 5, {}, {"type": "m.room.member", "state_key": 5}, {**named, "room_id": "x"}]
    assert await service.transaction([*wrong, named]) == (200, {})
    assert (await (await service.viewer(alice, room)).room())["name"] == "The den"


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "zh-HK,zh;q=0.9", "zh-TW"), ("?lang=zh_TW", "en", "zh-TW"), ("?lang=zh-cn", "en", "zh"),
        ("?lang=$org.matrix.msc2873.client_language", "zh", "zh"), ("?lang=de,zh", "en", "en"),
    ],
)  # fmt: skip
async def test_the_widgets_page_speaks_the_viewers_language(
    service: Service, query: str, accepted: str, language: str
) -> None:
    titles = {"en": "Videos of this room", "zh": "本房间的视频", "zh-TW": "本聊天室的影片"}
    url, headers = f"{service.url}/widget/{query}", {"Accept-Language": accepted}
    async with service.http.get(url, headers=headers) as response:
        page = await response.text()
        assert (response.status, response.headers["Vary"]) == (200, "Accept-Language")
        assert "require-trusted-types-for 'script'" in response.headers["Content-Security-Policy"]
    assert f'<html lang="{language}">' in page
    assert f"<title>{titles[language]}</title>" in page


async def test_the_widgets_address_without_its_slash(service: Service) -> None:
    async with service.http.get(f"{service.url}/widget?room_id=x", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/widget/?room_id=x")


async def test_the_widgets_assets_are_cached_for_ever(service: Service) -> None:
    async with service.http.get(f"{service.url}/widget/") as response:
        page = await response.text()
    script = page.split('src="')[1].split('"')[0]
    async with service.http.get(service.url + script) as response:
        assert response.status == 200
        assert response.content_type in {"text/javascript", "application/javascript"}, "as the system has it"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
