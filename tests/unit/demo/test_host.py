"""The host page's server: the page, what it needs to know, and a policy; nothing else of this machine."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from appservice.core.errors import ConfigError
from appservice.demo.host import build_host, serve_host
from appservice.demo.synapse import free_port

ABOUT = {"room_id": "!room:demo.local"}
ADDRESSES = {"homeserver": "http://127.0.0.1:1", "widget": "http://127.0.0.1:2"}


def _host(assets: Path) -> web.Application:
    return build_host(assets, ABOUT, homeserver=ADDRESSES["homeserver"], widget=ADDRESSES["widget"])


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets" / "index.js").write_text("1")
    (tmp_path / "secret").write_text("secret")
    return folder


async def test_the_page_and_what_it_needs(assets: Path) -> None:
    async with TestClient(TestServer(_host(assets))) as client:
        page = await client.get("/?user=bob")
        assert page.status == 200
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert f"frame-src {ADDRESSES['widget']};" in policy
        assert f"connect-src 'self' {ADDRESSES['homeserver']};" in policy
        assert await (await client.get("/demo.json")).json() == ABOUT
        assert (await client.get("/assets/index.js")).status == 200


@pytest.mark.parametrize("path", ["/assets/../../secret", "/assets/%2e%2e/%2e%2e/secret", "/index.js", "/secret"])
async def test_nothing_else_is_served(assets: Path, path: str) -> None:
    async with TestClient(TestServer(_host(assets))) as client:
        assert (await client.get(path)).status in {403, 404}


def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not built"):
        _host(tmp_path)


async def test_a_port_that_is_taken_says_so(assets: Path) -> None:
    port = free_port()
    runner = await serve_host(_host(assets), port)
    try:
        with pytest.raises(ConfigError, match=rf"{port}.*--port"):
            await serve_host(_host(assets), port)
    finally:
        await runner.cleanup()


async def test_whoever_has_no_device_that_encrypts_hears_so(assets: Path) -> None:
    async with TestClient(TestServer(_host(assets))) as client:
        response = await client.put("/devices/@bob:demo.local/rooms/!r/send/m.room.message/1", json={})
        assert (response.status, (await response.json())["errcode"]) == (404, "M_NOT_FOUND")
