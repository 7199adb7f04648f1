"""The widget's assets as they are served: compressed once at build time, for whoever takes that."""

import gzip

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from appservice import resources
from appservice.web.page import add_page


@pytest.mark.parametrize("suffix", [".js", ".css", ".ftl"])
async def test_texts_are_served_compressed_to_whoever_takes_it(suffix: str) -> None:
    file = max((resources.widget_assets() / "assets").glob(f"*{suffix}"), key=lambda each: each.stat().st_size)
    whole = file.read_bytes()
    app = web.Application()
    add_page(app)
    async with TestServer(app) as server, ClientSession(auto_decompress=False) as http:
        address = server.make_url(f"/widget/assets/{file.name}")
        bodies = {}
        for asked, encoding in (("identity", None), ("gzip, deflate", "gzip"), ("gzip, deflate, br", "br")):
            async with http.get(address, headers={"Accept-Encoding": asked}) as response:
                assert response.status == 200
                assert response.headers.get("Content-Encoding") == encoding
                assert response.content_type != "application/octet-stream"
                assert "immutable" in response.headers["Cache-Control"]
                bodies[encoding] = await response.read()
                if encoding:
                    assert response.headers["Vary"] == "Accept-Encoding"
    assert bodies[None] == whole
    assert gzip.decompress(bodies["gzip"]) == whole
    assert len(bodies["br"]) < len(bodies["gzip"]) < len(whole) / 2
