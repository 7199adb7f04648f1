"""Whether it lives, whether it is ready, what it measures, and the page that starts it all."""

import dataclasses

import pytest
from pytest_aiohttp import AiohttpClient

from appservice.store import Stores, open_pool
from appservice.web.app import build_app
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
