"""The widget's assets as they are served: compressed once at build time, for whoever takes that."""

import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from appservice import resources
from appservice.core.errors import ConfigError
from appservice.media.files import LocalFiles
from appservice.web.context import CONTEXT
from appservice.web.page import add_page, read_entry


@pytest.mark.parametrize("suffix", [".js", ".css", ".json"])
async def test_texts_are_served_compressed_to_whoever_takes_it(suffix: str) -> None:
    file = max((resources.widget_assets() / "assets").glob(f"*{suffix}"), key=lambda each: each.stat().st_size)
    whole = file.read_bytes()
    app = web.Application()
    add_page(app)
    async with TestServer(app) as server, ClientSession(auto_decompress=False) as http:
        address = server.make_url(f"/widget/assets/{file.name}")
        bodies = {}
        for accepted, encoding in (("identity", None), ("gzip, deflate", "gzip"), ("gzip, deflate, br", "br")):
            async with http.get(address, headers={"Accept-Encoding": accepted}) as response:
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


def test_a_page_preloads_what_every_visit_imports(tmp_path: Path) -> None:
    chunks = {
        "page.ts": {
            "file": "page.js",
            "imports": ["_shared.js"],
            "css": ["page.css"],
            "assets": ["assets/zh-iNe-gErv.json", "assets/zh-TW-iNeYgErv.json"],
        },
        "_shared.js": {"file": "shared.js", "css": ["shared.css"]},
        "stage.ts": {"file": "stage.js", "imports": ["_shared.js", "_slider.js"], "css": ["stage.css"]},
        "_slider.js": {"file": "slider.js"},
        "rare.ts": {"file": "rare.js", "css": ["rare.css"]},
    }
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(chunks))
    entry = read_entry(tmp_path, "page.ts", ["stage.ts"])
    assert entry.script == "/widget/page.js"
    assert entry.preloads == ["/widget/shared.js", "/widget/stage.js", "/widget/slider.js"]
    assert entry.styles == ["/widget/shared.css", "/widget/page.css", "/widget/stage.css"]
    texts = {"zh": "/widget/assets/zh-iNe-gErv.json", "zh-TW": "/widget/assets/zh-TW-iNeYgErv.json"}
    assert entry.texts == texts
    with pytest.raises(ConfigError, match="not built"):
        read_entry(tmp_path, "page.ts", ["gone.ts"])


async def test_the_head_preloads_what_the_first_frame_needs() -> None:
    app = web.Application()
    files = LocalFiles(Path("unused"))
    context: Any = SimpleNamespace(config=SimpleNamespace(web=SimpleNamespace(frame_ancestors=())), files=files)
    app[CONTEXT] = context
    add_page(app)
    async with TestServer(app) as server, ClientSession() as http:
        pages = {}
        for language in ("en", "zh-TW"):
            async with http.get(server.make_url("/widget/"), params={"lang": language}) as response:
                pages[language] = await response.text()
    for language, page in pages.items():
        modules = re.findall(r'rel="modulepreload" href="/widget/assets/([a-z]+)-', page)
        assert sorted(modules) == ["engines", "first", "first", "shared"], (
            "each further one waits for a free connection"
        )
        assert re.findall(r'rel="preload" as="fetch" crossorigin href="/widget/assets/([\w-]+)-.{8}\.json"', page) == [
            language
        ]
